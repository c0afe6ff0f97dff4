//! What the API server refuses in one object, whatever else there is: `built_in` by the definitions of Kubernetes' own
//! kinds, `custom` by the structural schema of a CustomResourceDefinition.

pub mod built_in;
pub mod custom;
pub mod field;
mod format;
mod values;

use crate::documents::closest;
use crate::text::tree::Node;

/// Something that the API server refuses.
#[derive(Clone, Debug)]
pub struct Fault<'d> {
    /// The value that is wrong, or that lacks something.
    pub node: Node<'d>,
    /// What is wrong with it, to follow its name: `is a number, and has to be a string`.
    pub says: String,
    /// The same in a few words.
    pub label: String,
    /// What to do.
    pub help: String,
    /// Whether only strict validation refuses it.
    pub is_dropped: bool,
}

impl<'d> Fault<'d> {
    /// A value that is wrong.
    pub fn new(
        node: Node<'d>,
        says: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Fault<'d> {
        Fault { node, says: says.into(), label: label.into(), help: help.into(), is_dropped: false }
    }

    /// A value of another type than is due.
    pub fn of_type(node: Node<'d>, due: &str) -> Fault<'d> {
        let is = node.kind();
        let help = match (due, node.written()) {
            ("a string" | "a whole number or a string", Some(text)) => {
                format!("put it in quotes: `\"{text}\"`")
            }
            ("a whole number" | "a number" | "`true` or `false`", Some(text))
                if node.str().is_some() =>
            {
                let meant = text.trim_matches(['"', '\'']);
                format!("write it without quotes, if `{meant}` is meant")
            }
            _ => format!("write {due}"),
        };
        Fault::new(node, format!("is {is}, and has to be {due}"), format!("read as {is}"), help)
    }

    /// A field that is missing.
    pub fn missing(node: Node<'d>, field: &str) -> Fault<'d> {
        let label = format!("`{field}` is required");
        Fault::new(node, format!("has no `{field}`"), label, format!("set `{field}`"))
    }

    /// A field that there is not.
    pub fn unknown<'k>(
        node: Node<'d>,
        name: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Fault<'d> {
        let help = match closest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "remove it, or move it to where it belongs".into(),
        };
        let fault = Fault::new(node, "is a field that there is not", "no such field", help);
        Fault { is_dropped: true, ..fault }
    }

    /// A word that is none of those that are allowed.
    pub fn word<'k>(
        node: Node<'d>,
        word: &str,
        words: impl IntoIterator<Item = &'k str> + Clone,
    ) -> Fault<'d> {
        let all: Vec<_> = words.clone().into_iter().map(|it| format!("`{it}`")).collect();
        let near = words.clone().into_iter().find(|it| it.eq_ignore_ascii_case(word));
        let help = match near.or_else(|| closest(word, words)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write {}", one_of(&all)),
        };
        let says = format!("is `{word}`, and has to be {}", one_of(&all));
        Fault::new(node, says, "none of the words that it may be", help)
    }
}

fn one_of(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        [words @ .., last] => format!("{} or {last}", words.join(", ")),
    }
}

/// Whether something else fills a text in before the API server sees it.
pub fn is_filled_in_later(text: &str) -> bool {
    text.contains("${") || text.contains("{{") || text.contains("$(") || text.starts_with('<')
}
