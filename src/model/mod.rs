//! Documents to typed objects, indexed by kind, namespace and name. No I/O.
//!
//! An object is a view of its document: it borrows, and nothing is copied.

mod head;
mod place;
mod remembered;

use crate::api::kind::{Kind, group};
use crate::load::own::OwnId;
use crate::load::{Broken, Document, Loaded, World};
use crate::text::path::FieldPath;
use crate::text::source::SourceKind;
use crate::text::tree::Node;
use crate::text::visible::visible;
pub use head::Head;
pub(crate) use head::Names;
pub use place::Place;
pub use remembered::Remembered;
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

/// An object's place in its [`Model`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjId(pub u32);

/// Ids from here on are those of documents of purlin's own, the same in every world.
const OWN: u32 = 1 << 31;

impl ObjId {
    /// Whether it is a document of purlin's own, and no object of Kubernetes.
    pub fn is_own(self) -> bool {
        self.0 >= OWN
    }

    /// The same object among those of several worlds, of which this many stand before its world.
    pub fn moved(self, by: u32) -> ObjId {
        if self.is_own() { self } else { ObjId(self.0 + by) }
    }
}

/// A Kubernetes object.
#[derive(Clone, Copy, Debug)]
pub struct Object<'d> {
    /// Its place in the model.
    pub id: ObjId,
    /// Its kind.
    pub kind: Kind,
    /// `apiVersion` as written.
    pub api_version: &'d str,
    /// `kind` as written.
    pub kind_name: &'d str,
    /// Its namespace; empty where the kind has none.
    pub namespace: &'d str,
    /// Its name; empty where it has none (`generateName`).
    pub name: &'d str,
    /// The document that holds it.
    pub document: &'d Document,
    /// Its outermost field.
    pub root: Node<'d>,
}

/// What identifies an object: group, kind, namespace and name.
pub type Key<'d> = (&'d str, &'d str, &'d str, &'d str);

/// The same, quicker to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id<'d> {
    kind: Kind,
    /// The group and kind of a custom object; empty for all others.
    custom: [&'d str; 2],
    namespace: &'d str,
    name: &'d str,
}

impl<'d> Id<'d> {
    /// That of an object of a kind that purlin has a name for.
    pub(crate) fn known(kind: Kind, namespace: &'d str, name: &'d str) -> Id<'d> {
        Id::of(kind, || [""; 2], namespace, name)
    }

    /// That of an object of any kind, by its group and kind as written.
    pub(crate) fn written(
        group: &'d str,
        kind: &'d str,
        namespace: &'d str,
        name: &'d str,
    ) -> Id<'d> {
        Id::of(Kind::of(group, kind), || [group, kind], namespace, name)
    }

    fn of(
        kind: Kind,
        custom: impl FnOnce() -> [&'d str; 2],
        namespace: &'d str,
        name: &'d str,
    ) -> Id<'d> {
        let custom = if kind == Kind::Custom { custom() } else { [""; 2] };
        Id { kind, custom, namespace, name }
    }
}

/// Custom objects that have a namespace and a name in common are few.
impl Hash for Id<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.kind, self.namespace, self.name).hash(state);
    }
}

/// The objects of one world.
#[derive(Debug)]
pub struct Model<'d> {
    /// What they were read from.
    pub loaded: &'d Loaded,
    /// The name of this world; empty where everything is one.
    pub name: &'d str,
    /// The documents of this world.
    pub documents: &'d [Arc<Document>],
    /// What could not be parsed in this world.
    pub broken: &'d [Broken],
    /// The architecture that states its objects, by its place among all; `None` where somebody wrote them.
    pub architecture: Option<usize>,
    /// Every object, in the order of reading, those that a later one replaces included.
    objects: Vec<Object<'d>>,
    by_kind: OnceLock<ByKind>,
    by_id: FxHashMap<Id<'d>, ObjId>,
    duplicates: Vec<(ObjId, ObjId)>,
    /// Those that a later one of the same name replaces.
    replaced: FxHashSet<ObjId>,
    /// The first id of each world, where there are several.
    starts: Vec<u32>,
    /// The documents of purlin's own.
    own: Vec<Object<'d>>,
    /// Where fields of rendered objects were written, as far as somebody asked.
    pub remembered: Remembered,
}

/// The objects kind by kind, those apart that are replaced.
#[derive(Debug)]
struct ByKind {
    ids: Vec<ObjId>,
    /// Where each kind begins there, by the place of the kind in its list, and where the last one ends.
    starts: Vec<u32>,
}

