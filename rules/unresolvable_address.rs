//! Addresses of the cluster that lead to no Service, or to a port that it does not have.

use crate::absence::Absence;
use crate::analyze::addresses::{Address, Name, addresses, is_in_cluster, name};
use crate::analyze::services::{Exposure, Service};
use crate::analyze::workloads::Workload;
use crate::model::Object;
use crate::model::kind::Kind;
use crate::rule::{Admission, Cx, Finding, Group, Out, Rule, Severity};
use crate::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "unresolvable-address",
    title: "an address names a Service, or a port of it, that is not there",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    reads: &[Kind::ConfigMap, Kind::Service],
    like: &[],
    parameters: &[],
    page: include_str!("unresolvable_address.md"),
    check,
};

/// Names of namespaces that the Internet knows as well: `http://api.dev` may be a host out there.
const TOP_LEVEL: &[&str] = &[
    "ai", "app", "blog", "bot", "chat", "cloud", "com", "dev", "health", "host", "info",
    "internal", "io", "link", "live", "local", "media", "net", "network", "online", "org",
    "services", "shop", "site", "store", "systems", "team", "tech", "tools", "web", "zone",
];

/// An address and where it stands.
struct Mention<'c, 'd> {
    object: &'c Object<'d>,
    node: Node<'d>,
    address: Address<'d>,
    name: Name<'d>,
}

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for workload in cx.facts.workloads().iter() {
        let object = cx.object(workload.object);
        for container in workload.containers() {
            for variable in container.list("env") {
                let key = variable.text("name").unwrap_or("");
                look(cx, object, Some(workload), key, variable.get("value"), out);
            }
            for argument in ["command", "args"].iter().flat_map(|it| container.list(it)) {
                look(cx, object, Some(workload), "", Some(argument), out);
            }
        }
    }
    for object in cx.model.of_kind(Kind::ConfigMap) {
        for (key, value) in object.field(&["data"]).into_iter().flat_map(Node::pairs) {
            look(cx, object, None, key, Some(value), out);
        }
    }
}

fn look<'d>(
    cx: &Cx<'_, 'd>,
    object: &Object<'d>,
    workload: Option<&Workload<'d>>,
    key: &str,
    value: Option<Node<'d>>,
    out: &mut Out,
) {
    let Some((node, text)) = value.and_then(|it| Some((it, it.str()?))) else { return };
    // `--upstream=http://api:8080`: what is before the sign is the key.
    let (key, text) = match text.split_once('=') {
        Some((flag, value)) if key.is_empty() && flag.starts_with('-') => (flag, value),
        _ => (key, text),
    };
    for address in addresses(key, text) {
        let Some(name) = name(address.host) else { continue };
        if !is_in_cluster(address.host) && !may_be_short(cx, object, workload, &name) {
            continue;
        }
        judge(cx, &Mention { object, node, address, name }, out);
    }
}

/// Whether a host that is not written out can mean nothing but a Service.
fn may_be_short(
    cx: &Cx<'_, '_>,
    object: &Object<'_>,
    workload: Option<&Workload<'_>>,
    name: &Name<'_>,
) -> bool {
    if let Some(namespace) = name.namespace {
        // `pod.service`, by the search path.
        let is_pod = cx.facts.services().find(object.namespace, namespace).is_some();
        let is_known = cx.facts.namespaces().get(namespace).is_some();
        if is_pod || !is_known || TOP_LEVEL.contains(&namespace) {
            return false;
        }
    }
    workload.is_none_or(|it| asks_cluster(it) && !knows_itself(it, name.service))
}

/// Whether the pod looks short names up in the cluster's DNS.
fn asks_cluster(workload: &Workload<'_>) -> bool {
    let is_on_host = workload.pod.get("hostNetwork").and_then(Node::bool) == Some(true);
    match workload.pod.text("dnsPolicy") {
        None | Some("ClusterFirst") => !is_on_host && workload.pod.get("dnsConfig").is_none(),
        Some(policy) => policy == "ClusterFirstWithHostNet",
    }
}

/// Whether the pod's own `/etc/hosts` has the name.
fn knows_itself(workload: &Workload<'_>, name: &str) -> bool {
    let mut aliases = workload.pod.list("hostAliases").flat_map(|it| it.list("hostnames"));
    workload.pod.text("hostname") == Some(name) || aliases.any(|it| it.str() == Some(name))
}

fn judge(cx: &Cx<'_, '_>, mention: &Mention<'_, '_>, out: &mut Out) {
    let Mention { object, name, .. } = mention;
    let namespace = name.namespace.unwrap_or(object.namespace);
    if let Some(service) = cx.facts.services().find(namespace, name.service) {
        out.findings.extend(pod(cx, mention, service).or_else(|| port(cx, mention, service)));
        return;
    }
    match cx.absence_of_service(namespace, name.service) {
        Absence::Absent => out.find(missing(cx, mention, namespace)),
        Absence::Elsewhere => {}
        Absence::CannotTell(_) if is_copied(cx, mention, namespace) => {
            out.find(missing(cx, mention, namespace));
        }
        Absence::CannotTell(missing) => out.cannot_tell(object, missing),
    }
}

/// Whether the address was left in `default`, as examples have it, while everything went to a namespace of its own: the
/// Service of that name is there, and the input knows nothing of `default`.
fn is_copied(cx: &Cx<'_, '_>, mention: &Mention<'_, '_>, namespace: &str) -> bool {
    let services = cx.facts.services();
    namespace == "default"
        && mention.object.namespace != "default"
        && cx.model.may_be_lost(&[Kind::Service]).is_none()
        && services.in_namespace("default").next().is_none()
        && cx.facts.workloads().in_namespace("default").next().is_none()
        && services.find(mention.object.namespace, mention.name.service).is_some()
        && !cx.policy.is_external(Kind::Service.name(), namespace, mention.name.service)
}

