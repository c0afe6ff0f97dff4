//! README.md and the pages below docs/ say what is so: their commands print what stands below them and take the options
//! that are named, their policies are valid, the table of dependencies is that of Cargo.toml, and links lead somewhere.

use crate::support::{root, snapshot};
use purlin::policy_file;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

/// The pages with their texts.
fn pages() -> BTreeMap<PathBuf, String> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|it| it.unwrap().path());
    let pages = docs.chain([root().join("README.md")]);
    pages.map(|it| (it.clone(), fs::read_to_string(it).unwrap())).collect()
}

/// The texts between a fence of this language and the next one.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("\n```{language}\n");
    text.split(&fence).skip(1).map(|it| it.split("```").next().unwrap()).collect()
}

#[test]
fn commands_print_what_stands_below_them() {
    let mut shown = 0;
    for (path, text) in pages() {
        let mut current = text.clone();
        for block in blocks(&text, "console") {
            shown += 1;
            let commands = block.lines().filter_map(|it| it.strip_prefix("$ "));
            let printed: String = commands.map(|it| format!("$ {it}\n{}", printed(it))).collect();
            current = current.replace(block, &printed);
        }
        snapshot(&path, &current);
    }
    assert!(shown > 3, "{shown}");
}

fn printed(command: &str) -> String {
    let output = run(command);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{command}");
    String::from_utf8(output.stdout).unwrap()
}

fn run(command: &str) -> Output {
    let args = command.strip_prefix("purlin ").expect("a command of a page is one of purlin");
    let mut purlin = Command::new(env!("CARGO_BIN_EXE_purlin"));
    purlin.args(args.split_whitespace()).current_dir(root()).env_clear().output().unwrap()
}

/// The commands that are shown without what they print: in blocks for a shell, and between backticks.
fn commands(text: &str) -> BTreeSet<String> {
    let lines = blocks(text, "sh").into_iter().flat_map(str::lines);
    let lines = lines.flat_map(|it| it.split(['|', '&'])).map(|it| it.split(" #").next().unwrap());
    let inline = text.split('`').filter(|it| !it.contains('\n'));
    let purlin = lines.chain(inline).map(str::trim).filter(|it| it.starts_with("purlin "));
    purlin.map(String::from).collect()
}

#[test]
fn commands_and_options_are_there() {
    let mut helps: BTreeMap<String, String> = BTreeMap::new();
    let mut seen = 0;
    for (path, text) in pages() {
        for command in commands(&text) {
            // What stands after `--` is another program's.
            let own = command.split(" -- ").next().unwrap();
            let mut words = own.split_whitespace().skip(1);
            let name = words.next().unwrap();
            let help = helps.entry(name.to_string()).or_insert_with(|| {
                let help = run(&format!("purlin {name} --help"));
                assert!(help.status.success(), "{}: {command}", path.display());
                String::from_utf8(help.stdout).unwrap()
            });
            for option in words.filter(|it| it.starts_with('-') && it.len() > 1) {
                seen += 1;
                let option = option.split('=').next().unwrap();
                let known: BTreeSet<_> = help.split([' ', ',', '\n']).collect();
                assert!(known.contains(option), "{}: {option} of {command}", path.display());
            }
        }
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn policies_are_valid() {
    let mut exceptions = 0;
    for (path, text) in pages() {
        for block in blocks(&text, "yaml").into_iter().filter(|it| it.contains("kind: Policy")) {
            let policy = policy_file::read(&Arc::from(block), purlin::rules::built_in());
            let policy = policy.unwrap_or_else(|it| panic!("{}: {it:?}", path.display())).value;
            exceptions += policy.exceptions.len();
        }
    }
    assert_eq!(exceptions, 1);
}

#[test]
fn parts_of_policies_are_valid() {
    let sections = ["targets:", "flows:", "admission:"];
    let mut seen = BTreeSet::new();
    for (path, text) in pages() {
        for block in blocks(&text, "yaml") {
            let Some(section) = sections.iter().find(|it| block.starts_with(**it)) else {
                continue;
            };
            seen.insert(*section);
            let policy = format!("apiVersion: purlin.dev/v1alpha1\nkind: Policy\n{block}");
            if let Err(mistakes) = policy_file::read(&Arc::from(policy), purlin::rules::built_in())
            {
                panic!("{}: {mistakes:?}", path.display());
            }
        }
    }
    assert_eq!(seen.len(), sections.len(), "{seen:?}");
}

#[test]
fn the_table_of_dependencies_is_that_of_the_manifest() {
    let text = fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let (_, table) = text.split_once("| dependency | what for |\n").unwrap();
    let rows = table.lines().take_while(|it| it.starts_with('|')).skip(1);
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split(','));
    let listed: BTreeSet<_> = names.map(|it| it.trim().trim_matches('`')).collect();
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut is_dependency = false;
    let mut used = BTreeSet::new();
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[') {
            is_dependency = section.ends_with("dependencies]");
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| is_dependency) {
            used.insert(name);
        }
    }
    assert_eq!(listed, used);
}

#[test]
fn links_lead_somewhere_and_every_page_is_linked() {
    let mut unseen: BTreeSet<_> = pages().into_keys().collect();
    for (path, text) in pages() {
        let folder = path.parent().unwrap();
        for link in text.split("](").skip(1).filter_map(|it| it.split(')').next()) {
            let file = link.split('#').next().unwrap();
            assert!(
                link.contains("://") || folder.join(file).exists(),
                "{}: {link}",
                path.display()
            );
            unseen.remove(&folder.join(file));
        }
    }
    unseen.remove(&root().join("README.md"));
    assert!(unseen.is_empty(), "no page links to {unseen:?}");
}

#[test]
fn nothing_is_named_that_is_not_there() {
    for (path, text) in pages() {
        assert!(!text.contains("OWNER"), "{}", path.display());
    }
}
