//! `purlin init --cluster`: what it writes of a cluster is what a check of that cluster finds.

use super::apply;
use crate::apiserver::ApiServer;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const SHOP: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: all, namespace: shop}
spec: {hard: {requests.cpu: \"4\"}}
---
apiVersion: v1
kind: Node
metadata: {name: worker-1, labels: {topology.kubernetes.io/zone: a}}
status: {capacity: {cpu: \"4\", memory: 8Gi, pods: \"110\"}, allocatable: {cpu: \"4\", memory: 8Gi, pods: \"110\"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: registry.example/api:1.4.2, ports: [{containerPort: 8080}], resources: {requests: {cpu: 100m}}}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api, namespace: shop}
spec: {minAvailable: 2, selector: {matchLabels: {app: api}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
";

fn run(folder: &Path, kubeconfig: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purlin"));
    command.args(args).current_dir(folder).env_clear().env("KUBECONFIG", kubeconfig);
    command.stdin(Stdio::null()).output().unwrap()
}

#[test]
fn a_cluster_is_as_it_was_written_down() {
    let Some(api) = ApiServer::start() else { return };
    apply(&api, SHOP);
    let folder = tempfile::tempdir().unwrap();
    let config = api.kubeconfig();
    let init =
        |args: &[&str]| run(folder.path(), &config, &[&["init", "--cluster"], args].concat());
    let told = |it: &Output| {
        let said = String::from_utf8_lossy(&it.stderr).into_owned();
        (it.status.code(), String::from_utf8_lossy(&it.stdout).into_owned(), said)
    };
    let first = init(&["--name", "shop"]);
    assert!(first.status.success(), "{:?}", told(&first));
    let path = folder.path().join("architecture.yaml");
    let text = fs::read_to_string(&path).unwrap();
    for part in ["  nodes:\n    worker-1:", "    replicas: 3\n", "zone: a", "requests.cpu: 4"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let by = ["--only", "architecture,flow-missing,flow-undeclared", "--fail-on", "warning"];
    let check = run(folder.path(), &config, &[&["check", "--cluster"], &by[..]].concat());
    assert!(check.status.success(), "{:?}\n{text}", told(&check));
    let again = init(&[]);
    let (code, out, _) = told(&again);
    assert_eq!((code, out.as_str()), (Some(0), ""), "{text}");

    // What changes is said, and changed where that is asked for.
    apply(
        &api,
        &SHOP[SHOP.find("apiVersion: apps").unwrap()..].replace("replicas: 3", "replicas: 4"),
    );
    let (code, out, said) = told(&init(&[]));
    assert_eq!((code, out.as_str()), (Some(1), "~ components.api.replicas: 3 -> 4\n"), "{said}");
    assert!(init(&["--update"]).status.success());
    let changed = fs::read_to_string(&path).unwrap();
    assert_eq!(changed, text.replace("replicas: 3", "replicas: 4"));

    // The picture of the cluster shows what the document has besides, and of what it says nothing.
    let own = "components:\n  web: {workload: Deployment/shop/web, replicas: 2, ports: [80]}\n";
    let document = changed.replace("components:\n", &format!("complete: true\n{own}"));
    let other = document.replace("Deployment/shop/api", "Deployment/shop/app");
    for (text, mark) in [(&document, "web<br/>promised, not there"), (&other, "stroke:#c2570c")] {
        fs::write(folder.path().join("other.yaml"), text).unwrap();
        let args = ["graph", "--cluster", "--architecture", "other.yaml", "--format", "mermaid"];
        let graph = run(folder.path(), &config, &args);
        let (code, out, said) = told(&graph);
        assert_eq!(code, Some(0), "{said}");
        assert!(out.contains(mark), "{mark}\n{out}\n{said}");
    }
}
