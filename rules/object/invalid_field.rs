//! Fields that pass the schema and that the API server refuses all the same.

use super::invalid_schema::{by_schema, finding, in_files};
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Group, Out, Parameter, Preset, Rule, Severity};
use crate::validation::field::{self, Settings};
use rustc_hash::FxHashSet;
use std::ops::RangeInclusive;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "invalid-field",
    title: "a field has a value that the API server refuses",
    severity: Severity::Error,
    group: Group::Object,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[
        "kube-linter:invalid-target-ports",
        "kube-score:label-values",
        "kube-score:container-ports-check",
        "kube-score:pod-topology-spread-constraints",
        "popeye:1404",
    ],
    parameters: &[Parameter {
        name: "node-ports",
        about: "the first and the last port that Services may have on nodes, where the API server's `--service-node-port-range` is known",
        default: &[],
    }],
    page: include_str!("invalid_field.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let ports: Vec<i64> =
        cx.parameter("node-ports").iter().filter_map(|it| it.parse().ok()).collect();
    let node_ports = match ports.as_slice() {
        [first, last] => Some((*first, *last)),
        _ => None,
    };
    let settings = Settings { version: cx.kubernetes_version(), node_ports };
    for object in in_files(cx) {
        if node_ports.is_none() {
            ask_of_node_ports(object, out);
        }
        let mut faults = field::faults(object.root, object.kind, settings);
        if faults.is_empty() {
            continue;
        }
        // What the schema refuses as well, its own rule reports.
        let known = by_schema(object, settings.version);
        let known: FxHashSet<_> = known.iter().map(|it| (it.node.index(), &*it.label)).collect();
        faults.retain(|it| !known.contains(&(it.node.index(), &*it.label)));
        out.find_some(faults.into_iter().map(|it| finding(object, &it)));
    }
}

/// The range of the API server is a flag, so a port outside of its default may be right.
fn ask_of_node_ports(object: &Object<'_>, out: &mut Out) {
    if object.kind != Kind::Service {
        return;
    }
    let spec = object.field(&["spec"]);
    for port in spec.into_iter().flat_map(|it| it.list("ports")) {
        let number = port.get("nodePort").and_then(|it| it.int());
        let Some(number) = number.filter(|it| (1..=65535).contains(it)) else { continue };
        if !DEFAULT_NODE_PORTS.contains(&number) {
            let missing = format!(
                "whether nodes give out port {number}: an API server with its defaults gives {} to {}, and `node-ports` of the rule says what this one gives",
                DEFAULT_NODE_PORTS.start(),
                DEFAULT_NODE_PORTS.end(),
            );
            out.cannot_tell(object, missing);
        }
    }
}

/// What `--service-node-port-range` is where nobody sets it.
const DEFAULT_NODE_PORTS: RangeInclusive<i64> = 30_000..=32_767;
