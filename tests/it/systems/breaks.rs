//! Every break of a repaired system gives just the rules that it names.
//!
//! `breaks.yaml` of a system lists edits of its repaired manifests. Breaks that need rules which purlin does not have
//! are left out, counted and printed.

use super::{is_bad, is_of_one_object, texts, with_world};
use crate::support::fixture;
use purlin::load::read::yaml;
use purlin::load::read::yaml::Syntax;
use purlin::rules;
use purlin::text::tree::Node;
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

/// What to do to a file.
enum Edit {
    Delete,
    Replace { find: String, with: String },
}

pub(crate) struct Break {
    pub(crate) name: String,
    pub(crate) world: String,
    pub(crate) expect: BTreeSet<String>,
    edits: Vec<(String, Edit)>,
}

#[test]
fn driveline() {
    run("driveline");
}

#[test]
fn feastflow() {
    run("feastflow");
}

#[test]
fn healthcare_cloud() {
    run("healthcare-cloud");
}

#[test]
fn healthcare_onprem() {
    run("healthcare-onprem");
}

#[test]
fn yt_video_creator() {
    run("yt-video-creator");
}

fn run(system: &str) {
    let breaks = read(system);
    let mut wrong = Vec::new();
    let mut left_out = Vec::new();
    for it in &breaks {
        let missing: Vec<_> =
            it.expect.iter().filter(|id| rules::built_in().find(id).is_none()).collect();
        if !missing.is_empty() {
            left_out.push(format!("{}: there is no rule {missing:?}", it.name));
            continue;
        }
        let found = found(it);
        if found != it.expect {
            wrong.push(format!("{}\n  expected {:?}\n  found    {found:?}", it.name, it.expect));
        }
    }
    let ran = breaks.len() - left_out.len();
    println!("{system}: {ran} of {} breaks ran; left out:\n{}", breaks.len(), left_out.join("\n"));
    assert!(ran >= 12, "{system}: most breaks are left out");
    assert!(wrong.is_empty(), "{system}: {} of {ran} differ\n{}", wrong.len(), wrong.join("\n"));
}

impl Break {
    /// The texts of its world, broken.
    pub(crate) fn texts(&self) -> Vec<(String, Arc<str>)> {
        let mut texts = texts(&self.world);
        for (file, edit) in &self.edits {
            let at = texts.iter().position(|(name, _)| name == file);
            let at = at.unwrap_or_else(|| panic!("{}: no file {file}", self.name));
            match edit {
                Edit::Delete => {
                    texts.remove(at);
                }
                Edit::Replace { find, with } => {
                    let count = texts[at].1.matches(find.as_str()).count();
                    assert_eq!(count, 1, "{}: {file} has the text to find once", self.name);
                    texts[at].1 = Arc::from(texts[at].1.replacen(find.as_str(), with, 1));
                }
            }
        }
        texts
    }
}

/// The rules that report an error or a warning once the world is broken.
fn found(broken: &Break) -> BTreeSet<String> {
    with_world(&broken.texts(), |_, outcome| {
        let bad = outcome.told().filter(|it| is_bad(it));
        bad.filter(|it| !is_of_one_object(it) || broken.expect.contains(it.rule))
            .map(|it| it.rule.to_string())
            .collect()
    })
}

pub(crate) fn read(system: &str) -> Vec<Break> {
    let text = fs::read_to_string(fixture(&format!("systems/{system}/breaks.yaml"))).unwrap();
    let text: Arc<str> = Arc::from(text);
    let parsed = yaml::parse(&text, 0..text.len(), Syntax::Yaml).unwrap().unwrap();
    let breaks = parsed.tree.root().items();
    breaks
        .map(|it| Break {
            name: string(it, "name"),
            world: format!("{system}/{}", it.text("root").unwrap_or("repaired")),
            expect: it.list("expect").map(|it| it.str().unwrap().to_string()).collect(),
            edits: it.list("edits").map(|it| (string(it, "file"), edit(it))).collect(),
        })
        .collect()
}

fn edit(node: Node<'_>) -> Edit {
    if node.get("delete").is_some() {
        return Edit::Delete;
    }
    Edit::Replace { find: string(node, "find"), with: string(node, "replace") }
}

fn string(node: Node<'_>, key: &str) -> String {
    node.text(key).unwrap_or_else(|| panic!("a break lacks `{key}`")).to_string()
}
