//! One question: may this one talk to that one, on this port, perhaps through a Service?

use super::endpoint::{Endpoint, EndpointId};
use super::side::Side;
use super::stranger::StrangerId;
use super::verdict::{Because, Reason, Truth, Verdict};
use super::{Reach, SetId};
use crate::analyze::Facts;
use crate::analyze::network::policies::Direction;
use crate::analyze::selection::services::{Service, ServiceId, ServicePort};
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::network::Plugin;
use crate::api::ports::{PortMap, PortSet, Ports, Protocol};
use ipnet::IpNet;

/// Who is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The pods of a workload.
    Workload(WorkloadId),
    /// The pods behind a Service, by the Service's address and ports.
    Service(ServiceId),
    /// Addresses outside.
    Block(IpNet),
    /// All public addresses of version 4: what a policy says of one version holds for no other.
    Internet,
    /// The nodes.
    Nodes,
    /// Pods that the input does not hold.
    Stranger(StrangerId),
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Who begins.
    pub from: Party,
    /// Who is called.
    pub to: Party,
    /// On which of its ports: those of the Service where it is one.
    pub ports: PortSet,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answer<'d> {
    /// The verdict on each of the ports, in order.
    pub ports: Vec<(Ports, Verdict)>,
    /// What decides the first port that has the verdict of the whole.
    pub because: Vec<Because<'d>>,
}

impl Answer<'_> {
    /// The verdict of the whole: allowed if any port is.
    pub fn verdict(&self) -> Verdict {
        let rank = |it: &Verdict| match it {
            Verdict::Allow => 0,
            Verdict::Undefined(_) => 1,
            Verdict::Deny => 2,
        };
        self.ports.iter().map(|it| it.1).min_by_key(rank).unwrap_or(Verdict::Deny)
    }
}

/// What two that are both meant say together.
pub(super) fn both(a: Verdict, b: Verdict, reason: Reason) -> Verdict {
    match (a, b) {
        _ if a == b => a,
        (Verdict::Undefined(_), Verdict::Undefined(_)) => a.min(b),
        _ => Verdict::Undefined(reason),
    }
}

