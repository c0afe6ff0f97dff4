//! The architecture documents of the reference systems: what each says as documented against itself, and that its repair
//! holds, by itself and against the repaired manifests.
//!
//! `# expect: RULE …` at a line of a document as documented marks the findings whose primary place is there.

use super::texts;
use crate::support::{fixture, load_texts, with_promises};
use purlin::analyze::Facts;
use purlin::check::Selection;
use purlin::check::locate::Locator;
use purlin::extract;
use purlin::load;
use purlin::load::read::yaml;
use purlin::load::read::yaml::Syntax;
use purlin::model::Model;
use purlin::policy::Policy;
use purlin::rule::{Finding, Group, Severity};
use purlin::rules;
use purlin::text::tree::Node;
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

const SYSTEMS: [&str; 5] =
    ["driveline", "feastflow", "healthcare-cloud", "healthcare-onprem", "yt-video-creator"];

/// The worlds of repaired manifests that a repaired document is for.
const REPAIRED: [(&str, &str); 5] = [
    ("driveline", "driveline/repaired"),
    ("feastflow", "feastflow/repaired"),
    ("healthcare-cloud", "healthcare-cloud/repaired.rendered/production"),
    ("healthcare-onprem", "healthcare-onprem/repaired"),
    ("yt-video-creator", "yt-video-creator/repaired"),
];

/// Whether a finding is about what lies across statements; rules of single objects have tests of their own.
fn is_told(finding: &Finding) -> bool {
    let group = rules::built_in().find(finding.rule).map(|it| it.group);
    finding.severity >= Some(Severity::Warning)
        && !matches!(group, Some(Group::Object | Group::Security | Group::Access))
}

fn document(system: &str, which: &str) -> String {
    fs::read_to_string(fixture(&format!("systems/{system}/architecture/{which}.yaml"))).unwrap()
}

/// The marks of a document, in order.
fn marks(text: &str) -> Vec<String> {
    let mut marks = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some((_, rules)) = line.split_once("# expect: ") else { continue };
        marks.extend(rules.split_whitespace().map(|it| format!("{} {it}", at + 1)));
    }
    marks.sort();
    marks
}

