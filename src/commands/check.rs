//! `purlin check`.

use super::input;
use super::known::Known;
use super::list::unknown_rule;
use super::{COULD_NOT, fail, print, say};
use crate::cli::{Check, FailOn, Format};
use purlin::architecture;
use purlin::check::worlds;
use purlin::check::{Outcome, Selection};
use purlin::documents::Read;
use purlin::load::own::OwnId;
use purlin::load::read::decode;
use purlin::load::read::mistake::Mistake;
use purlin::load::{Loaded, files};
use purlin::model::Model;
use purlin::policy::Policy;
use purlin::policy_file;
use purlin::report::human::{self, Extent, Style};
use purlin::report::repository::Repository;
use purlin::report::{concise, github, json, junit, markdown, sarif};
use purlin::rule::Severity;
use purlin::rules::built_in;
use purlin::run::Run;
use purlin::text::source::Source;
use purlin::text::tree::Tree;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Read from the current folder where no other is named.
pub(super) const POLICY_FILE: &str = "purlin.yaml";

/// Checks manifests and prints what it found.
pub(super) fn run(args: &Check) -> ExitCode {
    if let Err(message) = known_rules(&args.only, &args.skip) {
        return fail(message);
    }
    let policy_file = policy_file(args.policy.as_ref());
    let (mut policy, document) = match read_policy(policy_file.as_deref()) {
        Ok(read) => read,
        Err(message) => return fail(message),
    };
    if !args.preset.is_empty() {
        policy.extends.clone_from(&args.preset);
    }
    let known = match Known::read(args, &policy, policy_file.as_deref()) {
        Ok(known) => known,
        Err(message) => return fail(message),
    };
    let selection =
        Selection { only: args.only.clone(), skip: args.skip.clone(), ..Selection::default() };
    let nodes = match args.nodes.as_deref().map(super::simulate::described).transpose() {
        Ok(nodes) => nodes.map(Arc::new),
        Err(message) => return fail(message),
    };
    let (mut loaded, namespace) = match read(args, &policy, &selection, policy_file.as_deref()) {
        Ok(read) => read,
        Err(message) => return fail(message),
    };
    let mut run = today(document.map(|(source, tree)| loaded.add_own(source, tree)));
    run.nodes = nodes;
    for named in architecture_files(args, &policy, policy_file.as_deref()) {
        if let Err(message) = add_architecture(&mut loaded, &named, |it| it) {
            return fail(message);
        }
    }
    if let Err(message) = promise(&mut loaded, &mut policy, &mut run) {
        return fail(message);
    }
    let earlier = match known.earlier(args, &policy) {
        Ok(earlier) => earlier,
        Err(message) => {
            complain(&loaded);
            return fail(message);
        }
    };
    let before = earlier.as_ref().map(|it| it.check(&selection));
    let gone = before.as_ref().map(|it| it.gone(&loaded, &namespace)).unwrap_or_default();
    let run = Run { gone, ..run };
    let (model, mut outcome) = worlds::check(&loaded, &namespace, &policy, &run, &selection);
    // A machine is told what could not be read even where that is all.
    let is_told = args.format != Format::Human && !loaded.failures.is_empty();
    let says_nothing = run.architecture.is_empty();
    if model.is_empty() && loaded.broken.is_empty() && !is_told && says_nothing {
        return nothing(&loaded, "check");
    }
    if outcome.rules.is_empty() {
        return fail("nothing to check: no rule is left to run");
    }
    let left = known.leave_out(args, before, &model, &mut outcome);
    if let Err(message) = left {
        complain(&loaded);
        return fail(message);
    }
    let written = write(args, &model, &outcome);
    complain(&loaded);
    match written {
        Err(code) => code,
        Ok(()) if !loaded.failures.is_empty() => ExitCode::from(COULD_NOT),
        Ok(()) if fails(args.fail_on, outcome.worst()) => ExitCode::from(1),
        Ok(()) => ExitCode::SUCCESS,
    }
}

/// Refuses names of rules and groups that there are not.
pub(super) fn known_rules(only: &[String], skip: &[String]) -> Result<(), String> {
    let groups = built_in().iter().map(|it| it.group.name());
    for name in only.iter().chain(skip) {
        if !built_in().iter().any(|it| it.id == name || it.group.name() == name) {
            return Err(unknown_rule(name, built_in().ids().chain(groups)));
        }
    }
    Ok(())
}

