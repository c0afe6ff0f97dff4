//! Service ports that lead to a port which no selected pod has.

use crate::analyze::selection::ports::PodPorts;
use crate::analyze::selection::services::{Service, ServicePort, Target};
use crate::analyze::selection::workloads::{Workload, speaks_of};
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "service-port-unserved",
    title: "a Service leads to a port that none of its pods serves",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::Service],
    like: &[],
    parameters: &[],
    page: include_str!("service_port_unserved.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for service in cx.facts.services().iter() {
        let pods = pods(cx, service);
        // A custom kind's controller may add ports to the template.
        if pods.is_empty() || pods.iter().any(|(it, _)| it.kind == Kind::Custom) {
            continue;
        }
        let unserved = service.ports.iter().filter(|it| is_unserved(it, &pods));
        let unserved = unserved.filter(|it| !is_named_by(cx.object(service.object), it));
        for port in unserved {
            match silent_container(port, &pods) {
                Some((workload, name)) => out.cannot_tell(
                    cx.object(service.object),
                    format!(
                        "whether container `{name}` of `{}` serves port {}: it declares no ports",
                        cx.object(workload.object),
                        port.target
                    ),
                ),
                None => out.find(finding(cx, service, port, &pods)),
            }
        }
    }
}

type Pods<'c, 'd> = Vec<(&'c Workload<'d>, &'c PodPorts<'d>)>;

fn pods<'c, 'd>(cx: &Cx<'c, 'd>, service: &Service<'d>) -> Pods<'c, 'd> {
    let workloads = service.selects.iter().map(|(id, _)| cx.facts.workloads().get(*id));
    workloads.map(|it| (it, cx.facts.ports(it.id))).collect()
}

fn is_unserved(port: &ServicePort<'_>, pods: &Pods<'_, '_>) -> bool {
    pods.iter().all(|(workload, ports)| match port.target {
        Target::Name(name) => ports.named(name, port.protocol).is_none(),
        // A number may be served without being declared. It is taken at its word only where every pod declares what it
        // serves, and nothing else about the pod speaks of the number.
        Target::Number(number) => {
            ports.declares(port.protocol)
                && ports.numbered(number, port.protocol).is_none()
                && !workload.speaks_of_port(number)
        }
    })
}

/// Whether an annotation of the Service says the number (`prometheus.io/port`): then somebody listens there, whatever the
/// pods declare.
fn is_named_by(service: &Object<'_>, port: &ServicePort<'_>) -> bool {
    let Target::Number(number) = port.target else { return false };
    // What kubectl applied last is the manifest itself, with its ports.
    let annotations = service.field(&["metadata", "annotations"]).into_iter().flat_map(Node::pairs);
    let mut written = annotations.filter(|(key, _)| !key.ends_with("/last-applied-configuration"));
    let number = number.to_string();
    written.any(|(_, value)| speaks_of(value, &number))
}

/// A container beside others that declares no ports, and so may serve a number that they do not.
fn silent_container<'c, 'd>(
    port: &ServicePort<'_>,
    pods: &Pods<'c, 'd>,
) -> Option<(&'c Workload<'d>, &'d str)> {
    if matches!(port.target, Target::Name(_)) {
        return None;
    }
    pods.iter().find_map(|(workload, ports)| {
        Some((*workload, ports.silent_container()?.text("name").unwrap_or_default()))
    })
}

fn finding(
    cx: &Cx<'_, '_>,
    service: &Service<'_>,
    port: &ServicePort<'_>,
    pods: &Pods<'_, '_>,
) -> Finding {
    let object = cx.object(service.object);
    let (target, protocol) = (port.target, port.protocol);
    let field = ["targetPort", "port"].iter().find_map(|it| port.node.get(it));
    let place = object.place(field.unwrap_or(port.node));
    let message = match target {
        Target::Name(name) => {
            format!("`{object}` leads to a port named `{name}`, which none of its pods has")
        }
        Target::Number(number) => {
            format!("`{object}` leads to port {number}, which none of its pods declares")
        }
    };
    let mut finding =
        Finding::new(message, place, format!("port {} leads to {target}/{protocol}", port.port));
    for (workload, ports) in pods.iter().take(8) {
        let workload_object = cx.object(workload.object);
        let declared: Vec<_> = ports.iter().map(ToString::to_string).collect();
        let place = ports.iter().next().map_or_else(
            || workload_object.at(&workload.pod_path("containers")),
            |it| workload_object.place(it.node),
        );
        let text = match declared.as_slice() {
            [] => "these pods declare no ports".into(),
            some => format!("these pods declare {}", some.join(", ")),
        };
        finding = finding.label(place, text);
    }
    finding = match target {
        Target::Name(_) => finding.note(format!("a name is looked up among the ports of each pod, with its protocol ({protocol}); pods without it are left out of the Service")),
        Target::Number(_) => finding.note("`containerPort` only informs, so a process may listen there all the same; but these pods declare what they serve, and it is not among it"),
    };
    if service.is_headless {
        finding = finding
            .note("the Service is headless: its name leads to the pods, and clients use the port as it is");
    }
    // "Not specifying a port here DOES NOT prevent that port from being exposed" (`k8s.io/api/core/v1/types.go`, Ports):
    // only the name of a port has to be declared.
    if matches!(target, Target::Number(_)) {
        finding = finding.severity(Severity::Note);
    }
    finding.help(help(service, port, pods))
}

fn help(service: &Service<'_>, port: &ServicePort<'_>, pods: &Pods<'_, '_>) -> String {
    let all = || pods.iter().flat_map(|(_, ports)| ports.iter());
    let same = all().find(|it| match port.target {
        Target::Name(name) => it.name == Some(name),
        Target::Number(number) => it.number == number,
    });
    if let Some(same) = same {
        return format!(
            "the pods serve it with {}: set `protocol: {}`",
            same.protocol, same.protocol
        );
    }
    let as_number = |name: &str| name.parse::<i64>().ok();
    if let Target::Name(name) = port.target
        && let Some(number) = as_number(name)
    {
        return format!("write the number without quotes: `targetPort: {number}`");
    }
    let numbered = all().find(|it| it.number == port.port && it.protocol == port.protocol);
    let mut fitting = all().filter(|it| it.protocol == port.protocol);
    let only = fitting.next().filter(|_| fitting.next().is_none());
    match numbered.or(only) {
        Some(it) if service.is_headless => {
            format!("set `port: {}`, the port of the pods", it.number)
        }
        Some(it) => match it.name {
            Some(name) => format!("set `targetPort: {name}`, which is {}", it.number),
            None => format!("set `targetPort: {}`", it.number),
        },
        None => match port.target {
            Target::Name(name) => format!(
                "name a port of the container `{name}`, or set `targetPort` to one that it has"
            ),
            Target::Number(number) => format!(
                "set `targetPort` to a port of the pods, or declare `containerPort: {number}` if they serve it"
            ),
        },
    }
}
