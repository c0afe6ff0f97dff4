//! Rollouts judged where all nodes are known.

use crate::cli::{folder, purlin};
use serde_json::Value;

/// Two nodes of 2 CPU and a Deployment of as many pods of one CPU, more of it, and what is said of its rollout.
fn check(pods: usize, strategy: &str, more: &str) -> (Vec<String>, Vec<String>) {
    let objects = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api, namespace: shop}}\n\
         spec: {{replicas: {pods}, {strategy} selector: {{matchLabels: {{app: api}}}}, \
         template: {{metadata: {{labels: {{app: api}}}}, spec: {{containers: [{{name: it, image: 'registry.example/it:1.0.0', \
         resources: {{requests: {{cpu: '1'}}}}}}]}}}}}}\n{more}"
    );
    let nodes = "nodes: {node: {count: 2, allocatable: {cpu: 2, memory: 8Gi}}}";
    let written = folder(&[("all.yaml", &objects), ("nodes.yaml", nodes)]);
    let args = [
        "check",
        "all.yaml",
        "--nodes",
        "nodes.yaml",
        "--only",
        "rollout-deadlock",
        "--format",
        "json",
    ];
    let run = purlin(written.path(), &args);
    let report: Value =
        serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}{}", run.out, run.err));
    let texts = |list: &str, key: &str| {
        let all = report[list].as_array().unwrap().iter();
        all.map(|it| it[key].as_str().unwrap().to_string()).collect()
    };
    (texts("findings", "message"), texts("unknown", "missing"))
}

const SURGE: &str = "strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}},";

#[test]
fn a_full_cluster_has_no_place_for_the_first_new_pod() {
    let (found, unknown) = check(4, SURGE, "");
    assert_eq!(
        found,
        [
            "a rollout of `Deployment/shop/api` waits for a place that its own 4 old pods leave none of on 2 nodes"
        ]
    );
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn one_free_place_or_an_old_pod_that_goes_first_is_enough() {
    assert_eq!(check(3, SURGE, "").0, [""; 0]);
    let first = "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}},";
    assert_eq!(check(4, first, "").0, [""; 0]);
    assert_eq!(check(4, "strategy: {type: Recreate},", "").0, [""; 0]);
    // 25 % of four pods is one.
    assert_eq!(check(4, "", "").0, [""; 0]);
}

#[test]
fn what_does_not_even_fit_is_no_matter_of_a_rollout() {
    assert_eq!(check(5, SURGE, ""), (Vec::new(), Vec::new()));
}

#[test]
fn at_its_most_an_autoscaled_workload_fills_the_nodes() {
    let scaler = "---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: shop}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}, minReplicas: 1, maxReplicas: 4}
";
    let (found, _) = check(1, SURGE, scaler);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("its own 4 old pods"), "{}", found[0]);
}
