//! Arrows between the pods of the input, and from and to everybody.

use super::Painter;
use crate::analyze::network::policies::Direction;
use crate::analyze::network::reach::EndpointId;
use crate::analyze::network::reach::verdict::{Reason, Verdict};
use crate::analyze::selection::services::{Service, ServicePort};
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::ports::{PortMap, PortSet, Ports, Protocol};
use crate::graph::scene::{ComponentKind, State};
use std::collections::BTreeMap;

/// Every pod and every address.
pub(super) const ANYONE: &str = "anyone";

/// What is said of the ports between two endpoints.
struct Judged {
    allowed: PortSet,
    undefined: PortSet,
}

impl Judged {
    fn new(ports: &PortMap<Verdict>) -> Judged {
        // Traffic from a pod's own node says nothing of who was meant to talk.
        let is_open = |it: Verdict| matches!(it, Verdict::Undefined(it) if it != Reason::OwnNode);
        Judged { allowed: ports.ports(|it| it == Verdict::Allow), undefined: ports.ports(is_open) }
    }
}

impl Painter<'_, '_> {
    /// Draws what policies let through between pods, and what pods are told to talk to.
    pub(super) fn pods(&mut self) {
        let workloads = self.workloads();
        let open = |direction| -> Vec<PortSet> {
            workloads.iter().map(|(it, _)| self.open(*it, direction)).collect()
        };
        let (senders, receivers) = (open(Direction::Egress), open(Direction::Ingress));
        let told = self.told();
        let mut judged: BTreeMap<(EndpointId, EndpointId), Judged> = BTreeMap::new();
        for ((from, source), sends) in workloads.iter().zip(&senders) {
            for ((to, target), receives) in workloads.iter().zip(&receivers) {
                let reach = self.facts.reach();
                let ends = reach.of_workload(*from).zip(reach.of_workload(*to));
                let Some(ends) = ends else { continue };
                if from == to && self.is_single(*from) {
                    continue;
                }
                let judged =
                    judged.entry(ends).or_insert_with(|| Judged::new(&reach.judge(ends.0, ends.1)));
                // What everybody may do on both sides nobody decided for these two.
                let anyway = sends.and(receives);
                let none = PortSet::default();
                let told = told.get(&(*from, *to)).unwrap_or(&none);
                let allowed = judged.allowed.without(&anyway);
                // What a pod is told to talk to is worth an arrow of its own among "any port".
                self.flow(*source, *target, &told.and(&judged.allowed), State::Allowed);
                let undefined = judged.undefined.without(&anyway).and(&self.declared(*to));
                self.flow(*source, *target, &allowed, State::Allowed);
                self.flow(*source, *target, &undefined, State::Undefined);
            }
        }
        self.everybody(&workloads, &senders, &receivers);
    }

    /// Draws what policies open to everybody.
    fn everybody(
        &mut self,
        workloads: &[(WorkloadId, usize)],
        senders: &[PortSet],
        receivers: &[PortSet],
    ) {
        let reach = self.facts.reach();
        // That nothing stands in the way nobody decided, and it is said of the component.
        let decided = |direction, ports: &[PortSet]| -> Vec<(usize, PortSet)> {
            let all = workloads.iter().zip(ports).filter(|((it, _), ports)| {
                let end = reach.of_workload(*it);
                !ports.is_empty() && end.is_some_and(|it| reach.is_decided(direction, it))
            });
            all.map(|((_, at), ports)| (*at, ports.clone())).collect()
        };
        let (senders, receivers) =
            (decided(Direction::Egress, senders), decided(Direction::Ingress, receivers));
        let caption = "any pod, any address";
        if !senders.is_empty() {
            let anywhere = self.add_outside(ComponentKind::External, None, "anywhere", caption);
            for (at, ports) in senders {
                self.flow(at, anywhere, &ports, State::Allowed);
            }
        }
        if !receivers.is_empty() {
            let anyone = self.add_outside(ComponentKind::Internet, None, ANYONE, caption);
            for (at, ports) in receivers {
                self.flow(anyone, at, &ports, State::Allowed);
            }
        }
    }

    fn is_single(&self, workload: WorkloadId) -> bool {
        self.facts.envelope(workload).is_some_and(|it| it.peak.count <= 1)
    }

    /// The ports of each other's pods that workloads are given the addresses of.
    fn told(&self) -> BTreeMap<(WorkloadId, WorkloadId), PortSet> {
        let mut told: BTreeMap<_, Vec<Ports>> = BTreeMap::new();
        for client in self.facts.clients().iter() {
            let service = self.facts.services().get(client.service);
            let port = client.contact.address.port;
            for (to, ports) in self.behind(service, |it| port.is_none_or(|port| it.port == port)) {
                for from in client.certain().iter().filter(|it| **it != to) {
                    told.entry((*from, to)).or_default().extend(ports.iter());
                }
            }
        }
        told.into_iter().map(|(pair, ports)| (pair, ports.into_iter().collect())).collect()
    }

    /// The pods behind some ports of a Service, and which ports of theirs.
    pub(super) fn behind(
        &self,
        service: &Service<'_>,
        which: impl Fn(&ServicePort<'_>) -> bool,
    ) -> Vec<(WorkloadId, PortSet)> {
        let pods = service.selects.iter().map(|(workload, _)| {
            let declared = self.facts.ports(*workload);
            let ports = service.ports.iter().filter(|it| which(it)).filter_map(|it| {
                let number = u16::try_from(it.on(declared)?).ok()?;
                Some(Ports::one(Protocol::parse(it.protocol)?, number))
            });
            (*workload, ports.collect())
        });
        pods.collect()
    }
}
