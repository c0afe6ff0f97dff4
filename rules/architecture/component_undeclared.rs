//! What runs beside the components where these are all.

use crate::architecture::Promise;
use crate::architecture::statements::Section;
use crate::policy::closest;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use std::collections::BTreeSet;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "component-undeclared",
    title: "something runs that the architecture does not mention",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("component_undeclared.md"),
    reads_images: None,
    checks: &[Check::Section(Section::Components, check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let complete: Vec<&Promise> = cx.promises().filter(|it| it.value.complete).collect();
    let Some(first) = complete.first() else { return };
    let known = complete.iter().flat_map(|it| it.workloads());
    let known: BTreeSet<(String, String, &str)> =
        known.map(|it| (it.2.namespace, it.2.name, it.2.kind.name())).collect();
    let stated = complete.iter().flat_map(|it| it.value.namespaces.keys().map(String::as_str));
    let namespaces: BTreeSet<&str> = stated.chain(known.iter().map(|it| it.0.as_str())).collect();
    for workload in cx.facts.workloads().iter().filter(|it| namespaces.contains(it.namespace)) {
        let object = cx.object(workload.object);
        let name = (workload.namespace.to_string(), workload.name.to_string(), object.kind_name);
        if known.contains(&name) {
            continue;
        }
        // Of another kind than is promised is missing, and that is said there.
        if known.iter().any(|it| it.0 == name.0 && it.1 == name.1) {
            continue;
        }
        let Some(at) = first.at(&["complete"]) else { return };
        let message = format!("`{object}` runs, and the architecture does not mention it");
        let mut finding = Finding::new(message, object.whole(), "no component")
            .label(first.place(cx.model, at), "nothing else is to run");
        let own = known.iter().filter(|it| it.0 == name.0).map(|it| it.1.as_str());
        finding = match closest(workload.name, own) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("describe it under `components`, or take it away"),
        };
        out.find(finding);
    }
}
