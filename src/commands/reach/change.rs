//! `purlin reach --change`: which flows network policies open, close or make undefined, before they are applied.

use super::output::line;
use super::table::{Asked, Ends, FlowJson, Flows, Told};
use purlin::analyze::Facts;
use purlin::analyze::network::reach::CLUSTER_WIDE;
use purlin::analyze::network::reach::difference::{Changes, Difference};
use purlin::analyze::network::refused::mistakes;
use purlin::api::kind::Kind;
use purlin::load::{self, Loaded};
use purlin::model::{Model, Object};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Reads what is to change. `base` is what it is compared with.
pub(super) fn read(paths: &[PathBuf], base: &Loaded) -> Result<Loaded, String> {
    let loaded = load::load(paths);
    if let Some(it) = loaded.failures.first() {
        return Err(format!("cannot read {}: {}", it.path, it.why));
    }
    if let Some(it) = loaded.broken.first() {
        let source = loaded.sources.get(it.source);
        return Err(format!(
            "{}:{}: {}",
            source.shown_name(),
            source.position(it.span.start),
            it.message
        ));
    }
    let file = |name: &str| Path::new(name).canonicalize().ok();
    let mut known: Vec<_> = base.sources.iter().filter_map(|it| file(&it.1.name)).collect();
    known.sort_unstable();
    let is_known = |name: &str| file(name).is_some_and(|it| known.binary_search(&it).is_ok());
    if let Some((_, it)) = loaded.sources.iter().find(|it| is_known(&it.1.name)) {
        return Err(format!(
            "{} is part of what it is compared with: leave it out there, or name the other files",
            it.name
        ));
    }
    Ok(loaded)
}

/// Says why what was read is no change of network policies alone, if it is not.
pub(super) fn refuse(model: &Model<'_>, paths: &[PathBuf]) -> Option<String> {
    let is_policy = |it: Kind| it == Kind::NetworkPolicy || CLUSTER_WIDE.contains(&it);
    if let Some(it) = model.objects().find(|it| !is_policy(it.kind)) {
        let source = &model.loaded.sources.get(it.document.source).name;
        return Some(format!(
            "`{it}` in {source} is no network policy, and `--change` takes nothing else"
        ));
    }
    let refused = model.objects().find_map(|it| Some((it, mistakes(it).into_iter().next()?.1)));
    if let Some((it, why)) = refused {
        return Some(format!("`{it}` changes nothing, the API server refuses it: {why}"));
    }
    let is_lacking = model.is_empty() && !paths.is_empty();
    is_lacking.then(|| "nothing changes: no network policy in what `--change` names".into())
}

/// The policies of a change, each with the one of its kind, namespace and name.
pub(super) fn changes<'f, 'd>(
    model: &Model<'_>,
    change: &'f Model<'d>,
    of_change: &'f Facts<'d>,
) -> Changes<'f, 'd> {
    let old = |it: &Object<'_>| model.find(it.kind, it.namespace, it.name).map(|it| it.id);
    let policies = of_change.policies().iter().map(|it| (old(change.object(it.object)), it));
    let cluster_wide = CLUSTER_WIDE.into_iter().flat_map(|it| change.of_kind(it));
    let cluster_wide = cluster_wide.map(|it| (old(it), it));
    Changes { policies: policies.collect(), cluster_wide: cluster_wide.collect() }
}

/// What a change does to flows.
pub(super) struct Change {
    opened: Flows,
    closed: Flows,
    undefined: Flows,
}

#[derive(Serialize)]
struct ChangeJson {
    opened: Vec<FlowJson>,
    closed: Vec<FlowJson>,
    undefined: Vec<FlowJson>,
}

impl Change {
    /// Differences, as far as they are asked for. A flow that was undefined for one reason and is for another is none.
    pub(super) fn new(ends: Ends<'_, '_>, asked: &Asked, differences: &[Difference]) -> Change {
        let flows = |name: &str| {
            let pairs = differences.iter().map(|it| {
                let now = it.before.with(&it.after, |before, after| {
                    (after.name() == name && before.name() != name).then_some(after)
                });
                let told: Told = now.iter().filter_map(|(it, now)| Some((it, now?))).collect();
                (it.from, it.to, told)
            });
            Flows::new(ends, asked, pairs)
        };
        let [opened, closed, undefined] = ["allow", "deny", "undefined"].map(flows);
        Change { opened, closed, undefined }
    }

    /// Whether no flow is judged otherwise.
    pub(super) fn is_empty(&self) -> bool {
        self.opened.is_empty() && self.closed.is_empty() && self.undefined.is_empty()
    }

    /// For machines.
    pub(super) fn json(&self, ends: Ends<'_, '_>) -> String {
        let [opened, closed, undefined] =
            [&self.opened, &self.closed, &self.undefined].map(|it| it.list(ends));
        line(&ChangeJson { opened, closed, undefined })
    }

    /// For people.
    pub(super) fn human(&self, ends: Ends<'_, '_>) -> String {
        if self.is_empty() {
            return "no flow changes\n".into();
        }
        let sections =
            [("opened", &self.opened), ("closed", &self.closed), ("undefined", &self.undefined)];
        let texts = sections.into_iter().filter(|it| !it.1.is_empty()).map(|(title, flows)| {
            let lines: Vec<_> = flows.human(ends).lines().map(|it| format!("  {it}\n")).collect();
            format!("{title}\n{}", lines.concat())
        });
        texts.collect::<Vec<_>>().join("\n")
    }
}
