//! Labels and annotations that `purlin.yaml` asks for, or forbids.

use crate::analyze::selection::workloads::Workload;
use crate::api::kind::{Kind, WORKLOADS};
use crate::model::Object;
use crate::policy::{At, Demand};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Parameter, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "metadata-missing",
    title: "an object lacks a label or annotation that is asked for, or has one that is forbidden",
    severity: Severity::Error,
    group: Group::Object,
    admission: Admission::Deny,
    presets: &[],
    reads: &[
        Kind::ConfigMap,
        Kind::HorizontalPodAutoscaler,
        Kind::Ingress,
        Kind::Namespace,
        Kind::NetworkPolicy,
        Kind::PersistentVolumeClaim,
        Kind::PodDisruptionBudget,
        Kind::Role,
        Kind::RoleBinding,
        Kind::Secret,
        Kind::Service,
        Kind::ServiceAccount,
    ],
    like: &[
        "gatekeeper:requiredannotations",
        "gatekeeper:requiredlabels",
        "kube-linter:required-annotation-email",
        "kube-linter:required-label-owner",
        "kubescape:k8s-common-labels-usage",
        "kyverno:metadata-match-regex",
        "kyverno:require-annotations",
        "kyverno:require-labels",
    ],
    parameters: &[
        Parameter {
            name: "required",
            about: "labels and annotations that objects have to have",
            default: &[],
        },
        Parameter {
            name: "forbidden",
            about: "labels and annotations that objects may not have",
            default: &[],
        },
    ],
    page: include_str!("metadata_missing.md"),
    reads_images: None,
    checks: &[Check::Object(object), Check::Workload(workload)],
};

fn object(cx: &Cx<'_, '_>, object: &Object<'_>, out: &mut Out) {
    if !WORKLOADS.contains(&object.kind) {
        judge(cx, object, &[(At::Object, object.root, "metadata".into())], out);
    }
}

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let object = cx.object(workload.object);
    let mut places = vec![(At::Object, object.root, "metadata".to_string())];
    if !workload.template_path.is_empty() {
        places.push((At::Pods, workload.template, format!("{}.metadata", workload.template_path)));
    }
    let templates =
        object.root.get("spec").into_iter().flat_map(|it| it.list("volumeClaimTemplates"));
    places.extend(templates.enumerate().map(|(at, it)| {
        (At::VolumeClaimTemplates, it, format!("spec.volumeClaimTemplates[{at}].metadata"))
    }));
    judge(cx, object, &places, out);
}

/// Whether Kubernetes makes it in every cluster or namespace, so that nobody writes its labels.
fn is_kubernetes_own(object: &Object<'_>) -> bool {
    match (object.kind, object.namespace, object.name) {
        (Kind::Service, "default", "kubernetes") => true,
        (Kind::ConfigMap, _, name) => name == "kube-root-ca.crt",
        (Kind::ServiceAccount, _, name) => name == "default",
        (Kind::Namespace, _, name) => name == "default" || name.starts_with("kube-"),
        (Kind::Role | Kind::RoleBinding, _, name) => name.starts_with("system:"),
        _ => false,
    }
}

fn judge(cx: &Cx<'_, '_>, object: &Object<'_>, places: &[(At, Node<'_>, String)], out: &mut Out) {
    if is_kubernetes_own(object) {
        return;
    }
    let demands =
        |name| cx.policy.demands(RULE.id, name).iter().filter(|it| it.is_for(object.kind_name));
    for (at, node, path) in places {
        let required = demands("required").filter(|it| it.at == *at);
        out.findings.extend(required.filter_map(|it| lacking(object, it, *node, path)));
        let forbidden = demands("forbidden").filter(|it| it.at == *at);
        out.findings.extend(forbidden.filter_map(|it| present(object, it, *node)));
    }
}

/// The value that a demand is about.
fn value<'d>(demand: &Demand, node: Node<'d>) -> Option<Node<'d>> {
    let (what, key) = demand.key();
    node.at(&["metadata", if what == "label" { "labels" } else { "annotations" }, key])
}

fn lacking(object: &Object<'_>, demand: &Demand, node: Node<'_>, path: &str) -> Option<Finding> {
    let (what, key) = demand.key();
    let Some(value) = value(demand, node) else {
        let message = format!("`{object}` lacks the {what} `{key}`");
        let finding = Finding::new(message, object.at(path), format!("no `{key}` here"));
        return Some(finding.help(match &demand.matches {
            Some(pattern) => format!("add it, with a value that matches `{}`", pattern.text()),
            None => "add it".into(),
        }));
    };
    let pattern = demand.matches.as_ref()?;
    let text = value.scalar().unwrap_or_default();
    if pattern.is_match(&text) {
        return None;
    }
    let message = format!("`{object}` has the {what} `{key}` with a value that is not asked for");
    let label = format!("does not match `{}`", pattern.text());
    Some(Finding::new(message, object.place(value), label).help("correct the value"))
}

fn present(object: &Object<'_>, demand: &Demand, node: Node<'_>) -> Option<Finding> {
    let value = value(demand, node)?;
    let text = value.scalar().unwrap_or_default();
    if demand.matches.as_ref().is_some_and(|it| !it.is_match(&text)) {
        return None;
    }
    let (what, key) = demand.key();
    let message = format!("`{object}` has the {what} `{key}`, which is forbidden");
    Some(Finding::new(message, object.place(value), "forbidden by purlin.yaml").help("remove it"))
}
