//! One document as a flat tree: what YAML and JSON become, with the place of every key and value.
//!
//! Nodes lie in preorder in one vector of 16-byte cells, and strings are ranges of the source's text, so a document costs
//! two allocations however deep it is, and nothing here recurses. [`Node`] is a handle: copy it freely.

pub mod builder;
mod children;
pub mod placeholder;

use crate::text::source::Span;
use children::{Index, LONG};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// One cell. `head` holds the tag in its low four bits and the number of cells in the subtree above them.
#[derive(Clone, Copy, Debug)]
struct Cell {
    span: Span,
    head: u32,
    payload: u32,
}

/// The most cells one document may have.
pub const MAX_CELLS: usize = (1 << 28) - 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    Null,
    False,
    True,
    /// Payload: the value itself, an `i32`.
    Int,
    /// Payload: an index into `wide`.
    Wide,
    /// The text is the span. Payload: its signature.
    Plain,
    /// The text is the span without the quotes around it. Payload: its signature.
    Quoted,
    /// Payload: an index into `owned`.
    Owned,
    /// Payload: the number of items.
    Seq,
    /// Payload: the number of entries; a key cell and a value's subtree each.
    Map,
    /// Nothing any more: a key that a later one replaced (and its value), or what a merge dissolved.
    Gone,
}

const TAGS: [Tag; 11] = [
    Tag::Null,
    Tag::False,
    Tag::True,
    Tag::Int,
    Tag::Wide,
    Tag::Plain,
    Tag::Quoted,
    Tag::Owned,
    Tag::Seq,
    Tag::Map,
    Tag::Gone,
];

impl Cell {
    fn new(tag: Tag, span: Span, payload: u32) -> Cell {
        Cell { span, head: 1 << 4 | tag as u32, payload }
    }

    fn tag(self) -> Tag {
        TAGS[(self.head & 15) as usize]
    }

    fn is(self, tag: Tag) -> bool {
        self.head & 15 == tag as u32
    }

    fn size(self) -> u32 {
        self.head >> 4
    }
}

/// What tells most texts of a document apart without a look at them: their lengths and some of their letters.
#[inline]
fn signature(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let at = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let len = bytes.len();
    u32::from_le_bytes([len as u8, at(0), at(len / 2), at(len.wrapping_sub(1))])
}

/// A number that does not fit a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// Any other, and whole numbers beyond 64 bits, which Kubernetes reads as floats too.
    Float(f64),
}

/// A document.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    text: Arc<str>,
    cells: Vec<Cell>,
    owned: Vec<Box<str>>,
    wide: Vec<Number>,
    /// Made when first asked for: few trees are long.
    children: OnceLock<Index>,
    /// Whether nothing is added or taken out any more.
    is_finished: bool,
}

/// A scalar, sequence or mapping of a [`Tree`].
#[derive(Clone, Copy)]
pub struct Node<'d> {
    tree: &'d Tree,
    at: u32,
}

/// What a node holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'d> {
    /// `null`, `~` or nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Str(&'d str),
    /// A sequence.
    Seq,
    /// A mapping.
    Map,
}

impl Tree {
    /// A document that holds nothing.
    pub fn null() -> Tree {
        Tree { cells: vec![Cell::new(Tag::Null, Span::default(), 0)], ..Tree::default() }
    }

    /// The document's outermost node.
    pub fn root(&self) -> Node<'_> {
        Node { tree: self, at: 0 }
    }

    /// The bytes that it takes in memory.
    pub fn bytes(&self) -> usize {
        let owned: usize = self.owned.iter().map(|it| it.len() + size_of::<Box<str>>()).sum();
        let cells = size_of_val(self.cells.as_slice()) + size_of_val(self.wide.as_slice());
        let children = self.children.get().map_or(0, Index::bytes);
        size_of::<Tree>() + self.text.len() + cells + owned + children
    }

    /// Where the children of this node lie, if they are many.
    fn children(&self, of: Cell) -> Option<&Index> {
        let is_long = of.payload > LONG && matches!(of.tag(), Tag::Seq | Tag::Map);
        (is_long && self.is_finished).then(|| self.children.get_or_init(|| Index::new(self)))
    }

    /// Looks at where most of what is read of it lies, so that it is at hand by then. Memory answers many such questions
    /// in the time of one, if none has to wait for another.
    pub fn fetch(&self) {
        /// Of the cells and of the text, in bytes.
        const MUCH: usize = 512;
        /// What memory sends at once.
        const LINE: usize = 64;
        let cells = self.cells.iter().take(MUCH / size_of::<Cell>());
        let heads = cells.step_by(LINE / size_of::<Cell>()).map(|it| it.head);
        let bytes = self.text.as_bytes().iter().take(MUCH).step_by(LINE);
        let seen = heads.chain(bytes.map(|it| u32::from(*it))).fold(0, |a, b| a ^ b);
        std::hint::black_box(seen);
    }

    /// The node at this index, as [`Node::index`] gave it.
    pub fn node(&self, index: u32) -> Node<'_> {
        Node { tree: self, at: index }
    }
}

