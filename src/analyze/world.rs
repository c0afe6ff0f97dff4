//! Worlds beside the one that is judged, which may be deployed together with it: what is missing here may be there.
//!
//! Two worlds are alternatives, and never deployed together, if they run the same workloads or Services: the overlays of
//! one base do, and so do two ways to render a chart. That they share a Namespace, a component or a stray object says
//! nothing. Files beside a kustomization are its neighbours whatever they hold: they are applied by themselves, or were
//! forgotten in it.

use crate::analyze::Facts;
use crate::api::kind::{Kind, WORKLOADS};
use crate::load::{Document, Loaded, Unrendered, World};
use crate::model::{Key, Model, Object};
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

/// What may share the cluster of the world that is judged.
#[derive(Debug, Default)]
pub struct Around<'c, 'd> {
    /// The worlds beside it.
    pub neighbours: Vec<Neighbour<'c, 'd>>,
    /// What could not be rendered: its own parts, and worlds beside it.
    pub unrendered: Vec<&'c Unrendered>,
    /// Whether parts of its own could not be rendered, so that files are read as they stand.
    pub stands_as_it_is: bool,
}

impl<'c, 'd> Around<'c, 'd> {
    /// What is around the only world of an input.
    pub fn only(loaded: &'c Loaded) -> Around<'c, 'd> {
        let stands_as_it_is = loaded.worlds.iter().any(|it| !it.lacks.is_empty());
        let unrendered = loaded.unrendered.iter().collect();
        Around { neighbours: Vec::new(), unrendered, stands_as_it_is }
    }
}

/// The models of the files that lie beside the kustomizations of worlds, where what else there is in their world is an
/// alternative to it.
#[derive(Debug)]
pub struct Beside<'d> {
    /// The world, by its place.
    of: usize,
    /// That of the files.
    from: usize,
    /// The objects in them.
    pub model: Model<'d>,
}

/// What tells worlds apart.
#[derive(Debug)]
pub struct Kinship<'d> {
    contents: Vec<Contents<'d>>,
}

impl<'d> Kinship<'d> {
    /// Looks at what each world runs.
    pub fn new<'c>(models: impl Iterator<Item = &'c Model<'d>>) -> Kinship<'d>
    where
        'd: 'c,
    {
        Kinship { contents: models.map(Contents::of).collect() }
    }

    fn are_alternatives(&self, at: usize, other: usize) -> bool {
        self.contents[at].is_alternative_to(&self.contents[other])
    }

    /// The files beside kustomizations that need a model of their own.
    pub fn beside(
        &self,
        loaded: &'d Loaded,
        of: &[&World],
        models: &[Model<'d>],
        default_namespace: &'d str,
    ) -> Vec<Beside<'d>> {
        let mut beside = Vec::new();
        let worlds = || of.iter().copied().enumerate();
        let plain: Vec<_> = worlds().filter(|(_, it)| it.folders.is_empty()).collect();
        for (of, world) in worlds().filter(|(_, it)| !it.folders.is_empty()) {
            for (from, _) in plain.iter().filter(|(it, _)| self.are_alternatives(of, *it)) {
                let documents = models[*from].documents.iter().map(|it| &**it);
                let documents: Vec<&Document> =
                    documents.filter(|it| lies_beside(loaded, world, it)).collect();
                if !documents.is_empty() {
                    let model = Model::of_some(loaded, documents.into_iter(), default_namespace);
                    beside.push(Beside { of, from: *from, model });
                }
            }
        }
        beside
    }

    /// What is around each of several worlds, with the facts of the files that lie beside.
    pub fn around<'c>(
        &self,
        (loaded, of): (&'c Loaded, &[&World]),
        worlds: &[Neighbour<'c, 'd>],
        beside: &'c [Beside<'d>],
        facts: &'c [Facts<'d>],
    ) -> Vec<Around<'c, 'd>> {
        let around = (0..worlds.len()).map(|at| {
            let others = (0..worlds.len()).filter(|it| *it != at);
            let is_beside = |other: usize| beside.iter().any(|it| (it.of, it.from) == (other, at));
            let others = others.filter(|it| !self.are_alternatives(at, *it) || is_beside(*it));
            let files = beside.iter().zip(facts).filter(|(it, _)| it.of == at);
            let files = files.map(|(it, facts)| Neighbour {
                name: worlds[it.from].name,
                model: &it.model,
                facts,
            });
            let lacks = &of[at].lacks;
            let unrendered = loaded.unrendered.iter().enumerate();
            let unrendered = unrendered.filter(|(it, unrendered)| {
                let contents = &self.contents[at];
                lacks.contains(it) || !contents.is_stated && !contents.is_made_of(&unrendered.files)
            });
            Around {
                neighbours: others.map(|it| worlds[it]).chain(files).collect(),
                unrendered: unrendered.map(|(_, it)| it).collect(),
                stands_as_it_is: !lacks.is_empty(),
            }
        });
        around.collect()
    }
}

/// Whether a document stands in the folder of a kustomization that a world is built from.
fn lies_beside(loaded: &Loaded, world: &World, document: &Document) -> bool {
    let name = &loaded.sources.get(document.source).name;
    let folder = name.rsplit_once('/').map_or("", |(it, _)| it);
    world.folders.iter().any(|it| it == folder)
}

/// The workloads and Services of a world, and the files that they were made of.
#[derive(Debug)]
struct Contents<'d> {
    files: FxHashSet<SourceId>,
    objects: FxHashSet<Key<'d>>,
    is_stated: bool,
}

impl<'d> Contents<'d> {
    fn of(model: &Model<'d>) -> Contents<'d> {
        let mut contents = Contents {
            files: FxHashSet::default(),
            objects: FxHashSet::default(),
            is_stated: model.is_stated(),
        };
        for object in model.objects().filter(|it| runs_something(it) && !it.name.is_empty()) {
            let file = match &object.document.origin {
                Some(origin) => origin.rendered().and_then(|it| it.file),
                None => Some(object.document.source),
            };
            // What a component brings is the same for all who share it.
            if file.is_some_and(|it| model.loaded.of_components.contains(&it)) {
                continue;
            }
            contents.files.extend(file);
            contents.objects.insert(object.key());
        }
        contents
    }

    /// Whether both are made of a file with workloads or Services, or run mostly the same. What is promised is not
    /// deployed, beside nothing.
    fn is_alternative_to(&self, other: &Contents<'_>) -> bool {
        if self.is_stated || other.is_stated {
            return true;
        }
        let fewer = self.objects.len().min(other.objects.len());
        let (small, large) = match self.objects.len() <= other.objects.len() {
            true => (&self.objects, &other.objects),
            false => (&other.objects, &self.objects),
        };
        let shared = || small.iter().filter(|it| large.contains(*it)).count();
        !self.files.is_disjoint(&other.files) || fewer > 0 && 2 * shared() > fewer
    }

    fn is_made_of(&self, files: &[SourceId]) -> bool {
        files.iter().any(|it| self.files.contains(it))
    }
}

fn runs_something(object: &Object<'_>) -> bool {
    WORKLOADS.contains(&object.kind)
        || object.kind == Kind::Service
        || object.kind == Kind::Custom
            && object.field(&["spec", "template", "spec", "containers"]).is_some()
}
