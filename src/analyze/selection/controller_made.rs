//! Custom objects from which a controller may make Services and pods that no manifest holds: a database of an operator,
//! a Helm release, a Knative Service. What they make is named after them.

use crate::api::kind::Kind;
use crate::model::{Model, ObjId};
use rustc_hash::FxHashMap;

/// Custom objects, by name.
#[derive(Debug, Default)]
pub struct Makers<'d> {
    by_name: FxHashMap<&'d str, ObjId>,
}

/// Groups whose objects are known to make neither Services nor pods; many share their names with Services.
const IDLE: &[&str] = &[
    "acme.cert-manager.io",
    "argoproj.io",
    "cert-manager.io",
    "cilium.io",
    "crd.projectcalico.org",
    "external-secrets.io",
    "gateway.networking.k8s.io",
    "generators.external-secrets.io",
    "keda.sh",
    "kyverno.io",
    "linkerd.io",
    "monitoring.coreos.com",
    "networking.gke.io",
    "networking.istio.io",
    "policy.linkerd.io",
    "projectcalico.org",
    "secrets-store.csi.x-k8s.io",
    "security.istio.io",
    "snapshot.storage.k8s.io",
    "telemetry.istio.io",
    "traefik.containo.us",
    "traefik.io",
];

/// Kinds of those groups that do.
const BUSY: &[&str] =
    &["Alertmanager", "Application", "ApplicationSet", "PrometheusAgent", "ThanosRuler"];

impl<'d> Makers<'d> {
    /// Finds them in a model.
    pub fn new(model: &Model<'d>) -> Makers<'d> {
        let mut by_name = FxHashMap::default();
        let custom = model.of_kind(Kind::Custom).filter(|it| {
            let is_built_in = !it.group().contains('.');
            let is_idle = IDLE.contains(&it.group()) && !BUSY.contains(&it.kind_name);
            !is_built_in && !is_idle
        });
        for object in custom.chain(model.of_kind(Kind::Prometheus)) {
            if !object.name.is_empty() {
                by_name.entry(object.name).or_insert(object.id);
            }
        }
        Makers { by_name }
    }

    /// One that may make an object of this name: named the same, or as far as one of its hyphens.
    pub fn of(&self, name: &str) -> Option<ObjId> {
        let beginnings = name.match_indices('-').map(|(at, _)| &name[..at]);
        beginnings.chain([name]).find_map(|it| self.by_name.get(it).copied())
    }
}
