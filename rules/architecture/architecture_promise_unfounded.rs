//! Promises that nothing in the document bears out.

use crate::architecture::Promise;
use crate::architecture::statements::{Component, Expectation, Replicas};
use crate::architecture::text::CountOrShare;
use crate::model::Place;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "architecture-promise-unfounded",
    title: "a promise that nothing in the document bears out",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("architecture_promise_unfounded.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// What is called encryption and is none.
const NO_ENCRYPTION: [&str; 4] = ["base64", "none", "identity", "opaque"];

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let Some(promise) = cx.stated() else { return };
    let of = Of { cx, promise };
    of.secrets(out);
    for (name, component) in &promise.value.components {
        let Some(said) = promise.component(name) else { continue };
        of.shards(name, component, said, out);
        of.majority(name, component, said, out);
        of.spot(name, component, said, out);
        of.blue_green(name, component, said, out);
    }
}

struct Of<'o, 'c, 'd> {
    cx: &'o Cx<'c, 'd>,
    promise: &'o Promise,
}

/// The fewest pods of a component.
fn fewest(component: &Component) -> Option<u32> {
    match component.replicas? {
        Replicas::Count(it) => Some(it),
        Replicas::Between(it) => Some(it.min),
    }
}

impl Of<'_, '_, '_> {
    fn place(&self, node: Node<'_>) -> Place {
        self.promise.place(self.cx.model, node)
    }

    fn secrets(&self, out: &mut Out) {
        let Some(said) = &self.promise.value.cluster.secrets.encryption else { return };
        let Some(at) = self.promise.at(&["cluster", "secrets", "encryption"]) else { return };
        if !NO_ENCRYPTION.iter().any(|it| said.0.to_ascii_lowercase().contains(it)) {
            return;
        }
        let message = format!("Secrets are to be encrypted, and `{}` encrypts nothing", said.0);
        out.find(
            Finding::new(message, self.place(at), "no encryption")
                .note("base64 writes bytes as text; whoever reads the store, or a backup of it, reads the Secrets")
                .help("encrypt them at rest (`kms`, `aescbc`, `secretbox`), or keep them in a vault"),
        );
    }

    /// Members that each hold a part of the data alone: with one of them its part is gone.
    fn shards(&self, name: &str, component: &Component, said: Node<'_>, out: &mut Out) {
        let (Some(shards), Some(members)) = (component.shards, fewest(component)) else { return };
        let Some(at) = said.get("shards").filter(|_| shards > 1 && members < 2 * shards) else {
            return;
        };
        let objectives = self.promise.value.objectives.iter();
        let mut objectives = objectives.zip(self.promise.root().list("objectives"));
        let promised = objectives.find_map(|(it, node)| {
            let keeps = it.keep.contains_key(name).then(|| node.at(&["keep", name]));
            let expects = it.expect.get(name).filter(|it| **it != Expectation::Down);
            keeps.or(expects.map(|_| node.at(&["expect", name])))?
        });
        let Some(promised) = promised else { return };
        let message = format!(
            "`{name}` is to live on without a member, and {} of its {shards} shards have no second one",
            shards.min(2 * shards - members)
        );
        let mut finding = Finding::new(message, self.place(promised), "promised here")
            .label(self.place(at), format!("{shards} shards"));
        if let Some(at) = said.get("replicas") {
            finding = finding.label(self.place(at), format!("{members} members"));
        }
        out.find(
            finding
                .note(format!("{members} members of {shards} shards: each holds data that no other one has, and with it requests for that data fail"))
                .help(format!("run {} members, two for each shard", 2 * shards)),
        );
    }

    /// A budget that lets a majority go.
    fn majority(&self, name: &str, component: &Component, said: Node<'_>, out: &mut Out) {
        let Some(at) = said.get("quorum").filter(|_| component.quorum == Some(true)) else {
            return;
        };
        let members = match component.replicas {
            Some(Replicas::Count(it)) => it,
            Some(Replicas::Between(it)) => it.max,
            None => return,
        };
        let needed = members / 2 + 1;
        let Some(budget) = &component.disruption else { return };
        let (kept, field) = match (budget.min_available, budget.max_unavailable) {
            (Some(CountOrShare::Count(it)), _) => (it, "minAvailable"),
            (_, Some(CountOrShare::Count(it))) => (members.saturating_sub(it), "maxUnavailable"),
            (Some(CountOrShare::Share(it)), _) => ((members * it).div_ceil(100), "minAvailable"),
            (_, Some(CountOrShare::Share(it))) => {
                (members.saturating_sub((members * it).div_ceil(100)), "maxUnavailable")
            }
            (None, None) => return,
        };
        if kept >= needed {
            return;
        }
        let message =
            format!("`{name}` needs {needed} of {members} members, and its budget keeps {kept}");
        let mut finding = Finding::new(message, self.place(at), "a majority has to be up");
        if let Some(it) = said.at(&["disruption", field]) {
            finding = finding.label(self.place(it), format!("keeps {kept}"));
        }
        out.find(
            finding.note(format!("{members} / 2 + 1 = {needed}")).help("use `maxUnavailable: 1`"),
        );
    }

    /// A single pod with data on machines that the provider takes back.
    fn spot(&self, name: &str, component: &Component, said: Node<'_>, out: &mut Out) {
        let nodes = &self.promise.value.cluster.nodes;
        let is_alone =
            component.replicas == Some(Replicas::Count(1)) && !component.storage.is_empty();
        let is_all_spot = !nodes.is_empty() && nodes.values().all(|it| it.spot);
        if !is_alone || !is_all_spot || component.external {
            return;
        }
        let Some(at) = said.get("replicas") else { return };
        let message =
            format!("`{name}` runs a single pod, and every node may be taken back at any time");
        let mut finding = Finding::new(message, self.place(at), "a single pod with data");
        let pools =
            nodes.keys().filter_map(|it| self.promise.at(&["cluster", "nodes", it, "spot"]));
        for at in pools.take(3) {
            finding = finding.label(self.place(at), "taken back with minutes of notice");
        }
        out.find(finding.help("give it a pool that is not `spot`").severity(Severity::Warning));
    }

    /// A release that is tried in another namespace, and then gets the traffic there.
    fn blue_green(&self, name: &str, component: &Component, said: Node<'_>, out: &mut Out) {
        let Some(next) = component.rollout.as_ref().and_then(|it| it.blue_green.as_ref()) else {
            return;
        };
        let Some(at) = said.at(&["rollout", "blueGreen"]) else { return };
        let Some(workload) = self.promise.workload(name, component) else { return };
        if next.0 == workload.namespace {
            return;
        }
        let routes = self.promise.value.routes.iter().zip(self.promise.root().list("routes"));
        if let Some((_, route)) = routes.into_iter().find(|(it, _)| it.to.0 == name) {
            let message = format!(
                "traffic of `{name}` is to be switched to namespace `{}`, which a route of `{}` cannot name",
                next.0, workload.namespace
            );
            out.find(
                Finding::new(message, self.place(at), "another namespace")
                    .label(self.place(route), "a route to it")
                    .note("an Ingress names Services of its own namespace only")
                    .help("keep both releases in one namespace, or use routes of the Gateway API with a ReferenceGrant"),
            );
        }
        let namespaces = &self.promise.value.namespaces;
        let (Some(own), Some(other)) =
            (namespaces.get(&workload.namespace), namespaces.get(&next.0))
        else {
            return;
        };
        for (resource, less) in &other.quota {
            let Some(more) = own.quota.get(resource).filter(|it| it.0 > less.0) else { continue };
            let path = ["namespaces", &next.0, "quota", resource];
            let Some(small) = self.promise.at(&path) else { continue };
            let message = format!(
                "`{name}` is to run in `{}`, whose `{resource}` is {} where `{}` has {}",
                next.0,
                less.0.show(resource),
                workload.namespace,
                more.0.show(resource)
            );
            out.find(
                Finding::new(message, self.place(at), "to take over from here")
                    .label(self.place(small), "with less room"),
            );
            break;
        }
    }
}
