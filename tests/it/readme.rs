//! README.md says what is so: its commands print what stands below them, its policy is valid, its table of
//! dependencies is that of Cargo.toml.

use crate::support::{root, snapshot};
use purlin::policy_file;
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// The texts between a fence of this language and the next one.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("\n```{language}\n");
    text.split(&fence).skip(1).map(|it| it.split("```").next().unwrap()).collect()
}

#[test]
fn commands_print_what_stands_below_them() {
    let text = readme();
    let blocks = blocks(&text, "console");
    assert!(!blocks.is_empty());
    let mut current = text.clone();
    for block in blocks {
        let commands = block.lines().filter_map(|it| it.strip_prefix("$ "));
        let printed: String = commands.map(|it| format!("$ {it}\n{}", run(it))).collect();
        current = current.replace(block, &printed);
    }
    snapshot(&root().join("README.md"), &current);
}

fn run(command: &str) -> String {
    let args = command.strip_prefix("purlin ").expect("a command of README.md is one of purlin");
    let output = Command::new(env!("CARGO_BIN_EXE_purlin"))
        .args(args.split_whitespace())
        .current_dir(root())
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{command}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn its_policy_is_valid() {
    let text = readme();
    let policy = blocks(&text, "yaml").into_iter().find(|it| it.contains("kind: Policy")).unwrap();
    let policy = policy_file::read(&Arc::from(policy)).unwrap().value;
    assert_eq!(policy.exceptions.len(), 1);
}

#[test]
fn its_table_of_dependencies_is_that_of_the_manifest() {
    let text = readme();
    let (_, table) = text.split_once("| dependency | what for |\n").unwrap();
    let rows = table.lines().take_while(|it| it.starts_with('|')).skip(1);
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split(','));
    let listed: BTreeSet<_> = names.map(|it| it.trim().trim_matches('`')).collect();
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
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
fn its_links_lead_somewhere() {
    let text = readme();
    for link in text.split("](").skip(1).filter_map(|it| it.split(')').next()) {
        assert!(link.contains("://") || root().join(link).exists(), "{link}");
    }
}
