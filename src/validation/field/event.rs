//! Events (`pkg/apis/core/validation/events.go`).

use super::names::is_qualified_name;
use super::{Found, is_set};
use crate::text::tree::Node;

/// Events of `events.k8s.io`.
pub(super) fn event<'d>(root: Node<'d>, found: &mut Found<'d>) {
    if !is_set(root, "eventTime") {
        found.missing(root, "eventTime");
    }
    common(root, "reportingController", "regarding", found);
    found.word(root.get("type"), &["Normal", "Warning"]);
    found.required(root, &["type"]);
    for old in ["deprecatedCount", "deprecatedFirstTimestamp", "deprecatedLastTimestamp"] {
        if let Some(it) = root.get(old).filter(|_| is_set(root, old)) {
            found.wrong(it, "is of the older API", "of the older API", "remove it");
        }
    }
}

/// Events of the core group.
pub(super) fn old<'d>(root: Node<'d>, found: &mut Found<'d>) {
    if is_set(root, "eventTime") {
        return common(root, "reportingComponent", "involvedObject", found);
    }
    let own = root.at(&["metadata", "namespace"]).and_then(Node::str).unwrap_or_default();
    let about = root.at(&["involvedObject", "namespace"]);
    let is_same = match about.and_then(Node::str).unwrap_or_default() {
        "" => matches!(own, "" | "default"),
        // Where none is written, that of the request stands for it.
        about => own == about || own.is_empty(),
    };
    if !is_same {
        let at = about.or(root.get("involvedObject")).unwrap_or(root);
        let says = format!("is not of `{own}`, the namespace of the event");
        found.wrong(at, says, "another namespace", "write the event where its object is");
    }
}

fn common<'d>(root: Node<'d>, controller: &str, about: &str, found: &mut Found<'d>) {
    found.required(root, &[controller, "reportingInstance", "action", "reason"]);
    found.form(root.get(controller), is_qualified_name, "a name: `example.com/controller`");
    for (key, most) in
        [("action", 128), ("reason", 128), ("reportingInstance", 128), ("note", 1024)]
    {
        let is_long = |it: &Node<'_>| it.str().is_some_and(|it| it.len() > most);
        if let Some(it) = root.get(key).filter(is_long) {
            let says = format!("is longer than {most} characters");
            found.wrong(it, says, "too long", "shorten it");
        }
    }
    let own = root.at(&["metadata", "namespace"]).and_then(Node::str).unwrap_or_default();
    let namespace = root.get(about).and_then(|it| it.text("namespace")).unwrap_or_default();
    if namespace.is_empty() && !matches!(own, "" | "default" | "kube-system") {
        let at = root.get(about).unwrap_or(root);
        let says = format!("names no namespace, and the event is of `{own}`");
        found.wrong(at, says, "no namespace", format!("set `namespace: {own}`"));
    }
}
