//! Objects in the namespace `default`.

use crate::api::kind::{Kind, Scope, WORKLOADS};
use crate::model::{Model, Object};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "default-namespace-used",
    title: "an object goes into the namespace `default`",
    severity: Severity::Note,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Strict],
    reads: &[Kind::Service, Kind::ConfigMap, Kind::Secret, Kind::PersistentVolumeClaim],
    like: &["kube-linter:use-namespace", "kyverno:disallow-default-namespace"],
    parameters: &[],
    page: include_str!("default_namespace_used.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

const DEFAULT: &str = "default";

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let others_write = others_write(cx.model);
    for kind in RULE.reads.iter().chain(WORKLOADS) {
        let objects = cx.model.of_kind(*kind).filter(|it| it.namespace == DEFAULT);
        for object in objects.filter(|it| !is_of_every_cluster(it)) {
            match namespace(object) {
                Some(written) => out.find(finding(object, written)),
                None if others_write && !is_rendered(object) => out.find(left_open(object)),
                None => {}
            }
        }
    }
}

fn namespace<'d>(object: &Object<'d>) -> Option<Node<'d>> {
    object.field(&["metadata", "namespace"])
}

/// Whether some manifest says where it goes: where none does, whoever applies them says it.
fn others_write(model: &Model<'_>) -> bool {
    model.objects().any(|it| {
        let is_namespaced = it.kind.info().is_some_and(|it| it.scope == Scope::Namespaced);
        is_namespaced && it.namespace != DEFAULT && namespace(it).is_some()
    })
}

/// Whether a chart or kustomization gave it what it has: `helm install` and `kubectl apply` get the namespace by `-n`.
fn is_rendered(object: &Object<'_>) -> bool {
    object.document.origin.is_some()
}

/// What every cluster has there, and what a controller made.
fn is_of_every_cluster(object: &Object<'_>) -> bool {
    let is_api = object.kind == Kind::Service && object.name == "kubernetes";
    let is_made = object.field(&["metadata", "ownerReferences"]).is_some_and(|it| it.count() > 0);
    let is_published = object.kind == Kind::ConfigMap
        && matches!(object.name, "kube-root-ca.crt" | "openshift-service-ca.crt");
    is_api || is_made || is_published
}

fn finding(object: &Object<'_>, written: Node<'_>) -> Finding {
    let message = format!("`{object}` goes into the namespace `{DEFAULT}`");
    told(Finding::new(message, object.place(written), "where everything goes that says nothing"))
}

fn left_open(object: &Object<'_>) -> Finding {
    let message = format!("`{object}` goes into the namespace `{DEFAULT}`, since it names none");
    told(Finding::new(message, object.whole(), "no `metadata.namespace`"))
        .note("other manifests beside it name theirs")
}

fn told(finding: Finding) -> Finding {
    finding
        .note("quotas, network policies and rights of a namespace count for all that anybody leaves there")
        .help("give it a namespace of its own")
}
