//! From an architecture document alone to a scene: what it promises, before anything runs.

use super::scene::{Component, ComponentKind, Flow, Namespace, Ports, Posture, Scene, State};
use super::world::plain;
use crate::api::ports::{PortSet, Ports as Span};
use crate::architecture::Promise;
use crate::architecture::sayings::{End, flows};
use crate::architecture::statements::{self, Replicas};
use crate::architecture::text::{WorkloadKind, WorkloadName};
use std::collections::BTreeMap;

/// The scene of what is promised.
pub fn scene(promise: &Promise, title: &str) -> Scene {
    let scene = Scene { title: title.to_string(), ..Scene::default() };
    let mut painter =
        Painter { promise, scene, namespaces: BTreeMap::new(), ends: BTreeMap::new() };
    for name in promise.value.components.keys() {
        painter.end(&End::Component(name.clone()), Side::Caller);
    }
    for saying in flows(promise) {
        painter.flow(&saying.from, &saying.to, saying.ports);
    }
    for route in &promise.value.routes {
        let to = End::of(promise, &route.to.0);
        let ports: Vec<Span> = route.port.into_iter().collect();
        let ingress = End::of(promise, "ingress");
        painter.flow(&ingress, &to, &ports);
    }
    painter.scene.flows.dedup();
    painter.scene
}

/// What the picture says of a component's pods.
pub(super) fn caption(component: &statements::Component, kind: WorkloadKind) -> String {
    let kind = kind.name();
    match component.replicas {
        Some(Replicas::Count(1)) => format!("{kind}, 1 pod"),
        Some(Replicas::Count(count)) => format!("{kind}, {count} pods"),
        Some(Replicas::Between(it)) => format!("{kind}, {} to {} pods", it.min, it.max),
        None => kind.to_string(),
    }
}

/// What a component is drawn as.
pub(super) fn shape(component: &statements::Component, kind: WorkloadKind) -> ComponentKind {
    match kind {
        WorkloadKind::StatefulSet => ComponentKind::DataStore,
        _ if !component.storage.is_empty() => ComponentKind::DataStore,
        _ => ComponentKind::Workload,
    }
}

/// Whether somebody outside calls or is called: they are drawn on both sides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Caller,
    Called,
}

struct Painter<'p> {
    promise: &'p Promise,
    scene: Scene,
    namespaces: BTreeMap<String, usize>,
    ends: BTreeMap<(End, Side), usize>,
}

impl Painter<'_> {
    fn flow(&mut self, from: &End, to: &End, ports: &[Span]) {
        let (Some(from), Some(to)) = (self.end(from, Side::Caller), self.end(to, Side::Called))
        else {
            return;
        };
        let ports: PortSet = ports.iter().copied().collect();
        let ports = if ports.is_empty() { PortSet::all() } else { ports };
        let ports: Ports = plain(&ports);
        self.scene.flows.push(Flow { from, to, ports, state: State::Allowed });
    }

    /// The component of an end; `None` of a name that means nobody.
    fn end(&mut self, end: &End, side: Side) -> Option<usize> {
        // Only outside do the two sides differ.
        let side = if *end == End::Internet { side } else { Side::Caller };
        if let Some(at) = self.ends.get(&(end.clone(), side)) {
            return Some(*at);
        }
        let (name, caption, kind) = match end {
            End::Component(name) => return self.component(end, name),
            End::Internet if side == Side::Caller => ("Internet", "", ComponentKind::Internet),
            End::Internet => ("Internet", "", ComponentKind::External),
            End::Dns => ("DNS", "of the cluster", ComponentKind::External),
            End::Ingress => ("ingress", "controller", ComponentKind::Ingress),
            End::Monitoring => ("monitoring", "", ComponentKind::External),
            End::Named(name) => (name.as_str(), "", ComponentKind::External),
            End::Nobody(_) => return None,
        };
        Some(self.add((end, side), (name, caption.to_string(), kind), None))
    }

    fn component(&mut self, end: &End, name: &str) -> Option<usize> {
        let component = self.promise.value.components.get(name)?;
        let key = (end, Side::Caller);
        let Some(WorkloadName { kind, namespace, .. }) = self.promise.workload(name, component)
        else {
            return Some(self.add(key, (name, "outside".into(), ComponentKind::External), None));
        };
        let at = self.namespace(&namespace);
        let drawn = (name, caption(component, kind), shape(component, kind));
        Some(self.add(key, drawn, Some(at)))
    }

    fn add(
        &mut self,
        (end, side): (&End, Side),
        (name, caption, kind): (&str, String, ComponentKind),
        namespace: Option<usize>,
    ) -> usize {
        // Where flows are stated, what is not listed is denied.
        let is_denied = namespace.is_some() && !self.promise.value.flows.is_empty();
        let posture = if is_denied { Posture::Denied } else { Posture::Unknown };
        self.scene.components.push(Component {
            name: name.to_string(),
            caption,
            kind,
            namespace,
            ingress: posture,
            egress: posture,
            state: State::Allowed,
        });
        let at = self.scene.components.len() - 1;
        self.ends.insert((end.clone(), side), at);
        at
    }

    fn namespace(&mut self, name: &str) -> usize {
        if let Some(at) = self.namespaces.get(name) {
            return *at;
        }
        self.scene.namespaces.push(Namespace { name: name.to_string() });
        let at = self.scene.namespaces.len() - 1;
        self.namespaces.insert(name.to_string(), at);
        at
    }
}
