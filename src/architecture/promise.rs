//! One architecture, put together from the documents of one name: each of its statements knows where it stands.

use super::Architecture;
use super::statements::Component;
use super::text::WorkloadName;
use crate::api::quantity::Quantity;
use crate::load::own::OwnId;
use crate::model::{Model, Place};
use crate::text::path::FieldPath;
use crate::text::source::Span;
use crate::text::tree::builder::{Builder, Written};
use crate::text::tree::{Node, Tree, Value};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What is promised of one system.
#[derive(Clone, Debug)]
pub struct Promise {
    /// What it is called.
    pub name: String,
    /// The targets that it is for; all of them, where none is named.
    pub targets: Vec<String>,
    /// What it means.
    pub value: Architecture,
    /// What stands in its documents twice and differs.
    pub conflicts: Vec<Conflict>,
    tree: Arc<Tree>,
    /// By the cells of the tree, where each stands: the document, and the node in it.
    cells: Vec<(OwnId, u32)>,
    /// The first of its documents.
    document: OwnId,
}

/// Two values for one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// What it is of: `components.api.resources.requests.cpu`.
    pub path: String,
    /// The value that counts, and where it stands.
    pub first: (String, OwnId, u32),
    /// The other one.
    pub second: (String, OwnId, u32),
}

/// Statements put together, before anybody looks whether they make sense.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) tree: Tree,
    pub(super) cells: Vec<(OwnId, u32)>,
    pub(super) conflicts: Vec<Conflict>,
}

