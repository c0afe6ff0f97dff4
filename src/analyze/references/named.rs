//! Every reference by name to configuration: what pods need of their namespace and of the cluster, and what else names it.
//!
//! Which of these the kubelet or the API server insist on: `k8s.io/api/core/v1/types.go` (`optional`), the kubelet's
//! `pkg/kubelet/kubelet_pods.go`, and the admission plugins `serviceaccount`, `priority` and `runtimeclass`.

use crate::analyze::selection::workloads::{Workload, Workloads};
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt;

/// What something is named for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use<'d> {
    /// One environment variable of a container.
    Variable(&'d str, &'d str),
    /// All keys as environment variables of a container.
    Variables(&'d str),
    /// A volume.
    Volume(&'d str),
    /// One file of a volume, mounted by itself into a container.
    File(&'d str),
    /// The credentials of the image registry.
    Pull,
    /// A field of the object, by its name.
    Field(&'static str),
}

impl fmt::Display for Use<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Use::Variable(container, name) => write!(f, "`{name}` of container `{container}`"),
            Use::Variables(container) => write!(f, "variables of container `{container}`"),
            Use::Volume(name) => write!(f, "volume `{name}`"),
            Use::File(container) => write!(f, "a file in container `{container}`"),
            Use::Pull => f.write_str("to pull the images"),
            Use::Field(name) => write!(f, "`{name}`"),
        }
    }
}

/// One reference.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'d> {
    /// The object that names it.
    pub from: ObjId,
    /// The kind of what is named.
    pub kind: Kind,
    /// Its namespace; empty where the kind has none.
    pub namespace: &'d str,
    /// Its name.
    pub name: &'d str,
    /// The field that names it.
    pub node: Node<'d>,
    /// The key that is needed of it, and the field that says so.
    pub key: Option<(&'d str, Node<'d>)>,
    /// What for.
    pub purpose: Use<'d>,
    /// Whether something fails without it. What is optional, or judged by a rule of its own, is not.
    pub is_needed: bool,
}

/// All references.
#[derive(Debug, Default)]
pub struct References<'d> {
    all: Vec<Reference<'d>>,
    uses: FxHashSet<(Kind, &'d str, &'d str)>,
    /// Names of claims that StatefulSets make, without the ordinal, by namespace.
    claims: FxHashSet<(&'d str, String)>,
    /// Storage classes of volumes made by hand, which need no object.
    volume_classes: FxHashSet<&'d str>,
    /// Custom objects that name something which no manifest holds, by its namespace and name.
    named_by: FxHashMap<(&'d str, &'d str), ObjId>,
}

