//! `purlin simulate` on the document of a hospital's cluster, whose numbers are worked out by hand, and on its own.

use crate::cli::{folder, purlin};
use crate::support::root;
use serde_json::Value;

const ONPREM: &str = "fixtures/systems/healthcare-onprem/as-documented";
const NODES: &str = "fixtures/placement/healthcare-onprem/nodes.yaml";

/// The scenarios of a run in the project's folder, and its exit status.
fn simulate(path: &str, args: &[&str]) -> (Value, i32) {
    let mut all = vec!["simulate", path, "--nodes", NODES, "--format", "json"];
    all.extend(args);
    let run = purlin(root(), &all);
    let value: Value =
        serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}{}", run.out, run.err));
    let schema: Value = serde_json::from_str(purlin::report::simulation::SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<_> = validator.iter_errors(&value).map(|it| it.to_string()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    (value["scenarios"].clone(), run.status)
}

fn component<'v>(scenario: &'v Value, name: &str) -> &'v Value {
    let components = scenario["components"].as_array().unwrap();
    components.iter().find(|it| it["object"]["name"] == name).unwrap()
}

/// Pods before, after and pending, and the state.
fn fate(scenario: &Value, name: &str) -> (u64, u64, u64, String) {
    let it = component(scenario, name);
    let count = |key: &str| it[key].as_u64().unwrap();
    (count("before"), count("after"), count("pending"), it["state"].as_str().unwrap().to_string())
}

#[test]
fn the_document_fits_at_its_floor_and_not_at_its_peak() {
    let (scenarios, status) = simulate(ONPREM, &[]);
    assert_eq!(status, 1);
    let [floor, peak] = scenarios.as_array().unwrap().as_slice() else { panic!("{scenarios}") };
    assert_eq!((&floor["verdict"], &floor["found"]), (&"holds".into(), &"scheduler".into()));
    assert_eq!((&peak["verdict"], &peak["found"]), (&"breaks".into(), &Value::Null));
    let proof = peak["proof"].as_str().unwrap();
    // 18 × 0.25 + 12 × 0.25 + 2 + 3 × 0.5 + 0.2 of 2.5 + 3.5 + 3.5.
    for part in [
        "18 × 0.25",
        "12 × 0.25",
        "1 × 2",
        "3 × 0.5",
        "1 × 0.2",
        "= 11.2, more than the 9.5 of 3 nodes",
        "18 × 0.5Gi",
        "= 21.25Gi, more than the 20Gi of 3 nodes",
        "23 of the 30 pods of api and worker fit",
        "api fits 11 of 18",
        "worker fits 5 of 12",
        "as-documented/api.yaml:",
    ] {
        assert!(proof.contains(part), "{part}: {proof}");
    }
}

#[test]
fn the_picture_does_not_fit_on_its_first_worker() {
    let picture = "fixtures/placement/healthcare-onprem/picture.yaml";
    let (scenarios, status) = simulate(picture, &["--at", "floor"]);
    assert_eq!((status, &scenarios[0]["verdict"]), (1, &"breaks".into()));
    let proof = scenarios[0]["proof"].as_str().unwrap();
    for part in [
        "= 4.2, more than the 3.5 of 1 node",
        "= 7.25Gi, more than the 7Gi of 1 node",
        // 3.5 − 2 − 0.5 − 0.2 leaves 0.8: three of 0.25.
        "api-and-worker fits 3 of 6",
    ] {
        assert!(proof.contains(part), "{part}: {proof}");
    }
}

