//! A document beside a new one of the same source: what differs, and the old one with only that changed which nobody
//! decided.

mod edit;

use crate::api::quantity::Quantity;
use crate::architecture::Architecture;
use crate::text::tree::{Node, Value};
use edit::{Edits, Entry};
use std::collections::{BTreeMap, BTreeSet};

/// Something that a document says and that is otherwise by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The statement: `components.api.replicas.max`.
    pub path: String,
    /// What became of it.
    pub way: Way,
}

/// What became of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is new.
    Added,
    /// It was observed, and is otherwise now.
    Changed(String, String),
    /// It was observed, and is gone.
    Removed,
    /// Somebody decided it, and what is there is otherwise: it is not changed.
    Decided(String, String),
}

/// A document, what differs in it, and its text with the observed part of that changed.
#[derive(Clone, Debug)]
pub struct Updated {
    /// All that differs.
    pub changes: Vec<Change>,
    /// The text.
    pub text: String,
}

/// A document as it is written: its text, the tree of that, and what it means.
pub type Written<'w> = (&'w str, Node<'w>, &'w Architecture);

/// What differs between a document and a new one of its source.
pub fn update(old: Written<'_>, new: Written<'_>) -> Updated {
    let mut update = Update {
        edits: Edits::new(old.0),
        new_text: new.0,
        names: names(old.2, new.2),
        changes: Vec::new(),
        sections: Vec::new(),
    };
    let section = |path: &[&str]| (old.1.at(path), new.1.at(path));
    // What holds no Nodes tells nothing of them.
    if new.1.at(&["cluster", "nodes"]).is_some() {
        update.map("cluster.nodes", section(&["cluster", "nodes"]), old.1, NODE);
    }
    update.map("namespaces", section(&["namespaces"]), old.1, NAMESPACE);
    update.map("components", section(&["components"]), old.1, COMPONENT);
    update.flows(section(&["flows"]), old.1);
    update.routes(section(&["routes"]), old.1);
    let mut text = update.edits.apply();
    if !update.sections.is_empty() {
        text.truncate(text.trim_end().len());
        update.sections.iter().for_each(|it| text.push_str(&format!("\n{it}")));
        text.push('\n');
    }
    Updated { changes: update.changes, text }
}

/// What is observed of nodes, namespaces, components, flows and routes; of anything else a person speaks.
const NODE: &[&str] = &["capacity", "allocatable", "zone", "taints"];
const NAMESPACE: &[&str] = &["quota", "podSecurity"];
const COMPONENT: &[&str] = &["replicas", "resources", "disruption", "ports"];
const FLOW: &[&str] = &["ports"];
const ROUTE: &[&str] = &["to", "port"];

/// By what the new document calls a component, what the old one does: they are the same where the workload is.
fn names(old: &Architecture, new: &Architecture) -> BTreeMap<String, String> {
    let workload = |of: &Architecture, name: &str| {
        let component = of.components.get(name)?;
        Some(of.workload(name, component)?.to_string())
    };
    let own = old.components.keys().filter_map(|it| Some((workload(old, it)?, it)));
    let own: BTreeMap<String, &String> = own.collect();
    let same = new.components.keys().filter_map(|it| {
        let name = own.get(&workload(new, it)?)?;
        Some((it.clone(), (*name).clone()))
    });
    same.collect()
}

struct Update<'u> {
    edits: Edits<'u>,
    new_text: &'u str,
    names: BTreeMap<String, String>,
    changes: Vec<Change>,
    /// Sections that the document lacks.
    sections: Vec<String>,
}

type Pair<'n> = (Option<Node<'n>>, Option<Node<'n>>);

