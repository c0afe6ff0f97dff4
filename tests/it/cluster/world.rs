//! What a cluster adds to the objects that somebody wrote: pods of workloads, old ReplicaSets, its own objects.

use super::{apply, findings, purlin, report, unknown};
use crate::apiserver::ApiServer;
use std::fs;

const SHOP: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: registry.example/api:1.4.2, resources: {requests: {cpu: 100m}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api, namespace: shop}
spec:
  minAvailable: 2
  selector: {matchLabels: {app: api}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: shop, namespace: shop}
spec: {hard: {requests.cpu: 250m}}
";

/// What the controllers make of the Deployment; the quota would count it twice if it counted.
const MADE: &str = "\
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: api-5d4f
  namespace: shop
  labels: {app: api, pod-template-hash: 5d4f}
  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: api, uid: OWNER, controller: true}]
spec:
  replicas: 2
  selector: {matchLabels: {app: api, pod-template-hash: 5d4f}}
  template:
    metadata: {labels: {app: api, pod-template-hash: 5d4f}}
    spec:
      containers: [{name: api, image: registry.example/api:1.4.2, resources: {requests: {cpu: 100m}}}]
---
apiVersion: v1
kind: Pod
metadata:
  name: api-5d4f-abcde
  namespace: shop
  labels: {app: api, pod-template-hash: 5d4f}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: api-5d4f, uid: OWNER, controller: true}]
spec:
  nodeName: one
  containers: [{name: api, image: registry.example/api:1.4.2, resources: {requests: {cpu: 100m}}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-root-ca.crt, namespace: shop}
data: {ca.crt: it}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: shop}
---
apiVersion: v1
kind: Secret
metadata: {name: sh.helm.release.v1.api.v1, namespace: shop, labels: {owner: helm}}
type: helm.sh/release.v1
data: {release: YQ==}
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: api, namespace: shop}
";

#[test]
fn what_a_cluster_makes_itself_changes_nothing() {
    let Some(server) = ApiServer::start() else { return };
    let kubeconfig = server.kubeconfig();
    let empty = report(&kubeconfig, &[]);
    assert_eq!(findings(&empty), [""; 0]);
    assert_eq!(unknown(&empty), [""; 0]);

    apply(&server, SHOP);
    let before = report(&kubeconfig, &[]);
    let found = findings(&before);
    assert!(found.iter().any(|it| it.starts_with("pdb-blocks-drain: ")), "{found:?}");
    apply(&server, &MADE.replace("OWNER", "6f1c3f0e-0000-4000-8000-000000000000"));
    let after = report(&kubeconfig, &[]);
    assert_eq!(findings(&after), found);
    assert_eq!(unknown(&after), unknown(&before));

    manifests_are_laid_over_it(&server);
    namespaces_bound_what_is_read(&server);
}

fn manifests_are_laid_over_it(server: &ApiServer) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.yaml");
    let budget = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: api}\n\
                  spec: {minAvailable: 1, selector: {matchLabels: {app: api}}}\n";
    fs::write(&path, budget).unwrap();
    let path = path.to_str().unwrap();
    let mended = report(&server.kubeconfig(), &["-n", "shop", path]);
    let found = findings(&mended);
    let about = ["pdb-blocks-drain", "duplicate-object"];
    assert!(!found.iter().any(|it| about.iter().any(|about| it.starts_with(about))), "{found:?}");

    // What the manifest breaks is shown there, and what the cluster holds by its name.
    fs::write(path, budget.replace("minAvailable: 1", "minAvailable: 3")).unwrap();
    let args = ["--only", "pdb-blocks-drain", "-n", "shop", path];
    let broken = report(&server.kubeconfig(), &args);
    let labels = broken["findings"][0]["labels"].as_array().unwrap();
    assert!(labels.iter().any(|it| it["file"] == path && it["line"] == 4), "{labels:?}");
    let live = labels.iter().find(|it| it["object"]["kind"] == "Deployment").unwrap();
    assert!(live.get("file").is_none() && live.get("line").is_none(), "{labels:?}");
    let output = purlin(&server.kubeconfig(), &[&["check", "--cluster"], &args[..]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("  live: `spec.replicas: 2` of `Deployment/shop/api`"), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

/// More than two pages of one kind.
#[test]
fn long_lists_are_read_to_their_end() {
    let Some(server) = ApiServer::start() else { return };
    let objects = |report: &serde_json::Value| report["summary"]["objects"].as_u64().unwrap();
    let before = objects(&report(&server.kubeconfig(), &["-n", "default"]));
    let each = (0..1100).map(|it| {
        format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: page-{it}, namespace: default}}\n")
    });
    apply(&server, &each.collect::<String>());
    assert_eq!(objects(&report(&server.kubeconfig(), &["-n", "default"])), before + 1100);
}

fn namespaces_bound_what_is_read(server: &ApiServer) {
    let part = report(&server.kubeconfig(), &["-n", "default", "-n", "kube-system"]);
    assert_eq!(findings(&part), [""; 0]);
    let both = report(&server.kubeconfig(), &["-n", "default", "-n", "shop"]);
    assert!(!findings(&both).is_empty());
}
