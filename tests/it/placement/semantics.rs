//! SEMANTICS, sections 3 to 5 and 8: what becomes of pods, row by row. The filters themselves are held to Kubernetes' own.

use super::events::{deployment, node, on, simulate};
use serde_json::Value;

fn spread(key: &str, more: &str) -> String {
    format!(
        "topologySpreadConstraints: [{{maxSkew: 1, topologyKey: {key}, whenUnsatisfiable: DoNotSchedule, {more} labelSelector: {{matchLabels: {{app: api}}}}}}],"
    )
}

fn zoned(name: &str, zone: &str) -> String {
    node(name, "8")
        .replace("labels: {", &format!("labels: {{topology.kubernetes.io/zone: {zone}, "))
}

fn of<'v>(scenario: &'v Value, name: &str) -> &'v Value {
    let components = scenario["components"].as_array().unwrap();
    components.iter().find(|it| it["object"]["name"] == name).unwrap()
}

fn pending(scenario: &Value) -> u64 {
    of(scenario, "api")["pending"].as_u64().unwrap()
}

#[test]
fn a_lost_zone_is_still_a_domain_unless_taints_are_honoured() {
    for (policy, expected) in [("", 2), ("nodeTaintsPolicy: Honor,", 0)] {
        let pod = spread("topology.kubernetes.io/zone", policy);
        let all = [
            zoned("a", "a"),
            zoned("b", "b"),
            zoned("c", "c"),
            deployment("api", 6, "1", "", &pod),
        ];
        let (scenario, _) = simulate(&all, &["--fail", "zone/c"]);
        assert_eq!(pending(&scenario), expected, "{policy}");
    }
}

#[test]
fn a_drained_node_is_still_a_domain_unless_taints_are_honoured() {
    for (policy, expected) in [("", 1), ("nodeTaintsPolicy: Honor,", 0)] {
        let pod = spread("kubernetes.io/hostname", policy);
        let all = [node("one", "8"), node("two", "8"), deployment("api", 2, "1", "", &pod)];
        let (scenario, _) = simulate(&all, &["--drain", "node/one"]);
        assert_eq!(pending(&scenario), expected, "{policy}");
    }
}

#[test]
fn fewer_domains_than_asked_for_hold_one_pod_each() {
    for (policy, expected) in [("", 0), ("minDomains: 3,", 2)] {
        let pod = spread("kubernetes.io/hostname", policy);
        let all = [node("one", "8"), node("two", "8"), deployment("api", 4, "1", "", &pod)];
        let (scenario, _) = simulate(&all, &[]);
        assert_eq!(pending(&scenario), expected, "{policy}");
    }
}

#[test]
fn a_node_without_the_key_takes_no_pod_that_is_spread_by_it() {
    let pod = spread("topology.kubernetes.io/zone", "");
    let all = [zoned("a", "a"), node("none", "64"), deployment("api", 3, "1", "", &pod)];
    let (scenario, _) = simulate(&all, &[]);
    assert_eq!((pending(&scenario), on(&scenario, "none")), (0, 0));
}

#[test]
fn a_node_that_states_no_number_of_pods_takes_none() {
    let all = [node("one", "8").replace(", pods: '110'", ""), deployment("api", 1, "1", "", "")];
    let (scenario, status) = simulate(&all, &[]);
    assert_eq!((pending(&scenario), status), (1, 1));
    assert_eq!(of(&scenario, "api")["reason"], "1 node: no room for one more pod");
}

/// Section 2: limits are not asked, pods are counted, and of what a pod does not request there is always enough.
#[test]
fn the_scheduler_asks_for_requests_and_counts_pods() {
    let limited = deployment("api", 2, "1", "", "").replace(
        "requests: {cpu: '1'",
        "limits: {cpu: 64, memory: 64Ti}, requests: {memory: 0, cpu: '1'",
    );
    assert!(limited.contains("limits"), "{limited}");
    let (scenario, _) = simulate(&[node("one", "2"), limited], &[]);
    assert_eq!(pending(&scenario), 0);
    // Three pods that request nothing beside one that takes all the CPU there is, on a node for three.
    let full = deployment("full", 1, "2", "", "");
    let nothing = deployment("api", 3, "0", "", "");
    let one = node("one", "2").replace("pods: '110'", "pods: '3'");
    let (scenario, _) = simulate(&[one, full, nothing], &[]);
    assert_eq!(pending(&scenario), 1);
    assert_eq!(of(&scenario, "full")["pending"], 0);
    let proof = scenario["proof"].as_str().unwrap();
    assert!(proof.starts_with("pods: 3 ("), "{proof}");
    assert!(proof.contains(" = 4, more than the 3 of 1 node"), "{proof}");
}

