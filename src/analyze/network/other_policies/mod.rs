//! Policies of kinds that purlin does not judge: whose traffic each of them may open or close.
//!
//! Network plugins, meshes and policy engines have policies of their own beside NetworkPolicy. Whom such a policy selects
//! is read as exactly as its kind allows, and in which direction it may say something; what it says to whom is not. So a
//! verdict that one of them could reverse is undefined, and all others stay what they are.

mod antrea;
mod calico;
mod cilium;
mod condition;
mod expression;
mod generated;
mod mesh;

use super::policies::{DIRECTIONS, Direction, is_in_host_network};
use crate::analyze::Facts;
use crate::analyze::selection::selector::PodLabels;
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use condition::{Condition, Place};
use rustc_hash::FxHashMap;

/// What a policy may do to traffic in one direction, beside what the other policies say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// It may let through what they hold up.
    pub opens: bool,
    /// It may hold up what they let through.
    pub closes: Closes,
}

/// Whose traffic a policy may hold up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closes {
    /// Nobody's.
    #[default]
    Nothing,
    /// That of pods which no NetworkPolicy isolates: what those allow stays allowed.
    Unisolated,
    /// Anybody's.
    Anything,
}

impl Effects {
    const ANYTHING: Effects = Effects { opens: true, closes: Closes::Anything };

    fn is_none(self) -> bool {
        self == Effects::default()
    }

    fn and(self, other: Effects) -> Effects {
        Effects { opens: self.opens || other.opens, closes: self.closes.max(other.closes) }
    }
}

/// A policy's place among those that are not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherId(u32);

impl OtherId {
    /// The place as a number.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Some pods for which a policy may say something.
#[derive(Clone, Debug)]
pub struct OtherPolicy<'d> {
    /// The policy.
    pub object: ObjId,
    /// Which pods, of its namespace or of all.
    pods: Condition<'d>,
    /// For each direction.
    effects: [Effects; 2],
}

impl OtherPolicy<'_> {
    /// What it may do in a direction.
    pub fn effects(&self, direction: Direction) -> Effects {
        self.effects[direction as usize]
    }
}

/// What is read of a policy, before it has a place.
struct Read<'d> {
    namespace: Option<&'d str>,
    pods: Condition<'d>,
    nodes: bool,
    effects: [Effects; 2],
}

impl<'d> Read<'d> {
    /// A policy for pods of its own namespace; of all, where the object has none.
    fn of(object: &Object<'d>, pods: Condition<'d>, effects: [Effects; 2]) -> Read<'d> {
        let namespace = Some(object.namespace).filter(|it| !it.is_empty());
        Read { namespace, pods, nodes: false, effects }
    }
}

/// All of them, by whom they select.
#[derive(Debug, Default)]
pub struct OtherPolicies<'d> {
    all: Vec<OtherPolicy<'d>>,
    of_workload: FxHashMap<WorkloadId, Vec<OtherId>>,
    of_nodes: Vec<OtherId>,
    /// Those for the whole cluster have no namespace.
    in_namespace: FxHashMap<Option<&'d str>, Vec<OtherId>>,
}

