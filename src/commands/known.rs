//! What `purlin check` leaves out of its report: findings of a baseline, and what a change does not touch.

use super::check::{
    Named, POLICY_FILE, add_architecture, architecture_files, default_namespace, promise,
    read_policy, today,
};
use super::input::{read, targets};
use super::tell;
use crate::cli::Check;
use purlin::analyze::placement::planned::Described;
use purlin::check::baseline::Baseline;
use purlin::check::focus::Focus;
use purlin::check::locate::Locator;
use purlin::check::worlds;
use purlin::check::{Outcome, Selection};
use purlin::load::files::Step;
use purlin::load::git::{self, Snapshot};
use purlin::load::read::decode;
use purlin::load::worlds::{Chart, Target};
use purlin::load::{Loaded, files};
use purlin::model::{Model, Object};
use purlin::policy::Policy;
use purlin::run::Run;
use rustc_hash::FxHashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is known before anything is checked, so that a mistake in it is told at once.
pub(super) struct Known {
    baseline: Option<(PathBuf, Baseline)>,
    /// The files and folders of `--focus`, without links.
    focus: Vec<PathBuf>,
    /// The commit of `--since`.
    snapshot: Option<Snapshot>,
}

impl Known {
    /// Reads what the arguments name.
    pub(super) fn read(
        args: &Check,
        policy: &Policy,
        policy_file: Option<&Path>,
    ) -> Result<Known, String> {
        let file = baseline_file(args, policy, policy_file)?;
        let baseline = file.map(|it| Ok::<_, String>((it.clone(), read_baseline(&it, args)?)));
        Ok(Known {
            baseline: baseline.transpose()?,
            focus: args.focus.iter().map(|it| canonical(it)).collect::<Result<_, _>>()?,
            snapshot: args.since.as_deref().map(git::snapshot).transpose()?,
        })
    }

    /// What the commit of `--since` holds, where that is asked for.
    pub(super) fn earlier(&self, args: &Check, policy: &Policy) -> Result<Option<Earlier>, String> {
        self.snapshot.as_ref().map(|it| earlier(it, args, policy)).transpose()
    }

    /// Leaves out what is known or not of interest, and writes the baseline where that is asked for.
    pub(super) fn leave_out(
        self,
        args: &Check,
        before: Option<Before<'_>>,
        model: &Model<'_>,
        outcome: &mut Outcome,
    ) -> Result<(), String> {
        if let Some((file, mut baseline)) = self.baseline {
            if args.write_baseline {
                baseline = write_baseline(&file, &baseline, model, outcome)?;
            }
            baseline.hold_back(outcome);
        }
        let focus = match before {
            Some(Before { model: before, outcome }) => Focus::since(model, &before, &outcome),
            None if self.focus.is_empty() => return Ok(()),
            None => on(&self.focus, model),
        };
        focus.apply(model, outcome);
        Ok(())
    }
}

/// The baseline file: the one of the arguments, else the one that the policy names.
fn baseline_file(
    args: &Check,
    policy: &Policy,
    policy_file: Option<&Path>,
) -> Result<Option<PathBuf>, String> {
    let folder = policy_file.and_then(Path::parent).unwrap_or(Path::new(""));
    let file = args.baseline.clone();
    let file = file.or_else(|| policy.baseline.as_ref().map(|it| folder.join(it)));
    if file.is_none() && args.write_baseline {
        return Err(
            "`--write-baseline` needs to know which file: name it with `--baseline FILE`, \
            or as `baseline` in purlin.yaml"
                .into(),
        );
    }
    Ok(file)
}

/// Reads a baseline; one that is to be written need not be there.
fn read_baseline(path: &Path, args: &Check) -> Result<Baseline, String> {
    let name = path.display();
    if args.write_baseline && !path.exists() {
        return Ok(Baseline::default());
    }
    let file = files::File { name: String::new(), path: Some(path.to_path_buf()) };
    let text = files::read(&file).and_then(decode::decode).map_err(|why| {
        let hint = if path.exists() { "" } else { "; `--write-baseline` makes it" };
        format!("cannot read the baseline {name}: {why}{hint}")
    })?;
    Baseline::parse(&text)
        .map_err(|(line, why)| format!("the baseline is not valid\n{name}:{line}: {why}"))
}

/// Writes what was found, and says what that changes.
fn write_baseline(
    path: &Path,
    earlier: &Baseline,
    model: &Model<'_>,
    outcome: &Outcome,
) -> Result<Baseline, String> {
    let name = path.display();
    if let Some(failure) = model.loaded.failures.first() {
        return Err(format!("{name} is not written: what {} holds is not known", failure.path));
    }
    let mut baseline = Baseline::default();
    baseline.record(&Locator::new(model), outcome);
    baseline.keep_others(earlier, &outcome.rules);
    fs::write(path, baseline.to_string())
        .map_err(|error| format!("cannot write {name}: {error}"))?;
    let (added, gone) = baseline.changes(earlier);
    let count = baseline.len();
    let entries = if count == 1 { "entry" } else { "entries" };
    tell(&format!("{name}: {count} {entries} written, {added} of them new; {gone} gone"));
    Ok(baseline)
}

