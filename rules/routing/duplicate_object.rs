//! Objects that stand twice in one world and do not say the same.

use crate::analyze::references::alternatives::{self, Alternatives};
use crate::model::{Key, Object};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "duplicate-object",
    title: "one object stands twice with different contents",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("duplicate_object.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let mut alternatives = Alternatives::new(cx.model);
    let mut sets: BTreeMap<&str, Vec<Pair<'_, '_>>> = BTreeMap::new();
    let mut told: BTreeSet<Key<'_>> = BTreeSet::new();
    let mut others: BTreeMap<Key<'_>, Vec<Finding>> = BTreeMap::new();
    let mut files: BTreeMap<Key<'_>, BTreeMap<&str, &Object<'_>>> = BTreeMap::new();
    for (earlier, later) in cx.model.duplicates() {
        let Some(difference) = first_difference(earlier.root, later.root) else { continue };
        let of_key = files.entry(later.key()).or_default();
        for it in [earlier, later] {
            of_key.extend(alternatives::path(cx.model, it.document).map(|path| (path, it)));
        }
        match alternatives.of(cx.model, earlier, later) {
            Some((set, units)) => {
                told.insert(later.key());
                sets.entry(set).or_default().push(Pair { earlier, later, units });
            }
            None => {
                let found = finding(earlier, later, difference);
                others.entry(later.key()).or_default().push(found);
            }
        }
    }
    out.findings.extend(sets.values().map(|it| of_alternatives(it)));
    for (key, findings) in others {
        match files.get(&key).filter(|it| it.len() > 2) {
            // The files and folders that are alternatives are told already.
            Some(_) if told.contains(&key) => {}
            Some(files) => out.find(of_files(&files.values().copied().collect::<Vec<_>>())),
            None => out.findings.extend(findings),
        }
    }
}

/// An object that stands in two files or folders with the same objects.
struct Pair<'c, 'd> {
    earlier: &'c Object<'d>,
    later: &'c Object<'d>,
    units: [&'d str; 2],
}

/// How many of the files or folders are named.
const NAMED: usize = 6;

/// One word for a whole set of files or folders.
fn of_alternatives(pairs: &[Pair<'_, '_>]) -> Finding {
    let mut first: BTreeMap<&str, &Object<'_>> = BTreeMap::new();
    for Pair { earlier, later, units } in pairs {
        first.entry(units[0]).or_insert(*earlier);
        first.entry(units[1]).or_insert(*later);
    }
    let names: Vec<_> = first.keys().take(NAMED).map(|it| format!("`{it}`")).collect();
    let more = match first.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message =
        format!("{}{more} hold the same objects with different contents", names.join(", "));
    let mut objects = first.iter().rev();
    let last = objects.next();
    let place = last.map_or(pairs[0].later.whole(), |(_, it)| it.whole());
    let mut finding = Finding::new(message, place, "the last one, which an apply of all leaves");
    for (name, object) in objects.rev().take(NAMED) {
        finding = finding.label(object.whole(), format!("one of `{name}`"));
    }
    let targets: Vec<_> =
        first.keys().take(2).map(|it| format!("{{name: {it}, path: {it}}}")).collect();
    finding
        .severity(Severity::Warning)
        .note("they look like alternatives (releases, clouds, steps), which are never applied together, and are judged here as if they were: of each object the last one counts")
        .help(format!(
            "make a target of each in purlin.yaml, as `targets: [{}, …]`, or check them one by one",
            targets.join(", ")
        ))
}

/// One word for an object that three files or more define: nobody does that by mistake.
fn of_files(files: &[&Object<'_>]) -> Finding {
    let (last, others) = (files[files.len() - 1], &files[..files.len() - 1]);
    let message = format!("`{last}` stands in {} files with different contents", files.len());
    let text = "the last one, which an apply of all leaves";
    let mut finding = Finding::new(message, last.whole(), text);
    for object in others.iter().take(NAMED) {
        finding = finding.label(object.whole(), "another one");
    }
    finding
        .severity(Severity::Warning)
        .note("they look like alternatives or examples, which are never applied together, and are judged here as if they were: the last one counts")
        .help("make targets of the files in purlin.yaml, or check them one by one")
}

/// Where two objects part, on each side: absent on one, or other there.
type Difference<'d> = (Option<Node<'d>>, Option<Node<'d>>);

fn finding(earlier: &Object<'_>, later: &Object<'_>, difference: Difference<'_>) -> Finding {
    let message = format!("`{later}` stands twice with different contents");
    let place = |object: &Object<'_>, node: Option<Node<'_>>| {
        node.map_or(object.whole(), |it| object.place(it))
    };
    let text = |node: Option<Node<'_>>, other: &str| {
        node.map_or(other.to_string(), |_| "here it differs".to_string())
    };
    Finding::new(message, place(later, difference.1), text(difference.1, "the later one lacks it"))
        .label(place(earlier, difference.0), text(difference.0, "the earlier one lacks it"))
        .note("an apply leaves the one that comes last, and which that is depends on names of files")
        .help("keep one of them; for several environments use overlays or folders that are checked apart")
}

/// The first field, in the order of the earlier object, that differs.
fn first_difference<'d>(earlier: Node<'d>, later: Node<'d>) -> Option<Difference<'d>> {
    let mut open = vec![(earlier, later)];
    while let Some((a, b)) = open.pop() {
        if a.is_map() && b.is_map() {
            if let Some((_, extra)) = b.pairs().find(|(key, _)| a.get(key).is_none()) {
                return Some((None, Some(extra)));
            }
            let mut below = Vec::new();
            for (key, value) in a.pairs() {
                match b.get(key) {
                    Some(other) => below.push((value, other)),
                    None => return Some((Some(value), None)),
                }
            }
            open.extend(below.into_iter().rev());
        } else if a.is_seq() && b.is_seq() && a.count() == b.count() {
            let below: Vec<_> = a.items().zip(b.items()).collect();
            open.extend(below.into_iter().rev());
        } else if !a.same(b) {
            return Some((Some(a), Some(b)));
        }
    }
    None
}
