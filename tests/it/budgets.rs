//! What disruption budgets let go: row by row of SEMANTICS, section 4, and against a slow reference.

use crate::support::{only, with_texts};
use proptest::prelude::*;
use purlin::analyze::Facts;
use purlin::analyze::capacity::rollout::IntOrPercent;
use purlin::analyze::disruption::budgets::Demand;
use purlin::analyze::disruption::evictions::Evictions;
use purlin::load::load_texts;
use purlin::model::Model;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// A workload under the budget.
#[derive(Clone, Debug)]
enum Owner {
    Deployment(Option<u64>),
    StatefulSet(u64),
    /// Written replicas and an autoscaler's bounds.
    Autoscaled(Option<u64>, u64, u64),
    CronJob(u64),
    DaemonSet,
    Pod,
}

impl Owner {
    fn text(&self, name: &str, labels: &str) -> String {
        let replicas = |it: Option<u64>| it.map_or(String::new(), |it| format!("replicas: {it}, "));
        let pod = format!(
            "{{metadata: {{labels: {{{labels}}}}}, spec: {{containers: [{{name: c, image: 'x:1'}}]}}}}"
        );
        let apps = |kind: &str, spec: &str| {
            format!(
                "{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: {name}}}, spec: {{{spec}template: {pod}}}}}\n---\n"
            )
        };
        match self {
            Owner::Deployment(it) => apps("Deployment", &replicas(*it)),
            Owner::StatefulSet(it) => apps("StatefulSet", &replicas(Some(*it))),
            Owner::DaemonSet => apps("DaemonSet", ""),
            Owner::Autoscaled(written, floor, peak) => {
                apps("Deployment", &replicas(*written))
                    + &format!(
                        "{{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {{name: {name}}}, \
                         spec: {{scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}, \
                         minReplicas: {floor}, maxReplicas: {peak}}}}}\n---\n"
                    )
            }
            Owner::CronJob(parallelism) => format!(
                "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: {name}}}, \
                 spec: {{jobTemplate: {{spec: {{parallelism: {parallelism}, template: {pod}}}}}}}}}\n---\n"
            ),
            Owner::Pod => format!(
                "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, labels: {{{labels}}}}}, \
                 spec: {{containers: [{{name: c, image: 'x:1'}}]}}}}\n---\n"
            ),
        }
    }
}

fn budget(demand: &str) -> String {
    format!(
        "{{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {{name: it}}, \
         spec: {{{demand}selector: {{matchLabels: {{app: a}}}}}}}}\n---\n"
    )
}

/// Under one budget: `lets N go`, `unscalable`, `cannot tell` or `nothing`.
fn verdict(demand: &str, owners: &[Owner]) -> String {
    let each = owners.iter().enumerate().map(|(at, it)| it.text(&format!("w{at}"), "app: a"));
    verdict_of(&(budget(demand) + &each.collect::<String>()))
}

fn verdict_of(text: &str) -> String {
    let loaded = load_texts(vec![("world.yaml".into(), Arc::from(text))]);
    assert!(loaded.broken.is_empty(), "{text}");
    let model = Model::new(&loaded, "default");
    let facts = Facts::new(&model);
    let budget = facts.budgets().iter().next().unwrap();
    match facts.evictions(budget) {
        Evictions::Nothing => "nothing".into(),
        Evictions::Unscalable(_) => "unscalable".into(),
        Evictions::CannotTell(_) => "cannot tell".into(),
        Evictions::Counted(count) => format!("lets {} go", count.lets_go),
    }
}

fn holds(rows: &[(&str, &[Owner], &str)]) {
    for (demand, owners, expected) in rows {
        let demand = if demand.is_empty() { String::new() } else { format!("{demand}, ") };
        assert_eq!(verdict(&demand, owners), *expected, "{demand} over {owners:?}");
    }
}

use Owner::{Autoscaled, CronJob, DaemonSet, Deployment, Pod, StatefulSet};

#[test]
fn row_rounding() {
    holds(&[
        ("minAvailable: 50%", &[Deployment(Some(7))], "lets 3 go"),
        ("maxUnavailable: 1%", &[Deployment(Some(3))], "lets 1 go"),
        ("minAvailable: 1%", &[Deployment(Some(1))], "lets 0 go"),
        ("maxUnavailable: 50%", &[Deployment(Some(7))], "lets 4 go"),
        ("minAvailable: 67%", &[Deployment(Some(3))], "lets 0 go"),
        ("minAvailable: 66%", &[Deployment(Some(3))], "lets 1 go"),
        ("maxUnavailable: 100%", &[Deployment(Some(3))], "lets 3 go"),
    ]);
}

