//! What holds of every verdict: a request that only removes findings is never denied, whatever the world is like.

use super::support::{cluster, observe, request, verdict};
use proptest::prelude::*;
use purlin::api::kind::Kinds;
use purlin::check;
use purlin::finding::Finding;
use purlin::model::Model;
use purlin::policy::Policy;
use purlin::rules::built_in;
use purlin::run::Run;
use purlin::webhook::state::State;
use purlin::webhook::world::worlds;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A namespace with two workloads, told by numbers; 0 mostly leaves an object out.
#[derive(Clone, Debug)]
struct Scene {
    replicas: [u8; 2],
    cpu: [u8; 2],
    budget: [u8; 2],
    most: [u8; 2],
    quota: u8,
    limit: u8,
}

fn scenes() -> impl Strategy<Value = Scene> {
    let few = || [0u8..5, 0u8..5];
    (few(), few(), few(), few(), 0u8..24, 0u8..4).prop_map(
        |(replicas, cpu, budget, most, quota, limit)| Scene {
            replicas,
            cpu,
            budget,
            most,
            quota,
            limit,
        },
    )
}

fn object(version: &str, kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": version, "kind": kind,
        "metadata": {"name": name, "namespace": "shop", "resourceVersion": "5"}, "spec": spec})
}

impl Scene {
    fn objects(&self) -> Vec<Value> {
        let mut objects = Vec::new();
        for (at, name) in ["api", "worker"].into_iter().enumerate() {
            let cpu = match self.cpu[at] {
                0 => json!({}),
                it => json!({"requests": {"cpu": it.to_string()}, "limits": {"cpu": "3"}}),
            };
            objects.push(object(
                "apps/v1",
                "Deployment",
                name,
                json!({
                "replicas": self.replicas[at], "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [
                    {"name": "app", "image": "registry.example.com/app:1", "resources": cpu}]}}}),
            ));
            if self.budget[at] > 0 {
                objects.push(object(
                    "policy/v1",
                    "PodDisruptionBudget",
                    name,
                    json!({
                    "minAvailable": self.budget[at], "selector": {"matchLabels": {"app": name}}}),
                ));
            }
            if self.most[at] > 0 {
                objects.push(object(
                    "autoscaling/v2",
                    "HorizontalPodAutoscaler",
                    name,
                    json!({
                    "minReplicas": 2, "maxReplicas": self.most[at], "scaleTargetRef":
                        {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}}),
                ));
            }
        }
        if self.quota > 0 {
            let hard = json!({"hard": {"requests.cpu": self.quota.to_string()}});
            objects.push(object("v1", "ResourceQuota", "compute", hard));
        }
        if self.limit > 0 {
            let limits = json!({"limits": [{"type": "Container",
                "max": {"cpu": self.limit.to_string()}}]});
            objects.push(object("v1", "LimitRange", "limits", limits));
        }
        objects
    }
}

/// What is wrong in the namespace, by rule, severity and text, and by how much.
fn wrong(state: &State) -> BTreeSet<String> {
    let snapshot = state.snapshot();
    let Some(first) = snapshot.iter().next() else { return BTreeSet::new() };
    let worlds = worlds(&snapshot, &first.key, None, Some(first.clone()), Kinds::ALL);
    let object = worlds.after.as_deref().map(|it| (it, None));
    let model =
        Model::of_read(&worlds.loaded, worlds.others.iter().copied().chain(object), "default");
    let findings = check::findings(
        &model,
        &Policy::default(),
        &Run::default(),
        &built_in().iter().collect::<Vec<_>>(),
    );
    let text = |it: &Finding| format!("{} {:?} {} {:?}", it.rule, it.severity, it.message, it.over);
    findings.iter().map(text).collect()
}

fn name(object: &Value) -> (&Value, &Value) {
    (&object["kind"], &object["metadata"]["name"])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_only_removes_findings_is_never_denied(before in scenes(), after in scenes()) {
        let (before, after) = (before.objects(), after.objects());
        let mut state = cluster(&before);
        for new in &after {
            let old = before.iter().find(|it| name(it) == name(new));
            let was_wrong = wrong(&state);
            let asked = request(old, Some(new));
            let verdict = verdict(&state, &asked);
            observe(&mut state, &{
                let mut new = new.clone();
                new["metadata"]["resourceVersion"] = "9".into();
                new
            });
            let is_wrong = wrong(&state);
            if is_wrong.is_subset(&was_wrong) {
                prop_assert!(!verdict.is_denied(), "{asked}\n{:#?}", verdict.denials);
            }
        }
    }

    #[test]
    fn an_overrun_that_shrinks_is_never_denied(mut scene in scenes(), less in 1u8..4, more in 0u8..9) {
        scene.quota = scene.quota.max(1);
        scene.most = [5, 5];
        let before = scene.objects();
        scene.most[0] -= less;
        scene.quota += more;
        let after = scene.objects();
        let mut state = cluster(&before);
        for (old, new) in before.iter().zip(&after).filter(|(old, new)| old != new) {
            let verdict = verdict(&state, &request(Some(old), Some(new)));
            let of_quota: Vec<_> =
                verdict.denials.iter().filter(|it| it.rule.starts_with("quota-")).collect();
            prop_assert!(of_quota.is_empty(), "{of_quota:#?}");
            observe(&mut state, new);
        }
    }
}
