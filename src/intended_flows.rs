//! The flows that the policy file declares against those that network policies allow.
//!
//! What is not declared is meant to be denied, between those that any flow names and everybody else.

use crate::analyze::Facts;
use crate::analyze::network::policies::DIRECTIONS;
use crate::analyze::network::reach::ask::{Party, Question};
use crate::analyze::network::reach::party::{Named, called, named};
use crate::analyze::network::reach::{Because, EndpointId, Reason, Verdict};
use crate::analyze::selection::services::Service;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::ports::{PortMap, PortSet, Ports, Protocol};
use crate::model::{Model, ObjId};
use crate::policy::{DeclaredFlow, Policy};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// A declared flow, with those whom its names mean.
#[derive(Clone, Debug)]
pub struct Flow<'p> {
    /// As it is declared.
    pub declared: &'p DeclaredFlow,
    /// Who begins.
    pub from: Party,
    /// Who is called.
    pub to: Party,
    /// On which ports; all, where none is named.
    pub ports: PortSet,
}

/// The flows whose names mean one each, and on ports that there are.
pub fn flows<'p>(model: &Model<'_>, facts: &Facts<'_>, policy: &'p Policy) -> Vec<Flow<'p>> {
    // What is only stated has no policies yet.
    let is_meant = |it: &&DeclaredFlow| !model.is_stated() && it.is_for(model.name);
    let declared = policy.flows.iter().filter(is_meant);
    let known = declared.filter_map(|declared| {
        let one = |it| match it {
            Named::One(it) => Some(it),
            Named::Nobody | Named::Several(_) => None,
        };
        let from = one(named(model, facts, &declared.from))?;
        if declared.is_to_name_service() {
            return None;
        }
        let to =
            one(called(model, facts, &declared.to, |it, pods| is_on(facts, declared, it, pods)).0)?;
        let ports: PortSet = declared.ports.iter().copied().collect();
        let ports = if ports.is_empty() { PortSet::all() } else { ports };
        Some(Flow { declared, from, to, ports })
    });
    let mut known: Vec<_> = known.collect();
    known.extend(to_name_service(model, facts, policy));
    known
}

/// Flows to the name service, whichever pods that is.
fn to_name_service<'p>(model: &Model<'_>, facts: &Facts<'_>, policy: &'p Policy) -> Vec<Flow<'p>> {
    let mut flows = Vec::new();
    let is_meant = |it: &&DeclaredFlow| !model.is_stated() && it.is_for(model.name);
    let declared = policy.flows.iter().filter(|it| it.is_to_name_service() && is_meant(it));
    for declared in declared {
        let Named::One(from) = named(model, facts, &declared.from) else { continue };
        let servers = facts.workloads().iter().filter(|it| facts.dns().is_server(it.id));
        flows.extend(servers.map(|it| {
            let (to, ports) = (Party::Workload(it.id), PortSet::all());
            Flow { declared, from, to, ports }
        }));
    }
    flows
}

/// Whether a flow is on ports of a Service, and not on those of the pods that are called as it is.
pub fn is_on(
    facts: &Facts<'_>,
    flow: &DeclaredFlow,
    service: &Service<'_>,
    pods: WorkloadId,
) -> bool {
    let of_pods = |it: &Ports| {
        let numbers = i64::from(it.first)..=i64::from(it.last);
        let mut own = facts.ports(pods).iter();
        own.any(|own| own.protocol == it.protocol.name() && numbers.contains(&own.number))
    };
    let is_of_service = |it: &Ports| service.has(it.protocol.name(), it.first, it.last);
    !flow.ports.is_empty() && flow.ports.iter().all(|it| is_of_service(it) && !of_pods(it))
}

/// A declared flow that does not get through.
#[derive(Clone, Debug)]
pub struct Missing<'p, 'd> {
    /// The flow.
    pub flow: Flow<'p>,
    /// The ports that are closed, or undefined, and why.
    pub ports: Vec<Ports>,
    /// Why it is undefined, where it is not closed.
    pub reason: Option<Reason>,
    /// What decides.
    pub because: Vec<Because<'d>>,
}

