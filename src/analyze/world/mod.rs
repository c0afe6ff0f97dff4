//! Worlds beside the one that is judged, which may be deployed together with it: what is missing here may be there.
//!
//! Two worlds are alternatives, and never deployed together, if they run the same workloads or Services: the overlays of
//! one base do, and so do two ways to render a chart. That they share a Namespace, a component or a stray object says
//! nothing. Files beside a kustomization are its neighbours whatever they hold: they are applied by themselves, or were
//! forgotten in it.

mod holdings;

use crate::analyze::Facts;
use crate::analyze::selection::selector::Selector;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::{Kind, WORKLOADS};
use crate::load::{Document, Loaded, Unrendered, World};
use crate::model::{Id, Key, Model, Object};
use crate::text::source::SourceId;
use holdings::Holdings;
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::sync::OnceLock;

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
    /// The worlds beside it, where there are any.
    pub neighbours: Option<Neighbours<'c, 'd>>,
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
        Around { neighbours: None, unrendered, stands_as_it_is }
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
        let plain = worlds().filter(|(_, it)| it.folders.is_empty()).map(|(at, _)| at);
        let plain = plain.filter(|at| !self.contents[*at].is_stated);
        let plain = Sharers::of(&self.contents, plain);
        for (of, world) in worlds().filter(|(_, it)| !it.folders.is_empty()) {
            let sharers = plain.of_any(&self.contents[of]).into_iter();
            for from in sharers.filter(|it| self.are_alternatives(of, *it)) {
                let documents = models[from].documents.iter().map(|it| &**it);
                let documents: Vec<&Document> =
                    documents.filter(|it| lies_beside(loaded, world, it)).collect();
                if !documents.is_empty() {
                    let model = Model::of_some(loaded, documents.into_iter(), default_namespace);
                    beside.push(Beside { of, from, model });
                }
            }
        }
        beside
    }

    /// What is around the world at a place among all.
    pub fn around<'c>(
        &self,
        at: usize,
        (loaded, world): (&'c Loaded, &World),
        all: &'c Worlds<'c, 'd>,
    ) -> Around<'c, 'd> {
        let lacks = &world.lacks;
        let unrendered = loaded.unrendered.iter().enumerate();
        let unrendered = unrendered.filter(|(it, unrendered)| {
            let contents = &self.contents[at];
            lacks.contains(it) || !contents.is_stated && !contents.is_made_of(&unrendered.files)
        });
        Around {
            neighbours: Some(Neighbours { all, at }),
            unrendered: unrendered.map(|(_, it)| it).collect(),
            stands_as_it_is: !lacks.is_empty(),
        }
    }
}

/// All worlds of an input, and the files that lie beside them.
#[derive(Debug)]
pub struct Worlds<'c, 'd> {
    kinship: &'c Kinship<'d>,
    /// The worlds, and after them the files beside worlds.
    each: Vec<Neighbour<'c, 'd>>,
    /// The worlds that the files are beside of, in their order.
    files_of: Vec<usize>,
    /// Worlds with files of other worlds beside them, and those.
    pairs: FxHashSet<(usize, usize)>,
    /// Made when first asked for: most worlds lack nothing.
    holdings: OnceLock<Holdings<'d>>,
}

impl<'c, 'd> Worlds<'c, 'd> {
    /// These, with the facts of the files that lie beside.
    pub fn new(
        kinship: &'c Kinship<'d>,
        worlds: &[Neighbour<'c, 'd>],
        beside: &'c [Beside<'d>],
        facts: &'c [Facts<'d>],
    ) -> Worlds<'c, 'd> {
        let files = beside.iter().zip(facts).map(|(it, facts)| Neighbour {
            name: worlds[it.from].name,
            model: &it.model,
            facts,
        });
        Worlds {
            kinship,
            each: worlds.iter().copied().chain(files).collect(),
            files_of: beside.iter().map(|it| it.of).collect(),
            pairs: beside.iter().map(|it| (it.of, it.from)).collect(),
            holdings: OnceLock::new(),
        }
    }

    /// Whether one may be deployed together with another.
    fn are_neighbours(&self, at: usize, other: usize) -> bool {
        match other.checked_sub(self.kinship.contents.len()) {
            Some(files) => self.files_of[files] == at,
            None => {
                let is_beside = || self.pairs.contains(&(other, at));
                other != at && (!self.kinship.are_alternatives(at, other) || is_beside())
            }
        }
    }

    fn holdings(&self) -> &Holdings<'d> {
        self.holdings.get_or_init(|| Holdings::of(&self.each))
    }
}

