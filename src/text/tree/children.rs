//! Where the items and entries of long sequences and mappings lie, so that none of them has to be counted off: a report
//! asks for each of the places that findings name.

use super::{Node, Tag, Tree};

/// Longer ones are found by an index; in shorter ones a look at each is sooner.
pub(super) const LONG: u32 = 64;

/// The long sequences and mappings of a tree, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    all: Vec<Children>,
}

/// The items or keys of one of them.
#[derive(Clone, Debug)]
struct Children {
    at: u32,
    /// Their cells, in order.
    cells: Box<[u32]>,
    /// Of a mapping, the same in the order of the keys.
    by_key: Box<[u32]>,
}

impl Index {
    pub(super) fn new(tree: &Tree) -> Index {
        let mut index = Index::default();
        for (at, cell) in (0..).zip(&tree.cells) {
            let node = tree.node(at);
            if cell.payload <= LONG {
                continue;
            }
            let (cells, is_map): (Box<[u32]>, _) = match cell.tag() {
                Tag::Seq => (node.items().map(Node::index).collect(), false),
                Tag::Map => (node.entries().map(|(key, _)| key.index()).collect(), true),
                _ => continue,
            };
            let mut by_key = if is_map { cells.clone() } else { Box::default() };
            by_key.sort_by_key(|it| tree.node(*it).str());
            index.all.push(Children { at, cells, by_key });
        }
        index
    }

    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let each = self.all.iter();
        each.map(|it| size_of::<Children>() + 4 * (it.cells.len() + it.by_key.len())).sum()
    }

    fn of(&self, node: Node<'_>) -> Option<&Children> {
        let found = self.all.binary_search_by_key(&node.index(), |it| it.at);
        found.ok().map(|at| &self.all[at])
    }

    /// The item of this number.
    pub(super) fn item<'d>(&self, of: Node<'d>, number: usize) -> Option<Node<'d>> {
        Some(of.tree.node(*self.of(of)?.cells.get(number)?))
    }

    /// The item or key at or before a cell, and its number.
    pub(super) fn last_before<'d>(&self, of: Node<'d>, cell: u32) -> Option<(usize, Node<'d>)> {
        let cells = &self.of(of)?.cells;
        let number = cells.partition_point(|it| *it <= cell).checked_sub(1)?;
        Some((number, of.tree.node(cells[number])))
    }

    /// The key of this text.
    pub(super) fn key<'d>(&self, of: Node<'d>, key: &str) -> Option<Node<'d>> {
        let by_key = &self.of(of)?.by_key;
        let text = |it: &u32| of.tree.node(*it).str();
        let found = by_key.partition_point(|it| text(it) < Some(key));
        by_key.get(found).filter(|it| text(it) == Some(key)).map(|it| of.tree.node(*it))
    }
}