#[test]
fn documents_as_documented_contradict_themselves_where_it_is_marked() {
    let mut wrong = Vec::new();
    for system in SYSTEMS {
        let text = document(system, "as-documented");
        let loaded = load_texts(&[("architecture.yaml", &text)]);
        let (found, drawn) =
            with_promises(loaded, &Policy::default(), &Selection::default(), |model, outcome| {
                let locator = Locator::new(model);
                let mut found = Vec::new();
                let mut drawn = String::new();
                for it in outcome.findings.iter().filter(|it| is_told(it)) {
                    let at = locator.locate(&it.labels[0].place);
                    let source = model.loaded.sources.get(at.source);
                    let line = source.position(at.span.start).line;
                    found.push(format!("{line} {}", it.rule));
                    drawn.push_str(&format!("{line} {}: {}\n", it.rule, it.message));
                }
                found.sort();
                (found, drawn)
            });
        let expected = marks(&text);
        let missing: Vec<_> = expected.iter().filter(|it| !found.contains(it)).collect();
        let more: Vec<_> = found.iter().filter(|it| !expected.contains(it)).collect();
        if found != expected {
            wrong.push(format!("{system}: missing {missing:#?}, more {more:#?}\n{drawn}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is found of some manifests and a document, apart from notes: `rule: message`.
fn found(mut all: Vec<(String, Arc<str>)>, document: &str) -> Vec<String> {
    all.push(("architecture.yaml".into(), document.into()));
    let loaded = load::load_texts(all);
    with_promises(loaded, &Policy::default(), &Selection::default(), |model, outcome| {
        let locator = Locator::new(model);
        let bad = outcome.findings.iter().filter(|it| is_told(it));
        let told = bad.map(|it| {
            let name = locator.name(&it.labels[0].place);
            format!("{}: {name}: {}\n      {}", it.rule, it.message, it.notes.join("\n      "))
        });
        told.collect()
    })
}

#[test]
fn repaired_documents_hold_by_themselves_and_against_the_repaired_manifests() {
    let mut wrong = Vec::new();
    for (system, world) in REPAIRED {
        let text = document(system, "repaired");
        let alone = found(Vec::new(), &text);
        if !alone.is_empty() {
            wrong.push(format!("{system} by itself:\n  {}", alone.join("\n  ")));
        }
        let beside = found(texts(world), &text);
        if !beside.is_empty() {
            wrong.push(format!("{system} and its manifests:\n  {}", beside.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The errors of a document by itself: `rule: message`.
fn errors(document: &str) -> Vec<String> {
    let loaded = load_texts(&[("architecture.yaml", document)]);
    with_promises(loaded, &Policy::default(), &Selection::default(), |_, outcome| {
        let errors = outcome.findings.iter().filter(|it| it.severity == Some(Severity::Error));
        errors.map(|it| format!("{}: {}", it.rule, it.message)).collect()
    })
}

/// The rules that an entry of `breaks.yaml` yields, and those that it has to.
fn broken(world: &str, document: &str, entry: Node<'_>) -> (BTreeSet<String>, BTreeSet<String>) {
    let (find, with) = (entry.text("find").unwrap(), entry.text("replace").unwrap());
    let replaced = |text: &str| {
        assert_eq!(text.matches(find).count(), 1, "{world}: {find}");
        text.replacen(find, with, 1)
    };
    let mut all = texts(world);
    let document = match entry.text("file") {
        None => replaced(document),
        Some(file) => {
            let at = all.iter().position(|it| it.0 == file).unwrap();
            all[at].1 = Arc::from(replaced(&all[at].1));
            document.to_string()
        }
    };
    let found = found(all, &document).into_iter();
    let found = found.map(|it| it.split(':').next().unwrap().to_string());
    let expected = entry.list("expect").map(|it| it.str().unwrap().to_string());
    (found.collect(), expected.collect())
}

#[test]
fn each_break_of_a_promise_gives_just_its_findings() {
    let mut wrong = Vec::new();
    for (system, world) in REPAIRED {
        let text =
            fs::read_to_string(fixture(&format!("systems/{system}/architecture/breaks.yaml")))
                .unwrap();
        let text: Arc<str> = text.into();
        let parsed = yaml::parse(&text, 0..text.len(), Syntax::Yaml).unwrap().unwrap();
        let document = document(system, "repaired");
        let entries: Vec<_> = parsed.tree.root().items().collect();
        assert!(entries.len() >= 15, "{system}: {}", entries.len());
        for entry in entries {
            let (found, expected) = broken(world, &document, entry);
            if found != expected {
                let find = entry.text("find").unwrap();
                wrong.push(format!("{system}: {find}\n  expected {expected:?}\n  found {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The worlds of manifests as documented that a repaired document is for.
const DOCUMENTED: [(&str, &str); 5] = [
    ("driveline", "driveline/as-documented"),
    ("feastflow", "feastflow/as-documented"),
    ("healthcare-cloud", "healthcare-cloud/as-documented.rendered/production"),
    ("healthcare-onprem", "healthcare-onprem/as-documented"),
    ("yt-video-creator", "yt-video-creator/as-documented"),
];

/// Two of the promised flows have rules of their own: to the name service, and from the ingress controller.
const OF_FLOWS: [&str; 2] = ["egress-without-dns", "ingress-cut-off"];

/// `broken.yaml` lists the promises of the repaired document that manifests as documented break, `rule: message`.
#[test]
fn manifests_as_documented_break_just_these_of_the_repaired_promises() {
    let mut wrong = Vec::new();
    for (system, world) in DOCUMENTED {
        let text: Arc<str> = document(system, "broken").into();
        let parsed = yaml::parse(&text, 0..text.len(), Syntax::Yaml).unwrap().unwrap();
        let expected: Vec<&str> = parsed.tree.root().items().filter_map(Node::str).collect();
        let mut all = texts(world);
        all.push(("architecture.yaml".into(), document(system, "repaired").into()));
        let loaded = load::load_texts(all);
        let (policy, selection) = (Policy::default(), Selection::default());
        let mut found = with_promises(loaded, &policy, &selection, |_, outcome| {
            let told = outcome.findings.iter().filter(|it| is_told(it) && is_of_a_promise(it.rule));
            told.map(|it| format!("{}: {}", it.rule, it.message)).collect::<Vec<_>>()
        });
        found.sort();
        let missing: Vec<_> =
            expected.iter().filter(|it| !found.iter().any(|f| f == *it)).collect();
        let more: Vec<_> = found.iter().filter(|it| !expected.contains(&it.as_str())).collect();
        if found != expected {
            wrong.push(format!("{system}: missing {missing:#?}, more {more:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_of_a_promise(rule: &str) -> bool {
    let group = rules::built_in().find(rule).map(|it| it.group);
    group == Some(Group::Architecture) || rule.starts_with("flow-") || OF_FLOWS.contains(&rule)
}

/// Worlds with an Ingress whose controller no policy lets in.
const UNSERVED: [&str; 4] = [
    "healthcare-cloud/as-documented.rendered/local",
    "healthcare-cloud/as-documented.rendered/production",
    "healthcare-cloud/as-documented.rendered/staging",
    "healthcare-cloud/variants.rendered/local-one-redis",
];

/// What `purlin init` writes holds against what it was written from.
#[test]
fn what_init_writes_is_clean_against_its_source() {
    let mut wrong = Vec::new();
    let worlds = super::REPAIRED.iter().chain(&super::OTHERS);
    for world in worlds {
        let all = texts(world);
        let loaded = load::load_texts(all.clone());
        let model = Model::new(&loaded, "default");
        let text = extract::document(&model, &Facts::new(&model), "found");
        let bad = |it: &String| {
            let rule = it.split(':').next().unwrap_or_default();
            let group = rules::built_in().find(rule).map(|it| it.group);
            group == Some(Group::Architecture) || rule.starts_with("flow-")
        };
        // Nor does it contradict itself once somebody has decided all of it.
        let decided = text.replace("    observed: true\n", "").replace(", observed: true", "");
        let by_itself: Vec<_> = errors(&decided);
        let mut found: Vec<_> = found(all, &text).into_iter().filter(bad).collect();
        // There the policies do keep the ingress controller out.
        let closed = UNSERVED.contains(world).then_some(
            "architecture-flow-incomplete: a route leads to `healthcare-api`, and no flow lets its requests in",
        );
        let by_itself: Vec<_> = by_itself.into_iter().filter(bad).collect();
        match closed {
            Some(closed) => assert_eq!(by_itself, [closed], "{world}"),
            None => found.extend(by_itself),
        }
        if !found.is_empty() {
            wrong.push(format!("{world}:\n  {}\n{text}", found.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
