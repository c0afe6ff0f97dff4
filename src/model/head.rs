//! What an object is and what it is called: the first that is asked of every one.

use crate::api::kind::{Kind, Scope, group};
use crate::text::tree::{Node, Tree};
use std::num::NonZeroU32;

/// What an object says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'d> {
    /// Its kind.
    pub(crate) kind: Kind,
    /// Whether it is in a namespace, be it written or not.
    pub(crate) is_namespaced: bool,
    /// `apiVersion`.
    pub(crate) api_version: &'d str,
    /// `kind`.
    pub(crate) kind_name: &'d str,
    namespace: Option<Node<'d>>,
    name: Option<Node<'d>>,
}

impl<'d> Names<'d> {
    /// Those of the object that begins here and is of this kind.
    pub(crate) fn of(root: Node<'d>, api_version: &'d str, kind_name: &'d str) -> Names<'d> {
        let kind = Kind::of(group(api_version), kind_name);
        let metadata = root.get("metadata");
        let written = |field| {
            metadata
                .and_then(|it| it.get(field))
                .filter(|it| it.written().is_some_and(|it| !it.is_empty()))
        };
        let namespace = written("namespace");
        let is_namespaced = match kind.info() {
            Some(info) => info.scope == Scope::Namespaced,
            // Who runs pods is namespaced; of other custom kinds nobody told us the scope.
            None => {
                namespace.is_some()
                    || root.at(&["spec", "template", "spec", "containers"]).is_some()
            }
        };
        Names { kind, is_namespaced, api_version, kind_name, namespace, name: written("name") }
    }

    /// Its namespace; empty where it has none, this one where it should have one and says none.
    pub(crate) fn namespace(&self, default: &'d str) -> &'d str {
        // `namespace: no` is no string, and is not to be taken for none: the API server refuses it, and `invalid-schema`
        // says so.
        match self.namespace.and_then(Node::written) {
            _ if !self.is_namespaced => "",
            Some(written) => written,
            None => default,
        }
    }

    /// Its name; empty where it has none.
    pub(crate) fn name(&self) -> &'d str {
        self.name.and_then(Node::written).unwrap_or_default()
    }
}

/// The same of a document that is one object, kept beside it: where it stands in the tree.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    kind: Kind,
    is_namespaced: bool,
    api_version: u32,
    kind_name: u32,
    namespace: Option<NonZeroU32>,
    name: Option<NonZeroU32>,
}

impl Head {
    /// Reads it; `None` if the document is no object or a list of some.
    pub fn of(tree: &Tree) -> Option<Head> {
        let root = tree.root();
        let (version, kind) = (root.get("apiVersion")?, root.get("kind")?);
        let names = Names::of(root, version.str()?, kind.str()?);
        let is_list = names.kind_name.ends_with("List") && root.get("items").is_some();
        let index = |it: Node<'_>| NonZeroU32::new(it.index());
        (!is_list).then(|| Head {
            kind: names.kind,
            is_namespaced: names.is_namespaced,
            api_version: version.index(),
            kind_name: kind.index(),
            namespace: names.namespace.and_then(index),
            name: names.name.and_then(index),
        })
    }

    /// What it says in the tree that it was read from.
    pub(crate) fn names(self, tree: &Tree) -> Names<'_> {
        let node = |at: NonZeroU32| tree.node(at.get());
        let text = |at: u32| tree.node(at).str().unwrap_or_default();
        Names {
            kind: self.kind,
            is_namespaced: self.is_namespaced,
            api_version: text(self.api_version),
            kind_name: text(self.kind_name),
            namespace: self.namespace.map(node),
            name: self.name.map(node),
        }
    }
}
