//! Pods that no controller replaces.

use super::super::pods;
use crate::analyze::selection::workloads::Workload;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "naked-pod",
    title: "a pod is not replaced when its node is lost",
    severity: Severity::Warning,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[],
    like: &["popeye:208", "kyverno:prevent-bare-pods", "kubescape:naked-pods"],
    parameters: &[pods::NAMESPACES],
    page: include_str!("naked_pod.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let object = cx.object(workload.object);
    if !workload.is_bare_pod() || is_made_by_others(object) || !pods::is_judged(cx, workload) {
        return;
    }
    let finding = Finding::new(
        format!("`{object}` is not replaced when its node is lost"),
        object.whole(),
        "no controller",
    )
    .note("a node that is drained, lost or short of memory takes the pod with it, and nothing makes another");
    // What runs once and ends is a Job in all but name.
    out.find(match workload.pod.text("restartPolicy") {
        Some("Never") => finding
            .severity(Severity::Note)
            .help("make it a Job, which runs it again where it was lost"),
        _ => finding.help("make it a Deployment of one replica, or a Job if it ends"),
    });
}

/// Static pods are the kubelet's, and hooks of Helm and Argo CD are run again with each release.
fn is_made_by_others(object: &Object<'_>) -> bool {
    const MARKS: [&str; 4] = [
        "argocd.argoproj.io/hook",
        "helm.sh/hook",
        "kubernetes.io/config.mirror",
        "kubernetes.io/config.source",
    ];
    MARKS.iter().any(|it| object.annotation(it).is_some())
}
