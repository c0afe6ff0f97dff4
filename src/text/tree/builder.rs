//! Building a tree, cell by cell, as the parser goes.

use super::{Cell, Node, Number, Tag, Tree, signature};
use crate::text::source::Span;
use std::sync::Arc;

/// Builds a [`Tree`] from the events of a parser, in order.
#[derive(Debug, Default)]
pub struct Builder {
    tree: Tree,
    open: Vec<u32>,
}

/// A key's or value's text, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written<'t> {
    /// Just as the span has it.
    Plain(&'t str),
    /// Between one byte of quotes on either side of the span.
    Quoted(&'t str),
    /// Not in the source: escapes, folding, or a conversion.
    Owned(&'t str),
}

/// A subtree apart from its tree.
#[derive(Debug, Clone)]
pub struct Piece {
    cells: Box<[Cell]>,
}

impl Piece {
    /// How many cells it has; a measure of its size.
    pub fn cells(&self) -> usize {
        self.cells.len()
    }

    /// Whether it is neither a sequence nor a mapping.
    pub fn is_scalar(&self) -> bool {
        !matches!(self.cells[0].tag(), Tag::Seq | Tag::Map)
    }
}

impl Builder {
    /// A builder for a document that lies in `text`, `bytes` long.
    pub fn new(text: Arc<str>, bytes: usize) -> Builder {
        let mut builder = Builder::with_room(bytes / 8 + 4);
        builder.tree.text = text;
        builder
    }

    /// A builder for a document of which the text is put together with it ([`Builder::finish_over`]); most have no more
    /// cells than this.
    pub fn with_room(cells: usize) -> Builder {
        let tree = Tree { cells: Vec::with_capacity(cells), ..Tree::default() };
        Builder { tree, open: Vec::new() }
    }

    /// How many cells there are; the index of the next one.
    pub fn len(&self) -> usize {
        self.tree.cells.len()
    }

    /// Whether nothing has been added.
    pub fn is_empty(&self) -> bool {
        self.tree.cells.is_empty()
    }

    /// The source's text.
    pub fn source(&self) -> &str {
        &self.tree.text
    }

    /// The node at this index; a collection must have been closed.
    pub fn node(&self, index: u32) -> Node<'_> {
        self.tree.node(index)
    }

    /// Adds null.
    pub fn null(&mut self, span: Span) {
        self.tree.cells.push(Cell::new(Tag::Null, span, 0));
    }

    /// Adds a truth value.
    pub fn bool(&mut self, value: bool, span: Span) {
        self.tree.cells.push(Cell::new(if value { Tag::True } else { Tag::False }, span, 0));
    }

    /// Adds a number.
    pub fn number(&mut self, value: Number, span: Span) {
        let cell = match value {
            Number::Int(it) if i32::try_from(it).is_ok() => {
                Cell::new(Tag::Int, span, it as i32 as u32)
            }
            wide => {
                self.tree.wide.push(wide);
                Cell::new(Tag::Wide, span, self.tree.wide.len() as u32 - 1)
            }
        };
        self.tree.cells.push(cell);
    }

    /// Adds a string, or a key.
    pub fn str(&mut self, value: Written<'_>, span: Span) {
        let cell = match value {
            Written::Plain(text) => Cell::new(Tag::Plain, span, signature(text)),
            Written::Quoted(text) => Cell::new(Tag::Quoted, span, signature(text)),
            Written::Owned(text) => {
                self.tree.owned.push(text.into());
                Cell::new(Tag::Owned, span, self.tree.owned.len() as u32 - 1)
            }
        };
        self.tree.cells.push(cell);
    }

    /// Opens a sequence.
    pub fn open_seq(&mut self, span: Span) {
        self.open.push(self.len() as u32);
        self.tree.cells.push(Cell::new(Tag::Seq, span, 0));
    }

    /// Opens a mapping; keys and values follow in turn.
    pub fn open_map(&mut self, span: Span) {
        self.open.push(self.len() as u32);
        self.tree.cells.push(Cell::new(Tag::Map, span, 0));
    }

    /// Closes the innermost collection, which has `count` items or entries and ends at `end`, and says where it begins.
    pub fn close(&mut self, count: u32, end: u32) -> u32 {
        let at = self.open.pop().expect("a parser closes only what it opened");
        let size = self.len() as u32 - at;
        let cell = &mut self.tree.cells[at as usize];
        cell.head = size << 4 | (cell.head & 15);
        cell.payload = count;
        cell.span.end = cell.span.end.max(end);
        at
    }

    /// A copy of the closed subtree at `index`.
    pub fn piece(&self, index: u32) -> Piece {
        Piece { cells: self.tree.cells[self.subtree(index)].into() }
    }

    /// Adds such a copy: what an alias stands for.
    pub fn add_piece(&mut self, piece: &Piece) {
        self.tree.cells.extend_from_slice(&piece.cells);
    }

    /// Adds a copy of the closed subtree at `index`: what an alias stands for.
    pub fn repeat(&mut self, index: u32) {
        let subtree = self.subtree(index);
        self.tree.cells.extend_from_within(subtree);
    }

    /// Takes out the entry of the key at `key`, so that its mapping passes it over.
    pub fn drop_entry(&mut self, key: u32) {
        let value = self.tree.cells[key as usize + 1].size();
        self.tree.cells[key as usize].head = (1 + value) << 4 | Tag::Gone as u32;
    }

    /// Takes out the one cell at `index`: the mapping around it gets what the cell held.
    pub fn dissolve(&mut self, index: u32) {
        self.tree.cells[index as usize].head = 1 << 4 | Tag::Gone as u32;
    }

    /// Says how many entries the mapping at `index` has left.
    pub fn set_count(&mut self, index: u32, count: u32) {
        self.tree.cells[index as usize].payload = count;
    }

    /// Where the innermost open collections begin, outermost first.
    pub fn open_spans(&self) -> impl Iterator<Item = Span> {
        self.open.iter().map(|at| self.tree.cells[*at as usize].span)
    }

    fn subtree(&self, index: u32) -> std::ops::Range<usize> {
        index as usize..(index + self.tree.cells[index as usize].size()) as usize
    }

    /// Takes back the cells from this one on, all of them in the innermost open collection.
    pub fn truncate(&mut self, len: usize) {
        self.tree.cells.truncate(len);
    }

    /// The finished tree, where the text that it lies over was put together with it.
    pub fn finish_over(mut self, text: Arc<str>) -> Tree {
        self.tree.text = text;
        self.finish()
    }

    /// The finished tree.
    pub fn finish(mut self) -> Tree {
        debug_assert!(self.open.is_empty(), "every collection is closed");
        // A copy of just the size: shrinking in place would leave the allocator holding the rest.
        self.tree.cells = self.tree.cells.as_slice().to_vec();
        self.tree.is_finished = true;
        self.tree
    }
}
