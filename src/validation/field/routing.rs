//! Services and Ingresses (`pkg/apis/core/validation`, `pkg/apis/networking/validation`).

use super::Found;
use super::cluster::{is_address, is_cidr, is_network};
use super::container::{exactly_one, port};
use super::metadata::{self, LABEL, SUBDOMAIN};
use super::names::{is_dns_label, is_dns_subdomain, is_host, is_port_name, is_qualified_name};
use crate::api::version::KubernetesVersion;
use crate::text::tree::Node;
use rustc_hash::FxHashSet;

pub(super) fn service<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    metadata::label_map(spec.get("selector"), found);
    let kind = spec.text("type").unwrap_or("ClusterIP");
    let is_headless = spec.text("clusterIP") == Some("None");
    let count = spec.get("ports").map_or(0, Node::count);
    if kind == "ExternalName" {
        match spec.get("externalName").filter(|it| it.str() != Some("")) {
            Some(name) => {
                // A dot at the end is taken off (`validateService`).
                let is = |it: &str| is_dns_subdomain(it.strip_suffix('.').unwrap_or(it));
                found.form(Some(name), is, "the name of a host");
            }
            None => found.missing(spec, "externalName"),
        }
        if let Some(ip) =
            spec.get("clusterIP").filter(|it| it.str().is_some_and(|it| !it.is_empty()))
        {
            let says = "is set, and an ExternalName has no address";
            found.wrong(ip, says, "not for ExternalName", "remove it");
        }
    } else if count == 0 && !is_headless && !super::is_filled_in_later(kind) {
        found.missing(spec, "ports");
    }
    if let Some(ip) =
        spec.get("clusterIP").filter(|_| is_headless && matches!(kind, "NodePort" | "LoadBalancer"))
    {
        let says = format!("is `None`, and a {kind} has an address");
        found.wrong(ip, says, "no address", "remove it, or use `type: ClusterIP`");
    }
    addresses(spec, kind, found);
    affinity(spec, kind, found);
    let (mut names, mut ports) = (FxHashSet::default(), Vec::new());
    for port in spec.list("ports").filter(|it| it.is_map()) {
        service_port(port, kind, count, found);
        found.once(port.get("name"), &mut names, "port");
        let protocol = port.text("protocol").filter(|it| !it.is_empty()).unwrap_or("TCP");
        let Some(number) = port.get("port").and_then(Node::int) else { continue };
        if ports.contains(&(number, protocol)) {
            let says = format!("is {number}/{protocol} once more");
            found.wrong(port, says, "the same port", "give it another `port` or `protocol`");
        }
        ports.push((number, protocol));
    }
    if matches!(kind, "ClusterIP" | "ExternalName")
        && let Some(policy) = spec.get("externalTrafficPolicy").filter(|it| it.str() != Some(""))
        && spec.get("externalIPs").is_none_or(|it| it.count() == 0)
    {
        let says = "is set, and nothing from outside gets to the Service";
        found.wrong(policy, says, "only for NodePort and LoadBalancer", "remove it");
    }
}

