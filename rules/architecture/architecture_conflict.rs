//! Two statements of an architecture that cannot both be meant.

use crate::analyze::selection::workloads::Workload;
use crate::api::quantity::Quantity;
use crate::architecture::statements::{Component, Total};
use crate::architecture::time::Times;
use crate::architecture::{Conflict, Promise};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use std::collections::BTreeMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "architecture-conflict",
    title: "two statements of an architecture contradict each other",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("architecture_conflict.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let Some(promise) = cx.stated() else { return };
    promise.conflicts.iter().for_each(|it| out.find(of_two(cx, promise, it)));
    for (total, node) in promise.value.totals.iter().zip(promise.root().list("totals")) {
        sum(cx, promise, (total, node), out);
    }
    claims(cx, promise, out);
    latency(cx, promise, out);
    node_scaling(cx, promise, out);
}

/// A thing that two documents say differently.
fn of_two(cx: &Cx<'_, '_>, promise: &Promise, it: &Conflict) -> Finding {
    let Conflict { path, first, second } = it;
    let message = format!("`{path}` is {} in one place and {} in another", first.0, second.0);
    let place =
        |side: &(String, crate::load::own::OwnId, u32)| promise.place_in(cx.model, side.1, side.2);
    let mut finding = Finding::new(message, place(second), format!("{} here", second.0))
        .label(place(first), format!("{} here", first.0));
    if let (Ok(a), Ok(b)) = (Quantity::parse(&first.0), Quantity::parse(&second.0)) {
        let is_binary = |it: &str| it.ends_with('i');
        if is_binary(&first.0) != is_binary(&second.0) && a > Quantity::units(1000) {
            finding = finding.note(format!(
                "decimal against binary units: {} are {} bytes, {} are {}",
                first.0,
                bytes(a),
                second.0,
                bytes(b)
            ));
        }
    }
    finding.help("say it once, or the same in both places")
}

fn bytes(amount: Quantity) -> i128 {
    amount.milli() / 1000
}

/// A sum against what the components ask for.
fn sum(cx: &Cx<'_, '_>, promise: &Promise, (total, node): (&Total, Node<'_>), out: &mut Out) {
    let at = total.at.unwrap_or(Times::Peak);
    let in_namespace = |it: &&Workload<'_>| {
        total.namespace.as_ref().is_none_or(|namespace| namespace.0 == it.namespace)
    };
    let (mut pods, mut requests, mut limits) = (0, BTreeMap::new(), BTreeMap::new());
    let mut terms: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for workload in cx.facts.workloads().iter().filter(in_namespace) {
        let Some(envelope) = cx.facts.envelope(workload.id) else { continue };
        let count = match at {
            Times::Floor => envelope.floor.count,
            Times::Peak => envelope.peak.count,
        };
        pods += count;
        let demand = cx.facts.demand(workload);
        for (resource, each) in demand.requests.iter() {
            let sum: &mut Quantity = requests.entry(resource).or_default();
            *sum = *sum + each.times(count);
            let term = format!("{count} × {} ({})", each.show(resource), workload.name);
            terms.entry(resource).or_default().push(term);
        }
        for (resource, each) in demand.limits.iter() {
            let sum: &mut Quantity = limits.entry(resource).or_default();
            *sum = *sum + each.times(count);
        }
    }
    let mut tell = |path: &[&str], said: Quantity, sum: Quantity, what: String, resource: &str| {
        let Some(at) = node.at(path).filter(|_| is_far(said, sum)) else { return };
        let (said, sum) = (said.show(resource), sum.show(resource));
        let message =
            format!("the total of {what} is {said} here, and the components add up to {sum}");
        let mut finding =
            Finding::new(message, promise.place(cx.model, at), format!("{said} here"));
        if let Some(terms) = terms.get(resource).filter(|_| path[0] == "requests") {
            finding = finding.note(format!("{} = {sum}", terms.join(" + ")));
        }
        out.find(finding.help(format!("state {sum}, or other components")));
    };
    if let Some(stated) = total.pods {
        tell(
            &["pods"],
            Quantity::units(u64::from(stated)),
            Quantity::units(pods),
            "pods".into(),
            "pods",
        );
    }
    for (stated, sums, field) in
        [(&total.requests, &requests, "requests"), (&total.limits, &limits, "limits")]
    {
        for (resource, said) in stated {
            let sum = sums.get(resource.as_str()).copied().unwrap_or_default();
            tell(&[field, resource], said.0, sum, format!("`{field}.{resource}`"), resource);
        }
    }
}

