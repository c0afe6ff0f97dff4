//! Nodes that are not as the architecture promises.

use crate::absence::Wanted;
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::architecture::Promise;
use crate::architecture::statements::Section;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "node-differs",
    title: "nodes are not as the architecture promises",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[Kind::Node],
    like: &[],
    parameters: &[],
    page: include_str!("node_differs.md"),
    reads_images: None,
    checks: &[Check::Section(Section::Cluster, check)],
};

/// The label of what the provider calls a size of machine.
const INSTANCE_TYPE: &str = "node.kubernetes.io/instance-type";

/// The label of a node's zone.
const ZONE: &str = "topology.kubernetes.io/zone";

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    if cx.model.of_kind(Kind::Node).next().is_none() {
        return;
    }
    for promise in cx.promises() {
        let nodes = promise.at(&["cluster", "nodes"]).into_iter().flat_map(Node::entries);
        for (key, said) in nodes {
            let name = key.scalar().unwrap_or_default();
            let first = out.findings.len();
            match said.get("count") {
                None => one(cx, promise, (&name, key, said), out),
                Some(count) => pool(cx, promise, (&name, said, count), out),
            }
            if said.get("observed").and_then(Node::bool) == Some(true) {
                let own = out.findings[first..].iter_mut();
                own.for_each(|it| it.severity = Some(Severity::Note));
            }
        }
    }
}

/// A node by its name.
fn one(
    cx: &Cx<'_, '_>,
    promise: &Promise,
    (name, key, said): (&str, Node<'_>, Node<'_>),
    out: &mut Out,
) {
    match cx.model.find(Kind::Node, "", name) {
        Some(object) => size(cx, promise, (name, said), object, out),
        None => {
            let message = format!("there is no node `{name}`");
            let finding = Finding::new(message, promise.place(cx.model, key), "promised here");
            let wanted = Wanted::object(Kind::Node, "", name);
            out.report_absent(cx.model.own(promise.document()), cx.absence_of(wanted), || finding);
        }
    }
}

/// A node's size, zone and taints. What a machine reports is a little less than what it is sold as.
fn size(
    cx: &Cx<'_, '_>,
    promise: &Promise,
    (name, said): (&str, Node<'_>),
    object: &Object<'_>,
    out: &mut Out,
) {
    let mut tell = |at: Node<'_>, path: &str, what: &str, (promised, there): (String, String)| {
        let message = format!("node `{name}` has {what} {there}, and {promised} is promised");
        out.find(
            Finding::new(message, object.at(path), format!("{there} here"))
                .label(promise.place(cx.model, at), format!("{promised} promised")),
        );
    };
    let amount = |it: Node<'_>| it.scalar().and_then(|it| Quantity::parse(&it).ok());
    for (resource, at) in said.get("capacity").into_iter().flat_map(Node::pairs) {
        let Some(promised) = amount(at) else { continue };
        let Some(there) = object.field(&["status", "capacity", resource]).and_then(amount) else {
            continue;
        };
        if (promised.milli() - there.milli()).abs() * 100 > 12 * promised.milli() {
            let path = format!("status.capacity.{resource}");
            tell(at, &path, resource, (promised.show(resource), there.show(resource)));
        }
    }
    let labels = object.labels();
    if let Some(at) = said.get("zone") {
        let there = labels.iter().find(|it| it.0 == ZONE).map_or("none", |it| it.1);
        let promised = at.scalar().unwrap_or_default();
        if there != promised {
            tell(at, "metadata.labels", "zone", (promised.into_owned(), there.into()));
        }
    }
    for at in said.list("taints") {
        let Some(text) = at.scalar() else { continue };
        let (taint, effect) = text.rsplit_once(':').unwrap_or((&text, ""));
        let key = taint.split('=').next().unwrap_or(taint);
        let taints = object.field(&["spec", "taints"]).into_iter().flat_map(Node::items);
        let mut taints = taints;
        if !taints.any(|it| it.text("key") == Some(key) && it.text("effect") == Some(effect)) {
            tell(at, "spec.taints", "no taint", (text.to_string(), key.into()));
        }
    }
}

/// A pool, by the labels of its nodes, or by their size.
fn pool(
    cx: &Cx<'_, '_>,
    promise: &Promise,
    (name, said, count): (&str, Node<'_>, Node<'_>),
    out: &mut Out,
) {
    let labels = said.get("labels").into_iter().flat_map(Node::pairs);
    let mut wanted: Vec<(String, String)> =
        labels.filter_map(|(key, it)| Some((key.into(), it.scalar()?.into_owned()))).collect();
    if wanted.is_empty() {
        let kind = said.get("instanceType").and_then(Node::scalar);
        wanted.extend(kind.map(|it| (INSTANCE_TYPE.to_string(), it.into_owned())));
    }
    let all: Vec<&Object<'_>> = cx.model.of_kind(Kind::Node).collect();
    if wanted.is_empty() {
        let text = format!("how many nodes of the pool `{name}` there are: state its `labels`");
        return out.cannot_tell(all[0], text);
    }
    let is_own = |object: &Object<'_>| {
        let labels = object.labels();
        wanted.iter().all(|(key, value)| labels.iter().any(|it| it.0 == key && it.1 == value))
    };
    let own = all.iter().filter(|it| is_own(it)).count() as i64;
    let bound = |key: &str| count.get(key).and_then(Node::int);
    let (min, max) = match count.int() {
        Some(it) => (it, it),
        None => (bound("min").unwrap_or(0), bound("max").unwrap_or(i64::MAX)),
    };
    if (min..=max).contains(&own) {
        return;
    }
    let promised = if min == max { format!("{min}") } else { format!("{min} to {max}") };
    let message = format!("the pool `{name}` has {own} nodes, and {promised} are promised");
    let of: Vec<_> = wanted.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut finding =
        Finding::new(message, promise.place(cx.model, count), format!("{promised} promised"))
            .note(format!("counted by {}", of.join(", ")));
    for object in all.iter().filter(|it| is_own(it)).take(6) {
        finding = finding.hint(object.whole(), "one of them");
    }
    out.find(finding);
}
