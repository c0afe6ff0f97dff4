//! Annotations on one's own objects: they settle nothing with other people's.

use super::cluster::Cluster;
use super::objects::{budget, deployment, ingress, quota, with};
use crate::webhook::support::rules;
use purlin::policy::{Annotations, Policy};
use purlin::webhook::verdict::{Verdict, audit};
use serde_json::Value;

const IGNORE: &str = "purlin.dev/ignore.";

fn ignoring(object: Value, rule: &str) -> Value {
    with(object, "annotations", &format!("{IGNORE}{rule}"), "we know")
}

fn by(annotations: Annotations, there: &[Value], new: &Value) -> Verdict {
    let mut cluster = Cluster::of(there);
    let mut policy = Policy::default();
    policy.admission.annotations = annotations;
    cluster.policy = policy;
    cluster.apply(new)
}

/// What becomes of it: `deny`, `warn` or nothing.
fn outcome(verdict: &Verdict, rule: &str) -> &'static str {
    match verdict {
        it if rules(&it.denials).contains(rule) => "deny",
        it if rules(&it.warnings).contains(rule) => "warn",
        _ => "",
    }
}

#[test]
fn an_annotation_counts_as_far_as_the_policy_says() {
    let drain = "pdb-blocks-drain";
    let cases = [
        // One's own budget over one's own workload.
        (vec![deployment("api", 2)], ignoring(budget("api", "api", 2), drain), drain, "warn"),
        // Somebody's budget was there first.
        (vec![budget("api", "api", 2)], ignoring(deployment("api", 2), drain), drain, "deny"),
        // One's own was, as its labels say.
        (
            vec![with(budget("api", "api", 2), "labels", "app", "api")],
            with(ignoring(deployment("api", 2), drain), "labels", "app", "api"),
            drain,
            "warn",
        ),
        // The host of another tenant.
        (
            vec![ingress("theirs", "front", "front")],
            ignoring(ingress("shop", "front", "front"), "ingress-collision"),
            "ingress-collision",
            "deny",
        ),
        // A quota is nobody's own.
        (
            vec![quota(3)],
            ignoring(deployment("api", 5), "quota-below-hpa-max"),
            "quota-below-hpa-max",
            "deny",
        ),
        // Another release's workload.
        (
            vec![with(deployment("api", 2), "annotations", "meta.helm.sh/release-name", "other")],
            with(
                ignoring(budget("api", "api", 2), drain),
                "annotations",
                "meta.helm.sh/release-name",
                "mine",
            ),
            drain,
            "deny",
        ),
    ];
    for (there, new, rule, own) in cases {
        let found = |it| outcome(&by(it, &there, &new), rule);
        assert_eq!(found(Annotations::None), "deny", "{new:#}");
        assert_eq!(found(Annotations::Own), own, "{new:#}");
        assert_eq!(found(Annotations::All), "", "{new:#}");
    }
}

#[test]
fn the_annotations_of_other_tools_are_no_way_around_either() {
    let there = [budget("api", "api", 2)];
    for (key, value) in [
        ("ignore-check.kube-linter.io/pdb-min-available", "no"),
        ("kube-linter.io/ignore-all", "no"),
        ("polaris.fairwinds.com/pdbMinAvailableGreaterThanHPAMinReplicas-exempt", "true"),
        ("polaris.fairwinds.com/exempt", "true"),
    ] {
        let new = with(deployment("api", 2), "annotations", key, value);
        assert!(by(Annotations::Own, &there, &new).is_denied(), "{key}");
    }
}

#[test]
fn what_an_annotation_lets_through_is_reported() {
    let drain = "pdb-blocks-drain";
    let mut cluster = Cluster::of(&[deployment("api", 2)]);
    let verdict = cluster.apply(&ignoring(budget("api", "api", 2), drain));
    assert_eq!(outcome(&verdict, drain), "warn");
    let context = purlin::webhook::context::Context {
        rules: crate::webhook::support::rulebook(),
        policy: &cluster.policy,
        run: &purlin::run::Run::default(),
        own_account: None,
        now: crate::webhook::support::noon(),
    };
    let told = audit(&cluster.state.snapshot(), "shop", &context);
    assert!(rules(&told).contains(drain), "{told:#?}");
}