impl<'d> References<'d> {
    /// Finds them in a model.
    pub fn new(model: &Model<'d>, workloads: &Workloads<'d>) -> References<'d> {
        let mut references = References::default();
        for workload in workloads.iter() {
            references.pod(workload);
        }
        for object in model.objects() {
            references.object(object);
        }
        for reference in &references.all {
            references.uses.insert((reference.kind, reference.namespace, reference.name));
        }
        references.find_makers(model, workloads);
        references
    }

    /// All of them, in the order of reading: those of pods first.
    pub fn iter(&self) -> impl Iterator<Item = &Reference<'d>> {
        self.all.iter()
    }

    /// Whether something names it.
    pub fn is_used(&self, object: &Object<'d>) -> bool {
        self.uses.contains(&(object.kind, object.namespace, object.name))
    }

    /// Whether a StatefulSet makes a claim of this name: that of a template, of the set and an ordinal.
    pub fn is_claim_of_template(&self, namespace: &'d str, name: &str) -> bool {
        let ordinal = name.rsplit_once('-').filter(|(_, it)| is_ordinal(it));
        ordinal.is_some_and(|(claim, _)| self.claims.contains(&(namespace, claim.to_string())))
    }

    /// Whether a volume of the input carries this storage class by hand.
    pub fn is_class_of_volume(&self, name: &str) -> bool {
        self.volume_classes.contains(name)
    }

    /// A custom object that names this, and of which a controller may make it.
    pub fn named_by(&self, namespace: &str, name: &str) -> Option<ObjId> {
        self.named_by.get(&(namespace, name)).copied()
    }

    fn add(&mut self, reference: Reference<'d>) {
        let name = reference.name;
        // `${NAME}` and `{{ .Values.name }}` are filled in by something else.
        if !name.is_empty() && !name.contains(['$', '{', '<']) {
            self.all.push(reference);
        }
    }

    fn pod(&mut self, workload: &Workload<'d>) {
        let pod = workload.pod;
        let here = Here { from: workload.object, namespace: workload.namespace };
        // `serviceAccount` is the old name of the field; it counts where the new one is empty.
        let account = ["serviceAccountName", "serviceAccount"]
            .into_iter()
            .find_map(|field| text(pod, field).map(|node| (field, node)));
        for (field, kind) in
            [("priorityClassName", Kind::PriorityClass), ("runtimeClassName", Kind::RuntimeClass)]
        {
            self.extend(text(pod, field).map(|it| here.cluster_wide(kind, it, Use::Field(field))));
        }
        self.extend(
            account.map(|(field, it)| here.to(Kind::ServiceAccount, it, Use::Field(field))),
        );
        for secret in pod.list("imagePullSecrets") {
            self.extend(text(secret, "name").map(|it| here.to(Kind::Secret, it, Use::Pull)));
        }
        let mut files = FxHashMap::default();
        for volume in pod.list("volumes") {
            self.volume(volume, here, &mut files);
        }
        for container in workload.containers().chain(pod.list("ephemeralContainers")) {
            self.container(container, here, &files);
        }
    }

    fn container(
        &mut self,
        container: Node<'d>,
        here: Here<'d>,
        files: &FxHashMap<&'d str, Reference<'d>>,
    ) {
        let name = container.text("name").unwrap_or("?");
        for variable in container.list("env") {
            let purpose = Use::Variable(name, variable.text("name").unwrap_or("?"));
            for (field, kind) in
                [("configMapKeyRef", Kind::ConfigMap), ("secretKeyRef", Kind::Secret)]
            {
                let Some(source) = variable.at(&["valueFrom", field]) else { continue };
                let Some(reference) = here.source(source, "name", kind, purpose) else { continue };
                self.add(reference.with_key(source.get("key")));
            }
        }
        for source in container.list("envFrom") {
            for (field, kind) in [("configMapRef", Kind::ConfigMap), ("secretRef", Kind::Secret)] {
                let source = source.get(field);
                self.extend(
                    source.and_then(|it| here.source(it, "name", kind, Use::Variables(name))),
                );
            }
        }
        // A file that the volume lacks becomes an empty directory, and the mount fails or the program does.
        for mount in container.list("volumeMounts") {
            let Some(path) = text(mount, "subPath") else { continue };
            let whole = mount.text("name").and_then(|it| files.get(it));
            let is_key = path.str().is_some_and(|it| !it.contains(['/', '$']));
            if let (Some(whole), true) = (whole, is_key) {
                self.add(Reference { purpose: Use::File(name), ..whole.with_key(Some(path)) });
            }
        }
    }

    fn volume(
        &mut self,
        volume: Node<'d>,
        here: Here<'d>,
        files: &mut FxHashMap<&'d str, Reference<'d>>,
    ) {
        let name = volume.text("name").unwrap_or("?");
        let purpose = Use::Volume(name);
        let projected = volume.get("projected").into_iter().flat_map(|it| it.list("sources"));
        let direct = [
            ("configMap", "name", Kind::ConfigMap, volume),
            ("secret", "secretName", Kind::Secret, volume),
        ];
        let projected = projected.flat_map(|it| {
            [("configMap", "name", Kind::ConfigMap, it), ("secret", "name", Kind::Secret, it)]
        });
        for (field, name_field, kind, parent) in direct.into_iter().chain(projected) {
            let Some(source) = parent.get(field) else { continue };
            let Some(reference) = here.source(source, name_field, kind, purpose) else { continue };
            self.add(reference);
            for item in source.list("items") {
                self.add(reference.with_key(item.get("key")));
            }
            let is_whole =
                parent.index() == volume.index() && source.list("items").next().is_none();
            if is_whole && reference.is_needed {
                files.insert(name, reference);
            }
        }
        let claim = volume.at(&["persistentVolumeClaim"]).and_then(|it| text(it, "claimName"));
        self.extend(claim.map(|it| here.to(Kind::PersistentVolumeClaim, it, purpose)));
        let template = volume.at(&["ephemeral", "volumeClaimTemplate"]);
        self.extend(template.and_then(|it| here.class(it, purpose)));
        let secrets = ["cephfs", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"]
            .map(|it| volume.at(&[it, "secretRef"]).and_then(|it| text(it, "name")));
        let csi = volume.at(&["csi", "nodePublishSecretRef"]).and_then(|it| text(it, "name"));
        let azure = volume.get("azureFile").and_then(|it| text(it, "secretName"));
        for secret in secrets.into_iter().chain([csi, azure]) {
            self.extend(secret.map(|it| here.to(Kind::Secret, it, purpose)));
        }
    }

    fn extend(&mut self, reference: Option<Reference<'d>>) {
        if let Some(reference) = reference {
            self.add(reference);
        }
    }

    fn object(&mut self, object: &Object<'d>) {
        let here = Here { from: object.id, namespace: object.namespace };
        let spec = object.field(&["spec"]);
        match object.kind {
            Kind::PersistentVolumeClaim => {
                self.extend(here.class(object.root, Use::Field("storageClassName")));
            }
            Kind::StatefulSet => {
                for template in spec.into_iter().flat_map(|it| it.list("volumeClaimTemplates")) {
                    self.extend(here.class(template, Use::Field("storageClassName")));
                    let name = template.at(&["metadata", "name"]).and_then(Node::str);
                    let claim = name.map(|it| format!("{it}-{}", object.name));
                    self.claims.extend(claim.map(|it| (object.namespace, it)));
                }
            }
            Kind::PersistentVolume => {
                let class = spec.and_then(|it| it.text("storageClassName"));
                self.volume_classes.extend(class);
                let csi = spec.and_then(|it| it.get("csi")).into_iter().flat_map(Node::pairs);
                for (_, secret) in csi.filter(|(key, _)| key.ends_with("SecretRef")) {
                    let namespace = secret.text("namespace").unwrap_or_default();
                    let elsewhere = Here { namespace, ..here };
                    self.extend(
                        text(secret, "name")
                            .map(|it| elsewhere.to(Kind::Secret, it, Use::Field("csi"))),
                    );
                }
            }
            Kind::ServiceAccount => {
                for secret in object.root.list("imagePullSecrets") {
                    self.extend(
                        text(secret, "name").map(|it| here.to(Kind::Secret, it, Use::Pull)),
                    );
                }
                for secret in object.root.list("secrets") {
                    let reference = text(secret, "name")
                        .map(|it| here.to(Kind::Secret, it, Use::Field("secrets")));
                    self.extend(reference.map(Reference::unjudged));
                }
            }
            Kind::Secret if object.root.text("type") == Some(TOKEN) => {
                let annotations = object.field(&["metadata", "annotations"]);
                let account = annotations.and_then(|it| text(it, ACCOUNT));
                let purpose = Use::Field(ACCOUNT);
                self.extend(account.map(|it| here.to(Kind::ServiceAccount, it, purpose)));
            }
            Kind::Ingress => self.ingress(object, here),
            Kind::RoleBinding | Kind::ClusterRoleBinding => {
                for subject in object.root.list("subjects") {
                    if subject.text("kind") == Some("ServiceAccount") {
                        let namespace = subject.text("namespace").unwrap_or(object.namespace);
                        let there = Here { namespace, ..here };
                        let account = text(subject, "name")
                            .map(|it| there.to(Kind::ServiceAccount, it, Use::Field("subjects")));
                        self.extend(account.map(Reference::unjudged));
                    }
                }
            }
            _ => {}
        }
    }

    fn ingress(&mut self, object: &Object<'d>, here: Here<'d>) {
        let Some(spec) = object.field(&["spec"]) else { return };
        let class = text(spec, "ingressClassName");
        let purpose = Use::Field("ingressClassName");
        self.extend(class.map(|it| here.cluster_wide(Kind::IngressClass, it, purpose)));
        for tls in spec.list("tls") {
            let secret = text(tls, "secretName");
            let reference = secret.map(|it| here.to(Kind::Secret, it, Use::Field("tls")));
            self.extend(reference.map(Reference::unjudged));
        }
    }

    /// A Secret of Vault's operator, a ConfigMap that a policy generates, a certificate bundle: whatever a custom object
    /// names may be made of it, unless the object runs pods, which need it.
    fn find_makers(&mut self, model: &Model<'d>, workloads: &Workloads<'d>) {
        let mut wanted: FxHashMap<&'d str, Vec<&'d str>> = FxHashMap::default();
        for it in &self.all {
            if model.find(it.kind, it.namespace, it.name).is_none() {
                wanted.entry(it.name).or_default().push(it.namespace);
            }
        }
        if wanted.is_empty() {
            return;
        }
        for object in model.of_kind(Kind::Custom) {
            if workloads.of_object(object.id).is_some() {
                continue;
            }
            for name in strings(object.root) {
                for namespace in wanted.get(name).into_iter().flatten() {
                    // Nobody told us the scope of custom kinds, so without a namespace it may reach all.
                    if object.namespace.is_empty() || object.namespace == *namespace {
                        self.named_by.entry((namespace, name)).or_insert(object.id);
                    }
                }
            }
        }
    }
}

