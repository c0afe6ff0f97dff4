//! `purlin reach --cluster` and `purlin graph --cluster`.

use super::{apply, purlin};
use crate::apiserver::ApiServer;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const SHOP: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: red}}
---
apiVersion: v1
kind: Namespace
metadata: {name: other}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: registry.example/web:1.4.2}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: registry.example/db:1.4.2, ports: [{name: sql, containerPort: 5432}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 5432, targetPort: sql}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: other}
spec:
  schedule: 0 3 * * *
  jobTemplate: {spec: {template: {metadata: {labels: {app: nightly}}, spec: {restartPolicy: Never, containers: [{name: c, image: registry.example/nightly:1.4.2}]}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: sql}]}]
";

/// What the nightly job needs, and the web does no more.
const CHANGE: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}}], ports: [{port: sql}]}]
";

/// A role that may list these, and a user of its name who has it.
fn role(name: &str, resources: &[(&str, &[&str])]) -> String {
    let rules: Vec<_> = resources
        .iter()
        .map(|(group, resources)| {
            json!({"apiGroups": [group], "resources": resources, "verbs": ["list"]})
        })
        .collect();
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": name}, "rules": rules,
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}],
    });
    format!("{role}\n---\n{binding}\n")
}

/// Exit status, what was printed, and what was said beside it.
fn run(kubeconfig: &Path, args: &[&str]) -> (i32, String, String) {
    let output = purlin(kubeconfig, args);
    let text = |it: Vec<u8>| String::from_utf8(it).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The flows of a table as pairs with their ports, in an order of their own: that of endpoints follows the input.
fn flows(text: &str) -> BTreeSet<String> {
    let table: Value = serde_json::from_str(text).unwrap();
    let list = |it: &Value| it.as_array().unwrap().clone();
    let pairs = list(&table["flows"]).into_iter().flat_map(|flow| {
        let to = list(&flow["to"]);
        let pairs = list(&flow["from"]).into_iter().flat_map(move |from| {
            let ports = flow["ports"].clone();
            to.clone().into_iter().map(move |to| format!("{from} {to} {ports}"))
        });
        pairs.collect::<Vec<_>>()
    });
    pairs.collect()
}

#[test]
fn flows_are_asked_of_a_cluster() {
    let Some(server) = ApiServer::start() else { return };
    apply(&server, SHOP);
    let admin = server.kubeconfig();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (shop, change) = (file("shop.yaml", SHOP), file("change.yaml", CHANGE));

    // The same as of the manifests that were applied, and the reason without lines.
    let (status, live, said) = run(&admin, &["reach", "--cluster", "--format", "json"]);
    assert_eq!((status, said.as_str()), (0, ""));
    let (_, disk, _) = run(&admin, &["reach", &shop, "--format", "json"]);
    assert_eq!(flows(&live), flows(&disk));
    assert!(flows(&live).iter().any(|it| it.contains("5432")), "{live}");
    let question = ["reach", "--cluster", "--from", "web", "--to", "Service/shop/db:5432"];
    let (status, text, _) = run(&admin, &question);
    assert!(status == 0 && text.ends_with("opens NetworkPolicy/shop/db\n"), "{status} {text}");

    // Manifests are laid over it, and a change is compared with it.
    let over = [&question[..2], &[&change], &question[2..]].concat();
    assert_eq!(run(&admin, &over).0, 1);
    let (status, text, _) = run(&admin, &["reach", "--cluster", "--change", &change]);
    let expected = "\
opened
  CronJob/other/nightly
    -> StatefulSet/shop/db
       5432/TCP

closed
  Deployment/shop/web
    -> StatefulSet/shop/db
       5432/TCP
";
    assert_eq!((status, text.as_str()), (1, expected));

    // Namespaces narrow what is read.
    let (_, text, _) = run(&admin, &["reach", "--cluster", "-n", "shop", "--format", "json"]);
    assert!(!text.contains("nightly") && text.contains("StatefulSet/shop/db"), "{text}");

    let (status, picture, said) = run(&admin, &["graph", "--cluster", "--format", "mermaid"]);
    assert_eq!((status, said.as_str()), (0, ""));
    let (_, disk, _) = run(&admin, &["graph", &shop, "--format", "mermaid"]);
    assert_eq!(labels(&picture), labels(&disk));
    assert!(labels(&picture).contains("5432"), "{picture}");

    without_policies(&server);
    without_workloads(&server);
}

/// The groups of custom kinds that the cluster of the tests serves.
const CUSTOM: [&str; 8] = [
    "argoproj.io",
    "autoscaling.k8s.io",
    "bitnami.com",
    "cert-manager.io",
    "external-secrets.io",
    "gateway.networking.k8s.io",
    "keda.sh",
    "monitoring.coreos.com",
];

/// Everything but some kinds of objects, as groups and resources.
fn all_but(without: &str) -> Vec<(&'static str, Vec<&'static str>)> {
    let all = [
        ("", vec!["namespaces", "nodes", "pods", "replicationcontrollers", "services"]),
        ("apps", vec!["daemonsets", "deployments", "replicasets", "statefulsets"]),
        ("autoscaling", vec!["horizontalpodautoscalers"]),
        ("batch", vec!["cronjobs", "jobs"]),
        ("networking.k8s.io", vec!["networkpolicies"]),
    ];
    let mut all = Vec::from(all);
    // Policies of kinds that purlin has no name for may say more, so every custom kind is read.
    all.extend(CUSTOM.map(|group| (group, vec!["*"])));
    all.iter_mut().for_each(|it| it.1.retain(|it| *it != without));
    all.retain(|it| !it.1.is_empty());
    all
}

fn role_without(server: &ApiServer, name: &str, without: &str) -> std::path::PathBuf {
    let rules = all_but(without);
    let rules: Vec<_> = rules.iter().map(|(group, it)| (*group, it.as_slice())).collect();
    apply(server, &role(name, &rules));
    server.kubeconfig_of(name)
}

/// What policies may say that nobody may see is undefined, and it is said which kind of them.
fn without_policies(server: &ApiServer) {
    // What is listed above is all that is read.
    let all = role_without(server, "reader", "");
    let (status, _, said) = run(&all, &["reach", "--cluster", "--from", "web", "--to", "db:5432"]);
    assert_eq!((status, said.as_str()), (0, ""));

    let user = role_without(server, "blind", "networkpolicies");
    for to in ["db:5432", "db:80"] {
        let (status, text, said) = run(&user, &["reach", "--cluster", "--from", "web", "--to", to]);
        let reason = "undefined: the cluster does not let every kind of network policy be listed";
        assert!(status == 3 && text.contains(reason), "{status} {text}");
        assert!(said.contains("`networking.k8s.io/networkpolicies`"), "{said}");
    }
    let (_, text, _) = run(&user, &["reach", "--cluster", "--format", "json"]);
    assert!(!text.contains("\"allow\"") && text.contains("Deployment/shop/web"), "{text}");
    // Of no pod it is said that nothing stands in its way.
    let picture = |kubeconfig: &Path| {
        let (status, text, _) = run(kubeconfig, &["graph", "--cluster", "--format", "dot"]);
        assert_eq!(status, 0, "{text}");
        text
    };
    assert_ne!(picture(&user), picture(&all));
}

fn without_workloads(server: &ApiServer) {
    let user = role_without(server, "short", "deployments");
    let (status, text, said) =
        run(&user, &["reach", "--cluster", "--from", "web", "--to", "db:5432"]);
    // Whoever `web` names is not known, so the answer is about pods of that label, and says so.
    assert!(status == 0 && text.contains("`shop/app=web` is not in the input"), "{status} {text}");
    assert!(said.contains("cannot tell what `list` on `apps/deployments` would show: "), "{said}");
}

/// What is written on the boxes and arrows of a picture: their order follows the input.
fn labels(picture: &str) -> BTreeSet<&str> {
    let body = picture.lines().filter(|it| !it.contains("accTitle"));
    body.filter_map(|it| it.split('"').nth(1)).collect()
}
