//! Nodes that nobody listed as objects: described as pools, by the configuration of kind, or written out as Nodes, in a
//! file of their own.

use super::instance_types::InstanceType;
use super::node::{Allocatable, Amounts, ClusterNode, Effect, HOSTNAME, Taint, ZONE, amounts};
use super::world::At;
use crate::analyze::capacity::effective_resources::Resources;
use crate::load::read::mistake::Mistake;
use crate::load::read::split::{Chunk, split};
use crate::load::read::yaml::{self, Syntax};
use crate::text::tree::Node;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many pods a kubelet takes unless it is told (`pkg/kubelet/apis/config/v1beta1/defaults.go`, MaxPods).
const MOST_PODS: i128 = 110;

/// What kubeadm and kind keep workloads away from control planes with.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

/// The label that says what machine a node is.
const INSTANCE_TYPE: &str = "node.kubernetes.io/instance-type";

/// A pool may be so large; more is a slip of the pen.
const MOST_NODES: i64 = 10_000;

/// The nodes of a file. Pools that grow have the fewest nodes at the floor, and the most at the peak.
///
/// # Errors
///
/// Every mistake in it.
pub fn read(text: &Arc<str>, at: At) -> Result<Vec<ClusterNode>, Vec<Mistake>> {
    let Nodes { nodes, .. } = read_sized(text, at, &BTreeMap::new())?;
    Ok(nodes)
}

/// The nodes of a file, and its pools in their order.
#[derive(Debug, Default)]
pub struct Nodes {
    /// The nodes.
    pub nodes: Vec<ClusterNode>,
    /// The pools, with the nodes that each has.
    pub pools: Vec<(String, usize)>,
}

/// The same where pools have as many nodes as is said here, whatever the file says.
///
/// # Errors
///
/// Every mistake in it.
pub fn read_sized(
    text: &Arc<str>,
    at: At,
    sizes: &BTreeMap<String, usize>,
) -> Result<Nodes, Vec<Mistake>> {
    let nodes = Nodes::default();
    let mut reader = Reader { at, sizes, nodes, mistakes: Vec::new() };
    for chunk in split(text) {
        let range = match chunk {
            Chunk::Text(range) => range,
            Chunk::Bad { span, message } => {
                reader.mistakes.push(Mistake { span, message, help: None });
                continue;
            }
        };
        match yaml::parse(text, range, Syntax::Yaml) {
            Ok(None) => {}
            Ok(Some(parsed)) => reader.document(parsed.tree.root()),
            Err(mistake) => reader.mistakes.push(mistake),
        }
    }
    let Reader { nodes, mut mistakes, .. } = reader;
    let mut names: Vec<&str> = nodes.nodes.iter().map(|it| it.name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|it| it[0] == it[1]) {
        let message = format!("two nodes are called `{}`", twice[0]);
        mistakes.push(Mistake { span: Default::default(), message, help: None });
    }
    if nodes.nodes.is_empty() && nodes.pools.is_empty() && mistakes.is_empty() {
        let message = "no nodes: neither `nodes:`, nor a Node, nor a Cluster of kind".to_string();
        mistakes.push(Mistake { span: Default::default(), message, help: None });
    }
    if mistakes.is_empty() { Ok(nodes) } else { Err(mistakes) }
}

/// The nodes that a mapping describes, each a node or a pool of them by name.
///
/// # Errors
///
/// Every mistake in it.
pub fn of_mapping(nodes: Node<'_>, at: At) -> Result<Vec<ClusterNode>, Vec<Mistake>> {
    let sizes = BTreeMap::new();
    let mut reader = Reader { at, sizes: &sizes, nodes: Nodes::default(), mistakes: Vec::new() };
    nodes.pairs().for_each(|(name, pool)| reader.pool(name, pool));
    if reader.mistakes.is_empty() { Ok(reader.nodes.nodes) } else { Err(reader.mistakes) }
}

