//! A field's path inside an object: `spec.hard['requests.cpu']`, `spec.containers[0].image`.
//!
//! Rules name places this way; the report turns them into lines and columns.

use crate::text::tree::Node;
use std::fmt;

/// One step of a [`FieldPath`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Into a mapping.
    Key(Box<str>),
    /// Into a sequence, from 0.
    Index(u32),
}

/// The way from an object's root to one of its fields.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FieldPath {
    steps: Vec<Step>,
}

impl FieldPath {
    /// The path that `text` writes; the form that `Display` prints.
    pub fn parse(text: &str) -> FieldPath {
        let mut steps = Vec::with_capacity(1 + text.matches(['.', '[']).count());
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix("['") {
                let (key, after) = quoted.split_once("']").unwrap_or((quoted, ""));
                steps.push(Step::Key(key.into()));
                rest = after;
            } else if let Some(index) = rest.strip_prefix('[') {
                let (index, after) = index.split_once(']').unwrap_or((index, ""));
                steps.push(Step::Index(index.parse().unwrap_or(0)));
                rest = after;
            } else {
                let plain = rest.strip_prefix('.').unwrap_or(rest);
                let end = plain.find(['.', '[']).unwrap_or(plain.len());
                if end > 0 {
                    steps.push(Step::Key(plain[..end].into()));
                }
                rest = &plain[end..];
                if end == 0 && !rest.starts_with('[') {
                    break;
                }
            }
        }
        FieldPath { steps }
    }

    /// The path from `root` down to `node`, which lies below it.
    pub fn between(root: Node<'_>, node: Node<'_>) -> FieldPath {
        let mut steps = Vec::new();
        let mut here = root;
        while here.index() != node.index() {
            let below = if here.is_map() {
                let at = here.entry_around(node);
                at.map(|(key, value)| (Step::Key(key.str().unwrap_or_default().into()), key, value))
            } else {
                let at = here.item_around(node);
                at.map(|(index, item)| (Step::Index(index as u32), item, item))
            };
            let Some((step, key, value)) = below else { break };
            steps.push(step);
            if key.index() == node.index() {
                break;
            }
            here = value;
        }
        FieldPath { steps }
    }

    /// This path, and another one from where it ends.
    pub fn join(mut self, rest: FieldPath) -> FieldPath {
        self.steps.extend(rest.steps);
        self
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Walks down from `root` as far as the path goes: the key (if the last step was one), the value, and whether all
    /// steps were found.
    pub fn resolve<'d>(&self, root: Node<'d>) -> (Option<Node<'d>>, Node<'d>, Found) {
        let mut here = (None, root);
        for step in &self.steps {
            let below = match step {
                Step::Key(key) => here.1.entry(key).map(|(key, value)| (Some(key), value)),
                Step::Index(index) => here.1.item(*index as usize).map(|item| (None, item)),
            };
            match below {
                Some(below) => here = below,
                None => return (here.0, here.1, Found::Partly),
            }
        }
        (here.0, here.1, Found::Wholly)
    }
}

/// How far a path could be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// To its end.
    Wholly,
    /// To the innermost field that is there.
    Partly,
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_plain(key) => {
                    write!(f, "{}{key}", if at == 0 { "" } else { "." })?
                }
                Step::Key(key) => write!(f, "['{key}']")?,
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && key.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_it_parses() {
        for text in [
            "",
            "spec",
            "spec.hard['requests.cpu']",
            "spec.containers[0].image",
            "metadata.labels['a/b'].x",
            "[2].a",
        ] {
            assert_eq!(FieldPath::parse(text).to_string(), text);
        }
    }
}
