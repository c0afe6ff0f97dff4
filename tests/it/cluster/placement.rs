//! Nodes of a real API server, which no kubelet has joined.

use super::{apply, findings, purlin, report};
use crate::apiserver::ApiServer;
use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

const OBJECTS: &str = "\
apiVersion: v1
kind: Node
metadata: {name: one, labels: {kubernetes.io/hostname: one}}
---
apiVersion: v1
kind: Node
metadata: {name: two, labels: {kubernetes.io/hostname: two}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: registry.example/api:1.4.2, resources: {requests: {cpu: '1'}}}]
---
apiVersion: v1
kind: Pod
metadata:
  name: api-5d4f-abcde
  namespace: shop
  labels: {app: api, pod-template-hash: 5d4f}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: api-5d4f, uid: 6f1c3f0e-0000-4000-8000-000000000000, controller: true}]
spec:
  nodeName: one
  containers: [{name: api, image: registry.example/api:1.4.2, resources: {requests: {cpu: '1'}}}]
---
apiVersion: v1
kind: Pod
metadata:
  name: api-5d4f-bcdef
  namespace: shop
  labels: {app: api, pod-template-hash: 5d4f}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: api-5d4f, uid: 6f1c3f0e-0000-4000-8000-000000000000, controller: true}]
spec:
  nodeName: one
  containers: [{name: api, image: registry.example/api:1.4.2, resources: {requests: {cpu: '1'}}}]
";

/// What a cluster at its floor says of the Deployment and the two nodes.
fn simulate(server: &ApiServer, events: &[&str]) -> (Value, Vec<u64>) {
    let args = [&["simulate", "--cluster", "--at", "floor", "--format", "json"], events].concat();
    let output = purlin(&server.kubeconfig(), &args);
    let said = String::from_utf8_lossy(&output.stderr);
    let value: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    let scenario = value["scenarios"][0].clone();
    let components = scenario["components"].as_array().unwrap();
    let api = components.iter().find(|it| it["object"]["name"] == "api").unwrap().clone();
    let count = |node: &Value| node["pods"]["Deployment/shop/api"].as_u64().unwrap_or(0);
    (api, scenario["nodes"].as_array().unwrap().iter().map(count).collect())
}

fn patch(server: &ApiServer, name: &str, status: &Value, spec: &Value) {
    let (runtime, client) = server.client();
    let nodes: Api<Node> = Api::all(client);
    let parameters = PatchParams::default();
    runtime.block_on(async {
        nodes.patch(name, &parameters, &Patch::Merge(json!({"spec": spec}))).await.unwrap();
        let status = Patch::Merge(json!({"status": status}));
        nodes.patch_status(name, &parameters, &status).await.unwrap();
    });
}

#[test]
fn pods_stand_where_they_are_and_a_new_node_is_not_held_against_them() {
    let Some(server) = ApiServer::start() else { return };
    apply(&server, OBJECTS);
    let has = json!({"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}, "capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"}});
    for name in ["one", "two"] {
        patch(&server, name, &has, &json!({}));
    }
    // The server has tainted the nodes when they were made. At this moment the third pod has no place.
    let (api, nodes) = simulate(&server, &[]);
    assert_eq!((&api["pending"], nodes), (&json!(1), vec![2, 0]));
    let why = api["reason"].as_str().unwrap();
    assert_eq!(why, "2 nodes: taint node.kubernetes.io/not-ready:NoSchedule");
    // A check says nothing of that.
    let rules = ["--only", "pod-fits-no-node,capacity-below-hpa-max"];
    assert!(findings(&report(&server.kubeconfig(), &rules)).is_empty());
    // Once the nodes are ready it goes to the empty one, and all to the other when the first is lost.
    for name in ["one", "two"] {
        patch(&server, name, &has, &json!({"taints": null}));
    }
    let (api, nodes) = simulate(&server, &[]);
    assert_eq!((&api["pending"], nodes), (&json!(0), vec![2, 1]));
    let (api, nodes) = simulate(&server, &["--fail", "node/one"]);
    assert_eq!(
        (&api["state"], &api["guaranteed"], nodes[1]),
        (&json!("rescheduled"), &json!(0), 3)
    );
}
