//! Flows and routes of an architecture that lead nowhere, or that lack what they need.

use super::meant;
use crate::api::ports::Ports;
use crate::architecture::Promise;
use crate::architecture::sayings::{End, Saying, flows};
use crate::architecture::statements::{Access, Component, ServiceType};
use crate::model::Place;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use std::collections::BTreeMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "architecture-flow-incomplete",
    title: "a stated flow or route leads nowhere, or lacks what it needs",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("architecture_flow_incomplete.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let Some(promise) = cx.stated() else { return };
    let flows = flows(promise);
    let of = Of { cx, promise };
    flows.iter().for_each(|it| of.flow(it, out));
    of.names(out);
    of.routes(&flows, out);
    if !flows.is_empty() {
        of.uncalled_ports(&flows, out);
        of.name_service(&flows, out);
        of.members(&flows, out);
    }
    out.findings.dedup_by(|a, b| a.message == b.message && a.labels == b.labels);
}

struct Of<'o, 'c, 'd> {
    cx: &'o Cx<'c, 'd>,
    promise: &'o Promise,
}

/// What nobody decided is a note.
fn severity(is_observed: bool) -> Severity {
    if is_observed { Severity::Note } else { Severity::Error }
}

impl<'o> Of<'o, '_, '_> {
    fn place(&self, node: Node<'_>) -> Place {
        self.promise.place(self.cx.model, node)
    }

    fn nobody(&self, node: Node<'_>, name: &str, out: &mut Out) {
        let message = format!("`{name}` is no component of the architecture");
        let finding = Finding::new(message, self.place(node), "nobody is called so");
        out.find(match meant(self.promise, name) {
            Some(help) => finding.help(help),
            None => finding.help(format!("describe `{name}` under `components`, or leave it out")),
        });
    }

    fn flow(&self, flow: &Saying<'_>, out: &mut Out) {
        let to = flow.node.get("to").unwrap_or(flow.node);
        if let End::Nobody(name) = &flow.from {
            self.nobody(flow.key, name, out);
        }
        if let End::Nobody(name) = &flow.to {
            self.nobody(to, name, out);
        }
        let Some(component) = flow.to.component(self.promise) else { return };
        let ports = flow.node.get("ports").unwrap_or(to);
        for port in flow.ports.iter().filter(|it| !listens(component, **it)) {
            let message = format!(
                "{} calls {} on {port}, where it does not listen",
                flow.from.shown(),
                flow.to.shown()
            );
            let mut finding = Finding::new(message, self.place(ports), "nobody listens here")
                .severity(severity(flow.is_observed));
            finding = self.listening(finding, &flow.to);
            out.find(
                finding.help("call a port that it listens on, or add this one to its `ports`"),
            );
        }
        self.call_from_outside(flow, component, out);
        self.via(flow, component, out);
    }

    /// The label that shows where a component listens.
    fn listening(&self, finding: Finding, end: &End) -> Finding {
        let End::Component(name) = end else { return finding };
        let said = self.promise.component(name);
        match said.and_then(|it| it.get("ports")) {
            Some(at) => finding.label(self.place(at), "it listens on these"),
            None => finding,
        }
    }

    /// What runs outside of the cluster cannot call a Service that only has an address inside.
    fn call_from_outside(&self, flow: &Saying<'_>, component: &Component, out: &mut Out) {
        let is_outside = flow.from == End::Internet
            || flow.from.component(self.promise).is_some_and(|it| it.external);
        let kind = component.service.as_ref().and_then(|it| it.kind);
        if !is_outside || kind != Some(ServiceType::ClusterIp) {
            return;
        }
        let End::Component(name) = &flow.to else { return };
        let message = format!(
            "{} is outside of the cluster, and `{name}` has an address inside only",
            flow.from.shown()
        );
        let mut finding = Finding::new(
            message,
            self.place(flow.node.get("to").unwrap_or(flow.node)),
            "called from outside",
        );
        if let Some(at) = self.promise.component(name).and_then(|it| it.at(&["service", "type"])) {
            finding = finding.label(self.place(at), "no address outside");
        }
        out.find(
            finding.help("run the caller in the cluster, or use a Service of type LoadBalancer"),
        );
    }

