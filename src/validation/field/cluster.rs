//! Nodes, classes, addresses and other objects of the cluster as a whole.

use super::metadata::{self, LABEL, SUBDOMAIN};
use super::names::{
    is_dns_label, is_dns_subdomain, is_host, is_label_value, is_path_segment, is_qualified_name,
};
use super::{Found, pod, resources};
use crate::text::tree::Node;
use crate::validation::values;
use rustc_hash::FxHashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `ValidateNode` of `pkg/apis/core/validation`.
pub(super) fn node<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let mut seen = FxHashSet::default();
    for taint in spec.list("taints") {
        found.form(taint.get("key"), is_qualified_name, "the key of a taint");
        found.form(taint.get("value"), is_label_value, "the value of a label");
        found.word(taint.get("effect"), &["NoExecute", "NoSchedule", "PreferNoSchedule"]);
        let key = (taint.text("key").unwrap_or_default(), taint.text("effect").unwrap_or_default());
        if !seen.insert(key) {
            let says = format!("is the second taint `{}` with `{}`", key.0, key.1);
            found.wrong(taint, says, "the same once more", "keep one of them");
        }
    }
    let of_family = |six: bool| {
        let is = move |it: &Node<'_>| it.str().is_some_and(|it| it.contains(':') == six);
        spec.list("podCIDRs").filter(is).count()
    };
    if let Some(cidrs) =
        spec.get("podCIDRs").filter(|_| of_family(true) > 1 || of_family(false) > 1)
    {
        let says = "has more than one range of a family";
        found.wrong(cidrs, says, "too many", "write one for IPv4 and one for IPv6");
    }
    for cidr in spec.list("podCIDRs") {
        found.required_form(cidr, is_cidr, "a range of addresses: `10.0.0.0/24`");
    }
}

/// Whether it is a range of addresses.
pub(super) fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let most = match unpadded(address).parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.parse::<u8>().is_ok_and(|it| it <= most)
}

/// Whether it is an address; zeros before its numbers, which older versions take, count for nothing.
pub(super) fn is_address(text: &str) -> bool {
    unpadded(text).parse::<IpAddr>().is_ok()
}

/// An IPv4 address without zeros before its numbers.
fn unpadded(text: &str) -> String {
    let part = |it: &str| match it.trim_start_matches('0') {
        "" if !it.is_empty() => "0".to_string(),
        rest => rest.to_string(),
    };
    match text.contains(':') {
        true => text.to_string(),
        false => text.split('.').map(part).collect::<Vec<_>>().join("."),
    }
}

/// `ValidateIngressClass` of `pkg/apis/networking/validation`.
pub(super) fn ingress_class<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    found.required(spec, &["controller"]);
    let what = "a domain and a path: `example.com/controller`";
    found.form(spec.get("controller"), is_domain_prefixed, what);
    let Some(parameters) = spec.get("parameters").filter(|it| it.is_map()) else { return };
    for key in ["kind", "name"] {
        found.form(parameters.get(key), is_path_segment, "a name without `/` and `%`");
    }
    found.form(parameters.get("apiGroup"), is_dns_subdomain, SUBDOMAIN);
    found.word(parameters.get("scope"), &["Cluster", "Namespace"]);
    match (parameters.text("scope"), parameters.get("namespace")) {
        (Some("Namespace"), None) => found.missing(parameters, "namespace"),
        (Some("Cluster") | None, Some(namespace)) => {
            let says = "is set, and the parameters are of the cluster";
            found.wrong(namespace, says, "of the cluster", "set `scope: Namespace`, or remove it");
        }
        (_, namespace) => found.form(namespace, is_dns_label, LABEL),
    }
}

/// `IsDomainPrefixedPath`.
pub(super) fn is_domain_prefixed(text: &str) -> bool {
    let Some((domain, path)) = text.split_once('/') else { return false };
    let is_part = |it: u8| it.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&it);
    is_dns_subdomain(domain) && !path.is_empty() && text.len() <= 250 && path.bytes().all(is_part)
}

/// `ValidateRuntimeClass` of `pkg/apis/node/validation`.
pub(super) fn runtime_class<'d>(root: Node<'d>, found: &mut Found<'d>) {
    found.form(root.get("handler"), is_dns_label, LABEL);
    if let Some(overhead) = root.at(&["overhead", "podFixed"]) {
        resources::amounts(overhead, found);
    }
    let Some(scheduling) = root.get("scheduling") else { return };
    metadata::label_map(scheduling.get("nodeSelector"), found);
    scheduling.list("tolerations").for_each(|it| pod::toleration(it, found));
    if let Some(list) = scheduling.get("tolerations") {
        found.faults.extend(values::twice(list, |it| it.is_map().then(|| values::json(it))));
    }
}

