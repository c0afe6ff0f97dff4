//! The fewest nodes of each pool, with numbers worked out by hand.

use crate::cli::{folder, purlin};
use jsonschema::validator_for;
use serde_json::{Value, json};

fn deployment(name: &str, replicas: usize, cpu: &str, pod: &str) -> String {
    format!(
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\n\
         spec: {{replicas: {replicas}, selector: {{matchLabels: {{app: {name}}}}}, \
         template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{{pod} containers: [{{name: it, image: 'registry.example/it:1', \
         resources: {{requests: {{cpu: '{cpu}'}}}}}}]}}}}}}\n"
    )
}

fn sizes(objects: &str, nodes: &str) -> (Value, i32) {
    let written = folder(&[("all.yaml", objects), ("nodes.yaml", nodes)]);
    let args = ["simulate", "all.yaml", "--nodes", "nodes.yaml", "--size", "--format", "json"];
    let run = purlin(written.path(), &args);
    let value: Value =
        serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}{}", run.out, run.err));
    let schema =
        serde_json::from_str(&purlin(written.path(), &["schema", "simulate"]).out).unwrap();
    let valid = validator_for(&schema).unwrap();
    let wrong: Vec<_> = valid.iter_errors(&value).map(|it| it.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    (value["sizes"].clone(), run.status)
}

/// By what the nodes have to bear, how many each pool needs.
fn numbers(sizes: &Value) -> Vec<Option<Vec<u64>>> {
    let each = sizes.as_array().unwrap().iter().map(|it| {
        let pools = it["pools"].as_array()?;
        Some(pools.iter().map(|it| it["nodes"].as_u64().unwrap()).collect())
    });
    each.collect()
}

#[test]
fn ten_pods_of_one_cpu_need_three_nodes_of_four_and_one_more_to_lose() {
    // 4 + 4 + 2; of three zones any may be lost, and with it two of five nodes.
    let objects = deployment("api", 10, "1", "");
    let (found, status) = sizes(
        &objects,
        "nodes: {worker: {count: 1, allocatable: {cpu: 4, memory: 8Gi}, zones: [a, b, c]}}",
    );
    assert_eq!((numbers(&found), status), (vec![Some(vec![3]), Some(vec![4]), Some(vec![5])], 0));
    assert_eq!(found[0]["exact"], true);
}

#[test]
fn pods_that_keep_apart_need_a_node_more_than_there_are_of_them() {
    let apart = "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: redis}}}]}},";
    let objects = deployment("redis", 3, "100m", apart);
    let (found, _) = sizes(
        &objects,
        "nodes: {worker: {count: {min: 1, max: 2}, allocatable: {cpu: 4, memory: 8Gi}}}",
    );
    assert_eq!(numbers(&found), [Some(vec![3]), Some(vec![4]), None]);
    assert!(found[2]["proof"].as_str().unwrap().contains("fewer than two zones"));
}

#[test]
fn each_pool_is_as_small_as_its_own_pods_let_it_be() {
    let batch = deployment("batch", 5, "2", "nodeSelector: {pool: batch}, ");
    let objects = deployment("api", 4, "1", "nodeSelector: {pool: web}, ") + &batch;
    let nodes = "nodes:
  web: {count: 9, allocatable: {cpu: 2, memory: 8Gi}, labels: {pool: web}}
  batch: {count: 1, allocatable: {cpu: 4, memory: 8Gi}, labels: {pool: batch}}
  one: {allocatable: {cpu: 64, memory: 8Gi}, taints: ['keep:NoSchedule']}
";
    let (found, _) = sizes(&objects, nodes);
    assert_eq!(numbers(&found)[..2], [Some(vec![2, 3]), Some(vec![3, 4])]);
}

#[test]
fn a_pod_that_no_node_takes_needs_another_kind_of_node() {
    let objects = deployment("api", 1, "8", "");
    let (found, status) =
        sizes(&objects, "nodes: {worker: {count: 1, allocatable: {cpu: 4, memory: 8Gi}}}");
    assert_eq!((numbers(&found), status), (vec![None, None, None], 1));
    assert_eq!(found[0]["proof"], json!("none of 1 node admits a pod of Deployment/shop/api"));
}

#[test]
fn what_is_left_on_a_lost_node_is_no_matter_of_numbers() {
    let set = "---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: it, image: 'registry.example/it:1', resources: {requests: {cpu: 500m}}}]}
  volumeClaimTemplates:
    - {metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], storageClassName: local, resources: {requests: {storage: 1Gi}}}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: local}
provisioner: rancher.io/local-path
volumeBindingMode: WaitForFirstConsumer
";
    let (found, _) = sizes(set, "nodes: {worker: {count: 3, allocatable: {cpu: 4, memory: 8Gi}}}");
    assert_eq!(numbers(&found)[..2], [Some(vec![1]), Some(vec![1])]);
    assert_eq!(found[1]["bound"], json!(["StatefulSet/shop/db"]));
}

#[test]
fn only_pools_have_a_size() {
    let written = folder(&[
        ("all.yaml", &deployment("api", 1, "1", "")),
        ("nodes.yaml", "nodes: {one: {allocatable: {cpu: 4, memory: 8Gi}}}"),
    ]);
    let run = purlin(written.path(), &["simulate", "all.yaml", "--nodes", "nodes.yaml", "--size"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("no pool to size"), "{}", run.err);
}
