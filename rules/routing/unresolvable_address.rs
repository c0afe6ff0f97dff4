//! Addresses of the cluster that lead to no Service, or to a port that it does not have.

use crate::absence::{Absence, Wanted};
use crate::analyze::network::addresses::is_in_cluster;
use crate::analyze::network::service_addresses::Contact;
use crate::analyze::selection::services::{Exposure, Service};
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "unresolvable-address",
    title: "an address names a Service, or a port of it, that is not there",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::ConfigMap, Kind::HorizontalPodAutoscaler, Kind::ScaledObject, Kind::Service],
    like: &[],
    parameters: &[],
    page: include_str!("unresolvable_address.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for contact in cx.facts.contacts() {
        judge(cx, contact, out);
    }
}

fn judge(cx: &Cx<'_, '_>, contact: &Contact<'_>, out: &mut Out) {
    let (object, name) = (cx.object(contact.object), &contact.name);
    let namespace = name.namespace.unwrap_or(object.namespace);
    if let Some(service) = cx.facts.services().find(namespace, name.service) {
        let finding = pod(cx, contact, service).or_else(|| port(cx, contact, service));
        let is_doubtful = name.pod.is_some_and(|it| !is_of_address(it)) && has_address(service);
        match finding {
            Some(finding) => out.find(finding),
            None if is_doubtful => out.cannot_tell(object, format!(
                "whether `{}` resolves: `{}` has an address of its own, and the DNS specification gives names to the pods of headless Services only; CoreDNS does to others",
                contact.address.host,
                cx.object(service.object)
            )),
            None => {}
        }
        return;
    }
    let wanted = Wanted::object(Kind::Service, namespace, name.service);
    let absence = match cx.absence_of(wanted) {
        Absence::CannotTell(_) if is_copied(cx, contact, wanted) => Absence::Absent,
        absence => absence,
    };
    out.report_absent(object, absence, || missing(cx, contact, namespace));
}

/// Whether the address was left in `default`, as examples have it, while everything went to a namespace of its own: the
/// Service of that name is there, and the input knows nothing of `default`.
fn is_copied(cx: &Cx<'_, '_>, contact: &Contact<'_>, wanted: Wanted<'_>) -> bool {
    let services = cx.facts.services();
    contact.name.namespace == Some("default")
        && cx.object(contact.object).namespace != "default"
        && cx.unseen(wanted).is_none()
        && services.in_namespace("default").next().is_none()
        && cx.facts.workloads().in_namespace("default").next().is_none()
        && services.find(cx.object(contact.object).namespace, contact.name.service).is_some()
}

fn start(cx: &Cx<'_, '_>, contact: &Contact<'_>, what: &str) -> Finding {
    let (object, address) = (cx.object(contact.object), &contact.address);
    let host = address.host;
    let written = address.port.map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
    Finding::new(
        format!("`{object}` gives the address `{written}`, {what}"),
        object.place(contact.node),
        format!("`{written}`"),
    )
}

fn missing(cx: &Cx<'_, '_>, contact: &Contact<'_>, namespace: &str) -> Finding {
    let name = contact.name.service;
    let what = format!("but namespace `{namespace}` has no Service `{name}`");
    let mut finding = start(cx, contact, &what);
    if contact.name.namespace.is_none() {
        finding = finding.note(format!(
            "a name without dots is looked up in the pod's own namespace, `{namespace}`"
        ));
    }
    let services = cx.facts.services();
    let own = services.find(cx.object(contact.object).namespace, name);
    let near =
        own.or_else(|| services.called(name).next()).or_else(|| services.nearest(namespace, name));
    let Some(near) = near else {
        return finding.help(format!("add Service `{name}` to namespace `{namespace}`, or list it under `external` in purlin.yaml"));
    };
    let found = cx.object(near.object);
    let text =
        if near.name == name { "the Service of this name" } else { "a Service that is there" };
    finding
        .hint(found.whole(), text)
        .help(format!("if `{found}` is meant, write `{}`", written(cx, contact, near)))
}

/// The address of a Service, in the form of the one that was written.
fn written(cx: &Cx<'_, '_>, contact: &Contact<'_>, service: &Service<'_>) -> String {
    let port = contact.address.port.map_or(String::new(), |port| format!(":{port}"));
    let is_near = service.namespace == cx.object(contact.object).namespace;
    match contact.address.host {
        host if is_in_cluster(host) => {
            let end =
                if host.trim_end_matches('.').ends_with(".local") { ".cluster.local" } else { "" };
            format!("{}.{}.svc{end}{port}", service.name, service.namespace)
        }
        _ if is_near => format!("{}{port}", service.name),
        _ => format!("{}.{}{port}", service.name, service.namespace),
    }
}