/// The addresses of a Service, and from where its load balancer is reached.
fn addresses<'d>(spec: Node<'d>, kind: &str, found: &mut Found<'d>) {
    let what = "an address: `10.96.0.10`";
    let is = |it: &str| it == "None" || is_address(it);
    found.form(spec.get("clusterIP"), is, "an address, or `None`");
    let all = spec.get("clusterIPs").filter(|it| it.count() > 0);
    all.into_iter().flat_map(Node::items).for_each(|it| found.required_form(it, is, what));
    if let Some(first) = all.and_then(|it| it.item(0))
        && first.str() != Some(spec.text("clusterIP").unwrap_or_default())
        && first.str().is_some()
    {
        let says = "is not the `clusterIP`, as the first of them is";
        found.wrong(first, says, "another address", "write the same address in both");
    }
    spec.list("externalIPs").for_each(|it| found.required_form(it, is_address, what));
    let mut families = FxHashSet::default();
    for family in spec.list("ipFamilies") {
        found.known(family, &["IPv4", "IPv6"]);
        found.once(Some(family), &mut families, "family");
    }
    let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
    found.word(spec.get("ipFamilyPolicy"), &policies);
    let is_balanced = kind == "LoadBalancer" || super::is_filled_in_later(kind);
    for range in spec.list("loadBalancerSourceRanges") {
        let is = |it: &str| is_cidr(it.trim());
        found.required_form(range, is, "a range of addresses: `10.0.0.0/8`");
    }
    const BALANCED: [&str; 3] =
        ["allocateLoadBalancerNodePorts", "loadBalancerClass", "loadBalancerSourceRanges"];
    for it in BALANCED.iter().filter_map(|it| spec.get(it)).filter(|_| !is_balanced) {
        let is_empty = it.is_seq() && it.count() == 0;
        if !is_empty {
            let says = "is set, and the Service has no load balancer";
            found.wrong(
                it,
                says,
                "only for LoadBalancer",
                "remove it, or use `type: LoadBalancer`",
            );
        }
    }
    found.form(spec.get("loadBalancerClass"), is_qualified_name, "a name: `example.com/class`");
    let health = spec.get("healthCheckNodePort").filter(|it| it.int() != Some(0));
    let is_local = spec.text("externalTrafficPolicy") == Some("Local");
    if let Some(health) = health.filter(|_| kind != "LoadBalancer" || !is_local) {
        let says = "is set, and only a LoadBalancer with `externalTrafficPolicy: Local` has one";
        found.wrong(health, says, "for nothing", "remove it");
    }
}

/// To which pods the same client and a node's own traffic go.
fn affinity<'d>(spec: Node<'d>, kind: &str, found: &mut Found<'d>) {
    found.word(spec.get("sessionAffinity"), &["ClientIP", "None"]);
    found.word(spec.get("externalTrafficPolicy"), &["Cluster", "Local"]);
    found.word(spec.get("internalTrafficPolicy"), &["Cluster", "Local"]);
    let config = spec.get("sessionAffinityConfig").filter(|it| it.is_map());
    match (spec.text("sessionAffinity"), config) {
        (Some("ClientIP"), Some(config)) => {
            found.range(config.at(&["clientIP", "timeoutSeconds"]), 1, 86400);
        }
        (Some("None" | "") | None, Some(config)) if kind != "ExternalName" => {
            let says = "stands without `sessionAffinity: ClientIP`";
            found.wrong(
                config,
                says,
                "for nothing",
                "set `sessionAffinity: ClientIP`, or remove it",
            );
        }
        _ => {}
    }
}

fn service_port<'d>(node: Node<'d>, kind: &str, count: usize, found: &mut Found<'d>) {
    found.form(node.get("name"), is_dns_label, LABEL);
    if count > 1 && node.get("name").is_none_or(|it| it.str() == Some("")) {
        found.missing(node, "name");
    }
    found.range(node.get("port"), 1, 65535);
    found.word(node.get("protocol"), &["SCTP", "TCP", "UDP"]);
    found.form(node.get("appProtocol"), is_qualified_name, "the name of a protocol");
    // 0 and nothing stand for `port` (SetDefaults_Service).
    port(node.get("targetPort").filter(|it| it.int() != Some(0)), found);
    let Some(at_node) = node.get("nodePort").filter(|it| it.int() != Some(0)) else { return };
    match kind {
        "NodePort" | "LoadBalancer" => {
            let (least, most) = found.settings.node_ports.unwrap_or((1, 65535));
            found.range(Some(at_node), least, most);
        }
        "ClusterIP" | "ExternalName" => {
            let says = format!("is set, and a {kind} has no ports on nodes");
            found.wrong(at_node, says, "not for this type", "remove it, or use `type: NodePort`");
        }
        _ => {}
    }
}

/// Selectors and blocks of a NetworkPolicy; what else it may not be has a rule of its own.
pub(super) fn network_policy<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    metadata::selector(spec.get("podSelector"), found);
    let sides = [("ingress", "from"), ("egress", "to")];
    let rules = sides.iter().flat_map(|(side, peers)| spec.list(side).map(move |it| (it, peers)));
    for peer in rules.flat_map(|(rule, peers)| rule.list(peers)) {
        metadata::selector(peer.get("podSelector"), found);
        metadata::selector(peer.get("namespaceSelector"), found);
        let Some(block) = peer.get("ipBlock") else { continue };
        block.get("cidr").into_iter().chain(block.list("except")).for_each(|it| strict(it, found));
    }
}

