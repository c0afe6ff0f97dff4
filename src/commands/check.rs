//! `purlin check`.

use super::list::unknown_rule;
use super::{COULD_NOT, fail, print, say};
use crate::cli::{Check, FailOn, Format};
use purlin::check::{Outcome, Selection, check};
use purlin::load::{self, Loaded, decode, files};
use purlin::model::Model;
use purlin::policy::Policy;
use purlin::policy_file;
use purlin::report::human::{self, Style};
use purlin::report::{github, json, junit, markdown, sarif};
use purlin::rule::Severity;
use purlin::rules::RULES;
use purlin::source::Source;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Checks manifests and prints what it found.
pub(super) fn run(args: &Check) -> ExitCode {
    let groups = RULES.iter().map(|it| it.group.name());
    for name in args.only.iter().chain(&args.skip) {
        if !RULES.iter().any(|it| it.id == name || it.group.name() == name) {
            return fail(unknown_rule(name, RULES.iter().map(|it| it.id).chain(groups)));
        }
    }
    let policy_file = args
        .policy
        .clone()
        .or_else(|| Some(PathBuf::from("purlin.yaml")).filter(|it| it.is_file()));
    let policy_text = match policy_file.as_deref().map(read_policy).transpose() {
        Ok(text) => text,
        Err(message) => return fail(message),
    };
    let (policy, policy_source) = match policy_text {
        None => (Policy::default(), None),
        Some(source) => match parse_policy(&source) {
            Ok(policy) => (policy, Some(source)),
            Err(message) => return fail(message),
        },
    };
    let mut loaded = load::load(&paths(args, &policy, policy_file.as_deref()));
    let mut policy = policy;
    if let Some(source) = policy_source {
        policy.source = Some(loaded.sources.add(source));
    }
    let model = Model::new(&loaded, &args.namespace);
    if model.is_empty() && loaded.broken.is_empty() {
        return nothing(&loaded);
    }
    let selection = Selection { only: args.only.clone(), skip: args.skip.clone() };
    let outcome = check(&model, &policy, &selection);
    if outcome.rules.is_empty() {
        return fail("nothing to check: no rule is left to run");
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

fn paths(args: &Check, policy: &Policy, policy_file: Option<&Path>) -> Vec<PathBuf> {
    if !args.paths.is_empty() {
        return args.paths.clone();
    }
    let folder = policy_file.and_then(Path::parent).unwrap_or(Path::new(""));
    let targets: Vec<_> = policy.targets.iter().map(|it| folder.join(&it.path)).collect();
    if targets.is_empty() { vec![PathBuf::from(".")] } else { targets }
}

fn read_policy(path: &Path) -> Result<Source, String> {
    let name = path.display().to_string();
    let file = files::File { name: name.clone(), path: Some(path.to_path_buf()) };
    let text = files::read(&file)
        .and_then(decode::decode)
        .map_err(|why| format!("cannot read {name}: {why}"))?;
    Ok(Source::new(name, text))
}

fn parse_policy(source: &Source) -> Result<Policy, String> {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    policy_file::read(&source.text, Some(today)).map_err(|mistakes| {
        let lines = mistakes.iter().map(|it| {
            let help = it.help.as_ref().map(|it| format!("; {it}")).unwrap_or_default();
            format!("{}:{}: {}{help}", source.name, source.position(it.span.start), it.message)
        });
        format!("the policy is not valid\n{}", lines.collect::<Vec<_>>().join("\n"))
    })
}

/// Says what could not be read.
fn complain(loaded: &Loaded) {
    for failure in &loaded.failures {
        say(&format!("cannot read {}: {}", failure.path, failure.why));
    }
}

/// Says why there is nothing to check.
fn nothing(loaded: &Loaded) -> ExitCode {
    if !loaded.failures.is_empty() {
        complain(loaded);
        return ExitCode::from(COULD_NOT);
    }
    let passed_over = human::passed_over(loaded.passed_over);
    let passed_over =
        if passed_over.is_empty() { passed_over } else { format!("; passed over: {passed_over}") };
    fail(format!("nothing to check: no Kubernetes object in the input{passed_over}"))
}

fn write(args: &Check, model: &Model<'_>, outcome: &Outcome) -> Result<(), ExitCode> {
    let is_terminal = args.output.is_none() && io::stdout().is_terminal();
    let text = match args.format {
        Format::Json => json::render(model, outcome),
        Format::Sarif => sarif::render(model, outcome),
        Format::Junit => junit::render(model, outcome),
        Format::Github => github::render(model, outcome),
        Format::Markdown => markdown::render(model, outcome),
        Format::Human => human::render(model, outcome, Style::detect(is_terminal)),
    };
    match &args.output {
        Some(path) => std::fs::write(path, text)
            .map_err(|error| fail(format!("cannot write {}: {error}", path.display()))),
        None => print(text.as_bytes()),
    }
}

fn fails(fail_on: FailOn, worst: Option<Severity>) -> bool {
    match fail_on {
        FailOn::Never => false,
        FailOn::Warning => worst >= Some(Severity::Warning),
        FailOn::Error => worst >= Some(Severity::Error),
    }
}