/// A pod that the Service never has: one whose names are another Service's, none of its StatefulSets', or beyond their peak.
///
/// A pod has a name behind a Service only where its `subdomain` is the Service's name (`ShouldSetHostname` of
/// `pkg/api/v1/endpoints`); a StatefulSet sets it to its `serviceName`.
fn pod(cx: &Cx<'_, '_>, contact: &Contact<'_>, service: &Service<'_>) -> Option<Finding> {
    let pod = contact.name.pod?;
    let workloads: Vec<_> =
        service.selects.iter().map(|(id, _)| cx.facts.workloads().get(*id)).collect();
    if workloads.is_empty()
        || is_of_address(pod)
        || workloads.iter().any(|it| it.kind == Kind::Custom)
    {
        return None;
    }
    if !workloads.iter().any(|it| has_names(cx, it, service)) {
        return Some(nameless(cx, contact, service, &workloads));
    }
    if workloads.iter().any(|it| it.kind != Kind::StatefulSet) {
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
        start(cx, contact, &format!("but `{}` has no pod `{pod}`", cx.object(service.object)));
    for workload in workloads.iter().take(4) {
        let count = cx.facts.envelope(workload.id).map_or(0, |it| it.peak.count);
        finding = finding.label(
            cx.object(workload.object).whole(),
            format!("its pods: `{}-N`, at most {count}", workload.name),
        );
    }
    Some(finding.help("name a pod that the StatefulSet has at its floor, or the Service alone"))
}

/// The Service through which the pods of a workload have names, if they have any.
fn named_through<'d>(cx: &Cx<'_, 'd>, workload: &Workload<'d>) -> Option<&'d str> {
    let name = match workload.kind {
        Kind::StatefulSet => cx.object(workload.object).field(&["spec", "serviceName"])?.str()?,
        // Without `hostname` the subdomain names nobody.
        _ => {
            workload.pod.text("hostname").filter(|it| !it.is_empty())?;
            workload.pod.text("subdomain")?
        }
    };
    Some(name).filter(|it| !it.is_empty())
}

/// CoreDNS gives a pod that has no name one of its address: `10-0-0-1`.
fn is_of_address(pod: &str) -> bool {
    pod.bytes().all(|it| it.is_ascii_hexdigit() || it == b'-')
}

fn has_address(service: &Service<'_>) -> bool {
    !service.is_headless && service.exposure != Exposure::ExternalName
}

fn has_names<'d>(cx: &Cx<'_, 'd>, workload: &Workload<'d>, service: &Service<'_>) -> bool {
    named_through(cx, workload) == Some(service.name)
}

fn nameless<'d>(
    cx: &Cx<'_, 'd>,
    contact: &Contact<'_>,
    service: &Service<'_>,
    workloads: &[&Workload<'d>],
) -> Finding {
    let found = cx.object(service.object);
    let mut finding = start(cx, contact, &format!("but pods have no names behind `{found}`"));
    for workload in workloads.iter().take(4) {
        let object = cx.object(workload.object);
        let (place, text) = match named_through(cx, workload) {
            Some(other) => {
                (object.at("spec.serviceName"), format!("its pods have names behind `{other}`"))
            }
            None => (object.whole(), "its pods have no names in DNS".to_string()),
        };
        finding = finding.label(place, text);
    }
    let other = workloads.iter().find_map(|it| named_through(cx, it));
    let help = match other {
        Some(other) => format!("name the pod behind `{other}`, or `{}` alone", service.name),
        None => format!("name `{}` alone, which leads to any of them", service.name),
    };
    finding
        .note(
            "a pod has a name behind the one Service that its `serviceName`, or `subdomain`, names",
        )
        .help(help)
}

fn port(cx: &Cx<'_, '_>, contact: &Contact<'_>, service: &Service<'_>) -> Option<Finding> {
    // The name of a pod stands for its own address: the ports of the Service have no say.
    let port = contact.address.port.filter(|_| contact.name.pod.is_none())?;
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
    let finding = start(cx, contact, &format!("but `{found}` has no port {port}"))
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
