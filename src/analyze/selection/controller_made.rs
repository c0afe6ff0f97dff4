//! Custom objects from which a controller may make what no manifest holds: a database of an operator, a Helm release, a
//! Knative Service. What they make is named after them, in their namespace.

use super::operated;
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use rustc_hash::{FxHashMap, FxHashSet};

/// Custom objects, by name.
#[derive(Debug, Default)]
pub struct Makers<'d> {
    by_name: FxHashMap<&'d str, Vec<Maker<'d>>>,
}

#[derive(Debug)]
struct Maker<'d> {
    object: ObjId,
    /// Where it makes something; `None` for everywhere.
    namespace: Option<&'d str>,
    /// Whether all labels of the pods that it makes are known, so that it can be told which these are.
    has_known_pods: bool,
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

/// Groups whose objects deploy something into namespaces that they name, or that nobody here can tell.
const ANYWHERE: &[&str] = &[
    "apps.open-cluster-management.io",
    "argoproj.io",
    "core.oam.dev",
    "fleet.cattle.io",
    "helm.cattle.io",
    "helm.toolkit.fluxcd.io",
    "kustomize.toolkit.fluxcd.io",
];

impl<'d> Makers<'d> {
    /// Finds them in a model.
    pub fn new(model: &Model<'d>) -> Makers<'d> {
        let mut by_name: FxHashMap<&'d str, Vec<Maker<'d>>> = FxHashMap::default();
        let custom = model.of_kind(Kind::Custom).filter(|it| {
            let is_built_in = !it.group().contains('.');
            let is_idle = IDLE.contains(&it.group()) && !BUSY.contains(&it.kind_name);
            !is_built_in && !is_idle
        });
        let shown = owners(model);
        for object in custom.chain(model.of_kind(Kind::Prometheus)) {
            // Where the input holds what its controller made, it holds all of that.
            let is_shown = shown.contains(&(object.kind_name, object.name));
            if !object.name.is_empty() && !is_shown {
                by_name.entry(object.name).or_default().push(Maker::new(object));
            }
        }
        Makers { by_name }
    }

    /// One that may make an object of this name in a namespace: named the same, or as far as one of its hyphens.
    pub fn of(&self, namespace: &str, name: &str) -> Option<ObjId> {
        self.find(name, |it| it.makes_in(namespace))
    }

    /// The same of pods with this value among their labels. Of some it is known what labels these have, which is not told
    /// by a name.
    pub fn of_pods(&self, namespace: &str, value: &str) -> Option<ObjId> {
        self.find(value, |it| it.makes_in(namespace) && !it.has_known_pods)
    }

    fn find(&self, name: &str, fits: impl Fn(&Maker<'d>) -> bool) -> Option<ObjId> {
        let beginnings = name.match_indices('-').map(|(at, _)| &name[..at]);
        let mut found = beginnings.chain([name]).filter_map(|it| self.by_name.get(it)).flatten();
        found.find(|it| fits(it)).map(|it| it.object)
    }
}

impl<'d> Maker<'d> {
    fn new(object: &Object<'d>) -> Maker<'d> {
        let is_far = object.namespace.is_empty() || ANYWHERE.contains(&object.group());
        Maker {
            object: object.id,
            namespace: (!is_far).then_some(object.namespace),
            has_known_pods: operated::is_known(object),
        }
    }

    fn makes_in(&self, namespace: &str) -> bool {
        self.namespace.is_none_or(|it| namespace.is_empty() || it == namespace)
    }
}

/// The kinds and names of what made an object of the input.
fn owners<'d>(model: &Model<'d>) -> FxHashSet<(&'d str, &'d str)> {
    let owners = model.objects().flat_map(|it| {
        let metadata = it.root.get("metadata").into_iter();
        metadata.flat_map(|it| it.list("ownerReferences"))
    });
    owners.filter_map(|it| Some((it.text("kind")?, it.text("name")?))).collect()
}