#[test]
fn losing_the_first_worker_takes_the_database_down() {
    let (scenarios, status) = simulate(ONPREM, &["--fail", "node/k8s-worker-1", "--at", "floor"]);
    assert_eq!(status, 1);
    let scenario = &scenarios[0];
    assert_eq!(scenario["events"][0], "fail node/k8s-worker-1");
    assert_eq!(fate(scenario, "postgres"), (1, 0, 1, "down".into()));
    assert_eq!(fate(scenario, "redis"), (3, 2, 1, "degraded".into()));
    assert_eq!(fate(scenario, "api"), (3, 3, 0, "rescheduled".into()));
    assert_eq!(fate(scenario, "pgbouncer"), (1, 1, 0, "rescheduled".into()));
    assert_eq!(component(scenario, "redis")["guaranteed"], 2);
    assert_eq!(component(scenario, "postgres")["guaranteed"], 0);
    let why = component(scenario, "redis")["reason"].as_str().unwrap();
    assert_eq!(why, "2 nodes: required anti-affinity with redis; 1 node: lost");
    let why = component(scenario, "postgres")["reason"].as_str().unwrap();
    assert!(why.contains("volume of k8s-worker-1"), "{why}");
    // 50 s until the node is marked, and 300 s that pods tolerate.
    let why = component(scenario, "api")["reason"].as_str().unwrap();
    assert!(why.contains("5m50s"), "{why}");
}

/// What is said of how many pods fit at the peak without a node.
fn without(path: &str, node: &str) -> String {
    let (scenarios, _) = simulate(path, &["--at", "peak", "--fail", &format!("node/{node}")]);
    scenarios[0]["proof"].as_str().unwrap_or("all fit").to_string()
}

#[test]
fn at_the_peak_each_node_is_worth_a_number_of_pods() {
    // 8 + 11, the pooler beside them; 8 + 3 beside the database; 3 + 12.
    for (node, fit) in [("k8s-worker-1", 19), ("k8s-worker-2", 11), ("k8s-master", 15)] {
        let told = without(ONPREM, node);
        let expected = format!("placed anew, {fit} of the 30 pods of api and worker fit");
        assert!(told.contains(&expected), "{node}: {told}");
    }
}

#[test]
fn pods_that_fill_a_node_are_not_moved_for_others() {
    // Twelve of api and worker fill the second worker beside redis, so that the pooler has no place left.
    let (scenarios, _) = simulate(ONPREM, &["--at", "peak", "--fail", "node/k8s-worker-1"]);
    assert_eq!(fate(&scenarios[0], "api").1 + fate(&scenarios[0], "worker").1, 20);
    assert_eq!(fate(&scenarios[0], "pgbouncer"), (1, 0, 1, "down".into()));
}

#[test]
fn without_the_toleration_the_third_redis_stays_pending() {
    let variant = "fixtures/systems/healthcare-onprem/variants/without-toleration";
    let (scenarios, status) = simulate(variant, &["--at", "floor"]);
    assert_eq!(status, 1);
    assert_eq!(fate(&scenarios[0], "redis"), (2, 2, 1, "degraded".into()));
    let proof = scenarios[0]["proof"].as_str().unwrap();
    assert!(proof.contains("3 pods") && proof.contains("2 such places"), "{proof}");
}

#[test]
fn the_second_drain_is_refused_while_the_first_node_is_away() {
    let drains = ["--at", "floor", "--drain", "node/k8s-worker-2", "--drain", "node/k8s-master"];
    let (scenarios, status) = simulate(ONPREM, &drains);
    assert_eq!(status, 1);
    let refused = scenarios[0]["refused"].as_array().unwrap();
    let redis = refused.iter().find(|it| it["budget"]["name"] == "redis").unwrap();
    assert_eq!(redis["node"], "k8s-master");
    assert_eq!(redis["why"], "2 of 3 available, minAvailable 2 keeps 2");
}