/// The worlds beside one, found by what they hold.
#[derive(Debug, Clone, Copy)]
pub struct Neighbours<'c, 'd> {
    all: &'c Worlds<'c, 'd>,
    at: usize,
}

impl<'c, 'd> Neighbours<'c, 'd> {
    /// Those with an object of a kind that purlin has a name for.
    pub fn with_object<'q>(
        &'q self,
        kind: Kind,
        namespace: &'q str,
        name: &'q str,
    ) -> impl Iterator<Item = &'c Neighbour<'c, 'd>> {
        self.among(self.all.holdings().with_object(&Id::known(kind, namespace, name)))
    }

    /// Those with an object of any kind, by its group and kind as written.
    pub fn with_custom<'q>(
        &'q self,
        group: &'q str,
        kind: &'q str,
        namespace: &'q str,
        name: &'q str,
    ) -> impl Iterator<Item = &'c Neighbour<'c, 'd>> {
        self.among(self.all.holdings().with_object(&Id::written(group, kind, namespace, name)))
    }

    /// Those with any object of a kind in a namespace.
    pub fn with_any<'q>(
        &'q self,
        kind: Kind,
        namespace: &'q str,
    ) -> impl Iterator<Item = &'c Neighbour<'c, 'd>> {
        self.among(self.all.holdings().with_any(kind, namespace))
    }

    /// Those with workloads that a selector may select; has it no requirements, it does.
    pub fn with_pods<'q>(
        &'q self,
        namespace: &'q str,
        selector: &'q Selector<'_>,
    ) -> impl Iterator<Item = &'c Neighbour<'c, 'd>> {
        self.among(self.all.holdings().with_pods(namespace, selector))
    }

    /// Those with budgets that may cover the pods of a workload.
    pub fn with_budgets<'q>(
        &'q self,
        workload: &'q Workload<'_>,
    ) -> impl Iterator<Item = &'c Neighbour<'c, 'd>> {
        self.among(self.all.holdings().with_budgets(workload))
    }

    fn among<T: Borrow<u32>>(
        &self,
        places: impl IntoIterator<Item = T>,
    ) -> impl Iterator<Item = &'c Neighbour<'c, 'd>> {
        let (all, at) = (self.all, self.at);
        let places = places.into_iter().map(|it| *it.borrow() as usize);
        places.filter(move |it| all.are_neighbours(at, *it)).map(|it| &all.each[it])
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

/// Worlds by the files and objects in them.
#[derive(Debug, Default)]
struct Sharers<'c, 'd> {
    by_file: FxHashMap<SourceId, Vec<usize>>,
    by_object: FxHashMap<&'c Key<'d>, Vec<usize>>,
}

impl<'c, 'd> Sharers<'c, 'd> {
    /// Those at some places.
    fn of(all: &'c [Contents<'d>], places: impl Iterator<Item = usize>) -> Sharers<'c, 'd> {
        let mut sharers = Sharers::default();
        for at in places {
            let Contents { files, objects, .. } = &all[at];
            files.iter().for_each(|it| sharers.by_file.entry(*it).or_default().push(at));
            objects.iter().for_each(|it| sharers.by_object.entry(it).or_default().push(at));
        }
        sharers
    }

    /// The places of those that have anything in common with a world, in order: of what is deployed, no other is an
    /// alternative to it.
    fn of_any(&self, contents: &Contents<'_>) -> BTreeSet<usize> {
        let of_files = contents.files.iter().filter_map(|it| self.by_file.get(it));
        let of_objects = contents.objects.iter().filter_map(|it| self.by_object.get(it));
        of_files.chain(of_objects).flatten().copied().collect()
    }
}

fn runs_something(object: &Object<'_>) -> bool {
    WORKLOADS.contains(&object.kind)
        || object.kind == Kind::Service
        || object.kind == Kind::Custom
            && object.field(&["spec", "template", "spec", "containers"]).is_some()
}
