//! Small random worlds with every feature of the policies, as data and as manifests.

use purlin::api::network::Plugin;
use purlin::api::ports::Protocol;
use serde_json::{Map, Value, json};

/// Numbers that look random and are the same in every run (splitmix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((it ^ (it >> 31)) % end as u64) as usize
    }

    pub(super) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub(super) fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    fn some<T>(&mut self, most: usize, mut make: impl FnMut(&mut Random) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    fn list<T>(&mut self, most: usize, mut make: impl FnMut(&mut Random) -> T) -> Vec<T> {
        (0..=self.below(most)).map(|_| make(self)).collect()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Random) -> T) -> Option<T> {
        if self.one_in(3) { None } else { Some(make(self)) }
    }
}

pub(super) type Labels = Vec<(&'static str, &'static str)>;

#[derive(Clone, Debug)]
pub(super) struct Selector {
    pub(super) labels: Labels,
    /// Key, operator, values.
    pub(super) expressions: Vec<(&'static str, &'static str, Vec<&'static str>)>,
}

/// An address and how many of its bits count.
pub(super) type Cidr = (u32, u8);

#[derive(Clone, Debug)]
pub(super) struct Pod {
    pub(super) namespace: usize,
    pub(super) labels: Labels,
    pub(super) is_in_host_network: bool,
    /// Of which container (`containers`, a sidecar, an init container), name, number and protocol.
    pub(super) ports: Vec<(usize, Option<&'static str>, u16, Protocol)>,
    pub(super) address: u32,
    /// On which of the nodes, where the manifest says so.
    pub(super) node: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Peer {
    Pods { namespaces: Option<Selector>, pods: Option<Selector> },
    Block { cidr: Cidr, except: Vec<Cidr> },
}

#[derive(Clone, Debug)]
pub(super) enum Number {
    Any,
    Is(u16),
    Range(u16, u16),
    Name(&'static str),
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) peers: Option<Vec<Peer>>,
    /// The protocol where one is written.
    pub(super) ports: Option<Vec<(Option<Protocol>, Number)>>,
}

#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) namespace: usize,
    pub(super) selector: Option<Selector>,
    pub(super) types: Option<Vec<&'static str>>,
    pub(super) ingress: Option<Vec<Rule>>,
    pub(super) egress: Option<Vec<Rule>>,
}

#[derive(Clone, Debug)]
pub(super) enum TierPeer {
    Namespaces(Selector),
    Pods(Selector, Selector),
    Nodes,
    Networks(Vec<Cidr>),
    Unknown,
}

#[derive(Clone, Debug)]
pub(super) struct TierRule {
    pub(super) action: &'static str,
    pub(super) peers: Vec<TierPeer>,
    /// The protocol is none for a name alone.
    pub(super) ports: Vec<(Protocol, Number)>,
}

#[derive(Clone, Debug)]
pub(super) struct TierPolicy {
    pub(super) is_old: bool,
    pub(super) is_admin: bool,
    pub(super) priority: i64,
    pub(super) namespaces: Selector,
    pub(super) pods: Option<Selector>,
    pub(super) ingress: Vec<TierRule>,
    pub(super) egress: Vec<TierRule>,
}

/// What a policy of Cilium says of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// Nothing.
    Absent,
    /// It isolates.
    Empty,
    /// It isolates, and lets somebody in.
    Allows,
    /// It holds somebody up.
    Denies,
}

/// A policy of Cilium: whom it selects is read, and whom it lets talk to them is not.
#[derive(Clone, Debug)]
pub(super) struct Other {
    /// `None` for the whole cluster.
    pub(super) namespace: Option<usize>,
    /// Whether it is for the nodes, in place of pods.
    pub(super) is_for_nodes: bool,
    pub(super) selector: Selector,
    /// By direction: ingress, egress.
    pub(super) sections: [Section; 2],
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) plugin: Plugin,
    pub(super) namespaces: Vec<(&'static str, Labels)>,
    pub(super) pods: Vec<Pod>,
    pub(super) policies: Vec<Policy>,
    pub(super) tiers: Vec<TierPolicy>,
    pub(super) others: Vec<Other>,
}

/// The addresses of the nodes.
pub(super) const NODES: [u32; 2] = [0xc0a8_0001, 0xc0a8_0002];

pub(super) const PORTS: [u16; 9] = [1, 53, 79, 80, 81, 443, 8080, 8081, 65535];

/// Addresses outside, one in each piece that the blocks below cut.
pub(super) const OUTSIDE: [u32; 5] =
    [0x0808_0808, 0x0a01_0003, 0x0a02_0001, 0xcb00_7105, 0xc0a8_0101];

const BLOCKS: [Cidr; 8] = [
    (0, 0),
    (0x0a00_0000, 8),
    (0x0a01_0000, 16),
    (0x0a01_0000, 24),
    (0x0a01_0001, 32),
    (0xcb00_7100, 24),
    (0xc0a8_0000, 16),
    (0xc0a8_0001, 32),
];

const NAMES: [&str; 3] = ["web", "dns", "admin"];
const KEYS: [&str; 2] = ["app", "tier"];
const VALUES: [&str; 3] = ["a", "b", "c"];

pub(super) fn contains(cidr: Cidr, address: u32) -> bool {
    cidr.1 == 0 || (cidr.0 ^ address) >> (32 - cidr.1) == 0
}

impl World {
    pub(super) fn new(random: &mut Random) -> World {
        let namespaces: Vec<_> =
            ["one", "two", "three"].into_iter().map(|it| (it, labels(random))).collect();
        let pods = (0..3 + random.below(4)).map(|at| pod(random, at as u32)).collect();
        // Many rules for one subject are looked up by whom they name.
        let most = if random.one_in(5) { 24 } else { 5 };
        World {
            plugin: random.of(&Plugin::ALL),
            namespaces,
            pods,
            policies: random.some(most, policy),
            tiers: random.some(3, tier_policy),
            others: if random.one_in(3) { random.some(2, other) } else { Vec::new() },
        }
        .with_one_baseline()
    }

