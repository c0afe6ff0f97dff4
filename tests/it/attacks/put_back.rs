//! Back to where it was is always allowed: what is broken already is no reason to deny it.

use super::cluster::Cluster;
use super::objects::{autoscaler, budget, deployment, quota, scale};
use crate::webhook::support::{noon, request, rulebook, rules};
use jiff::SignedDuration;
use purlin::webhook::context::Context;
use purlin::webhook::past::Gone;
use purlin::webhook::verdict::settled;
use serde_json::Value;

/// A world in which a budget keeps all pods already.
fn broken() -> [Value; 2] {
    [deployment("api", 2), budget("api", "api", 2)]
}

fn scaled(cluster: &mut Cluster, replicas: u64) -> bool {
    let api = cluster.objects.iter().find(|it| it["kind"] == "Deployment").unwrap().clone();
    if cluster.ask(&scale(&api, replicas)).is_denied() {
        return false;
    }
    let mut api = api;
    api["spec"]["replicas"] = replicas.into();
    cluster.force(&api);
    true
}

#[test]
fn a_workload_is_scaled_to_nothing_and_back() {
    let mut cluster = Cluster::of(&broken());
    assert!(scaled(&mut cluster, 0));
    assert!(!scaled(&mut cluster, 1), "another number is judged as ever");
    assert!(scaled(&mut cluster, 2));
    assert!(!scaled(&mut cluster, 1));
    // To nothing where a budget would mind.
    let mut cluster = Cluster::of(&[deployment("api", 3), budget("api", "api", 2)]);
    assert!(scaled(&mut cluster, 0));
    assert!(scaled(&mut cluster, 3));
    // By an update of the object, with whatever else it brings.
    let mut cluster = Cluster::of(&broken());
    assert!(!cluster.apply(&deployment("api", 0)).is_denied());
    let mut back = deployment("api", 2);
    back["spec"]["template"]["spec"]["containers"][0]["image"] =
        "registry.example.com/app:2".into();
    assert!(!cluster.apply(&back).is_denied());
}

/// The same of every kind that is scaled.
#[test]
fn whatever_is_scaled_goes_off_and_on() {
    for (version, kind) in [
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("v1", "ReplicationController"),
        ("argoproj.io/v1alpha1", "Rollout"),
    ] {
        let workload = |replicas: u64| {
            let mut it = deployment("api", replicas);
            (it["apiVersion"], it["kind"]) = (version.into(), kind.into());
            if kind == "ReplicationController" {
                it["spec"]["selector"] = serde_json::json!({"app": "api"});
            }
            it
        };
        let mut cluster = Cluster::of(&[workload(2), budget("api", "api", 2), quota(1)]);
        for replicas in [0, 2, 0, 2] {
            let verdict = cluster.apply(&workload(replicas));
            assert!(!verdict.is_denied(), "{kind} {replicas}: {:#?}", verdict.denials);
        }
        // On, and to another number in one step.
        assert!(!cluster.apply(&workload(0)).is_denied());
        assert!(cluster.apply(&workload(1)).is_denied(), "{kind}");
    }
}

/// A ScaledObject says nothing of its least, or none: KEDA activates to one.
#[test]
fn keda_activates_from_nothing() {
    for least in [None, Some(0), Some(1), Some(3)] {
        let mut scaled_object = serde_json::json!({
            "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
            "metadata": {"name": "api", "namespace": "shop"},
            "spec": {"scaleTargetRef": {"name": "api"}, "maxReplicaCount": 9,
                "triggers": [{"type": "kafka", "metadata": {}}]},
        });
        if let Some(least) = least {
            scaled_object["spec"]["minReplicaCount"] = least.into();
        }
        let mut cluster =
            Cluster::of(&[deployment("api", 0), budget("api", "api", 3), scaled_object]);
        let on = least.unwrap_or(0).max(1);
        assert!(scaled(&mut cluster, on), "{least:?}");
        assert!(scaled(&mut cluster, 0), "{least:?}");
        assert!(scaled(&mut cluster, on), "{least:?}");
    }
}

#[test]
fn an_autoscaler_switches_a_workload_on() {
    let mut cluster = Cluster::of(&[
        deployment("api", 0),
        budget("api", "api", 1),
        autoscaler("keda-hpa-api", "api", 1, 9),
    ]);
    assert!(scaled(&mut cluster, 1), "the least of its autoscaler");
}

