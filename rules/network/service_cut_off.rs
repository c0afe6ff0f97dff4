//! Services whose address pods are given, and whose pods network policies close to them.

use crate::absence::{Absence, Wanted};
use crate::analyze::network::access::{Caller, callers};
use crate::analyze::network::config_readers::Readers;
use crate::analyze::network::policies::Direction;
use crate::analyze::network::reach::ask::Answer;
use crate::analyze::network::reach::{Effect, Verdict};
use crate::analyze::network::service_clients::Client;
use crate::analyze::selection::services::Service;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::intended_flows::{flows, mentioned};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "service-cut-off",
    title: "a Service is closed to pods that are given its address",
    severity: Severity::Error,
    group: Group::Network,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::AdminNetworkPolicy,
        Kind::BaselineAdminNetworkPolicy,
        Kind::ClusterNetworkPolicy,
        Kind::ConfigMap,
        Kind::Custom,
        Kind::GRPCRoute,
        Kind::HTTPRoute,
        Kind::Ingress,
        Kind::Namespace,
        Kind::NetworkPolicy,
        Kind::Node,
        Kind::PodMonitor,
        Kind::Service,
        Kind::ServiceMonitor,
        Kind::TCPRoute,
        Kind::TLSRoute,
        Kind::UDPRoute,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("service_cut_off.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    // Where flows are declared for pods, what is not among them is meant to be denied, and two other rules compare.
    let mentioned = mentioned(cx.facts, &flows(cx.model, cx.facts, cx.policy));
    let is_declared = |it: &WorkloadId| mentioned.contains(it);
    let gates = Gates {
        controllers: callers(cx.facts, Caller::Controller).into_iter().collect(),
        prometheus: callers(cx.facts, Caller::Prometheus).into_iter().collect(),
        backends: cx.facts.backends().iter().map(|it| (it.namespace, it.service)).collect(),
    };
    // A Service may stand in several variables.
    let mut seen: BTreeSet<(Vec<WorkloadId>, _, Option<i64>)> = BTreeSet::new();
    for client in cx.facts.clients().iter() {
        let service = cx.facts.services().get(client.service);
        if service.selects.iter().any(|it| is_declared(&it.0)) {
            continue;
        }
        let groups: Vec<Vec<WorkloadId>> = match &client.readers {
            Readers::Each(all) => all.iter().map(|it| vec![*it]).collect(),
            Readers::AnyOf(all) => vec![all.clone()],
        };
        for readers in groups {
            let key = (readers.clone(), client.service, client.contact.address.port);
            if !readers.iter().any(is_declared) && seen.insert(key) {
                judge(cx, client, service, &readers, &gates, out);
            }
        }
    }
}

/// What stands between all of these and the Service; nothing where one of them gets through.
fn judge<'d>(
    cx: &Cx<'_, 'd>,
    client: &Client<'d>,
    service: &Service<'d>,
    readers: &[WorkloadId],
    gates: &Gates<'_>,
    out: &mut Out,
) {
    let mut closed: Vec<Answer<'d>> = Vec::new();
    let mut undefined = None;
    for reader in readers {
        // Pods of one workload are one component.
        if service.selects.iter().any(|it| it.0 == *reader) {
            return;
        }
        let asked = client.questions(cx.facts, *reader);
        let answers = asked.iter().map(|it| cx.facts.reach().ask(cx.facts, it));
        let answers: Vec<_> = answers.filter(|it| !it.ports.is_empty()).collect();
        let verdicts: BTreeSet<Verdict> = answers.iter().map(Answer::verdict).collect();
        match (verdicts.first(), verdicts.len()) {
            (Some(Verdict::Allow) | None, _) => return,
            (Some(Verdict::Deny), 1) => closed.extend(answers),
            _ => undefined = verdicts.last().copied(),
        }
    }
    // Where they call each other, an address may be for links, or to compare it.
    let call_back = |it| cx.facts.clients().call_back(cx.facts, service, it);
    let is_told = |it: &WorkloadId| call_back(*it) || gates.are_told(cx, *it, service);
    if readers.iter().any(is_told) {
        return;
    }
    let object = cx.object(client.contact.object);
    let name = cx.object(service.object);
    if let Some(verdict) = undefined {
        if let Verdict::Undefined(reason) = verdict {
            let missing = format!("whether its pods may reach `{name}`: {}", reason.told(cx.model));
            out.cannot_tell(object, missing);
        }
        return;
    }
    for namespace in closed_ends(cx, service, readers, &closed) {
        match cx.absence_of(Wanted::Policies { namespace }) {
            Absence::Elsewhere => return,
            Absence::CannotTell(missing) => return out.cannot_tell(name, missing),
            Absence::Absent => {}
        }
    }
    out.find(finding(cx, client, service, readers, &closed));
}

