//! What is known of the cluster: writes that were allowed and not seen yet, watches that lag, and requests at once.

use super::support::{
    cluster, commit, observe, observe_deletion, request, review, rulebook, rules, submit, verdict,
    verdict_by,
};
use purlin::api::kind::Kind;
use purlin::load::cluster::live;
use purlin::policy::Policy;
use purlin::text::source::SourceId;
use purlin::webhook::overlay::{DOUBT, EXPIRY, MOST, MOST_OF_NAMESPACE};
use purlin::webhook::state::State;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Instant;

fn deployment(replicas: u64) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "api", "namespace": "shop"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "api"}},
            "template": {"metadata": {"labels": {"app": "api"}},
                "spec": {"containers": [{"name": "api", "image": "registry.example.com/api:1"}]}}}})
}

fn budget() -> Value {
    json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "api", "namespace": "shop"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "api"}}}})
}

fn at(mut object: Value, version: u64) -> Value {
    object["metadata"]["resourceVersion"] = version.to_string().into();
    object
}

const BLOCKED: &[&str] = &["pdb-blocks-drain"];

fn denied(state: &State, request: &Value) -> BTreeSet<&'static str> {
    rules(&verdict(state, request).denials)
}

#[test]
fn an_allowed_write_counts_before_a_watch_shows_it() {
    let mut state = cluster(&[]);
    let now = Instant::now();
    let create = request(None, Some(&deployment(2)));
    assert!(!submit(&mut state, &create, now).is_denied());
    assert_eq!(state.pending(), 1);
    let next = request(None, Some(&budget()));
    assert_eq!(denied(&state, &next), BTreeSet::from_iter(BLOCKED.iter().copied()));

    // A quota may have refused it after all, so it is not believed in for ever.
    expire(&mut state, now + EXPIRY / 2);
    assert_eq!(state.pending(), 1);
    expire(&mut state, now + EXPIRY);
    assert_eq!(state.pending(), 0);
    assert!(denied(&state, &next).is_empty());
    assert!(state.snapshot().is_empty());
}

/// Takes back what has expired, as the server does.
fn expire(state: &mut State, now: Instant) {
    let expired: Vec<_> = state.unseen(EXPIRY, now).map(|(_, key)| key.clone()).collect();
    expired.iter().for_each(|it| state.forget(it));
}

#[test]
fn a_write_that_a_read_does_not_show_is_taken_back_when_it_is_doubtful() {
    let now = Instant::now();
    let next = request(None, Some(&budget()));
    let key = review(&request(None, Some(&deployment(2)))).key;

    // A creation.
    let mut state = cluster(&[]);
    assert!(!submit(&mut state, &request(None, Some(&deployment(2))), now).is_denied());
    assert_eq!(state.unseen(DOUBT, now + DOUBT / 2).count(), 0);
    assert_eq!(state.unseen(DOUBT, now + DOUBT).count(), 1);
    // It may be under way still.
    observe_deletion(&mut state, &deployment(2));
    state.doubt(&key, now + DOUBT / 2);
    assert!(!denied(&state, &next).is_empty());
    state.doubt(&key, now + DOUBT);
    assert!(denied(&state, &next).is_empty());
    assert_eq!((state.pending(), state.unseen(DOUBT, now + DOUBT).count()), (0, 0));

    // A change, of which the read shows what it was to change.
    let (old, new) = (at(deployment(3), 10), at(deployment(2), 10));
    let mut state = cluster(std::slice::from_ref(&old));
    assert!(!submit(&mut state, &request(Some(&old), Some(&new)), now).is_denied());
    observe(&mut state, &old);
    assert!(!denied(&state, &next).is_empty());
    state.doubt(&key, now + DOUBT);
    assert!(denied(&state, &next).is_empty());

    // A deletion.
    let budget_at = at(budget(), 11);
    let mut state = cluster(&[old.clone(), budget_at.clone()]);
    let shrink = request(Some(&old), Some(&new));
    assert!(!submit(&mut state, &request(Some(&budget_at), None), now).is_denied());
    assert_eq!(state.snapshot().len(), 1);
    observe(&mut state, &budget_at);
    state.doubt(&review(&next).key, now + DOUBT);
    assert_eq!(state.snapshot().len(), 2);
    assert!(!denied(&state, &shrink).is_empty());
}

