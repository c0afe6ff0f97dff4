//! What was allowed is not believed before it exists: a write that fails shifts nobody's verdicts.

use super::cluster::Cluster;
use super::objects::{autoscaler, budget, deployment, ingress, quota, with, within};
use crate::webhook::support::{commit, request, review, rules};
use serde_json::Value;
use std::time::Instant;

/// Allows a request without ever storing what it writes, as where the API server answers 409.
fn allow(cluster: &mut Cluster, old: Option<&Value>, new: Option<&Value>) {
    let review = review(&request(old, new));
    let basis = cluster.state.snapshot();
    assert!(commit(&mut cluster.state, &basis, &review, Instant::now()));
}

#[test]
fn a_write_that_failed_excuses_nothing() {
    // The name of an Ingress that is there, posted again with another host: a 409.
    let theirs = ingress("theirs", "front", "front");
    let mut posted = theirs.clone();
    posted["spec"]["rules"][0]["host"] = "elsewhere.example.com".into();
    let mut cluster = Cluster::of(std::slice::from_ref(&theirs));
    let taken = request(None, Some(&ingress("shop", "front", "front")));
    assert!(cluster.ask(&taken).is_denied());
    allow(&mut cluster, None, Some(&posted));
    let verdict = cluster.ask(&taken);
    assert_eq!(rules(&verdict.denials), ["ingress-collision"].into());
    assert!(verdict.denials.iter().all(|it| !it.is_unconfirmed));

    // An autoscaler that was to shrink, and a budget that was to go.
    let (api, scaler) = (deployment("api", 3), autoscaler("api", "api", 2, 10));
    let mut cluster = Cluster::of(&[api.clone(), scaler.clone()]);
    allow(&mut cluster, None, Some(&autoscaler("api", "api", 2, 3)));
    assert!(cluster.ask(&request(None, Some(&quota(5)))).is_denied());
    let guard = budget("api", "web", 2);
    let mut cluster = Cluster::of(&[deployment("web", 3), guard.clone()]);
    allow(&mut cluster, Some(&guard.clone()), None);
    let shrunk = deployment("web", 2);
    let old = cluster.objects[0].clone();
    assert!(cluster.ask(&request(Some(&old), Some(&shrunk))).is_denied());
}

#[test]
fn a_write_that_is_to_come_counts_and_is_said_to_be_unconfirmed() {
    let mut cluster = Cluster::new();
    allow(&mut cluster, None, Some(&deployment("api", 2)));
    let guard = request(None, Some(&budget("api", "api", 2)));
    let verdict = cluster.ask(&guard);
    assert_eq!(rules(&verdict.denials), ["pdb-blocks-drain"].into());
    assert!(verdict.denials.iter().all(|it| it.is_unconfirmed));
    // Seen, it is a fact.
    cluster.force(&deployment("api", 2));
    let verdict = cluster.ask(&guard);
    assert!(verdict.is_denied() && verdict.denials.iter().all(|it| !it.is_unconfirmed));
    assert_eq!(cluster.state.pending(), 0);
}

#[test]
fn a_read_refutes_a_creation_of_what_is_there_at_once() {
    let theirs = ingress("theirs", "front", "front");
    let mut cluster = Cluster::of(std::slice::from_ref(&theirs));
    let posted = with(theirs, "annotations", "a", "b");
    allow(&mut cluster, None, Some(&posted));
    assert_eq!(cluster.state.pending(), 1);
    let key = review(&request(None, Some(&posted))).key;
    let stored = purlin_document(&cluster.objects[0]);
    let known = cluster.state.version(&key);
    cluster.state.observe_read(&key, (known, Instant::now()), Some(stored));
    assert_eq!(cluster.state.pending(), 0);
}

fn purlin_document(object: &Value) -> (purlin::load::Document, u64) {
    let version = object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
    (
        purlin::load::cluster::live::document(purlin::text::source::SourceId(0), object, "", ""),
        version,
    )
}

#[test]
fn a_write_elsewhere_makes_no_difference() {
    let mut cluster = Cluster::of(&[deployment("api", 2)]);
    allow(&mut cluster, None, Some(&within(deployment("api", 2), "blog")));
    let verdict = cluster.ask(&request(None, Some(&budget("api", "api", 2))));
    assert!(verdict.denials.iter().all(|it| !it.is_unconfirmed) && verdict.is_denied());
}
