//! Worlds beside the one that is judged, which may be deployed together with it: what is missing here may be there.
//!
//! Two worlds are alternatives, and not neighbours, if they share a file that they were rendered from, or an object:
//! the overlays of one base are, and so are two ways to render a chart.

use crate::analyze::Facts;
use crate::model::{Key, Model};
use crate::text::source::SourceId;
use rustc_hash::FxHashSet;

/// A world that may be deployed together with the one that is judged.
#[derive(Debug, Clone, Copy)]
pub struct Neighbour<'c, 'd> {
    /// What it is called.
    pub name: &'c str,
    /// Its objects.
    pub model: &'c Model<'d>,
    /// What follows from them together.
    pub facts: &'c Facts<'d>,
}

/// The neighbours of each of several worlds.
pub fn neighbours<'c, 'd>(worlds: &[Neighbour<'c, 'd>]) -> Vec<Vec<Neighbour<'c, 'd>>> {
    let contents: Vec<_> = worlds.iter().map(|it| Contents::of(it.model)).collect();
    let mut neighbours: Vec<Vec<_>> = worlds.iter().map(|_| Vec::new()).collect();
    for at in 0..worlds.len() {
        for (other_at, other) in worlds.iter().enumerate() {
            // What is promised is not deployed.
            let is_stated = contents[at].is_stated || contents[other_at].is_stated;
            if at != other_at && !is_stated && !contents[at].shares_with(&contents[other_at]) {
                neighbours[at].push(*other);
            }
        }
    }
    neighbours
}

/// What tells alternatives apart from neighbours.
struct Contents<'d> {
    files: FxHashSet<SourceId>,
    objects: FxHashSet<Key<'d>>,
    is_stated: bool,
}

impl<'d> Contents<'d> {
    fn of(model: &Model<'d>) -> Contents<'d> {
        let files = model.objects().filter_map(|it| match &it.document.origin {
            Some(origin) => origin.rendered().and_then(|it| it.file),
            None => Some(it.document.source),
        });
        // A Namespace or a CustomResourceDefinition is often brought by several, and takes nothing away from the other.
        let objects = model.objects().filter(|it| !it.namespace.is_empty() && !it.name.is_empty());
        let is_stated = model.is_stated();
        Contents {
            files: files.collect(),
            objects: objects.map(|it| it.key()).collect(),
            is_stated,
        }
    }

    fn shares_with(&self, other: &Contents<'_>) -> bool {
        !self.files.is_disjoint(&other.files) || !self.objects.is_disjoint(&other.objects)
    }
}