#[test]
fn row_expected_count() {
    holds(&[
        // The pods that match, whoever runs them.
        ("minAvailable: 2", &[Deployment(Some(2)), Pod], "lets 1 go"),
        ("minAvailable: 1", &[Pod, Pod], "lets 1 go"),
        // The sum of the scales of the distinct controllers.
        ("minAvailable: 50%", &[Deployment(Some(2)), StatefulSet(5)], "lets 3 go"),
        ("maxUnavailable: 1", &[Deployment(Some(2)), StatefulSet(5)], "lets 1 go"),
    ]);
}

#[test]
fn row_desired() {
    holds(&[
        ("maxUnavailable: 9", &[Deployment(Some(3))], "lets 3 go"),
        ("maxUnavailable: 3", &[Deployment(Some(3))], "lets 3 go"),
        ("maxUnavailable: 0", &[Deployment(Some(3))], "lets 0 go"),
    ]);
}

#[test]
fn row_allowed() {
    holds(&[
        ("minAvailable: 4", &[Deployment(Some(3))], "lets 0 go"),
        ("minAvailable: 3", &[Deployment(Some(3))], "lets 0 go"),
        ("minAvailable: 0", &[Deployment(Some(3))], "lets 3 go"),
        // Scaled to nothing for good there is nothing that a budget could hold.
        ("minAvailable: 1", &[Deployment(Some(0))], "nothing"),
        ("minAvailable: 1", &[], "nothing"),
    ]);
}

#[test]
fn row_no_controller() {
    holds(&[
        ("maxUnavailable: 1", &[Pod], "unscalable"),
        ("minAvailable: 10%", &[Pod, Pod, Pod], "unscalable"),
        // It counts as healthy and not as wanted: three there, one has to stay.
        ("maxUnavailable: 1", &[Deployment(Some(2)), Pod], "lets 2 go"),
        ("minAvailable: 50%", &[Deployment(Some(2)), Pod], "lets 2 go"),
    ]);
}

#[test]
fn row_controller_without_scale() {
    holds(&[
        ("maxUnavailable: 1", &[DaemonSet], "unscalable"),
        ("minAvailable: 1%", &[CronJob(3)], "unscalable"),
        ("maxUnavailable: 1", &[Deployment(Some(5)), CronJob(1)], "unscalable"),
        ("maxUnavailable: 1", &[Deployment(Some(5)), DaemonSet], "unscalable"),
        ("minAvailable: 1", &[CronJob(3)], "lets 2 go"),
        // How many nodes there are nobody told; where the rest is enough that does not matter.
        ("minAvailable: 5", &[Deployment(Some(5)), DaemonSet], "cannot tell"),
        ("minAvailable: 4", &[Deployment(Some(5)), DaemonSet], "lets 1 go"),
        ("minAvailable: 0", &[DaemonSet], "lets 1 go"),
    ]);
    let custom = |scale: &str| {
        budget("maxUnavailable: 1, ")
            + &StatefulSet(3)
                .text("w", "app: a")
                .replace("apps/v1", "apps.kruise.io/v1alpha1")
                .replace("StatefulSet", "CloneSet")
            + scale
    };
    let definition = |subresources: &str| {
        format!(
            "{{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {{name: c}}, \
             spec: {{group: apps.kruise.io, names: {{kind: CloneSet}}, versions: [{{subresources: {subresources}}}]}}}}"
        )
    };
    assert_eq!(verdict_of(&custom("")), "cannot tell");
    assert_eq!(verdict_of(&custom(&definition("{status: {}}"))), "unscalable");
    assert_eq!(verdict_of(&custom(&definition("{scale: {}}"))), "lets 1 go");
}

#[test]
fn row_neither_field_set() {
    holds(&[("", &[Deployment(Some(9))], "lets 0 go"), ("", &[DaemonSet], "lets 0 go")]);
}

#[test]
fn what_the_api_server_refuses_holds_nothing() {
    holds(&[
        ("minAvailable: '2'", &[Deployment(Some(2))], "nothing"),
        ("minAvailable: -1", &[Deployment(Some(2))], "nothing"),
        ("minAvailable: 101%", &[Deployment(Some(2))], "nothing"),
        ("minAvailable: 2, maxUnavailable: 0", &[Deployment(Some(2))], "nothing"),
    ]);
}

