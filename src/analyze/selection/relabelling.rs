//! Pods that may change labels of pods, their own among them, or start others, by what their ServiceAccount may do: a
//! database that marks its leader so that a Service can select it, a manager that runs engines when it needs some.

use super::selector::Selector;
use super::workloads::{Workload, WorkloadId, Workloads};
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// What pods may do to the pods of their own namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Power {
    /// Change their labels.
    pub labels: bool,
    /// Start more, or something that does.
    pub creates: bool,
}

impl Power {
    fn and(self, other: Power) -> Power {
        Power { labels: self.labels || other.labels, creates: self.creates || other.creates }
    }

    fn is_none(self) -> bool {
        self == Power::default()
    }
}

/// The workloads whose pods may, by namespace.
#[derive(Debug, Default)]
pub struct Relabelling<'d> {
    by_namespace: FxHashMap<&'d str, Vec<(WorkloadId, Power)>>,
}

impl<'d> Relabelling<'d> {
    /// Finds them in a model.
    pub fn new(model: &Model<'d>, workloads: &Workloads<'d>) -> Relabelling<'d> {
        let accounts = Accounts::new(model);
        let mut by_namespace: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for workload in workloads.iter() {
            let power = accounts.power(workload.namespace, account(workload));
            if !power.is_none() {
                by_namespace.entry(workload.namespace).or_default().push((workload.id, power));
            }
        }
        Relabelling { by_namespace }
    }

    /// Those of a namespace.
    pub fn in_namespace(&self, namespace: &str) -> &[(WorkloadId, Power)] {
        self.by_namespace.get(namespace).map_or(&[], Vec::as_slice)
    }
}

fn account<'d>(workload: &Workload<'d>) -> &'d str {
    let pod = workload.pod;
    pod.text("serviceAccountName").or_else(|| pod.text("serviceAccount")).unwrap_or("default")
}

/// What ServiceAccounts may do to the pods of their own namespace.
#[derive(Default)]
struct Accounts<'d> {
    /// By namespace and name.
    each: FxHashMap<(&'d str, &'d str), Power>,
    /// All of a namespace.
    of_namespace: FxHashMap<&'d str, Power>,
    /// All there are.
    all: Power,
}

impl<'d> Accounts<'d> {
    fn new(model: &Model<'d>) -> Accounts<'d> {
        let mut accounts = Accounts::default();
        let mut known: FxHashMap<ObjId, Power> = FxHashMap::default();
        for kind in [Kind::RoleBinding, Kind::ClusterRoleBinding] {
            for binding in model.of_kind(kind) {
                let power = power(model, binding, &mut known);
                let subjects = binding.root.list("subjects").filter(|_| !power.is_none());
                subjects.for_each(|it| accounts.add(binding, it, power));
            }
        }
        accounts
    }

    fn add(&mut self, binding: &Object<'d>, subject: Node<'d>, power: Power) {
        let Some(name) = subject.text("name") else { return };
        let here = binding.namespace;
        let is_reached = |namespace: &str| here.is_empty() || namespace == here;
        // `system:serviceaccount:NAMESPACE:NAME` and `system:serviceaccounts[:NAMESPACE]` (k8s.io/apiserver,
        // pkg/authentication/serviceaccount/util.go).
        let user = name.strip_prefix("system:serviceaccount:").and_then(|it| it.split_once(':'));
        let (namespace, name) = match (subject.text("kind"), user) {
            (Some("ServiceAccount"), _) => (subject.text("namespace").unwrap_or(here), name),
            (Some("User"), Some(named)) => named,
            (Some("Group"), _) => {
                let group = match name {
                    "system:serviceaccounts" | "system:authenticated" if here.is_empty() => {
                        &mut self.all
                    }
                    "system:serviceaccounts" | "system:authenticated" => {
                        self.of_namespace.entry(here).or_default()
                    }
                    _ => match name.strip_prefix("system:serviceaccounts:") {
                        Some(of) if is_reached(of) => self.of_namespace.entry(of).or_default(),
                        _ => return,
                    },
                };
                *group = group.and(power);
                return;
            }
            _ => return,
        };
        if is_reached(namespace) {
            let known = self.each.entry((namespace, name)).or_default();
            *known = known.and(power);
        }
    }

    fn power(&self, namespace: &str, name: &str) -> Power {
        let own = self.each.get(&(namespace, name)).copied().unwrap_or_default();
        let of_namespace = self.of_namespace.get(namespace).copied().unwrap_or_default();
        own.and(of_namespace).and(self.all)
    }
}

const EVERYTHING: Power = Power { labels: true, creates: true };

/// What the role of a binding lets do to pods. One that is not in the input may let do anything.
fn power(model: &Model<'_>, binding: &Object<'_>, known: &mut FxHashMap<ObjId, Power>) -> Power {
    let text = |field: &str| binding.field(&["roleRef", field]).and_then(Node::str);
    let name = text("name").unwrap_or_default();
    let role = match text("kind") {
        Some("Role") => model.find(Kind::Role, binding.namespace, name),
        _ => model.find(Kind::ClusterRole, "", name),
    };
    match role {
        Some(role) => *known
            .entry(role.id)
            .or_insert_with(|| aggregated(model, role).fold(of_rules(role), Power::and)),
        None if name == "view" || name.starts_with("system:") => Power::default(),
        None => EVERYTHING,
    }
}

/// What the roles let do that a role puts together by their labels.
fn aggregated<'m>(model: &'m Model<'_>, role: &'m Object<'_>) -> impl Iterator<Item = Power> {
    let selectors = role.field(&["aggregationRule"]).into_iter();
    let selectors = selectors.flat_map(|it| it.list("clusterRoleSelectors")).map(Selector::parse);
    selectors.flat_map(|selector| {
        let roles = model.of_kind(Kind::ClusterRole).filter(|it| selector.matches(&it.labels()));
        roles.map(of_rules).collect::<Vec<_>>()
    })
}

fn of_rules(role: &Object<'_>) -> Power {
    role.root.list("rules").map(of_rule).fold(Power::default(), Power::and)
}

/// What starts pods when it is created, with its group.
const STARTING: [(&str, &[&str]); 4] = [
    ("", &["pods", "replicationcontrollers"]),
    ("apps", &["daemonsets", "deployments", "replicasets", "statefulsets"]),
    ("argoproj.io", &["rollouts"]),
    ("batch", &["cronjobs", "jobs"]),
];

fn of_rule(rule: Node<'_>) -> Power {
    let has = |field: &str, wanted: &[&str]| {
        let written = rule.list(field).filter_map(Node::str);
        written.into_iter().any(|it| it == "*" || wanted.contains(&it))
    };
    // A name that is not there yet cannot be told: `create` for some names only grants nothing.
    let is_named = rule.list("resourceNames").next().is_some();
    let starts = STARTING.iter().any(|(group, kinds)| {
        let is_of_group =
            rule.list("apiGroups").filter_map(Node::str).any(|it| it == "*" || it == *group);
        is_of_group && has("resources", kinds)
    });
    Power {
        labels: has("apiGroups", &[""])
            && has("resources", &["pods"])
            && has("verbs", &["patch", "update"]),
        creates: starts && has("verbs", &["create"]) && !is_named,
    }
}