impl<'d> Reach<'d> {
    /// The endpoints that a party is made of.
    pub fn of_party(&self, facts: &Facts<'d>, party: &Party) -> Vec<EndpointId> {
        let is_it = |it: &Endpoint<'_>| match (it, party) {
            (Endpoint::Addresses(it), Party::Internet) => {
                it.is_public() && matches!(it.block, IpNet::V4(_))
            }
            // The piece that the block begins in, and those that begin in the block.
            (Endpoint::Addresses(it), Party::Block(block)) => {
                it.has(block.addr()) || block.contains(&it.block)
            }
            (Endpoint::Nodes, Party::Nodes) => true,
            _ => false,
        };
        match party {
            Party::Workload(it) => self.of_workload(*it).into_iter().collect(),
            Party::Stranger(it) => self.of_stranger(*it).into_iter().collect(),
            Party::Service(it) => {
                let it = facts.services().get(*it);
                let mut all: Vec<_> =
                    it.selects.iter().filter_map(|it| self.of_workload(it.0)).collect();
                all.sort_unstable();
                all.dedup();
                all
            }
            Party::Block(IpNet::V6(_)) if self.of_version_6.is_some() => {
                self.of_version_6.into_iter().collect()
            }
            _ => self.endpoints().filter(|it| is_it(it.1)).map(|it| it.0).collect(),
        }
    }

    /// Answers a question.
    pub fn ask(&self, facts: &Facts<'d>, question: &Question) -> Answer<'d> {
        let sources = self.of_party(facts, &question.from);
        if let Party::Service(service) = question.to {
            let service = facts.services().get(service);
            return self.ask_service(facts, question, service, &sources);
        }
        let mut whole: Option<PortMap<Verdict>> = None;
        let destinations = self.of_party(facts, &question.to);
        for from in &sources {
            for to in &destinations {
                let map = self.between(facts, &question.from, &question.to, *from, *to);
                let reason = Reason::WhichAddress;
                whole = Some(match whole {
                    None => map,
                    Some(it) => it.with(&map, |a, b| both(a, b, reason)),
                });
            }
        }
        let asked = |(ports, verdict): (Ports, Verdict)| {
            let asked = [ports].into_iter().collect::<PortSet>().and(&question.ports);
            asked.iter().map(|it| (it, verdict)).collect::<Vec<_>>()
        };
        let ports = whole.iter().flat_map(PortMap::iter).flat_map(asked).collect();
        let mut answer = Answer { ports, because: Vec::new() };
        let verdict = answer.verdict();
        if let Some((ports, _)) = answer.ports.iter().find(|it| it.1 == verdict) {
            for from in &sources {
                for to in &destinations {
                    answer.because.extend(self.because(*from, *to, ports.protocol, ports.first));
                }
            }
        }
        tidy(&mut answer.because);
        answer
    }

    /// What a pod sends to itself by its own address never leaves it; of several pods, two different ones are meant.
    fn between(
        &self,
        facts: &Facts<'d>,
        from: &Party,
        to: &Party,
        source: EndpointId,
        destination: EndpointId,
    ) -> PortMap<Verdict> {
        match (from, to) {
            (Party::Workload(a), Party::Workload(b)) if a == b && is_one_pod(facts, *a) => {
                PortMap::of(Verdict::Allow)
            }
            _ => self.judge(source, destination),
        }
    }

    fn ask_service(
        &self,
        facts: &Facts<'d>,
        question: &Question,
        service: &Service<'d>,
        sources: &[EndpointId],
    ) -> Answer<'d> {
        let mut answer = Answer { ports: Vec::new(), because: Vec::new() };
        let mut decided: Option<(Verdict, Vec<Because<'d>>)> = None;
        for port in &service.ports {
            let Some(own) = own_port(port).filter(|it| question.ports.has(it.protocol, it.first))
            else {
                continue;
            };
            let mut verdict = None;
            let mut because = Vec::new();
            for (workload, _) in service.selects.iter() {
                let Some(to) = self.of_workload(*workload) else { continue };
                let number = port.on(facts.ports(*workload)).and_then(|it| u16::try_from(it).ok());
                // Pods that do not know the name of the port are left out by the Service.
                let Some(number) = number else { continue };
                for from in sources {
                    let judged = self.judge(*from, to).get(own.protocol, number);
                    let judged = self.through(service, own, *from, judged);
                    let judged = self.to_itself(facts, &question.from, *workload, judged);
                    let reason = Reason::WhichPod;
                    verdict = Some(verdict.map_or(judged, |it| both(it, judged, reason)));
                    because.extend(self.because(*from, to, own.protocol, number));
                }
            }
            let Some(verdict) = verdict else { continue };
            answer.ports.push((own, verdict));
            if decided.as_ref().is_none_or(|it| it.0 != answer.verdict()) {
                decided = Some((verdict, because));
            }
        }
        answer.because = decided.map(|it| it.1).unwrap_or_default();
        tidy(&mut answer.because);
        answer
    }

    /// A verdict on a pod, when it is reached by a Service's address: a plugin that judges egress before the address is
    /// translated asks whether a block holds the Service's.
    fn through(
        &self,
        service: &Service<'d>,
        own: Ports,
        from: EndpointId,
        judged: Verdict,
    ) -> Verdict {
        let may_open = self.network.may_judge_services() && !service.is_headless;
        if judged != Verdict::Deny || !may_open {
            return judged;
        }
        let side = Direction::Egress;
        let opens = self.selecting(side, from).iter().any(|(at, _)| {
            let rules = self.policies[*at as usize].rules(side).unwrap_or_default();
            rules.iter().any(|rule| {
                let ports: PortSet = rule.ports.numbers.clone();
                let peers = rule.peers.iter().flatten();
                ports.has(own.protocol, own.first) && peers.copied().any(|it| self.is_private(it))
            })
        });
        if opens { Verdict::Undefined(Reason::ServiceAddress) } else { judged }
    }

    /// Whether a set is a block that may hold the addresses of Services.
    fn is_private(&self, set: SetId) -> bool {
        let holds = |it: &Endpoint<'_>| match it {
            Endpoint::Addresses(it) => {
                let private = super::network::private();
                private.iter().any(|range| range.contains(&it.block) || it.block.contains(range))
            }
            _ => false,
        };
        let set = self.set(set);
        let members = set.members.iter().filter(|it| it.1 == Truth::Yes).map(|it| it.0);
        members.chain(set.pieces.iter()).any(|it| holds(self.get(it)))
    }

    /// A verdict on pods behind a Service, of which the source may be one (k8s #95879).
    fn to_itself(
        &self,
        facts: &Facts<'d>,
        from: &Party,
        to: WorkloadId,
        judged: Verdict,
    ) -> Verdict {
        if *from != Party::Workload(to) || judged == Verdict::Allow {
            return judged;
        }
        let own = match self.network.plugin {
            Plugin::Cilium => Verdict::Allow,
            Plugin::Calico | Plugin::Antrea => judged,
            Plugin::Generic | Plugin::OvnKubernetes | Plugin::AwsVpc => {
                Verdict::Undefined(Reason::Hairpin)
            }
        };
        if is_one_pod(facts, to) { own } else { both(judged, own, Reason::Hairpin) }
    }

    /// The verdict on what a source sends, whatever the destination says.
    pub fn egress(&self, from: EndpointId, to: EndpointId) -> PortMap<Verdict> {
        self.side(Side::new(Direction::Egress, from, to))
    }
}

/// Whether a workload never has a second pod.
pub fn is_one_pod(facts: &Facts<'_>, workload: WorkloadId) -> bool {
    facts.workloads().get(workload).is_bare_pod()
        || facts.envelope(workload).is_some_and(|it| it.peak.count == 1)
}

fn own_port(port: &ServicePort<'_>) -> Option<Ports> {
    let number = u16::try_from(port.port).ok().filter(|it| *it > 0)?;
    Some(Ports::one(Protocol::parse(port.protocol)?, number))
}

/// Each policy once a direction and rule.
fn tidy(because: &mut Vec<Because<'_>>) {
    because.sort_by_key(|it| {
        (std::cmp::Reverse(it.direction), it.policy, it.rule.map(|it| it.index()))
    });
    because.dedup_by_key(|it| (it.direction, it.policy, it.rule.map(|it| it.index())));
}
