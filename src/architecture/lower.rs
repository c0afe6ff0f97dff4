//! An architecture document among what was read: a world of its own, whose objects come from its statements.

use super::components::{component, namespace};
use super::objects::{Field, object};
use super::statements::Architecture;
use crate::documents::Read;
use crate::load::origin::{Origin, Stated};
use crate::load::own::OwnId;
use crate::load::{Document, Loaded, World};
use crate::text::source::Source;
use crate::text::tree::Node;
use std::sync::Arc;

/// Adds a document, to be judged like manifests and apart from them.
pub fn add(loaded: &mut Loaded, source: Source, read: Read<Architecture>) -> OwnId {
    let Read { value, tree } = read;
    let text = source.text.clone();
    let name = match &value.metadata.name {
        Some(name) => format!("architecture {}", name.0),
        None => format!("architecture {}", source.name),
    };
    let objects = objects(&value, tree.root());
    let objects: Vec<_> = objects.iter().map(|it| object(it, &text)).collect();
    let document = loaded.add_own(source, tree);
    let source = loaded.own[document.0 as usize].source;
    if loaded.worlds.is_empty() && !(loaded.documents.is_empty() && loaded.broken.is_empty()) {
        let (documents, broken) = (0..loaded.documents.len(), 0..loaded.broken.len());
        let name = if loaded.coverage.is_some() { "cluster" } else { "manifests" }.into();
        loaded.worlds.push(World { name, documents, broken, ..World::default() });
    }
    let first = loaded.documents.len();
    loaded.documents.extend(objects.into_iter().map(|(tree, statements)| {
        let origin = Some(Arc::new(Origin::Stated(Stated { document, statements })));
        Arc::new(Document { source, tree, duplicate_keys: Vec::new(), origin })
    }));
    let (documents, broken) = (first..loaded.documents.len(), 0..0);
    loaded.worlds.push(World { name, documents, broken, ..World::default() });
    document
}

fn objects<'d>(architecture: &Architecture, root: Node<'d>) -> Vec<Field<'d>> {
    let mut objects = Vec::new();
    for (key, said) in root.get("namespaces").into_iter().flat_map(Node::entries) {
        objects.extend(namespace(&key.scalar().unwrap_or_default(), said));
    }
    for (key, said) in root.get("components").into_iter().flat_map(Node::entries) {
        let name = key.scalar().unwrap_or_default();
        let stated = architecture.components.get(&*name);
        objects.extend(stated.into_iter().flat_map(|it| component(&name, it, said)));
    }
    objects
}