    /// The address that a caller is configured with.
    fn via(&self, flow: &Saying<'_>, component: &Component, out: &mut Out) {
        let (Some(via), Some(at)) = (flow.via, flow.node.get("via")) else { return };
        let address = via.split_once("://").map_or(via, |it| it.1);
        let address = address.split('/').next().unwrap_or_default();
        let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
        let labels: Vec<&str> = host.split('.').collect();
        let is_inside =
            labels.len() == 1 || host.ends_with(".svc") || host.ends_with(".cluster.local");
        let mut tell = |message: String, text: &str, note: &str| {
            out.find(Finding::new(message, self.place(at), text).note(note));
        };
        if flow.from == End::Internet && is_inside {
            let message = format!(
                "the Internet is to call {} as `{host}`, a name of the cluster",
                flow.to.shown()
            );
            return tell(
                message,
                "resolves inside of the cluster only",
                "browsers and other callers outside ask another name service; an address that is baked in at build time stays what it was",
            );
        }
        let End::Component(name) = &flow.to else { return };
        let Some(workload) = self.promise.workload(name, component) else { return };
        if is_inside && labels.get(1).is_some_and(|it| *it != workload.namespace && *it != "svc") {
            let message = format!(
                "`{host}` is a name in namespace `{}`, and `{name}` runs in `{}`",
                labels[1], workload.namespace
            );
            return tell(
                message,
                "resolves to nothing",
                "a Service is found as `name.namespace.svc.cluster.local`",
            );
        }
        let Ok(port) = port.parse::<u16>() else { return };
        let is_stated = flow.ports.is_empty()
            || flow.ports.iter().any(|it| (it.first..=it.last).contains(&port));
        if !is_stated {
            let message = format!("`{via}` is on port {port}, which the flow does not state");
            tell(message, "another port", "the ports of a flow are all that may be called");
        }
    }

    /// Names of components elsewhere than in flows.
    fn names(&self, out: &mut Out) {
        let is_known = |it: &str| self.promise.value.components.contains_key(it);
        for node in self.promise.root().list("objectives") {
            for key in ["rollout", "scaleOut", "apart"] {
                let Some(at) = node.get(key) else { continue };
                let name = at.scalar().unwrap_or_default();
                if !is_known(&name) && name != "all" {
                    self.nobody(at, &name, out);
                }
            }
            if let Some(at) = node.at(&["load", "of"])
                && let Some(name) = at.scalar().filter(|it| !is_known(it))
            {
                self.nobody(at, &name, out);
            }
            for key in ["keep", "expect"] {
                self.keys(node.get(key), out);
            }
        }
        for (_, node) in self.promise.at(&["picture", "nodes"]).into_iter().flat_map(Node::entries)
        {
            self.keys(node.get("pods"), out);
        }
        for key in ["counts", "rollout"] {
            self.keys(self.promise.at(&["picture", key]), out);
        }
    }

    fn keys(&self, map: Option<Node<'_>>, out: &mut Out) {
        for (key, _) in map.into_iter().flat_map(Node::entries) {
            let name = key.scalar().unwrap_or_default();
            if !self.promise.value.components.contains_key(&*name) {
                self.nobody(key, &name, out);
            }
        }
    }

