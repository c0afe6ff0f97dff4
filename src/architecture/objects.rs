//! Objects as statements make them: each of their fields knows the statement that it comes from.

use crate::load::origin::Statement;
use crate::load::own::OwnId;
use crate::text::source::Span;
use crate::text::tree;
use crate::text::tree::builder::{Builder, Written};
use crate::text::tree::{Node, Tree};
use std::borrow::Cow;
use std::sync::Arc;

/// What a field of such an object is.
pub(super) enum Field<'d> {
    /// What a statement says, as it stands.
    Stated(Node<'d>),
    /// The number that a statement says in other words.
    Number(u32, Node<'d>),
    /// What follows from a statement without being said.
    Text(String, Node<'d>),
    /// A number that nobody stated, and against which nothing is to be said.
    Assumed(u32, Node<'d>),
    /// Fields by name.
    Map(Vec<(Name, Field<'d>)>, Node<'d>),
    /// Items.
    List(Vec<Field<'d>>, Node<'d>),
}

/// The name of a field.
pub(super) type Name = Cow<'static, str>;

/// An object's tree, and by its cells the statements that these come from. `cells` says where each node stands.
pub(super) fn object(
    field: &Field<'_>,
    text: &Arc<str>,
    cells: &[(OwnId, u32)],
) -> (Tree, Vec<Statement>) {
    let builder = Builder::new(text.clone(), 0);
    let mut writer = Writer { builder, statements: Vec::new(), cells };
    writer.field(field);
    (writer.builder.finish(), writer.statements)
}

struct Writer<'c> {
    builder: Builder,
    statements: Vec<Statement>,
    cells: &'c [(OwnId, u32)],
}

impl Writer<'_> {
    fn field(&mut self, field: &Field<'_>) {
        match field {
            Field::Stated(node) => self.copy(*node),
            Field::Number(number, node) | Field::Assumed(number, node) => {
                self.comes_from(*node, matches!(field, Field::Number(..)));
                let number = tree::Number::Int(i64::from(*number));
                self.builder.number(number, node.span());
            }
            Field::Text(text, node) => self.text(text, *node, false),
            Field::Map(fields, node) => {
                self.comes_from(*node, false);
                self.builder.open_map(start(*node));
                for (key, value) in fields {
                    self.text(key, *node, false);
                    self.field(value);
                }
                self.builder.close(fields.len() as u32, node.span().end);
            }
            Field::List(items, node) => {
                self.comes_from(*node, false);
                self.builder.open_seq(start(*node));
                items.iter().for_each(|it| self.field(it));
                self.builder.close(items.len() as u32, node.span().end);
            }
        }
    }

    fn text(&mut self, text: &str, node: Node<'_>, is_said: bool) {
        self.comes_from(node, is_said);
        self.builder.str(Written::Owned(text), node.span());
    }

    fn copy(&mut self, node: Node<'_>) {
        match node.value() {
            tree::Value::Map => {
                self.comes_from(node, false);
                self.builder.open_map(start(node));
                for (key, value) in node.entries() {
                    self.text(&key.scalar().unwrap_or_default(), key, true);
                    self.copy(value);
                }
                self.builder.close(node.count() as u32, node.span().end);
            }
            tree::Value::Seq => {
                self.comes_from(node, false);
                self.builder.open_seq(start(node));
                node.items().for_each(|it| self.copy(it));
                self.builder.close(node.count() as u32, node.span().end);
            }
            tree::Value::Null => {
                self.comes_from(node, false);
                self.builder.null(node.span());
            }
            tree::Value::Bool(it) => {
                self.comes_from(node, true);
                self.builder.bool(it, node.span());
            }
            tree::Value::Number(it) => {
                self.comes_from(node, true);
                self.builder.number(it, node.span());
            }
            tree::Value::Str(it) => self.text(it, node, true),
        }
    }

    /// Keeps where the next cell comes from, and whether it is just what is said there.
    fn comes_from(&mut self, node: Node<'_>, is_said: bool) {
        let (document, node) =
            self.cells.get(node.index() as usize).copied().unwrap_or((OwnId(0), 0));
        self.statements.push(Statement { document, node, is_said });
    }
}

fn start(node: Node<'_>) -> Span {
    let at = node.span().start;
    Span { start: at, end: at }
}
