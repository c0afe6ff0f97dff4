//! Ports that network policies open and no pod serves.
//!
//! A number is taken for unserved only where every pod concerned declares what it serves, no Service leads there, and
//! nothing else about the pods speaks of it; a name exists only where a container declares it.

use super::policies::{
    DIRECTIONS, Direction, NetworkPolicy, PeerKind, PolicyId, PortRange, PortRule, TrafficRule,
};
use crate::analyze::Facts;
use crate::analyze::selection::services::ServiceId;
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;

/// A port of a policy that none of the pods serves.
#[derive(Clone, Debug)]
pub struct Unserved<'d> {
    /// The policy.
    pub policy: PolicyId,
    /// In which of its lists.
    pub direction: Direction,
    /// The entry.
    pub port: PortRule<'d>,
    /// Whose pods would have to serve it.
    pub workloads: Vec<WorkloadId>,
    /// The Service whose own port it is, and the port of the pods behind that.
    pub service: Option<(ServiceId, i64)>,
}

/// The unserved ports of all policies.
pub(in crate::analyze) fn unserved<'d>(facts: &Facts<'d>) -> Vec<Unserved<'d>> {
    let mut found = Vec::new();
    for policy in facts.policies().iter() {
        for direction in DIRECTIONS {
            for rule in policy.rules(direction).unwrap_or_default() {
                let Some(ports) = &rule.ports else { continue };
                let Some(workloads) = receivers(facts, policy, direction, rule) else { continue };
                let unserved = ports.iter().filter(|it| is_unserved(facts, it, &workloads));
                found.extend(unserved.map(|port| Unserved {
                    policy: policy.id,
                    direction,
                    port: *port,
                    workloads: workloads.iter().map(|it| it.id).collect(),
                    service: service(facts, port, &workloads),
                }));
            }
        }
    }
    found
}

/// The workloads that a rule's ports are those of, where the input holds all of them for certain.
fn receivers<'f, 'd>(
    facts: &'f Facts<'d>,
    policy: &NetworkPolicy<'d>,
    direction: Direction,
    rule: &TrafficRule<'d>,
) -> Option<Vec<&'f Workload<'d>>> {
    let workloads = match direction {
        // A policy for all pods waits for those to come as well.
        Direction::Ingress if policy.selects_all() => return None,
        Direction::Ingress => {
            policy.selects.iter().map(|it| facts.workloads().get(it.0)).collect::<Vec<_>>()
        }
        Direction::Egress => {
            let mut all = Vec::new();
            for peer in rule.peers.as_ref()? {
                match &peer.kind {
                    PeerKind::Pods { namespaces: None, pods: Some(pods) } if !pods.is_empty() => {
                        let found = facts.workloads().select(policy.namespace, pods);
                        if found.is_empty() {
                            return None;
                        }
                        all.extend(found.into_iter().map(|it| it.0));
                    }
                    _ => return None,
                }
            }
            all
        }
    };
    // A custom kind's controller may add ports to the template.
    let is_known = !workloads.is_empty() && workloads.iter().all(|it| it.kind != Kind::Custom);
    is_known.then_some(workloads)
}

fn is_unserved(facts: &Facts<'_>, port: &PortRule<'_>, workloads: &[&Workload<'_>]) -> bool {
    match port.ports {
        PortRange::All | PortRange::Invalid => false,
        PortRange::Named(name) => {
            workloads.iter().all(|it| facts.ports(it.id).named(name, port.protocol).is_none())
        }
        PortRange::Numbers(first, last) => {
            let is_in = |it: i64| (i64::from(first)..=i64::from(last)).contains(&it);
            // By the port of some pods' Service nobody means others that are behind none and declare nothing.
            let is_of_service = service(facts, port, workloads).is_some();
            let is_meant = |it: &Workload<'_>| {
                let is_behind = facts.services().of_workload(it.id).next().is_some();
                !is_of_service || is_behind || facts.ports(it.id).iter().next().is_some()
            };
            workloads.iter().all(|it| {
                let ports = facts.ports(it.id);
                let is_led_to = facts.services().of_workload(it.id).any(|service| {
                    let mut all = service.ports.iter().filter(|it| it.protocol == port.protocol);
                    all.any(|it| it.on(ports).is_some_and(is_in))
                });
                let is_told = ports.declares(port.protocol) && ports.silent_container().is_none();
                let may_be_served = is_meant(it) && !is_told;
                let is_declared =
                    ports.iter().any(|it| it.protocol == port.protocol && is_in(it.number));
                let is_spoken_of = first == last && it.speaks_of_port(i64::from(first));
                !(may_be_served || is_declared || is_led_to || is_spoken_of)
            })
        }
    }
}

/// The Service of these pods that has this very port, and leads it to another.
fn service(
    facts: &Facts<'_>,
    port: &PortRule<'_>,
    workloads: &[&Workload<'_>],
) -> Option<(ServiceId, i64)> {
    let PortRange::Numbers(number, last) = port.ports else { return None };
    if number != last {
        return None;
    }
    workloads.iter().find_map(|workload| {
        facts.services().of_workload(workload.id).find_map(|service| {
            let mut own = service.numbered(i64::from(number));
            let own = own.find(|it| it.protocol == port.protocol)?;
            let target = own.on(facts.ports(workload.id))?;
            (target != i64::from(number)).then_some((service.id, target))
        })
    })
}