#[test]
fn row_selectors() {
    let world = |version: &str, selector: &str| {
        format!(
            "{{apiVersion: {version}, kind: PodDisruptionBudget, metadata: {{name: it}}, spec: {{minAvailable: 1{selector}}}}}\n---\n{}",
            Deployment(Some(3)).text("w", "app: a")
        )
    };
    assert_eq!(verdict_of(&world("policy/v1", ", selector: {}")), "lets 2 go");
    assert_eq!(verdict_of(&world("policy/v1", "")), "nothing");
    assert_eq!(verdict_of(&world("policy/v1beta1", ", selector: {}")), "nothing");
}

#[test]
fn row_autoscaler_and_replicas() {
    holds(&[
        ("minAvailable: 1", &[Deployment(None)], "lets 0 go"),
        // kube-linter takes one for unset, and looks at the autoscaler only then.
        ("minAvailable: 2", &[Autoscaled(Some(1), 3, 9)], "lets 1 go"),
        ("minAvailable: 3", &[Autoscaled(Some(5), 2, 10)], "lets 0 go"),
        ("minAvailable: 1", &[Autoscaled(Some(5), 0, 10)], "lets 0 go"),
        ("minAvailable: 1", &[Autoscaled(Some(0), 2, 10)], "nothing"),
        // Two and two are four; kube-linter compares each alone.
        ("minAvailable: 2", &[Deployment(Some(2)), StatefulSet(2)], "lets 2 go"),
    ]);
}

#[test]
fn row_more_than_one_budget_for_a_pod() {
    let second = budget("maxUnavailable: 1, ").replace("name: it", "name: other");
    let world = budget("maxUnavailable: 1, ") + &Deployment(Some(3)).text("w", "app: a");
    let found = |text: &str| {
        with_texts(&[("world.yaml", text)], &only("pdb-overlap"), |_, it| it.findings.len())
    };
    assert_eq!(found(&world), 0);
    assert_eq!(found(&(world.clone() + &second)), 1);
    assert_eq!(found(&(world + &second.replace("name: other", "name: other, namespace: b"))), 0);
}

#[test]
fn row_not_ready_and_always_allow() {
    let found = |policy: &str| {
        let demand = format!("maxUnavailable: 1, {policy}");
        let text = budget(&demand) + &Deployment(Some(3)).text("w", "app: a");
        let rule = only("pdb-unhealthy-pods-block-drain");
        with_texts(&[("world.yaml", &text)], &rule, |_, it| it.findings.len())
    };
    assert_eq!(found(""), 1);
    assert_eq!(found("unhealthyPodEvictionPolicy: IfHealthyBudget, "), 1);
    assert_eq!(found("unhealthyPodEvictionPolicy: AlwaysAllow, "), 0);
}

/// One pod of a running cluster: its controller, and how many pods that wants if it can be asked.
#[derive(Clone, Copy)]
struct Running {
    controller: Option<(usize, Option<u64>)>,
}

/// Every pod there is, with so many nodes and with or without those of Jobs. Which nodes run a DaemonSet is its own
/// affair: all of them may have their pods, or only the first.
fn cluster(owners: &[Owner], nodes: u64, everywhere: bool, jobs: bool) -> Vec<Running> {
    let mut pods = Vec::new();
    let first = owners.iter().position(|it| matches!(it, Owner::DaemonSet));
    for (at, owner) in owners.iter().enumerate() {
        let (count, controller) = match owner {
            Owner::Deployment(replicas) => {
                let count = replicas.unwrap_or(1);
                (count, Some((at, Some(count))))
            }
            Owner::StatefulSet(count) => (*count, Some((at, Some(*count)))),
            Owner::Autoscaled(Some(0), ..) => (0, None),
            Owner::Autoscaled(_, floor, peak) => {
                // Scaled to nothing for now, a drain meets it again when it is back with one.
                let count = if *floor == 0 { u64::from(*peak > 0) } else { *floor };
                (count, Some((at, Some(count))))
            }
            Owner::CronJob(parallelism) => (if jobs { *parallelism } else { 0 }, Some((at, None))),
            Owner::DaemonSet if everywhere || Some(at) == first => (nodes, Some((at, None))),
            Owner::DaemonSet => (0, None),
            Owner::Pod => (1, None),
        };
        pods.extend((0..count).map(|_| Running { controller }));
    }
    pods
}