/// The flows that are declared and do not get through.
pub fn missing<'p, 'd>(facts: &Facts<'d>, flows: &[Flow<'p>]) -> Vec<Missing<'p, 'd>> {
    let mut found = Vec::new();
    // That names resolve has a rule of its own.
    for flow in flows.iter().filter(|it| !it.declared.is_to_name_service()) {
        let every = flow.declared.ports.is_empty();
        // Each port that is named has to be open; where none is, any will do.
        let asked: Vec<PortSet> = if every {
            vec![flow.ports.clone()]
        } else {
            flow.ports.iter().map(|it| [it].into_iter().collect()).collect()
        };
        for ports in asked {
            let question = Question { from: flow.from, to: flow.to, ports: ports.clone() };
            let answer = facts.reach().ask(facts, &question);
            // A Service without such a port leads nowhere, and another rule says so.
            if answer.ports.is_empty() {
                continue;
            }
            let reason = match answer.verdict() {
                Verdict::Allow => continue,
                Verdict::Deny => None,
                Verdict::Undefined(it) => Some(it),
            };
            let ports = ports.iter().collect();
            found.push(Missing { flow: flow.clone(), ports, reason, because: answer.because });
        }
    }
    found
}

/// What policies allow although nobody declared it.
#[derive(Clone, Debug)]
pub struct Undeclared<'d> {
    /// The source.
    pub from: End,
    /// The destination.
    pub to: End,
    /// On which ports.
    pub ports: Vec<Ports>,
    /// Which policies open it; empty where none stands in the way.
    pub because: Vec<Because<'d>>,
}

/// What is allowed, compared with what is declared.
#[derive(Clone, Debug, Default)]
pub struct Comparison<'d> {
    /// What is allowed and not declared.
    pub undeclared: Vec<Undeclared<'d>>,
    /// Policies of kinds that are not judged, which may allow more.
    pub others: BTreeSet<ObjId>,
}

/// The flows that are allowed and not declared, from and to the workloads that any flow names.
///
/// `is_isolated` tells of namespaces that have policies in another world.
pub fn undeclared<'d>(
    facts: &Facts<'d>,
    flows: &[Flow<'_>],
    is_isolated: impl Fn(&str) -> bool,
) -> Comparison<'d> {
    let reach = facts.reach();
    let declared = ports(facts, flows);
    let mentioned = own(facts, flows, is_isolated);
    let everybody = facts.workloads().iter().map(|it| Some(it.id)).chain([None]);
    let public = reach.of_party(facts, &Party::Internet);
    let endpoints = |it: Option<WorkloadId>| -> Vec<EndpointId> {
        it.map_or_else(|| public.clone(), |it| reach.of_workload(it).into_iter().collect())
    };
    // Pods that policies do not tell apart are judged together: of closed ones nothing more is asked.
    let mut all: BTreeMap<EndpointId, Vec<End>> = BTreeMap::new();
    for end in everybody {
        endpoints(end).into_iter().for_each(|it| all.entry(it).or_default().push(end));
    }
    let mut judged: FxHashMap<(EndpointId, EndpointId), PortMap<Verdict>> = FxHashMap::default();
    let mut may_find = |source, destination| {
        let map =
            judged.entry((source, destination)).or_insert_with(|| reach.judge(source, destination));
        map.iter().any(|(_, verdict)| {
            let is_other = matches!(verdict, Verdict::Undefined(Reason::OtherPolicy { .. }));
            is_other || verdict == Verdict::Allow
        })
    };
    let mut pairs = BTreeSet::new();
    for (one, ends) in &all {
        let is_mentioned = |it: &&End| it.is_some_and(|it| mentioned.contains(&it));
        let ends: Vec<End> = ends.iter().filter(is_mentioned).copied().collect();
        if ends.is_empty() {
            continue;
        }
        for (other, others) in &all {
            let with = |it: &End| others.iter().map(|other| (*it, *other)).collect::<Vec<_>>();
            if may_find(*one, *other) {
                pairs.extend(ends.iter().flat_map(with));
            }
            if may_find(*other, *one) {
                pairs.extend(ends.iter().flat_map(with).map(|(one, other)| (other, one)));
            }
        }
    }
    // Pods of one workload are one component.
    pairs.retain(|(from, to)| from != to);
    let mut found = Vec::new();
    let mut others = BTreeSet::new();
    for (from, to) in pairs {
        for source in endpoints(from) {
            for destination in endpoints(to) {
                let map = judged
                    .entry((source, destination))
                    .or_insert_with(|| reach.judge(source, destination));
                let open = map.ports(|it| it == Verdict::Allow).and(&served(facts, to));
                let none = PortSet::default();
                let expected = declared.get(&(from, to)).unwrap_or(&none);
                let open = open.without(expected);
                others.extend(map.iter().filter_map(|(ports, verdict)| match verdict {
                    Verdict::Undefined(Reason::OtherPolicy { object, .. }) => {
                        let more = [ports].into_iter().collect::<PortSet>().without(expected);
                        (!more.and(&served(facts, to)).is_empty()).then_some(object)
                    }
                    _ => None,
                }));
                let ports: Vec<Ports> = open.iter().collect();
                let Some(first) = ports.first() else { continue };
                let because = reach.because(source, destination, first.protocol, first.first);
                found.push(Undeclared { from, to, ports, because });
            }
        }
    }
    found.dedup_by(|a, b| (a.from, a.to) == (b.from, b.to));
    Comparison { undeclared: found, others }
}

