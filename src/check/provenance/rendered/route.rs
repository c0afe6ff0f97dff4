//! The way to a field in other trees than the rendered one, where items of lists may stand in another order.

use super::names::Names;
use crate::model::Object;
use crate::text::path::{FieldPath, Step};
use crate::text::tree::Node;

/// What tells the items of a list apart, as far as Kubernetes merges lists by it.
const IDENTITIES: [&str; 7] =
    ["name", "containerPort", "mountPath", "devicePath", "ip", "topologyKey", "port"];

/// One step of a way.
pub(super) enum Way<'d> {
    Key(&'d str),
    Item {
        index: usize,
        /// What tells the item apart from others.
        identity: Option<(&'static str, String)>,
    },
}

/// A field that is looked for.
pub(super) struct Sought<'d> {
    /// The rendered object's kind.
    pub(super) kind: &'d str,
    /// What it was ever called.
    pub(super) names: Names,
    /// The way to the field, or to the innermost one around it.
    pub(super) ways: Vec<Way<'d>>,
    /// What was rendered there.
    pub(super) value: Node<'d>,
}

impl<'d> Sought<'d> {
    pub(super) fn new(object: &Object<'d>, names: Names, path: &FieldPath) -> Sought<'d> {
        let mut ways = Vec::new();
        let mut here = object.root;
        for step in path.steps() {
            match step {
                Step::Key(key) => {
                    let Some((key, value)) = here.entry(key) else { break };
                    ways.push(Way::Key(key.str().unwrap_or_default()));
                    here = value;
                }
                Step::Index(index) => {
                    let index = *index as usize;
                    let Some(item) = here.item(index) else { break };
                    ways.push(Way::Item { index, identity: identity(item) });
                    here = item;
                }
            }
        }
        Sought { kind: object.kind_name, names, ways, value: here }
    }

    /// The last key on the way.
    pub(super) fn last_key(&self) -> Option<&'d str> {
        match self.ways.last() {
            Some(Way::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// Whether the way is through just these keys.
    pub(super) fn is_at(&self, keys: &[&str]) -> bool {
        self.ways.len() == keys.len()
            && self.ways.iter().zip(keys).all(|(way, key)| matches!(way, Way::Key(it) if it == key))
    }

    /// Whether it is the object's own name.
    pub(super) fn is_name(&self) -> bool {
        self.is_at(&["metadata", "name"])
    }

    /// The field in another tree: its key, if it has one, and value.
    pub(super) fn find<'t>(&self, root: Node<'t>) -> Option<(Option<Node<'t>>, Node<'t>)> {
        follow(root, &self.ways)
    }

    /// Whether a value is the one that was rendered.
    pub(super) fn is_same(&self, value: Node<'_>) -> bool {
        if self.value.is_map() {
            return value.is_map();
        }
        if self.value.is_seq() {
            return value.is_seq();
        }
        self.value.scalar().is_some() && self.value.scalar() == value.scalar()
    }

    /// Whether a value is a name that was rendered with something before or after it.
    pub(super) fn is_name_of(&self, value: Node<'_>, has_affixes: bool) -> bool {
        let (Some(rendered), Some(written)) = (self.value.str(), value.str()) else { return false };
        let is_name = self.last_key().is_some_and(|it| it == "name" || it.ends_with("Name"));
        if !is_name || written.is_empty() {
            return false;
        }
        let hash = rendered.strip_prefix(written).and_then(|it| it.strip_prefix('-'));
        has_affixes && rendered.contains(written) || hash.is_some_and(|it| it.len() == 10)
    }
}

/// Where a way leads in a tree.
pub(super) fn follow<'t>(root: Node<'t>, ways: &[Way<'_>]) -> Option<(Option<Node<'t>>, Node<'t>)> {
    let mut here = (None, root);
    for way in ways {
        here = match way {
            Way::Key(key) => here.1.entry(key).map(|(key, value)| (Some(key), value))?,
            Way::Item { index, identity } => {
                let item = match identity {
                    Some((key, value)) => {
                        let is_it = |it: &Node<'t>| {
                            it.get(key).and_then(Node::scalar).as_deref() == Some(value)
                        };
                        // Mostly it stands where it stood.
                        let same = here.1.item(*index).filter(is_it);
                        same.or_else(|| here.1.items().find(is_it))?
                    }
                    None => here.1.item(*index)?,
                };
                (None, item)
            }
        };
    }
    Some(here)
}

fn identity(item: Node<'_>) -> Option<(&'static str, String)> {
    IDENTITIES.iter().find_map(|key| Some((*key, item.get(key)?.scalar()?.into_owned())))
}
