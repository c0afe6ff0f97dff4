//! Scenarios for machines.

use super::Played;
use crate::analyze::placement::place::By;
use crate::analyze::placement::scenario::{Fate, NodeOutcome, Verdict};
use crate::analyze::placement::words::amount;
use crate::model::{Model, ObjId};
use crate::report::escaped::escaped;
use serde::Serialize;
use std::collections::BTreeMap;

/// The JSON Schema of what is written.
pub const SCHEMA: &str = include_str!("../simulation.schema.json");

#[derive(Serialize)]
struct ReportJson {
    version: u32,
    scenarios: Vec<ScenarioJson>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScenarioJson {
    at: &'static str,
    events: Vec<String>,
    verdict: &'static str,
    found: Option<&'static str>,
    components: Vec<ComponentJson>,
    nodes: Vec<NodeJson>,
    nodes_before: Vec<NodeJson>,
    refused: Vec<RefusedJson>,
    proof: Option<String>,
    unknown: Vec<String>,
}

#[derive(Serialize)]
struct ComponentJson {
    object: ObjectJson,
    before: usize,
    after: usize,
    pending: usize,
    guaranteed: Option<usize>,
    state: &'static str,
    reason: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectJson {
    api_version: String,
    kind: String,
    namespace: String,
    name: String,
}

#[derive(Serialize)]
struct NodeJson {
    name: String,
    zone: Option<String>,
    state: &'static str,
    pods: BTreeMap<String, usize>,
    requested: BTreeMap<String, String>,
    allocatable: Option<BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct RefusedJson {
    node: String,
    pod: String,
    budget: Option<ObjectJson>,
    why: String,
}

/// The scenarios as JSON.
pub fn json(model: &Model<'_>, played: &[Played]) -> String {
    let scenarios = played.iter().map(|it| scenario(model, it)).collect();
    let report = ReportJson { version: 1, scenarios };
    let text = serde_json::to_string_pretty(&report).expect("names and numbers are JSON");
    escaped(text) + "\n"
}

/// A verdict's name.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Breaks => "breaks",
        Verdict::Unknown => "unknown",
    }
}

/// A state's name.
pub(super) fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Unaffected => "unaffected",
        Fate::Rescheduled => "rescheduled",
        Fate::Degraded => "degraded",
        Fate::Down => "down",
    }
}

fn object(model: &Model<'_>, id: ObjId) -> ObjectJson {
    let it = model.object(id);
    ObjectJson {
        api_version: it.api_version.to_string(),
        kind: it.kind_name.to_string(),
        namespace: it.namespace.to_string(),
        name: it.name.to_string(),
    }
}

fn scenario(model: &Model<'_>, played: &Played) -> ScenarioJson {
    let Played { world, events, outcome, proof } = played;
    let components = outcome.components.iter().map(|it| ComponentJson {
        object: object(model, world.components[it.component].object),
        before: it.before,
        after: it.after,
        pending: it.pending,
        guaranteed: it.guaranteed,
        state: fate(it.fate),
        reason: it.reason.clone(),
    });
    let nodes = |all: &[NodeOutcome]| all.iter().map(|it| node(played, it)).collect();
    let refused = outcome.refused.iter().map(|it| RefusedJson {
        node: world.cluster.nodes[it.node].name.clone(),
        pod: it.pod.clone(),
        budget: it.budget.map(|it| object(model, it)),
        why: it.why.clone(),
    });
    ScenarioJson {
        at: outcome.at.name(),
        events: events.clone(),
        verdict: verdict(outcome.verdict),
        found: outcome.found.map(|it| match it {
            By::Scheduler => "scheduler",
            By::Search => "search",
        }),
        components: components.collect(),
        nodes: nodes(&outcome.nodes),
        nodes_before: nodes(&outcome.nodes_before),
        refused: refused.collect(),
        proof: proof.clone(),
        unknown: outcome.unknown.clone(),
    }
}

fn node(played: &Played, it: &NodeOutcome) -> NodeJson {
    let world = &played.world;
    let node = &world.cluster.nodes[it.node];
    let amounts = |all: &BTreeMap<String, i128>| {
        all.iter().map(|(name, value)| (name.clone(), amount(name, *value))).collect()
    };
    let pods = it.pods.iter().map(|(at, count)| (world.components[*at].name.clone(), *count));
    NodeJson {
        name: node.name.clone(),
        zone: node.zone().map(String::from),
        state: match (it.is_lost, it.is_cordoned) {
            (true, _) => "lost",
            (_, true) => "cordoned",
            _ => "ready",
        },
        pods: pods.collect(),
        requested: amounts(&it.requested),
        allocatable: node.allocatable.as_ref().map(|it| amounts(&it.amounts)),
    }
}