impl Update<'_> {
    /// Sections by name.
    fn map(&mut self, path: &str, (old, new): Pair<'_>, root: Node<'_>, own: &[&str]) {
        let Some(old) = old.filter(|it| it.is_map()) else {
            return self.section(path, new, root);
        };
        let mut seen = BTreeSet::new();
        let mut added = Vec::new();
        for (key, value) in new.into_iter().flat_map(Node::entries) {
            let name = self.called(&key.scalar().unwrap_or_default());
            match old.get(&name) {
                Some(there) => {
                    self.entry(&format!("{path}.{name}"), (there, value), own, is_observed(there));
                }
                None => {
                    self.say(format!("{path}.{name}"), Way::Added);
                    added.push(self.fresh(key, value));
                }
            }
            seen.insert(name);
        }
        let gone = old.entries().filter_map(|(key, value)| {
            let name = key.scalar()?.into_owned();
            let is_external = value.get("external").and_then(Node::bool) == Some(true);
            (!seen.contains(&name) && !is_external).then_some((name, is_observed(value)))
        });
        let gone = self.gone(path, gone.collect());
        self.edits.change(old, key_end(root, path), |name| gone.contains(name), added);
    }

    /// Says what is gone, and gives those of it which nobody decided.
    fn gone(&mut self, path: &str, all: Vec<(String, bool)>) -> BTreeSet<String> {
        let mut out = BTreeSet::new();
        for (name, is_observed) in all {
            let at = format!("{path}.{name}");
            if is_observed {
                self.say(at, Way::Removed);
                out.insert(name);
            } else if path != "namespaces" {
                self.say(at, Way::Decided("stated".into(), "nothing".into()));
            }
        }
        out
    }

    /// What the new document says of something that the old one speaks of, too.
    fn entry(&mut self, path: &str, (old, new): (Node<'_>, Node<'_>), own: &[&str], seen: bool) {
        let said = new.entries().filter(|(key, _)| key.str().is_some_and(|it| own.contains(&it)));
        let mut added = Vec::new();
        for (key, value) in said {
            let name = key.str().unwrap_or_default();
            match old.get(name).filter(|it| !it.is_null()) {
                Some(there) => self.value(&format!("{path}.{name}"), (there, value), seen),
                None if seen => {
                    self.say(format!("{path}.{name}"), Way::Added);
                    added.push(self.fresh(key, value));
                }
                None => {}
            }
        }
        // What was nothing, and nobody's, is something that was found now.
        if old.count() == 0 && !added.is_empty() {
            let on_one_line = "true".to_string();
            let lines = vec!["observed: true".into()];
            added.push(Entry { key: "observed".into(), on_one_line, lines });
        }
        let out = own
            .iter()
            .filter(|it| old.get(it).is_some_and(|it| !it.is_null()) && new.get(it).is_none());
        let out = self.gone(path, out.map(|it| ((*it).to_string(), seen)).collect());
        self.edits.change(old, old.span().range().start, |name| out.contains(name), added);
    }

    fn value(&mut self, path: &str, (old, new): (Node<'_>, Node<'_>), seen: bool) {
        if old.is_map() && new.is_map() && old.count() > 0 {
            let all: Vec<&str> =
                old.entries().chain(new.entries()).filter_map(|it| it.0.str()).collect();
            return self.entry(path, (old, new), &all, seen);
        }
        if is_alike(old, new) {
            return;
        }
        let (from, to) = (shown(old), shown(new));
        let way = if seen { Way::Changed(from, to) } else { Way::Decided(from, to) };
        self.say(path.to_string(), way);
        if !seen {
            return;
        }
        if old.is_seq() && new.is_seq() {
            let texts = |it: Node<'_>| -> Vec<String> {
                it.items().map(|it| it.scalar().unwrap_or_default().into_owned()).collect()
            };
            let (was, is) = (texts(old), texts(new));
            let more = new.items().zip(&is).filter(|it| !was.contains(it.1));
            let more: Vec<_> = more.map(|it| on_one_line(self.new_text, it.0)).collect();
            return self.edits.change_items(old, |at| !is.contains(&was[at]), &more);
        }
        let with = on_one_line(self.new_text, new);
        self.edits.set(old, &with);
    }

    /// Who calls whom, by the caller.
    fn flows(&mut self, (old, new): Pair<'_>, root: Node<'_>) {
        let Some(old) = old.filter(|it| it.is_map()) else {
            return self.section("flows", new, root);
        };
        let mut by_caller = BTreeMap::new();
        let mut added = Vec::new();
        for (key, list) in new.into_iter().flat_map(Node::entries) {
            let name = self.called(&key.scalar().unwrap_or_default());
            if old.get(&name).is_none_or(|it| it.count() == 0) {
                self.say(format!("flows.{name}"), Way::Added);
                added.push(self.fresh(key, list));
            }
            by_caller.insert(name, list);
        }
        let mut out = BTreeSet::new();
        for (key, list) in old.entries() {
            let name = key.scalar().unwrap_or_default().into_owned();
            let path = format!("flows.{name}");
            if self.list(&path, (list, by_caller.get(&name).copied()), &["to"], FLOW) {
                out.insert(name);
            }
        }
        self.edits.change(old, key_end(root, "flows"), |name| out.contains(name), added);
    }

    fn routes(&mut self, (old, new): Pair<'_>, root: Node<'_>) {
        match old.filter(|it| it.is_seq()) {
            None => self.section("routes", new, root),
            Some(list) => {
                if self.list("routes", (list, new), &["host", "path"], ROUTE) {
                    self.edits.change(root, 0, |name| name == "routes", Vec::new());
                }
            }
        }
    }

    /// Mappings of a list, known by some of their fields; whether all of them are gone.
    fn list(
        &mut self,
        path: &str,
        (old, new): (Node<'_>, Option<Node<'_>>),
        known_by: &[&str],
        own: &[&str],
    ) -> bool {
        let name = |it: Node<'_>| -> String {
            let parts = known_by.iter().map(|key| it.get(key).and_then(Node::scalar));
            parts.map(Option::unwrap_or_default).collect()
        };
        let fresh = new.into_iter().flat_map(Node::items).map(|it| (self.called(&name(it)), it));
        let fresh: Vec<(String, Node<'_>)> = fresh.collect();
        let mut places: BTreeMap<&str, Node<'_>> = BTreeMap::new();
        fresh.iter().for_each(|it| _ = places.insert(&it.0, it.1));
        let mut out = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for (at, it) in old.items().enumerate() {
            let called = name(it);
            let path = format!("{path}[{called}]");
            match places.get(&*called) {
                Some(new) => self.entry(&path, (it, *new), own, is_observed(it)),
                None if is_observed(it) => {
                    self.say(path, Way::Removed);
                    out.insert(at);
                }
                None => {}
            }
            seen.insert(called);
        }
        let is_gone = old.count() > 0 && out.len() == old.count();
        let more = fresh.iter().filter(|it| !seen.contains(&it.0) && old.count() > 0);
        let more: Vec<_> = more.map(|it| (format!("{path}[{}]", it.0), self.item(it.1))).collect();
        if is_gone && more.is_empty() {
            return true;
        }
        let (paths, texts): (Vec<_>, Vec<_>) = more.into_iter().unzip();
        paths.into_iter().for_each(|it| self.say(it, Way::Added));
        self.edits.change_items(old, |at| out.contains(&at), &texts);
        false
    }

    /// A section that the document does not have.
    fn section(&mut self, path: &str, new: Option<Node<'_>>, root: Node<'_>) {
        let Some(new) = new.filter(|it| it.count() > 0) else { return };
        self.say(path.to_string(), Way::Added);
        let (outer, inner) = path.split_once('.').map_or((None, path), |(a, b)| (Some(a), b));
        let (start, end) = (new.span().range().start, block_end(self.new_text, new));
        let from = self.new_text[..start].rfind('\n').map_or(0, |it| it + 1);
        let lines: Vec<String> =
            self.new_text[from..end].lines().map(|it| self.renamed(it)).collect();
        let around = outer.and_then(|it| root.get(it)).filter(|it| it.is_map());
        if around.is_none() {
            // A key without a value is no section.
            let name = outer.unwrap_or(inner);
            self.edits.change(root, 0, |it| it == name, Vec::new());
        }
        match (around, outer) {
            (Some(around), Some(outer)) => {
                let own = lines.iter().map(|it| it.strip_prefix("  ").unwrap_or(it).to_string());
                let lines = std::iter::once(format!("{inner}:")).chain(own).collect();
                let entry = Entry {
                    key: inner.into(),
                    on_one_line: on_one_line(self.new_text, new),
                    lines,
                };
                self.edits.change(around, key_end(root, outer), |name| name == inner, vec![entry]);
            }
            (None, Some(outer)) => {
                self.sections.push(format!("{outer}:\n  {inner}:\n{}", lines.join("\n")));
            }
            (_, None) => self.sections.push(format!("{inner}:\n{}", lines.join("\n"))),
        }
    }

    /// An entry of the new document, to be written into the old one.
    fn fresh(&self, key: Node<'_>, value: Node<'_>) -> Entry {
        let range = key.span().range();
        let column = range.start - self.new_text[..range.start].rfind('\n').map_or(0, |it| it + 1);
        let end = block_end(self.new_text, value);
        let lines = self.new_text[range.start..end].lines().enumerate().map(|(at, it)| {
            let own = if at == 0 { it } else { it.get(column..).unwrap_or_default() };
            self.renamed(own)
        });
        let own = self.new_text[range].to_string();
        let mut lines: Vec<String> = lines.collect();
        let name = self.called(own.trim_matches('"'));
        if name != own.trim_matches('"') {
            lines[0] = lines[0].replacen(&own, &name, 1);
        }
        let key = if name == own.trim_matches('"') { own } else { name };
        Entry { key, on_one_line: self.item(value), lines }
    }

    /// A value of the new document on one line.
    fn item(&self, value: Node<'_>) -> String {
        self.renamed(&on_one_line(self.new_text, value))
    }

    /// A line of the new document with the names of the old one.
    fn renamed(&self, line: &str) -> String {
        let Some((before, rest)) = line.split_once("{to: ") else { return line.to_string() };
        let end = rest.find([',', '}']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        format!("{before}{{to: {}{after}", self.called(name))
    }

    /// What the old document calls a component of the new one.
    fn called(&self, name: &str) -> String {
        self.names.get(name).cloned().unwrap_or_else(|| name.to_string())
    }

    fn say(&mut self, path: String, way: Way) {
        self.changes.push(Change { path, way });
    }
}