/// Whether a sum is not what is said of it, roundings apart.
fn is_far(said: Quantity, sum: Quantity) -> bool {
    let (said, sum) = (said.milli(), sum.milli());
    (said - sum).abs() * 100 > 2 * said.abs().max(sum.abs())
}

/// What all claims ask for, against what is said of the disks.
fn claims(cx: &Cx<'_, '_>, promise: &Promise, out: &mut Out) {
    let disks = promise.value.cluster.storage;
    let mut sum = Quantity::default();
    let mut terms = Vec::new();
    for (name, component) in &promise.value.components {
        for storage in component.storage.values() {
            let Some(size) = storage.size else { continue };
            let count = if storage.claim.is_some() { 1 } else { pods(component) };
            sum = sum + size.0.times(count);
            terms.push(format!("{count} × {} ({name})", size.0.show("storage")));
        }
    }
    if terms.is_empty() {
        return;
    }
    let note = format!("{} = {}", terms.join(" + "), sum.show("storage"));
    let place = |field: &str| promise.at(&["cluster", "storage", field]);
    if let (Some(stated), Some(at)) = (disks.claims, place("claims"))
        && stated.0 != sum
    {
        let (said, all) = (stated.0.show("storage"), sum.show("storage"));
        let message =
            format!("the claims are {said} here, and those of the components add up to {all}");
        let finding = Finding::new(message, promise.place(cx.model, at), format!("{said} here"));
        out.find(finding.note(note.clone()).note(format!(
            "{said} are {} bytes, {all} are {}",
            bytes(stated.0),
            bytes(sum)
        )));
    }
    if let (Some(total), Some(at)) = (disks.total, place("total"))
        && total.0 < sum
    {
        let message = format!(
            "the claims of the components are {}, more than the disks",
            sum.show("storage")
        );
        let finding = Finding::new(message, promise.place(cx.model, at), "all there is");
        out.find(finding.note(note));
    }
}

/// The most pods of a component that its statements tell.
fn pods(component: &Component) -> u64 {
    use crate::architecture::statements::Replicas;
    match component.replicas {
        Some(Replicas::Count(it)) => u64::from(it),
        Some(Replicas::Between(it)) => u64::from(it.max),
        None => 1,
    }
}

/// An alert that comes later than the objective is missed.
fn latency(cx: &Cx<'_, '_>, promise: &Promise, out: &mut Out) {
    let objectives = || promise.value.objectives.iter().zip(promise.root().list("objectives"));
    for (alert, at) in promise.value.alerts.iter().zip(promise.root().list("alerts")) {
        let (Some(of), Some(above)) = (&alert.latency, alert.above) else { continue };
        let same = objectives().find(|(it, _)| it.latency.as_ref() == Some(of));
        let Some((objective, node)) = same else { continue };
        let Some(within) = objective.within.filter(|it| *it < above) else { continue };
        let message = format!(
            "the alert on {} comes above {above}, and the objective is missed above {within}",
            of.0
        );
        let place = |it: Node<'_>, key: &str| promise.place(cx.model, it.get(key).unwrap_or(it));
        let finding = Finding::new(message, place(at, "above"), format!("above {above}"))
            .label(place(node, "within"), format!("within {within}"))
            .note("between both, nobody is called while the objective is missed")
            .help(format!("alert above {within}"));
        out.find(finding.severity(Severity::Warning));
    }
}

/// A pool that grows for another reason than the cluster does.
fn node_scaling(cx: &Cx<'_, '_>, promise: &Promise, out: &mut Out) {
    let cluster = &promise.value.cluster;
    let Some((of_all, all)) = cluster.autoscaling.zip(promise.at(&["cluster", "autoscaling"]))
    else {
        return;
    };
    for (name, pool) in &cluster.nodes {
        let Some(own) = pool.scaling.filter(|it| *it != of_all) else { continue };
        let Some(at) = promise.at(&["cluster", "nodes", name, "scaling"]) else { continue };
        let word = |it: Node<'_>| it.scalar().unwrap_or_default().into_owned();
        let message = format!(
            "the pool `{name}` grows for `{}`, and the cluster's nodes are added for `{}`",
            word(at),
            word(all)
        );
        let _ = own;
        let finding = Finding::new(message, promise.place(cx.model, at), "one reason")
            .label(promise.place(cx.model, all), "another reason")
            .note("a cluster autoscaler adds nodes for pods that find no place; a queue makes pods, not nodes")
            .help("scale the pods on the queue, and the nodes on pods that find no place");
        out.find(finding.severity(Severity::Warning));
    }
}