/// Amounts that no machine has are added up and scored as well.
#[test]
fn amounts_beyond_all_machines_are_compared() {
    let large = node("one", "1000000000000000000").replace("8Gi", "9E");
    let fits = deployment("api", 3, "1000000000000", "", "");
    let (scenario, status) = simulate(&[large.clone(), fits], &["--fail", "node/one"]);
    assert_eq!((&of(&scenario, "api")["before"], status), (&3.into(), 1), "{scenario:#}");
    let all = deployment("api", 2, "99999999999999999999999999999", "", "")
        .replace("requests: {cpu", "requests: {memory: 9E, cpu");
    assert_eq!(pending(&simulate(&[large, all], &[]).0), 2);
    let less = node("one", "-4").replace("8Gi", "-1Gi").replace("'110'", "'-3'");
    assert_eq!(pending(&simulate(&[less, deployment("api", 2, "1", "", "")], &[]).0), 2);
}

/// Section 2: on the network of its node a pod has a host port for each port that it names.
#[test]
fn ports_on_the_network_of_the_node_are_its_ports() {
    let host = deployment("api", 2, "1", "", "").replace(
        "containers: [{name: it, image: 'registry.example/it:1',",
        "hostNetwork: true, containers: [{name: it, image: 'registry.example/it:1', ports: [{containerPort: 80}],",
    );
    assert!(host.contains("containerPort"), "{host}");
    let (scenario, _) = simulate(&[node("one", "8"), host.clone()], &[]);
    assert_eq!(pending(&scenario), 1);
    assert_eq!(of(&scenario, "api")["reason"], "1 node: its host port is taken");
    let (scenario, _) = simulate(&[node("one", "8"), host.replace("hostNetwork: true, ", "")], &[]);
    assert_eq!(pending(&scenario), 0);
}

/// A static pod is no controller's: nobody evicts it, and it is gone with its node.
#[test]
fn a_static_pod_stays_where_its_node_is_drained() {
    let pod = "---\n{apiVersion: v1, kind: Pod, metadata: {name: api, namespace: shop, annotations: {kubernetes.io/config.mirror: x}}, spec: {nodeName: one, containers: [{name: it, image: 'registry.example/it:1'}]}, status: {phase: Running}}\n".to_string();
    let all = [node("one", "8"), node("two", "8"), pod];
    let (scenario, status) = simulate(&all, &["--drain", "node/one"]);
    assert_eq!((of(&scenario, "api")["state"].as_str(), status), (Some("unaffected"), 0));
    let (scenario, status) = simulate(&all, &["--fail", "node/one"]);
    assert_eq!((of(&scenario, "api")["state"].as_str(), status), (Some("down"), 1));
}

#[test]
fn daemons_stand_on_cordoned_nodes_and_reserve_before_others() {
    let daemon = deployment("agent", 1, "3", "", "")
        .replace("kind: Deployment", "kind: DaemonSet")
        .replace("replicas: 1,", "");
    let tainted = node("tainted", "4") + "spec: {taints: [{key: gpu, effect: NoSchedule}]}\n";
    let cordoned = node("cordoned", "4")
        + "spec: {unschedulable: true, taints: [{key: node.kubernetes.io/unschedulable, effect: NoSchedule}]}\n";
    let all = [node("one", "4"), cordoned, tainted, daemon, deployment("api", 2, "1", "", "")];
    let (scenario, _) = simulate(&all, &[]);
    assert_eq!(of(&scenario, "agent")["before"], 2);
    // One CPU is left beside the daemon, on the only node that takes others.
    assert_eq!((pending(&scenario), on(&scenario, "one"), on(&scenario, "tainted")), (1, 2, 0));
}

