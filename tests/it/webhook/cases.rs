//! Every case of `fixtures/admission`: a cluster, a request to it, and the answer.

use super::support::{cluster_of, verdict_by};
use crate::support::{fixture, policy, snapshot};
use purlin::policy::Preset;
use purlin::webhook::review::Review;
use std::fs;

#[test]
fn every_case_is_answered_as_it_says() {
    let mut cases: Vec<_> =
        fs::read_dir(fixture("admission")).unwrap().map(|it| it.unwrap().path()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    for case in cases {
        let read = |file: &str| fs::read_to_string(case.join(file)).unwrap();
        let state = cluster_of(&read("cluster.yaml"));
        let review = Review::parse(read("request.json").as_bytes())
            .unwrap_or_else(|it| panic!("{}: {it}", case.display()));
        let mut policy = policy(&case.join("purlin.yaml"));
        // They are about what objects do to each other; advice about single ones is tested where its rules are.
        if policy.extends.is_empty() {
            policy.extends.push(Preset::Invariants);
        }
        let verdict = verdict_by(&state, &review, &policy);
        let answer: serde_json::Value =
            serde_json::from_slice(&verdict.answer(&review.uid)).unwrap();
        let answer = serde_json::to_string_pretty(&answer).unwrap();
        snapshot(&case.join("response.json"), &format!("{answer}\n"));
    }
}
