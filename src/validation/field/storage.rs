//! Configuration, secrets and volumes of the cluster.

use super::metadata::{self, SUBDOMAIN};
use super::names::{is_config_key, is_dns_subdomain, is_qualified_name};
use super::{Found, pod, sources};
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::text::tree::Node;
use crate::validation::values;
use rustc_hash::FxHashSet;

/// What a ConfigMap or Secret may hold (`MaxSecretSize`).
const MOST: usize = 1024 * 1024;

/// Keys and size of a ConfigMap or Secret, and what the type of a Secret asks for.
pub(super) fn data<'d>(root: Node<'d>, kind: Kind, found: &mut Found<'d>) {
    let second = if kind == Kind::Secret { "stringData" } else { "binaryData" };
    for key in ["data", second] {
        for (key, value) in root.get(key).into_iter().flat_map(Node::entries) {
            let Some(text) = key.str().filter(|it| !is_config_key(it)) else { continue };
            if !super::is_filled_in_later(text) {
                let says = format!("has the key `{text}`, which is none");
                let help = "write letters, digits, `-`, `_` and `.`";
                found.wrong(value, says, "not a key", help);
            }
        }
    }
    if kind == Kind::ConfigMap {
        let size = |(key, value): (&str, Node<'_>)| key.len() + value.str().map_or(0, str::len);
        let sum: usize = root.get("data").into_iter().flat_map(Node::pairs).map(size).sum();
        if let Some(data) = root.get("data").filter(|_| sum > MOST) {
            let says = format!("holds {sum} bytes, and may hold {MOST}");
            found.wrong(data, says, "too much", "split it, or mount a volume");
        }
        for (key, value) in root.get("binaryData").into_iter().flat_map(Node::pairs) {
            if root.at(&["data", key]).is_some() {
                let says = "stands in `data` too";
                found.wrong(value, says, "the same key", "keep one of them");
            }
        }
        return;
    }
    secret(root, found);
    secret_type(root, found);
}

/// The size of a Secret, in the bytes that it stands for.
fn secret<'d>(root: Node<'d>, found: &mut Found<'d>) {
    // Three of every four characters of base64.
    let decoded = |text: &str| text.trim_end_matches('=').len() * 3 / 4;
    let size = |key: &str, of: fn(&str) -> usize| -> usize {
        let values = root.get(key).into_iter().flat_map(Node::pairs);
        values.map(|it| it.1.str().map_or(0, of)).sum()
    };
    let sum = size("data", decoded) + size("stringData", str::len);
    let at = root.get("data").or(root.get("stringData"));
    if let Some(at) = at.filter(|_| sum > MOST) {
        let says = format!("holds {sum} bytes, and may hold {MOST}");
        found.wrong(at, says, "too much", "split it");
    }
}

/// `ValidateSecret` of `pkg/apis/core/validation`.
fn secret_type<'d>(root: Node<'d>, found: &mut Found<'d>) {
    let has = |key: &str| {
        let lists = ["data", "stringData"].iter().filter_map(|it| root.get(it));
        lists.into_iter().any(|it| it.entry(key).is_some())
    };
    let all: &[&str] = match root.text("type").unwrap_or_default() {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/service-account-token" => {
            let account =
                root.at(&["metadata", "annotations", "kubernetes.io/service-account.name"]);
            if account.is_none_or(|it| it.str() == Some("")) {
                let says = "asks for the annotation `kubernetes.io/service-account.name`";
                let at = root.get("type").unwrap_or(root);
                found.wrong(at, says, "an annotation is missing", "name the ServiceAccount in it");
            }
            return;
        }
        "kubernetes.io/basic-auth" => {
            if !has("username") && !has("password") {
                let says = "asks for `username` or `password`, and neither is there";
                let at = root.get("type").unwrap_or(root);
                found.wrong(at, says, "keys are missing", "add one of them");
            }
            return;
        }
        _ => return,
    };
    let missing: Vec<_> = all.iter().filter(|it| !has(it)).copied().collect();
    if let Some(at) = root.get("type").filter(|_| !missing.is_empty()) {
        let says = format!("asks for `{}`, which is not there", missing.join("`, `"));
        found.wrong(at, says, "a key is missing", "add it, or use `type: Opaque`");
    }
}