#[test]
fn the_same_request_again_is_answered_alike() {
    let mut state = cluster(&[]);
    let now = Instant::now();
    let (create, next) = (request(None, Some(&deployment(2))), request(None, Some(&budget())));
    for _ in 0..2 {
        assert!(!submit(&mut state, &create, now).is_denied());
        assert_eq!(state.pending(), 1);
        assert!(submit(&mut state, &next, now).is_denied());
    }
}

#[test]
fn what_changes_nothing_is_not_waited_for() {
    let old = at(deployment(3), 10);
    let mut state = cluster(std::slice::from_ref(&old));
    assert!(!submit(&mut state, &request(Some(&old), Some(&old)), Instant::now()).is_denied());
    assert_eq!(state.pending(), 0);
}

#[test]
fn what_a_watch_still_tells_of_a_deleted_object_does_not_undo_the_new_one() {
    let (three, two) = (at(deployment(3), 10), at(deployment(2), 0));
    let mut state = cluster(std::slice::from_ref(&three));
    let now = Instant::now();
    let scaled = at(deployment(4), 10);
    assert!(!submit(&mut state, &request(Some(&three), Some(&scaled)), now).is_denied());
    let scaled = at(deployment(4), 11);
    assert!(!submit(&mut state, &request(Some(&scaled), None), now).is_denied());
    assert!(!submit(&mut state, &request(None, Some(&two)), now).is_denied());
    let next = request(None, Some(&budget()));
    for late in [&three, &scaled] {
        observe(&mut state, late);
        assert!(!denied(&state, &next).is_empty(), "{late}");
    }
    observe_deletion(&mut state, &scaled);
    assert!(!denied(&state, &next).is_empty());
    observe(&mut state, &at(deployment(2), 13));
    assert_eq!(state.pending(), 0);
    assert!(!denied(&state, &next).is_empty());
}

#[test]
fn a_namespace_that_was_emptied_and_filled_again_is_another() {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "shop"}, "data": {}});
    let mut state = cluster(&[at(map.clone(), 9)]);
    let basis = state.snapshot();
    let create = review(&request(None, Some(&budget())));
    observe_deletion(&mut state, &map);
    observe(&mut state, &at(deployment(2), 10));
    assert!(!commit(&mut state, &basis, &create, Instant::now()));
}

#[test]
fn a_dry_run_is_judged_and_not_entered() {
    let mut state = cluster(&[]);
    let mut create = request(None, Some(&deployment(2)));
    create["request"]["dryRun"] = true.into();
    assert!(!submit(&mut state, &create, Instant::now()).is_denied());
    assert_eq!(state.pending(), 0);
    assert!(state.snapshot().is_empty());
}

#[test]
fn a_watch_that_lags_does_not_undo_an_allowed_write() {
    let (old, new) = (at(deployment(3), 10), at(deployment(2), 10));
    let mut state = cluster(std::slice::from_ref(&old));
    let now = Instant::now();
    assert!(!submit(&mut state, &request(Some(&old), Some(&new)), now).is_denied());
    let next = request(None, Some(&budget()));
    assert!(!denied(&state, &next).is_empty());
    // The version that the write was based on comes late: nothing new.
    observe(&mut state, &old);
    assert_eq!(state.pending(), 1);
    assert!(!denied(&state, &next).is_empty());
    // Somebody else's write came first, so the API server has refused or repeated ours.
    observe(&mut state, &at(deployment(4), 11));
    assert_eq!(state.pending(), 0);
    assert!(denied(&state, &next).is_empty());
    // And what is older still says nothing.
    observe(&mut state, &old);
    assert!(denied(&state, &next).is_empty());
}

#[test]
fn what_is_taken_back_is_what_the_watches_said_last() {
    let mut state = cluster(&[at(deployment(3), 10)]);
    let now = Instant::now();
    let old = at(deployment(3), 12);
    let new = at(deployment(5), 12);
    assert!(!submit(&mut state, &request(Some(&old), Some(&new)), now).is_denied());
    // The watch reaches what the write was based on.
    observe(&mut state, &old);
    expire(&mut state, now + EXPIRY);
    let key = &review(&request(Some(&old), Some(&new))).key;
    let snapshot = state.snapshot();
    let entry = snapshot.get(key).unwrap();
    let replicas = entry.document.tree.root().at(&["spec", "replicas"]).and_then(|it| it.int());
    assert_eq!((entry.version, replicas), (12, Some(3)));
}

