//! References of the Gateway API into other namespaces that no ReferenceGrant there allows.

use crate::absence::Absence;
use crate::api::kind::Kind;
use crate::model::{Model, Object};
use crate::rule::{Admission, Cx, Finding, Group, Out, Rule, Severity};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// The rule.
pub(in crate::rules) static RULE: Rule = Rule {
    id: "gateway-reference-denied",
    title: "a Gateway or route refers to another namespace without a ReferenceGrant",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Deny,
    reads: &[
        Kind::GRPCRoute,
        Kind::Gateway,
        Kind::HTTPRoute,
        Kind::ReferenceGrant,
        Kind::TCPRoute,
        Kind::TLSRoute,
        Kind::UDPRoute,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("gateway_reference_denied.md"),
    check,
};

/// The group of Gateways and routes.
const GATEWAY_API: &str = "gateway.networking.k8s.io";

/// A reference into another namespace.
struct Reference<'c, 'd> {
    from: &'c Object<'d>,
    /// The field that names what it refers to.
    node: Node<'d>,
    kind: &'static str,
    namespace: &'d str,
    name: &'d str,
}

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let mut grants: FxHashMap<&str, Vec<&Object<'_>>> = FxHashMap::default();
    for grant in cx.model.of_kind(Kind::ReferenceGrant) {
        grants.entry(grant.namespace).or_default().push(grant);
    }
    for reference in references(cx) {
        let there = grants.get(reference.namespace).map_or(&[][..], Vec::as_slice);
        if there.iter().any(|it| allows(it, &reference)) {
            continue;
        }
        match cx.absence_of(Kind::ReferenceGrant, reference.namespace, "*") {
            Absence::Absent => out.find(finding(&reference, there)),
            Absence::Elsewhere => {}
            Absence::CannotTell(missing) => out.cannot_tell(reference.from, missing),
        }
    }
}

fn references<'c, 'd>(cx: &Cx<'c, 'd>) -> Vec<Reference<'c, 'd>> {
    let services = cx.facts.backends().iter().map(|it| Reference {
        from: cx.object(it.object),
        node: it.name,
        kind: "Service",
        namespace: it.namespace,
        name: it.service,
    });
    let secrets = certificates(cx.model);
    services.chain(secrets).filter(|it| it.namespace != it.from.namespace).collect()
}

fn certificates<'c, 'd>(model: &'c Model<'d>) -> impl Iterator<Item = Reference<'c, 'd>> {
    model.of_kind(Kind::Gateway).flat_map(|from| {
        let listeners = from.field(&["spec"]).into_iter().flat_map(|it| it.list("listeners"));
        let tls = listeners.filter_map(|it| it.get("tls"));
        let references = tls.flat_map(|it| it.list("certificateRefs"));
        references.filter_map(move |it| {
            let is_secret = it.text("group").unwrap_or("").is_empty()
                && it.text("kind").is_none_or(|it| it == "Secret");
            let node = it.get("name").filter(|_| is_secret)?;
            let namespace = it.text("namespace").unwrap_or(from.namespace);
            Some(Reference { from, node, kind: "Secret", namespace, name: node.str()? })
        })
    })
}

/// Some `from` names the referrer's group, kind and namespace, and some `to` what it refers to, by name or as a kind.
fn allows(grant: &Object<'_>, reference: &Reference<'_, '_>) -> bool {
    let Some(spec) = grant.field(&["spec"]) else { return false };
    let from = spec.list("from").any(|it| {
        it.text("group") == Some(GATEWAY_API)
            && it.text("kind") == Some(reference.from.kind_name)
            && it.text("namespace") == Some(reference.from.namespace)
    });
    let to = spec.list("to").any(|it| {
        it.text("group").unwrap_or("").is_empty()
            && it.text("kind") == Some(reference.kind)
            && it.text("name").is_none_or(|it| it == reference.name)
    });
    from && to
}

fn finding(reference: &Reference<'_, '_>, there: &[&Object<'_>]) -> Finding {
    let Reference { from, kind, namespace, name, .. } = reference;
    let mut finding = Finding::new(
        format!(
            "`{from}` refers to `{kind}/{namespace}/{name}`, which nothing in namespace `{namespace}` allows"
        ),
        from.place(reference.node),
        format!("a {kind} of namespace `{namespace}`"),
    );
    for grant in there.iter().take(4) {
        finding = finding.hint(grant.at("spec"), "allows other references");
    }
    finding
        .note("a reference into another namespace counts only where that namespace allows it; without, the controller ignores the backend or the certificate")
        .help(format!(
            "add to namespace `{namespace}` a ReferenceGrant from group {GATEWAY_API}, kind {}, namespace {} to kind {kind}, name {name}",
            from.kind_name, from.namespace
        ))
        .awaits(&[Kind::ReferenceGrant])
}
