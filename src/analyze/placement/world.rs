//! The pods of the input, at the floor or the peak of their workloads, and the nodes that they may stand on.

use super::cluster::{Cluster, NamespaceLabels, NodeId, ShapeId};
use super::filter::{Plugin, fixed};
use super::labels::{Labels, labels};
use super::node::{ClusterNode, Effect, Toleration, amounts};
use super::real::Real;
use super::shape::Shape;
use super::volume::Volumes;
use crate::analyze::Facts;
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;
use crate::model::{Model, ObjId};
use crate::text::tree::Node;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many pods each workload has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// The fewest.
    Floor,
    /// The most.
    Peak,
}

impl At {
    /// As the command line has it.
    pub fn name(self) -> &'static str {
        match self {
            At::Floor => "floor",
            At::Peak => "peak",
        }
    }
}

/// What runs pods.
#[derive(Clone, Debug)]
pub struct Component {
    /// The workload.
    pub workload: WorkloadId,
    /// The object that stands for it.
    pub object: ObjId,
    /// Its kind.
    pub kind: Kind,
    /// How many pods it wants.
    pub wanted: usize,
    /// How many of them it has at its floor.
    pub floor: usize,
    /// `Deployment/shop/api`.
    pub name: String,
    /// Its labels' `app`, or its name: what people call it.
    pub short: String,
}

/// A pod.
#[derive(Clone, Debug)]
pub struct Pod {
    /// Its name; made up where its controller would.
    pub name: String,
    /// Its component, by its place.
    pub component: usize,
    /// Its shape.
    pub shape: ShapeId,
    /// The node that it is said to be on.
    pub node: Option<NodeId>,
    /// The only node that it may be on, as a pod of a DaemonSet.
    pub only: Option<NodeId>,
    /// Its number among the pods of its component.
    pub number: usize,
    /// Whether its kubelet runs it from a file, so that nobody evicts it.
    pub is_static: bool,
}

/// What a kubelet marks the Pod of a static pod with (`pkg/kubelet/types/pod_update.go`, ConfigMirrorAnnotationKey).
const MIRROR: &str = "kubernetes.io/config.mirror";

/// Pods and nodes.
#[derive(Debug)]
pub struct World {
    /// Nodes and shapes.
    pub cluster: Arc<Cluster>,
    /// What runs pods, in the order of the input.
    pub components: Vec<Component>,
    /// The pods, those of daemons first, then by component.
    pub pods: Vec<Pod>,
    /// Labels by namespace.
    pub namespaces: NamespaceLabels,
    /// By component, the shape of a pod of its next release.
    pub next_release: Vec<Option<ShapeId>>,
    /// What the input does not say, so that an answer may be wrong.
    pub unknown: Vec<String>,
}

impl World {
    /// The components of pods of some shapes, in order.
    pub fn components_of(&self, shapes: &[ShapeId]) -> Vec<usize> {
        let shapes: FxHashSet<ShapeId> = shapes.iter().copied().collect();
        let pods = self.pods.iter().filter(|it| shapes.contains(&it.shape));
        let components: BTreeSet<usize> = pods.map(|it| it.component).collect();
        components.into_iter().collect()
    }

    /// The same nodes and shapes with as many pods as there are at the floor, where these are those at the peak.
    pub fn at_floor(&self) -> World {
        let mut counts = vec![0; self.components.len()];
        let mut is_there = |pod: &&Pod| {
            let of = &self.components[pod.component];
            let stays = pod.node.is_some() || matches!(of.kind, Kind::DaemonSet | Kind::Pod);
            let is_there = stays || counts[pod.component] < of.floor;
            counts[pod.component] += usize::from(is_there);
            is_there
        };
        let pods = self.pods.iter().filter(&mut is_there).cloned().collect();
        let components = self.components.iter().zip(&counts).map(|(of, count)| {
            let floor = of.floor.min(*count);
            Component { wanted: *count, floor, ..of.clone() }
        });
        let next_release = self.next_release.iter().zip(&counts);
        World {
            cluster: self.cluster.clone(),
            components: components.collect(),
            pods,
            namespaces: self.namespaces.clone(),
            next_release: next_release.map(|(it, count)| it.filter(|_| *count > 0)).collect(),
            unknown: self.unknown.clone(),
        }
    }
}

