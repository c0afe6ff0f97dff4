//! Bindings whose role lets somebody run pods where nothing bounds what these may do.

use crate::absence::{Absence, Wanted};
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::rules::grants::{self, Grant, Lives, Power};
use crate::rules::judged::NAMESPACES;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "access-to-create-pods",
    title: "a binding lets somebody run any pod, and so be any account of the namespace",
    severity: Severity::Warning,
    group: Group::Access,
    admission: Admission::Warn,
    presets: &[Preset::Strict],
    reads: &[
        Kind::RoleBinding,
        Kind::ClusterRoleBinding,
        Kind::Role,
        Kind::ClusterRole,
        Kind::Namespace,
    ],
    like: &["kube-linter:access-to-create-pods", "kubescape:rule-can-create-pod"],
    parameters: &[NAMESPACES],
    page: include_str!("access_to_create_pods.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

const LEADS: &str = "a pod runs as any ServiceAccount of its namespace and mounts any Secret of it, and a privileged one has its node";

const fn power(group: &'static str, resource: &'static str) -> Power {
    let verbs = &["create", "update", "patch"];
    Power { verbs, group, resource, lives: Lives::InNamespaces, leads: LEADS }
}

const POWERS: &[Power] = &[
    power("", "pods"),
    power("apps", "deployments"),
    power("apps", "statefulsets"),
    power("apps", "daemonsets"),
    power("apps", "replicasets"),
    power("", "replicationcontrollers"),
    power("batch", "jobs"),
    power("batch", "cronjobs"),
];

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for grant in grants::grants(cx) {
        let hits = grant.hits(POWERS);
        let Some(finding) = grants::report(cx, grant, &hits, Severity::Warning) else { continue };
        match bound(cx, grant) {
            Bound::By => {}
            Bound::Unknown(missing) => out.cannot_tell(grant.object, missing),
            Bound::ByNothing => out.find(finding.help(
                "let the namespace enforce `pod-security.kubernetes.io/enforce: baseline`, or give the right to a deployer alone",
            )),
        }
    }
}

/// What bounds the pods of a namespace.
enum Bound {
    By,
    ByNothing,
    /// The input does not tell; this would.
    Unknown(String),
}

fn bound(cx: &Cx<'_, '_>, grant: Grant<'_, '_>) -> Bound {
    let namespace = grant.binding.namespace;
    if namespace.is_empty() {
        return Bound::ByNothing;
    }
    match cx.model.find(Kind::Namespace, "", namespace) {
        Some(it) if is_enforced(it) => Bound::By,
        Some(_) => Bound::ByNothing,
        None => match cx.absence_of(Wanted::object(Kind::Namespace, "", namespace)) {
            Absence::CannotTell(_) => Bound::Unknown(format!(
                "the labels of Namespace `{namespace}`, which say whether it enforces a Pod Security level: it is not in the input"
            )),
            Absence::Absent | Absence::Elsewhere => Bound::ByNothing,
        },
    }
}

/// Whether pods are refused that the level `baseline` refuses. A level that nobody knows is taken for `restricted`
/// (`k8s.io/pod-security-admission`, api/helpers.go, PolicyToEvaluate).
fn is_enforced(namespace: &Object<'_>) -> bool {
    let labels = namespace.labels();
    let level = labels.iter().find(|it| it.0 == "pod-security.kubernetes.io/enforce");
    level.is_some_and(|it| it.1 != "privileged")
}