/// The workloads that any flow names: what is not declared of them is meant to be denied. What the cluster itself runs,
/// its DNS above all, is not the user's to close.
pub fn mentioned(facts: &Facts<'_>, flows: &[Flow<'_>]) -> BTreeSet<WorkloadId> {
    let ends = flows.iter().flat_map(|it| [ends(facts, &it.from), ends(facts, &it.to)]);
    let is_own = |it: &WorkloadId| facts.workloads().get(*it).namespace != "kube-system";
    ends.flatten().flatten().filter(is_own).collect()
}

/// Of those, the ones that somebody isolates: where some namespaces have policies and others have none, whoever runs in
/// these is no part of what is closed, such as an ingress controller.
pub fn own(
    facts: &Facts<'_>,
    flows: &[Flow<'_>],
    is_isolated: impl Fn(&str) -> bool,
) -> BTreeSet<WorkloadId> {
    let all = mentioned(facts, flows);
    let reach = facts.reach();
    let is_own = |it: &WorkloadId| {
        let namespace = facts.workloads().get(*it).namespace;
        let end = reach.of_workload(*it);
        let is_decided =
            end.is_some_and(|it| DIRECTIONS.iter().any(|way| reach.is_decided(*way, it)));
        is_decided
            || facts.policies().in_namespace(namespace).next().is_some()
            || !facts.other_policies().of_workload(*it).is_empty()
            || is_isolated(namespace)
    };
    let own: BTreeSet<_> = all.iter().copied().filter(is_own).collect();
    if own.is_empty() { all } else { own }
}

/// A workload, or the Internet.
pub type End = Option<WorkloadId>;

/// The ports of its pods that each end is meant to be called on, by whom.
pub fn ports(facts: &Facts<'_>, flows: &[Flow<'_>]) -> FxHashMap<(End, End), PortSet> {
    let mut declared: FxHashMap<(End, End), PortSet> = FxHashMap::default();
    for flow in flows {
        for from in ends(facts, &flow.from) {
            for to in ends(facts, &flow.to) {
                let ports = pod_ports(facts, flow, &flow.ports, to);
                declared.entry((from, to)).or_default().extend(ports.iter());
            }
        }
    }
    declared
}

/// The ends that a party is made of.
fn ends(facts: &Facts<'_>, party: &Party) -> Vec<End> {
    match party {
        Party::Workload(it) => vec![Some(*it)],
        Party::Service(it) => {
            facts.services().get(*it).selects.iter().map(|it| Some(it.0)).collect()
        }
        Party::Internet | Party::Block(_) => vec![None],
        Party::Nodes | Party::Stranger(_) => Vec::new(),
    }
}

/// The ports of the pods that some ports of a flow mean: behind a Service those that its ports lead to.
pub fn pod_ports(facts: &Facts<'_>, flow: &Flow<'_>, ports: &PortSet, to: End) -> PortSet {
    let (Party::Service(service), Some(to)) = (&flow.to, to) else { return ports.clone() };
    let led = facts.services().get(*service).ports.iter().filter_map(|it| {
        let protocol = Protocol::parse(it.protocol)?;
        let own = u16::try_from(it.port).ok().filter(|it| ports.has(protocol, *it))?;
        let number = it.on(facts.ports(to)).unwrap_or(i64::from(own));
        Some(Ports::one(protocol, u16::try_from(number).ok()?))
    });
    led.collect()
}

/// The ports that matter at a destination: those that its containers declare, where all of them do.
fn served(facts: &Facts<'_>, to: Option<WorkloadId>) -> PortSet {
    let Some(to) = to else { return PortSet::all() };
    let ports = facts.ports(to);
    if ports.iter().next().is_none() || ports.silent_container().is_some() {
        return PortSet::all();
    }
    let declared = ports.iter().filter_map(|it| {
        Some(Ports::one(Protocol::parse(it.protocol)?, u16::try_from(it.number).ok()?))
    });
    declared.collect()
}

/// The object of a party, where it is one.
pub fn object_of(facts: &Facts<'_>, party: &Party) -> Option<ObjId> {
    match party {
        Party::Workload(it) => Some(facts.workloads().get(*it).object),
        Party::Service(it) => Some(facts.services().get(*it).object),
        Party::Block(_) | Party::Internet | Party::Nodes | Party::Stranger(_) => None,
    }
}