/// More pods are not placed: no cluster holds more (kubernetes.io/docs/setup/best-practices/cluster-large).
pub const MOST_PODS: u64 = 150_000;

/// So many pods that no cluster holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// The workload with the most of them.
    pub workload: WorkloadId,
    /// All of them.
    pub pods: u64,
}

impl TooMany {
    /// Counts the pods at their peak on so many nodes, before they are made.
    pub fn of(facts: &Facts<'_>, nodes: usize) -> Option<TooMany> {
        let count = |workload: &Workload<'_>| match facts.envelope(workload.id) {
            Some(it) => it.peak.count.max(it.floor.count),
            None if workload.kind == Kind::DaemonSet => nodes as u64,
            None => workload.members.len() as u64,
        };
        let counts = facts.workloads().iter().map(|it| (count(it), it.id));
        let (pods, most) = counts.fold((0, None), |(sum, most), it| {
            let is_more = most.is_none_or(|(count, _)| it.0 > count);
            (it.0.saturating_add(sum), if is_more { Some(it) } else { most })
        });
        let (_, workload) = most.filter(|_| pods > MOST_PODS)?;
        Some(TooMany { workload, pods })
    }

    /// Why nothing is placed.
    pub fn why(self) -> String {
        format!("{} pods are wanted, and no cluster holds more than {MOST_PODS}", self.pods)
    }
}

/// How to read it.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// How many pods there are.
    pub at: At,
    /// Whether a claim that is not in the input is not there.
    pub is_whole: bool,
}

/// The tolerations that every pod of a DaemonSet is given (`pkg/controller/daemon/util/daemonset_util.go`,
/// AddOrUpdateDaemonPodTolerations).
const OF_DAEMONS: [(&str, Effect); 6] = [
    ("node.kubernetes.io/not-ready", Effect::NoExecute),
    ("node.kubernetes.io/unreachable", Effect::NoExecute),
    ("node.kubernetes.io/disk-pressure", Effect::NoSchedule),
    ("node.kubernetes.io/memory-pressure", Effect::NoSchedule),
    ("node.kubernetes.io/pid-pressure", Effect::NoSchedule),
    ("node.kubernetes.io/unschedulable", Effect::NoSchedule),
];

struct Reader<'f, 'd> {
    model: &'f Model<'d>,
    facts: &'f Facts<'d>,
    volumes: Volumes<'f, 'd>,
    /// Labels that selectors of pods speak of; of those that controllers add, no others tell pods apart.
    spoken_of: BTreeSet<&'d str>,
    shapes: Vec<Shape>,
    known: FxHashMap<Shape, ShapeId>,
    unknown: BTreeSet<String>,
}