/// `disruption.go`, step by step, in floating point as `intstr` computes it; `None` where there is no pod to evict.
fn reference(demand: Demand, pods: &[Running]) -> Option<i64> {
    let scaled = |it: IntOrPercent, total: i64| match it {
        IntOrPercent::Int(it) => it as i64,
        IntOrPercent::Percent(it) => (it as f64 * total as f64 / 100.0).ceil() as i64,
    };
    let healthy = pods.len() as i64;
    if healthy == 0 {
        return None;
    }
    let (expected, desired) = match demand {
        Demand::Nothing => return Some(0),
        Demand::MinAvailable(IntOrPercent::Int(it)) => (healthy, it as i64),
        _ => {
            let mut scales = BTreeMap::new();
            for pod in pods {
                let Some((controller, scale)) = pod.controller else { continue };
                let Some(scale) = scale else { return Some(0) };
                scales.insert(controller, scale as i64);
            }
            let expected: i64 = scales.values().sum();
            match demand {
                Demand::MinAvailable(it) => (expected, scaled(it, expected)),
                Demand::MaxUnavailable(it) => (expected, (expected - scaled(it, expected)).max(0)),
                Demand::Nothing => (expected, expected),
            }
        }
    };
    let allowed = healthy - desired;
    Some(if expected <= 0 || allowed <= 0 { 0 } else { allowed })
}

fn owners() -> impl Strategy<Value = Vec<Owner>> {
    let owner = prop_oneof![
        4 => prop::option::of(0..9u64).prop_map(Owner::Deployment),
        3 => (0..9u64).prop_map(Owner::StatefulSet),
        3 => (prop::option::of(0..9u64), 0..5u64, 0..9u64)
            .prop_map(|(written, floor, more)| Owner::Autoscaled(written, floor, floor + more)),
        1 => (0..4u64).prop_map(Owner::CronJob),
        1 => Just(Owner::DaemonSet),
        1 => Just(Owner::Pod),
    ];
    prop::collection::vec(owner, 1..4)
}

fn demands() -> impl Strategy<Value = Demand> {
    let bound = || {
        prop_oneof![
            (0..14u64).prop_map(IntOrPercent::Int),
            (0..=100u64).prop_map(IntOrPercent::Percent)
        ]
    };
    prop_oneof![
        5 => bound().prop_map(Demand::MinAvailable),
        5 => bound().prop_map(Demand::MaxUnavailable),
        1 => Just(Demand::Nothing),
    ]
}

fn written(demand: Demand) -> String {
    let mut text = String::new();
    match demand {
        Demand::MinAvailable(it) => write!(text, "minAvailable: {it}, ").unwrap(),
        Demand::MaxUnavailable(it) => write!(text, "maxUnavailable: {it}, ").unwrap(),
        Demand::Nothing => {}
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A budget blocks in purlin's eyes just if the controller would let no pod go in some state of the cluster at the
    /// floor, and it cannot tell just if that hangs on the number of nodes.
    #[test]
    fn budgets_block_where_the_controller_does(demand in demands(), owners in owners()) {
        let found = verdict(&written(demand), &owners);
        let blocks = |(nodes, everywhere)| {
            let world = |jobs| reference(demand, &cluster(&owners, nodes, everywhere, jobs));
            let worlds = [true, false].map(world);
            worlds.into_iter().flatten().min().map(|allowed| allowed == 0)
        };
        let any_nodes: Vec<bool> = [(0, true), (1, false), (1, true), (1000, true)].into_iter().filter_map(blocks).collect();
        match found.as_str() {
            "nothing" => prop_assert!(any_nodes.is_empty()),
            "unscalable" => prop_assert!(any_nodes.contains(&true)),
            "lets 0 go" => prop_assert!(!any_nodes.is_empty() && any_nodes.iter().all(|it| *it)),
            "cannot tell" => prop_assert!(any_nodes.contains(&true) && any_nodes.contains(&false)),
            _ => prop_assert!(!any_nodes.is_empty() && any_nodes.iter().all(|it| !*it), "{found}"),
        }
    }

    /// Where every pod has a controller that scales, the number is the controller's to the pod.
    #[test]
    fn budgets_let_as_many_go_as_the_controller(demand in demands(), healthy in 0..5000u64) {
        let pods = vec![Running { controller: Some((0, Some(healthy))) }; healthy as usize];
        let expected = reference(demand, &pods).unwrap_or(0);
        prop_assert_eq!(demand.lets_go(healthy, healthy) as i64, expected);
    }
}