#[test]
fn what_was_deleted_may_come_back_no_worse() {
    for recreate in [budget("api", "api", 2), budget("api", "api", 1)] {
        let mut cluster = Cluster::of(&broken());
        assert!(!cluster.delete(&budget("api", "api", 2)).is_denied());
        assert!(!cluster.apply(&recreate).is_denied(), "{recreate}");
    }
    let mut cluster = Cluster::of(&broken());
    cluster.delete(&budget("api", "api", 2));
    assert!(cluster.apply(&budget("api", "api", 3)).is_denied(), "worse");
    assert!(cluster.apply(&budget("other", "api", 2)).is_denied(), "another one");
    // The same of an autoscaler over a quota.
    let (scaler, wider) = (autoscaler("api", "api", 3, 9), autoscaler("api", "api", 3, 12));
    let mut cluster = Cluster::of(&[deployment("api", 3), scaler.clone(), quota(5)]);
    cluster.delete(&scaler);
    assert_eq!(rules(&cluster.apply(&wider).denials), ["quota-below-hpa-max"].into());
    assert!(!cluster.apply(&scaler).is_denied());
}

#[test]
fn what_others_changed_since_is_no_excuse() {
    let mut cluster = Cluster::of(&[deployment("api", 3), budget("api", "api", 2)]);
    assert!(!cluster.delete(&deployment("api", 3)).is_denied());
    assert!(!cluster.apply(&budget("api", "api", 3)).is_denied());
    assert!(cluster.apply(&deployment("api", 3)).is_denied(), "the budget is another by now");
    let mut cluster = Cluster::of(&broken());
    cluster.delete(&budget("api", "api", 2));
    cluster.force(&deployment("api", 1));
    let back = cluster.apply(&budget("api", "api", 3));
    assert!(back.is_denied() || !back.warnings.is_empty(), "there are fewer pods by now");
}

#[test]
fn it_may_come_back_before_a_watch_shows_that_it_went() {
    let cluster = Cluster::of(&broken());
    let mut state = cluster.state;
    let old = cluster.objects[1].clone();
    let now = std::time::Instant::now();
    // `kubectl replace --force`.
    let deletion = request(Some(&old), None);
    assert!(!crate::webhook::support::submit(&mut state, &deletion, now).is_denied());
    let creation = request(None, Some(&budget("api", "api", 2)));
    assert!(!crate::webhook::support::verdict(&state, &creation).is_denied());
}

#[test]
fn after_a_day_it_is_new() {
    let mut cluster = Cluster::of(&broken());
    let now = noon();
    cluster.state.set_time(now - SignedDuration::from_hours(25));
    cluster.delete(&budget("api", "api", 2));
    assert!(cluster.apply(&budget("api", "api", 2)).is_denied());
    let mut policy = purlin::policy::Policy::default();
    policy.admission.recreate = Some(SignedDuration::from_hours(48));
    cluster.policy = policy;
    assert!(!cluster.apply(&budget("api", "api", 2)).is_denied());
}

#[test]
fn an_autoscaler_that_makes_nothing_worse_is_taken() {
    let mut cluster = Cluster::of(&broken());
    assert!(!cluster.apply(&autoscaler("api", "api", 2, 9)).is_denied());
    let mut cluster = Cluster::of(&broken());
    assert!(cluster.apply(&autoscaler("api", "api", 1, 9)).is_denied(), "it takes pods away");
}

#[test]
fn the_past_outlives_a_restart() {
    let mut cluster = Cluster::of(&broken());
    cluster.delete(&budget("api", "api", 2));
    assert!(scaled(&mut cluster, 0));
    let gone = cluster.state.take_gone();
    let policy = purlin::policy::Policy::default();
    let context = Context {
        rules: rulebook(),
        policy: &policy,
        run: &purlin::run::Run::default(),
        own_account: None,
        now: noon(),
    };
    let snapshot = cluster.state.snapshot();
    let settled = gone.iter().filter_map(|it| settled(&snapshot, it, &context));
    let stored: Vec<String> = settled.filter_map(|it| Some(it.to_json()?.to_string())).collect();
    assert_eq!(stored.len(), 2, "{stored:?}");
    assert!(cluster.state.take_gone().is_empty());

    let read =
        |it: &String| Gone::of_json(rulebook().set(), &serde_json::from_str(it).unwrap()).unwrap();
    let past = || stored.iter().map(read);
    let mut restarted = Cluster::of(&[deployment("api", 0), budget("guard", "api", 2)]);
    assert!(!scaled(&mut restarted, 2));
    past().for_each(|it| restarted.state.remember(it));
    assert!(scaled(&mut restarted, 2));
    let mut restarted = Cluster::of(&[deployment("api", 2)]);
    assert!(restarted.apply(&budget("api", "api", 2)).is_denied());
    past().for_each(|it| restarted.state.remember(it));
    assert!(!restarted.apply(&budget("api", "api", 2)).is_denied());
}
