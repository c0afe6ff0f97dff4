//! Rules read no more than they declare: what is listed of a cluster follows from that.

use crate::rules::{WITHOUT_FIXTURES, world};
use crate::support::{fixture, load_paths, only, policy, with_loaded};
use purlin::api::kind::{Kind, group};
use purlin::check::needs;
use purlin::load::Loaded;
use purlin::rules::built_in;
use std::collections::BTreeSet;

/// What a rule finds in a folder, or in the part of it that holds the kinds that it declares.
fn found(loaded: &Loaded, rule: &'static str) -> BTreeSet<String> {
    let policy = policy(&fixture(&format!("rules/{rule}/purlin.yaml")));
    with_loaded(loaded, &policy, &only(rule), |model, outcome| {
        let findings = outcome.findings.iter().map(|it| it.message.clone());
        let unknown = outcome.unknown.iter();
        let unknown = unknown.map(|it| format!("{} {}", model.object(it.object), it.missing));
        findings.chain(unknown).collect()
    })
}

#[test]
fn a_rule_needs_only_the_kinds_that_it_declares() {
    let mut lacking = Vec::new();
    let mut compared = 0;
    // A cluster holds an object once, has no text, took what it holds, and has every namespace that something is in, so
    // these find nothing there.
    let of_texts = [
        "deprecated-api",
        "duplicate-key",
        "duplicate-object",
        "invalid-field",
        "invalid-schema",
        "namespace-missing",
        "removed-api",
    ];
    let tested = built_in().iter().filter(|it| !WITHOUT_FIXTURES.contains(&it.id));
    for rule in tested.filter(|it| !of_texts.contains(&it.id)) {
        let needed = needs::kinds([rule]);
        let is_needed = |version: &str, kind: &str| needed.has(Kind::of(group(version), kind));
        for world in ["bad", "good"].map(|it| world(rule, it)) {
            let loaded = load_paths(std::slice::from_ref(&world));
            let whole = found(&loaded, rule.id);
            let mut part = load_paths(std::slice::from_ref(&world));
            part.documents.retain(|it| {
                let root = it.tree.root();
                let (version, kind) = (root.text("apiVersion"), root.text("kind"));
                let (version, kind) = (version.unwrap_or_default(), kind.unwrap_or_default());
                kind.ends_with("List") || is_needed(version, kind)
            });
            let part = found(&part, rule.id);
            compared += whole.len();
            if whole != part {
                let differ: Vec<_> = whole.symmetric_difference(&part).take(3).collect();
                lacking.push(format!("{}: {differ:#?}", world.display()));
            }
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
    assert!(compared > 100, "{compared}");
}
