//! Ports of network policies that no pod serves.

use crate::analyze::network::policies::{Direction, PortRange};
use crate::analyze::network::policy_ports::Unserved;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "policy-port-unused",
    title: "a network policy opens a port that no pod serves",
    severity: Severity::Warning,
    group: Group::Network,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::NetworkPolicy, Kind::Service],
    like: &[],
    parameters: &[],
    page: include_str!("policy_port_unused.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    // Where the number is the Service's, another rule says so.
    let unserved = cx.facts.unserved().iter().filter(|it| it.service.is_none());
    for of_policy in unserved.collect::<Vec<_>>().chunk_by(|a, b| a.policy == b.policy) {
        out.find_some(of_policy.iter().map(|it| finding(cx, it)));
    }
}

fn finding(cx: &Cx<'_, '_>, it: &Unserved<'_>) -> Finding {
    let policy = cx.object(cx.facts.policies().get(it.policy).object);
    let node = it.port.node.get("port").unwrap_or(it.port.node);
    let protocol = it.port.protocol;
    let what = match it.port.ports {
        PortRange::Named(name) => format!("a port named `{name}` ({protocol})"),
        PortRange::Numbers(first, last) if first != last => {
            format!("ports {first} to {last}/{protocol}")
        }
        _ => format!("port {}/{protocol}", node.scalar().unwrap_or_default()),
    };
    let (does, whose) = match it.direction {
        Direction::Ingress => ("opens", "it selects"),
        Direction::Egress => ("lets traffic out to", "of its peers"),
    };
    let message = format!("`{policy}` {does} {what}, which none of the pods {whose} serves");
    let mut finding = Finding::new(message, policy.place(node), "no pod serves it");
    for id in it.workloads.iter().take(8) {
        let workload = cx.facts.workloads().get(*id);
        let object = cx.object(workload.object);
        let ports = cx.facts.ports(*id);
        let declared: Vec<_> = ports.iter().map(ToString::to_string).collect();
        let place = ports.iter().next().map_or_else(|| object.whole(), |it| object.place(it.node));
        let text = if declared.is_empty() {
            "these pods declare no ports".to_string()
        } else {
            format!("these pods declare {}", declared.join(", "))
        };
        finding = finding.label(place, text);
    }
    finding = match it.port.ports {
        PortRange::Named(_) => finding.note("a name is looked up on each pod that receives the traffic, with its protocol; on a pod without it the entry opens nothing"),
        _ => finding.note("the entry opens nothing that is in use; most often the port has moved, and the one that it moved to is closed"),
    };
    finding.help("name a port that the pods serve, or delete the entry")
}