struct Reader<'s> {
    at: At,
    sizes: &'s BTreeMap<String, usize>,
    nodes: Nodes,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn wrong(&mut self, node: Node<'_>, message: impl Into<String>) {
        self.mistakes.push(Mistake { span: node.span(), message: message.into(), help: None });
    }

    fn document(&mut self, root: Node<'_>) {
        let version = root.text("apiVersion").unwrap_or_default();
        match root.text("kind") {
            Some("Node") => self.nodes.nodes.push(ClusterNode::of_root(root, None)),
            Some("NodeList" | "List") => {
                let items =
                    root.list("items").filter(|it| it.text("kind").is_none_or(|it| it == "Node"));
                self.nodes.nodes.extend(items.map(|it| ClusterNode::of_root(it, None)));
            }
            Some("Cluster") if version.starts_with("kind.x-k8s.io/") => self.kind(root),
            _ => {
                let nodes = root.get("nodes").or_else(|| root.at(&["cluster", "nodes"]));
                for (name, pool) in nodes.into_iter().flat_map(Node::pairs) {
                    self.pool(name, pool);
                }
            }
        }
    }

    /// `kind create cluster`: nodes by role, on one machine whose resources nobody states
    /// (`sigs.k8s.io/kind/pkg/cluster/internal/create/actions`).
    fn kind(&mut self, root: Node<'_>) {
        let cluster = root.text("name").unwrap_or("kind");
        let listed: Vec<Node<'_>> = root.list("nodes").collect();
        let role = |it: &Node<'_>| it.text("role").unwrap_or("control-plane").to_string();
        let has_workers = listed.iter().any(|it| role(it) == "worker");
        let mut roles: Vec<(String, Option<Node<'_>>)> =
            listed.iter().map(|it| (role(it), Some(*it))).collect();
        if roles.is_empty() {
            roles.push(("control-plane".to_string(), None));
        }
        let mut counts = BTreeMap::<String, usize>::new();
        for (role, node) in roles {
            let count = counts.entry(role.clone()).or_default();
            *count += 1;
            let number = if *count == 1 { String::new() } else { count.to_string() };
            let mut made = named(&format!("{cluster}-{role}{number}"));
            made.labels.extend(super::labels::labels(node.and_then(|it| it.get("labels"))));
            if role == "control-plane" {
                made.labels.entry(CONTROL_PLANE.into()).or_default();
                if has_workers {
                    made.taints.push(control_plane_taint());
                }
            }
            self.nodes.nodes.push(made);
        }
    }

    /// One entry of `nodes`: a node, or a pool of them.
    fn pool(&mut self, name: &str, pool: Node<'_>) {
        const FIELDS: [&str; 15] = [
            "allocatable",
            "capacity",
            "count",
            "instanceType",
            "kubeReserved",
            "labels",
            "observed",
            "podsPerNode",
            "reserved",
            "scaling",
            "spot",
            "systemReserved",
            "taints",
            "zone",
            "zones",
        ];
        if !pool.is_map() {
            return self.wrong(pool, format!("`nodes.{name}` is a mapping"));
        }
        for (key, _) in pool.entries() {
            let word = key.str().unwrap_or_default();
            if !FIELDS.contains(&word) {
                let known = FIELDS.join(", ");
                self.wrong(
                    key,
                    format!("`nodes.{name}.{word}` is no field of nodes; they have {known}"),
                );
            }
        }
        let instance = self.instance(name, pool);
        let allocatable = self.allocatable(name, pool).or(instance.map(|it| it.allocatable()));
        let mut taints = Vec::new();
        for it in pool.list("taints") {
            match taint(it) {
                Some(taint) => taints.push(taint),
                None => self.wrong(
                    it,
                    "a taint is `key:Effect`, `key=value:Effect`, or has key and effect",
                ),
            }
        }
        let zones = pool.list("zones").chain(pool.get("zone")).filter_map(Node::str);
        let zones: Vec<&str> = zones.collect();
        let (count, is_pool) = self.count(name, pool);
        if is_pool {
            self.nodes.pools.push((name.to_string(), usize::try_from(count).unwrap_or(0)));
        }
        for number in 1..=count {
            let mut node =
                named(&if is_pool { format!("{name}-{number}") } else { name.to_string() });
            if !zones.is_empty() {
                let zone = zones[(number as usize - 1) % zones.len()];
                node.labels.insert(ZONE.into(), zone.into());
            }
            if let Some(it) = instance {
                node.labels.insert(INSTANCE_TYPE.into(), it.name.into());
                node.labels.insert("kubernetes.io/arch".into(), it.architecture.into());
            }
            node.labels.extend(super::labels::labels(pool.get("labels")));
            node.taints.clone_from(&taints);
            node.allocatable.clone_from(&allocatable);
            node.pool = is_pool.then(|| name.to_string());
            self.nodes.nodes.push(node);
        }
    }

    /// The instance type that stands for its capacity. Of one that is not known nobody can say what it has.
    fn instance(&mut self, name: &str, pool: Node<'_>) -> Option<InstanceType> {
        let field = pool.get("instanceType")?;
        let found = field.str().and_then(InstanceType::find);
        let is_stated = pool.get("allocatable").or_else(|| pool.get("capacity")).is_some();
        if found.is_none() && !is_stated {
            self.wrong(field, format!(
                "what `nodes.{name}.instanceType` has is not known; state its `allocatable`, or its `capacity` and what is `reserved`"
            ));
        }
        found
    }

    /// How many nodes a pool has, and whether it is one.
    fn count(&mut self, name: &str, pool: Node<'_>) -> (i64, bool) {
        let Some(count) = pool.get("count") else { return (1, false) };
        let bound = |key| count.get(key).and_then(Node::int);
        let number = match (count.int(), self.at) {
            (Some(it), _) => Some(it),
            (None, At::Floor) => bound("min"),
            (None, At::Peak) => bound("max"),
        };
        let sized = self.sizes.get(name).and_then(|it| i64::try_from(*it).ok());
        match number {
            Some(it) if (0..=MOST_NODES).contains(&it) => (sized.unwrap_or(it), true),
            _ => {
                self.wrong(count, format!(
                    "`nodes.{name}.count` is a whole number up to {MOST_NODES}, or `{{min: …, max: …}}`"
                ));
                (0, true)
            }
        }
    }

    /// What is left of its capacity for pods, once system and kubelet have taken theirs.
    fn allocatable(&mut self, name: &str, pool: Node<'_>) -> Option<Allocatable> {
        let stated = self.amounts(name, pool, "allocatable");
        let pods = pool.get("podsPerNode").and_then(Node::int).map(i128::from);
        let left = match stated {
            Some(it) => it,
            None => {
                let mut left = self.amounts(name, pool, "capacity")?;
                for field in ["reserved", "systemReserved", "kubeReserved"] {
                    for (resource, amount) in self.amounts(name, pool, field).unwrap_or_default() {
                        let has = left.entry(resource).or_default();
                        *has = (*has - amount).max(0);
                    }
                }
                left
            }
        };
        let pods = pods.or(left.get("pods").copied()).unwrap_or(MOST_PODS);
        Some(Allocatable { amounts: left, pods })
    }

    fn amounts(&mut self, name: &str, pool: Node<'_>, field: &str) -> Option<Amounts> {
        let node = pool.get(field)?;
        let mut invalid = Vec::new();
        let read = amounts(&Resources::parse(Some(node), &mut invalid));
        for it in invalid {
            self.wrong(it, format!("not a quantity in `nodes.{name}.{field}`"));
        }
        Some(read)
    }
}

/// A node with the labels that a kubelet gives it.
fn named(name: &str) -> ClusterNode {
    let labels = [(HOSTNAME, name), ("kubernetes.io/os", "linux"), ("kubernetes.io/arch", "amd64")];
    ClusterNode {
        name: name.to_string(),
        labels: labels.map(|(key, it)| (key.to_string(), it.to_string())).into(),
        ..ClusterNode::default()
    }
}

fn control_plane_taint() -> Taint {
    Taint { key: CONTROL_PLANE.into(), value: String::new(), effect: Effect::NoSchedule }
}

/// `key=value:Effect`, `key:Effect`, or as an object has it.
fn taint(node: Node<'_>) -> Option<Taint> {
    let Some(text) = node.str() else { return Taint::parse(node) };
    let (key, effect) = text.rsplit_once(':')?;
    let (key, value) = key.split_once('=').unwrap_or((key, ""));
    Some(Taint { key: key.into(), value: value.into(), effect: Effect::of(effect)? })
}