/// Reads what is to be checked, and says what the namespace is of objects that name none.
#[cfg_attr(
    not(feature = "cluster"),
    expect(unused_variables, reason = "a cluster is asked by rule")
)]
fn read(
    args: &Check,
    policy: &Policy,
    selection: &Selection,
    policy_file: Option<&Path>,
) -> Result<(Loaded, String), String> {
    #[cfg(feature = "cluster")]
    if args.live.cluster {
        return super::cluster::check(args, policy, selection);
    }
    let namespace = default_namespace(&args.namespace)?;
    let targets = input::targets(&args.paths, policy, policy_file);
    let loaded = input::read(args, policy, policy_file, &targets, &namespace);
    Ok((loaded, namespace))
}

/// The namespace of objects that name none, where no cluster is read.
pub(super) fn default_namespace(namespaces: &[String]) -> Result<String, String> {
    match namespaces {
        [] => Ok("default".into()),
        [namespace] => Ok(namespace.clone()),
        _ => {
            Err("several namespaces are for `--cluster`; objects that name none go to a single one"
                .into())
        }
    }
}

/// What is so today, and which of the documents is the policy.
pub(super) fn today(policy: Option<OwnId>) -> Run {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    Run { today: Some(today), policy, ..Run::default() }
}

/// The policy file that is named, else the one in this folder, if there is one.
pub(super) fn policy_file(named: Option<&PathBuf>) -> Option<PathBuf> {
    named.cloned().or_else(|| Some(PathBuf::from(POLICY_FILE)).filter(|it| it.is_file()))
}

/// Reads the policy, and hands over its text and what is written there for reports to point into.
pub(super) fn read_policy(path: Option<&Path>) -> Result<(Policy, Option<(Source, Tree)>), String> {
    let Some(path) = path else { return Ok((Policy::default(), None)) };
    let source = source(path)?;
    let read = policy_file::read(&source.text, built_in());
    let Read { value, tree } = read.map_err(|it| not_valid("policy", &source, &it))?;
    Ok((value, Some((source, tree))))
}

/// An architecture document that somebody named.
pub(super) struct Named {
    /// Where it is.
    pub(super) path: PathBuf,
    /// The targets that it is for; all, where none is named.
    pub(super) targets: Vec<String>,
}

/// The architecture documents: the one of the arguments, else those that the policy names, for all targets or for one.
pub(super) fn architecture_files(
    args: &Check,
    policy: &Policy,
    policy_file: Option<&Path>,
) -> Vec<Named> {
    if let Some(path) = args.architecture.clone() {
        return vec![Named { path, targets: Vec::new() }];
    }
    let folder = policy_file.and_then(Path::parent).unwrap_or(Path::new(""));
    let mut all: Vec<Named> = Vec::new();
    let of_all = policy.architecture.iter();
    all.extend(of_all.map(|it| Named { path: folder.join(it), targets: Vec::new() }));
    let is_read =
        |name: &str| args.paths.is_empty() || args.paths.iter().any(|it| it.as_os_str() == name);
    for target in policy.targets.iter().filter(|it| is_read(it.name())) {
        let Some(path) = target.architecture.as_ref().map(|it| folder.join(it)) else { continue };
        let name = target.name().to_string();
        match all.iter_mut().find(|it| it.path == path) {
            Some(named) if named.targets.is_empty() || named.targets.contains(&name) => {}
            Some(named) => named.targets.push(name),
            None => all.push(Named { path, targets: vec![name] }),
        }
    }
    all
}

/// Reads an architecture document that somebody named, unless it is among the input anyway. `name` is what to call it.
pub(super) fn add_architecture(
    loaded: &mut Loaded,
    named: &Named,
    name: impl FnOnce(String) -> String,
) -> Result<(), String> {
    let Named { path, targets } = named;
    let mut source = source(path)?;
    let is_it = |other: &str| {
        let (own, other) = (path.canonicalize(), Path::new(other).canonicalize());
        matches!((own, other), (Ok(own), Ok(other)) if own == other)
    };
    let read = &loaded.architectures;
    let there = read.iter().map(|it| it.source).find(|it| is_it(&loaded.sources.get(*it).name));
    let id = match there {
        Some(id) => id,
        None => {
            source.name = name(source.name);
            let shown = Source::new(source.name.clone(), source.text.clone());
            let added = loaded.add_architecture(source);
            added.map_err(|it| not_valid("architecture", &shown, &[it]))?
        }
    };
    if !targets.is_empty() {
        loaded.promised_to.insert(id, targets.clone());
    }
    Ok(())
}