/// Whether nobody decided what an entry says; nor what says nothing.
fn is_observed(entry: Node<'_>) -> bool {
    entry.get("observed").and_then(Node::bool) == Some(true) || entry.count() == 0
}

/// Where the key of a section ends.
fn key_end(root: Node<'_>, path: &str) -> usize {
    let mut at = (None, root);
    for step in path.split('.') {
        let Some((key, value)) = at.1.entry(step) else { break };
        at = (Some(key), value);
    }
    at.0.map_or(0, |it| it.span().range().end)
}

/// Whether two values say the same: amounts in whatever units, lists in whatever order.
fn is_alike(a: Node<'_>, b: Node<'_>) -> bool {
    if a.is_seq() && b.is_seq() {
        let all = |it: Node<'_>| -> BTreeSet<String> {
            it.items().filter_map(Node::scalar).map(|it| it.into_owned()).collect()
        };
        return all(a) == all(b);
    }
    let (Some(a), Some(b)) = (a.scalar(), b.scalar()) else { return false };
    a == b || matches!((Quantity::parse(&a), Quantity::parse(&b)), (Ok(a), Ok(b)) if a == b)
}

/// A value in a message.
fn shown(node: Node<'_>) -> String {
    match node.value() {
        Value::Map => {
            let entries = node.entries();
            let all = entries
                .map(|(key, it)| format!("{}: {}", key.scalar().unwrap_or_default(), shown(it)));
            format!("{{{}}}", all.collect::<Vec<_>>().join(", "))
        }
        Value::Seq => format!("[{}]", node.items().map(shown).collect::<Vec<_>>().join(", ")),
        _ => node.scalar().unwrap_or_default().into_owned(),
    }
}

/// A value as `text` has it, on one line.
fn on_one_line(text: &str, node: Node<'_>) -> String {
    match node.value() {
        Value::Map => {
            let entries = node.entries().map(|(key, it)| {
                format!("{}: {}", &text[key.span().range()], on_one_line(text, it))
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Seq => {
            let items = node.items().map(|it| on_one_line(text, it));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        _ => text[node.span().range()].to_string(),
    }
}

/// Where a value of what `init` writes ends: with its last line.
fn block_end(text: &str, node: Node<'_>) -> usize {
    let last = match node.value() {
        Value::Map => node.entries().last().map(|it| it.1),
        Value::Seq => node.items().last(),
        _ => None,
    };
    let start = node.span().range().start;
    match last {
        Some(last) if !text[start..].starts_with(['{', '[']) => block_end(text, last),
        _ => node.span().range().end,
    }
}
