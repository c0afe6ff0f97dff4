//! Roles with all that they allow: those of the input, those that the API server makes, and those put together of others.

use super::built_in::{BUILT_IN, BuiltIn};
use super::rule::RoleRule;
use crate::analyze::selection::selector::Selector;
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;
use rustc_hash::{FxHashMap, FxHashSet};

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

/// All roles, found by what a binding names.
#[derive(Debug, Default)]
pub(super) struct Roles<'d> {
    pub(super) all: Vec<Role<'d>>,
    by_name: FxHashMap<(Kind, &'d str, &'d str), usize>,
}

impl<'d> Roles<'d> {
    pub(super) fn new(model: &Model<'d>) -> Roles<'d> {
        let mut roles = Roles::default();
        for object in model.of_kind(Kind::Role) {
            let rules = own_rules(object).collect();
            roles.add(Some(object.id), (Kind::Role, object.namespace, object.name), rules);
        }
        let parts = Parts::new(model);
        for (at, part) in parts.all.iter().enumerate() {
            let name = (Kind::ClusterRole, "", part.name);
            roles.add(part.object, name, parts.rules_of(at));
        }
        roles
    }

    fn add(
        &mut self,
        object: Option<ObjId>,
        (kind, namespace, name): (Kind, &'d str, &'d str),
        rules: Vec<RoleRule<'d>>,
    ) {
        self.by_name.insert((kind, namespace, name), self.all.len());
        self.all.push(Role { object, kind, namespace, name, rules });
    }

    /// The place of a role among all.
    pub(super) fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<usize> {
        self.by_name.get(&(kind, namespace, name)).copied()
    }
}

fn own_rules<'d>(object: &Object<'d>) -> impl Iterator<Item = RoleRule<'d>> {
    let id = object.id;
    object.root.list("rules").map(move |it| RoleRule::parse(id, it))
}

/// A ClusterRole before rules of others are its own.
struct Part<'d> {
    object: Option<ObjId>,
    name: &'d str,
    rules: Vec<RoleRule<'d>>,
    labels: Vec<(&'d str, &'d str)>,
    /// Which roles' rules are its own.
    made_of: Vec<Selector<'d>>,
    /// Whether it comes from a cluster, where the controller has filled in the rules of all others that do.
    is_live: bool,
}

/// The ClusterRoles, and those that a selector may select.
struct Parts<'d> {
    all: Vec<Part<'d>>,
    /// By label: what is put together of others is so by labels that few roles have.
    by_label: FxHashMap<(&'d str, &'d str), Vec<usize>>,
}

impl<'d> Parts<'d> {
    fn new(model: &Model<'d>) -> Parts<'d> {
        let written = model.of_kind(Kind::ClusterRole).map(|it| Part::written(model, it));
        let is_written = |it: &&BuiltIn| model.find(Kind::ClusterRole, "", it.name).is_some();
        let made = BUILT_IN.iter().filter(|it| !is_written(it)).map(Part::built_in);
        let all: Vec<_> = written.chain(made).collect();
        let mut by_label: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for (at, part) in all.iter().enumerate() {
            for label in &part.labels {
                by_label.entry(*label).or_default().push(at);
            }
        }
        Parts { all, by_label }
    }

    /// The rules of a role, those of the roles that it is made of among them, and so on: the controller fills them in one
    /// after the other (`pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go`, syncClusterRole).
    fn rules_of(&self, at: usize) -> Vec<RoleRule<'d>> {
        let mut seen = FxHashSet::from_iter([at]);
        let mut open = vec![at];
        let mut rules = Vec::new();
        while let Some(at) = open.pop() {
            let part = &self.all[at];
            rules.extend(part.rules.iter().cloned());
            let parts = part.made_of.iter().flat_map(|it| self.selected(it));
            let is_filled_in = |it: &usize| part.is_live && self.all[*it].is_live;
            open.extend(parts.filter(|it| !is_filled_in(it) && seen.insert(*it)));
        }
        rules
    }

    fn selected<'p>(&'p self, selector: &'p Selector<'d>) -> Vec<usize> {
        let is_selected = |at: &usize| selector.matches(&self.all[*at].labels);
        match selector.labels().next() {
            Some(label) => {
                let listed = self.by_label.get(&label).map_or(&[][..], Vec::as_slice);
                listed.iter().copied().filter(is_selected).collect()
            }
            None => (0..self.all.len()).filter(is_selected).collect(),
        }
    }
}

impl<'d> Part<'d> {
    fn written(model: &Model<'d>, object: &Object<'d>) -> Part<'d> {
        let is_live = model.is_live(object);
        let aggregation = object.field(&["aggregationRule"]);
        let selectors = aggregation.into_iter().flat_map(|it| it.list("clusterRoleSelectors"));
        // What a manifest writes there besides, the controller replaces.
        let is_replaced = aggregation.is_some() && !is_live;
        Part {
            object: Some(object.id),
            name: object.name,
            rules: own_rules(object).filter(|_| !is_replaced).collect(),
            labels: object.labels(),
            made_of: selectors.map(Selector::parse).collect(),
            is_live,
        }
    }

    fn built_in(role: &'static BuiltIn) -> Part<'d> {
        let labels = role.part_of.map(|it| (it, "true")).into_iter().collect();
        let made_of = role.made_of.map(|it| Selector::of_label(it, "true")).into_iter().collect();
        let rules = role.rules.iter().map(RoleRule::built_in).collect();
        Part { object: None, name: role.name, rules, labels, made_of, is_live: false }
    }
}

/// The role that a binding names: its kind, namespace and name.
pub(super) fn named<'d>(binding: &Object<'d>) -> Option<(Kind, &'d str, &'d str)> {
    let text = |field: &str| binding.field(&["roleRef", field]).and_then(Node::str);
    let name = text("name")?;
    match text("kind")? {
        "Role" => Some((Kind::Role, binding.namespace, name)),
        "ClusterRole" => Some((Kind::ClusterRole, "", name)),
        _ => None,
    }
}
