//! Placing pods on nodes, against loading the documents that say so: `cargo bench --bench nodes`.
//!
//! 1,000 nodes and 10,000 pods in 200 shapes, once as Nodes and Pods with their nodes, once as Nodes and 200 workloads;
//! then the check of 10,000 documents with 100 nodes and without. Ratios within one run are what counts; seconds are the
//! machine's. Memory is the high-water mark of a process of its own, which only Linux tells.

mod corpus;
#[allow(dead_code, reason = "the other benches use the rest")]
mod measure;

use measure::{high_water, median, peak, time};
use purlin::analyze::Facts;
use purlin::analyze::placement::losses::every_node;
use purlin::analyze::placement::node::ClusterNode;
use purlin::analyze::placement::place::{Fits, place};
use purlin::analyze::placement::planned::Described;
use purlin::analyze::placement::scenario::{Event, run};
use purlin::analyze::placement::world::{At, Reading, World, read};
use purlin::api::kind::Kind;
use purlin::check::{Selection, check};
use purlin::load::load;
use purlin::load::load_texts;
use purlin::model::Model;
use purlin::policy::Policy;
use purlin::report::json;
use purlin::run::Run;
use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{env, io};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const NODES: usize = 1_000;
const PODS_OF_EACH: usize = 50;
const SHAPES: usize = 200;
const ROUNDS: usize = 7;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    if let [task, size] = arguments.as_slice()
        && task == "memory"
    {
        let nodes: usize = size.parse().map_err(io::Error::other)?;
        let texts = workloads(nodes);
        sweep(&texts);
        println!("{}", high_water().unwrap_or(0));
        return Ok(());
    }
    println!(
        "{:<10} {:>9} {:>18} {:>18} {:>18} {:>18}",
        "", "load", "read", "place", "one failure", "every node's loss"
    );
    let all = pods();
    measure("pods", &all, &all);
    measure("workloads", &all, &workloads(NODES));
    for nodes in [NODES / 2, NODES, 2 * NODES] {
        let bytes =
            peak(nodes.to_string())?.map_or("-".into(), |it| format!("{:.1} MB", it as f64 / 1e6));
        println!("memory of {nodes} nodes and {} pods: {bytes}", 10 * nodes);
    }
    check_with_nodes(10_000, 100)
}

/// Texts by name.
type Texts = Vec<(String, Arc<str>)>;

/// Each step on `texts`, against the loading of `all`.
fn measure(name: &str, all: &Texts, texts: &Texts) {
    let mut times = [const { Vec::new() }; 5];
    for _ in 0..ROUNDS {
        times[0].push(time(|| load_texts(all.clone())));
        let loaded = load_texts(texts.clone());
        let model = Model::new(&loaded, "default");
        let facts = Facts::new(&model);
        facts.workloads();
        times[1].push(time(|| world(&model, &facts)));
        let world = world(&model, &facts);
        times[2].push(time(|| place(&world)));
        let events = [Event::FailNode(0)];
        times[3].push(time(|| run(&world, (&model, &facts), At::Floor, &events)));
        let placed = place(&world);
        assert!(matches!(placed.fits, Fits::All(_)), "the pods fit");
        times[4].push(time(|| every_node(&world, &placed.nodes)));
    }
    let [load, read, place, fail, sweep] = times.map(median);
    let ratio = |it: Duration| format!("{:.1?} {:.2}×", it, it.as_secs_f64() / load.as_secs_f64());
    println!(
        "{name:<10} {:>9} {:>18} {:>18} {:>18} {:>18}",
        format!("{load:.1?}"),
        ratio(read),
        ratio(place),
        ratio(fail),
        ratio(sweep),
    );
}

fn world<'d>(model: &Model<'d>, facts: &Facts<'d>) -> World {
    let nodes = model.of_kind(Kind::Node).map(ClusterNode::of_object).collect();
    read(model, facts, nodes, Reading { at: At::Floor, is_whole: true })
}

fn sweep(texts: &Texts) {
    let loaded = load_texts(texts.clone());
    let model = Model::new(&loaded, "default");
    let facts = Facts::new(&model);
    let world = world(&model, &facts);
    black_box(every_node(&world, &place(&world).nodes));
}

