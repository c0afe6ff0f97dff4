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

    /// Takes entries out of a mapping whose key ends at `key_end`, and leaves the comments that stand there; adds others: in
    /// order, where the ones that are there are.
    pub(super) fn change(
        &mut self,
        map: Node<'_>,
        key_end: usize,
        is_out: impl Fn(&str) -> bool,
        entries: Vec<Entry>,
    ) {
        let parts = map.entries().map(|(key, value)| {
            let name = key.scalar().unwrap_or_default();
            (key.span().range().start..self.end_of(key, value), is_out(&name))
        });
        let parts: Vec<_> = parts.collect();
        if map.is_map() && self.is_flow(map) {
            let texts = entries.into_iter().map(|it| format!("{}: {}", it.key, it.on_one_line));
            return self.change_flow(map, &parts, &texts.collect::<Vec<_>>());
        }
        self.take(&parts);
        self.add(map, key_end, entries);
    }

    /// Takes items out of a list, and adds others, each on one line.
    pub(super) fn change_items(
        &mut self,
        list: Node<'_>,
        is_out: impl Fn(usize) -> bool,
        items: &[String],
    ) {
        let parts = list.items().enumerate();
        let parts = parts.map(|(at, it)| (it.span().range().start..self.end(it), is_out(at)));
        let parts: Vec<_> = parts.collect();
        let Some(last) = list.items().last().filter(|_| !self.is_flow(list)) else {
            return self.change_flow(list, &parts, items);
        };
        self.take(&parts);
        let (indent, at) = (self.indent(last), self.line_end(self.end(last)));
        for item in items {
            self.edits.push((at..at, format!("\n{}- {item}", " ".repeat(indent))));
        }
    }

    fn add(&mut self, map: Node<'_>, key_end: usize, entries: Vec<Entry>) {
        if entries.is_empty() {
            return;
        }
        let indent = match map.entries().next() {
            Some((key, _)) => self.indent(key),
            None => self.indent_at(key_end) + 2,
        };
        let names: Vec<_> =
            map.entries().map(|(key, _)| key.scalar().unwrap_or_default().into_owned()).collect();
        let is_sorted = names.is_sorted();
        let ends: Vec<_> = map.entries().map(|(key, value)| self.end_of(key, value)).collect();
        for entry in entries {
            let name = entry.key.trim_matches('"');
            let before = match is_sorted {
                true => names.partition_point(|it| it.as_str() < name),
                false => names.len(),
            };
            let at = before.checked_sub(1).map_or(key_end, |it| ends[it]);
            let lines = entry.lines.iter().map(|it| format!("\n{}{it}", " ".repeat(indent)));
            let at = self.line_end(at);
            self.edits.push((at..at, lines.collect()));
        }
    }

    fn take(&mut self, parts: &[(Range<usize>, bool)]) {
        let out = parts.iter().filter(|it| it.1).map(|it| self.lines_of(&it.0));
        let out: Vec<_> = out.collect();
        self.edits.extend(out);
    }

    fn change_flow(&mut self, all: Node<'_>, parts: &[(Range<usize>, bool)], texts: &[String]) {
        let more = texts.join(", ");
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
            let at = all.span().range().start + 1;
            return self.edits.push((at..at, more));
        };
        if parts.iter().all(|it| it.1) {
            return self.edits.push((first.0.start..last.0.end, more));
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
        if !more.is_empty() {
            self.edits.push((last.0.end..last.0.end, format!(", {more}")));
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
