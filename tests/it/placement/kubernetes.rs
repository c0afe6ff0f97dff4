//! Random small clusters with the answers of Kubernetes 1.37.2, made by `tests/oracle`: for each waiting pod and node the
//! filter plugins that refuse it, and whether all waiting pods can be placed.

use crate::support::{load_texts, root};
use flate2::read::GzDecoder;
use purlin::analyze::Facts;
use purlin::analyze::placement::node::ClusterNode;
use purlin::analyze::placement::place::{Fits, MOST_STATES, place};
use purlin::analyze::placement::search::{Found, search};
use purlin::analyze::placement::state::State;
use purlin::analyze::placement::world::{At, Reading, World, read};
use purlin::api::kind::Kind;
use purlin::model::Model;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// A cluster and what Kubernetes says of it.
#[derive(Deserialize)]
struct Answered {
    seed: u64,
    objects: Vec<Value>,
    /// By pod and node, the plugins that refuse it.
    refused: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    feasible: bool,
    complete: bool,
}

/// The clusters that are committed, or others that `tests/oracle/compare.sh` made.
fn answers() -> Vec<Answered> {
    let others = std::env::var_os("PURLIN_WORLDS").map(PathBuf::from);
    let path = others.unwrap_or_else(|| root().join("tests/oracle/worlds.jsonl.gz"));
    let file = File::open(path).unwrap();
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

fn with_world(answered: &Answered, then: impl FnOnce(&World)) {
    let text: String = answered.objects.iter().map(|it| format!("---\n{it}\n")).collect();
    let loaded = load_texts(&[("world.yaml", &text)]);
    let model = Model::new(&loaded, "default");
    let facts = Facts::new(&model);
    let nodes = model.of_kind(Kind::Node).map(ClusterNode::of_object).collect();
    let reading = Reading { at: At::Peak, is_whole: true };
    then(&read(&model, &facts, nodes, reading));
}

/// The pods that are there.
fn start(world: &World) -> State<'_> {
    let mut state = State::new(&world.cluster);
    for pod in &world.pods {
        if let Some(node) = pod.node {
            state.put(pod.shape, node);
        }
    }
    state
}

fn name(world: &World, at: usize) -> String {
    let pod = &world.pods[at];
    format!("{}/{}", world.cluster.shapes[pod.shape].namespace, pod.name)
}

#[test]
fn the_same_plugins_refuse_each_pod_on_each_node() {
    let mut pairs = 0;
    for answered in answers() {
        with_world(&answered, |world| {
            let state = start(world);
            for (pod, nodes) in &answered.refused {
                let at = (0..world.pods.len()).find(|it| name(world, *it) == *pod).unwrap();
                let asked = state.ask(world.pods[at].shape);
                for (node, refused) in nodes {
                    let at = world.cluster.nodes.iter().position(|it| it.name == *node).unwrap();
                    let mut own: Vec<_> =
                        asked.refusals(at).iter().map(|it| it.to_string()).collect();
                    own.sort();
                    assert_eq!(own, *refused, "world {}: {pod} on {node}", answered.seed);
                    assert_eq!(
                        asked.takes(at),
                        refused.is_empty(),
                        "world {}: {pod} on {node}",
                        answered.seed
                    );
                    pairs += 1;
                }
            }
        });
    }
    assert!(pairs > 0);
    println!("{pairs} pairs of pod and node");
}

#[test]
fn pods_can_be_placed_where_every_order_was_tried_and_no_further() {
    let (mut feasible, mut infeasible, mut unknown) = (0, 0, 0);
    for answered in answers().iter().filter(|it| it.complete) {
        with_world(answered, |world| {
            let state = start(world);
            let mut waiting = BTreeMap::new();
            for pod in world.pods.iter().filter(|it| it.node.is_none()) {
                *waiting.entry(pod.shape).or_insert(0) += 1;
            }
            let waiting: Vec<_> = waiting.into_iter().collect();
            let seed = answered.seed;
            match search(&state, &waiting, MOST_STATES) {
                Found::Way(steps) => {
                    assert!(answered.feasible, "world {seed}");
                    replay(state, &steps, seed);
                    write_steps(world, &steps, seed);
                    feasible += 1;
                }
                Found::None(_) => {
                    assert!(!answered.feasible, "world {seed}");
                    infeasible += 1;
                }
                Found::Bound(_) => unknown += 1,
            }
        });
    }
    assert!(feasible > 0 && infeasible > 0, "{feasible} and {infeasible}");
    println!("{feasible} feasible, {infeasible} infeasible, {unknown} unknown");
    // The bound is reached in fewer than one in a hundred.
    assert!(unknown * 100 < feasible + infeasible, "{unknown}");
}

/// Writes a way for Kubernetes to accept, where `tests/oracle/compare.sh` asks for it.
fn write_steps(world: &World, steps: &[(usize, usize)], seed: u64) {
    let Some(folder) = std::env::var_os("PURLIN_STEPS").map(PathBuf::from) else { return };
    let mut left: Vec<usize> =
        (0..world.pods.len()).filter(|it| world.pods[*it].node.is_none()).collect();
    let steps: Vec<Value> = steps
        .iter()
        .map(|(shape, node)| {
            let at = left.iter().position(|it| world.pods[*it].shape == *shape).unwrap();
            let pod = name(world, left.remove(at));
            serde_json::json!({"Pod": pod, "Node": world.cluster.nodes[*node].name})
        })
        .collect();
    std::fs::write(folder.join(format!("{seed}.yaml.steps")), Value::from(steps).to_string())
        .unwrap();
}

/// Every step of a way goes past the filters.
fn replay(mut state: State<'_>, steps: &[(usize, usize)], seed: u64) {
    for (shape, node) in steps {
        assert!(state.ask(*shape).takes(*node), "world {seed}: a step that a filter refuses");
        state.put(*shape, *node);
    }
}

/// What the scheduler's order and the short proofs say is what the search says.
#[test]
fn placing_as_the_scheduler_does_never_contradicts_the_search() {
    let (mut only_a_search, mut unknown, mut all) = (0, 0, 0);
    for answered in answers().iter().filter(|it| it.complete) {
        all += 1;
        with_world(answered, |world| match place(world).fits {
            Fits::All(by) => {
                assert!(answered.feasible, "world {}", answered.seed);
                only_a_search += usize::from(by == purlin::analyze::placement::place::By::Search);
            }
            Fits::NotAll => assert!(!answered.feasible, "world {}", answered.seed),
            Fits::Unknown => unknown += 1,
        });
    }
    println!(
        "the scheduler's order missed {only_a_search} ways of {all} worlds, {unknown} unknown"
    );
    assert!(unknown * 100 < all, "{unknown}");
}
