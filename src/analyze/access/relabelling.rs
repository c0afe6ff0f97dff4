//! Pods that may change labels of pods, their own among them, or start others, by what their ServiceAccount may do: a
//! database that marks its leader so that a Service can select it, a manager that runs engines when it needs some.

use super::roles::Role;
use super::rule::{RoleRule, Wish};
use super::subjects::Who;
use super::{Access, Binding, account};
use crate::analyze::selection::workloads::{WorkloadId, Workloads};
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
    /// From the bindings, with the role of each where the input holds it.
    pub(in crate::analyze) fn new<'r>(
        access: &Access<'d>,
        role: impl Fn(&Binding<'d>) -> Option<&'r Role<'d>>,
        workloads: &Workloads<'d>,
    ) -> Relabelling<'d>
    where
        'd: 'r,
    {
        let accounts = Accounts::new(access, role);
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
    fn new<'r>(
        access: &Access<'d>,
        role: impl Fn(&Binding<'d>) -> Option<&'r Role<'d>>,
    ) -> Accounts<'d>
    where
        'd: 'r,
    {
        let mut accounts = Accounts::default();
        for binding in access.bindings() {
            let power = match role(binding) {
                Some(role) => power(role),
                // Those of controllers, which nothing else is bound to.
                None if binding.role_name.starts_with("system:") => Power::default(),
                None => EVERYTHING,
            };
            let subjects = binding.subjects.iter().filter(|_| !power.is_none());
            subjects.for_each(|it| accounts.add(binding, it.who, power));
        }
        accounts
    }

    fn add(&mut self, binding: &Binding<'d>, who: Who<'d>, power: Power) {
        let here = binding.namespace;
        let is_reached = |namespace: &str| here.is_empty() || namespace == here;
        let known = match who {
            Who::Account(namespace, name) if is_reached(namespace) => {
                self.each.entry((namespace, name)).or_default()
            }
            Who::AccountsOf(namespace) if is_reached(namespace) => {
                self.of_namespace.entry(namespace).or_default()
            }
            Who::AllAccounts | Who::Authenticated if here.is_empty() => &mut self.all,
            Who::AllAccounts | Who::Authenticated => self.of_namespace.entry(here).or_default(),
            _ => return,
        };
        *known = known.and(power);
    }

    fn power(&self, namespace: &str, name: &str) -> Power {
        let own = self.each.get(&(namespace, name)).copied().unwrap_or_default();
        let of_namespace = self.of_namespace.get(namespace).copied().unwrap_or_default();
        own.and(of_namespace).and(self.all)
    }
}

/// What a role that is not in the input may let do.
const EVERYTHING: Power = Power { labels: true, creates: true };

fn power(role: &Role<'_>) -> Power {
    role.rules.iter().map(of_rule).fold(Power::default(), Power::and)
}

/// What starts pods when it is created, with its group.
const STARTING: [(&str, &[&str]); 4] = [
    ("", &["pods", "replicationcontrollers"]),
    ("apps", &["daemonsets", "deployments", "replicasets", "statefulsets"]),
    ("argoproj.io", &["rollouts"]),
    ("batch", &["cronjobs", "jobs"]),
];

fn of_rule(rule: &RoleRule<'_>) -> Power {
    let changes = |verb| rule.allows(Wish { verb, group: "", resource: "pods" });
    let starts = |(group, kinds): &(&str, &[&str])| {
        kinds.iter().any(|resource| rule.allows(Wish { verb: "create", group, resource }))
    };
    Power { labels: changes("patch") || changes("update"), creates: STARTING.iter().any(starts) }
}
