//! Secrets that no manifest holds because a controller makes them: of certificates, of external and sealed secrets.

use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// The objects of which Secrets are made, by the namespace and the name of the Secret.
#[derive(Debug, Default)]
pub struct MadeSecrets<'d> {
    by_name: FxHashMap<(&'d str, &'d str), ObjId>,
}

/// Annotations of an Ingress by which cert-manager, or the tool before it, makes the Secrets of its `tls`.
const CERTIFICATE_ANNOTATIONS: &[&str] = &[
    "cert-manager.io/cluster-issuer",
    "cert-manager.io/issuer",
    "certmanager.k8s.io/cluster-issuer",
    "certmanager.k8s.io/issuer",
    "kubernetes.io/tls-acme",
];

impl<'d> MadeSecrets<'d> {
    /// Finds them in a model.
    pub fn new(model: &Model<'d>) -> MadeSecrets<'d> {
        let mut by_name = FxHashMap::default();
        const KINDS: &[Kind] = &[
            Kind::Certificate,
            Kind::ExternalSecret,
            Kind::SealedSecret,
            Kind::Ingress,
            Kind::Gateway,
            Kind::Custom,
        ];
        for object in KINDS.iter().flat_map(|it| model.of_kind(*it)) {
            for name in names(object) {
                by_name.entry((object.namespace, name)).or_insert(object.id);
            }
        }
        MadeSecrets { by_name }
    }

    /// The object of which this Secret is made.
    pub fn find(&self, namespace: &str, name: &str) -> Option<ObjId> {
        self.by_name.get(&(namespace, name)).copied()
    }
}

fn names<'d>(object: &Object<'d>) -> Vec<&'d str> {
    let text = |keys: &[&str]| object.field(keys).and_then(Node::str);
    match object.kind {
        Kind::Certificate => text(&["spec", "secretName"]).into_iter().collect(),
        Kind::ExternalSecret => vec![text(&["spec", "target", "name"]).unwrap_or(object.name)],
        Kind::SealedSecret => {
            vec![text(&["spec", "template", "metadata", "name"]).unwrap_or(object.name)]
        }
        Kind::Ingress if is_certified(object) => {
            let tls = object.field(&["spec"]).into_iter().flat_map(|it| it.list("tls"));
            tls.filter_map(|it| it.text("secretName")).collect()
        }
        Kind::Gateway if is_certified(object) => {
            let listeners = object.field(&["spec"]).into_iter().flat_map(|it| it.list("listeners"));
            let tls = listeners.filter_map(|it| it.get("tls"));
            let references = tls.flat_map(|it| it.list("certificateRefs"));
            let own = references
                .filter(|it| it.text("namespace").is_none_or(|it| it == object.namespace));
            own.filter_map(|it| it.text("name")).collect()
        }
        // What other operators call it: Vault's `destination`, the CSI driver's `secretObjects`, and the like.
        Kind::Custom => {
            let listed =
                object.field(&["spec"]).into_iter().flat_map(|it| it.list("secretObjects"));
            [&["spec", "destination", "name"], &["spec", "target", "name"]]
                .into_iter()
                .filter_map(|it| text(it))
                .chain(text(&["spec", "secretName"]))
                .chain(listed.filter_map(|it| it.text("secretName")))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn is_certified(object: &Object<'_>) -> bool {
    CERTIFICATE_ANNOTATIONS.iter().any(|it| object.annotation(it).is_some())
}