    /// Of BaselineAdminNetworkPolicies there is one, which is called `default`.
    fn with_one_baseline(mut self) -> World {
        let baselines = self.tiers.iter_mut().filter(|it| it.is_old && !it.is_admin);
        for it in baselines.skip(1) {
            it.is_admin = true;
            it.priority = 1;
        }
        self
    }

    /// The name of a cluster-wide policy.
    pub(super) fn tier_name(&self, at: usize) -> String {
        let is_baseline = self.tiers.get(at).is_some_and(|it| it.is_old && !it.is_admin);
        if is_baseline { "default".into() } else { format!("t{at}") }
    }

    /// The same with another policy, one more, or one less, and which one it is of the world before or after.
    pub(super) fn changed(&self, random: &mut Random) -> (World, usize) {
        let mut world = self.clone();
        let at = random.below(world.policies.len() + 1);
        if at == world.policies.len() {
            world.policies.push(policy(random));
        } else if random.one_in(4) {
            world.policies.remove(at);
        } else if random.one_in(2) {
            let namespace = world.policies[at].namespace;
            world.policies[at] = Policy { namespace, ..policy(random) };
        } else {
            world.policies[at].ingress = Some(random.some(3, rule));
            world.policies[at].egress = Some(random.some(3, rule));
        }
        (world, at)
    }

    /// The same with some policies in place of others of the same name, or added, and which they are: NetworkPolicies, and
    /// those of the whole cluster.
    pub(super) fn with_changes(&self, random: &mut Random) -> (World, [Vec<usize>; 2]) {
        let mut world = self.clone();
        let policies = random.some(3, |random| {
            let at = random.below(world.policies.len() + 1);
            match world.policies.get_mut(at) {
                Some(it) => *it = Policy { namespace: it.namespace, ..policy(random) },
                None => world.policies.push(policy(random)),
            }
            at
        });
        let tiers = random.some(if policies.is_empty() { 2 } else { 1 }, |random| {
            let at = random.below(world.tiers.len() + 1);
            match world.tiers.get_mut(at) {
                Some(it) => *it = tier_policy(random),
                None => world.tiers.push(tier_policy(random)),
            }
            at
        });
        let world = world.with_one_baseline();
        // What is no baseline any more, since another is now, has changed as well.
        let is_old_baseline = |it: &TierPolicy| it.is_old && !it.is_admin;
        let no_more = self.tiers.iter().zip(&world.tiers).enumerate();
        let no_more = no_more
            .filter(|(_, (before, after))| is_old_baseline(before) && !is_old_baseline(after));
        let tiers = tiers.into_iter().chain(no_more.map(|it| it.0)).collect::<Vec<_>>();
        let changed = [policies, tiers].map(|mut it| {
            it.sort_unstable();
            it.dedup();
            it
        });
        (world, changed)
    }