#[test]
fn a_daemon_that_its_node_has_no_room_for_waits_for_that_node_alone() {
    let daemon = deployment("agent", 1, "3", "", "")
        .replace("kind: Deployment", "kind: DaemonSet")
        .replace("replicas: 1,", "");
    let all = [node("large", "4"), node("small", "2"), daemon];
    let (scenario, status) = simulate(&all, &[]);
    let agent = of(&scenario, "agent");
    assert_eq!((&agent["after"], &agent["pending"], status), (&1.into(), &1.into(), 1));
    assert_eq!(agent["reason"], "1 node: not enough cpu");
    assert_eq!(scenario["proof"], "`small` does not admit its pod of DaemonSet/shop/agent");
}

#[test]
fn a_gated_pod_waits_whatever_room_there_is() {
    let all = [
        node("one", "8"),
        deployment("api", 1, "1", "", "schedulingGates: [{name: example.com/later}],"),
    ];
    let (scenario, _) = simulate(&all, &[]);
    assert_eq!(of(&scenario, "api")["reason"], "waits for its scheduling gates");
}

#[test]
fn a_replacement_waits_for_the_grace_of_the_node_and_its_own_toleration() {
    let tolerates = |seconds: &str| {
        format!(
            "tolerations: [{{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute{seconds}}}],"
        )
    };
    for (pod, told) in [
        (String::new(), "replacements start after about 5m50s"),
        (tolerates(", tolerationSeconds: 30"), "replacements start after about 1m20s"),
        (
            tolerates(""),
            "tolerates unreachable nodes for ever: once a person has deleted the old pod",
        ),
    ] {
        let all = [node("one", "8"), node("two", "8"), deployment("api", 1, "1", "", &pod)];
        let (scenario, _) = simulate(&all, &["--fail", "node/one"]);
        assert_eq!(of(&scenario, "api")["reason"], told);
    }
}

#[test]
fn a_pod_of_a_set_on_a_lost_node_waits_for_a_person() {
    let set = deployment("api", 2, "1", "", "").replace("kind: Deployment", "kind: StatefulSet");
    let all = [node("one", "8"), node("two", "8"), set];
    let (scenario, _) = simulate(&all, &["--fail", "node/one"]);
    let told = of(&scenario, "api")["reason"].as_str().unwrap();
    assert!(told.starts_with("once a person has deleted the old pod"), "{told}");
}

#[test]
fn ports_of_the_node_keep_pods_apart_and_preferences_do_not() {
    let host = deployment("api", 3, "1", "", "").replace("containers: [{name: it, image: 'registry.example/it:1',", "hostNetwork: true, containers: [{name: it, image: 'registry.example/it:1', ports: [{containerPort: 80, hostPort: 80}],");
    assert!(host.contains("hostPort"), "{host}");
    let (scenario, _) = simulate(&[node("one", "8"), node("two", "8"), host], &[]);
    assert_eq!(pending(&scenario), 1);
    let rather = "affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: api}}}}]}},";
    let (scenario, _) =
        simulate(&[node("one", "8"), node("two", "8"), deployment("api", 3, "1", "", rather)], &[]);
    assert_eq!(pending(&scenario), 0);
    assert!(on(&scenario, "one") > 0 && on(&scenario, "two") > 0);
}

#[test]
fn at_least_so_many_are_left_wherever_the_scheduler_had_put_them() {
    // Both may stand on one node, unless the other workload has to have the room there.
    let wide = deployment("wide", 2, "3", "", "");
    let all = [node("one", "4"), node("two", "4"), wide, deployment("api", 2, "1", "", "")];
    let (scenario, _) = simulate(&all, &["--fail", "node/one"]);
    assert_eq!(of(&scenario, "api")["guaranteed"], 1, "each node has one CPU left beside `wide`");
    let all = [node("one", "4"), node("two", "4"), deployment("api", 2, "1", "", "")];
    let (scenario, _) = simulate(&all, &["--fail", "node/one"]);
    assert_eq!(of(&scenario, "api")["guaranteed"], 0);
    let pod = spread("kubernetes.io/hostname", "");
    let all = [node("one", "8"), node("two", "8"), deployment("api", 5, "1", "", &pod)];
    let (scenario, _) = simulate(&all, &["--fail", "node/one"]);
    assert_eq!(of(&scenario, "api")["guaranteed"], 2, "3 and 2 at most");
}
