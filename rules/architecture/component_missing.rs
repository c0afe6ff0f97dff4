//! Components that are promised and are not there.

use super::workload_of;
use crate::absence::Wanted;
use crate::architecture::Promise;
use crate::architecture::statements::Section;
use crate::architecture::text::WorkloadName;
use crate::policy::closest;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use std::collections::BTreeSet;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "component-missing",
    title: "a component of the architecture is not there",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("component_missing.md"),
    reads_images: None,
    checks: &[Check::Section(Section::Components, check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for promise in cx.promises() {
        let promised = promise.workloads().map(|it| (it.2.namespace, it.2.name));
        let of = Of { cx, promise, promised: promised.collect() };
        for (name, component, workload) in promise.workloads() {
            if workload_of(cx, &workload).is_none() {
                of.missing((name, component.observed), &workload, out);
            }
        }
    }
}

struct Of<'o, 'c, 'd> {
    cx: &'o Cx<'c, 'd>,
    promise: &'o Promise,
    /// The workloads of all components, by namespace and name.
    promised: BTreeSet<(String, String)>,
}

impl Of<'_, '_, '_> {
    fn missing(&self, (name, is_observed): (&str, bool), workload: &WorkloadName, out: &mut Out) {
        let Of { cx, promise, .. } = self;
        let Some(key) = promise.component_key(name) else { return };
        let at = promise.component(name).and_then(|it| it.get("workload")).unwrap_or(key);
        let message = format!("the component `{name}` (`{workload}`) is not there");
        let mut finding = Finding::new(message, promise.place(cx.model, at), "promised here");
        if is_observed {
            finding = finding.severity(Severity::Note);
        }
        let all = || cx.facts.workloads().in_namespace(&workload.namespace);
        if let Some(other) = all().find(|it| it.name == workload.name) {
            let object = cx.object(other.object);
            let (kind, promised) = (object.kind_name, workload.kind.name());
            let finding = finding.label(object.whole(), format!("is a {kind}"));
            return out.find(finding.help(format!("make it a {promised}, or promise a {kind}")));
        }
        let is_free =
            |it: &&str| !self.promised.contains(&(workload.namespace.clone(), (*it).to_string()));
        let others: Vec<&str> = all().map(|it| it.name).filter(is_free).collect();
        if let Some(near) = closest(&workload.name, others) {
            finding = finding.help(format!("did you mean `{near}`?"));
            if let Some(other) = all().find(|it| it.name == near) {
                finding = finding.hint(cx.object(other.object).whole(), "called nearly so");
            }
        }
        let wanted = Wanted::Workload {
            group: workload.kind.group(),
            kind: workload.kind.name(),
            namespace: &workload.namespace,
            name: &workload.name,
        };
        out.report_absent(cx.model.own(promise.document()), cx.absence_of(wanted), || finding);
    }
}
