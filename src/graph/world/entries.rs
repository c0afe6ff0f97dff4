//! How calls from outside get in: Ingresses and routes by their controller, Services by their load balancers and node
//! ports.

use super::Painter;
use super::strangers::NOT_IN_INPUT;
use crate::analyze::network::access::{Caller, Gate, callers, gate, may_serve};
use crate::analyze::network::policies::Direction;
use crate::analyze::network::reach::verdict::Verdict;
use crate::analyze::network::reach::{Endpoint, EndpointId};
use crate::analyze::selection::services::{Exposure, Target};
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;
use crate::api::ports::{PortSet, Ports, Protocol};
use crate::graph::scene::{Component, ComponentKind, PortRange, Posture, State};
use std::collections::BTreeMap;

/// Callers from everywhere.
pub(super) const INTERNET: &str = "Internet";

/// Names that pods of controllers bear.
const CONTROLLERS: &[&str] = &[
    "ingress-nginx",
    "nginx-ingress",
    "traefik",
    "haproxy-ingress",
    "kubernetes-ingress",
    "contour",
    "envoy-gateway",
    "istio-ingressgateway",
    "kong",
    "apisix",
    "ambassador",
    "emissary",
    "skipper",
    "ingress-controller",
    "nginx-gateway",
];

/// Who lets calls in: a workload of the input, or somebody of whom only policies speak.
#[derive(Clone, Copy)]
enum Controller {
    Workload(WorkloadId, usize),
    Stranger(usize),
}

impl Painter<'_, '_> {
    /// Draws the ways in; `callers` are peers that policies let in and that are not in the input.
    pub(super) fn entries(&mut self, callers: &[usize]) {
        let routed = self.routed();
        let controllers = self.controllers(&routed, callers);
        for controller in &controllers {
            for (workload, ports) in &routed {
                self.route(*controller, *workload, ports);
            }
        }
        let exposed = self.exposed();
        if exposed.is_empty() && controllers.is_empty() {
            return;
        }
        let internet = self.internet();
        for (workload, ports) in &exposed {
            self.expose(internet, *workload, ports);
        }
        for controller in controllers {
            let (Controller::Workload(_, at) | Controller::Stranger(at)) = controller;
            let is_drawn = self.scene.flows.iter().any(|it| (it.from, it.to) == (internet, at));
            if !is_drawn {
                let ports = self.web_ports();
                self.flow(internet, at, &ports, State::Allowed);
            }
        }
    }

    /// The ports of pods that Ingresses and routes lead to.
    fn routed(&self) -> Vec<(WorkloadId, PortSet)> {
        let mut routed: BTreeMap<WorkloadId, Vec<Ports>> = BTreeMap::new();
        for backend in self.facts.backends() {
            let service = self.facts.services().find(backend.namespace, backend.service);
            let Some(service) = service else { continue };
            let pods = self.behind(service, |it| match backend.port {
                None => true,
                Some((Target::Number(number), _)) => it.port == number,
                Some((Target::Name(name), _)) => it.name == Some(name),
            });
            for (workload, ports) in pods {
                routed.entry(workload).or_default().extend(ports.iter());
            }
        }
        routed.into_iter().map(|(it, ports)| (it, ports.into_iter().collect())).collect()
    }

    /// Who lets calls in: controllers of the input, or else whoever is let in where the routes lead to.
    fn controllers(
        &mut self,
        routed: &[(WorkloadId, PortSet)],
        callers: &[usize],
    ) -> Vec<Controller> {
        if routed.is_empty() {
            return Vec::new();
        }
        let own = self.workloads().into_iter().filter(|(it, _)| {
            is_controller(self.facts.workloads().get(*it))
                && routed.iter().all(|(workload, _)| workload != it)
        });
        let own: Vec<_> = own.collect();
        for (_, at) in &own {
            self.scene.components[*at].kind = ComponentKind::Ingress;
        }
        if !own.is_empty() {
            return own.into_iter().map(|(it, at)| Controller::Workload(it, at)).collect();
        }
        let leads = |caller: usize| {
            self.scene.flows.iter().any(|flow| {
                let target =
                    routed.iter().find(|(it, _)| self.of_workload[it.0 as usize] == Some(flow.to));
                let open: PortSet = flow.ports.0.iter().flat_map(spans).collect();
                flow.from == caller && target.is_some_and(|(_, ports)| !ports.and(&open).is_empty())
            })
        };
        let found: Vec<usize> = callers.iter().copied().filter(|it| leads(*it)).collect();
        for at in &found {
            self.scene.components[*at].kind = ComponentKind::Ingress;
        }
        if !found.is_empty() {
            return found.into_iter().map(Controller::Stranger).collect();
        }
        let kind = ComponentKind::Ingress;
        vec![Controller::Stranger(self.add_outside(kind, None, "ingress controller", NOT_IN_INPUT))]
    }