impl<'d> OtherPolicies<'d> {
    /// Reads those of a model.
    pub(in crate::analyze) fn new(model: &Model<'d>, facts: &Facts<'d>) -> OtherPolicies<'d> {
        let mut others = OtherPolicies::default();
        for object in model.objects().filter(|it| it.kind == Kind::Custom) {
            for read in read(object) {
                if read.effects.iter().all(|it| it.is_none()) {
                    continue;
                }
                let id = OtherId(others.all.len() as u32);
                others.add(facts, id, object.id, read);
            }
        }
        others
    }

    fn add(&mut self, facts: &Facts<'d>, id: OtherId, object: ObjId, read: Read<'d>) {
        let Read { namespace, pods, nodes, effects } = read;
        for workload in candidates(facts, namespace, &pods) {
            // A pod in its node's network is the node to all of them.
            let place = Place::new(facts, workload);
            if !is_in_host_network(workload) && pods.may_hold(&place) {
                self.of_workload.entry(workload.id).or_default().push(id);
            }
        }
        if nodes {
            self.of_nodes.push(id);
        }
        self.in_namespace.entry(namespace).or_default().push(id);
        self.all.push(OtherPolicy { object, pods, effects });
    }

    /// All of them.
    pub fn ids(&self) -> impl Iterator<Item = OtherId> {
        (0..self.all.len() as u32).map(OtherId)
    }

    /// The policy of this id.
    pub fn get(&self, id: OtherId) -> &OtherPolicy<'d> {
        &self.all[id.0 as usize]
    }

    /// Those that may select the pods of a workload.
    pub fn of_workload(&self, workload: WorkloadId) -> &[OtherId] {
        self.of_workload.get(&workload).map_or(&[], Vec::as_slice)
    }

    /// Those that may select pods with these labels; without a namespace, pods of any.
    pub fn selecting(
        &self,
        facts: &Facts<'d>,
        namespace: Option<&str>,
        labels: &PodLabels<'d>,
    ) -> Vec<OtherId> {
        let Some(namespace) = namespace else { return self.ids().collect() };
        let place = Place::labelled(facts, namespace, labels);
        let of_both =
            [Some(namespace), None].into_iter().filter_map(|it| self.in_namespace.get(&it));
        let all = of_both.flatten().copied();
        all.filter(|it| self.get(*it).pods.may_hold(&place)).collect()
    }

    /// Those that may be for nodes.
    pub fn of_nodes(&self) -> &[OtherId] {
        &self.of_nodes
    }

    /// One that may let through what the pods of a workload are denied.
    pub fn opening(&self, workload: WorkloadId, direction: Direction) -> Option<ObjId> {
        self.first(self.of_workload(workload), |it| it.effects(direction).opens)
    }

    /// One that may isolate the pods of a workload.
    pub fn closing(&self, workload: WorkloadId, direction: Direction) -> Option<ObjId> {
        let closes = |it: &OtherPolicy<'_>| it.effects(direction).closes != Closes::Nothing;
        self.first(self.of_workload(workload), closes)
    }

    /// One that may isolate every pod of a namespace, those to come included.
    pub fn closing_all(
        &self,
        facts: &Facts<'d>,
        namespace: &str,
        direction: Direction,
    ) -> Option<ObjId> {
        let place = Place::anywhere(facts, namespace);
        let of_both =
            [Some(namespace), None].into_iter().filter_map(|it| self.in_namespace.get(&it));
        let mut all = of_both.flatten().map(|it| self.get(*it)).filter(|it| {
            it.effects(direction).closes != Closes::Nothing && it.pods.may_hold(&place)
        });
        all.next().map(|it| it.object)
    }

    fn first(&self, ids: &[OtherId], is_it: impl Fn(&OtherPolicy<'_>) -> bool) -> Option<ObjId> {
        ids.iter().map(|it| self.get(*it)).find(|it| is_it(it)).map(|it| it.object)
    }
}

/// The workloads that a condition may hold of: those with the labels that have to be there.
fn candidates<'f, 'd>(
    facts: &'f Facts<'d>,
    namespace: Option<&str>,
    pods: &Condition<'d>,
) -> Vec<&'f Workload<'d>> {
    let labels = pods.needed_labels();
    let of = |namespace: &str| facts.workloads().select(namespace, &labels).into_iter();
    match namespace {
        Some(it) => of(it).map(|it| it.0).collect(),
        None => facts.namespaces().iter().flat_map(|it| of(it.0)).map(|it| it.0).collect(),
    }
}

/// What a policy of another kind may do to whom; nothing where it is no policy about traffic.
fn read<'d>(object: &Object<'d>) -> Vec<Read<'d>> {
    match (object.group(), object.kind_name) {
        ("cilium.io", "CiliumNetworkPolicy" | "CiliumClusterwideNetworkPolicy") => {
            cilium::read(object)
        }
        (
            "crd.projectcalico.org" | "projectcalico.org",
            "NetworkPolicy" | "GlobalNetworkPolicy",
        ) => calico::read(object),
        (
            "crd.antrea.io" | "security.antrea.tanzu.vmware.com",
            "NetworkPolicy" | "ClusterNetworkPolicy",
        ) => antrea::read(object),
        ("security.istio.io", "AuthorizationPolicy") => mesh::authorization(object),
        ("security.istio.io", "PeerAuthentication") => mesh::peer_authentication(object),
        ("policy.linkerd.io", "Server") => mesh::linkerd_server(object),
        ("kyverno.io", "ClusterPolicy" | "Policy") => generated::kyverno(object),
        ("policies.kyverno.io", "GeneratingPolicy" | "NamespacedGeneratingPolicy") => {
            generated::kyverno_expressions(object)
        }
        ("capsule.clastix.io", "Tenant") => generated::tenant(object),
        ("k8s.ovn.org", "EgressFirewall") => {
            let egress = Effects { opens: false, closes: Closes::Anything };
            vec![Read::of(object, Condition::Yes, [Effects::default(), egress])]
        }
        _ => Vec::new(),
    }
}

/// Whether an object of a kind that purlin does not judge makes network policies, rather than being one.
fn generates(object: &Object<'_>) -> bool {
    matches!(object.group(), "kyverno.io" | "policies.kyverno.io" | "capsule.clastix.io")
}

/// Why such a policy leaves something open, in words.
pub fn why(object: &Object<'_>) -> String {
    match generates(object) {
        true => {
            format!("`{object}` may generate a policy that decides, and purlin does not run it")
        }
        false => format!("`{object}` may decide, and purlin does not read its kind"),
    }
}

/// The same effects in both directions.
fn both(effects: Effects) -> [Effects; 2] {
    DIRECTIONS.map(|_| effects)
}
