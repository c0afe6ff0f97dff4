//! What the policy file declares, held against what is drawn: arrows that nobody declared, and declared ones that are not.

use super::entries::{INTERNET, spans};
use super::{Painter, plain};
use crate::analyze::network::reach::ask::Party;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::ports::PortSet;
use crate::graph::scene::{ComponentKind, Flow, State};
use crate::intended_flows;
use crate::intended_flows::{End, flows, missing, own};
use crate::policy::Policy;

impl Painter<'_, '_> {
    /// Marks both.
    pub(super) fn compare(&mut self, policy: &Policy) {
        let known = flows(self.model, self.facts, policy);
        if known.is_empty() {
            return;
        }
        let wanted = intended_flows::ports(self.facts, &known);
        let mentioned = own(self.facts, &known, |_| false);
        let ends: Vec<Option<End>> =
            (0..self.scene.components.len()).map(|it| self.end(it)).collect();
        let is_mentioned = |it: End| it.is_some_and(|it| mentioned.contains(&it));
        let mut undeclared = Vec::new();
        for flow in self.scene.flows.iter_mut().filter(|it| it.state == State::Allowed) {
            let Some((from, to)) = ends[flow.from].zip(ends[flow.to]) else { continue };
            // Pods of one workload are one component.
            if from == to || !is_mentioned(from) && !is_mentioned(to) {
                continue;
            }
            let allowed: PortSet = flow.ports.0.iter().flat_map(spans).collect();
            let none = PortSet::default();
            let more = allowed.without(wanted.get(&(from, to)).unwrap_or(&none));
            flow.ports = plain(&allowed.without(&more));
            undeclared.push(Flow { ports: plain(&more), state: State::Undeclared, ..*flow });
        }
        self.scene.flows.extend(undeclared);
        self.scene.flows.retain(|it| !it.ports.0.is_empty());
        for it in missing(self.facts, &known) {
            let state = if it.reason.is_some() { State::Undefined } else { State::Missing };
            for from in self.components(&it.flow.from, ComponentKind::Internet) {
                for to in self.components(&it.flow.to, ComponentKind::External) {
                    let ports: PortSet = it.ports.iter().copied().collect();
                    let end = self.workload_of(to);
                    let ports = intended_flows::pod_ports(self.facts, &it.flow, &ports, end);
                    self.flow(from, to, &ports, state);
                }
            }
        }
    }

    /// Whom a component stands for, if the policy file has a name for it.
    fn end(&self, at: usize) -> Option<End> {
        let component = &self.scene.components[at];
        match component.kind {
            ComponentKind::Internet | ComponentKind::External if component.name == INTERNET => {
                Some(None)
            }
            _ => self.workload_of(at).map(Some),
        }
    }

    fn workload_of(&self, at: usize) -> Option<WorkloadId> {
        let found = self.of_workload.iter().position(|it| *it == Some(at))?;
        Some(WorkloadId(found as u32))
    }

    /// The components of a party; those outside are drawn where they are not yet.
    fn components(&mut self, party: &Party, outside: ComponentKind) -> Vec<usize> {
        let of = |it: &WorkloadId| self.of_workload[it.0 as usize];
        match party {
            Party::Workload(it) => of(it).into_iter().collect(),
            Party::Service(it) => {
                let selects = &self.facts.services().get(*it).selects;
                selects.iter().filter_map(|it| of(&it.0)).collect()
            }
            Party::Internet => vec![self.outside_called(INTERNET, outside)],
            Party::Block(it) => vec![self.outside_called(&it.to_string(), outside)],
            Party::Stranger(_) => Vec::new(),
            Party::Nodes => vec![self.outside_called("nodes", outside)],
        }
    }

    fn outside_called(&mut self, name: &str, kind: ComponentKind) -> usize {
        let mut all = self.scene.components.iter();
        let found = all.position(|it| it.name == name && it.kind == kind);
        found.unwrap_or_else(|| self.add_outside(kind, None, name, ""))
    }
}
