//! The API text once more, for one pair of ends and one port at a time, with nothing shared with the analysis: every way
//! in which Kubernetes or a plugin may read it is tried, and what all of them agree on is the verdict.

use super::world::{
    Cidr, Labels, NODES, Number, Other, Peer, Pod, Policy, Rule, Section, Selector, TierPeer,
    TierPolicy, TierRule, World, contains,
};
use purlin::api::network::Plugin;
use purlin::api::ports::Protocol;

/// One end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Pod(usize),
    Address(u32),
    Node,
}

/// One way of reading what is left open.
#[derive(Clone, Copy)]
struct Reading {
    blocks_mean_pods: bool,
    selectors_mean_host_network: bool,
    node_is_own: bool,
    /// Which of the nodes is meant.
    node: usize,
    baseline_by_direction: bool,
}

/// What policies at one end do; several where one of them decides, and nobody says which.
type Possible = Vec<bool>;

/// A port of a protocol.
type Port = (Protocol, u16);

pub(super) fn verdict(world: &World, from: End, to: End, port: Port) -> &'static str {
    let mut found = Vec::new();
    for reading in readings(world.plugin) {
        for out in side(world, &reading, true, from, to, port) {
            for into in side(world, &reading, false, to, from, port) {
                found.push(out && into);
            }
        }
    }
    match (found.contains(&true), found.contains(&false)) {
        (true, true) => "undefined",
        (true, false) => "allow",
        _ => "deny",
    }
}

fn readings(plugin: Plugin) -> Vec<Reading> {
    let both = [false, true];
    let is_generic = plugin == Plugin::Generic;
    let by_direction = matches!(plugin, Plugin::Calico | Plugin::Antrea | Plugin::OvnKubernetes);
    let mut all = Vec::new();
    for blocks_mean_pods in both {
        for selectors_mean_host_network in both {
            for node_is_own in both {
                for (baseline_by_direction, node) in
                    both.into_iter().flat_map(|it| [(it, 0), (it, 1)])
                {
                    let blocks_are_read =
                        is_generic || blocks_mean_pods == (plugin != Plugin::Cilium);
                    let hosts_are_read = is_generic || !selectors_mean_host_network;
                    let baseline_is_read = !by_direction || baseline_by_direction;
                    if blocks_are_read && hosts_are_read && baseline_is_read {
                        all.push(Reading {
                            blocks_mean_pods,
                            selectors_mean_host_network,
                            node_is_own,
                            node,
                            baseline_by_direction,
                        });
                    }
                }
            }
        }
    }
    all
}

fn side(
    world: &World,
    reading: &Reading,
    is_egress: bool,
    subject: End,
    peer: End,
    port: Port,
) -> Possible {
    let others = others(world, subject);
    // Only pods of the pod network are the subject of network policies.
    let on_pod_network = match subject {
        End::Pod(at) => Some(&world.pods[at]).filter(|it| !it.is_in_host_network),
        _ => None,
    };
    let Some(pod) = on_pod_network else { return beside(&others, is_egress, false, vec![true]) };
    let destination = if is_egress { peer } else { subject };
    let flow = Flow { world, reading, is_egress, pod, peer, destination, port };
    let is_isolated = flow.policies().is_some();
    let mut possible = Vec::new();
    for admin in flow.tier(true) {
        match admin {
            Some(it) => possible.push(it),
            None => match flow.policies() {
                Some(it) => possible.push(it),
                None => possible.extend(flow.baseline()),
            },
        }
    }
    beside(&others, is_egress, is_isolated, possible)
}

/// The policies of Cilium that select an end.
fn others(world: &World, subject: End) -> Vec<&Other> {
    let selects = |it: &&Other| match subject {
        End::Address(_) => false,
        End::Node => it.is_for_nodes,
        End::Pod(at) if world.pods[at].is_in_host_network => it.is_for_nodes,
        End::Pod(at) => {
            let pod = &world.pods[at];
            !it.is_for_nodes
                && it.namespace.is_none_or(|it| it == pod.namespace)
                && fits(&it.selector, &pod.labels)
        }
    };
    world.others.iter().filter(selects).collect()
}

/// What is possible beside them: what they allow is allowed, what they deny is denied, and whom they isolate loses what no
/// NetworkPolicy allows.
fn beside(others: &[&Other], is_egress: bool, is_isolated: bool, possible: Possible) -> Possible {
    let mut all = possible.clone();
    for section in others.iter().map(|it| it.sections[usize::from(is_egress)]) {
        let may_open = section == Section::Allows;
        let may_close = section == Section::Denies || section != Section::Absent && !is_isolated;
        all.extend(
            possible.iter().filter(|it| if **it { may_close } else { may_open }).map(|it| !it),
        );
    }
    all
}