#[test]
fn a_deletion_excuses_nothing_before_it_is_seen_and_a_new_object_of_the_name_outlives_it() {
    let (deployment_3, budget_at) = (at(deployment(3), 10), at(budget(), 11));
    let mut state = cluster(&[deployment_3.clone(), budget_at.clone()]);
    let shrink = request(Some(&deployment_3), Some(&at(deployment(2), 10)));
    assert!(!denied(&state, &shrink).is_empty());
    let now = Instant::now();
    assert!(!submit(&mut state, &request(Some(&budget_at), None), now).is_denied());
    assert!(!denied(&state, &shrink).is_empty(), "it may not come about");
    // Another budget of the same name, before the watch tells of the deletion.
    assert!(!submit(&mut state, &request(None, Some(&budget())), now).is_denied());
    observe_deletion(&mut state, &budget_at);
    assert!(!denied(&state, &shrink).is_empty());
    observe(&mut state, &at(budget(), 12));
    assert_eq!(state.pending(), 0);
    assert!(!denied(&state, &shrink).is_empty());
    observe_deletion(&mut state, &budget());
    assert!(denied(&state, &shrink).is_empty());
}

#[test]
fn a_verdict_on_what_has_changed_since_is_not_entered() {
    let mut state = cluster(&[]);
    let basis = state.snapshot();
    let create = review(&request(None, Some(&budget())));
    observe(&mut state, &at(deployment(2), 10));
    assert!(!commit(&mut state, &basis, &create, Instant::now()));
    // What happens in another namespace is of no concern.
    let basis = state.snapshot();
    let mut elsewhere = at(deployment(2), 11);
    elsewhere["metadata"]["namespace"] = "blog".into();
    observe(&mut state, &elsewhere);
    assert!(commit(&mut state, &basis, &create, Instant::now()));
    state.forget(&create.key);
    // Nor is a change of the status, which no rule reads.
    let basis = state.snapshot();
    let mut ready = at(deployment(2), 12);
    ready["status"] = json!({"readyReplicas": 2});
    observe(&mut state, &ready);
    assert!(commit(&mut state, &basis, &create, Instant::now()));
}

#[test]
fn a_host_that_another_namespace_takes_meanwhile_is_judged_again() {
    let ingress = |namespace: &str| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {"rules": [{"host": "shop.example.com", "http": {"paths": [
                {"path": "/", "pathType": "Prefix", "backend":
                    {"service": {"name": "web", "port": {"number": 80}}}}]}}]}})
    };
    let mut state = cluster(&[]);
    let basis = state.snapshot();
    let create = request(None, Some(&ingress("shop")));
    assert!(denied(&state, &create).is_empty());
    assert!(
        !submit(&mut state, &request(None, Some(&ingress("blog"))), Instant::now()).is_denied()
    );
    assert!(!commit(&mut state, &basis, &review(&create), Instant::now()));
    assert_eq!(denied(&state, &create), BTreeSet::from(["ingress-collision"]));
}

/// A client comes while a policy in the namespace of what it calls is changed: of the two the later one is judged with
/// the earlier one in place.
#[test]
fn a_client_in_another_namespace_that_comes_meanwhile_is_judged_again() {
    let policy = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "db", "namespace": "data"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}});
    let client = |url: &str| {
        let mut object = deployment(3);
        object["metadata"]["namespace"] = "shop".into();
        let env = json!([{"name": "DB_URL", "value": url}]);
        object["spec"]["template"]["spec"]["containers"][0]["env"] = env;
        request(None, Some(&object))
    };
    let outside = client("http://db.data.svc:5432");
    for (first, second) in
        [(&request(None, Some(&policy)), &outside), (&outside, &request(None, Some(&policy)))]
    {
        let mut state = cluster(&[]);
        let basis = state.snapshot();
        assert!(commit(&mut state, &basis, &review(first), Instant::now()));
        assert!(!commit(&mut state, &basis, &review(second), Instant::now()));
    }
    // Who calls nobody elsewhere is not judged again for it.
    let mut state = cluster(&[]);
    let basis = state.snapshot();
    assert!(commit(&mut state, &basis, &review(&request(None, Some(&policy))), Instant::now()));
    assert!(commit(&mut state, &basis, &review(&client("http://db:5432")), Instant::now()));
}

