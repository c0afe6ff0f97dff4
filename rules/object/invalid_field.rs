//! Fields that pass the schema and that the API server refuses all the same.

use super::invalid_schema::{by_schema, finding, in_files};
use crate::rule::{Admission, Check, Cx, Group, Out, Parameter, Preset, Rule, Severity};
use crate::validation::field::{self, Settings};
use rustc_hash::FxHashSet;

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
        about: "the first and the last port that Services may have on nodes, as the API server's `--service-node-port-range` says",
        default: &["30000", "32767"],
    }],
    page: include_str!("invalid_field.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let ports: Vec<i64> =
        cx.parameter("node-ports").iter().filter_map(|it| it.parse().ok()).collect();
    let node_ports = match ports.as_slice() {
        [first, last] => (*first, *last),
        _ => (1, 65535),
    };
    let settings = Settings { version: cx.kubernetes_version(), node_ports };
    for object in in_files(cx) {
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
