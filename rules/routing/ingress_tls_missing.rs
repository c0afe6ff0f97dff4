//! Ingresses in the clear, and those whose certificate is not there.

use crate::absence::Wanted;
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "ingress-tls-missing",
    title: "an Ingress serves hosts without TLS, or its certificate is missing",
    severity: Severity::Warning,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::Ingress,
        Kind::Secret,
        Kind::Certificate,
        Kind::ExternalSecret,
        Kind::SealedSecret,
    ],
    like: &["polaris:tlsSettingsMissing"],
    parameters: &[],
    page: include_str!("ingress_tls_missing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// Annotations by which TLS is ended or passed on without `spec.tls`.
const WITHOUT_SPEC: &[&str] = &[
    "alb.ingress.kubernetes.io/certificate-arn",
    "appgw.ingress.kubernetes.io/appgw-ssl-certificate",
    "haproxy.org/ssl-passthrough",
    "haproxy-ingress.github.io/ssl-passthrough",
    "ingress.gcp.kubernetes.io/pre-shared-cert",
    "ingress.kubernetes.io/ssl-passthrough",
    "networking.gke.io/managed-certificates",
    "nginx.ingress.kubernetes.io/ssl-passthrough",
    "route.openshift.io/termination",
    "traefik.ingress.kubernetes.io/router.tls",
];

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for object in cx.model.of_kind(Kind::Ingress) {
        let Some(spec) = object.field(&["spec"]) else { continue };
        if spec.list("tls").next().is_none() {
            if !ends_elsewhere(object) {
                out.find(in_the_clear(object));
            }
            continue;
        }
        uncovered_hosts(object, spec, out);
        for name in spec.list("tls").filter_map(|it| it.get("secretName")) {
            secret(cx, object, name, out);
        }
    }
}

fn ends_elsewhere(object: &Object<'_>) -> bool {
    let listens_to_https = object
        .annotation("alb.ingress.kubernetes.io/listen-ports")
        .is_some_and(|it| it.contains("HTTPS"));
    listens_to_https
        || WITHOUT_SPEC.iter().any(|it| object.annotation(it).is_some_and(|it| it != "false"))
}

fn in_the_clear(object: &Object<'_>) -> Finding {
    let spec = object.field(&["spec"]).into_iter();
    let hosts: Vec<_> =
        spec.flat_map(|it| it.list("rules")).filter_map(|it| it.text("host")).collect();
    let hosts = if hosts.is_empty() { "any host".into() } else { hosts.join(", ") };
    Finding::new(format!("`{object}` serves {hosts} without TLS"), object.at("spec"), "no `tls`")
        .note("requests, cookies and passwords cross the network in the clear")
        .help("add `tls` with the hosts and a Secret of type kubernetes.io/tls; cert-manager makes it from an annotation `cert-manager.io/cluster-issuer`")
}

/// Hosts for which no entry of `tls` has a certificate.
fn uncovered_hosts(object: &Object<'_>, spec: Node<'_>, out: &mut Out) {
    // An entry without hosts is for all of them.
    if spec.list("tls").any(|it| it.list("hosts").next().is_none()) {
        return;
    }
    let covered: Vec<_> =
        spec.list("tls").flat_map(|it| it.list("hosts")).filter_map(Node::str).collect();
    let mut told = Vec::new();
    for host in spec.list("rules").filter_map(|it| it.get("host")) {
        let Some(name) = host.str().filter(|it| !it.is_empty()) else { continue };
        if covered.iter().any(|it| covers(it, name)) || told.contains(&name) {
            continue;
        }
        told.push(name);
        let finding = Finding::new(
            format!("`{object}` serves {name} without TLS: no entry of `tls` names it"),
            object.place(host),
            "not among the hosts of `tls`",
        );
        out.find(
            finding
                .label(object.at("spec.tls"), format!("for {}", covered.join(", ")))
                .note("a wildcard stands for one label: `*.shop.example` covers `www.shop.example`, and not `shop.example`")
                .help(format!("add `{name}` to the hosts of an entry of `tls`")),
        );
    }
}

fn covers(pattern: &str, host: &str) -> bool {
    let by_wildcard = || {
        let (label, rest) = host.split_once('.')?;
        Some(!label.is_empty() && pattern.strip_prefix("*.")? == rest)
    };
    pattern.eq_ignore_ascii_case(host) || by_wildcard() == Some(true)
}

fn secret(cx: &Cx<'_, '_>, object: &Object<'_>, node: Node<'_>, out: &mut Out) {
    let Some(name) = node.str().filter(|it| !it.is_empty()) else { return };
    let namespace = object.namespace;
    if let Some(secret) = cx.model.find(Kind::Secret, namespace, name) {
        out.findings.extend(of_another_type(object, node, secret));
        return;
    }
    if cx.facts.made_secrets().find(namespace, name).is_some() {
        return;
    }
    let absence = cx.absence_of(Wanted::object(Kind::Secret, namespace, name));
    out.report_absent(object, absence, || {
        Finding::new(
            format!("`{object}` takes its certificate from Secret `{name}`, which namespace `{namespace}` does not have"),
            object.place(node),
            "no such Secret",
        )
        .note("without it the controller serves a certificate of its own, which no client trusts")
        .help(format!("add Secret `{name}` of type kubernetes.io/tls, or a Certificate that makes it"))
    });
}

fn of_another_type(object: &Object<'_>, node: Node<'_>, secret: &Object<'_>) -> Option<Finding> {
    let written = secret.field(&["type"]);
    let kind = written.and_then(Node::str).unwrap_or("Opaque");
    if kind == "kubernetes.io/tls" {
        return None;
    }
    let has =
        |key: &str| ["data", "stringData"].iter().any(|it| secret.field(&[it, key]).is_some());
    let finding = Finding::new(
        format!("`{object}` takes its certificate from `{secret}`, which is of type {kind}"),
        object.place(node),
        "the Secret of the certificate",
    )
    .label(secret.at("type"), format!("type {kind}"));
    Some(if has("tls.crt") && has("tls.key") {
        finding
            .severity(Severity::Note)
            .note("it has `tls.crt` and `tls.key`, which most controllers take; some want the type as well")
            .help("set `type: kubernetes.io/tls`")
    } else {
        finding
            .note("a certificate is taken from the keys `tls.crt` and `tls.key`, and it lacks one")
            .help("use a Secret of type kubernetes.io/tls")
    })
}