    /// As one List.
    pub(super) fn manifest(&self) -> String {
        let nodes = NODES.iter().enumerate().map(|(at, address)| {
            json!({
                "apiVersion": "v1", "kind": "Node", "metadata": {"name": format!("n{at}")},
                "status": {"addresses": [{"type": "InternalIP", "address": text(*address)}]},
            })
        });
        let mut items: Vec<_> = nodes.collect();
        for (name, labels) in &self.namespaces {
            items.push(json!({
                "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": map(labels)},
            }));
        }
        items.extend(self.pods.iter().enumerate().map(|(at, it)| self.pod(at, it)));
        // Before what may change, so that their places do not.
        items.extend(self.others.iter().enumerate().map(|(at, it)| {
            let namespace = it.namespace.map(|it| self.namespaces[it].0);
            it.json(at, namespace)
        }));
        items.extend(self.policies.iter().enumerate().map(|(at, it)| {
            let mut spec = Map::new();
            put(&mut spec, "podSelector", it.selector.as_ref().map(Selector::json));
            put(&mut spec, "policyTypes", it.types.as_ref().map(|it| json!(it)));
            let rules = |rules: &Option<Vec<Rule>>, peers: &str| {
                rules.as_ref().map(|it| it.iter().map(|it| it.json(peers)).collect())
            };
            put(&mut spec, "ingress", rules(&it.ingress, "from"));
            put(&mut spec, "egress", rules(&it.egress, "to"));
            let namespace = self.namespaces[it.namespace].0;
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                "metadata": {"name": format!("p{at}"), "namespace": namespace}, "spec": spec,
            })
        }));
        let tiers = self.tiers.iter().enumerate();
        items.extend(tiers.map(|(at, it)| it.json(&self.tier_name(at))));
        json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
    }

    fn pod(&self, at: usize, pod: &Pod) -> Value {
        let container = |which: usize| {
            let ports = pod.ports.iter().filter(|it| it.0 == which);
            let ports: Vec<_> = ports
                .map(|(_, name, number, protocol)| {
                    let mut port = Map::new();
                    put(&mut port, "name", name.map(|it| json!(it)));
                    put(&mut port, "containerPort", Some(json!(number)));
                    put(&mut port, "protocol", Some(json!(protocol.name())));
                    Value::Object(port)
                })
                .collect();
            json!({"name": format!("c{which}"), "image": "i", "ports": ports})
        };
        let mut sidecar = container(2);
        sidecar["restartPolicy"] = json!("Always");
        let mut spec = json!({
            "containers": [container(0), container(1)],
            "initContainers": [sidecar, container(3)],
        });
        if pod.is_in_host_network {
            spec["hostNetwork"] = json!(true);
        }
        if let Some(node) = pod.node {
            spec["nodeName"] = json!(format!("n{node}"));
        }
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": format!("pod{at}"), "namespace": self.namespaces[pod.namespace].0,
                "labels": map(&pod.labels),
            },
            "spec": spec,
            "status": {"phase": "Running", "podIP": text(pod.address)},
        })
    }
}

fn labels(random: &mut Random) -> Labels {
    let chosen = KEYS.map(|key| random.maybe(|it| (key, it.of(&VALUES))));
    chosen.into_iter().flatten().collect()
}

fn selector(random: &mut Random) -> Selector {
    if random.one_in(4) {
        return Selector { labels: Vec::new(), expressions: Vec::new() };
    }
    let labels =
        if random.one_in(2) { vec![(random.of(&KEYS), random.of(&VALUES))] } else { vec![] };
    let expressions = random.some(1, |it| {
        let operator = it.of(&["In", "NotIn", "Exists", "DoesNotExist"]);
        let values =
            if operator.ends_with("In") { it.list(1, |it| it.of(&VALUES)) } else { vec![] };
        (it.of(&KEYS), operator, values)
    });
    Selector { labels, expressions }
}