    /// Draws the way from a controller to the pods behind a route.
    fn route(&mut self, controller: Controller, workload: WorkloadId, ports: &PortSet) {
        let Some(to) = self.of_workload[workload.0 as usize] else { return };
        let (from, allowed, undefined) = match controller {
            Controller::Workload(it, at) => {
                let reach = self.facts.reach();
                let Some(ends) = reach.of_workload(it).zip(reach.of_workload(workload)) else {
                    return;
                };
                let judged = reach.judge(ends.0, ends.1);
                let allowed = judged.ports(|it| it == Verdict::Allow);
                (at, allowed, judged.ports(|it| matches!(it, Verdict::Undefined(_))))
            }
            Controller::Stranger(at) => {
                // What policies let in from it is drawn already.
                let drawn = self.scene.flows.iter().filter(|it| (it.from, it.to) == (at, to));
                let drawn = drawn.flat_map(|it| it.ports.0.iter()).flat_map(spans);
                let open = self.open(workload, Direction::Ingress);
                let allowed: PortSet = drawn.chain(open.iter()).collect();
                // Whom policies let in may be it, and may be somebody else.
                let undefined = self.maybe_open(workload, ports).without(&allowed);
                (at, allowed, undefined)
            }
        };
        self.flow(from, to, &ports.and(&allowed), State::Allowed);
        self.flow(from, to, &ports.and(&undefined), State::Undefined);
        let rest = ports.without(&allowed).without(&undefined);
        self.flow(from, to, &self.cut_off(workload, &rest), State::Missing);
    }

    /// The ports that somebody from outside the namespace may be let in on.
    fn maybe_open(&self, workload: WorkloadId, ports: &PortSet) -> PortSet {
        let reach = self.facts.reach();
        let Some(end) = reach.of_workload(workload) else { return PortSet::default() };
        let is_open = |it: &Ports| reach.stranger(end, it.protocol, it.first) != Verdict::Deny;
        ports.iter().filter(is_open).collect()
    }

    /// The ports that are closed to whoever serves Ingresses, as the check finds it.
    fn cut_off(&self, workload: WorkloadId, ports: &PortSet) -> PortSet {
        let callers = callers(self.facts, Caller::Controller);
        let is_closed = |it: &Ports| {
            may_serve(self.facts, workload, it.protocol, i64::from(it.first))
                && matches!(
                    gate(
                        self.facts,
                        (Caller::Controller, &callers),
                        workload,
                        it.protocol,
                        it.first
                    ),
                    Gate::Closed { .. }
                )
        };
        ports.iter().filter(is_closed).collect()
    }

    /// The ports of pods that load balancers and node ports lead to.
    fn exposed(&self) -> Vec<(WorkloadId, PortSet)> {
        let mut exposed: BTreeMap<WorkloadId, Vec<Ports>> = BTreeMap::new();
        let services = self.facts.services().iter();
        for service in
            services.filter(|it| matches!(it.exposure, Exposure::LoadBalancer | Exposure::NodePort))
        {
            for (workload, ports) in self.behind(service, |_| true) {
                exposed.entry(workload).or_default().extend(ports.iter());
            }
        }
        exposed.into_iter().map(|(it, ports)| (it, ports.into_iter().collect())).collect()
    }

    fn expose(&mut self, internet: usize, workload: WorkloadId, ports: &PortSet) {
        let Some(to) = self.of_workload[workload.0 as usize] else { return };
        let reach = self.facts.reach();
        let Some((from, pods)) = self.outside().zip(reach.of_workload(workload)) else { return };
        let judged = reach.judge(from, pods);
        let allowed = judged.ports(|it| it == Verdict::Allow);
        let undefined = judged.ports(|it| matches!(it, Verdict::Undefined(_)));
        self.flow(internet, to, &ports.and(&allowed), State::Allowed);
        self.flow(internet, to, &ports.and(&undefined), State::Undefined);
    }

    /// The addresses that no policy names.
    fn outside(&self) -> Option<EndpointId> {
        let mut endpoints = self.facts.reach().endpoints();
        let is_rest =
            |it: &Endpoint<'_>| matches!(it, Endpoint::Addresses(it) if it.block.prefix_len() == 0);
        endpoints.find(|(_, it)| is_rest(it)).map(|(id, _)| id)
    }

    /// The component of callers from everywhere.
    fn internet(&mut self) -> usize {
        let is_it = |it: &Component| it.kind == ComponentKind::Internet && it.name == INTERNET;
        if let Some(at) = self.scene.components.iter().position(is_it) {
            return at;
        }
        self.add(Component {
            name: INTERNET.into(),
            caption: String::new(),
            kind: ComponentKind::Internet,
            namespace: None,
            ingress: Posture::Unknown,
            egress: Posture::Unknown,
            state: State::Allowed,
        })
    }

    /// An Ingress is about HTTP and HTTPS: port 80, and 443 where it has certificates.
    fn web_ports(&self) -> PortSet {
        let mut ingresses = self.model.of_kind(Kind::Ingress);
        let has_tls = ingresses.any(|it| it.field(&["spec", "tls"]).is_some());
        let ports = [Some(80), Some(443).filter(|_| has_tls)];
        ports.into_iter().flatten().map(|it| Ports::one(Protocol::Tcp, it)).collect()
    }
}

/// A range of a picture as the engine has it.
pub(super) fn spans(range: &PortRange) -> impl Iterator<Item = Ports> {
    let is_meant = |it: &Protocol| range.protocol.is_empty() || range.protocol == it.name();
    let (first, last) = (range.first.max(1), range.last);
    Protocol::ALL.into_iter().filter(is_meant).map(move |protocol| Ports { protocol, first, last })
}

fn is_controller(workload: &Workload<'_>) -> bool {
    let labels = workload.labels.written.iter().map(|(_, value)| *value);
    let images = workload.pod.list("containers").filter_map(|it| it.text("image"));
    let names = labels.chain(images).chain([workload.name]);
    names.into_iter().any(|name| CONTROLLERS.iter().any(|it| name.contains(it)))
}
