//! Configuration, secrets and volumes of the cluster.

use super::Found;
use super::names::is_config_key;
use crate::api::kind::Kind;
use crate::text::tree::Node;

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
    secret_type(root, found);
}

/// `ValidateSecret` of `pkg/apis/core/validation`.
fn secret_type<'d>(root: Node<'d>, found: &mut Found<'d>) {
    let has = |key: &str| ["data", "stringData"].iter().any(|it| root.at(&[it, key]).is_some());
    let all: &[&str] = match root.text("type").unwrap_or_default() {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
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
}

pub(super) fn volume<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    modes(spec, found);
    if spec.at(&["capacity", "storage"]).is_none() {
        let says = "has no capacity";
        found.wrong(spec, says, "`capacity.storage` is required", "set `capacity: {storage: …}`");
    }
}

fn modes<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let modes = spec.get("accessModes").filter(|it| it.is_seq());
    let count = modes.map_or(0, Node::count);
    if count == 0 {
        found.missing(spec, "accessModes");
    }
    let is_alone = |it: Node<'_>| it.str() == Some("ReadWriteOncePod");
    let is_beside = |it: &Node<'_>| it.items().any(is_alone) && !it.items().all(is_alone);
    if let Some(modes) = modes.filter(is_beside) {
        let says = "has `ReadWriteOncePod` beside another mode";
        found.wrong(modes, says, "not beside others", "keep one of them");
    }
}