/// Of namespaces: their name is a label too.
fn namespace_selector(random: &mut Random) -> Selector {
    let mut selector = selector(random);
    if random.one_in(3) {
        let names = random.list(1, |it| it.of(&["one", "two", "three"]));
        let operator = random.of(&["In", "NotIn"]);
        selector.expressions.push(("kubernetes.io/metadata.name", operator, names));
    }
    selector
}

fn pod(random: &mut Random, at: u32) -> Pod {
    let is_in_host_network = random.one_in(6);
    let node = random.maybe(|it| it.below(2));
    let address = if random.one_in(2) { 0x0a01_0001 + at } else { 0x0a02_0100 + at };
    Pod {
        namespace: random.below(3),
        labels: labels(random),
        is_in_host_network,
        ports: random.some(4, |it| {
            let name = it.maybe(|it| it.of(&NAMES));
            (it.below(4), name, it.of(&PORTS), it.of(&Protocol::ALL))
        }),
        address: if is_in_host_network { NODES[node.unwrap_or(0)] } else { address },
        node,
    }
}

fn number(random: &mut Random) -> Number {
    match random.below(5) {
        0 => Number::Any,
        1 | 2 => Number::Is(random.of(&PORTS)),
        3 => {
            let (a, b) = (random.of(&PORTS), random.of(&PORTS));
            Number::Range(a.min(b), a.max(b))
        }
        _ => Number::Name(random.of(&NAMES)),
    }
}

fn policy(random: &mut Random) -> Policy {
    let most = if random.one_in(8) { 16 } else { 3 };
    let rules = |it: &mut Random| it.some(most, rule);
    Policy {
        namespace: random.below(3),
        selector: random.maybe(selector),
        types: match random.below(6) {
            0 => None,
            1 => Some(vec![]),
            2 => Some(vec!["Ingress"]),
            3 => Some(vec!["Egress"]),
            _ => Some(vec!["Ingress", "Egress"]),
        },
        ingress: random.maybe(rules),
        egress: random.maybe(rules),
    }
}

fn rule(random: &mut Random) -> Rule {
    Rule {
        peers: random.maybe(|it| it.some(2, peer)),
        ports: random
            .maybe(|it| it.some(2, |it| (it.maybe(|it| it.of(&Protocol::ALL)), number(it)))),
    }
}

fn peer(random: &mut Random) -> Peer {
    if random.one_in(3) {
        let cidr = random.of(&BLOCKS);
        let within = |it: &Cidr| it.1 > cidr.1 && contains(cidr, it.0);
        let within: Vec<_> = BLOCKS.into_iter().filter(within).collect();
        let except = if within.is_empty() { vec![] } else { random.some(2, |it| it.of(&within)) };
        return Peer::Block { cidr, except };
    }
    match random.below(3) {
        0 => Peer::Pods { namespaces: Some(namespace_selector(random)), pods: None },
        1 => Peer::Pods { namespaces: None, pods: Some(selector(random)) },
        _ => Peer::Pods {
            namespaces: Some(namespace_selector(random)),
            pods: Some(selector(random)),
        },
    }
}

fn tier_policy(random: &mut Random) -> TierPolicy {
    let is_old = random.one_in(2);
    let is_admin = random.one_in(2);
    TierPolicy {
        is_old,
        is_admin,
        priority: if is_old && !is_admin { i64::MAX } else { random.below(3) as i64 },
        namespaces: namespace_selector(random),
        pods: random.maybe(selector),
        ingress: random.some(3, |it| tier_rule(it, is_old, is_admin, false)),
        egress: random.some(3, |it| tier_rule(it, is_old, is_admin, true)),
    }
}

fn other(random: &mut Random) -> Other {
    let sections = [Section::Absent, Section::Empty, Section::Allows, Section::Denies];
    let namespace = random.maybe(|it| it.below(3));
    Other {
        namespace,
        is_for_nodes: namespace.is_none() && random.one_in(3),
        selector: selector(random),
        sections: [random.of(&sections), random.of(&sections)],
    }
}