/// From 1.36 on a block is written in one way only (`StrictIPCIDRValidation`, KEP-4858).
fn strict<'d>(block: Node<'d>, found: &mut Found<'d>) {
    if found.settings.version < KubernetesVersion::minor(36) {
        return;
    }
    let Some(text) = block.str().filter(|it| is_cidr(it) && !is_network(it)) else { return };
    let says = format!("is `{text}`, with bits beyond its length or zeros before its numbers");
    found.wrong(block, says, "not its first address", "write the first address of the block");
}

pub(super) fn ingress<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    found.form(spec.get("ingressClassName"), is_dns_subdomain, SUBDOMAIN);
    for tls in spec.list("tls") {
        found.form(tls.get("secretName"), is_dns_subdomain, SUBDOMAIN);
    }
    let has_rules = spec.get("rules").is_some_and(|it| it.count() > 0);
    // The older versions of the API have other names for these.
    let old = ["backend"].iter().any(|it| spec.get(it).is_some());
    if !has_rules && spec.get("defaultBackend").is_none() && !old {
        let says = "has neither `rules` nor `defaultBackend`";
        found.wrong(spec, says, "nothing to route", "set one of them");
    }
    spec.get("defaultBackend").into_iter().for_each(|it| backend(it, found));
    for rule in spec.list("rules") {
        host(rule.get("host"), found);
        for path in rule.get("http").into_iter().flat_map(|it| it.list("paths")) {
            path_of(path, found);
        }
    }
    spec.list("tls").flat_map(|it| it.list("hosts")).for_each(|it| host(Some(it), found));
}

fn host<'d>(host: Option<Node<'d>>, found: &mut Found<'d>) {
    found.form(
        host,
        is_host,
        "a domain in lower case, without a port, perhaps with `*.` before it",
    );
}

fn path_of<'d>(node: Node<'d>, found: &mut Found<'d>) {
    let kind = node.text("pathType").unwrap_or_default();
    found.word(node.get("pathType"), &["Exact", "ImplementationSpecific", "Prefix"]);
    // Before networking.k8s.io/v1 it was optional.
    if kind.is_empty() && node.get("pathType").is_some() {
        found.missing(node, "pathType");
    }
    let is_free = kind == "ImplementationSpecific";
    let text = node.get("path").and_then(Node::str).unwrap_or_default();
    let is_due = matches!(kind, "Exact" | "Prefix") || is_free && !text.is_empty();
    if is_due && !text.starts_with('/') && !super::is_filled_in_later(text) {
        let at = node.get("path").unwrap_or(node);
        let says = format!("is `{text}`, and has to begin with `/`");
        found.wrong(at, says, "no path from the root", "begin it with `/`");
    }
    node.get("backend").into_iter().for_each(|it| backend(it, found));
}

fn backend<'d>(node: Node<'d>, found: &mut Found<'d>) {
    if !node.is_map() || node.get("serviceName").is_some() {
        return;
    }
    exactly_one(node, &["resource", "service"], "backend", found);
    let Some(service) = node.get("service").filter(|it| it.is_map()) else { return };
    found.form(service.get("name"), is_dns_label, LABEL);
    let port = service.get("port").filter(|it| it.is_map());
    let name = port.and_then(|it| it.get("name")).filter(|it| it.str() != Some(""));
    let number = port.and_then(|it| it.get("number")).filter(|it| it.int() != Some(0));
    match (name, number) {
        (None, None) => {
            let at = port.unwrap_or(service);
            let says = "has neither the name nor the number of a port";
            found.wrong(at, says, "no port", "set `port: {number: …}` or `port: {name: …}`");
        }
        (Some(_), Some(number)) => {
            let says = "stands beside `name`, and one of them tells";
            found.wrong(number, says, "two ports", "keep one of them");
        }
        (name, number) => {
            let what = "15 lower case letters, digits and `-` at most, with a letter among them";
            found.form(name, is_port_name, what);
            found.range(number, 1, 65535);
        }
    }
}