/// Reads the pods of a model for these nodes.
pub fn read<'d>(
    model: &Model<'d>,
    facts: &Facts<'d>,
    nodes: Vec<ClusterNode>,
    reading: Reading,
) -> World {
    let mut reader = Reader {
        model,
        facts,
        volumes: Volumes { model, is_whole: reading.is_whole },
        spoken_of: spoken_of(facts),
        shapes: Vec::new(),
        known: FxHashMap::default(),
        unknown: BTreeSet::new(),
    };
    let real = Real::new(model, facts.workloads(), &nodes);
    let (mut components, mut next_release) = (Vec::new(), Vec::new());
    let (mut daemons, mut pods) = (Vec::new(), Vec::new());
    for workload in facts.workloads().iter() {
        let component = components.len();
        let (wanted, floor) = reader.counts(workload, reading.at);
        let found = match workload.kind {
            Kind::DaemonSet => reader.daemons(workload, component, &nodes, &real),
            Kind::Pod => reader.written(workload, component, &real),
            _ => reader.replicas(workload, component, wanted, &real),
        };
        let wanted = found.len();
        let present = found.first().map(|it| it.shape);
        next_release.push(present.and_then(|it| reader.next(workload, it)));
        components.push(Component {
            workload: workload.id,
            object: workload.object,
            kind: workload.kind,
            wanted,
            floor: floor.min(wanted),
            name: model.object(workload.object).to_string(),
            short: workload.name.to_string(),
        });
        if workload.kind == Kind::DaemonSet { daemons.extend(found) } else { pods.extend(found) }
    }
    daemons.append(&mut pods);
    let namespaces = namespaces(facts);
    let Reader { shapes, unknown, .. } = reader;
    World {
        cluster: Arc::new(Cluster::new(nodes, shapes, &namespaces)),
        namespaces,
        components,
        pods: daemons,
        next_release,
        unknown: unknown.into_iter().collect(),
    }
}

fn namespaces(facts: &Facts<'_>) -> NamespaceLabels {
    let own = |(key, value): &(&str, &str)| ((*key).to_string(), (*value).to_string());
    let all = facts.namespaces().iter();
    all.map(|(name, it)| (name.to_string(), it.labels.iter().map(own).collect())).collect()
}

/// The keys of labels that the terms and constraints of pods speak of.
fn spoken_of<'d>(facts: &Facts<'d>) -> BTreeSet<&'d str> {
    let mut found = BTreeSet::new();
    for workload in facts.workloads().iter() {
        let mut open: Vec<Node<'d>> = workload.pod.get("affinity").into_iter().collect();
        open.extend(workload.pod.get("topologySpreadConstraints"));
        while let Some(node) = open.pop() {
            for field in ["matchLabelKeys", "mismatchLabelKeys"] {
                found.extend(node.list(field).filter_map(Node::str));
            }
            found.extend(node.get("matchLabels").into_iter().flat_map(Node::pairs).map(|it| it.0));
            found.extend(node.list("matchExpressions").filter_map(|it| it.text("key")));
            open.extend(node.items());
            open.extend(node.pairs().map(|it| it.1));
        }
    }
    found
}