fn tier_rule(random: &mut Random, is_old: bool, is_admin: bool, is_egress: bool) -> TierRule {
    let accept = if is_old { "Allow" } else { "Accept" };
    let actions: &[_] =
        if is_old && !is_admin { &[accept, "Deny"] } else { &[accept, "Deny", "Pass"] };
    let mut ports = random.some(2, |it| (it.of(&Protocol::ALL), number(it)));
    // A range of one port is a number, and v1alpha1 has no way to say every port of a protocol.
    ports.retain(|(_, it)| match it {
        Number::Any => !is_old,
        Number::Range(first, last) => first < last,
        _ => true,
    });
    TierRule {
        action: random.of(actions),
        peers: random.list(1, |it| match it.below(if is_egress { 8 } else { 5 }) {
            0 | 1 => TierPeer::Namespaces(namespace_selector(it)),
            2 | 3 => TierPeer::Pods(namespace_selector(it), selector(it)),
            4 if it.one_in(3) => TierPeer::Unknown,
            4 => TierPeer::Namespaces(namespace_selector(it)),
            5 => TierPeer::Nodes,
            _ => TierPeer::Networks(it.list(1, |it| it.of(&BLOCKS))),
        }),
        ports,
    }
}

fn put(map: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    map.extend(value.map(|it| (key.to_string(), it)));
}

fn map(labels: &Labels) -> Value {
    labels.iter().map(|(key, value)| ((*key).to_string(), json!(value))).collect()
}

pub(super) fn text(address: u32) -> String {
    std::net::Ipv4Addr::from(address).to_string()
}

fn block((address, length): Cidr) -> String {
    format!("{}/{length}", text(address))
}

impl Selector {
    fn json(&self) -> Value {
        let expressions = self.expressions.iter().map(|(key, operator, values)| {
            if values.is_empty() {
                return json!({"key": key, "operator": operator});
            }
            json!({"key": key, "operator": operator, "values": values})
        });
        let expressions: Vec<_> = expressions.collect();
        json!({"matchLabels": map(&self.labels), "matchExpressions": expressions})
    }
}

impl Rule {
    fn json(&self, peers: &str) -> Value {
        let mut rule = Map::new();
        let of_peers = |it: &Vec<Peer>| it.iter().map(Peer::json).collect();
        put(&mut rule, peers, self.peers.as_ref().map(of_peers));
        let of_ports = |(protocol, number): &(Option<Protocol>, Number)| {
            let mut port = Map::new();
            put(&mut port, "protocol", protocol.map(|it| json!(it.name())));
            match number {
                Number::Any => {}
                Number::Is(it) => put(&mut port, "port", Some(json!(it))),
                Number::Name(it) => put(&mut port, "port", Some(json!(it))),
                Number::Range(first, last) => {
                    put(&mut port, "port", Some(json!(first)));
                    put(&mut port, "endPort", Some(json!(last)));
                }
            }
            Value::Object(port)
        };
        put(&mut rule, "ports", self.ports.as_ref().map(|it| it.iter().map(of_ports).collect()));
        Value::Object(rule)
    }
}

impl Peer {
    fn json(&self) -> Value {
        let mut peer = Map::new();
        match self {
            Peer::Block { cidr, except } => {
                let except: Vec<_> = except.iter().map(|it| block(*it)).collect();
                put(&mut peer, "ipBlock", Some(json!({"cidr": block(*cidr), "except": except})));
            }
            Peer::Pods { namespaces, pods } => {
                put(&mut peer, "namespaceSelector", namespaces.as_ref().map(Selector::json));
                put(&mut peer, "podSelector", pods.as_ref().map(Selector::json));
            }
        }
        Value::Object(peer)
    }
}