struct Flow<'w> {
    world: &'w World,
    reading: &'w Reading,
    is_egress: bool,
    pod: &'w Pod,
    peer: End,
    destination: End,
    port: Port,
}

impl Flow<'_> {
    /// What NetworkPolicies say; nothing where none isolates the pod.
    fn policies(&self) -> Option<bool> {
        let affecting =
            self.world.policies.iter().filter(|it| self.selects(it) && self.affects(it));
        let affecting: Vec<_> = affecting.collect();
        if affecting.is_empty() {
            return None;
        }
        let is_of_node = match self.peer {
            End::Node => true,
            End::Pod(at) => self.world.pods[at].is_in_host_network,
            End::Address(_) => false,
        };
        let is_own = match self.peer {
            // On which nodes both run the manifests may say.
            End::Pod(at) => match (self.world.pods[at].node, self.pod.node) {
                (Some(a), Some(b)) => a == b,
                _ => self.reading.node_is_own,
            },
            _ => self.reading.node_is_own,
        };
        let is_own_node = !self.is_egress && is_of_node && is_own;
        Some(is_own_node || affecting.iter().any(|it| self.allows(it)))
    }

    fn selects(&self, policy: &Policy) -> bool {
        policy.namespace == self.pod.namespace
            && policy.selector.as_ref().is_none_or(|it| fits(it, &self.pod.labels))
    }

    fn affects(&self, policy: &Policy) -> bool {
        let types = policy.types.as_deref().unwrap_or_default();
        match (types.is_empty(), self.is_egress) {
            (false, true) => types.contains(&"Egress"),
            (false, false) => types.contains(&"Ingress"),
            (true, true) => policy.egress.as_ref().is_some_and(|it| !it.is_empty()),
            (true, false) => true,
        }
    }

    fn allows(&self, policy: &Policy) -> bool {
        let rules = if self.is_egress { &policy.egress } else { &policy.ingress };
        rules.iter().flatten().any(|it| self.is_allowed_by(it, policy.namespace))
    }

    fn is_allowed_by(&self, rule: &Rule, namespace: usize) -> bool {
        let peers = rule.peers.as_deref().unwrap_or_default();
        let ports = rule.ports.as_deref().unwrap_or_default();
        let is_peer = peers.is_empty() || peers.iter().any(|it| self.is_peer(it, namespace));
        let is_port = ports.is_empty()
            || ports.iter().any(|(protocol, number)| {
                let protocol = protocol.unwrap_or(Protocol::Tcp);
                protocol == self.port.0 && self.is_number(number, Some(protocol))
            });
        is_peer && is_port
    }

    fn is_number(&self, number: &Number, protocol: Option<Protocol>) -> bool {
        match number {
            Number::Any => true,
            Number::Is(it) => *it == self.port.1,
            Number::Range(first, last) => (*first..=*last).contains(&self.port.1),
            Number::Name(name) => {
                let End::Pod(at) = self.destination else { return false };
                self.world.pods[at].ports.iter().any(|it| {
                    // An init container that ends serves nothing.
                    it.0 < 3
                        && it.1 == Some(name)
                        && (it.3, it.2) == self.port
                        && protocol.is_none_or(|protocol| protocol == it.3)
                })
            }
        }
    }

    fn is_peer(&self, peer: &Peer, namespace: usize) -> bool {
        match (peer, self.peer) {
            (Peer::Pods { namespaces, pods }, End::Pod(at)) => {
                let pod = &self.world.pods[at];
                if pod.is_in_host_network && !self.reading.selectors_mean_host_network {
                    return false;
                }
                let in_namespace = match namespaces {
                    None => pod.namespace == namespace,
                    Some(it) => self.is_namespace(it, pod.namespace),
                };
                in_namespace && pods.as_ref().is_none_or(|it| fits(it, &pod.labels))
                    || self.is_in_block_of(peer)
            }
            _ => self.is_in_block_of(peer),
        }
    }

    fn is_in_block_of(&self, peer: &Peer) -> bool {
        let Peer::Block { cidr, except } = peer else { return false };
        let is_in =
            |address| contains(*cidr, address) && !except.iter().any(|it| contains(*it, address));
        let nodes_have_addresses = self.world.plugin != Plugin::Cilium;
        match self.peer {
            End::Address(it) => is_in(it),
            End::Node => nodes_have_addresses && is_in(NODES[self.reading.node]),
            End::Pod(at) => {
                let pod = &self.world.pods[at];
                let counts = if pod.is_in_host_network {
                    nodes_have_addresses
                } else {
                    self.reading.blocks_mean_pods
                };
                counts && is_in(pod.address)
            }
        }
    }

    fn is_namespace(&self, selector: &Selector, namespace: usize) -> bool {
        let (name, labels) = &self.world.namespaces[namespace];
        let mut labels = labels.clone();
        labels.push(("kubernetes.io/metadata.name", name));
        fits(selector, &labels)
    }

    /// What a tier decides, in each way that is possible: nothing where no rule fits, or one passes.
    fn tier(&self, is_admin: bool) -> Vec<Option<bool>> {
        let is_subject = |it: &&TierPolicy| {
            it.is_admin == is_admin
                && self.is_namespace(&it.namespaces, self.pod.namespace)
                && it.pods.as_ref().is_none_or(|it| fits(it, &self.pod.labels))
        };
        let mut policies: Vec<_> = self.world.tiers.iter().filter(is_subject).collect();
        policies.sort_by_key(|it| it.priority);
        for same in policies.chunk_by(|a, b| a.priority == b.priority) {
            let actions = same.iter().filter_map(|it| {
                let rules = if self.is_egress { &it.egress } else { &it.ingress };
                rules.iter().find_map(|it| self.action(it))
            });
            // "The implementation can apply any of the matching policies."
            let actions: Vec<_> = actions
                .map(|it| match it {
                    "Accept" | "Allow" => Some(true),
                    "Deny" => Some(false),
                    _ => None,
                })
                .collect();
            if !actions.is_empty() {
                return actions;
            }
        }
        vec![None]
    }

    /// What a rule does with the flow, if it fits.
    fn action(&self, rule: &TierRule) -> Option<&'static str> {
        if rule.peers.iter().any(|it| matches!(it, TierPeer::Unknown)) {
            return Some("Deny").filter(|_| !matches!(rule.action, "Accept" | "Allow"));
        }
        let is_port = rule.ports.is_empty()
            || rule.ports.iter().any(|(protocol, number)| match number {
                Number::Name(_) => self.is_number(number, None),
                _ => *protocol == self.port.0 && self.is_number(number, Some(*protocol)),
            });
        let is_peer = rule.peers.iter().any(|it| self.is_tier_peer(it));
        Some(rule.action).filter(|_| is_port && is_peer)
    }

    fn is_tier_peer(&self, peer: &TierPeer) -> bool {
        let pod = match self.peer {
            End::Pod(at) => Some(&self.world.pods[at]),
            _ => None,
        };
        let on_pod_network = pod.filter(|it| !it.is_in_host_network);
        let is_of_node = self.peer == End::Node || pod.is_some_and(|it| it.is_in_host_network);
        let address = match self.peer {
            End::Pod(at) => self.world.pods[at].address,
            End::Address(it) => it,
            End::Node => NODES[self.reading.node],
        };
        match peer {
            TierPeer::Namespaces(it) => {
                on_pod_network.is_some_and(|pod| self.is_namespace(it, pod.namespace))
            }
            TierPeer::Pods(namespaces, pods) => on_pod_network.is_some_and(|pod| {
                self.is_namespace(namespaces, pod.namespace) && fits(pods, &pod.labels)
            }),
            TierPeer::Nodes => is_of_node,
            TierPeer::Networks(it) => it.iter().any(|it: &Cidr| contains(*it, address)),
            TierPeer::Unknown => false,
        }
    }

    /// After NetworkPolicies, where none isolates the pod.
    fn baseline(&self) -> Possible {
        let is_selected = self.world.policies.iter().any(|it| {
            // For the other direction, since it is not for this one.
            let other = Flow { is_egress: !self.is_egress, ..*self };
            self.selects(it) && other.affects(it)
        });
        if is_selected && !self.reading.baseline_by_direction {
            return vec![true];
        }
        self.tier(false).into_iter().map(|it| it.unwrap_or(true)).collect()
    }
}

fn fits(selector: &Selector, labels: &Labels) -> bool {
    let value = |key: &str| labels.iter().find(|it| it.0 == key).map(|it| it.1);
    selector.labels.iter().all(|(key, it)| value(key) == Some(it))
        && selector.expressions.iter().all(|(key, operator, values)| match *operator {
            "In" => value(key).is_some_and(|it| values.contains(&it)),
            "NotIn" => value(key).is_none_or(|it| !values.contains(&it)),
            "Exists" => value(key).is_some(),
            _ => value(key).is_none(),
        })
}
