//! Roles with all that they allow: those of the input, those that the API server makes, and those put together of others.

use super::Binding;
use super::built_in::{BUILT_IN, BuiltIn, BuiltInRule};
use super::rule::RoleRule;
use crate::analyze::selection::selector::Selector;
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::OnceLock;

/// A Role or ClusterRole.
#[derive(Debug)]
pub struct Role<'d> {
    /// The object; `None` where the API server makes it.
    pub object: Option<ObjId>,
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty for a ClusterRole.
    pub namespace: &'d str,
    /// Its name.
    pub name: &'d str,
    /// What it allows.
    pub rules: Vec<RoleRule<'d>>,
}

impl Role<'_> {
    /// Whether it allows everything there is.
    pub fn allows_everything(&self) -> bool {
        self.rules.iter().any(RoleRule::allows_everything)
    }
}

/// All roles, found by what a binding names. What one allows is put together when it is asked for.
#[derive(Debug)]
pub struct Roles<'d> {
    parts: Parts<'d>,
    /// In the order of the parts.
    whole: Vec<OnceLock<Role<'d>>>,
    by_name: FxHashMap<Name<'d>, usize>,
}

/// A kind, a namespace and a name.
pub(super) type Name<'d> = (Kind, &'d str, &'d str);

impl<'d> Roles<'d> {
    pub(in crate::analyze) fn new(model: &Model<'d>) -> Roles<'d> {
        let parts = Parts::new(model);
        let by_name = parts.all.iter().enumerate().map(|(at, it)| (it.name, at)).collect();
        let whole = parts.all.iter().map(|_| OnceLock::new()).collect();
        Roles { parts, whole, by_name }
    }

    /// The role of a binding; `None` where the input does not hold it.
    pub fn of(&self, binding: &Binding<'d>) -> Option<&Role<'d>> {
        let at = *self.by_name.get(&binding.role?)?;
        Some(self.whole[at].get_or_init(|| self.parts.role(at)))
    }
}

/// A role before rules of others are its own.
#[derive(Debug)]
struct Part<'d> {
    object: Option<ObjId>,
    name: Name<'d>,
    rules: Source<'d>,
    labels: Vec<(&'d str, &'d str)>,
    /// Which roles' rules are its own.
    made_of: Vec<Selector<'d>>,
    /// Whether it comes from a cluster, where the controller has filled in the rules of all others that do.
    is_live: bool,
}

/// Where rules are written.
#[derive(Clone, Copy, Debug)]
enum Source<'d> {
    Written(ObjId, Node<'d>),
    BuiltIn(&'static [BuiltInRule]),
    /// What a manifest writes in a role that is made of others, the controller replaces.
    Replaced,
}

impl<'d> Source<'d> {
    fn rules(self) -> Vec<RoleRule<'d>> {
        match self {
            Source::Written(object, root) => {
                root.list("rules").map(|it| RoleRule::parse(object, it)).collect()
            }
            Source::BuiltIn(rules) => rules.iter().map(RoleRule::built_in).collect(),
            Source::Replaced => Vec::new(),
        }
    }
}

/// The roles, and those that a selector may select.
#[derive(Debug)]
struct Parts<'d> {
    all: Vec<Part<'d>>,
    /// By label: what is put together of others is so by labels that few roles have.
    by_label: FxHashMap<(&'d str, &'d str), Vec<usize>>,
    /// The first of the ClusterRoles, which are the last.
    first_of_cluster: usize,
}

impl<'d> Parts<'d> {
    fn new(model: &Model<'d>) -> Parts<'d> {
        let mut all: Vec<_> = model.of_kind(Kind::Role).map(Part::of_namespace).collect();
        let first_of_cluster = all.len();
        let is_written = |it: &&BuiltIn| model.find(Kind::ClusterRole, "", it.name).is_some();
        let made = BUILT_IN.iter().filter(|it| !is_written(it)).map(Part::built_in);
        let written = model.of_kind(Kind::ClusterRole).map(|it| Part::of_cluster(model, it));
        all.extend(written.chain(made));
        let mut by_label: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for (at, part) in all.iter().enumerate().skip(first_of_cluster) {
            for label in &part.labels {
                by_label.entry(*label).or_default().push(at);
            }
        }
        Parts { all, by_label, first_of_cluster }
    }

    /// A role with the rules of the roles that it is made of, and so on: the controller fills them in one after the other
    /// (`pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go`, syncClusterRole).
    fn role(&self, at: usize) -> Role<'d> {
        let Part { object, name: (kind, namespace, name), .. } = self.all[at];
        let mut seen = FxHashSet::from_iter([at]);
        let mut open = vec![at];
        let mut rules = Vec::new();
        while let Some(at) = open.pop() {
            let part = &self.all[at];
            rules.extend(part.rules.rules());
            let parts = part.made_of.iter().flat_map(|it| self.selected(it));
            let is_filled_in = |it: &usize| part.is_live && self.all[*it].is_live;
            open.extend(parts.filter(|it| !is_filled_in(it) && seen.insert(*it)));
        }
        Role { object, kind, namespace, name, rules }
    }

    fn selected<'p>(&'p self, selector: &'p Selector<'d>) -> Vec<usize> {
        let is_selected = |at: &usize| selector.matches(&self.all[*at].labels);
        match selector.labels().next() {
            Some(label) => {
                let listed = self.by_label.get(&label).map_or(&[][..], Vec::as_slice);
                listed.iter().copied().filter(is_selected).collect()
            }
            None => (self.first_of_cluster..self.all.len()).filter(is_selected).collect(),
        }
    }
}

impl<'d> Part<'d> {
    fn of_namespace(object: &Object<'d>) -> Part<'d> {
        Part {
            object: Some(object.id),
            name: (Kind::Role, object.namespace, object.name),
            rules: Source::Written(object.id, object.root),
            labels: Vec::new(),
            made_of: Vec::new(),
            is_live: false,
        }
    }

    fn of_cluster(model: &Model<'d>, object: &Object<'d>) -> Part<'d> {
        let is_live = model.is_live(object);
        let aggregation = object.field(&["aggregationRule"]);
        let selectors = aggregation.into_iter().flat_map(|it| it.list("clusterRoleSelectors"));
        let is_replaced = aggregation.is_some() && !is_live;
        Part {
            object: Some(object.id),
            name: (Kind::ClusterRole, "", object.name),
            rules: match is_replaced {
                true => Source::Replaced,
                false => Source::Written(object.id, object.root),
            },
            labels: object.labels(),
            made_of: selectors.map(Selector::parse).collect(),
            is_live,
        }
    }

    fn built_in(role: &'static BuiltIn) -> Part<'d> {
        Part {
            object: None,
            name: (Kind::ClusterRole, "", role.name),
            rules: Source::BuiltIn(role.rules),
            labels: role.part_of.map(|it| (it, "true")).into_iter().collect(),
            made_of: role.made_of.map(|it| Selector::of_label(it, "true")).into_iter().collect(),
            is_live: false,
        }
    }
}

/// The role that a binding names: its kind, namespace and name.
pub(super) fn named<'d>(binding: &Object<'d>) -> Option<Name<'d>> {
    let text = |field: &str| binding.field(&["roleRef", field]).and_then(Node::str);
    let name = text("name")?;
    match text("kind")? {
        "Role" => Some((Kind::Role, binding.namespace, name)),
        "ClusterRole" => Some((Kind::ClusterRole, "", name)),
        _ => None,
    }
}
