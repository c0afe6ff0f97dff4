//! What runs, as components.

use super::write::{Map, Value, scalar};
use crate::analyze::Facts;
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;
use crate::model::Model;
use crate::text::tree::Node;
use std::collections::{BTreeMap, BTreeSet};

/// Names that mean somebody else in `flows`.
const RESERVED: [&str; 4] = ["dns", "ingress", "internet", "monitoring"];

/// What components are called.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_workload: BTreeMap<WorkloadId, String>,
    namespaces: BTreeSet<String>,
}

/// Whether a workload can be a component. What Kubernetes itself runs is nobody's to promise.
fn is_component(workload: &Workload<'_>) -> bool {
    matches!(workload.kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::CronJob)
        && !workload.namespace.starts_with("kube-")
        && !workload.name.is_empty()
}

impl Names {
    /// The workload's name where only one is called so, and as much more as is needed.
    pub(super) fn new(model: &Model<'_>, facts: &Facts<'_>) -> Names {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        let own = || facts.workloads().iter().filter(|it| is_component(it));
        own().for_each(|it| *counts.entry(it.name).or_default() += 1);
        let mut in_namespace: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        own().for_each(|it| *in_namespace.entry((it.namespace, it.name)).or_default() += 1);
        let mut names = Names::default();
        for workload in own() {
            let is_alone = counts[workload.name] == 1 && !RESERVED.contains(&workload.name);
            let kind = model.object(workload.object).kind_name.to_ascii_lowercase();
            let name = match in_namespace[&(workload.namespace, workload.name)] {
                _ if is_alone => workload.name.to_string(),
                1 => format!("{}-{}", workload.namespace, workload.name),
                _ => format!("{}-{}-{kind}", workload.namespace, workload.name),
            };
            names.by_workload.insert(workload.id, name);
            names.namespaces.insert(workload.namespace.to_string());
        }
        names
    }

    /// What a workload is called, where it is a component.
    pub(super) fn of(&self, workload: WorkloadId) -> Option<&str> {
        self.by_workload.get(&workload).map(String::as_str)
    }

    /// All components.
    pub(super) fn ids(&self) -> impl Iterator<Item = WorkloadId> {
        self.by_workload.keys().copied()
    }

    /// The namespaces that they run in.
    pub(super) fn namespaces(&self) -> impl Iterator<Item = &String> {
        self.namespaces.iter()
    }
}

/// All of them, by name.
pub(super) fn components<'d>(model: &Model<'d>, facts: &Facts<'d>, names: &Names) -> Map {
    let mut sorted: Vec<(&str, WorkloadId)> =
        names.by_workload.iter().map(|(id, name)| (name.as_str(), *id)).collect();
    sorted.sort_unstable();
    let mut all = Map::default();
    for (name, id) in sorted {
        let workload = facts.workloads().get(id);
        all.add(name, Value::Block(component(model, facts, workload)));
    }
    all
}

fn component<'d>(model: &Model<'d>, facts: &Facts<'d>, workload: &Workload<'d>) -> Map {
    let mut fields = Map::default();
    fields.add("workload", scalar(&model.object(workload.object).to_string()));
    fields.add("observed", Value::True);
    let envelope = facts.envelope(workload.id).filter(|_| workload.kind != Kind::CronJob);
    if let Some(envelope) = envelope {
        let (floor, peak) = (envelope.floor.count, envelope.peak.count);
        if floor == peak {
            fields.add("replicas", scalar(&floor.to_string()));
        } else {
            let mut bounds = Map::default();
            bounds.add("min", scalar(&floor.to_string()));
            bounds.add("max", scalar(&peak.to_string()));
            fields.add("replicas", bounds.flow());
        }
    }
    let demand = facts.demand(workload);
    let mut resources = Map::default();
    for (key, amounts) in [("requests", &demand.requests), ("limits", &demand.limits)] {
        let mut map = Map::default();
        amounts.iter().for_each(|(name, it)| map.add(name, scalar(&it.show(name))));
        resources.add_filled_flow(key, map);
    }
    fields.add_filled_flow("resources", resources);
    fields.add_filled_flow("disruption", budget(model, facts, workload));
    let ports: BTreeSet<_> =
        facts.ports(workload.id).iter().map(|it| (it.number, it.protocol)).collect();
    let ports = ports.into_iter().map(|(number, protocol)| match protocol {
        "TCP" => number.to_string(),
        other => format!("{number}/{other}"),
    });
    let ports: Vec<String> = ports.collect();
    if !ports.is_empty() {
        fields.add("ports", Value::Items(ports));
    }
    fields
}

/// The only budget, where there is one.
fn budget<'d>(model: &Model<'d>, facts: &Facts<'d>, workload: &Workload<'d>) -> Map {
    let mut map = Map::default();
    let budgets: Vec<_> = facts.budgets().of_workload(workload.id).collect();
    let [budget] = budgets.as_slice() else { return map };
    for field in ["minAvailable", "maxUnavailable"] {
        let stated = model.object(budget.object).field(&["spec", field]).and_then(Node::scalar);
        if let Some(it) = stated {
            map.add(field, scalar(&it));
        }
    }
    map
}