impl<'d> Reader<'_, 'd> {
    fn shape(&mut self, shape: Shape) -> ShapeId {
        if let Some(id) = self.known.get(&shape) {
            return *id;
        }
        self.shapes.push(shape.clone());
        self.known.insert(shape, self.shapes.len() - 1);
        self.shapes.len() - 1
    }

    /// How many pods a workload has now, and at its floor. Jobs run at times, so that there may be none.
    fn counts(&self, workload: &Workload<'d>, at: At) -> (usize, usize) {
        let Some(envelope) = self.facts.envelope(workload.id) else { return (0, 0) };
        let is_job = matches!(workload.kind, Kind::Job | Kind::CronJob);
        let floor = if is_job { 0 } else { envelope.floor.count as usize };
        let peak = envelope.peak.count as usize;
        (if at == At::Floor { floor } else { peak.max(floor) }, floor)
    }

    /// The labels that the controller of a pod adds, as far as anything speaks of them. What they are called for the
    /// present release differs from the next.
    fn add_labels(&self, workload: &Workload<'d>, number: usize, release: &str, to: &mut Labels) {
        for key in workload.labels.added.iter().filter(|it| self.spoken_of.contains(**it)) {
            let value = match *key {
                "statefulset.kubernetes.io/pod-name" => format!("{}-{number}", workload.name),
                "apps.kubernetes.io/pod-index" => number.to_string(),
                "job-name" | "batch.kubernetes.io/job-name" => workload.name.to_string(),
                _ => format!("{}/{}/{release}", workload.namespace, workload.name),
            };
            to.insert((*key).to_string(), value);
        }
    }

    fn of_template(&self, workload: &Workload<'d>, number: usize, release: &str) -> Shape {
        let mut own = labels(workload.template.at(&["metadata", "labels"]));
        self.add_labels(workload, number, release, &mut own);
        let mut shape = Shape::parse(workload.pod, workload.namespace, own);
        shape.requests = amounts(&self.facts.demand(workload).requests);
        shape.priority = self.priority(workload.pod);
        shape
    }

    fn priority(&self, pod: Node<'d>) -> i64 {
        if let Some(priority) = pod.get("priority").and_then(Node::int) {
            return priority;
        }
        match pod.text("priorityClassName") {
            Some("system-node-critical") => 2_000_001_000,
            Some("system-cluster-critical") => 2_000_000_000,
            Some(name) => {
                let class = self.model.find(Kind::PriorityClass, "", name);
                class.and_then(|it| it.root.get("value")).and_then(Node::int).unwrap_or(0)
            }
            None => 0,
        }
    }

    /// The pods of a workload with a number of them: those that are there, and those that are still to come.
    fn replicas(
        &mut self,
        workload: &Workload<'d>,
        component: usize,
        wanted: usize,
        real: &Real<'_>,
    ) -> Vec<Pod> {
        let spec = self.model.object(workload.controller).field(&["spec"]);
        let is_set = workload.kind == Kind::StatefulSet;
        let templates: Vec<Node<'d>> = match spec.filter(|_| is_set) {
            Some(spec) => spec.list("volumeClaimTemplates").collect(),
            None => Vec::new(),
        };
        let start =
            spec.and_then(|it| it.at(&["ordinals", "start"])).and_then(Node::int).unwrap_or(0);
        let there = real.of(workload.id);
        let mut pods = Vec::new();
        let mut names: BTreeSet<String> = BTreeSet::new();
        // Only the pods of a set, and those with volumes of their own, differ from each other.
        let is_own = |it: Node<'d>| it.get("ephemeral").is_some();
        let is_one = !is_set && !workload.pod.list("volumes").any(is_own);
        let mut of_all: [Option<ShapeId>; 2] = [None; 2];
        let mut add = |this: &mut Self, name: String, number: usize, node, is_terminating: bool| {
            let known = of_all[usize::from(is_terminating)].filter(|_| is_one);
            let shape = known.unwrap_or_else(|| {
                let mut shape = this.of_template(workload, number, "present");
                shape.volumes =
                    this.volumes.needs(workload.pod, workload.namespace, &name, &templates);
                shape.is_terminating = is_terminating;
                this.shape(shape)
            });
            of_all[usize::from(is_terminating)] = Some(shape);
            pods.push(Pod { name, component, shape, node, only: None, number, is_static: false });
        };
        for (at, it) in there.iter().enumerate() {
            let number = if is_set { ordinal(it.name).unwrap_or(at) } else { at };
            names.insert(it.name.to_string());
            add(self, it.name.to_string(), number, Some(it.node), it.is_terminating);
        }
        let mut at = 0;
        let mut missing = wanted.saturating_sub(there.len());
        while missing > 0 {
            let number = at + usize::try_from(start).unwrap_or(0);
            let name = format!("{}-{number}", workload.name);
            at += 1;
            if is_set && names.contains(&name) {
                continue;
            }
            missing -= 1;
            add(self, name, number, None, false);
        }
        pods
    }

    /// Pods that are written as such, or that stand for an owner without a template.
    fn written(&mut self, workload: &Workload<'d>, component: usize, real: &Real<'_>) -> Vec<Pod> {
        let mut pods = Vec::new();
        for (number, member) in workload.members.iter().enumerate() {
            let object = self.model.object(*member);
            let Some(spec) = object.field(&["spec"]) else { continue };
            let phase = object.field(&["status", "phase"]).and_then(Node::str);
            if matches!(phase, Some("Succeeded" | "Failed")) {
                continue;
            }
            let own = labels(object.field(&["metadata", "labels"]));
            let mut shape = Shape::parse(spec, object.namespace, own);
            shape.requests = amounts(&self.facts.demand(workload).requests);
            shape.priority = self.priority(spec);
            shape.is_terminating = object.field(&["metadata", "deletionTimestamp"]).is_some();
            shape.volumes = self.volumes.needs(spec, object.namespace, object.name, &[]);
            let node = spec.text("nodeName").filter(|it| !it.is_empty());
            let place = node.and_then(|it| real.node(it));
            if let (Some(node), None) = (node, place) {
                self.unknown.insert(format!(
                    "`{object}` is on node `{node}`, which is not among the nodes"
                ));
                continue;
            }
            let shape = self.shape(shape);
            let name = object.name.to_string();
            let is_static = object.field(&["metadata", "annotations", MIRROR]).is_some();
            pods.push(Pod { name, component, shape, node: place, only: None, number, is_static });
        }
        pods
    }

    /// One pod on each node that a DaemonSet chooses and whose taints it tolerates
    /// (`pkg/controller/daemon/daemon_controller.go`, NodeShouldRunDaemonPod).
    fn daemons(
        &mut self,
        workload: &Workload<'d>,
        component: usize,
        nodes: &[ClusterNode],
        real: &Real<'_>,
    ) -> Vec<Pod> {
        let mut shape = self.of_template(workload, 0, "present");
        shape.tolerations.extend(OF_DAEMONS.map(|(key, effect)| Toleration::of_key(key, effect)));
        if workload.pod.get("hostNetwork").and_then(Node::bool) == Some(true) {
            let key = "node.kubernetes.io/network-unavailable";
            shape.tolerations.push(Toleration::of_key(key, Effect::NoSchedule));
        }
        shape.volumes = self.volumes.needs(workload.pod, workload.namespace, workload.name, &[]);
        let there: BTreeSet<NodeId> = real.of(workload.id).iter().map(|it| it.node).collect();
        // The name of its node stands in place of what it requires (ReplaceDaemonSetPodNodeNameNodeAffinity), so that its
        // node is the only domain that counts.
        shape.spread.retain(|it| !it.honors_affinity || it.min_domains > 1);
        let chosen = nodes.iter().enumerate().filter(|(_, node)| {
            let refused = fixed(&shape, node);
            !refused.has(Plugin::NodeAffinity) && !refused.has(Plugin::TaintToleration)
        });
        let chosen: Vec<(usize, String)> =
            chosen.map(|(at, it)| (at, format!("{}-{}", workload.name, it.name))).collect();
        let shape = self.shape(shape);
        let pods = chosen.into_iter().map(|(at, name)| {
            let node = there.contains(&at).then_some(at);
            let (only, number, is_static) = (Some(at), at, false);
            Pod { name, component, shape, node, only, number, is_static }
        });
        pods.collect()
    }

    /// The shape of a pod of the next release, where only that differs from the present one.
    fn next(&mut self, workload: &Workload<'d>, present: ShapeId) -> Option<ShapeId> {
        if !matches!(workload.kind, Kind::Deployment | Kind::Rollout) {
            return None;
        }
        let is_told_apart = workload.labels.added.iter().any(|it| self.spoken_of.contains(*it))
            || workload.pod.list("volumes").any(|it| it.get("ephemeral").is_some());
        if !is_told_apart && !self.shapes[present].is_terminating {
            return Some(present);
        }
        let mut shape = self.of_template(workload, 0, "next");
        shape.volumes = self.volumes.needs(workload.pod, workload.namespace, workload.name, &[]);
        Some(self.shape(shape))
    }
}

/// The number at the end of the name of a StatefulSet's pod.
fn ordinal(name: &str) -> Option<usize> {
    name.rsplit_once('-')?.1.parse().ok()
}
