//! ConfigMaps, Secrets, claims and ServiceAccounts that nothing in a complete namespace uses.

use crate::absence::Wanted;
use crate::analyze::references::free_text::mentioned;
use crate::analyze::selection::selector::Selector;
use crate::api::kind::{KINDS, Kind};
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Parameter, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "unused-config",
    title: "nothing uses a ConfigMap, Secret, claim or ServiceAccount",
    severity: Severity::Note,
    group: Group::Routing,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: NAMING,
    like: &["popeye:400"],
    parameters: &[Parameter {
        name: "labels",
        about: "labels and annotations, or beginnings of them, by which something else finds what bears them",
        default: &[
            "grafana_",
            "argocd.argoproj.io/",
            "sealedsecrets.bitnami.com/",
            "reflector.v1.k8s.emberstack.com/",
            "replicator.v1.mittwald.com/",
            "eks.amazonaws.com/role-arn",
        ],
    }],
    page: include_str!("unused_config.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// The kinds that are judged, and all whose texts may name them.
const NAMING: &[Kind] = &[
    Kind::Certificate,
    Kind::ClusterRole,
    Kind::ClusterRoleBinding,
    Kind::ConfigMap,
    Kind::CustomResourceDefinition,
    Kind::ExternalSecret,
    Kind::GRPCRoute,
    Kind::Gateway,
    Kind::HTTPRoute,
    Kind::HorizontalPodAutoscaler,
    Kind::Ingress,
    Kind::IngressClass,
    Kind::MutatingWebhookConfiguration,
    Kind::Namespace,
    Kind::NetworkPolicy,
    Kind::PersistentVolume,
    Kind::PersistentVolumeClaim,
    Kind::PodDisruptionBudget,
    Kind::PodMonitor,
    Kind::Prometheus,
    Kind::PrometheusRule,
    Kind::Role,
    Kind::RoleBinding,
    Kind::ScaledJob,
    Kind::ScaledObject,
    Kind::SealedSecret,
    Kind::Secret,
    Kind::Service,
    Kind::ServiceAccount,
    Kind::ServiceMonitor,
    Kind::StorageClass,
    Kind::TCPRoute,
    Kind::TLSRoute,
    Kind::ValidatingWebhookConfiguration,
    Kind::VerticalPodAutoscaler,
];

const JUDGED: &[Kind] =
    &[Kind::ConfigMap, Kind::PersistentVolumeClaim, Kind::Secret, Kind::ServiceAccount];

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let labels = cx.parameter("labels");
    let objects = JUDGED.iter().flat_map(|kind| cx.model.of_kind(*kind));
    let idle: Vec<_> = objects
        .filter(|it| cx.is_complete(it.namespace) && !is_used(cx, it) && !is_special(it, &labels))
        .collect();
    let mentioned = mentioned(cx.model, &idle);
    let all_kinds: Vec<_> = KINDS.iter().map(|it| it.kind).chain([Kind::Custom]).collect();
    let anything = Selector::default();
    let lost = cx.any_unseen(&all_kinds);
    for object in idle.into_iter().filter(|it| !mentioned.contains(&it.id)) {
        match lost.clone().or_else(|| {
            cx.unseen(Wanted::Pods { namespace: object.namespace, selector: &anything })
        }) {
            Some(lost) => out.cannot_tell(object, lost),
            None => out.find(finding(object)),
        }
    }
}

fn is_used(cx: &Cx<'_, '_>, object: &Object<'_>) -> bool {
    let references = cx.facts.references();
    references.is_used(object)
        || object.kind == Kind::PersistentVolumeClaim
            && references.is_claim_of_template(object.namespace, object.name)
}

/// What the cluster, Helm or a controller has for itself, and what something finds by a label.
fn is_special(object: &Object<'_>, labels: &[&str]) -> bool {
    let is_known = object.name.is_empty()
        || object.namespace.starts_with("kube-")
        || matches!(
            (object.kind, object.name),
            (Kind::ServiceAccount, "default")
                | (Kind::ConfigMap, "kube-root-ca.crt" | "openshift-service-ca.crt")
        );
    let is_of_controller = matches!(
        object.root.text("type"),
        Some(
            "helm.sh/release.v1"
                | "kubernetes.io/service-account-token"
                | "bootstrap.kubernetes.io/token"
        )
    );
    let metadata = object.root.get("metadata");
    let is_owned = metadata.into_iter().flat_map(|it| it.list("ownerReferences")).next().is_some();
    let marks = ["labels", "annotations"].into_iter().filter_map(|it| metadata?.get(it));
    let mut marks = marks.flat_map(Node::pairs);
    is_known
        || is_of_controller
        || is_owned
        || marks.any(|(key, _)| labels.iter().any(|it| key.starts_with(it)))
}

fn finding(object: &Object<'_>) -> Finding {
    let namespace = object.namespace;
    let (note, help) = match object.kind {
        Kind::ServiceAccount => (
            "no pod runs as it, and no binding names it",
            "remove it, or name it in `serviceAccountName`",
        ),
        Kind::PersistentVolumeClaim => (
            "no pod mounts it, and its volume costs what it costs",
            "remove it once its data is saved, or mount it",
        ),
        _ => (
            "no pod reads it, and no annotation, argument or other object names it",
            "remove it, or correct the name in what was to read it",
        ),
    };
    let message = format!("nothing in namespace `{namespace}` uses `{object}`");
    Finding::new(message, object.whole(), "used by nothing").note(note).help(help)
}