impl Other {
    fn json(&self, at: usize, namespace: Option<&str>) -> Value {
        let mut spec = Map::new();
        let key = if self.is_for_nodes { "nodeSelector" } else { "endpointSelector" };
        put(&mut spec, key, Some(self.selector.json()));
        for (section, name) in self.sections.into_iter().zip(["ingress", "egress"]) {
            let entity = if name == "ingress" { "fromEntities" } else { "toEntities" };
            match section {
                Section::Absent => {}
                Section::Empty => put(&mut spec, name, Some(json!([{}]))),
                Section::Allows => put(&mut spec, name, Some(json!([{entity: ["all"]}]))),
                Section::Denies => {
                    put(&mut spec, &format!("{name}Deny"), Some(json!([{entity: ["all"]}])));
                }
            }
        }
        let mut metadata = Map::new();
        put(&mut metadata, "name", Some(json!(format!("o{at}"))));
        put(&mut metadata, "namespace", namespace.map(|it| json!(it)));
        let kind = match namespace {
            Some(_) => "CiliumNetworkPolicy",
            None => "CiliumClusterwideNetworkPolicy",
        };
        json!({"apiVersion": "cilium.io/v2", "kind": kind, "metadata": metadata, "spec": spec})
    }
}

impl TierPolicy {
    fn json(&self, name: &str) -> Value {
        let subject = match &self.pods {
            None => json!({"namespaces": self.namespaces.json()}),
            Some(it) => {
                json!({"pods": {"namespaceSelector": self.namespaces.json(), "podSelector": it.json()}})
            }
        };
        let rules = |rules: &[TierRule], peers: &str| -> Vec<Value> {
            rules.iter().map(|it| it.json(peers, self.is_old)).collect()
        };
        let mut spec = json!({
            "subject": subject,
            "ingress": rules(&self.ingress, "from"),
            "egress": rules(&self.egress, "to"),
        });
        let (version, kind) = match (self.is_old, self.is_admin) {
            (true, true) => ("v1alpha1", "AdminNetworkPolicy"),
            (true, false) => ("v1alpha1", "BaselineAdminNetworkPolicy"),
            _ => ("v1alpha2", "ClusterNetworkPolicy"),
        };
        if !self.is_old {
            spec["tier"] = json!(if self.is_admin { "Admin" } else { "Baseline" });
        }
        if !self.is_old || self.is_admin {
            spec["priority"] = json!(self.priority);
        }
        json!({
            "apiVersion": format!("policy.networking.k8s.io/{version}"), "kind": kind,
            "metadata": {"name": name}, "spec": spec,
        })
    }
}

impl TierRule {
    fn json(&self, peers: &str, is_old: bool) -> Value {
        let of_peer = |it: &TierPeer| match it {
            TierPeer::Namespaces(it) => json!({"namespaces": it.json()}),
            TierPeer::Pods(namespaces, pods) => {
                json!({"pods": {"namespaceSelector": namespaces.json(), "podSelector": pods.json()}})
            }
            TierPeer::Nodes => json!({"nodes": {}}),
            TierPeer::Networks(it) => {
                json!({"networks": it.iter().map(|it| block(*it)).collect::<Vec<_>>()})
            }
            TierPeer::Unknown => json!({"serviceAccounts": {}}),
        };
        let old = |(protocol, number): &(Protocol, Number)| match number {
            Number::Is(it) => json!({"portNumber": {"protocol": protocol.name(), "port": it}}),
            Number::Range(first, last) => {
                json!({"portRange": {"protocol": protocol.name(), "start": first, "end": last}})
            }
            Number::Name(it) => json!({"namedPort": it}),
            Number::Any => json!({}),
        };
        let new = |(protocol, number): &(Protocol, Number)| {
            let key = protocol.name().to_lowercase();
            match number {
                Number::Is(it) => json!({key: {"destinationPort": {"number": it}}}),
                Number::Range(first, last) => {
                    json!({key: {"destinationPort": {"range": {"start": first, "end": last}}}})
                }
                Number::Name(it) => json!({"destinationNamedPort": it}),
                Number::Any => json!({key: {}}),
            }
        };
        let mut rule = Map::new();
        put(&mut rule, "action", Some(json!(self.action)));
        put(&mut rule, peers, Some(self.peers.iter().map(of_peer).collect()));
        if !self.ports.is_empty() {
            let (key, ports): (_, Vec<_>) = if is_old {
                ("ports", self.ports.iter().map(old).collect())
            } else {
                ("protocols", self.ports.iter().map(new).collect())
            };
            put(&mut rule, key, Some(json!(ports)));
        }
        Value::Object(rule)
    }
}
