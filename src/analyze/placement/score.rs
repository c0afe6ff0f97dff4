//! Which of the nodes that take a pod the scheduler would choose: the scores of the default profile, ties broken by the
//! order of nodes, where kube-scheduler draws lots.
//!
//! Left out: where images are already, and what other pods would rather have.

use super::cluster::{Cluster, NodeId, ShapeId};
use super::node::Effect;
use super::state::State;

/// The best score of a plugin.
const MOST: i64 = 100;

/// What a node alone says for or against one more pod: its resources, and their balance.
pub fn local(state: &State<'_>, shape: ShapeId, node: NodeId) -> i16 {
    // Both are from 0 to 100.
    (least_allocated(state, shape, node) + balanced(state, shape, node)) as i16
}

/// Whether the other plugins score all nodes alike for a shape.
pub fn is_local(cluster: &Cluster, shape: ShapeId) -> bool {
    let of = &cluster.of_shape[shape];
    !cluster.has_avoided
        && cluster.shapes[shape].node_preferences.is_empty()
        && of.soft_terms.is_empty()
        && of.soft_constraints.is_empty()
}

/// The node that the scheduler would choose of those that take a pod. `local` gives what each says for itself.
pub fn best(
    state: &State<'_>,
    shape: ShapeId,
    takers: &[NodeId],
    local: &dyn Fn(NodeId) -> i16,
) -> Option<NodeId> {
    if let [] | [_] = takers {
        return takers.first().copied();
    }
    let mut scores: Vec<i64> = takers.iter().map(|it| i64::from(local(*it))).collect();
    if !is_local(state.cluster, shape) {
        // The weights are those of the default profile (`pkg/scheduler/apis/config/v1/default_plugins.go`).
        let taints = match state.cluster.has_avoided {
            true => preferred_taints(state.cluster, shape, takers),
            false => Vec::new(),
        };
        let plugins = [
            (3, taints),
            (2, preferred_nodes(state.cluster, shape, takers)),
            (2, preferred_pods(state, shape, takers)),
            (2, spread(state, shape, takers)),
        ];
        for (weight, all) in plugins {
            // A plugin that has no opinion gives nothing.
            scores.iter_mut().zip(all).for_each(|(score, it)| *score += weight * it);
        }
    }
    let most = scores.iter().max()?;
    scores.iter().position(|it| it == most).map(|at| takers[at])
}

/// How much of CPU and memory would be requested, of how much.
fn fractions(state: &State<'_>, shape: ShapeId, node: NodeId) -> [(i64, i64); 2] {
    let (there, own) = (state.counts.scored[node], state.cluster.scored[shape]);
    let has = state.cluster.score_of[node];
    [(there[0] + own[0], has[0]), (there[1] + own[1], has[1])]
}

/// NodeResourcesFit with LeastAllocated: the emptier the better.
fn least_allocated(state: &State<'_>, shape: ShapeId, node: NodeId) -> i64 {
    let (mut sum, mut count) = (0, 0);
    for (used, has) in fractions(state, shape, node).into_iter().filter(|it| it.1 > 0) {
        sum += if used > has { 0 } else { (has - used) * MOST / has };
        count += 1;
    }
    sum / count.max(1)
}

/// NodeResourcesBalancedAllocation: CPU and memory in the same proportion.
fn balanced(state: &State<'_>, shape: ShapeId, node: NodeId) -> i64 {
    let [(cpu, of_cpu), (memory, of_memory)] = fractions(state, shape, node);
    if of_cpu <= 0 || of_memory <= 0 {
        return MOST;
    }
    let part = |used: i64, has: i64| (used as f64 / has as f64).min(1.0);
    let apart = (part(cpu, of_cpu) - part(memory, of_memory)).abs() / 2.0;
    ((1.0 - apart) * MOST as f64) as i64
}

/// TaintToleration: the fewest taints that are rather avoided.
fn preferred_taints(cluster: &Cluster, shape: ShapeId, takers: &[NodeId]) -> Vec<i64> {
    let tolerations = &cluster.shapes[shape].tolerations;
    let count = |node: &NodeId| {
        let taints = cluster.nodes[*node].taints.iter();
        let avoided = taints.filter(|it| it.effect == Effect::PreferNoSchedule).filter(|taint| {
            !tolerations.iter().any(|it| it.tolerates(&taint.key, &taint.value, taint.effect))
        });
        avoided.count() as i64
    };
    let counts: Vec<_> = takers.iter().map(count).collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    counts.iter().map(|it| if most == 0 { MOST } else { MOST - MOST * it / most }).collect()
}

/// NodeAffinity: the weights of the preferences that a node meets.
fn preferred_nodes(cluster: &Cluster, shape: ShapeId, takers: &[NodeId]) -> Vec<i64> {
    let preferences = &cluster.shapes[shape].node_preferences;
    if preferences.is_empty() {
        return Vec::new();
    }
    let weight = |node: &NodeId| {
        let node = &cluster.nodes[*node];
        let met = preferences.iter().filter(|it| it.1.matches(&node.name, &node.labels));
        met.map(|it| it.0).sum::<i64>()
    };
    let weights: Vec<_> = takers.iter().map(weight).collect();
    let most = weights.iter().copied().max().unwrap_or(0);
    weights.iter().map(|it| if most == 0 { 0 } else { MOST * it / most }).collect()
}

/// InterPodAffinity: the weights of the pods near a node that the pod would rather be beside, less those it would rather
/// be apart from.
fn preferred_pods(state: &State<'_>, shape: ShapeId, takers: &[NodeId]) -> Vec<i64> {
    let terms = &state.cluster.of_shape[shape].soft_terms;
    if terms.is_empty() {
        return Vec::new();
    }
    let weight = |node: &NodeId| {
        let near =
            terms.iter().map(|(weight, it)| weight * i64::from(state.meant_near(*it, *node)));
        near.sum::<i64>()
    };
    let weights: Vec<_> = takers.iter().map(weight).collect();
    let (least, most) = bounds(&weights);
    weights
        .iter()
        .map(|it| if most == least { 0 } else { MOST * (it - least) / (most - least) })
        .collect()
}

/// PodTopologySpread: the fewer pods in the domain the better; domains count by the logarithm of their number.
fn spread(state: &State<'_>, shape: ShapeId, takers: &[NodeId]) -> Vec<i64> {
    let cluster = state.cluster;
    let constraints = &cluster.of_shape[shape].soft_constraints;
    if constraints.is_empty() {
        return Vec::new();
    }
    let weighted = constraints.iter().map(|at| {
        let it = &cluster.constraints[*at];
        (*at, (it.domains.len() as f64 + 2.0).ln(), (it.max_skew - 1) as f64)
    });
    let weighted: Vec<(usize, f64, f64)> = weighted.collect();
    let score = |node: &NodeId| {
        let each = weighted.iter().map(|(at, weight, skew)| {
            let near = f64::from(state.spread_near(*at, *node)?);
            Some(near * weight + skew)
        });
        // A node without the label is the last choice.
        each.sum::<Option<f64>>().map(|it| it.round() as i64)
    };
    let scores: Vec<Option<i64>> = takers.iter().map(score).collect();
    let known: Vec<i64> = scores.iter().flatten().copied().collect();
    let (least, most) = bounds(&known);
    let normal = |it: &Option<i64>| match it {
        None => 0,
        Some(_) if most == 0 => MOST,
        Some(it) => MOST * (most + least - it) / most,
    };
    scores.iter().map(normal).collect()
}

fn bounds(all: &[i64]) -> (i64, i64) {
    (all.iter().copied().min().unwrap_or(0), all.iter().copied().max().unwrap_or(0))
}
