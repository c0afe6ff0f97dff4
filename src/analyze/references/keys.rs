//! The keys of ConfigMaps and Secrets, as far as the input tells: of the manifests themselves, and of what controllers
//! make Secrets of.

use crate::api::kind::Kind;
use crate::model::{Model, Object};
use crate::text::tree::Node;

/// Which keys are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// All of them, as a volume has them.
    All,
    /// Those of text, of which variables are made: a ConfigMap's `binaryData` is none of it
    /// (`pkg/kubelet/kubelet_pods.go`, makeEnvironmentVariables).
    Text,
}

/// Which keys something has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys<'d> {
    /// These.
    Known(Vec<&'d str>),
    /// These at least: the reason why there may be others.
    Unknown(String),
}

impl<'d> Keys<'d> {
    /// The keys of a ConfigMap or Secret that stands in the input, and of the object that a Secret is made of.
    pub fn new(
        model: &Model<'d>,
        kind: Kind,
        namespace: &str,
        name: &str,
        made_of: Option<&Object<'d>>,
        part: Part,
    ) -> Keys<'d> {
        let manifest = model.find(kind, namespace, name);
        let both = [manifest, made_of].into_iter().flatten().map(|it| of_object(it, part));
        let mut all = Vec::new();
        for keys in both {
            match keys {
                Keys::Known(keys) => all.extend(keys),
                unknown @ Keys::Unknown(_) => return unknown,
            }
        }
        Keys::Known(all)
    }
}

fn of_object<'d>(object: &Object<'d>, part: Part) -> Keys<'d> {
    let unknown = |why: &str| Keys::Unknown(format!("{why} of `{object}`"));
    match object.kind {
        Kind::ConfigMap | Kind::Secret => of_manifest(object, part),
        Kind::ExternalSecret => of_external_secret(object),
        Kind::SealedSecret => {
            let sealed = keys(object.field(&["spec", "encryptedData"]));
            let plain = keys(object.field(&["spec", "template", "data"]));
            Keys::Known(sealed.chain(plain).collect())
        }
        Kind::Certificate => {
            if object.field(&["spec", "keystores"]).is_some()
                || object.field(&["spec", "additionalOutputFormats"]).is_some()
            {
                return unknown("the further formats");
            }
            Keys::Known(CERTIFICATE.to_vec())
        }
        Kind::Ingress | Kind::Gateway => Keys::Known(CERTIFICATE.to_vec()),
        _ => unknown("the keys that come"),
    }
}

const CERTIFICATE: [&str; 3] = ["tls.crt", "tls.key", "ca.crt"];

/// Annotations and labels by which something else fills the object.
const FILLED: [&str; 6] = [
    "config.openshift.io/inject-trusted-cabundle",
    "reflector.v1.k8s.emberstack.com/reflects",
    "replicator.v1.mittwald.com/",
    "secret-generator.v1.mittwald.de/",
    "service.beta.openshift.io/inject-cabundle",
    "service.alpha.openshift.io/inject-cabundle",
];

fn of_manifest<'d>(object: &Object<'d>, part: Part) -> Keys<'d> {
    let marks = ["annotations", "labels"].map(|it| object.field(&["metadata", it]));
    let mut names = marks.into_iter().flat_map(keys);
    if let Some(mark) = names.find(|it| FILLED.iter().any(|filled| it.starts_with(filled))) {
        return Keys::Unknown(format!("what `{mark}` puts into `{object}`"));
    }
    let of = |fields: &[&str]| -> Vec<_> {
        fields.iter().flat_map(|it| keys(object.root.get(it))).collect()
    };
    let text = of(&["data", "stringData"]);
    let binary = of(&["binaryData"]);
    if text.is_empty() && binary.is_empty() {
        return Keys::Unknown(format!("what fills `{object}`, which is empty here"));
    }
    let mut all = text;
    if part == Part::All {
        all.extend(binary);
    }
    if object.root.text("type") == Some("kubernetes.io/service-account-token") {
        all.extend(["token", "ca.crt", "namespace"]);
    }
    Keys::Known(all)
}

/// external-secrets.io, `apis/externalsecrets/v1/externalsecret_types.go`: a template replaces what was fetched unless it
/// says that it merges.
fn of_external_secret<'d>(object: &Object<'d>) -> Keys<'d> {
    let Some(spec) = object.field(&["spec"]) else { return Keys::Known(Vec::new()) };
    let policy = spec.at(&["target", "creationPolicy"]).and_then(Node::str);
    if matches!(policy, Some("Merge" | "None")) || spec.at(&["target", "manifest"]).is_some() {
        return Keys::Unknown(format!("what `{object}` is merged into"));
    }
    let template = spec.at(&["target", "template"]);
    if template.is_some_and(|it| it.get("templateFrom").is_some()) {
        return Keys::Unknown(format!("the keys of the template of `{object}`"));
    }
    let templated = template.and_then(|it| it.get("data"));
    let merges = template.and_then(|it| it.text("mergePolicy")) == Some("Merge");
    if templated.is_some() && !merges {
        return Keys::Known(keys(templated).collect());
    }
    if spec.get("dataFrom").is_some() {
        return Keys::Unknown(format!("the keys that `dataFrom` of `{object}` finds"));
    }
    let fetched = spec.list("data").filter_map(|it| it.text("secretKey"));
    Keys::Known(fetched.chain(keys(templated)).collect())
}

/// The keys of a mapping. One without a value is there as well: the API server reads it as empty.
fn keys<'d>(node: Option<Node<'d>>) -> impl Iterator<Item = &'d str> {
    node.into_iter().flat_map(Node::entries).filter_map(|(key, _)| key.str())
}