/// `ValidateEndpointSlice` of `pkg/apis/discovery/validation`.
pub(super) fn endpoint_slice<'d>(root: Node<'d>, found: &mut Found<'d>) {
    found.word(root.get("addressType"), &["FQDN", "IPv4", "IPv6"]);
    let (is, what): (fn(&str) -> bool, _) = match root.text("addressType") {
        Some("IPv4") => (|it| unpadded(it).parse::<Ipv4Addr>().is_ok(), "an IPv4 address"),
        Some("IPv6") => (|it| it.parse::<Ipv6Addr>().is_ok(), "an IPv6 address"),
        Some("FQDN") => (|it| is_host(it) && it.contains('.'), "the name of a host"),
        _ => (|_| true, ""),
    };
    for endpoint in root.list("endpoints") {
        if endpoint.get("addresses").is_none_or(|it| it.count() == 0) {
            found.missing(endpoint, "addresses");
        }
        for address in endpoint.list("addresses") {
            found.required_form(address, is, what);
        }
        found.form(endpoint.get("hostname"), is_dns_label, LABEL);
        found.form(endpoint.get("nodeName"), is_dns_subdomain, SUBDOMAIN);
    }
    let mut names = FxHashSet::default();
    for port in root.list("ports") {
        let name = port.text("name").unwrap_or_default();
        if !names.insert(name) {
            let says = format!("is the second with the name `{name}`");
            found.wrong(port, says, "a name once more", "give it a name of its own");
        }
        found.form(port.get("name"), is_dns_label, LABEL);
        found.word(port.get("protocol"), &["SCTP", "TCP", "UDP"]);
        found.form(port.get("appProtocol"), is_qualified_name, "the name of a protocol");
    }
}

/// `validateEndpointSubsets` of `pkg/apis/core/validation`.
pub(super) fn endpoints<'d>(root: Node<'d>, found: &mut Found<'d>) {
    for subset in root.list("subsets") {
        let lists = ["addresses", "notReadyAddresses"];
        if lists.iter().all(|it| subset.get(it).is_none_or(|it| it.count() == 0)) {
            let says = "has neither `addresses` nor `notReadyAddresses`";
            found.wrong(subset, says, "nobody", "set one of them");
        }
        for address in lists.iter().flat_map(|it| subset.list(it)) {
            found.form(address.get("ip"), is_address, "an address: `10.0.0.10`");
            found.form(address.get("hostname"), is_dns_label, LABEL);
            found.form(address.get("nodeName"), is_dns_subdomain, SUBDOMAIN);
        }
        let count = subset.get("ports").map_or(0, Node::count);
        for port in subset.list("ports") {
            if count > 1 {
                found.required(port, &["name"]);
            }
            found.form(port.get("name"), is_dns_label, LABEL);
            found.range(port.get("port"), 1, 65535);
            found.word(port.get("protocol"), &["SCTP", "TCP", "UDP"]);
            found.form(port.get("appProtocol"), is_qualified_name, "the name of a protocol");
        }
    }
}

/// `ValidateIPAddress`.
pub(super) fn ip_address<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let Some(parent) = spec.get("parentRef").filter(|it| it.is_map()) else {
        return found.missing(spec, "parentRef");
    };
    found.required(parent, &["resource", "name"]);
    for key in ["resource", "name", "namespace"] {
        found.form(parent.get(key), is_path_segment, "a name without `/` and `%`");
    }
    found.form(parent.get("group"), is_dns_subdomain, SUBDOMAIN);
}

/// `ValidateServiceCIDR`.
pub(super) fn service_cidr<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let Some(cidrs) = spec.get("cidrs").filter(|it| it.count() > 0) else {
        return found.missing(spec, "cidrs");
    };
    let family = |it: Node<'_>| it.str().map(|it| it.contains(':'));
    let families: FxHashSet<_> = cidrs.items().map(family).collect();
    if cidrs.count() > 2 || families.len() < cidrs.count() {
        let says = "has more than one range of a family";
        found.wrong(cidrs, says, "too many", "write one for IPv4 and one for IPv6");
    }
    cidrs
        .items()
        .for_each(|it| found.required_form(it, is_network, "the first address of a range"));
}

/// A range without bits beside its network (`IsValidCIDR`).
pub(super) fn is_network(text: &str) -> bool {
    text.parse::<ipnet::IpNet>().is_ok_and(|it| it.trunc() == it)
}

/// `ValidateLeaseSpec` of `pkg/apis/coordination/validation`.
pub(super) fn lease<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    found.range(spec.get("leaseDurationSeconds"), 1, i64::MAX);
    found.not_negative(spec, &["leaseTransitions"]);
}

/// `validateCertificateSigningRequest` of `pkg/apis/certificates/validation`, without a look into the request.
pub(super) fn request<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    const USAGES: [&str; 23] = [
        "any",
        "cert sign",
        "client auth",
        "code signing",
        "content commitment",
        "crl sign",
        "data encipherment",
        "decipher only",
        "digital signature",
        "email protection",
        "encipher only",
        "ipsec end system",
        "ipsec tunnel",
        "ipsec user",
        "key agreement",
        "key encipherment",
        "microsoft sgc",
        "netscape sgc",
        "ocsp signing",
        "s/mime",
        "server auth",
        "signing",
        "timestamping",
    ];
    if spec.get("usages").is_none_or(|it| it.count() == 0) {
        found.missing(spec, "usages");
    }
    let mut seen = FxHashSet::default();
    for usage in spec.list("usages") {
        found.known(usage, &USAGES);
        found.once(Some(usage), &mut seen, "usage");
    }
    found.range(spec.get("expirationSeconds"), 600, i64::MAX);
    let what = "a domain and a path: `example.com/signer`";
    found.form(spec.get("signerName"), is_signer, what);
}

/// `ValidateSignerName`.
fn is_signer(text: &str) -> bool {
    let Some((domain, path)) = text.split_once('/') else { return false };
    domain.contains('.')
        && is_dns_subdomain(domain)
        && !path.contains('/')
        && is_dns_subdomain(path)
}
