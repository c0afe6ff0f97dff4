//! Namespaces with pods that enforce no level of Pod Security.

use super::super::pods;
use crate::analyze::security::labels::{ENFORCE, Mode, demand};
use crate::analyze::security::pod::SecuredPod;
use crate::analyze::security::standard::{Level, Version, passes};
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "pod-security-not-enforced",
    title: "a namespace enforces no level of Pod Security",
    severity: Severity::Note,
    group: Group::Security,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[Kind::Namespace],
    like: &["kubescape:C-0192", "kyverno:psa/add-psa-labels"],
    parameters: &[pods::NAMESPACES],
    page: include_str!("pod_security_not_enforced.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let exempt = cx.parameter(pods::NAMESPACES.name);
    // The default of the API server counts where the policy names it.
    let default = cx.policy.parameter("pod-rejected-by-pod-security", "default");
    let has_default = default.is_some_and(|it| it.iter().any(|it| it != Level::Privileged.name()));
    for namespace in cx.model.of_kind(Kind::Namespace).filter(|it| !exempt.contains(&it.name)) {
        let enforced = demand(namespace.root, Mode::Enforce, (Level::Privileged, Version::LATEST));
        if enforced.level != Level::Privileged || enforced.label.is_none() && has_default {
            continue;
        }
        let workloads = cx.facts.workloads().in_namespace(namespace.name);
        let levels = workloads.map(|it| passes(SecuredPod::new(it.template)));
        if let Some(level) = levels.min() {
            out.find(finding(namespace, enforced.label.is_some(), level));
        }
    }
}

fn finding(namespace: &Object<'_>, has_label: bool, level: Level) -> Finding {
    let finding = match has_label {
        true => Finding::new(
            format!("`{namespace}` enforces `privileged`, which lets every pod in"),
            namespace.at(&format!("metadata.labels['{ENFORCE}']")),
            "any pod may become root on its node",
        ),
        false => Finding::new(
            format!("`{namespace}` enforces no level of Pod Security"),
            namespace.at("metadata.labels"),
            format!("no label `{ENFORCE}`"),
        ),
    };
    let finding = finding.note("whoever may create pods in it can have every right on its nodes, unless something else stands in the way");
    match level {
        Level::Privileged => finding.help(
            "move the pods that need rights on their node to a namespace of their own, and enforce `baseline` here; the label `pod-security.kubernetes.io/warn: baseline` names them",
        ),
        level => finding.help(format!("add the label `{ENFORCE}: {}`, which all its pods pass already", level.name())),
    }
}