fn canonical(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|_| {
        format!(
            "`--focus` names {}, which is not there; `--since` looks at deleted files too",
            path.display()
        )
    })
}

/// A focus on files and folders.
fn on<'d>(wanted: &[PathBuf], model: &Model<'d>) -> Focus<'d> {
    let is_wanted = |name: &str| {
        let path = Path::new(name).canonicalize();
        path.is_ok_and(|path| wanted.iter().any(|it| path.starts_with(it)))
    };
    let sources = model.loaded.sources.iter().filter(|(_, it)| is_wanted(&it.name));
    Focus::on(model, sources.map(|(id, _)| id).collect())
}

/// What a commit holds.
pub(super) struct Earlier {
    loaded: Loaded,
    policy: Policy,
    run: Run,
    namespace: String,
}

/// What a check of a commit says.
pub(super) struct Before<'e> {
    model: Model<'e>,
    outcome: Outcome,
}

impl Earlier {
    /// Checks it.
    pub(super) fn check(&self, selection: &Selection) -> Before<'_> {
        let Earlier { loaded, policy, run, namespace } = self;
        let (model, outcome) = worlds::check(loaded, namespace, policy, run, selection);
        Before { model, outcome }
    }
}

impl Before<'_> {
    /// What was there and is no longer, so that whatever lacks it now is known to lack it. What could not be read is not
    /// gone.
    pub(super) fn gone(
        &self,
        now: &Loaded,
        namespace: &str,
    ) -> FxHashSet<(String, String, String)> {
        if !now.failures.is_empty() {
            return FxHashSet::default();
        }
        let key = |it: &Object<'_>| (it.kind_name.into(), it.namespace.into(), it.name.into());
        let mut gone: FxHashSet<_> = self.model.objects().map(key).collect();
        for object in worlds::model(now, namespace).objects() {
            gone.remove(&key(object));
        }
        gone
    }
}

/// Reads a commit as the working tree is read, by the policy of then.
fn earlier(snapshot: &Snapshot, args: &Check, policy: &Policy) -> Result<Earlier, String> {
    let policy_file = args.policy.as_deref().unwrap_or(Path::new(POLICY_FILE));
    // A policy from outside of the repository, or one that this purlin does not understand, has no earlier form.
    let file = snapshot.path(policy_file);
    let then_file = file.clone().ok().flatten();
    let file = file.map(|it| read_policy(it.as_deref()));
    let (mut policy, document) = match file {
        Ok(Ok(read)) => read,
        _ => (policy.clone(), None),
    };
    let namespace = default_namespace(&args.namespace)?;
    let mut then = Vec::new();
    for target in targets(&args.paths, &policy, Some(policy_file)) {
        if target.path.as_os_str() == "-" {
            return Err("`--since` cannot tell what standard input was before".into());
        }
        let Some(path) = snapshot.path(&target.path)? else { continue };
        let values = target.chart.values.iter().map(|it| snapshot.path(it));
        let values = values.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        then.push(Target { path, chart: Chart { values, ..target.chart }, ..target });
    }
    let mut loaded = read(args, &policy, then_file.as_deref(), &then, &namespace);
    let mut run = today(document.map(|(source, tree)| loaded.add_own(source, tree)));
    run.nodes = args.nodes.as_deref().and_then(|it| nodes(snapshot, it)).map(Arc::new);
    loaded.sources.rename(|name| snapshot.name(name));
    loaded.worlds.iter_mut().for_each(|it| it.name = snapshot.name(&it.name));
    // What was read as it stood is not what was deployed.
    for world in loaded.worlds.iter_mut().filter(|it| !it.lacks.is_empty()) {
        world.documents.end = world.documents.start;
    }
    for named in architecture_files(args, &policy, Some(policy_file)) {
        if let Ok(Some(path)) = snapshot.path(&named.path) {
            // What could not be read then says nothing of then.
            let _ =
                add_architecture(&mut loaded, &Named { path, ..named }, |it| snapshot.name(&it));
        }
    }
    promise(&mut loaded, &mut policy, &mut run)?;
    for failure in loaded.failures.iter().filter(|it| it.step == Step::Render) {
        let name = snapshot.name(&failure.path);
        tell(&format!("note: {name} could not be rendered then, so all of it counts as new"));
    }
    Ok(Earlier { loaded, policy, run, namespace })
}

/// The nodes that a file describes as it was in a commit. One that lies elsewhere, was not there yet or could not be read
/// describes those of today: what did not fit them then is no fault of the change.
fn nodes(snapshot: &Snapshot, file: &Path) -> Option<Described> {
    let then = snapshot.path(file).ok().flatten();
    let described = |it: &Path| super::simulate::described(it).ok();
    then.as_deref().and_then(described).or_else(|| described(file))
}