#[test]
fn after_any_drain_the_next_is_refused_for_redis() {
    for (first, second) in [
        ("k8s-worker-2", "k8s-master"),
        ("k8s-master", "k8s-worker-2"),
        ("k8s-worker-2", "k8s-worker-1"),
        ("k8s-master", "k8s-worker-1"),
    ] {
        let drains = [format!("node/{first}"), format!("node/{second}")];
        let args = ["--at", "floor", "--drain", &drains[0], "--drain", &drains[1]];
        let (scenarios, status) = simulate(ONPREM, &args);
        assert_eq!(status, 1, "{first}, {second}");
        let why = component(&scenarios[0], "redis")["reason"].as_str().unwrap();
        assert!(why.contains("required anti-affinity with redis"), "{why}");
        let refused = scenarios[0]["refused"].as_array().unwrap();
        let of = |name: &str| refused.iter().find(|it| it["budget"]["name"] == name).cloned();
        let redis = of("redis").unwrap();
        assert_eq!(
            (&redis["node"], &redis["why"]),
            (&second.into(), &"2 of 3 available, minAvailable 2 keeps 2".into())
        );
        // The first worker holds the database as well, which its own budget never lets go.
        assert_eq!(of("postgres").is_some(), second == "k8s-worker-1", "{first}, {second}");
    }
}

#[test]
fn alone_each_drain_but_that_of_the_database_goes_through() {
    for (node, refused) in [("k8s-master", 0), ("k8s-worker-2", 0), ("k8s-worker-1", 1)] {
        let drain = format!("node/{node}");
        let (scenarios, _) = simulate(ONPREM, &["--at", "floor", "--drain", &drain]);
        assert_eq!(scenarios[0]["refused"].as_array().unwrap().len(), refused, "{node}");
        // redis' third member waits until the node returns.
        assert_eq!(fate(&scenarios[0], "redis"), (3, 2, 1, "degraded".into()), "{node}");
    }
}

#[test]
fn a_database_whose_budget_keeps_it_is_never_drained() {
    let (scenarios, status) = simulate(ONPREM, &["--at", "floor", "--drain-all"]);
    assert_eq!((status, &scenarios[0]["verdict"]), (1, &"breaks".into()));
    let refused = scenarios[0]["refused"].as_array().unwrap();
    assert!(refused.iter().all(|it| it["budget"]["name"] == "postgres"), "{refused:?}");
}

#[test]
fn the_repaired_system_holds_its_peak_the_loss_of_the_first_worker_apart() {
    let repaired = "fixtures/systems/healthcare-onprem/repaired";
    let (scenarios, status) = simulate(repaired, &["--at", "peak", "--rollout", "all"]);
    assert_eq!((status, &scenarios[0]["verdict"]), (0, &"holds".into()));
    let told = without(repaired, "k8s-worker-1");
    assert!(!told.contains("placed anew"), "all 18 fit: {told}");
    assert!(without(repaired, "k8s-worker-2").contains("placed anew, 10 of the 18 pods"));
    assert!(without(repaired, "k8s-master").contains("placed anew, 14 of the 18 pods"));
}

#[test]
fn without_nodes_it_cannot_tell() {
    let run = purlin(root(), &["simulate", ONPREM]);
    assert_eq!((run.status, run.out.as_str()), (3, ""));
    assert!(run.err.starts_with("error: cannot tell: there are no nodes"), "{}", run.err);
    assert_eq!(run.err.lines().count(), 1);
}

#[test]
fn nodes_of_the_input_are_all_only_where_somebody_says_so() {
    let node = "
apiVersion: v1
kind: Node
metadata: {name: one, labels: {kubernetes.io/hostname: one}}
status: {allocatable: {cpu: '1', memory: 1Gi, pods: '10'}}
---
apiVersion: v1
kind: Pod
metadata: {name: large, namespace: shop}
spec: {containers: [{name: it, image: 'registry.example/it:1', resources: {requests: {cpu: '2'}}}]}
";
    let policy = "apiVersion: purlin.dev/v1alpha1\nkind: Policy\ncomplete: ['*']\n";
    let some = folder(&[("all.yaml", node)]);
    assert_eq!(purlin(some.path(), &["simulate", "all.yaml"]).status, 3);
    let all = folder(&[("all.yaml", node), ("purlin.yaml", policy)]);
    let run = purlin(all.path(), &["simulate", "all.yaml"]);
    assert_eq!(run.status, 1, "{}", run.out);
    assert!(run.out.contains("none of 1 node admits a pod of Pod/shop/large"), "{}", run.out);
}

