//! An architecture as a world of its own, whose objects come from its statements.

mod cluster;
mod components;
mod pods;
mod scaling;

use super::objects::{Field, object};
use super::promise::Promise;
use crate::load::origin::{Origin, Stated};
use crate::load::{Document, Loaded, World};
use crate::text::tree::Node;
use std::sync::Arc;

/// Adds what an architecture states, to be judged like manifests and apart from them.
///
/// `alone` is what the world of what was read is called where there was only one.
pub(super) fn add(loaded: &mut Loaded, promise: &Promise, at: usize, alone: &str) {
    let source = loaded.own[promise.document().0 as usize].source;
    let text = loaded.sources.get(source).text.clone();
    let fields = objects(promise);
    let objects: Vec<_> = fields.iter().map(|it| object(it, &text, promise.cells())).collect();
    if loaded.worlds.is_empty() && !(loaded.documents.is_empty() && loaded.broken.is_empty()) {
        let (documents, broken) = (0..loaded.documents.len(), 0..loaded.broken.len());
        let name = alone.to_string();
        loaded.worlds.push(World { name, documents, broken, ..World::default() });
    }
    let first = loaded.documents.len();
    loaded.documents.extend(objects.into_iter().map(|(tree, statements)| {
        let origin = Some(Arc::new(Origin::Stated(Stated { statements })));
        Arc::new(Document { source, tree, duplicate_keys: Vec::new(), origin })
    }));
    let (documents, broken) = (first..loaded.documents.len(), 0..0);
    let name = format!("architecture {}", promise.name);
    loaded.worlds.push(World {
        name,
        documents,
        broken,
        architecture: Some(at),
        ..World::default()
    });
}

fn objects(promise: &Promise) -> Vec<Field<'_>> {
    let mut objects = Vec::new();
    let section = |name: &str| promise.at(&[name]).into_iter().flat_map(Node::entries);
    let classes = promise.at(&["cluster", "storageClasses"]).into_iter().flat_map(Node::entries);
    for (key, said) in classes {
        objects.push(cluster::storage_class(&key.scalar().unwrap_or_default(), said));
    }
    for (key, said) in section("namespaces") {
        objects.extend(cluster::namespace(&key.scalar().unwrap_or_default(), said));
    }
    for (key, said) in section("components") {
        let name = key.scalar().unwrap_or_default();
        let Some(component) = promise.value.components.get(&*name) else { continue };
        let Some(workload) = promise.workload(&name, component) else { continue };
        objects.extend(components::component(&name, (component, &workload), said));
    }
    objects
}
