//! Rules that are made while the program runs fit where the built-in ones do: in the policy, the check, exceptions,
//! annotations, reports and schemas.

use crate::support::{load_texts, run};
use crate::webhook::support::{noon, request, review};
use purlin::api::kind::Kind;
use purlin::check::{Outcome, Selection, check};
use purlin::model::{Model, Object};
use purlin::policy::Policy;
use purlin::policy_file;
use purlin::report::repository::Repository;
use purlin::report::{human, sarif};
use purlin::rule::{
    Admission, Check, Cx, Finding, Group, Out, Parameter, Preset, Rule, RuleSet, Severity,
};
use purlin::rules::built_in;
use purlin::webhook::context::Context;
use purlin::webhook::rulebook::Rulebook;
use purlin::webhook::state::State;
use purlin::webhook::subscriptions::is_subscribed;
use purlin::webhook::verdict::judge;
use serde_json::json;
use std::sync::Arc;

/// A rule whose id, words and parameters come from a text, as those of a user would.
fn made(id: &str) -> &'static Rule {
    let leak = |text: String| &*Box::leak(text.into_boxed_str());
    let default: &'static [&'static str] = vec![leak("team".into())].leak();
    let parameters =
        vec![Parameter { name: "label", about: "Which label has to be there.", default }];
    Box::leak(Box::new(Rule {
        id: leak(id.into()),
        title: leak(format!("what {id} asks for is not there")),
        severity: Severity::Warning,
        group: Group::Object,
        admission: Admission::Warn,
        presets: &[Preset::Recommended],
        reads: &[Kind::ConfigMap],
        like: vec![leak(format!("kube-linter:{id}"))].leak(),
        parameters: parameters.leak(),
        page: leak(format!("Says that {id} is not there.\n")),
        reads_images: None,
        checks: &[Check::World(unlabelled)],
    }))
}

fn unlabelled(cx: &Cx<'_, '_>, out: &mut Out) {
    let wanted = cx.parameter("label");
    let lacks = |it: &&Object<'_>| {
        let labels = it.field(&["metadata", "labels"]);
        wanted.iter().any(|label| labels.and_then(|it| it.get(label)).is_none())
    };
    for object in cx.model.objects().filter(lacks) {
        let message = format!("`{object}` has no label `{}`", wanted.join(", "));
        out.find(Finding::new(message, object.whole(), ""));
    }
}

const MAPS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: shop, labels: {team: x}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b, namespace: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: shop, annotations: {purlin.dev/ignore.owner-missing: nobody's}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: d, namespace: shop, annotations: {ignore-check.kube-linter.io/owner-missing: why not}}
";

fn rules() -> RuleSet {
    RuleSet::new(built_in().iter().chain([made("owner-missing")]))
}

fn policy(rules: &RuleSet, body: &str) -> Result<Policy, String> {
    let text: Arc<str> = format!("apiVersion: purlin.dev/v1alpha1\nkind: Policy\n{body}").into();
    let read = policy_file::read(&text, rules);
    read.map(|it| it.value).map_err(|it| it[0].message.clone())
}

fn judged<T>(policy: &Policy, then: impl FnOnce(&Model<'_>, &Outcome) -> T) -> T {
    let loaded = load_texts(&[("maps.yaml", MAPS)]);
    let model = Model::new(&loaded, "default");
    let selection = Selection { rules: rules(), ..Selection::default() };
    then(&model, &check(&model, policy, &run(), &selection))
}

fn said(policy: &Policy) -> Vec<String> {
    judged(policy, |_, outcome| {
        let line = |it: &Finding| format!("{:?} {}: {}", it.severity, it.rule, it.message);
        outcome.findings.iter().map(line).collect()
    })
}

#[test]
fn a_rule_of_the_run_is_judged_rated_and_accepted_as_any_other() {
    let said_of = |object: &str| {
        [format!("Some(Warning) owner-missing: `ConfigMap/shop/{object}` has no label `team`")]
    };
    assert_eq!(said(&Policy::default()), said_of("b"));
    let set = "rules: {owner-missing: {severity: error, label: [team, tier]}}\n\
               exceptions: [{rule: owner-missing, object: ConfigMap/shop/b, reason: old}]";
    let set = said(&policy(&rules(), set).unwrap());
    assert_eq!(set, ["Some(Error) owner-missing: `ConfigMap/shop/a` has no label `team, tier`",]);
    assert_eq!(
        said(&policy(&rules(), "rules: {owner-missing: off}").unwrap()),
        [
        // What accepts findings of a rule that is off accepts nothing of those that are run.
        ""; 0
    ]
    );
    assert_eq!(said(&policy(&rules(), "extends: invariants").unwrap()), [""; 0]);
}

#[test]
fn without_it_its_name_is_a_mistake() {
    let body = "rules: {owner-missing: error}";
    assert!(policy(&rules(), body).is_ok());
    assert_eq!(policy(built_in(), body).unwrap_err(), "unknown rule `owner-missing`");
    let wrong = policy(&rules(), "rules: {owner-missing: {lable: team}}").unwrap_err();
    assert_eq!(wrong, "unknown parameter of `owner-missing` `lable`");
    let schema = policy_file::schema(&rules());
    let setting = &schema["properties"]["rules"]["properties"]["owner-missing"];
    assert_eq!(setting["description"], "what owner-missing asks for is not there");
}

#[test]
fn reports_know_it() {
    judged(&Policy::default(), |model, outcome| {
        let text = sarif::render(model, outcome, &Repository::default());
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        let run = &report["runs"][0];
        let at = run["results"][0]["ruleIndex"].as_u64().unwrap() as usize;
        let rule = &run["tool"]["driver"]["rules"][at];
        assert_eq!(rule["id"], "owner-missing");
        assert_eq!(rule["help"]["text"], "Says that owner-missing is not there.\n");
        let style = human::Style { width: 80, colour: false, extent: human::Extent::Full };
        assert!(human::render(model, outcome, style).contains("warning[owner-missing]"));
    });
}

#[test]
fn the_webhook_judges_by_it() {
    let rules = RuleSet::new([made("owner-missing")]);
    let book = Rulebook::new(&rules);
    assert!(is_subscribed(&book, Kind::ConfigMap) && !is_subscribed(&book, Kind::Ingress));
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "b", "namespace": "shop"}});
    let review = review(&request(None, Some(&map)));
    let (policy, run) = (policy(&rules, "admission: {mode: enforce}").unwrap(), run());
    let context =
        Context { rules: &book, policy: &policy, run: &run, own_account: None, now: noon() };
    let verdict = judge(&State::new(&book).snapshot(), &review, &context);
    let told: Vec<_> = verdict.warnings.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(told, ["`ConfigMap/shop/b` has no label `team`"]);
}