#[test]
fn names_that_nothing_has_are_refused() {
    for (option, value, told) in [
        (
            "--fail",
            "node/none",
            "there is no node `none`; there are k8s-master, k8s-worker-1, k8s-worker-2",
        ),
        ("--fail", "zone/none", "no node is in zone `none`"),
        ("--drain", "zone/none", "the value is node/NAME"),
        ("--rollout", "Deployment/none", "there is no workload `Deployment/none`"),
    ] {
        let run = purlin(root(), &["simulate", ONPREM, "--nodes", NODES, option, value]);
        assert_eq!(run.status, 2, "{}", run.out);
        assert!(run.err.contains(told), "{}", run.err);
    }
}

#[test]
fn the_picture_of_nodes_shows_them_before_and_after() {
    let draw = |format: &str| {
        let args =
            ["graph", ONPREM, "--fail", "node/k8s-worker-1", "--format", format, "--nodes", NODES];
        let run = purlin(root(), &args);
        assert_eq!((run.status, run.err.as_str()), (0, ""));
        run.out
    };
    let mermaid = draw("mermaid");
    for part in [
        "at the floor",
        "fail node/k8s-worker-1",
        "k8s-worker-1 (lost)",
        "cpu 2.95 of 3.5",
        "pending<br/>postgres ×1<br/>redis ×1",
    ] {
        assert!(mermaid.contains(part), "{part}: {mermaid}");
    }
    assert_eq!(mermaid.matches("k8s-worker-2").count(), 2, "{mermaid}");
    let svg = draw("svg");
    assert_eq!(svg.matches("<rect").count(), 6, "{svg}");
    assert!(draw("dot").contains("pending\\npostgres ×1"));
}

#[test]
fn a_check_with_nodes_finds_what_does_not_fit() {
    let run = purlin(
        root(),
        &[
            "check",
            ONPREM,
            "--nodes",
            NODES,
            "--only",
            "capacity-below-hpa-max,node-loss-stops-service",
            "--format",
            "json",
        ],
    );
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let rules: Vec<_> = findings.iter().map(|it| it["rule"].as_str().unwrap()).collect();
    assert_eq!(rules.iter().filter(|it| **it == "capacity-below-hpa-max").count(), 2, "{rules:?}");
    assert_eq!(rules.iter().filter(|it| **it == "node-loss-stops-service").count(), 1, "{rules:?}");
    let run = purlin(root(), &["check", ONPREM, "--only", "capacity-below-hpa-max"]);
    assert_eq!(run.status, 0, "without nodes it is silent: {}", run.out);
}

/// All memory would not be enough to place them.
#[test]
fn more_pods_than_any_cluster_holds_are_not_placed() {
    let nodes = "nodes:\n  worker: {count: 3, allocatable: {cpu: '1', memory: 1Gi}}\n";
    let pods = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 2147483647
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: 'registry.example/api:1', resources: {requests: {cpu: 10m}}}]}
";
    let why = "2147483647 pods are wanted, and no cluster holds more than 150000";
    let folder = folder(&[("all.yaml", pods), ("nodes.yaml", nodes)]);
    for command in ["simulate", "graph"] {
        let run = purlin(
            folder.path(),
            &[command, "all.yaml", "--nodes", "nodes.yaml", "--fail", "node/worker-1"],
        );
        assert_eq!((run.status, run.err.trim_end()), (2, &*format!("error: {why}")), "{run:?}");
    }
    let only = ["--only", "capacity-below-hpa-max,node-loss-stops-service"];
    let args = [&["check", "all.yaml", "--nodes", "nodes.yaml"], &only[..]].concat();
    let run = purlin(folder.path(), &args);
    assert!(run.out.contains(&format!("? {why}")) && run.status == 0, "{run:?}");
}
