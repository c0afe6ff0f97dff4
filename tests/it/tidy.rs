//! The conventions of the project, as tests.

use crate::support::{fixture, root, snapshot};
use purlin::rules::RULES;
use std::collections::BTreeSet;
use std::fs;

#[test]
fn rules_are_listed_by_name_and_have_all_their_files() {
    let ids: Vec<_> = RULES.iter().map(|it| it.id).collect();
    assert!(ids.is_sorted(), "rules/mod.rs lists rules by name");
    let listed: BTreeSet<String> = ids.iter().map(|it| it.replace('-', "_")).collect();
    for (extension, what) in [("rs", "code"), ("md", "page")] {
        let files: BTreeSet<String> = fs::read_dir(root().join("rules"))
            .unwrap()
            .map(|it| it.unwrap().path())
            .filter(|it| it.extension().is_some_and(|it| it == extension))
            .map(|it| it.file_stem().unwrap().to_string_lossy().into_owned())
            .filter(|it| it != "mod" && it != "README")
            .collect();
        assert_eq!(files, listed, "every rule has a {what}, and every {what} is listed");
    }
    for folder in fs::read_dir(fixture("rules")).unwrap() {
        let name = folder.unwrap().file_name().to_string_lossy().into_owned();
        assert!(ids.contains(&name.as_str()), "fixtures/rules/{name} belongs to no rule");
    }
}

#[test]
fn pages_have_their_sections() {
    for rule in RULES {
        let first = rule.page.lines().next().unwrap_or_default();
        assert!(
            first.ends_with('.') && !first.starts_with('#'),
            "{}: the page begins with one sentence",
            rule.id
        );
        for heading in ["\n## Why\n", "\n## What to do\n"] {
            assert!(rule.page.contains(heading), "{}: the page lacks {}", rule.id, heading.trim());
        }
        assert!(
            !rule.title.ends_with('.') && rule.title.starts_with(char::is_lowercase),
            "{}: title",
            rule.id
        );
    }
}

#[test]
fn the_index_of_rules_is_current() {
    let mut text = String::from(
        "# Rules\n\nGenerated from the rules themselves: `UPDATE=1 cargo test`.\n\
         *Admission* says what the webhook does with a finding: deny, warn, or audit (reports only).\n",
    );
    let mut groups: Vec<_> = RULES.iter().map(|it| it.group).collect();
    groups.sort();
    groups.dedup();
    for group in groups {
        text.push_str(&format!(
            "\n## {}\n\n| rule | severity | admission | finds |\n| --- | --- | --- | --- |\n",
            group.name()
        ));
        for rule in RULES.iter().filter(|it| it.group == group) {
            let page = rule.id.replace('-', "_");
            let row = (rule.id, rule.severity.name(), rule.admission.name(), rule.title);
            text.push_str(&format!(
                "| [{}]({page}.md) | {} | {} | {} |\n",
                row.0, row.1, row.2, row.3
            ));
        }
    }
    snapshot(&root().join("rules/README.md"), &text);
}