impl<'d> Model<'d> {
    /// The model of everything that was loaded; objects without a namespace go to `default_namespace`.
    pub fn new(loaded: &'d Loaded, default_namespace: &'d str) -> Model<'d> {
        Model::of(loaded, &loaded.documents, &loaded.broken, default_namespace)
    }

    /// The model of one of the worlds that were loaded.
    pub fn of_world(loaded: &'d Loaded, world: &'d World, default_namespace: &'d str) -> Model<'d> {
        let documents = &loaded.documents[world.documents.clone()];
        let broken = &loaded.broken[world.broken.clone()];
        let mut model = Model::of(loaded, &[], broken, default_namespace);
        model.name = &world.name;
        model.architecture = world.architecture;
        model.documents = documents;
        model.reserve(documents.len());
        for (at, document) in (world.documents.start..).zip(documents) {
            model.add_all(document, world.namespace_of(at).unwrap_or(default_namespace));
        }
        model
    }

    /// The model of some documents, apart from what does not parse beside them.
    pub fn of_some(
        loaded: &'d Loaded,
        documents: impl Iterator<Item = &'d Document>,
        default_namespace: &'d str,
    ) -> Model<'d> {
        let mut model = Model::of(loaded, &[], &[], default_namespace);
        documents.for_each(|it| model.add_all(it, default_namespace));
        model
    }

    /// The model of these documents, of some of which it was read before what they are, where this was loaded; of two
    /// objects of one name the later one counts. `documents` stays empty.
    pub fn of_read(
        loaded: &'d Loaded,
        read: impl Iterator<Item = (&'d Document, Option<Head>)>,
        default_namespace: &'d str,
    ) -> Model<'d> {
        let mut model = Model::of(loaded, &[], &loaded.broken, default_namespace);
        model.reserve(read.size_hint().0);
        for (document, head) in read {
            match head {
                Some(head) => {
                    let tree = &document.tree;
                    model.add(document, tree.root(), head.names(tree), default_namespace);
                }
                None => model.add_all(document, default_namespace),
            }
        }
        model
    }

    fn of(
        loaded: &'d Loaded,
        documents: &'d [Arc<Document>],
        broken: &'d [Broken],
        default_namespace: &'d str,
    ) -> Model<'d> {
        let mut model = Model {
            loaded,
            name: "",
            documents,
            broken,
            architecture: None,
            objects: Vec::new(),
            by_kind: OnceLock::new(),
            by_id: FxHashMap::default(),
            duplicates: Vec::new(),
            replaced: FxHashSet::default(),
            starts: Vec::new(),
            own: loaded.own.iter().zip(OWN..).map(own).collect(),
            remembered: Remembered::default(),
        };
        model.reserve(documents.len());
        documents.iter().for_each(|it| model.add_all(it, default_namespace));
        model
    }

    /// Makes room for so many more objects.
    fn reserve(&mut self, more: usize) {
        self.objects.reserve(more);
        self.by_id.reserve(more);
    }

    fn by_kind(&self) -> &ByKind {
        self.by_kind.get_or_init(|| {
            let filed = || self.objects.iter().filter(|it| !self.replaced.contains(&it.id));
            let mut starts = vec![0; Kind::Custom as usize + 2];
            filed().for_each(|it| starts[it.kind as usize + 1] += 1);
            for at in 1..starts.len() {
                starts[at] += starts[at - 1];
            }
            let mut next = starts.clone();
            let mut ids = vec![ObjId(0); self.objects.len() - self.replaced.len()];
            for object in filed() {
                let at = &mut next[object.kind as usize];
                ids[*at as usize] = object.id;
                *at += 1;
            }
            ByKind { ids, starts }
        })
    }

    /// The objects of several worlds, one world after the other, for a report on all of them. Names are looked up in a
    /// world, not here.
    pub fn together(loaded: &'d Loaded, worlds: &[&Model<'d>]) -> Model<'d> {
        let mut all = Model::of(loaded, &[], &[], "");
        for world in worlds {
            let base = all.objects.len() as u32;
            let moved = |id: &ObjId| id.moved(base);
            all.starts.push(base);
            let objects = world.objects.iter().map(|it| Object { id: moved(&it.id), ..*it });
            all.objects.extend(objects);
            all.duplicates.extend(world.duplicates.iter().map(|(a, b)| (moved(a), moved(b))));
            all.replaced.extend(world.replaced.iter().map(moved));
        }
        all
    }

    /// The name of the world that an object is in; empty where there is only one.
    pub fn world_name(&self, id: ObjId) -> &'d str {
        let world = self.world(id).and_then(|it| self.loaded.worlds.get(it as usize));
        world.map_or("", |it| &it.name)
    }

    /// The place of that world among all; `None` where there is only one.
    pub fn world(&self, id: ObjId) -> Option<u32> {
        if id.is_own() {
            return None;
        }
        let after = self.starts.partition_point(|it| *it <= id.0);
        after.checked_sub(1).map(|it| it as u32)
    }

    /// The first id of the objects of a world, where there are several.
    pub fn start(&self, world: u32) -> u32 {
        self.starts.get(world as usize).copied().unwrap_or_default()
    }

    /// How many ids its objects take.
    pub fn ids(&self) -> u32 {
        self.objects.len() as u32
    }

    /// Adds every object of a document.
    fn add_all(&mut self, document: &'d Document, default_namespace: &'d str) {
        objects(document.tree.root(), |api_version, kind_name, root| {
            let names = Names::of(root, api_version, kind_name);
            self.add(document, root, names, default_namespace);
        });
    }

    fn add(
        &mut self,
        document: &'d Document,
        root: Node<'d>,
        names: Names<'d>,
        default_namespace: &'d str,
    ) {
        let Names { kind, api_version, kind_name, .. } = names;
        let (namespace, name) = (names.namespace(default_namespace), names.name());
        let id = ObjId(self.objects.len() as u32);
        let object = Object { id, kind, api_version, kind_name, namespace, name, document, root };
        self.objects.push(object);
        let identity = object.id_in_model();
        if !name.is_empty()
            && let Some(earlier) = self.by_id.insert(identity, id)
        {
            self.replaced.insert(earlier);
            // What a cluster has and a file says is one object before and after an apply.
            let source = self.objects[earlier.0 as usize].document.source;
            if self.loaded.sources.get(source).kind != SourceKind::Cluster {
                self.duplicates.push((earlier, id));
            }
        }
    }

    /// The object of this id.
    pub fn object(&self, id: ObjId) -> &Object<'d> {
        if id.is_own() { &self.own[(id.0 - OWN) as usize] } else { &self.objects[id.0 as usize] }
    }

    /// A document of purlin's own, as if it were an object.
    pub fn own(&self, id: OwnId) -> &Object<'d> {
        &self.own[id.0 as usize]
    }

    /// Whether an object comes from a cluster, which fills in what nobody wrote: read there, or written out by kubectl.
    pub fn is_live(&self, object: &Object<'_>) -> bool {
        let source = self.loaded.sources.get(object.document.source);
        source.kind == SourceKind::Cluster || object.field(&["metadata", "uid"]).is_some()
    }

    /// Every object, those that a later one replaces included.
    pub fn all_objects(&self) -> impl Iterator<Item = &Object<'d>> {
        self.objects.iter()
    }

    /// Whether its objects are what a document of purlin's own states.
    pub fn is_stated(&self) -> bool {
        self.architecture.is_some()
    }

    /// Every object, each once: of several with one name the last, which is what an apply leaves.
    pub fn objects(&self) -> impl Iterator<Item = &Object<'d>> {
        self.objects.iter().filter(|it| !self.replaced.contains(&it.id))
    }

    /// The objects of a kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Object<'d>> {
        let ByKind { ids, starts } = self.by_kind();
        let (start, end) = (starts[kind as usize], starts[kind as usize + 1]);
        ids[start as usize..end as usize].iter().map(|id| self.object(*id))
    }

    /// The object of a known kind with this namespace (empty where the kind has none) and name.
    pub fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Object<'d>> {
        self.by_id.get(&Id::known(kind, namespace, name)).map(|id| self.object(*id))
    }

    /// The object of any kind, by its group and kind as written.
    pub fn find_custom(
        &self,
        group: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Option<&Object<'d>> {
        let id = Id::written(group, kind, namespace, name);
        self.by_id.get(&id).map(|id| self.object(*id))
    }

    /// Pairs of objects with one name, the earlier and the later.
    pub fn duplicates(&self) -> impl Iterator<Item = (&Object<'d>, &Object<'d>)> {
        self.duplicates.iter().map(|(a, b)| (self.object(*a), self.object(*b)))
    }

    /// How many objects there are, each counted once.
    pub fn len(&self) -> usize {
        self.objects().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

/// A document of purlin's own as an object.
fn own((document, id): (&Arc<Document>, u32)) -> Object<'_> {
    let root = document.tree.root();
    Object {
        id: ObjId(id),
        kind: Kind::Custom,
        api_version: root.text("apiVersion").unwrap_or_default(),
        kind_name: root.text("kind").unwrap_or_default(),
        namespace: "",
        name: root.at(&["metadata", "name"]).and_then(Node::str).unwrap_or_default(),
        document,
        root,
    }
}

