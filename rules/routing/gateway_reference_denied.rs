//! References of the Gateway API into other namespaces that no ReferenceGrant there allows.

use crate::absence::Wanted;
use crate::analyze::references::route_attachment::{GATEWAY_API, is_of_mesh};
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use rustc_hash::{FxHashMap, FxHashSet};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "gateway-reference-denied",
    title: "a Gateway or route refers to another namespace without a ReferenceGrant",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
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
    reads_images: None,
    checks: &[Check::World(check)],
};

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
    let grants = Grants::new(cx);
    for reference in references(cx) {
        if grants.allow(&reference) {
            continue;
        }
        // GEP-1294 leaves it open whether a route of a mesh needs a grant, and most implementations ask for none.
        if is_of_mesh(reference.from) {
            out.cannot_tell(
                reference.from,
                format!(
                    "whether the mesh asks for a ReferenceGrant in namespace `{}`: the route's parents are Services, and most implementations do not",
                    reference.namespace
                ),
            );
            continue;
        }
        let there = grants.by_namespace.get(reference.namespace).map_or(&[][..], Vec::as_slice);
        let wanted = Wanted::any(Kind::ReferenceGrant, reference.namespace);
        out.report_absent(reference.from, cx.absence_of(wanted), || finding(&reference, there));
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

/// What is granted: some `from` of a ReferenceGrant names the referrer's group, kind and namespace, and some `to` what it
/// refers to, by name or as a kind.
#[derive(Default)]
struct Grants<'c, 'd> {
    by_namespace: FxHashMap<&'d str, Vec<&'c Object<'d>>>,
    /// The grants by their namespace, and the kinds and namespaces that they name as `from`.
    from: FxHashMap<(&'d str, &'d str, &'d str), Vec<ObjId>>,
    /// The kinds, and names where they have some, that grants name as `to`.
    to: FxHashSet<(ObjId, &'d str, Option<&'d str>)>,
}

impl<'c, 'd> Grants<'c, 'd> {
    fn new(cx: &Cx<'c, 'd>) -> Grants<'c, 'd> {
        let mut grants = Grants::default();
        for grant in cx.model.of_kind(Kind::ReferenceGrant) {
            grants.by_namespace.entry(grant.namespace).or_default().push(grant);
            let Some(spec) = grant.field(&["spec"]) else { continue };
            let from = spec.list("from").filter(|it| it.text("group") == Some(GATEWAY_API));
            for (kind, namespace) in from.filter_map(|it| it.text("kind").zip(it.text("namespace")))
            {
                let of_from = grants.from.entry((grant.namespace, kind, namespace)).or_default();
                if of_from.last() != Some(&grant.id) {
                    of_from.push(grant.id);
                }
            }
            let to = spec.list("to").filter(|it| it.text("group").unwrap_or("").is_empty());
            let to = to.filter_map(|it| Some((grant.id, it.text("kind")?, it.text("name"))));
            grants.to.extend(to);
        }
        grants
    }

    fn allow(&self, it: &Reference<'_, 'd>) -> bool {
        let from = (it.namespace, it.from.kind_name, it.from.namespace);
        let mut grants = self.from.get(&from).into_iter().flatten();
        let names = [None, Some(it.name)];
        grants.any(|grant| names.iter().any(|name| self.to.contains(&(*grant, it.kind, *name))))
    }
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