/// Takes what architecture documents promise out of the input, for the rules and the policy to know.
pub(super) fn promise(
    loaded: &mut Loaded,
    policy: &mut Policy,
    run: &mut Run,
) -> Result<(), String> {
    let gathered = architecture::gather(loaded);
    if let Err(both) = architecture::govern(policy, &gathered.promises) {
        let place = |own: OwnId, node: u32| {
            let document = &loaded.own[own.0 as usize];
            let source = loaded.sources.get(document.source);
            let start = document.tree.node(node).span().start;
            format!("{}:{}", source.shown_name(), source.position(start))
        };
        let here = run.policy.and_then(|own| {
            let tree = &loaded.own[own.0 as usize].tree;
            Some(place(own, tree.root().entry(both.section)?.0.index()))
        });
        return Err(format!(
            "`{}` stands in the policy{} and in the architecture ({}): leave it out of the policy",
            both.section,
            here.map(|it| format!(" ({it})")).unwrap_or_default(),
            place(both.document, both.node)
        ));
    }
    if run.nodes.is_none() {
        // What is wrong with nodes is among the mistakes of their document already, or says which node it is.
        let nodes = architecture::nodes(&gathered.promises);
        let told = |it: Vec<Mistake>| it.into_iter().map(|it| it.message).collect::<Vec<_>>();
        run.nodes = nodes.map_err(|it| told(it).join("\n"))?;
        let own = architecture::nodes_of_targets(&gathered.promises);
        run.own_nodes = own.map_err(|it| told(it).join("\n"))?;
    }
    run.architecture = gathered;
    Ok(())
}

/// Reads a file that somebody named.
pub(super) fn source(path: &Path) -> Result<Source, String> {
    let name = path.display().to_string();
    let file = files::File { name: name.clone(), path: Some(path.to_path_buf()) };
    let text = files::read(&file)
        .and_then(decode::decode)
        .map_err(|why| format!("cannot read {name}: {why}"))?;
    Ok(Source::new(name, text))
}

/// Says what is wrong in a document of purlin's own.
pub(super) fn not_valid(what: &str, source: &Source, mistakes: &[Mistake]) -> String {
    let lines = mistakes.iter().map(|it| {
        let help = it.help.as_ref().map(|it| format!("; {it}")).unwrap_or_default();
        format!("{}:{}: {}{help}", source.shown_name(), source.position(it.span.start), it.message)
    });
    format!("the {what} is not valid\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// Says what could not be read.
pub(super) fn complain(loaded: &Loaded) {
    loaded.failures.iter().for_each(|it| say(&it.to_string()));
}

/// Says why there is nothing to check, or to do otherwise.
pub(super) fn nothing(loaded: &Loaded, what: &str) -> ExitCode {
    if !loaded.failures.is_empty() {
        complain(loaded);
        return ExitCode::from(COULD_NOT);
    }
    let skipped = human::skipped(loaded);
    let skipped = if skipped.is_empty() { skipped } else { format!("; skipped: {skipped}") };
    fail(format!("nothing to {what}: no Kubernetes object in the input{skipped}"))
}

fn write(args: &Check, model: &Model<'_>, outcome: &Outcome) -> Result<(), ExitCode> {
    let is_terminal = args.output.is_none() && io::stdout().is_terminal();
    let text = match args.format {
        Format::Json => json::render(model, outcome),
        Format::Sarif => sarif::render(model, outcome, &repository()),
        Format::Junit => junit::render(model, outcome),
        Format::Github => github::render(model, outcome, &repository()),
        Format::Markdown => markdown::render(model, outcome),
        Format::Concise => concise::render(model, outcome),
        Format::Human => {
            let extent = if args.full { Extent::Full } else { Extent::Folded };
            let report = human::render(model, outcome, Style::detect(is_terminal, extent));
            // On a terminal these are said beside the report; a file would not have them.
            let failures =
                if args.output.is_some() { human::failures(model) } else { String::new() };
            failures + &report
        }
    };
    match &args.output {
        Some(path) => std::fs::write(path, text)
            .map_err(|error| fail(format!("cannot write {}: {error}", path.display()))),
        None => print(text.as_bytes()),
    }
}

/// The repository that the current folder is in, for those who know files by their names in it.
fn repository() -> Repository {
    let here = std::env::current_dir().unwrap_or_default();
    let root = here.ancestors().find(|it| it.join(".git").exists()).unwrap_or(&here);
    Repository::new(root.to_path_buf(), here.clone())
}

fn fails(fail_on: FailOn, worst: Option<Severity>) -> bool {
    match fail_on {
        FailOn::Never => false,
        FailOn::Warning => worst >= Some(Severity::Warning),
        FailOn::Error => worst >= Some(Severity::Error),
    }
}
