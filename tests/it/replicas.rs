//! From how many to how many pods, and what a rollout adds and takes away.

use purlin::analyze::Facts;
use purlin::analyze::capacity::rollout::Rollout;
use purlin::load::load_texts;
use purlin::model::Model;
use std::sync::Arc;

const POD: &str = "{metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: 'x:1'}]}}";

fn workload(kind: &str, spec: &str) -> String {
    let group = if kind == "Job" || kind == "CronJob" { "batch/v1" } else { "apps/v1" };
    let template = if kind == "CronJob" { String::new() } else { format!(", template: {POD}") };
    format!(
        "{{apiVersion: {group}, kind: {kind}, metadata: {{name: a}}, spec: {{{spec}{template}}}}}\n---\n"
    )
}

fn hpa(name: &str, bounds: &str) -> String {
    format!(
        "{{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {{name: {name}}}, \
         spec: {{scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: a}}, {bounds}}}}}\n---\n"
    )
}

fn keda(spec: &str) -> String {
    format!(
        "{{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {{name: k}}, \
         spec: {{scaleTargetRef: {{name: a}}{spec}}}}}\n---\n"
    )
}

/// Floor and peak of the one workload; `None` where they follow the nodes.
fn envelope(text: &str) -> Option<(u64, u64)> {
    let loaded = load_texts(vec![("world.yaml".into(), Arc::from(text))]);
    let model = Model::new(&loaded, "default");
    let facts = Facts::new(&model);
    let workload = facts.workloads().iter().next().unwrap();
    facts.envelope(workload.id).map(|it| (it.floor.count, it.peak.count))
}

/// SEMANTICS, section 4, row HPA/replicas; section 5, row HPA.
#[test]
fn envelopes_go_from_the_least_to_the_most() {
    let deployment = |replicas: &str| workload("Deployment", replicas);
    for (text, expected) in [
        (deployment("a: b"), (1, 1)),
        (deployment("replicas: 3"), (3, 3)),
        (deployment("replicas: null"), (1, 1)),
        (deployment("a: b") + &hpa("h", "minReplicas: 2, maxReplicas: 10"), (2, 10)),
        (deployment("a: b") + &hpa("h", "maxReplicas: 10"), (1, 10)),
        (deployment("replicas: 5") + &hpa("h", "minReplicas: 2, maxReplicas: 10"), (2, 10)),
        (deployment("replicas: 1") + &hpa("h", "minReplicas: 2, maxReplicas: 10"), (2, 10)),
        // Zero switches the autoscaler off.
        (deployment("replicas: 0") + &hpa("h", "minReplicas: 2, maxReplicas: 10"), (0, 0)),
        (deployment("a: b") + &hpa("h", "minReplicas: 0, maxReplicas: 4"), (0, 4)),
        // Two on one workload: what either may do.
        (
            deployment("a: b")
                + &hpa("h", "minReplicas: 2, maxReplicas: 10")
                + &hpa("i", "minReplicas: 1, maxReplicas: 4"),
            (1, 10),
        ),
        // An autoscaler of something else does not count.
        (
            deployment("replicas: 3")
                + &hpa("h", "minReplicas: 7, maxReplicas: 9").replace("name: a}", "name: other}"),
            (3, 3),
        ),
        // Any version of the group means the same kind; another group does not.
        (
            deployment("a: b")
                + &hpa("h", "minReplicas: 2, maxReplicas: 3").replace("apps/v1", "apps/v1beta2"),
            (2, 3),
        ),
        (
            deployment("replicas: 4")
                + &hpa("h", "minReplicas: 2, maxReplicas: 3").replace("apps/v1", "example.com/v1"),
            (4, 4),
        ),
        (deployment("a: b") + &keda(""), (0, 100)),
        (deployment("a: b") + &keda(", minReplicaCount: 2, maxReplicaCount: 50"), (2, 50)),
        (workload("StatefulSet", "replicas: 3"), (3, 3)),
        (workload("Job", "parallelism: 4"), (4, 4)),
        (workload("Job", "parallelism: 4, completions: 2"), (2, 2)),
        (workload("Job", "a: b"), (1, 1)),
        (
            workload(
                "CronJob",
                &format!("jobTemplate: {{spec: {{parallelism: 3, template: {POD}}}}}"),
            ),
            (3, 3),
        ),
        // Absurd counts are bounded, not believed.
        (deployment("replicas: -3"), (0, 0)),
        (deployment("replicas: 99999999999"), (2_147_483_647, 2_147_483_647)),
    ] {
        assert_eq!(envelope(&text), Some(expected), "{text}");
    }
    assert_eq!(envelope(&workload("DaemonSet", "a: b")), None);
}

/// SEMANTICS, section 5, rows Deployment, StatefulSet, DaemonSet.
#[test]
fn rollouts_add_and_take_away() {
    let bounds = |surge: &str, unavailable: &str| {
        format!("strategy: {{rollingUpdate: {{maxSurge: {surge}, maxUnavailable: {unavailable}}}}}")
    };
    for (kind, spec, replicas, surge, unavailable) in [
        // The default is 25 % of each: up for surge, down for what is missing.
        ("Deployment", "a: b".to_string(), 3, 1, 0),
        ("Deployment", "a: b".to_string(), 4, 1, 1),
        ("Deployment", "a: b".to_string(), 5, 2, 1),
        ("Deployment", bounds("1", "0"), 10, 1, 0),
        ("Deployment", bounds("30%", "30%"), 10, 3, 3),
        ("Deployment", bounds("100%", "100%"), 3, 3, 3),
        // Both zero after rounding never moves, so one is taken away.
        ("Deployment", bounds("0", "10%"), 5, 0, 1),
        ("Deployment", "strategy: {type: Recreate}".to_string(), 3, 0, 3),
        ("StatefulSet", "a: b".to_string(), 3, 0, 1),
        ("StatefulSet", "updateStrategy: {type: OnDelete}".to_string(), 3, 0, 0),
        ("DaemonSet", "a: b".to_string(), 3, 0, 1),
        (
            "DaemonSet",
            "updateStrategy: {rollingUpdate: {maxUnavailable: 10%}}".to_string(),
            11,
            0,
            2,
        ),
    ] {
        let text = workload(kind, &spec);
        let loaded = load_texts(vec![("world.yaml".into(), Arc::from(text.as_str()))]);
        let model = Model::new(&loaded, "default");
        let facts = Facts::new(&model);
        let workload = facts.workloads().iter().next().unwrap();
        let rollout = Rollout::of(&model, workload);
        assert_eq!(
            (rollout.surge(replicas), rollout.unavailable(replicas)),
            (surge, unavailable),
            "{replicas} of {text}"
        );
    }
}
