//! The conventions of the project, as tests.

use crate::support::{fixture, root, snapshot};
use purlin::rule::Rule;
use purlin::rules::{LEFT_OUT, built_in};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

#[test]
fn rules_are_listed_by_name_and_have_all_their_files() {
    let ids: Vec<_> = built_in().ids().collect();
    assert!(ids.is_sorted(), "a set of rules is sorted by id");
    let listed: BTreeSet<String> = built_in().iter().map(file_of).collect();
    for (extension, what) in [("rs", "code"), ("md", "page")] {
        let files: BTreeSet<String> = folders_of_groups()
            .iter()
            .flat_map(|folder| fs::read_dir(folder).unwrap())
            .map(|it| it.unwrap().path())
            .filter(|it| it.extension().is_some_and(|it| it == extension))
            .map(|it| it.with_extension("").strip_prefix(root().join("rules")).unwrap().to_owned())
            .map(|it| it.to_string_lossy().into_owned())
            .filter(|it| !it.ends_with("/mod"))
            .collect();
        assert_eq!(
            files, listed,
            "every rule has a {what} in its group's folder, and every {what} is listed"
        );
    }
    for folder in fs::read_dir(fixture("rules")).unwrap() {
        let name = folder.unwrap().file_name().to_string_lossy().into_owned();
        assert!(ids.contains(&name.as_str()), "fixtures/rules/{name} belongs to no rule");
    }
}

/// Where a rule stands below `rules/`, without an ending: the folder is its group.
fn file_of(rule: &Rule) -> String {
    format!("{}/{}", rule.group.name(), rule.id.replace('-', "_"))
}

fn folders_of_groups() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("rules")).unwrap().map(|it| it.unwrap().path());
    entries.filter(|it| it.is_dir()).collect()
}

#[test]
fn pages_have_their_sections() {
    for rule in built_in().iter() {
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
         *Admission* says what the webhook does with a finding: deny, warn, or audit (reports only).\n\
         Where one more object would mend it, as a policy that opens a port, it only warns, unless such an object is changed.\n\
         Of what names and forms only suggest, as that a value is a credential, it only warns too.\n\
         *Preset* says which `extends` of `purlin.yaml` has the rule; `recommended` has those of `invariants`, and `strict` \
         those of both.\n\
         *Covers* names the checks of other tools; their annotations on objects switch the rule off too.\n",
    );
    let mut groups: Vec<_> = built_in().iter().map(|it| it.group).collect();
    groups.sort();
    groups.dedup();
    for group in groups {
        text.push_str(&format!(
            "\n## {}\n\n| rule | severity | preset | admission | finds | covers |\n| --- | --- | --- | --- | --- | --- |\n",
            group.name()
        ));
        for rule in built_in().iter().filter(|it| it.group == group) {
            let page = file_of(rule);
            let presets: Vec<_> = rule.presets.iter().map(|it| it.name()).collect();
            text.push_str(&format!(
                "| [{}]({page}.md) | {} | {} | {} | {} | {} |\n",
                rule.id,
                rule.severity.name(),
                presets.join(", "),
                rule.admission.name(),
                rule.title,
                rule.like.join(", ")
            ));
        }
    }
    text.push_str(
        "\n## Left out on purpose\n\nWhat no rule covers of other tools, and why.\n\n| tool | checks | why |\n| --- | --- | --- |\n",
    );
    for it in LEFT_OUT {
        text.push_str(&format!("| {} | {} | {} |\n", it.tool, it.checks.join(", "), it.why));
    }
    snapshot(&root().join("rules/README.md"), &text);
}

/// Data flows one way: a module uses only those that `lib.rs` declares above it.
#[test]
fn modules_use_only_those_declared_above_them() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let order: Vec<&str> =
        lib.lines().filter_map(|it| it.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut wrong = Vec::new();
    for (at, module) in order.iter().enumerate() {
        for file in files_of(module) {
            let text = fs::read_to_string(&file).unwrap();
            for used in text.split("crate::").skip(1) {
                let used: String = used
                    .chars()
                    .take_while(|it| it.is_ascii_alphanumeric() || *it == '_')
                    .collect();
                if order.iter().position(|it| *it == used).is_some_and(|it| it > at) {
                    wrong.push(format!("{} uses {used}, declared below {module}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Only the loader, the server, the command line and what it writes may touch files and look at the clock.
#[test]
fn between_load_and_report_there_is_no_io() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let modules = lib.lines().filter_map(|it| it.strip_prefix("pub mod ")?.strip_suffix(';'));
    for module in modules.filter(|it| !["load", "serve"].contains(it)) {
        for file in files_of(module) {
            let text = fs::read_to_string(&file).unwrap();
            for word in [
                "std::fs",
                "TcpStream",
                "std::io",
                "Instant::now",
                "SystemTime",
                "Timestamp::now",
                "println!",
            ] {
                assert!(!text.contains(word), "{} uses {word}", file.display());
            }
        }
    }
}

/// The files of a module of the library: `x.rs`, or all below `x/`.
fn files_of(module: &str) -> Vec<PathBuf> {
    let folder =
        if module == "rules" { root().join("rules") } else { root().join("src").join(module) };
    let file = root().join("src").join(format!("{module}.rs"));
    let mut open = vec![if file.exists() { file } else { folder }];
    let mut files = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(path).unwrap().map(|it| it.unwrap().path()));
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
    files
}
