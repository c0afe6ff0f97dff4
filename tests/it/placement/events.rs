//! Events on small clusters: where pods really are, what budgets let go, what a rollout waits for.

use crate::cli::{folder, purlin};
use serde_json::Value;

const POLICY: &str = "apiVersion: purlin.dev/v1alpha1\nkind: Policy\ncomplete: ['*']\n";

pub(super) fn node(name: &str, cpu: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Node\nmetadata: {{name: {name}, labels: {{kubernetes.io/hostname: {name}}}}}\n\
         status: {{allocatable: {{cpu: '{cpu}', memory: 8Gi, pods: '110'}}}}\n"
    )
}

/// A Deployment whose pods request so much; `more` goes into its specification, `pod` into that of its pods.
pub(super) fn deployment(name: &str, replicas: usize, cpu: &str, more: &str, pod: &str) -> String {
    format!(
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\n\
         spec: {{replicas: {replicas}, {more} selector: {{matchLabels: {{app: {name}}}}}, \
         template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{{pod} containers: [{{name: it, image: 'registry.example/it:1', \
         resources: {{requests: {{cpu: '{cpu}'}}}}}}]}}}}}}\n"
    )
}

pub(super) fn budget(name: &str, demand: &str) -> String {
    format!(
        "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: {name}, namespace: shop}}\n\
         spec: {{{demand}, selector: {{matchLabels: {{app: {name}}}}}}}\n"
    )
}

/// A pod of a ReplicaSet of this Deployment, on a node.
fn pod_of(deployment: &str, number: usize, node: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {deployment}-abc-{number}, namespace: shop, labels: {{app: {deployment}}}, \
         ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: {deployment}-abc, controller: true, uid: u}}]}}\n\
         spec: {{nodeName: {node}, containers: [{{name: it, image: 'registry.example/it:1'}}]}}\nstatus: {{phase: Running}}\n"
    )
}

pub(super) fn simulate(objects: &[String], args: &[&str]) -> (Value, i32) {
    let written = folder(&[("all.yaml", &objects.concat()), ("purlin.yaml", POLICY)]);
    let mut all = vec!["simulate", "all.yaml", "--format", "json", "--at", "floor"];
    all.extend(args);
    let run = purlin(written.path(), &all);
    let value: Value =
        serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}{}", run.out, run.err));
    (value["scenarios"][0].clone(), run.status)
}

pub(super) fn on(scenario: &Value, node: &str) -> u64 {
    let nodes = scenario["nodes"].as_array().unwrap();
    let node = nodes.iter().find(|it| it["name"] == node).unwrap();
    node["pods"].as_object().unwrap().values().map(|it| it.as_u64().unwrap()).sum()
}

#[test]
fn pods_stand_where_they_really_are() {
    // The scheduler would have spread them; both are on the first node, and the third is still to come.
    let all = [
        node("one", "4"),
        node("two", "4"),
        deployment("api", 3, "1", "", ""),
        pod_of("api", 0, "one"),
        pod_of("api", 1, "one"),
    ];
    let (scenario, status) = simulate(&all, &[]);
    assert_eq!(status, 0);
    assert_eq!((on(&scenario, "one"), on(&scenario, "two")), (2, 1));
    let (scenario, _) = simulate(&all, &["--fail", "node/one"]);
    assert_eq!(scenario["components"][0]["guaranteed"], 0, "the third may be put there as well");
    assert_eq!(scenario["components"][0]["after"], 3);
}

#[test]
fn pods_are_evicted_one_after_the_other_as_their_replacements_run() {
    let all = [
        node("one", "4"),
        node("two", "4"),
        deployment("api", 2, "2", "", ""),
        budget("api", "minAvailable: 1"),
    ];
    let (scenario, status) = simulate(&all, &["--drain", "node/one"]);
    assert_eq!((status, on(&scenario, "one"), on(&scenario, "two")), (0, 0, 2));
    // Without room for the replacement the second has to stay.
    let all = [
        node("one", "4"),
        node("two", "1"),
        deployment("api", 2, "2", "", ""),
        budget("api", "minAvailable: 1"),
    ];
    let (scenario, status) = simulate(&all, &["--drain", "node/one"]);
    assert_eq!((status, on(&scenario, "one")), (1, 1));
    assert_eq!(scenario["refused"][0]["why"], "1 of 2 available, minAvailable 1 keeps 1");
}

#[test]
fn two_budgets_over_one_pod_refuse_every_eviction() {
    let second = budget("api", "maxUnavailable: 1").replace("{name: api,", "{name: second,");
    let all = [
        node("one", "4"),
        node("two", "4"),
        deployment("api", 2, "1", "", ""),
        budget("api", "minAvailable: 1"),
        second,
    ];
    let (scenario, status) = simulate(&all, &["--drain", "node/one"]);
    assert_eq!(status, 1);
    let why = scenario["refused"][0]["why"].as_str().unwrap();
    assert!(why.starts_with("2 budgets cover it"), "{why}");
}

#[test]
fn a_rollout_waits_for_a_place_beside_the_old_pods() {
    let apart = "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: api}}}]}},";
    let rolling = |surge: u32, unavailable: u32| {
        format!(
            "strategy: {{rollingUpdate: {{maxSurge: {surge}, maxUnavailable: {unavailable}}}}},"
        )
    };
    let all =
        |more: &str| [node("one", "4"), node("two", "4"), deployment("api", 2, "1", more, apart)];
    let (scenario, status) = simulate(&all(&rolling(1, 0)), &["--rollout", "Deployment/shop/api"]);
    assert_eq!((status, &scenario["verdict"]), (1, &"breaks".into()), "{scenario:#}");
    let (scenario, status) = simulate(&all(&rolling(0, 1)), &["--rollout", "Deployment/shop/api"]);
    assert_eq!((status, &scenario["verdict"]), (0, &"holds".into()), "{scenario:#}");
    let (_, status) = simulate(&all("strategy: {type: Recreate},"), &["--rollout", "all"]);
    assert_eq!(status, 0);
}

#[test]
fn nodes_that_do_not_say_what_they_have_leave_room_unknown() {
    let bare = "---\napiVersion: v1\nkind: Node\nmetadata: {name: one, labels: {kubernetes.io/hostname: one}}\n".to_string();
    let (scenario, status) = simulate(&[bare.clone(), deployment("api", 1, "1", "", "")], &[]);
    assert_eq!((status, &scenario["verdict"]), (3, &"unknown".into()));
    // That no node is chosen needs no resources to tell.
    let chosen = deployment("api", 1, "1", "", "nodeSelector: {disk: fast},");
    assert_eq!(simulate(&[bare, chosen], &[]).1, 1);
}

#[test]
fn every_node_is_drained_in_turn_where_pods_return_with_their_node() {
    let apart = "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: api}}}]}},";
    let all = [
        node("one", "4"),
        node("two", "4"),
        deployment("api", 2, "1", "", apart),
        budget("api", "maxUnavailable: 1"),
    ];
    let (scenario, status) = simulate(&all, &["--drain-all"]);
    assert_eq!((status, &scenario["verdict"]), (0, &"holds".into()), "{scenario:#}");
    // Two drains without a return: the second is refused.
    let (scenario, status) = simulate(&all, &["--drain", "node/one", "--drain", "node/two"]);
    assert_eq!(status, 1);
    assert_eq!(scenario["refused"].as_array().unwrap().len(), 1, "{scenario:#}");
}