/// Those who call by trade.
struct Gates<'d> {
    controllers: FxHashSet<WorkloadId>,
    prometheus: FxHashSet<WorkloadId>,
    /// The namespaces and names of the Services behind Ingresses and routes.
    backends: FxHashSet<(&'d str, &'d str)>,
}

impl Gates<'_> {
    /// Whether the rule for Ingresses or the one for monitors is about these two.
    fn are_told(&self, cx: &Cx<'_, '_>, reader: WorkloadId, service: &Service<'_>) -> bool {
        let is_scraped = || service.selects.iter().any(|it| cx.facts.monitors().scrape(it.0));
        self.controllers.contains(&reader)
            && self.backends.contains(&(service.namespace, service.name))
            || self.prometheus.contains(&reader) && is_scraped()
    }
}

/// The namespaces of the ends that are closed, of which more policies than the input holds might open them.
fn closed_ends<'d>(
    cx: &Cx<'_, 'd>,
    service: &Service<'d>,
    readers: &[WorkloadId],
    closed: &[Answer<'d>],
) -> BTreeSet<&'d str> {
    let because = closed.iter().flat_map(|it| &it.because);
    let ends = because.filter(|it| it.effect == Effect::Closes).map(|it| it.direction);
    let namespaces = ends.flat_map(|it| match it {
        Direction::Ingress => vec![service.namespace],
        Direction::Egress => {
            readers.iter().map(|it| cx.facts.workloads().get(*it).namespace).collect()
        }
    });
    namespaces.collect()
}

fn finding<'d>(
    cx: &Cx<'_, 'd>,
    client: &Client<'d>,
    service: &Service<'d>,
    readers: &[WorkloadId],
    closed: &[Answer<'d>],
) -> Finding {
    let of = |it: &WorkloadId| cx.object(cx.facts.workloads().get(*it).object);
    let (object, name) = (cx.object(client.contact.object), cx.object(service.object));
    let mut ports: Vec<String> =
        closed.iter().flat_map(|it| &it.ports).map(|it| it.0.to_string()).collect();
    ports.sort();
    ports.dedup();
    let ports = ports.join(", ");
    let who = match readers {
        [one] => {
            format!("`{}` is given the address of `{name}` and may not reach its pods", of(one))
        }
        _ => format!(
            "`{object}` gives the address of `{name}`, and none of those who read it may reach its pods"
        ),
    };
    let address = &client.contact.address;
    let written = match address.port {
        Some(port) => format!("`{}:{port}`", address.host),
        None => format!("`{}`", address.host),
    };
    let mut finding = Finding::new(
        format!("{who} on port {ports}"),
        object.place(client.contact.node),
        format!("{written} means this Service"),
    );
    let place = client.ports(service).next().map_or_else(|| name.whole(), |it| name.place(it.node));
    finding = finding.label(place, format!("what port {ports} leads to is closed"));
    for reader in readers.iter().map(of).filter(|it| it.id != object.id).take(6) {
        finding = finding.label(reader.whole(), "reads the address");
    }
    let mut numbers = BTreeSet::new();
    for (workload, _) in service.selects.iter().take(6) {
        let own: BTreeSet<i64> = client.pod_ports(cx.facts, *workload).into_iter().collect();
        let text = format!("these pods answer on port {}", list(&own));
        finding = finding.label(of(workload).whole(), text);
        numbers.extend(own);
    }
    let mut ends = BTreeSet::new();
    let because = || {
        let all = closed.iter().flat_map(|it| &it.because);
        all.filter(|it| it.effect == Effect::Closes)
    };
    // What no NetworkPolicy opens another one may; what a policy of the administrator denies stays denied.
    if because().all(|it| cx.object(it.policy).kind == Kind::NetworkPolicy) {
        finding = finding.awaits(&[Kind::NetworkPolicy]);
    }
    let mut policies = BTreeSet::new();
    for it in because() {
        ends.insert(it.direction.to_string());
        let policy = cx.object(it.policy);
        if policies.insert((it.policy, it.direction.to_string())) && policies.len() <= 6 {
            let place = match it.rule {
                Some(rule) => policy.place(rule),
                None => policy.at(&format!("spec.{}", it.direction)),
            };
            finding = finding.label(place, format!("closes the {}", it.direction));
        }
    }
    let numbers = list(&numbers);
    let todo = match (ends.contains("ingress"), ends.contains("egress")) {
        (true, true) => {
            format!("let it out towards these pods, and let it in there, on port {numbers}")
        }
        (false, true) => format!("let it out towards these pods on port {numbers}"),
        _ => format!("let it in to these pods on port {numbers}"),
    };
    finding
        .note("a connection needs the egress of the client and the ingress of the pods, on the port of the pods")
        .help(format!("{todo}; or take the address away from who is not meant to use it"))
}

fn list(ports: &BTreeSet<i64>) -> String {
    ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
