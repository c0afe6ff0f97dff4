//! One reading of a document: it goes on after a mistake, so that all of them are told at once.
//!
//! serde gives up at the first mistake in a struct. So what is wrong is kept with its place, and read over in the next
//! pass; lists and maps go on by themselves.

use super::deserialize::Value;
use super::error::{Error, Said, choices, in_words};
use crate::load::read::mistake::Mistake;
use crate::text::source::Span;
use crate::text::tree::Node;
use rustc_hash::FxHashSet;
use serde::de::DeserializeOwned;
use std::cell::{Cell, RefCell};

/// A document with more mistakes than this in its structs is told of these first.
const MAX_PASSES: usize = 64;

/// What is known of a document while it is read.
#[derive(Debug)]
pub(super) struct Run<'d> {
    root: Node<'d>,
    /// Values that are left out, since something is wrong with them that was told.
    skipped: RefCell<FxHashSet<u32>>,
    mistakes: RefCell<Vec<Mistake>>,
    /// Whether the last pass came upon anything.
    came_upon: Cell<bool>,
}

impl<'d> Run<'d> {
    pub(super) fn new(root: Node<'d>) -> Run<'d> {
        Run {
            root,
            skipped: RefCell::default(),
            mistakes: RefCell::default(),
            came_upon: Cell::new(false),
        }
    }

    /// Reads all of it; `None` where something is so wrong that nothing came of it.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        for _ in 0..MAX_PASSES {
            self.came_upon.set(false);
            let read = T::deserialize(Value::of(self, None, self.root));
            if !self.came_upon.get() {
                return read.map_err(|error| self.place(None, self.root, error)).ok();
            }
        }
        None
    }

    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes.into_inner()
    }

    pub(super) fn is_root(&self, node: Node<'_>) -> bool {
        node.index() == self.root.index()
    }

    pub(super) fn is_skipped(&self, node: Node<'_>) -> bool {
        self.skipped.borrow().contains(&node.index())
    }

    /// Leaves a value out from now on.
    pub(super) fn skip(&self, node: Node<'_>) {
        if self.skipped.borrow_mut().insert(node.index()) {
            self.came_upon.set(true);
        }
    }

    /// Keeps what is wrong with a value, unless that was done.
    pub(super) fn place(&self, key: Option<Node<'_>>, node: Node<'_>, error: Error) -> Error {
        let Error::Said(said) = error else { return error };
        let name = || match key.and_then(Node::scalar) {
            Some(key) => format!("`{key}` is "),
            None => String::new(),
        };
        match said {
            Said::Missing(field) => self.missing(node, field),
            Said::Type(expected) if expected.contains(" is ") => {
                self.keep(node.span(), &format!("{expected}, and this is {}", node.kind()));
            }
            Said::Type(expected) => {
                let (needed, this) = (in_words(&expected), node.kind());
                let message = match key {
                    Some(_) => format!("{}{needed}, and this is {this}", name()),
                    None => format!("{needed} is needed, and this is {this}"),
                };
                self.keep(node.span(), &message);
            }
            Said::Empty => self.keep(node.span(), &format!("{}empty", name())),
            Said::Field(word, known) | Said::Word(word, known) => {
                self.keep(node.span(), &choices("word", &word, known));
            }
            Said::Other(message) => self.keep(node.span(), &message),
        }
        Error::Placed
    }

    /// A field that there is not, at its key.
    pub(super) fn unknown_field(&self, key: Node<'_>, known: &[&str], has_head: bool) {
        let name = key.scalar().unwrap_or_default();
        let mut known = known.to_vec();
        if has_head {
            known.splice(0..0, super::HEAD);
        }
        self.keep(key.span(), &choices("field", &name, &known));
    }

    /// A field that has to be there. One that is there and wrong was told of.
    fn missing(&self, node: Node<'_>, field: &str) {
        let written = node.entries().find(|(key, _)| key.str() == Some(field));
        if written.is_some_and(|(_, value)| self.is_skipped(value)) {
            return;
        }
        let start = node.span().start;
        let end = node.entries().next().map_or(start, |(key, _)| key.span().end);
        self.keep(Span { start, end }, &format!("`{field}` is missing"));
    }

    /// Keeps a message and, after a line break, what to do.
    fn keep(&self, span: Span, said: &str) {
        let (message, help) = match said.split_once('\n') {
            Some((message, help)) => (message, Some(help.to_string())),
            None => (said, None),
        };
        let mistake = Mistake { span, message: message.to_string(), help };
        self.mistakes.borrow_mut().push(mistake);
    }
}
