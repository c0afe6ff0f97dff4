//! Create first, prune last: a new name of what is there is no second one of it, and both ends of one apply go through.

use super::cluster::Cluster;
use super::objects::{autoscaler, budget, deployment, ingress, scale, with};
use crate::systems::texts;
use crate::webhook::breaks::changes;
use crate::webhook::support::{objects, rules};
use purlin::load::load_texts;
use serde_json::Value;

#[test]
fn a_new_name_is_warned_of_and_another_shape_is_denied() {
    let cases = [
        (budget("api", "api", 1), budget("api-2", "api", 1), budget("x", "api", 2), "pdb-overlap"),
        (
            autoscaler("api", "api", 2, 9),
            autoscaler("api-2", "api", 2, 9),
            autoscaler("x", "api", 2, 20),
            "hpa-duplicate-target",
        ),
        (
            ingress("shop", "front", "front"),
            ingress("shop", "front-2", "front"),
            ingress("shop", "x", "other"),
            "ingress-collision",
        ),
    ];
    for (old, new, other, rule) in cases {
        let mut cluster = Cluster::of(&[deployment("api", 3), old.clone()]);
        assert_eq!(rules(&cluster.apply(&other).denials), [rule].into());
        let verdict = cluster.apply(&new);
        assert!(!verdict.is_denied() && rules(&verdict.warnings).contains(rule), "{verdict:#?}");
        assert!(!cluster.delete(&old).is_denied());
    }
    let mut cluster = Cluster::of(&[ingress("theirs", "front", "front")]);
    let verdict = cluster.apply(&ingress("shop", "front", "front"));
    assert_eq!(rules(&verdict.denials), ["ingress-collision"].into(), "another namespace's host");
}

/// What is allowed is no rollout before it is there: who only asks for a change of a workload, or forges such a review,
/// may raise no budget for it.
#[test]
fn a_rollout_that_nobody_has_seen_excuses_nothing() {
    let mut api = deployment("api", 2);
    api["spec"]["template"]["metadata"]["labels"]["version"] = "1".into();
    let there = [api.clone(), budget("api", "api", 1), autoscaler("api", "api", 2, 9)];
    let mut next = api;
    next["spec"]["template"]["metadata"]["labels"]["version"] = "2".into();
    let raised = budget("api", "api", 2);
    for is_seen in [false, true] {
        let mut cluster = Cluster::of(&there);
        cluster.manager = "kubectl-client-side-apply";
        match is_seen {
            true => drop(cluster.apply(&next)),
            // It never reaches the store.
            false => cluster.only_ask(&next),
        }
        assert_eq!(cluster.apply(&raised).is_denied(), !is_seen, "{is_seen}");
    }
}

fn released(object: Value) -> Value {
    with(object, "annotations", "meta.helm.sh/release-name", "shop")
}

#[test]
fn a_release_is_raised_budgets_first() {
    for manager in ["helm", "helm-controller", "argocd-controller", "pulumi-kubernetes"] {
        let there = [released(deployment("api", 2)), released(budget("api", "api", 1))];
        let mut cluster = Cluster::of(&there);
        cluster.manager = manager;
        let verdict = cluster.apply(&released(budget("api", "api", 3)));
        assert!(!verdict.is_denied(), "{manager}: {:#?}", verdict.denials);
        assert!(rules(&verdict.warnings).contains("pdb-blocks-drain"));
        assert!(!cluster.apply(&released(deployment("api", 4))).is_denied());
    }
}

#[test]
fn one_change_by_hand_is_no_release() {
    let there = [released(deployment("api", 2)), released(budget("api", "api", 1))];
    for manager in ["kubectl-edit", "kubectl-patch", "kubectl-client-side-apply", "kubectl", ""] {
        let mut cluster = Cluster::of(&there);
        cluster.manager = manager;
        assert!(cluster.apply(&released(budget("api", "api", 3))).is_denied(), "{manager}");
    }
    let mut cluster = Cluster::of(&there);
    cluster.manager = "helm";
    let elsewhere = with(budget("api", "api", 3), "annotations", "meta.helm.sh/release-name", "x");
    assert!(cluster.apply(&elsewhere).is_denied(), "another release than the workload's");
    let api = cluster.objects[0].clone();
    cluster.force(&released(budget("api", "api", 2)));
    assert!(cluster.ask(&scale(&api, 1)).is_denied());
}

/// `kubectl apply` of one overlay where another one is: it changes all that differs, one after the other, and prunes.
#[test]
fn an_overlay_is_applied_over_another() {
    const ORDER: [&str; 8] = [
        "ResourceQuota",
        "ConfigMap",
        "Service",
        "LimitRange",
        "Deployment",
        "StatefulSet",
        "PodDisruptionBudget",
        "HorizontalPodAutoscaler",
    ];
    let rank = |it: &Value| ORDER.iter().position(|kind| it["kind"] == **kind).unwrap_or(99);
    let overlays = ["local", "staging", "production"]
        .map(|it| objects(&load_texts(texts(&format!("healthcare-cloud/repaired.rendered/{it}")))));
    for (from, to) in [(0, 1), (1, 2), (2, 1), (1, 0), (0, 2), (2, 0)] {
        let mut cluster = Cluster::of(&overlays[from]);
        cluster.manager = "kubectl-client-side-apply";
        let mut changes = changes(&overlays[from], &overlays[to]);
        changes.sort_by_key(|it| it.1.map_or(1000, rank));
        for (old, new) in changes {
            let verdict = match (old, new) {
                (_, Some(new)) => cluster.apply(new),
                (Some(old), None) => cluster.delete(old),
                (None, None) => continue,
            };
            assert!(!verdict.is_denied(), "{from} to {to}: {:#?}", verdict.denials);
        }
    }
}
