//! Every rule against its fixtures and the examples of its page.
//!
//! `fixtures/rules/<id>/bad.yaml` (or a folder `bad/`) carries `# expect: <id>` on each line that a finding's primary
//! label points to, and `# cannot-tell: <id>` in each object about which the rule cannot tell; `good.yaml` (or `good/`)
//! holds near misses, with nothing to report and the same marker. A `purlin.yaml` beside them is obeyed.

use crate::support::{fixture, load_paths, load_texts, only, policy, snapshot, with_promises};
use purlin::check::locate::Locator;
use purlin::load::Loaded;
use purlin::report::human::{self, Extent, Style};
use purlin::rule::Rule;
use purlin::rules::built_in;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Found by the check itself, so that alone they find nothing in a world; the tests of exceptions cover them.
pub(crate) const WITHOUT_FIXTURES: [&str; 2] = ["expired-exception", "unused-exception"];

/// A marker: the kind, the file, the line and the rule.
type Marker = (&'static str, String, u32, String);

#[test]
fn bad_fixtures_give_just_the_findings_marked() {
    let mut wrong = Vec::new();
    for rule in built_in().iter().filter(|it| !WITHOUT_FIXTURES.contains(&it.id)) {
        let loaded = load_paths(&[world(rule, "bad")]);
        let expected = markers(&loaded);
        assert!(
            expected.iter().any(|it| it.3 == rule.id),
            "fixtures/rules/{}/bad marks nothing",
            rule.id
        );
        let (found, drawn) = run(rule, loaded);
        if found != expected {
            wrong.push(format!("{}: expected {expected:#?}, found {found:#?}\n{drawn}", rule.id));
        }
        snapshot(&fixture(&format!("rules/{}/bad.out", rule.id)), &drawn);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn good_fixtures_give_nothing() {
    let mut wrong = Vec::new();
    for rule in built_in().iter().filter(|it| !WITHOUT_FIXTURES.contains(&it.id)) {
        let loaded = load_paths(&[world(rule, "good")]);
        let expected = markers(&loaded);
        let (found, drawn) = run(rule, loaded);
        if found != expected {
            wrong.push(format!("{}:\n{drawn}", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn examples_of_pages_hold() {
    let mut wrong = Vec::new();
    for rule in built_in().iter() {
        let bad = examples(rule.page, "## Bad");
        let good = examples(rule.page, "## Good");
        if rule.id != "expired-exception" && (bad.is_empty() || good.is_empty()) {
            wrong.push(format!("{}: the page lacks an example", rule.id));
        }
        for (text, is_bad) in
            bad.iter().map(|it| (it, true)).chain(good.iter().map(|it| (it, false)))
        {
            let loaded = load_texts(&[("page.yaml", text)]);
            let policy = policy(&fixture(&format!("rules/{}/purlin.yaml", rule.id)));
            let found =
                with_promises(loaded, &policy, &only(rule.id), |_, outcome| outcome.findings.len());
            if (found > 0) != is_bad {
                wrong.push(format!("{}: {found} findings in\n{text}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The file or folder of a rule's bad or good fixture.
pub(crate) fn world(rule: &Rule, name: &str) -> PathBuf {
    let folder = fixture(&format!("rules/{}", rule.id));
    let file = folder.join(format!("{name}.yaml"));
    let path = if file.exists() { file } else { folder.join(name) };
    assert!(path.exists(), "{} is missing", path.display());
    path
}

fn run(rule: &Rule, loaded: Loaded) -> (BTreeSet<Marker>, String) {
    let policy = policy(&fixture(&format!("rules/{}/purlin.yaml", rule.id)));
    with_promises(loaded, &policy, &only(rule.id), |model, outcome| {
        let loaded = model.loaded;
        let locator = Locator::new(model);
        let mut found = BTreeSet::new();
        for finding in &outcome.findings {
            let at = locator.locate(&finding.labels[0].place);
            let source = loaded.sources.get(at.source);
            let line = source.position(at.span.start).line;
            found.insert(("expect", source.name.clone(), line, finding.rule.to_string()));
        }
        for unknown in &outcome.unknown {
            let object = model.object(unknown.object);
            let source = loaded.sources.get(object.document.source);
            // The marker stands somewhere in the object's document; its line there is the one compared.
            let span = object.document.tree.root().span();
            let (first, last) = (source.position(span.start).line, source.position(span.end).line);
            let marked = markers(loaded).into_iter().find(|it| {
                it.0 == "cannot-tell"
                    && it.1 == source.name
                    && (first..=last).contains(&it.2)
                    && it.3 == unknown.rule
            });
            let line = marked.map_or(first, |it| it.2);
            found.insert(("cannot-tell", source.name.clone(), line, unknown.rule.to_string()));
        }
        (
            found,
            human::render(
                model,
                outcome,
                Style { width: 100, colour: false, extent: Extent::Full },
            ),
        )
    })
}

fn markers(loaded: &Loaded) -> BTreeSet<Marker> {
    let mut markers = BTreeSet::new();
    for (_, source) in loaded.sources.iter() {
        for (at, line) in source.text.lines().enumerate() {
            for kind in ["expect", "cannot-tell"] {
                let Some((_, rules)) = line.split_once(&format!("# {kind}: ")) else { continue };
                for rule in rules.split_whitespace() {
                    markers.insert((kind, source.name.clone(), at as u32 + 1, rule.to_string()));
                }
            }
        }
    }
    markers
}

/// The YAML of a section, joined into one text.
pub(crate) fn examples(page: &str, heading: &str) -> Vec<String> {
    let Some((_, section)) = page.split_once(&format!("{heading}\n")) else { return Vec::new() };
    let section = section.split("\n## ").next().unwrap_or_default();
    section
        .split("```yaml\n")
        .skip(1)
        .filter_map(|it| it.split("```").next())
        .map(String::from)
        .collect()
}
