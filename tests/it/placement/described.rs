//! Nodes that a file describes.

use purlin::analyze::placement::described::read;
use purlin::analyze::placement::node::{ClusterNode, ZONE};
use purlin::analyze::placement::world::At;
use std::sync::Arc;

fn nodes(text: &str, at: At) -> Vec<ClusterNode> {
    read(&Arc::from(text), at).unwrap()
}

fn mistakes(text: &str) -> Vec<String> {
    let mistakes = read(&Arc::from(text), At::Floor).unwrap_err();
    mistakes.into_iter().map(|it| it.message).collect()
}

#[test]
fn a_pool_has_what_system_and_kubelet_leave() {
    let text = "
nodes:
  master:
    capacity: {cpu: 4, memory: 8Gi}
    reserved: {cpu: 1500m, memory: 2Gi}
    taints: ['node-role.kubernetes.io/control-plane:NoSchedule', 'dedicated=db:NoExecute']
  worker:
    count: 2
    allocatable: {cpu: 3500m, memory: 7Gi, pods: 30}
    zones: [a, b]
";
    let nodes = nodes(text, At::Floor);
    let names: Vec<_> = nodes.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["master", "worker-1", "worker-2"]);
    let master = nodes[0].allocatable.as_ref().unwrap();
    assert_eq!(
        (master.amounts["cpu"], master.amounts["memory"], master.pods),
        (2500, 6 << 30, 110)
    );
    let taints: Vec<_> = nodes[0].taints.iter().map(ToString::to_string).collect();
    assert_eq!(
        taints,
        ["node-role.kubernetes.io/control-plane:NoSchedule", "dedicated=db:NoExecute"]
    );
    assert_eq!(nodes[2].allocatable.as_ref().unwrap().pods, 30);
    assert_eq!(nodes[1].labels[ZONE], "a");
    assert_eq!(nodes[2].labels[ZONE], "b");
    assert_eq!(nodes[2].labels["kubernetes.io/hostname"], "worker-2");
}

#[test]
fn a_pool_that_grows_is_judged_at_its_bounds() {
    let text = "nodes: {pool: {count: {min: 1, max: 10}, capacity: {cpu: 4}}}";
    assert_eq!(nodes(text, At::Floor).len(), 1);
    assert_eq!(nodes(text, At::Peak).len(), 10);
}

#[test]
fn the_configuration_of_kind_names_nodes_as_kind_does() {
    let text = "
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes: [{role: control-plane}, {role: worker, labels: {disk: ssd}}, {role: worker}]
";
    let nodes = nodes(text, At::Floor);
    let names: Vec<_> = nodes.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["kind-control-plane", "kind-worker", "kind-worker2"]);
    assert_eq!(nodes[0].taints.len(), 1);
    assert_eq!(nodes[1].labels["disk"], "ssd");
    assert!(nodes.iter().all(|it| it.allocatable.is_none()), "nobody says what the machine has");
}

#[test]
fn a_single_node_of_kind_takes_workloads() {
    let nodes = nodes("{kind: Cluster, apiVersion: kind.x-k8s.io/v1alpha4}", At::Floor);
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0].taints, []);
}

#[test]
fn mistakes_are_told() {
    let text = "nodes: {a: {capcity: {cpu: 4}}, b: {count: many}, c: {taints: [x]}, d: {capacity: {cpu: much}}}";
    let told = mistakes(text).join("\n");
    for expected in [
        "`nodes.a.capcity` is no field",
        "`nodes.b.count` is a whole number",
        "a taint is",
        "not a quantity in `nodes.d.capacity`",
    ] {
        assert!(told.contains(expected), "{told}");
    }
    assert!(mistakes("kind: Deployment")[0].starts_with("no nodes"));
}

#[test]
fn an_instance_type_stands_for_what_it_has() {
    let nodes = nodes(
        "nodes: {general: {count: 2, instanceType: t3.large}, arm: {instanceType: m6g.large}}",
        At::Floor,
    );
    let has = nodes[0].allocatable.as_ref().unwrap();
    assert_eq!((has.amounts["cpu"], has.amounts["memory"], has.pods), (1930, 6837 << 20, 35));
    assert_eq!(nodes[0].labels["node.kubernetes.io/instance-type"], "t3.large");
    assert_eq!(nodes[2].labels["kubernetes.io/arch"], "arm64");
}

#[test]
fn of_an_unknown_instance_type_somebody_has_to_say_what_it_has() {
    let found = mistakes("nodes: {general: {count: 2, instanceType: z9.huge}}");
    assert_eq!(
        found,
        [
            "what `nodes.general.instanceType` has is not known; state its `allocatable`, or its `capacity` and what is `reserved`"
        ]
    );
    let nodes = nodes(
        "nodes: {general: {instanceType: z9.huge, allocatable: {cpu: 2, memory: 8Gi}}}",
        At::Floor,
    );
    assert_eq!(nodes[0].allocatable.as_ref().unwrap().amounts["cpu"], 2000);
}