/// Puts the statements of documents together.
pub(super) fn merge(documents: &[(OwnId, Node<'_>)]) -> Merged {
    let builder = Builder::new(Arc::from(""), 0);
    let mut merger = Merger { builder, cells: Vec::new(), conflicts: Vec::new() };
    match documents.first() {
        Some(_) => merger.value(documents, &mut Vec::new()),
        None => merger.builder.null(Span::default()),
    }
    let Merger { builder, cells, conflicts } = merger;
    Merged { tree: builder.finish(), cells, conflicts }
}

struct Merger {
    builder: Builder,
    cells: Vec<(OwnId, u32)>,
    conflicts: Vec<Conflict>,
}

/// A key, where it is written first, with its value in each document that has it.
type Entry<'d> = (OwnId, Node<'d>, Vec<(OwnId, Node<'d>)>);

impl Merger {
    fn value<'d>(&mut self, all: &[(OwnId, Node<'d>)], path: &mut Vec<String>) {
        let stated: Vec<_> = all.iter().copied().filter(|it| !it.1.is_null()).collect();
        let Some(first) = stated.first().or(all.first()) else { return };
        match first.1.value() {
            Value::Map => self.map(&stated, path),
            Value::Seq if is_a_collection(path) => {
                self.open(*first, |builder, span| builder.open_seq(span));
                let items = stated.iter().flat_map(|(own, it)| it.items().map(|it| (*own, it)));
                let items: Vec<_> = items.collect();
                for it in &items {
                    self.value(&[*it], &mut Vec::new());
                }
                self.builder.close(items.len() as u32, first.1.span().end);
            }
            _ => {
                self.copy(*first);
                // Where nobody says anything, there is nothing to compare.
                for other in stated.iter().skip(1) {
                    self.compare(*first, *other, path);
                }
            }
        }
    }

    fn map<'d>(&mut self, all: &[(OwnId, Node<'d>)], path: &mut Vec<String>) {
        let first = all[0];
        self.open(first, |builder, span| builder.open_map(span));
        let mut places: FxHashMap<String, usize> = FxHashMap::default();
        let mut entries: Vec<Entry<'d>> = Vec::new();
        for (own, map) in all {
            if !map.is_map() {
                self.compare(first, (*own, *map), path);
                continue;
            }
            for (key, value) in map.entries() {
                let name = key.scalar().unwrap_or_default().into_owned();
                let at = *places.entry(name).or_insert(entries.len());
                if at == entries.len() {
                    entries.push((*own, key, Vec::new()));
                }
                entries[at].2.push((*own, value));
            }
        }
        for (own, key, values) in &entries {
            self.cells.push((*own, key.index()));
            let name = key.scalar().unwrap_or_default();
            self.builder.str(Written::Owned(&name), key.span());
            path.push(name.into_owned());
            self.value(values, path);
            path.pop();
        }
        self.builder.close(entries.len() as u32, first.1.span().end);
    }

    /// One value, as it is.
    fn copy(&mut self, (own, node): (OwnId, Node<'_>)) {
        match node.value() {
            Value::Map => self.map(&[(own, node)], &mut Vec::new()),
            Value::Seq => {
                self.open((own, node), |builder, span| builder.open_seq(span));
                node.items().for_each(|it| self.copy((own, it)));
                self.builder.close(node.count() as u32, node.span().end);
            }
            scalar => {
                self.cells.push((own, node.index()));
                match scalar {
                    Value::Bool(it) => self.builder.bool(it, node.span()),
                    Value::Number(it) => self.builder.number(it, node.span()),
                    Value::Str(it) => self.builder.str(Written::Owned(it), node.span()),
                    _ => self.builder.null(node.span()),
                }
            }
        }
    }

    fn open(&mut self, (own, node): (OwnId, Node<'_>), open: impl FnOnce(&mut Builder, Span)) {
        self.cells.push((own, node.index()));
        let start = node.span().start;
        open(&mut self.builder, Span { start, end: start });
    }

    fn compare(&mut self, first: (OwnId, Node<'_>), second: (OwnId, Node<'_>), path: &[String]) {
        if path.len() < 2 || first.1.same(second.1) || is_as_much(first.1, second.1) {
            return;
        }
        let side = |(own, node): (OwnId, Node<'_>)| (shown(node), own, node.index());
        let (first, second) = (side(first), side(second));
        self.conflicts.push(Conflict { path: path.join("."), first, second });
    }
}

/// Lists that documents add to: what one of them says does not contradict the others.
fn is_a_collection(path: &[String]) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    matches!(
        path.as_slice(),
        ["routes" | "objectives" | "alerts" | "totals"]
            | ["flows", _]
            | ["picture", "flows", _]
            | ["cluster", "addons"]
    )
}

/// Whether two amounts are the same: `1` and `1000m`.
fn is_as_much(a: Node<'_>, b: Node<'_>) -> bool {
    let amount = |it: Node<'_>| it.scalar().and_then(|it| Quantity::parse(&it).ok());
    matches!((amount(a), amount(b)), (Some(a), Some(b)) if a == b)
}

/// A value in a message.
fn shown(node: Node<'_>) -> String {
    match node.value() {
        Value::Map => {
            let entries = node.entries();
            let entries = entries
                .map(|(key, it)| format!("{}: {}", key.scalar().unwrap_or_default(), shown(it)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Seq => {
            let items: Vec<_> = node.items().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        _ => node.scalar().unwrap_or_default().into_owned(),
    }
}

impl Architecture {
    /// The workload of a component; `None` of one that runs outside of the cluster.
    pub fn workload(&self, name: &str, component: &Component) -> Option<WorkloadName> {
        if component.external {
            return None;
        }
        if let Some(workload) = &component.workload {
            return Some(workload.clone());
        }
        let only = || match self.namespaces.len() {
            1 => self.namespaces.keys().next().cloned(),
            _ => None,
        };
        let namespace = component.namespace.as_ref().map(|it| it.0.clone()).or_else(only);
        let namespace = namespace.unwrap_or_else(|| "default".into());
        Some(WorkloadName { kind: component.kind?, namespace, name: name.into() })
    }
}

impl Promise {
    pub(super) fn new(
        (name, targets): (String, Vec<String>),
        value: Architecture,
        merged: Merged,
        document: OwnId,
    ) -> Promise {
        let Merged { tree, cells, conflicts } = merged;
        Promise { name, targets, value, conflicts, tree: Arc::new(tree), cells, document }
    }

    /// Whether a world has to keep it.
    pub fn is_for(&self, world: &str) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|it| it == world)
    }

    /// All statements.
    pub fn root(&self) -> Node<'_> {
        self.tree.root()
    }

    /// The statement at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<Node<'_>> {
        self.root().at(path)
    }

    /// The statements about a component.
    pub fn component(&self, name: &str) -> Option<Node<'_>> {
        self.at(&["components", name])
    }

    /// The key of a component.
    pub fn component_key(&self, name: &str) -> Option<Node<'_>> {
        Some(self.at(&["components"])?.entry(name)?.0)
    }

    /// Where a statement stands.
    pub fn place(&self, model: &Model<'_>, node: Node<'_>) -> Place {
        match self.cells.get(node.index() as usize) {
            Some((own, at)) => self.place_in(model, *own, *at),
            None => self.whole(model),
        }
    }

    /// The place of a node of one of the documents.
    pub fn place_in(&self, model: &Model<'_>, own: OwnId, node: u32) -> Place {
        let object = model.own(own);
        let node = object.document.tree.node(node);
        Place::Field { object: object.id, path: FieldPath::between(object.root, node) }
    }

    /// The first document.
    pub fn whole(&self, model: &Model<'_>) -> Place {
        model.own(self.document).whole()
    }

    /// By the cells of the tree, where each statement stands.
    pub(super) fn cells(&self) -> &[(OwnId, u32)] {
        &self.cells
    }

    /// The first of its documents.
    pub fn document(&self) -> OwnId {
        self.document
    }

    /// The workload of a component; `None` of one that runs outside of the cluster.
    pub fn workload(&self, name: &str, component: &Component) -> Option<WorkloadName> {
        self.value.workload(name, component)
    }

    /// The components that run in the cluster, with their workloads, by name.
    pub fn workloads(&self) -> impl Iterator<Item = (&str, &Component, WorkloadName)> {
        self.value
            .components
            .iter()
            .filter_map(|(name, it)| Some((name.as_str(), it, self.workload(name, it)?)))
    }
}