/// Visits the objects of a document: itself, or the items if it is a list (`List`, `ConfigMapList` …), lists in lists
/// included.
fn objects<'d>(root: Node<'d>, mut visit: impl FnMut(&'d str, &'d str, Node<'d>)) {
    let mut open = vec![(root, "", "")];
    while let Some((node, list_version, list_kind)) = open.pop() {
        let version = node.text("apiVersion").unwrap_or(list_version);
        let kind = node.text("kind").unwrap_or(list_kind);
        let list = kind.strip_suffix("List").and_then(|it| Some((it, node.get("items")?)));
        match list {
            Some((item_kind, items)) if items.is_seq() => {
                let first = open.len();
                open.extend(items.items().map(|item| (item, version, item_kind)));
                open[first..].reverse();
            }
            _ if node.is_map() && !kind.is_empty() => visit(version, kind, node),
            _ => {}
        }
    }
}

impl<'d> Object<'d> {
    /// The API group; empty for the core group.
    pub fn group(&self) -> &'d str {
        group(self.api_version)
    }

    /// What it is looked up by.
    pub(crate) fn id_in_model(&self) -> Id<'d> {
        Id::of(self.kind, || [self.group(), self.kind_name], self.namespace, self.name)
    }

    /// What identifies it.
    pub fn key(&self) -> Key<'d> {
        // The groups that served a kind over time are one; the present one stands for all.
        let group = self.kind.info().map_or(self.group(), |it| it.groups[0]);
        (group, self.kind_name, self.namespace, self.name)
    }

    /// The field at these keys.
    pub fn field(&self, keys: &[&str]) -> Option<Node<'d>> {
        self.root.at(keys)
    }

    /// The place of a field, by its path (`spec.hard['requests.cpu']`). It may be absent: the report then points to the
    /// innermost field that is there.
    pub fn at(&self, path: &str) -> Place {
        Place::Field { object: self.id, path: FieldPath::parse(path) }
    }

    /// The place of a field of this object.
    pub fn place(&self, node: Node<'_>) -> Place {
        Place::Field { object: self.id, path: FieldPath::between(self.root, node) }
    }

    /// The place of a field below a node of this object, by the rest of its path; it may be absent.
    pub fn below(&self, node: Node<'_>, path: &str) -> Place {
        let path = FieldPath::between(self.root, node).join(FieldPath::parse(path));
        Place::Field { object: self.id, path }
    }

    /// The place of its name: where to point when the whole object is meant.
    pub fn whole(&self) -> Place {
        self.at("metadata.name")
    }

    /// The labels of the object itself.
    pub fn labels(&self) -> Vec<(&'d str, &'d str)> {
        let labels = self.root.at(&["metadata", "labels"]);
        labels
            .into_iter()
            .flat_map(Node::pairs)
            .filter_map(|(key, value)| Some((key, value.str()?)))
            .collect()
    }

    /// The value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&'d str> {
        self.root.at(&["metadata", "annotations"])?.text(key)
    }
}

/// The name of what kustomize generated, without the hash of its contents: ten characters of an alphabet of its own
/// (`sigs.k8s.io/kustomize/api/hasher`, encode). `None` where there is none.
pub fn without_hash(kind: Kind, name: &str) -> Option<&str> {
    let (plain, hash) = name.rsplit_once('-')?;
    let is_hash = hash.len() == 10 && hash.bytes().all(|it| b"2456789bcdfghkmt".contains(&it));
    (is_hash && matches!(kind, Kind::ConfigMap | Kind::Secret)).then_some(plain)
}

/// `Deployment/production/api`, or `StorageClass/gp3` where there is no namespace.
impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() && !self.id.is_own() {
            self.root.at(&["metadata", "generateName"]).and_then(Node::str).unwrap_or("?")
        } else {
            self.name
        };
        // Other people's texts, which are to forge no line of whatever shows them.
        f.write_str(&visible(self.kind_name))?;
        for part in [self.namespace, name] {
            if !part.is_empty() {
                f.write_str("/")?;
                f.write_str(&visible(part))?;
            }
        }
        Ok(())
    }
}