fn start(mention: &Mention<'_, '_>, what: &str) -> Finding {
    let Mention { object, node, address, .. } = mention;
    let host = address.host;
    let written = address.port.map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
    Finding::new(
        format!("`{object}` gives the address `{written}`, {what}"),
        object.place(*node),
        format!("`{written}`"),
    )
}

fn missing(cx: &Cx<'_, '_>, mention: &Mention<'_, '_>, namespace: &str) -> Finding {
    let name = mention.name.service;
    let what = format!("but namespace `{namespace}` has no Service `{name}`");
    let mut finding = start(mention, &what);
    if mention.name.namespace.is_none() {
        finding = finding.note(format!(
            "a name without dots is looked up in the pod's own namespace, `{namespace}`"
        ));
    }
    let services = cx.facts.services();
    let own = services.find(mention.object.namespace, name);
    let near =
        own.or_else(|| services.called(name).next()).or_else(|| services.nearest(namespace, name));
    let Some(near) = near else {
        return finding.help(format!("add Service `{name}` to namespace `{namespace}`, or list it under `external` in purlin.yaml"));
    };
    let found = cx.object(near.object);
    let text =
        if near.name == name { "the Service of this name" } else { "a Service that is there" };
    finding
        .label(found.whole(), text)
        .help(format!("if `{found}` is meant, write `{}`", written(mention, near)))
}

/// The address of a Service, in the form of the one that was written.
fn written(mention: &Mention<'_, '_>, service: &Service<'_>) -> String {
    let port = mention.address.port.map_or(String::new(), |port| format!(":{port}"));
    let is_near = service.namespace == mention.object.namespace;
    match mention.address.host {
        host if is_in_cluster(host) => {
            let end =
                if host.trim_end_matches('.').ends_with(".local") { ".cluster.local" } else { "" };
            format!("{}.{}.svc{end}{port}", service.name, service.namespace)
        }
        _ if is_near => format!("{}{port}", service.name),
        _ => format!("{}.{}{port}", service.name, service.namespace),
    }
}

/// A pod that the Service never has: not one of its StatefulSets', or beyond their peak.
fn pod(cx: &Cx<'_, '_>, mention: &Mention<'_, '_>, service: &Service<'_>) -> Option<Finding> {
    let pod = mention.name.pod?;
    let workloads: Vec<_> =
        service.selects.iter().map(|(id, _)| cx.facts.workloads().get(*id)).collect();
    if workloads.is_empty() || workloads.iter().any(|it| it.kind != Kind::StatefulSet) {
        return None;
    }
    let has = |it: &&Workload<'_>| {
        let Some(ordinal) = pod.strip_prefix(it.name).and_then(|it| it.strip_prefix('-')) else {
            return false;
        };
        let first = cx.object(it.object).field(&["spec", "ordinals", "start"]).and_then(Node::int);
        let first = u64::try_from(first.unwrap_or(0)).unwrap_or(0);
        let peak = cx.facts.envelope(it.id).map_or(u64::MAX, |it| it.peak.count);
        ordinal.parse::<u64>().is_ok_and(|it| it >= first && it - first < peak)
    };
    if workloads.iter().any(has) {
        return None;
    }
    let mut finding =
        start(mention, &format!("but `{}` has no pod `{pod}`", cx.object(service.object)));
    for workload in workloads.iter().take(4) {
        let count = cx.facts.envelope(workload.id).map_or(0, |it| it.peak.count);
        finding = finding.label(
            cx.object(workload.object).whole(),
            format!("its pods: `{}-N`, {count} at the most", workload.name),
        );
    }
    Some(finding.help("name a pod that the StatefulSet has at its floor, or the Service alone"))
}

fn port(cx: &Cx<'_, '_>, mention: &Mention<'_, '_>, service: &Service<'_>) -> Option<Finding> {
    let port = mention.address.port?;
    let is_there = service.exposure == Exposure::ExternalName
        || service.ports.is_empty()
        || service.numbered(port).next().is_some()
        || service.is_headless && is_perhaps_served(cx, service, port);
    if is_there {
        return None;
    }
    let found = cx.object(service.object);
    let ports: Vec<_> = service.ports.iter().map(|it| it.port.to_string()).collect();
    let place = service.ports.first().map_or(found.at("spec.ports"), |it| found.place(it.node));
    let finding = start(mention, &format!("but `{found}` has no port {port}"))
        .label(place, format!("its ports: {}", ports.join(", ")))
        .help(format!("use port {}", ports.join(" or ")));
    if service.is_headless {
        return Some(finding.severity(Severity::Warning).note(
            "the Service is headless, so the port is that of the pods, and these declare others",
        ));
    }
    let behind = service.ports.iter().find(|it| it.target.to_string() == port.to_string());
    Some(match behind {
        Some(it) => finding.note(format!("{port} is the port of the pods behind port {}", it.port)),
        None => finding.note("a Service takes connections on its own ports only"),
    })
}

/// Behind a headless Service the pods answer themselves: on what they declare, and maybe on more.
fn is_perhaps_served(cx: &Cx<'_, '_>, service: &Service<'_>, port: i64) -> bool {
    if service.selects.is_empty() {
        return true;
    }
    service.selects.iter().any(|(id, _)| {
        let (workload, ports) = (cx.facts.workloads().get(*id), cx.facts.ports(*id));
        !ports.declares("TCP")
            || ports.iter().any(|it| it.number == port)
            || workload.kind == Kind::Custom
            || workload.speaks_of_port(port)
    })
}
