//! The loss of every node at once against one after the other.

use crate::support::load_texts;
use purlin::analyze::Facts;
use purlin::analyze::placement::losses::{each, each_drained, every_node};
use purlin::analyze::placement::node::ClusterNode;
use purlin::analyze::placement::place::place;
use purlin::analyze::placement::scenario::{Event, run};
use purlin::analyze::placement::world::{At, Reading, read};
use purlin::api::kind::Kind;
use purlin::model::Model;
use std::fmt::Write;

const KINDS: [&str; 6] = [
    "",
    "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: NAME}}}]}},",
    "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: topology.kubernetes.io/zone, labelSelector: {matchLabels: {app: NAME}}}]}},",
    "topologySpreadConstraints: [{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule, nodeTaintsPolicy: Honor, labelSelector: {matchLabels: {app: NAME}}}],",
    "topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: NAME}}}],",
    "nodeSelector: {disk: ssd}, tolerations: [{operator: Exists}],",
];

/// Small clusters that differ by a number.
fn cluster(number: usize) -> String {
    let mut out = String::new();
    for node in 0..6 + number % 4 {
        let zone = ["a", "b", "c"][node % (2 + number % 2)];
        let disk = if node % 3 == 0 { ", disk: ssd" } else { "" };
        write!(
            out,
            "---\napiVersion: v1\nkind: Node\nmetadata: {{name: n{node}, labels: {{kubernetes.io/hostname: n{node}, topology.kubernetes.io/zone: {zone}{disk}}}}}\n\
             status: {{allocatable: {{cpu: '{}', memory: 8Gi, pods: '9'}}}}\n",
            1 + (node * 7 + number) % 4,
        )
        .unwrap();
    }
    for app in 0..6 {
        let kind = ["Deployment", "StatefulSet", "DaemonSet"]
            [usize::from(app == 4) + 2 * usize::from(app == 5)];
        let pod = KINDS[(app + number) % KINDS.len()].replace("NAME", &format!("app-{app}"));
        write!(
            out,
            "---\napiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: app-{app}, namespace: shop}}\n\
             spec: {{{} selector: {{matchLabels: {{app: app-{app}}}}}, template: {{metadata: {{labels: {{app: app-{app}}}}}, \
             spec: {{{pod} containers: [{{name: it, image: 'registry.example/it:1', resources: {{requests: {{cpu: {}m}}}}}}]}}}}}}\n",
            if app == 5 { String::new() } else { format!("replicas: {},", 1 + (app + number) % 4) },
            100 + (app * 3 + number) % 5 * 200,
        )
        .unwrap();
    }
    out
}

#[test]
fn every_loss_leaves_as_many_pending_as_that_loss_alone() {
    let (mut losses, mut pods) = (0, 0);
    for number in 0..60 {
        let loaded = load_texts(&[("all.yaml", &cluster(number))]);
        let model = Model::new(&loaded, "default");
        let facts = Facts::new(&model);
        let nodes: Vec<_> = model.of_kind(Kind::Node).map(ClusterNode::of_object).collect();
        let count = nodes.len();
        let reading = Reading { at: At::Floor, is_whole: true };
        let world = read(&model, &facts, nodes, reading);
        let placed = place(&world);
        // Where pods wait before, they may find the room that others leave.
        if placed.nodes.iter().any(Option::is_none) {
            continue;
        }
        let all = every_node(&world, &placed.nodes);
        assert_eq!(all.iter().map(|it| it.nodes.len()).sum::<usize>(), count);
        for (loss, node) in all.iter().flat_map(|it| it.nodes.iter().map(move |node| (it, *node))) {
            let outcome = run(&world, (&model, &facts), At::Floor, &[Event::FailNode(node)]);
            // A search may place what the scheduler's order does not.
            if outcome.found == Some(purlin::analyze::placement::place::By::Search) {
                continue;
            }
            let pending: usize = outcome.components.iter().map(|it| it.pending).sum();
            let own: usize = loss.pending.values().chain(loss.bound.values()).sum();
            assert_eq!(own, pending, "cluster {number}, node {node}");
            losses += 1;
            pods += pending;
        }
        for zone in ["a", "b", "c"] {
            let all = (0..count).filter(|it| world.cluster.nodes[*it].zone() == Some(zone));
            let lost: Vec<usize> = all.collect();
            if lost.is_empty() {
                continue;
            }
            let event = [Event::FailZone(zone.to_string())];
            let outcome = run(&world, (&model, &facts), At::Floor, &event);
            if outcome.found == Some(purlin::analyze::placement::place::By::Search) {
                continue;
            }
            let loss = each(&world, &placed.nodes, &[lost.clone(), lost]).remove(1);
            let pending: usize = outcome.components.iter().map(|it| it.pending).sum();
            let own: usize = loss.pending.values().chain(loss.bound.values()).sum();
            assert_eq!(own, pending, "cluster {number}, zone {zone}");
        }
        let nodes: Vec<usize> = (0..count).collect();
        for (loss, node) in each_drained(&world, &placed.nodes, &nodes).iter().zip(nodes) {
            let outcome = run(&world, (&model, &facts), At::Floor, &[Event::DrainNode(node)]);
            if outcome.found == Some(purlin::analyze::placement::place::By::Search) {
                continue;
            }
            let pending: usize = outcome.components.iter().map(|it| it.pending).sum();
            assert_eq!(
                loss.pending.values().sum::<usize>(),
                pending,
                "cluster {number}, drain of {node}"
            );
        }
    }
    assert!(losses > 100 && pods > 20, "{losses} and {pods}");
}