/// `ValidatePersistentVolumeClaimSpec`.
pub(super) fn claim<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    modes(spec, found);
    if spec.at(&["resources", "requests", "storage"]).is_none() {
        let says = "asks for no storage";
        let help = "set `resources: {requests: {storage: …}}`";
        found.wrong(spec, says, "`resources.requests.storage` is required", help);
    }
    classes(spec, found);
    metadata::selector(spec.get("selector"), found);
    for source in ["dataSource", "dataSourceRef"].iter().filter_map(|it| spec.get(it)) {
        found.form(source.get("apiGroup"), is_dns_subdomain, SUBDOMAIN);
        let has_group = source.text("apiGroup").is_some_and(|it| !it.is_empty());
        let kind = source.get("kind").filter(|it| it.str() != Some(""));
        if let Some(kind) =
            kind.filter(|it| !has_group && it.str() != Some("PersistentVolumeClaim"))
        {
            let says = "is of no group, and of the core group only claims are copied";
            found.wrong(kind, says, "no group", "set `apiGroup`");
        }
        found.required(source, &["kind", "name"]);
    }
}

/// `ValidatePersistentVolumeSpec`.
pub(super) fn volume<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    modes(spec, found);
    match spec.get("capacity").filter(|it| it.get("storage").is_some()) {
        None => {
            let says = "has no capacity";
            let help = "set `capacity: {storage: …}`";
            found.wrong(spec, says, "`capacity.storage` is required", help);
        }
        Some(it) if it.count() > 1 => {
            found.wrong(
                it,
                "has more than `storage`",
                "more than `storage`",
                "keep `storage` alone",
            );
        }
        Some(it) => more_than_nothing(it.get("storage"), found),
    }
    classes(spec, found);
    found.word(spec.get("persistentVolumeReclaimPolicy"), &["Delete", "Recycle", "Retain"]);
    let given: Vec<_> = SOURCES.iter().filter(|it| spec.get(it).is_some()).collect();
    match given.as_slice() {
        [] => {
            let says = "has no volume behind it";
            found.wrong(spec, says, "no source", "set one: `csi`, `nfs`, `local`, …");
        }
        [one] => spec.get(one).into_iter().for_each(|it| sources::source(it, one, found)),
        [_, second, ..] => {
            let at = spec.get(second).unwrap_or(spec);
            found.wrong(at, "is a second source", "two sources", "keep one of them");
        }
    }
    let required = spec.at(&["nodeAffinity", "required"]);
    let terms = || required.into_iter().flat_map(|it| it.list("nodeSelectorTerms"));
    terms().for_each(|it| pod::node_term(it, found));
    if let Some(affinity) = spec.get("nodeAffinity").filter(|it| it.is_map() && required.is_none())
    {
        found.missing(affinity, "required");
    }
    if let Some(it) = spec.get("local").filter(|_| required.is_none()) {
        let says = "is on one node, and nothing says on which";
        found.wrong(it, says, "no `nodeAffinity`", "set `nodeAffinity: {required: …}`");
    }
}

/// The sources of a PersistentVolume.
const SOURCES: [&str; 22] = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
];

fn more_than_nothing<'d>(amount: Option<Node<'d>>, found: &mut Found<'d>) {
    let parsed = |it: Node<'_>| it.scalar().and_then(|it| Quantity::parse(&it).ok());
    let is_none = |it: Quantity| it.is_zero() || it.is_negative();
    if let Some(it) = amount.filter(|it| parsed(*it).is_some_and(is_none)) {
        found.wrong(it, "is not more than nothing", "nothing", "write a larger amount");
    }
}

fn classes<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    for key in ["storageClassName", "volumeAttributesClassName"] {
        found.form(spec.get(key), is_dns_subdomain, SUBDOMAIN);
    }
    found.word(spec.get("volumeMode"), &["Block", "Filesystem"]);
}

fn modes<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
    let modes = spec.get("accessModes").filter(|it| it.is_seq());
    let count = modes.map_or(0, Node::count);
    if count == 0 {
        found.missing(spec, "accessModes");
    }
    modes.into_iter().flat_map(Node::items).for_each(|it| found.known(it, &MODES));
    let is_alone = |it: Node<'_>| it.str() == Some("ReadWriteOncePod");
    let is_beside = |it: &Node<'_>| it.items().any(is_alone) && !it.items().all(is_alone);
    if let Some(modes) = modes.filter(is_beside) {
        let says = "has `ReadWriteOncePod` beside another mode";
        found.wrong(modes, says, "not beside others", "keep one of them");
    }
}