/// The whole check, with nodes and without.
fn check_with_nodes(documents: usize, count: usize) -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    corpus::write(folder.path(), documents)?;
    let node = |number: usize| {
        let text = node(number, 64_000, 256);
        let loaded = load_texts(vec![("node.yaml".to_string(), Arc::from(text))]);
        let model = Model::new(&loaded, "default");
        model.of_kind(Kind::Node).map(ClusterNode::of_object).next()
    };
    let nodes: Vec<ClusterNode> = (0..count).filter_map(node).collect();
    let described = Described { floor: nodes.clone(), peak: nodes };
    let with = Run { nodes: Some(Arc::new(described)), ..Run::default() };
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        times[0].push(time(|| check_all(folder.path(), &Run::default())));
        times[1].push(time(|| check_all(folder.path(), &with)));
    }
    let [without, with] = times.map(median);
    println!(
        "check of {documents} documents: {without:.1?}, with {count} nodes {with:.1?}, {:.2}×",
        with.as_secs_f64() / without.as_secs_f64()
    );
    Ok(())
}

fn check_all(folder: &Path, run: &Run) -> usize {
    let loaded = load(&[folder.to_path_buf()]);
    let model = Model::new(&loaded, "default");
    let outcome = check(&model, &Policy::default(), run, &Selection::default());
    json::render(&model, &outcome).len()
}

/// Nodes and pods that stand on them.
fn pods() -> Texts {
    let mut out = nodes(NODES);
    for number in 0..SHAPES * PODS_OF_EACH {
        // Pods of one workload stand far apart.
        let (shape, node) = (number / PODS_OF_EACH, number * 7 % NODES);
        let pod = spec(shape, 2);
        write!(
            out,
            "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: app-{shape}-5d4-{number}\n  namespace: team-{}\n  labels:\n    app: app-{shape}\n    pod-template-hash: 5d4\n  ownerReferences:\n    - apiVersion: apps/v1\n      kind: ReplicaSet\n      name: app-{shape}-5d4\n      uid: u-{shape}\n      controller: true\nspec:\n  nodeName: node-{node}\n  {}\nstatus:\n  phase: Running\n",
            shape % 20,
            pod.trim_start(),
        )
        .ok();
    }
    vec![("all.yaml".into(), Arc::from(out))]
}

/// Nodes and workloads whose pods are still to be placed: ten a node.
fn workloads(count: usize) -> Texts {
    let mut out = nodes(count);
    for shape in 0..SHAPES {
        let replicas = count * 10 / SHAPES;
        write!(
            out,
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{shape}\n  namespace: team-{}\nspec:\n  replicas: {replicas}\n  selector:\n    matchLabels:\n      app: app-{shape}\n  template:\n    metadata:\n      labels:\n        app: app-{shape}\n    spec:\n{}\n",
            shape % 20,
            spec(shape, 6),
        )
        .ok();
    }
    vec![("all.yaml".into(), Arc::from(out))]
}

fn nodes(count: usize) -> String {
    (0..count).map(|it| node(it, 16_000, 64)).collect()
}

fn node(number: usize, cpu: usize, memory: usize) -> String {
    let zone = ["a", "b", "c"][number % 3];
    let pool = ["general", "compute"][usize::from(number.is_multiple_of(5))];
    format!(
        "---\napiVersion: v1\nkind: Node\nmetadata:\n  name: node-{number}\n  labels:\n    kubernetes.io/hostname: node-{number}\n    topology.kubernetes.io/zone: zone-{zone}\n    pool: {pool}\nstatus:\n  allocatable:\n    cpu: {cpu}m\n    memory: {memory}Gi\n    pods: '110'\n"
    )
}

/// Of 200 shapes a quarter keep apart, a quarter are spread over zones, and one in ten choose a pool.
fn spec(shape: usize, indent: usize) -> String {
    let mut lines = Vec::new();
    let app = format!("{{matchLabels: {{app: app-{shape}}}}}");
    match shape % 4 {
        0 => lines.push(format!("affinity: {{podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: kubernetes.io/hostname, labelSelector: {app}}}]}}}}")),
        1 => lines.push(format!("topologySpreadConstraints: [{{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {app}}}]")),
        2 => lines.push(format!("affinity: {{podAntiAffinity: {{preferredDuringSchedulingIgnoredDuringExecution: [{{weight: 100, podAffinityTerm: {{topologyKey: kubernetes.io/hostname, labelSelector: {app}}}}}]}}}}")),
        _ => {}
    }
    if shape % 10 == 3 {
        lines.push("nodeSelector: {pool: general}".into());
    }
    let (cpu, memory) = (100 + shape % 7 * 150, 128 << (shape % 5));
    lines.push("containers:".into());
    lines.push("  - name: app".into());
    lines.push(format!("    image: registry.example/app-{shape}:1.2.3"));
    lines.push(format!("    resources: {{requests: {{cpu: {cpu}m, memory: {memory}Mi}}, limits: {{memory: {memory}Mi}}}}"));
    let margin = " ".repeat(indent);
    lines.iter().map(|it| format!("{margin}{it}\n")).collect()
}
