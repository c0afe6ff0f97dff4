//! Changes to a text at the nodes of its tree: whatever they do not touch stays as it was written, comments and order
//! included.

use crate::text::tree::{Node, Value};
use std::cmp::Reverse;
use std::ops::Range;

/// Changes to one text.
pub(super) struct Edits<'t> {
    text: &'t str,
    edits: Vec<(Range<usize>, String)>,
}

/// An entry to be written: its key, the same entry on one line without the key, and on lines of its own.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) on_one_line: String,
    /// Indented as if it stood at the margin, the key included.
    pub(super) lines: Vec<String>,
}

impl<'t> Edits<'t> {
    pub(super) fn new(text: &'t str) -> Edits<'t> {
        Edits { text, edits: Vec::new() }
    }

    /// The text with all changes.
    pub(super) fn apply(self) -> String {
        let mut edits: Vec<_> = self.edits.into_iter().enumerate().collect();
        // From the end on, so that places stay what they are; of two at one place the first stands first.
        edits.sort_by_key(|(at, (range, _))| Reverse((range.start, *at)));
        let mut text = self.text.to_string();
        for (_, (range, with)) in edits {
            text.replace_range(range, &with);
        }
        text
    }

    /// Writes something else in the place of a value.
    pub(super) fn set(&mut self, value: Node<'_>, with: &str) {
        self.edits.push((value.span().range().start..self.end(value), with.to_string()));
    }

    /// Adds entries to a mapping whose key ends at `key_end`: in order, where the ones that are there are.
    pub(super) fn add(&mut self, map: Node<'_>, key_end: usize, entries: Vec<Entry>) {
        if entries.is_empty() {
            return;
        }
        if map.is_map() && self.is_flow(map) {
            let texts = entries.into_iter().map(|it| format!("{}: {}", it.key, it.on_one_line));
            return self.add_to_flow(map, map.entries().last().map(|it| it.1), texts.collect());
        }
        let indent = match map.entries().next() {
            Some((key, _)) => self.indent(key),
            None => self.indent_at(key_end) + 2,
        };
        let names: Vec<_> =
            map.entries().map(|(key, _)| key.scalar().unwrap_or_default().into_owned()).collect();
        let is_sorted = names.is_sorted();
        for entry in entries {
            let name = entry.key.trim_matches('"');
            let before = match is_sorted {
                true => names.partition_point(|it| it.as_str() < name),
                false => names.len(),
            };
            let after = before.checked_sub(1).and_then(|it| map.entries().nth(it));
            let at = after.map_or(key_end, |(_, value)| self.end(value));
            let lines = entry.lines.iter().map(|it| format!("\n{}{it}", " ".repeat(indent)));
            let at = self.line_end(at);
            self.edits.push((at..at, lines.collect()));
        }
    }

    /// Adds items, each on one line, to a list.
    pub(super) fn append(&mut self, list: Node<'_>, items: Vec<String>) {
        let Some(last) = list.items().last().filter(|_| !self.is_flow(list)) else {
            return self.add_to_flow(list, list.items().last(), items);
        };
        let (indent, at) = (self.indent(last), self.line_end(self.end(last)));
        for item in items {
            self.edits.push((at..at, format!("\n{}- {item}", " ".repeat(indent))));
        }
    }

    fn add_to_flow(&mut self, all: Node<'_>, last: Option<Node<'_>>, texts: Vec<String>) {
        if texts.is_empty() {
            return;
        }
        let (at, before) = match last {
            Some(last) => (self.end(last), ", "),
            None => (all.span().range().start + 1, ""),
        };
        self.edits.push((at..at, format!("{before}{}", texts.join(", "))));
    }

    /// Takes entries out of a mapping, and leaves the comments that stand there.
    pub(super) fn remove(&mut self, map: Node<'_>, is_out: impl Fn(&str) -> bool) {
        let parts = map.entries().map(|(key, value)| {
            let name = key.scalar().unwrap_or_default();
            (key.span().range().start..self.end_of(key, value), is_out(&name))
        });
        self.take(map, &parts.collect::<Vec<_>>());
    }

    /// Takes items out of a list.
    pub(super) fn remove_items(&mut self, list: Node<'_>, is_out: impl Fn(usize) -> bool) {
        let parts = list.items().enumerate();
        let parts = parts.map(|(at, it)| (it.span().range().start..self.end(it), is_out(at)));
        self.take(list, &parts.collect::<Vec<_>>());
    }

    fn take(&mut self, all: Node<'_>, parts: &[(Range<usize>, bool)]) {
        if !self.is_flow(all) {
            let out = parts.iter().filter(|it| it.1).map(|it| self.lines_of(&it.0));
            let out: Vec<_> = out.collect();
            return self.edits.extend(out);
        }
        let mut is_leading = true;
        for (at, (range, is_out)) in parts.iter().enumerate() {
            is_leading &= at == 0 || parts[at - 1].1;
            if !is_out {
                continue;
            }
            // With the comma between it and a neighbour that stays.
            let range = match (is_leading, parts.get(at + 1)) {
                (true, Some(next)) => range.start..next.0.start,
                (true, None) => range.clone(),
                (false, _) => parts[at - 1].0.end..range.end,
            };
            self.edits.push((range, String::new()));
        }
    }

    /// The lines that something takes, and the comments among them.
    fn lines_of(&self, range: &Range<usize>) -> (Range<usize>, String) {
        let start = self.line_start(range.start);
        let first = self.text[start..range.start].trim_start();
        let rest = self.text[range.end..self.line_end(range.end)].trim();
        // What shares its line with something else goes alone.
        if !first.is_empty() && first.trim_end() != "-" {
            return (range.clone(), String::new());
        }
        let comments =
            self.text[range.clone()].lines().filter(|it| it.trim_start().starts_with('#'));
        let mut kept: String = comments.map(|it| format!("\n{it}")).collect();
        if !rest.is_empty() {
            kept.push_str(&format!("\n{}{rest}", " ".repeat(self.indent_at(range.start))));
        }
        (start.saturating_sub(1)..self.line_end(range.end), kept)
    }

    /// Whether a mapping or list is written with braces.
    fn is_flow(&self, node: Node<'_>) -> bool {
        self.text[node.span().range().start..].starts_with(['{', '['])
    }

    /// Where an entry ends; of one without a value, with its key.
    fn end_of(&self, key: Node<'_>, value: Node<'_>) -> usize {
        let is_here = value.span().start >= key.span().end && !value.is_null();
        if is_here { self.end(value) } else { key.span().range().end + 1 }
    }

    /// Where a value ends: in block style with the last of its parts, and not with what comes after it.
    fn end(&self, node: Node<'_>) -> usize {
        let own = node.span().range().end;
        match node.value() {
            Value::Map if !self.is_flow(node) => {
                node.entries().last().map_or(own, |(key, value)| self.end_of(key, value))
            }
            Value::Seq if !self.is_flow(node) => node.items().last().map_or(own, |it| self.end(it)),
            _ => own,
        }
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |it| it + 1)
    }

    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |it| at + it)
    }

    fn indent(&self, node: Node<'_>) -> usize {
        self.indent_at(node.span().range().start)
    }

    fn indent_at(&self, at: usize) -> usize {
        self.text[self.line_start(at)..].bytes().take_while(|it| *it == b' ').count()
    }
}