const TOKEN: &str = "kubernetes.io/service-account-token";
const ACCOUNT: &str = "kubernetes.io/service-account.name";

/// Where references come from.
#[derive(Clone, Copy)]
struct Here<'d> {
    from: ObjId,
    namespace: &'d str,
}

impl<'d> Here<'d> {
    fn to(self, kind: Kind, node: Node<'d>, purpose: Use<'d>) -> Reference<'d> {
        let name = node.str().unwrap_or_default();
        let Here { from, namespace } = self;
        Reference { from, kind, namespace, name, node, key: None, purpose, is_needed: true }
    }

    fn cluster_wide(self, kind: Kind, node: Node<'d>, purpose: Use<'d>) -> Reference<'d> {
        Reference { namespace: "", ..self.to(kind, node, purpose) }
    }

    /// A source of keys, which may be optional.
    fn source(
        self,
        source: Node<'d>,
        name_field: &str,
        kind: Kind,
        purpose: Use<'d>,
    ) -> Option<Reference<'d>> {
        let is_optional = source.get("optional").and_then(Node::bool) == Some(true);
        let reference = self.to(kind, text(source, name_field)?, purpose);
        Some(Reference { is_needed: !is_optional, ..reference })
    }

    /// The storage class of a claim. The annotation came before the field and goes before it; an empty class asks for
    /// none, an absent one for the default.
    fn class(self, claim: Node<'d>, purpose: Use<'d>) -> Option<Reference<'d>> {
        let annotation = claim
            .at(&["metadata", "annotations"])
            .and_then(|it| text(it, "volume.beta.kubernetes.io/storage-class"));
        let field = claim.get("spec").and_then(|it| text(it, "storageClassName"));
        Some(self.cluster_wide(Kind::StorageClass, annotation.or(field)?, purpose))
    }
}

impl<'d> Reference<'d> {
    fn with_key(self, key: Option<Node<'d>>) -> Reference<'d> {
        Reference { key: key.and_then(|it| Some((it.str()?, it))), ..self }
    }

    fn unjudged(self) -> Reference<'d> {
        Reference { is_needed: false, ..self }
    }
}

/// The string under `key`, unless it is empty.
fn text<'d>(node: Node<'d>, key: &str) -> Option<Node<'d>> {
    node.get(key).filter(|it| it.str().is_some_and(|it| !it.is_empty()))
}

fn is_ordinal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit())
}

/// Every string below a node, keys left out.
pub(in crate::analyze) fn strings<'d>(root: Node<'d>) -> impl Iterator<Item = &'d str> {
    let mut open = vec![root];
    std::iter::from_fn(move || {
        while let Some(node) = open.pop() {
            if let Some(text) = node.str() {
                return Some(text);
            }
            open.extend(node.items());
            open.extend(node.entries().map(|(_, value)| value));
        }
        None
    })
}