    fn routes(&self, flows: &[Saying<'_>], out: &mut Out) {
        let routes = self.promise.value.routes.iter().zip(self.promise.root().list("routes"));
        let mut first: BTreeMap<(String, String), Node<'_>> = BTreeMap::new();
        for (route, node) in routes {
            let to = node.get("to").unwrap_or(node);
            let name = |it: &Option<crate::documents::Scalar>| {
                it.as_ref().map_or(String::new(), |it| it.0.clone())
            };
            let key =
                (name(&route.host), name(&route.path).trim_end_matches(['*', '/']).to_string());
            if let Some(other) = first.get(&key) {
                let message =
                    format!("`{}{}` is served by two components", key.0, name(&route.path));
                let finding = Finding::new(message, self.place(to), "this answers");
                out.find(finding.label(self.place(*other), "and so does this"));
            }
            first.entry(key).or_insert(to);
            let Some(component) = self.promise.value.components.get(&route.to.0) else {
                self.nobody(to, &route.to.0, out);
                continue;
            };
            let end = End::Component(route.to.0.clone());
            if let Some(port) = route.port.filter(|it| !listens(component, *it)) {
                let message = format!(
                    "a route leads to {port} of `{}`, where it does not listen",
                    route.to.0
                );
                let at = node.get("port").unwrap_or(to);
                let finding = Finding::new(message, self.place(at), "nobody listens here");
                out.find(self.listening(finding, &end).severity(severity(route.observed)));
            }
            if !flows.is_empty() && !self.is_served(flows, &end, route.port) {
                let message =
                    format!("a route leads to `{}`, and no flow lets its requests in", route.to.0);
                let finding = Finding::new(message, self.place(to), "its requests are denied")
                    .note("what `flows` does not list is denied")
                    .help(format!(
                        "add a flow from the ingress controller: `ingress: [{{to: {}}}]`",
                        route.to.0
                    ));
                out.find(finding.severity(severity(route.observed)));
            }
        }
    }

    /// Whether whoever serves routes may call a component: somebody whom the Internet may call, or who is no component.
    fn is_served(&self, flows: &[Saying<'_>], to: &End, port: Option<Ports>) -> bool {
        let from_outside = |it: &End| {
            matches!(it, End::Internet | End::Ingress | End::Named(_))
                || it.component(self.promise).is_some_and(|it| it.external)
                || flows.iter().any(|flow| flow.from == End::Internet && flow.to == *it)
                || matches!(it, End::Component(name) if name.contains("ingress") || name.contains("gateway"))
        };
        flows.iter().any(|it| {
            let is_on = port.is_none_or(|port| {
                it.ports.is_empty()
                    || it.ports.iter().any(|it| it.first <= port.first && port.last <= it.last)
            });
            it.to == *to && is_on && from_outside(&it.from)
        })
    }

    /// Ports that are there to be called, and that nobody may call.
    fn uncalled_ports(&self, flows: &[Saying<'_>], out: &mut Out) {
        for (name, component, _) in self.promise.workloads() {
            let end = End::Component(name.into());
            let Some(list) = self.promise.component(name).and_then(|it| it.get("ports")) else {
                continue;
            };
            let own: Vec<_> = flows.iter().filter(|it| it.to == end).collect();
            let probed = probed(component);
            for (port, at) in component.ports.iter().zip(list.items()) {
                let is_called = own.iter().any(|it| {
                    it.ports.is_empty() || it.ports.iter().any(|it| overlaps(*it, *port))
                });
                let routes = &self.promise.value.routes;
                let is_routed = routes
                    .iter()
                    .any(|it| it.to.0 == name && it.port.is_none_or(|it| overlaps(it, *port)));
                if is_called || is_routed || probed.contains(&port.first.to_string()) {
                    continue;
                }
                let message =
                    format!("`{name}` listens on {port}, and no flow lets anybody call it");
                let finding = Finding::new(message, self.place(at), "nobody may call this")
                    .note("what `flows` does not list is denied")
                    .help("add the flow, or leave the port out");
                let is_observed = component.observed;
                out.find(finding.severity(if is_observed {
                    Severity::Note
                } else {
                    Severity::Warning
                }));
            }
        }
    }

    /// Whoever calls others by name has to ask the name service.
    fn name_service(&self, flows: &[Saying<'_>], out: &mut Out) {
        let mut by_caller: BTreeMap<&End, Vec<&Saying<'_>>> = BTreeMap::new();
        flows.iter().for_each(|it| by_caller.entry(&it.from).or_default().push(it));
        let of_dns = |it: &Ports| it.first <= 53 && 53 <= it.last;
        for (caller, own) in by_caller {
            let End::Component(name) = caller else { continue };
            let Some(component) = self.promise.value.components.get(name) else { continue };
            let Some(workload) = self.promise.workload(name, component) else { continue };
            let namespace = self.promise.value.namespaces.get(&workload.namespace);
            if namespace.is_some_and(|it| it.isolation.egress == Some(Access::Allow)) {
                continue;
            }
            let asks = own.iter().any(|it| {
                it.to == End::Dns
                    || matches!(&it.to, End::Named(to) if to.contains("dns"))
                    || it.ports.iter().any(of_dns)
            });
            let named = own
                .iter()
                .find(|it| matches!(it.to, End::Component(_) | End::Internet) && it.to != *caller);
            let Some(named) = named.filter(|_| !asks) else { continue };
            let message = format!(
                "`{name}` calls {} by name, and may not ask the name service",
                named.to.shown()
            );
            let is_observed = own.iter().all(|it| it.is_observed);
            out.find(
                Finding::new(message, self.place(named.key), "no flow to `dns`")
                    .label(self.place(named.node.get("to").unwrap_or(named.node)), "a name to resolve")
                    .note("what `flows` does not list is denied, and without the name service no name resolves")
                    .help("let everybody ask it: `\"*\": [{to: dns}]`")
                    .severity(severity(is_observed)),
            );
        }
    }

    /// Members of a store talk to each other.
    fn members(&self, flows: &[Saying<'_>], out: &mut Out) {
        for (name, component, _) in self.promise.workloads() {
            let is_store =
                component.quorum == Some(true) || component.shards.is_some_and(|it| it > 1);
            let end = End::Component(name.into());
            let talks = flows.iter().any(|it| it.from == end && it.to == end);
            if !is_store || talks || component.observed {
                continue;
            }
            let Some(key) = self.promise.component_key(name) else { continue };
            let message =
                format!("the members of `{name}` have to call each other, and no flow lets them");
            let said = self.promise.component(name);
            let at = said.and_then(|it| it.get("quorum").or(it.get("shards"))).unwrap_or(key);
            out.find(
                Finding::new(message, self.place(at), "members that depend on each other")
                    .help(format!("add the flow: `{name}: [{{to: {name}}}]`")),
            );
        }
    }
}

fn overlaps(a: Ports, b: Ports) -> bool {
    a.protocol == b.protocol && a.first <= b.last && b.first <= a.last
}

/// Whether a component listens on ports; one that states none may listen anywhere.
fn listens(component: &Component, port: Ports) -> bool {
    component.ports.is_empty() || component.ports.iter().any(|it| overlaps(*it, port))
}

/// The ports that the kubelet asks, which no policy stands in the way of.
fn probed(component: &Component) -> Vec<String> {
    let Some(probes) = &component.probes else { return Vec::new() };
    let all = [&probes.liveness, &probes.readiness, &probes.startup];
    let is_only = component.ports.len() > 1;
    all.into_iter().flatten().filter(|_| is_only).filter_map(|it| it.port.clone()).collect()
}
