//! What was read in full, where a cluster was asked: what is not in the input then is not in the cluster either.

use crate::api::version::KubernetesVersion;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// The kinds and namespaces that were read in full.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Shared by the worlds that are cut out of one cluster.
    kinds: Arc<FxHashSet<Box<str>>>,
    /// `None` for all of them.
    namespaces: Option<FxHashSet<Box<str>>>,
    /// Kinds that were read in full in namespaces that were not.
    apart: FxHashSet<(Box<str>, Box<str>)>,
    /// Single objects of other namespaces that were looked for, whether they are there or not.
    looked_for: FxHashSet<(Box<str>, Box<str>, Box<str>)>,
    /// Why a kind could not be read.
    why: FxHashMap<Box<str>, String>,
    /// The version of the API server that was asked, if it said so.
    pub server: Option<KubernetesVersion>,
}

impl Coverage {
    /// Nothing of the cluster as a whole, and of these namespaces; `None` for all namespaces.
    pub fn of<'n>(namespaces: Option<impl IntoIterator<Item = &'n str>>) -> Coverage {
        let namespaces = namespaces.map(|it| it.into_iter().map(Box::from).collect());
        Coverage { namespaces, ..Coverage::default() }
    }

    /// The same kinds, in one namespace only.
    pub fn within(&self, namespace: &str) -> Coverage {
        Coverage { namespaces: Some(FxHashSet::from_iter([namespace.into()])), ..self.clone() }
    }

    /// Says that every object of a kind (`Deployment`) was read, in the namespaces or, where it has none, in the
    /// cluster. So it is of a kind that the cluster does not know.
    pub fn add(&mut self, kind: &str) {
        Arc::make_mut(&mut self.kinds).insert(kind.into());
    }

    /// The same for one more namespace alone.
    pub fn add_apart(&mut self, kind: &str, namespace: &str) {
        self.apart.insert((kind.into(), namespace.into()));
    }

    /// Says that one more namespace was read as those were.
    pub fn add_namespace(&mut self, namespace: &str) {
        if let Some(namespaces) = &mut self.namespaces {
            namespaces.insert(namespace.into());
        }
    }

    /// Says that one object of another namespace was looked for: it is in the input, or it is not there.
    pub fn add_object(&mut self, kind: &str, namespace: &str, name: &str) {
        self.looked_for.insert((kind.into(), namespace.into(), name.into()));
    }

    /// Whether an object that is not in the input is not there.
    pub fn has(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.has_all(kind, namespace) || self.has_looked_for(kind, namespace, name)
    }

    /// Whether it was looked for by its name.
    pub fn has_looked_for(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let object = || (kind.into(), namespace.into(), name.into());
        !self.looked_for.is_empty() && self.looked_for.contains(&object())
    }

    /// Takes back that every object of a kind was read.
    pub fn remove(&mut self, kind: &str) {
        Arc::make_mut(&mut self.kinds).remove(kind);
    }

    /// Says why a kind could not be read: lower case, no full stop.
    pub fn lacks(&mut self, kind: &str, why: String) {
        self.remove(kind);
        self.why.insert(kind.into(), why);
    }

    /// Why a kind could not be read, if it could not.
    pub fn lack_of(&self, kind: &str) -> Option<&str> {
        self.why.get(kind).map(String::as_str)
    }

    /// Whether every namespace was read.
    pub fn is_whole(&self) -> bool {
        self.namespaces.is_none()
    }

    /// Whether a namespace was read; the empty name stands for the cluster as a whole.
    pub fn has_namespace(&self, namespace: &str) -> bool {
        namespace.is_empty() || self.namespaces.as_ref().is_none_or(|it| it.contains(namespace))
    }

    /// Whether every object of a kind in a namespace was read.
    pub fn has_all(&self, kind: &str, namespace: &str) -> bool {
        self.kinds.contains(kind) && self.has_namespace(namespace)
            || (!self.apart.is_empty() && self.apart.contains(&(kind.into(), namespace.into())))
    }

    /// Why not every object of a kind in a namespace was read, and what would settle it.
    pub fn why_not(&self, kind: &str, namespace: &str) -> String {
        match self.why.get(kind) {
            Some(why) => why.clone(),
            None if self.has_namespace(namespace) => {
                format!("the cluster was not asked for {kind}")
            }
            None => format!("namespace `{namespace}` was not read"),
        }
    }
}
