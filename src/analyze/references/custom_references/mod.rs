//! References by name of well-known custom kinds, and of annotations that controllers read.
//!
//! The table says of each kind which of its fields name another object, of which kind that is, and where. A user's own
//! custom kinds are added in `purlin.yaml`.

mod table;

use crate::api::kind::{Kind, group as group_of};
use crate::api::reference::CustomReference;
use crate::model::{Model, ObjId};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;
use table::{Entry, Form, KindNamed, TABLE};

/// The entries of the table by the kind that they are of: asked of every object.
static BY_KIND: LazyLock<FxHashMap<&str, Vec<&Entry>>> = LazyLock::new(|| {
    let mut by_kind: FxHashMap<_, Vec<_>> = FxHashMap::default();
    for entry in TABLE {
        by_kind.entry(entry.from.1).or_default().push(entry);
    }
    by_kind
});

/// What an object names.
#[derive(Clone, Copy, Debug)]
pub struct Named<'d> {
    /// The field that names it.
    pub node: Node<'d>,
    /// Its group.
    pub group: &'d str,
    /// Its kind.
    pub kind: &'d str,
    /// Its namespace; empty where the kind has none.
    pub namespace: &'d str,
    /// Its name.
    pub name: &'d str,
    /// What does not happen without it; empty where nobody told us.
    pub consequence: &'static str,
}

/// A reference and the object that makes it.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'d> {
    /// The object.
    pub from: ObjId,
    /// What it names.
    pub named: Named<'d>,
}

/// What names something, as far as it matters for what it names.
#[derive(Clone, Copy, Debug)]
pub struct From<'d> {
    /// Its group.
    pub group: &'d str,
    /// Its kind.
    pub kind: &'d str,
    /// Its namespace.
    pub namespace: &'d str,
    /// Its outermost field.
    pub root: Node<'d>,
}

/// All that an object names by the fields of the table.
pub fn named_by<'d>(from: From<'d>) -> Vec<Named<'d>> {
    let entries = BY_KIND.get(from.kind).into_iter().flatten();
    let mut named: Vec<_> =
        entries.filter(|it| it.is_of(from)).flat_map(|it| of_entry(from, it)).collect();
    named.retain(|it| is_name(it.name));
    named
}

/// All that the objects of a model name by the fields of the table and of these.
pub fn custom_references<'d: 'r, 'r>(
    model: &Model<'d>,
    own: &'r [CustomReference],
) -> Vec<Reference<'r>> {
    let mut found = Vec::new();
    for object in model.objects() {
        let from = From {
            group: object.group(),
            kind: object.kind_name,
            namespace: object.namespace,
            root: object.root,
        };
        let is_own =
            |it: &&CustomReference| it.from.group == from.group && it.from.kind == from.kind;
        let of_own = own.iter().filter(is_own).flat_map(|it| of_own(from, it));
        let named = named_by(from).into_iter().chain(of_own);
        found.extend(named.map(|named| Reference { from: object.id, named }));
    }
    found
}

/// What is filled in later, by `${NAME}` or `{{ .Values.name }}`, names nothing yet.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(['$', '{', '<'])
}

fn of_entry<'d>(from: From<'d>, entry: &Entry) -> Vec<Named<'d>> {
    if let Form::Annotation(key, kind) = entry.form {
        let node = from.root.at(&["metadata", "annotations"]).and_then(|it| it.get(key));
        return node.and_then(|it| of_annotation(from, entry, it, kind)).into_iter().collect();
    }
    let nodes = entry.path.map(|it| walk(from.root, it)).unwrap_or_default();
    nodes.into_iter().filter_map(|it| of_node(from, entry, it)).collect()
}

fn of_node<'d>(from: From<'d>, entry: &Entry, node: Node<'d>) -> Option<Named<'d>> {
    let (kind, name) = match entry.form {
        Form::Name(kind) => (kind, node),
        Form::Kinded { group, default, kinds } => {
            // Kinds of other groups are another controller's affair.
            let written = node.text("group").or(node.text("apiVersion").map(group_of));
            if written.is_some_and(|it| !it.is_empty() && it != group) {
                return None;
            }
            let kind = node.text("kind").unwrap_or(default);
            (*kinds.iter().find(|it| it.kind == kind)?, node.get("name")?)
        }
        Form::Flagged { name, flag, off, on } => {
            let is_on = node.get(flag).and_then(Node::bool) == Some(true);
            (if is_on { on } else { off }, node.get(name)?)
        }
        Form::Annotation(..) => return None,
    };
    let own = if entry.crosses { node.text("namespace") } else { None };
    Some(named(from, entry, kind, name, (own, name.str()?)))
}

/// `name`, or `namespace/name`.
fn of_annotation<'d>(
    from: From<'d>,
    entry: &Entry,
    node: Node<'d>,
    kind: KindNamed,
) -> Option<Named<'d>> {
    let text = node.str()?;
    let (own, name) = text.split_once('/').map_or((None, text), |(own, name)| (Some(own), name));
    Some(named(from, entry, kind, node, (own, name)))
}

fn named<'d>(
    from: From<'d>,
    entry: &Entry,
    kind: KindNamed,
    node: Node<'d>,
    (namespace, name): (Option<&'d str>, &'d str),
) -> Named<'d> {
    let namespace = if kind.is_cluster_wide { "" } else { namespace.unwrap_or(from.namespace) };
    let KindNamed { group, kind, .. } = kind;
    Named { node, group, kind, namespace, name, consequence: entry.consequence }
}

fn of_own<'r>(from: From<'r>, own: &'r CustomReference) -> Vec<Named<'r>> {
    let of = |node: Node<'r>| {
        Some(Named {
            node,
            group: &own.to.group,
            kind: &own.to.kind,
            namespace: if own.cluster_wide { "" } else { from.namespace },
            name: node.str().filter(|it| is_name(it))?,
            consequence: "",
        })
    };
    walk(from.root, &own.field).into_iter().filter_map(of).collect()
}

/// The nodes at a path of plain keys, of which `key[]` means every item of the list there.
fn walk<'d>(root: Node<'d>, path: &str) -> Vec<Node<'d>> {
    let mut nodes = vec![root];
    for step in path.split('.') {
        let (key, is_list) = step.strip_suffix("[]").map_or((step, false), |it| (it, true));
        let below = nodes.iter().filter_map(|it| it.get(key));
        nodes = match is_list {
            true => below.flat_map(Node::items).collect(),
            false => below.collect(),
        };
    }
    nodes
}

impl Entry {
    fn is_of(&self, from: From<'_>) -> bool {
        let (group, kind) = self.from;
        let of = Kind::of(from.group, from.kind);
        group == from.group && kind == from.kind
            || of != Kind::Custom && of == Kind::of(group, kind)
    }
}

impl Named<'_> {
    /// The known kind of what is named, if it is one.
    pub fn known(&self) -> Option<Kind> {
        Some(Kind::of(self.group, self.kind)).filter(|it| *it != Kind::Custom)
    }
}
