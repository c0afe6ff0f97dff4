//! Whether those who call by trade, an ingress controller or Prometheus, get through to the pods that they are for.
//!
//! Their real pods are asked about where the input holds them, in whichever namespace. Where it does not, what is closed to
//! everybody outside the namespace is closed to them, too.

use super::policies::{Direction, PeerKind};
use super::reach::stranger::Stranger;
use super::reach::{Because, Effect, Reason, Verdict};
use crate::analyze::Facts;
use crate::analyze::selection::namespaces::NAME_LABEL;
use crate::analyze::selection::selector::Operator;
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;
use crate::api::ports::Protocol;
use crate::model::ObjId;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// What serves Ingresses and routes.
    Controller,
    /// What scrapes.
    Prometheus,
}

/// How a port stands towards a caller.
#[derive(Clone, Debug)]
pub enum Gate {
    /// Open, or perhaps: nothing says otherwise.
    Open,
    /// It depends.
    CannotTell(Reason),
    /// Closed to these pods, by these policies; without pods, to everybody outside the namespace.
    Closed {
        /// The caller's pods, if the input holds them.
        caller: Option<WorkloadId>,
        /// The policies, and at which end.
        by: Vec<(ObjId, Direction)>,
    },
}

/// What controllers call themselves, in the labels that their charts set.
const CONTROLLERS: &[&str] = &[
    "apisix",
    "contour",
    "emissary-ingress",
    "envoy",
    "envoy-gateway",
    "haproxy-ingress",
    "ingress-nginx",
    "kong",
    "kubernetes-ingress",
    "nginx-gateway-fabric",
    "nginx-ingress",
    "nginx-ingress-controller",
    "traefik",
];

/// Namespaces that controllers run in by their own documentation.
const CONTROLLERS_IN: &[&str] = &[
    "contour",
    "emissary",
    "envoy-gateway-system",
    "haproxy-controller",
    "ingress",
    "ingress-nginx",
    "istio-ingress",
    "istio-system",
    "kong",
    "nginx-gateway",
    "nginx-ingress",
    "openshift-ingress",
    "projectcontour",
    "traefik",
];

/// The same for Prometheus.
const PROMETHEUS_IN: &[&str] = &[
    "cattle-monitoring-system",
    "monitoring",
    "observability",
    "openshift-monitoring",
    "prometheus",
];

const LABELS: [&str; 3] = ["app.kubernetes.io/name", "app", "k8s-app"];

impl Caller {
    fn is(self, workload: &Workload<'_>) -> bool {
        // Jobs of their charts bear the same labels.
        if matches!(workload.kind, Kind::Job | Kind::CronJob) {
            return false;
        }
        workload.labels.written.iter().any(|(key, value)| self.is_called(key, value))
    }

    fn namespaces(self) -> &'static [&'static str] {
        match self {
            Caller::Controller => CONTROLLERS_IN,
            Caller::Prometheus => PROMETHEUS_IN,
        }
    }

    /// The pods of it that policies mean by the namespace that they run in: what lets others in does not let it in.
    fn named_by<'d>(self, facts: &Facts<'d>, to: WorkloadId) -> Vec<Stranger<'d>> {
        let policies = facts.policies().isolating(to, Direction::Ingress);
        let rules = policies.flat_map(|it| it.0.ingress.iter().flatten());
        let peers = rules.flat_map(|it| it.peers.iter().flatten());
        let mut found: Vec<Stranger<'d>> = Vec::new();
        for peer in peers {
            let PeerKind::Pods { namespaces: Some(it), .. } = &peer.kind else { continue };
            let named = it.requirements.iter().find_map(|it| match &it.operator {
                Operator::In(values) if [NAME_LABEL, "name"].contains(&it.key) => {
                    values.iter().find(|it| self.namespaces().contains(it))
                }
                _ => None,
            });
            let Some(name) = named else { continue };
            let stranger = Stranger {
                namespace: Some(name),
                namespace_labels: vec![("name", name)],
                labels: Vec::new(),
            };
            if !found.contains(&stranger) {
                found.push(stranger);
            }
        }
        found
    }

    /// Whether pods with this label call themselves so.
    pub fn is_called(self, key: &str, value: &str) -> bool {
        LABELS.contains(&key)
            && match self {
                Caller::Controller => CONTROLLERS.contains(&value),
                Caller::Prometheus => value == "prometheus",
            }
    }
}

/// The pods of a caller that the input holds.
pub fn callers(facts: &Facts<'_>, caller: Caller) -> Vec<WorkloadId> {
    facts.workloads().iter().filter(|it| caller.is(it)).map(|it| it.id).collect()
}

/// Whether pods may serve a port: they declare it, or leave open what they serve.
pub fn may_serve(facts: &Facts<'_>, id: WorkloadId, protocol: Protocol, number: i64) -> bool {
    let ports = facts.ports(id);
    ports.numbered(number, protocol.name()).is_some()
        || !ports.declares(protocol.name())
        || ports.silent_container().is_some()
        || facts.workloads().get(id).speaks_of_port(number)
}

/// How a port of a workload's pods stands towards a caller with these pods.
pub fn gate<'d>(
    facts: &Facts<'d>,
    (caller, callers): (Caller, &[WorkloadId]),
    to: WorkloadId,
    protocol: Protocol,
    port: u16,
) -> Gate {
    let reach = facts.reach();
    let Some(target) = reach.of_workload(to) else { return Gate::Open };
    let mut undefined = None;
    let mut closed = None;
    for caller in callers {
        let Some(from) = reach.of_workload(*caller) else { continue };
        match reach.judge(from, target).get(protocol, port) {
            Verdict::Allow => return Gate::Open,
            Verdict::Undefined(reason) => undefined = undefined.or(Some(reason)),
            Verdict::Deny => closed = closed.or(Some((*caller, from))),
        }
    }
    if let Some(reason) = undefined {
        return Gate::CannotTell(reason);
    }
    if let Some((caller, from)) = closed {
        let because: Vec<Because<'d>> = reach.because(from, target, protocol, port);
        let mut by: Vec<_> = because
            .iter()
            .filter(|it| it.effect == Effect::Closes)
            .map(|it| (it.policy, it.direction))
            .collect();
        by.dedup();
        return Gate::Closed { caller: Some(caller), by };
    }
    let named = caller.named_by(facts, to);
    let stranger = match named.is_empty() {
        true => reach.stranger(target, protocol, port),
        false => reach.any_of(facts, &named, target, protocol, port),
    };
    match stranger {
        Verdict::Allow => return Gate::Open,
        Verdict::Undefined(reason) => return Gate::CannotTell(reason),
        Verdict::Deny => {}
    }
    let by = reach.isolating(Direction::Ingress, target);
    Gate::Closed { caller: None, by: by.into_iter().map(|it| (it, Direction::Ingress)).collect() }
}

/// Whether policies let a caller's pods in by the namespace that they name, though the input does not hold the pods.
pub fn is_let_in_by_name(
    facts: &Facts<'_>,
    caller: Caller,
    to: WorkloadId,
    (protocol, port): (Protocol, u16),
) -> bool {
    let named = caller.named_by(facts, to);
    let reach = facts.reach();
    let target = reach.of_workload(to).filter(|_| !named.is_empty());
    target.is_some_and(|it| reach.any_of(facts, &named, it, protocol, port) == Verdict::Allow)
}