/// `ValidateStorageClass` of `pkg/apis/storage/validation`.
pub(super) fn class<'d>(root: Node<'d>, found: &mut Found<'d>) {
    found.form(root.get("provisioner"), is_provisioner, "a name: `ebs.csi.aws.com`");
    found.word(root.get("reclaimPolicy"), &["Delete", "Retain"]);
    found.word(root.get("volumeBindingMode"), &["Immediate", "WaitForFirstConsumer"]);
    if let Some(list) = root.get("allowedTopologies") {
        found.faults.extend(values::twice(list, |it| it.is_map().then(|| values::json(it))));
    }
    for term in root.list("allowedTopologies") {
        let mut keys = FxHashSet::default();
        for expression in term.list("matchLabelExpressions") {
            found.form(expression.get("key"), is_qualified_name, "the key of a label");
            found.once(expression.get("key"), &mut keys, "expression");
            found.required(expression, &["values"]);
            let mut values = FxHashSet::default();
            for value in expression.list("values") {
                metadata::label_value(value, found);
                found.once(Some(value), &mut values, "value");
            }
        }
    }
}

/// `validateProvisioner`, in whatever case.
fn is_provisioner(text: &str) -> bool {
    is_qualified_name(&text.to_lowercase())
}

/// `ValidateVolumeAttributesClass`.
pub(super) fn attributes<'d>(root: Node<'d>, found: &mut Found<'d>) {
    found.form(root.get("driverName"), is_provisioner, "a name: `ebs.csi.aws.com`");
    if root.get("parameters").is_none_or(|it| it.count() == 0) {
        found.missing(root, "parameters");
    }
}

/// `ValidateCSIStorageCapacity`.
pub(super) fn capacity<'d>(root: Node<'d>, found: &mut Found<'d>) {
    metadata::selector(root.get("nodeTopology"), found);
    found.form(root.get("storageClassName"), is_dns_subdomain, SUBDOMAIN);
}

/// `validateCSIDriverSpec`.
pub(super) fn driver<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    found.word(spec.get("fsGroupPolicy"), &["File", "None", "ReadWriteOnceWithFSType"]);
    let modes = spec.list("volumeLifecycleModes");
    modes.for_each(|it| found.known(it, &["Ephemeral", "Persistent"]));
    found.range(spec.get("nodeAllocatableUpdatePeriodSeconds"), 10, i64::MAX);
    let mut audiences = FxHashSet::default();
    for request in spec.list("tokenRequests") {
        found.range(request.get("expirationSeconds"), 600, 1 << 32);
        if !audiences.insert(request.text("audience").unwrap_or_default()) {
            let says = "asks for an audience once more";
            found.wrong(request, says, "the same audience", "keep one of them");
        }
    }
}

/// `validateCSINodeSpec`.
pub(super) fn node<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let mut names = FxHashSet::default();
    for driver in spec.list("drivers") {
        found.form(driver.get("name"), sources::is_driver, "the name of a CSI driver");
        found.once(driver.get("name"), &mut names, "driver");
        let mut keys = FxHashSet::default();
        for key in driver.list("topologyKeys") {
            found.required_form(key, is_qualified_name, "the key of a label");
            found.once(Some(key), &mut keys, "key");
        }
        if let Some(id) =
            driver.get("nodeID").filter(|it| it.str().is_some_and(|it| it.len() > 256))
        {
            found.wrong(id, "is longer than 256 characters", "too long", "shorten it");
        }
        found.range(driver.at(&["allocatable", "count"]), 0, i64::MAX);
    }
}

/// `ValidateVolumeAttachment`.
pub(super) fn attachment<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    found.form(spec.get("nodeName"), is_dns_subdomain, SUBDOMAIN);
    found.form(spec.get("attacher"), sources::is_driver, "the name of a CSI driver");
    let Some(source) = spec.get("source").filter(|it| it.is_map()) else { return };
    let name = source.get("persistentVolumeName").filter(|it| it.str() != Some(""));
    found.form(name, is_dns_subdomain, SUBDOMAIN);
    if name.is_none() && source.get("inlineVolumeSpec").is_none() {
        let says = "has neither `persistentVolumeName` nor `inlineVolumeSpec`";
        found.wrong(source, says, "no volume", "set one of them");
    }
}
