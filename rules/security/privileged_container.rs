//! Containers with all rights on their node, and constraints of OpenShift that let them be.

use super::super::pods;
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "privileged-container",
    title: "a container runs privileged",
    severity: Severity::Error,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Recommended, Preset::PodSecurityBaseline],
    reads: &[Kind::SecurityContextConstraints],
    like: &[
        "kube-linter:privileged-container",
        "kube-linter:scc-deny-privileged-container",
        "kube-score:container-security-context-privileged",
        "polaris:runAsPrivileged",
    ],
    parameters: &[pods::NAMESPACES],
    page: include_str!("privileged_container.md"),
    reads_images: None,
    checks: &[Check::Workload(workload), Check::Object(constraints)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let faults = pods::faults(cx, workload, &standard::PRIVILEGED);
    if !faults.is_empty() {
        let finding = pods::finding(cx, workload, &faults, ["runs privileged", "run privileged"]);
        out.find(
            finding
                .note("it has every capability and every device of the node, and nothing confines it: who is in it is root on the node")
                .help("remove `privileged`, and add the single capability or device that the program needs"),
        );
    }
}

/// Constraints of OpenShift that come with the cluster are there in each.
fn constraints(_: &Cx<'_, '_>, object: &Object<'_>, out: &mut Out) {
    let field = object.root.get("allowPrivilegedContainer");
    let Some(field) = field.filter(|it| it.bool() == Some(true)) else { return };
    if object.name == "privileged"
        || object.annotation("release.openshift.io/create-only").is_some()
    {
        return;
    }
    let users = ["users", "groups"].iter().flat_map(|it| object.root.list(it));
    let users: Vec<_> = users.filter_map(Node::str).take(3).map(|it| format!("`{it}`")).collect();
    let mut finding = Finding::new(
        format!("`{object}` lets pods run privileged containers"),
        object.place(field),
        "whoever may use these constraints is root on the node",
    )
    .severity(Severity::Warning);
    if !users.is_empty() {
        finding = finding.note(format!("they are given to {}", users.join(", ")));
    }
    out.find(
        finding.help(
            "set `allowPrivilegedContainer: false`, and allow the capabilities that are needed",
        ),
    );
}
