//! What an architecture document promises, held against what is drawn: components that are not there, and others that it
//! does not mention.

use super::Painter;
use crate::api::kind::Kind;
use crate::api::ports::PortSet;
use crate::architecture::Promise;
use crate::architecture::sayings::{End, flows};
use crate::architecture::text::WorkloadName;
use crate::graph::document::shape;
use crate::graph::scene::{Component, Posture, State};
use std::collections::{BTreeMap, BTreeSet};

/// The caption of what is promised and not there.
const NOT_THERE: &str = "promised, not there";

impl Painter<'_, '_> {
    /// Marks both, and draws the flows of what is not there.
    pub(super) fn hold_to(&mut self, promise: &Promise) {
        let mut drawn: BTreeMap<&str, usize> = BTreeMap::new();
        let mut is_missing = BTreeSet::new();
        for (name, component, workload) in promise.workloads() {
            let at = match self.drawn(&workload) {
                Some(Some(at)) => at,
                // Without pods on the network it is in no picture.
                Some(None) => continue,
                None => {
                    let namespace = Some(self.namespace(&workload.namespace));
                    is_missing.insert(name);
                    self.add(Component {
                        name: workload.name.clone(),
                        caption: NOT_THERE.into(),
                        kind: shape(component, workload.kind),
                        namespace,
                        ingress: Posture::Unknown,
                        egress: Posture::Unknown,
                        state: State::Missing,
                    })
                }
            };
            drawn.insert(name, at);
        }
        for saying in flows(promise) {
            let (End::Component(from), End::Component(to)) = (&saying.from, &saying.to) else {
                continue;
            };
            let is_cut = is_missing.contains(from.as_str()) || is_missing.contains(to.as_str());
            let ends = drawn.get(from.as_str()).copied().zip(drawn.get(to.as_str()).copied());
            if let Some((from, to)) = ends.filter(|_| is_cut) {
                let ports: PortSet = saying.ports.iter().copied().collect();
                let ports = if ports.is_empty() { PortSet::all() } else { ports };
                self.flow(from, to, &ports, State::Missing);
            }
        }
        self.mark_others(promise, &drawn.into_values().collect());
    }

    /// The component of a workload, if it is in the input, and if it is in the picture.
    fn drawn(&self, name: &WorkloadName) -> Option<Option<usize>> {
        let kind = Kind::of("apps", name.kind.name());
        let object = self.model.find(kind, &name.namespace, &name.name)?;
        let workload = self.facts.workloads().of_object(object.id)?;
        Some(self.of_workload[workload.id.0 as usize])
    }

    /// What runs beside the components, in their namespaces.
    fn mark_others(&mut self, promise: &Promise, promised: &BTreeSet<usize>) {
        let of_components = promise.workloads().map(|it| it.2.namespace);
        let stated = promise.value.namespaces.keys().cloned();
        let own: BTreeSet<String> = of_components.chain(stated).collect();
        for (_, at) in self.workloads() {
            let component = &mut self.scene.components[at];
            let namespace = component.namespace.map(|it| &self.scene.namespaces[it].name);
            if promised.contains(&at) || namespace.is_none_or(|it| !own.contains(it)) {
                continue;
            }
            component.caption.push_str("; not in the architecture");
            if promise.value.complete {
                component.state = State::Undeclared;
            }
        }
    }
}