impl<'d> Node<'d> {
    fn cell(self) -> Cell {
        self.tree.cells[self.at as usize]
    }

    /// Where the node lies in its tree.
    pub fn index(self) -> u32 {
        self.at
    }

    /// The bytes of the source that hold it.
    pub fn span(self) -> Span {
        self.cell().span
    }

    /// What it holds.
    pub fn value(self) -> Value<'d> {
        let cell = self.cell();
        match cell.tag() {
            Tag::Null | Tag::Gone => Value::Null,
            Tag::False => Value::Bool(false),
            Tag::True => Value::Bool(true),
            Tag::Int => Value::Number(Number::Int(i64::from(cell.payload as i32))),
            Tag::Wide => Value::Number(self.tree.wide[cell.payload as usize]),
            Tag::Plain => Value::Str(&self.tree.text[cell.span.range()]),
            Tag::Quoted => {
                let range = cell.span.range();
                Value::Str(&self.tree.text[range.start + 1..range.end - 1])
            }
            Tag::Owned => Value::Str(&self.tree.owned[cell.payload as usize]),
            Tag::Seq => Value::Seq,
            Tag::Map => Value::Map,
        }
    }

    /// The string, if it is one.
    pub fn str(self) -> Option<&'d str> {
        match self.value() {
            Value::Str(it) => Some(it),
            _ => None,
        }
    }

    /// Whether it is this string. Bytes are compared, which needs no look at where characters begin.
    fn reads(self, text: &str) -> bool {
        let cell = self.cell();
        let quotes = match cell.tag() {
            Tag::Plain => 0,
            Tag::Quoted => 1,
            _ => return self.str() == Some(text),
        };
        let range = cell.span.range();
        self.tree.text.as_bytes()[range.start + quotes..range.end - quotes] == *text.as_bytes()
    }

    /// The whole number, if it is one.
    pub fn int(self) -> Option<i64> {
        match self.value() {
            Value::Number(Number::Int(it)) => Some(it),
            // `1.0` and `1e3` come here as integers already; what is left has a fraction or does not fit.
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn bool(self) -> Option<bool> {
        match self.value() {
            Value::Bool(it) => Some(it),
            _ => None,
        }
    }

    /// A string or number as text, the way Kubernetes' IntOrString and Quantity read either.
    pub fn scalar(self) -> Option<Cow<'d, str>> {
        match self.value() {
            Value::Str(it) => Some(Cow::Borrowed(it)),
            Value::Number(Number::Int(it)) => Some(Cow::Owned(it.to_string())),
            Value::Number(Number::Float(it)) => Some(Cow::Owned(it.to_string())),
            Value::Bool(it) => Some(Cow::Borrowed(if it { "true" } else { "false" })),
            Value::Null | Value::Seq | Value::Map => None,
        }
    }

    /// The text of a scalar as the source has it: `no`, `1.10`; of a string without its quotes. `None` where it is no
    /// scalar, or nothing.
    pub fn written(self) -> Option<&'d str> {
        let cell = self.cell();
        match cell.tag() {
            Tag::False | Tag::True | Tag::Int | Tag::Wide => self.tree.text.get(cell.span.range()),
            _ => self.str(),
        }
    }

    /// Whether it is null.
    pub fn is_null(self) -> bool {
        self.cell().is(Tag::Null)
    }

    /// Whether it is a mapping.
    pub fn is_map(self) -> bool {
        self.cell().is(Tag::Map)
    }

    /// Whether it is a sequence.
    pub fn is_seq(self) -> bool {
        self.cell().is(Tag::Seq)
    }

    /// How many items or entries it has; 0 for a scalar.
    pub fn count(self) -> usize {
        let cell = self.cell();
        if matches!(cell.tag(), Tag::Seq | Tag::Map) { cell.payload as usize } else { 0 }
    }

    /// How many cells it and all below it take; a measure of its size.
    pub fn cells(self) -> usize {
        self.cell().size() as usize
    }

    fn after(self) -> u32 {
        self.at + self.cell().size()
    }

    /// The items of a sequence; nothing for anything else.
    pub fn items(self) -> impl Iterator<Item = Node<'d>> {
        let count = if self.is_seq() { self.count() } else { 0 };
        let mut next = self.at + 1;
        (0..count).map(move |_| {
            let item = Node { tree: self.tree, at: next };
            next = item.after();
            item
        })
    }

    /// The item of this number, from 0.
    pub fn item(self, number: usize) -> Option<Node<'d>> {
        match self.tree.children(self.cell()) {
            Some(children) if self.is_seq() => children.item(self, number),
            _ => self.items().nth(number),
        }
    }

    /// The item that holds a node below it, and its number.
    pub fn item_around(self, below: Node<'_>) -> Option<(usize, Node<'d>)> {
        match self.tree.children(self.cell()) {
            Some(children) if self.is_seq() => children.last_before(self, below.at),
            _ => self.items().enumerate().take_while(|(_, item)| item.at <= below.at).last(),
        }
    }

    /// The entry that holds a node below it, or is it.
    pub fn entry_around(self, below: Node<'_>) -> Option<(Node<'d>, Node<'d>)> {
        match self.tree.children(self.cell()) {
            Some(children) if self.is_map() => {
                let (_, key) = children.last_before(self, below.at)?;
                Some((key, self.tree.node(key.at + 1)))
            }
            _ => self.entries().take_while(|(key, _)| key.at <= below.at).last(),
        }
    }

    /// The keys and values of a mapping, nulls included; nothing for anything else.
    pub fn entries(self) -> impl Iterator<Item = (Node<'d>, Node<'d>)> {
        let count = if self.is_map() { self.count() } else { 0 };
        let mut next = self.at + 1;
        (0..count).map(move |_| {
            let mut key = Node { tree: self.tree, at: next };
            while key.cell().is(Tag::Gone) {
                key.at = key.after();
            }
            let value = Node { tree: self.tree, at: key.at + 1 };
            next = value.after();
            (key, value)
        })
    }

    /// The keys, as text, and values of a mapping, nulls left out.
    pub fn pairs(self) -> impl Iterator<Item = (&'d str, Node<'d>)> {
        self.entries()
            .filter(|(_, value)| !value.is_null())
            .filter_map(|(key, value)| Some((key.str()?, value)))
    }

    /// The key and the value under `key`, null or not.
    ///
    /// Almost all that rules do is done with this, so it is spelled out: a cell is looked at once.
    pub fn entry(self, key: &str) -> Option<(Node<'d>, Node<'d>)> {
        let signature = signature(key);
        let cells = &self.tree.cells[self.at as usize..];
        let map = cells.first().filter(|it| it.is(Tag::Map))?;
        let (mut left, mut at) = (map.payload, 1);
        if left > LONG
            && let Some(children) = self.tree.children(*map)
        {
            let key = children.key(self, key)?;
            return Some((key, self.tree.node(key.at + 1)));
        }
        while left > 0 {
            let cell = cells[at];
            if cell.is(Tag::Gone) {
                at += cell.size() as usize;
                continue;
            }
            let may_be = cell.payload == signature || cell.is(Tag::Owned);
            let node = |at: usize| Node { tree: self.tree, at: self.at + at as u32 };
            if may_be && node(at).reads(key) {
                return Some((node(at), node(at + 1)));
            }
            at += 1 + cells[at + 1].size() as usize;
            left -= 1;
        }
        None
    }

    /// The value under `key`. Null is absent, as it is to Kubernetes.
    pub fn get(self, key: &str) -> Option<Node<'d>> {
        self.entry(key).map(|(_, value)| value).filter(|it| !it.is_null())
    }

    /// The value under these keys, one below the other.
    pub fn at(self, keys: &[&str]) -> Option<Node<'d>> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The value at a path of plain keys (`spec.strategy.type`). Rules ask for many, and most are short: the next dot is
    /// found sooner byte by byte than by a search that is prepared first.
    pub fn down(self, path: &str) -> Option<Node<'d>> {
        let (mut node, mut rest) = (self, path);
        while let Some(dot) = rest.bytes().position(|it| it == b'.') {
            node = node.get(&rest[..dot])?;
            rest = &rest[dot + 1..];
        }
        node.get(rest)
    }

    /// The items of the sequence under `key`.
    pub fn list(self, key: &str) -> impl Iterator<Item = Node<'d>> {
        self.get(key).into_iter().flat_map(Node::items)
    }

    /// The string under `key`.
    pub fn text(self, key: &str) -> Option<&'d str> {
        self.get(key)?.str()
    }

    /// Whether both hold the same data, whatever the order of keys.
    pub fn same(self, other: Node<'_>) -> bool {
        let mut open = vec![(self, other)];
        while let Some((a, b)) = open.pop() {
            match (a.value(), b.value()) {
                (Value::Seq, Value::Seq) if a.count() == b.count() => {
                    open.extend(a.items().zip(b.items()))
                }
                (Value::Map, Value::Map) if a.count() == b.count() => {
                    // Mostly the order is the same too; where it is not, each key is looked up.
                    let in_order =
                        a.entries().zip(b.entries()).all(|((a, _), (b, _))| a.str() == b.str());
                    if in_order {
                        open.extend(a.entries().zip(b.entries()).map(|((_, a), (_, b))| (a, b)));
                        continue;
                    }
                    let theirs: FxHashMap<_, _> =
                        b.entries().map(|(key, value)| (key.str(), value)).collect();
                    for (key, value) in a.entries() {
                        let Some(other) = theirs.get(&key.str()) else { return false };
                        open.push((value, *other));
                    }
                }
                (Value::Seq, Value::Seq) | (Value::Map, Value::Map) => return false,
                (x, y) if x == y => {}
                _ => return false,
            }
        }
        true
    }

    /// What kind of value it is, for messages.
    pub fn kind(self) -> &'static str {
        match self.value() {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Str(_) => "a string",
            Value::Seq => "a list",
            Value::Map => "a mapping",
        }
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {:?}", self.value(), self.span())
    }
}