#[test]
fn no_more_writes_are_remembered_than_there_is_room_for() {
    let mut state = cluster(&[]);
    let now = Instant::now();
    for at in 0..MOST + 5 {
        let mut object = deployment(3);
        object["metadata"]["namespace"] = format!("shop-{}", at % 200).into();
        object["metadata"]["name"] = format!("api-{at}").into();
        let basis = state.snapshot();
        assert!(commit(&mut state, &basis, &review(&request(None, Some(&object))), now));
    }
    assert_eq!(state.pending(), MOST);
    assert_eq!(state.snapshot().len(), MOST);
    expire(&mut state, now + EXPIRY);
    assert!(state.snapshot().is_empty());
}

#[test]
fn of_one_namespace_fewer_are_remembered() {
    let mut state = cluster(&[]);
    let now = Instant::now();
    for at in 0..MOST_OF_NAMESPACE + 5 {
        let mut object = deployment(3);
        object["metadata"]["name"] = format!("api-{at}").into();
        let basis = state.snapshot();
        assert!(commit(&mut state, &basis, &review(&request(None, Some(&object))), now));
    }
    assert_eq!(state.pending(), MOST_OF_NAMESPACE);
    let is_known =
        |at: usize| state.unseen(DOUBT, now + DOUBT).any(|it| *it.1.name == *format!("api-{at}"));
    assert!(!is_known(4) && is_known(5), "the oldest go first");
}

#[test]
fn of_two_that_exclude_each_other_one_is_allowed() {
    let policy = Policy::default();
    for _ in 0..100 {
        let state = Mutex::new(cluster(&[]));
        let answer = |request: &Value| {
            let review = review(request);
            loop {
                let basis = state.lock().unwrap().snapshot();
                let judged = {
                    let now = "2026-06-01T12:00:00Z".parse().unwrap();
                    let context = purlin::webhook::context::Context {
                        rules: rulebook(),
                        policy: &policy,
                        run: &purlin::run::Run::default(),
                        own_account: None,
                        now,
                    };
                    purlin::webhook::verdict::judge(&basis, &review, &context)
                };
                let mut state = state.lock().unwrap();
                if judged.is_denied()
                    || state.commit(&basis, &review, &judged.change, Instant::now())
                {
                    return !judged.is_denied();
                }
            }
        };
        let (a, b) = (request(None, Some(&deployment(2))), request(None, Some(&budget())));
        let allowed = std::thread::scope(|scope| {
            let threads = [&a, &b].map(|it| scope.spawn(|| answer(it)));
            threads.map(|it| it.join().unwrap())
        });
        assert_eq!(allowed.iter().filter(|it| **it).count(), 1);
    }
}

#[test]
fn a_list_takes_out_what_it_does_not_hold() {
    let mut state = cluster(&[at(deployment(2), 10)]);
    let mut other = at(deployment(2), 11);
    other["metadata"]["name"] = "worker".into();
    let document = live::document(SourceId(0), &other, "", "");
    state.observe_list(Kind::Deployment, "", vec![(document, 11)]);
    let names: Vec<_> = state.snapshot().iter().map(|it| it.key.to_string()).collect();
    assert_eq!(names, ["Deployment/shop/worker"]);
}

#[test]
fn what_a_controller_makes_is_not_kept() {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "api-1", "namespace": "shop"}, "spec": {"containers": []}});
    let state = cluster(std::slice::from_ref(&pod));
    assert_eq!(state.snapshot().len(), 1);
    pod["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "api", "controller": true}]);
    assert!(cluster(std::slice::from_ref(&pod)).snapshot().is_empty());
    // Of this controller nothing else tells.
    pod["metadata"]["ownerReferences"][0]["kind"] = "StrimziPodSet".into();
    pod["metadata"]["ownerReferences"][0]["apiVersion"] = "core.strimzi.io/v1beta2".into();
    assert_eq!(cluster(&[pod]).snapshot().len(), 1);
}

#[test]
fn what_was_not_read_in_full_is_not_absent() {
    let mut state = cluster(&[]);
    let mut needy = deployment(3);
    needy["spec"]["template"]["spec"]["containers"][0]["envFrom"] =
        json!([{"configMapRef": {"name": "settings"}}]);
    let create = request(None, Some(&needy));
    let is_told = |state: &State| {
        let found = verdict_by(state, &review(&create), &Policy::default());
        rules(&found.warnings).contains("missing-config-map")
    };
    assert!(is_told(&state));
    state.set_complete(Kind::ConfigMap, false);
    assert!(!is_told(&state));
}
