//! The architecture documents of what was read, put together by name.

use super::promise::{Merged, Promise, merge};
use super::{Architecture, lower, mistakes};
use crate::analyze::placement::described::of_mapping;
use crate::analyze::placement::world::At;
use crate::documents;
use crate::load::own::OwnId;
use crate::load::read::mistake::Mistake;
use crate::load::{Document, Loaded};
use crate::policy::{DeclaredFlow, Policy};
use crate::text::tree::Node;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// What documents promise, and what is wrong with them.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// The architectures, in the order of their first documents.
    pub promises: Vec<Arc<Promise>>,
    /// Mistakes, each with the document that it is in.
    pub mistakes: Vec<(OwnId, Mistake)>,
}

impl Gathered {
    /// Whether there was no document.
    pub fn is_empty(&self) -> bool {
        self.promises.is_empty() && self.mistakes.is_empty()
    }
}

/// The name of an architecture, and the targets that it is for.
type Called = (String, Vec<String>);

/// The documents that say one architecture together.
type Group = (Called, Vec<OwnId>);

/// Takes the architecture documents out of what was read, and adds what they state as a world of its own each.
pub fn gather(loaded: &mut Loaded) -> Gathered {
    let mut gathered = Gathered::default();
    let targets = std::mem::take(&mut loaded.promised_to);
    let mut groups: Vec<Group> = Vec::new();
    let mut places: FxHashMap<Called, usize> = FxHashMap::default();
    // What documents say together is not known where one of them is wrong.
    let mut unclear: FxHashSet<String> = FxHashSet::default();
    for document in std::mem::take(&mut loaded.architectures) {
        let wrong = wrong(&document);
        let root = document.tree.root();
        let name = root.at(&["metadata", "name"]).and_then(Node::scalar).map(|it| it.into_owned());
        let name = name.unwrap_or_else(|| loaded.sources.get(document.source).name.clone());
        let targets = targets.get(&document.source).cloned().unwrap_or_default();
        let own = loaded.add_own_document(document);
        if wrong.is_empty() {
            let key = (name, targets);
            let at = *places.entry(key.clone()).or_insert(groups.len());
            match groups.get_mut(at) {
                Some(group) => group.1.push(own),
                None => groups.push((key, vec![own])),
            }
        } else {
            unclear.insert(name);
        }
        gathered.mistakes.extend(wrong.into_iter().map(|it| (own, it)));
    }
    for ((name, targets), documents) in groups.into_iter().filter(|it| !unclear.contains(&it.0.0)) {
        let nodes = documents.iter().map(|it| (*it, loaded.own[it.0 as usize].tree.root()));
        let merged = merge(&nodes.collect::<Vec<_>>());
        match value(&merged) {
            Ok(value) => {
                let first = documents[0];
                let promise = Promise::new((name, targets), value, merged, first);
                gathered.promises.push(Arc::new(promise));
            }
            Err(wrong) => gathered.mistakes.extend(wrong),
        }
    }
    // A single target has no world of its own name yet.
    let target = gathered.promises.iter().find_map(|it| it.targets.first());
    let alone = match target {
        _ if loaded.coverage.is_some() => "cluster",
        Some(name) => name.as_str(),
        None => "manifests",
    };
    for (at, promise) in gathered.promises.iter().enumerate() {
        lower::add(loaded, promise, at, alone);
    }
    gathered
}

/// What is wrong in one document.
fn wrong(document: &Document) -> Vec<Mistake> {
    let root = document.tree.root();
    let twice = document.duplicate_keys.iter().map(|it| Mistake {
        span: it.last,
        message: format!("`{}` stands twice in one mapping", it.key),
        help: None,
    });
    let mut wrong: Vec<Mistake> = twice.collect();
    wrong.extend(documents::of_tree::<Architecture>(root).err().into_iter().flatten());
    wrong.extend(mistakes::all(root));
    let nodes = root.at(&["cluster", "nodes"]).filter(|_| wrong.is_empty());
    wrong.extend(nodes.and_then(|it| of_mapping(it, At::Peak).err()).into_iter().flatten());
    wrong.sort_by_key(|it| it.span);
    wrong
}

/// What documents say together.
fn value(merged: &Merged) -> Result<Architecture, Vec<(OwnId, Mistake)>> {
    let root = merged.tree.root();
    let mut wrong = documents::of_tree::<Architecture>(root).err().unwrap_or_default();
    wrong.extend(mistakes::without_workload(root));
    wrong.extend(mistakes::too_many_pods(root));
    if wrong.is_empty()
        && let Ok(value) = documents::of_tree::<Architecture>(root)
    {
        wrong = mistakes::one_workload_twice(&value, root);
        if wrong.is_empty() {
            return Ok(value);
        }
    }
    let own = merged.cells.first().map_or(OwnId(0), |it| it.0);
    let own = |mistake: &Mistake| {
        let at =
            (0..merged.cells.len() as u32).find(|it| merged.tree.node(*it).span() == mistake.span);
        at.map_or(own, |it| merged.cells[it as usize].0)
    };
    Err(wrong.into_iter().map(|it| (own(&it), it)).collect())
}

/// What a policy and an architecture both say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Both {
    /// The section of the policy.
    pub section: &'static str,
    /// The architecture document.
    pub document: OwnId,
    /// Its statement.
    pub node: u32,
}

/// Lets a policy know what an architecture says of the network and of flows.
///
/// # Errors
///
/// Where both say it.
pub fn govern(policy: &mut Policy, promises: &[Arc<Promise>]) -> Result<(), Both> {
    for (of, promise) in (0..).zip(promises) {
        let stated = |path: &[&str]| promise.at(path).filter(|it| it.count() > 0);
        let both = |section: &'static str, it: Node<'_>| {
            let (document, node) = promise.cells()[it.index() as usize];
            Both { section, document, node }
        };
        if let Some(at) = stated(&["flows"]) {
            if policy.flows.iter().any(|it| it.statement.is_none()) {
                return Err(both("flows", at));
            }
            policy.flows.extend(flows(promise, of));
        }
        if let Some(at) = stated(&["cluster", "network"]) {
            let own = &policy.network;
            if own.plugin != Default::default() || !own.pod_cidrs.is_empty() {
                return Err(both("network", at));
            }
            // That of one target is no other one's.
            if promise.targets.is_empty() {
                policy.network = promise.value.cluster.network.clone();
            }
        }
    }
    Ok(())
}

/// The flows as a policy declares them; those that name nobody of the cluster are left out, and so is what is only drawn.
fn flows(promise: &Promise, of: u32) -> Vec<DeclaredFlow> {
    let mut declared = Vec::new();
    for (at, promised) in super::sayings::flows(promise).into_iter().enumerate() {
        let (Some(from), Some(to)) = (promised.from.name(promise), promised.to.name(promise))
        else {
            continue;
        };
        let ports = promised.ports.clone();
        let (statement, worlds) = (Some((of, at as u32)), promise.targets.clone());
        declared.push(DeclaredFlow { from, to, ports, statement, worlds });
    }
    declared
}
