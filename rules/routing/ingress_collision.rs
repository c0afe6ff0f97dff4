//! One host and path in two places.

use crate::api::kind::Kind;
use crate::model::{Model, Object};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "ingress-collision",
    title: "two Ingress paths are the same",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::Ingress],
    like: &[],
    parameters: &[],
    page: include_str!("ingress_collision.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// What two paths have in common when a request matches both alike.
#[derive(PartialEq, Eq, Hash)]
struct Key<'d> {
    /// Where the controller keeps routes apart: its class, and what splits that up.
    router: Vec<&'d str>,
    host: &'d str,
    path: &'d str,
    path_type: &'d str,
}

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let mut seen: FxHashMap<Key<'_>, (&Object<'_>, Node<'_>)> = FxHashMap::default();
    for object in cx.model.of_kind(Kind::Ingress).filter(|it| !is_conditional(it)) {
        for (key, node) in paths(cx.model, object) {
            let Some((first, of_first)) = seen.get(&key) else {
                seen.insert(key, (object, node));
                continue;
            };
            out.find(finding(&key, (first, *of_first), (object, node)));
        }
    }
}

/// Whether annotations make it one of several for the same path: a canary, or one for certain headers or methods only.
fn is_conditional(object: &Object<'_>) -> bool {
    let annotations = object.field(&["metadata", "annotations"]).into_iter().flat_map(Node::pairs);
    annotations.filter_map(|(key, value)| Some((key, value.str()?))).any(|(key, value)| {
        key == "nginx.ingress.kubernetes.io/canary" && value == "true"
            || key.starts_with("alb.ingress.kubernetes.io/conditions.")
            || key == "konghq.com/methods"
            || key.starts_with("konghq.com/headers")
    })
}

/// The paths of an Ingress and their nodes.
fn paths<'d>(model: &Model<'d>, object: &Object<'d>) -> Vec<(Key<'d>, Node<'d>)> {
    let mut paths = Vec::new();
    let router = router(model, object);
    for rule in object.field(&["spec"]).into_iter().flat_map(|it| it.list("rules")) {
        let host = rule.text("host").unwrap_or("");
        for node in rule.get("http").into_iter().flat_map(|it| it.list("paths")) {
            let path = node.text("path").filter(|it| !it.is_empty()).unwrap_or("/");
            let path_type = node.text("pathType").unwrap_or("ImplementationSpecific");
            // `/a` and `/a/` are one prefix (API documentation of HTTPIngressPath).
            let path = match path_type {
                "Prefix" if path.len() > 1 => path.strip_suffix('/').unwrap_or(path),
                _ => path,
            };
            let key = Key { router: router.clone(), host, path, path_type };
            paths.push((key, node));
        }
    }
    paths
}

/// What keeps one Ingress apart from another: the class; the load balancer, where each Ingress or group has one of its
/// own; the entry points.
fn router<'d>(model: &Model<'d>, object: &Object<'d>) -> Vec<&'d str> {
    let class = object
        .field(&["spec", "ingressClassName"])
        .and_then(Node::str)
        .or_else(|| object.annotation("kubernetes.io/ingress.class"))
        .unwrap_or("");
    let controller = model
        .find(Kind::IngressClass, "", class)
        .and_then(|it| it.field(&["spec", "controller"])?.str())
        .unwrap_or(class);
    let mut router = vec![class];
    if controller.contains("alb") || controller.contains("gce") {
        match object.annotation("alb.ingress.kubernetes.io/group.name") {
            Some(group) => router.extend(["group", group]),
            None => router.extend([object.namespace, object.name]),
        }
    }
    router.extend(object.annotation("traefik.ingress.kubernetes.io/router.entrypoints"));
    router
}

fn finding(
    key: &Key<'_>,
    (first, of_first): (&Object<'_>, Node<'_>),
    (second, of_second): (&Object<'_>, Node<'_>),
) -> Finding {
    let host = if key.host.is_empty() { "any host" } else { key.host };
    let message = if first.id == second.id {
        format!("`{second}` has `{}` twice for {host}", key.path)
    } else {
        format!("`{second}` and `{first}` both have `{}` for {host}", key.path)
    };
    // To the same backend in the same namespace, as under a new name of the Ingress.
    let is_rename = first.id != second.id
        && first.namespace == second.namespace
        && match (of_first.get("backend"), of_second.get("backend")) {
            (Some(a), Some(b)) => a.same(b),
            _ => false,
        };
    let first_place = of_first.get("path").unwrap_or(of_first);
    let second_place = of_second.get("path").unwrap_or(of_second);
    Finding::new(message, second.place(second_place), format!("{} `{}` again", key.path_type, key.path))
        .label(first.place(first_place), "the first")
        .renamed(is_rename)
        .note("of two equal paths one wins, and which one depends on the controller: the order of creation, mostly")
        .help("remove one of them, or give them different hosts, paths or classes")
}
