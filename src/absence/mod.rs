//! Whether something that is not in the input is not in the cluster either.
//!
//! A rule asks [`Cx::absence_of`] what it [`Wanted`], and hands the answer to [`Out::report_absent`]:
//!
//! ```text
//! out.report_absent(object, cx.absence_of(Wanted::object(kind, namespace, name)), || finding);
//! ```
//!
//! Absence is judged only where the world is known to be complete for it; everywhere else the answer is "cannot tell",
//! with what would settle it. `unread` knows what was not read (a document that does not parse, a world that could not
//! be rendered, what a cluster does not show), `complete` where the input holds all there is, `run_time` what exists only
//! while the cluster runs, and `other_worlds` what is deployed beside this world.

mod complete;
mod other_worlds;
mod run_time;
mod unread;

use crate::analyze::references::named::Reference;
use crate::analyze::selection::selector::Selector;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::finding::Finding;
use crate::model::{ObjId, Object};
use crate::rule::{Cx, Out};

/// What the input says about something it does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// It is not there.
    Absent,
    /// It is known to be there: listed under `external` in `purlin.yaml`, or what every cluster has.
    Elsewhere,
    /// The input does not say; this would settle it.
    CannotTell(String),
}

/// What a rule looked for in vain.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'w> {
    /// An object of a kind that purlin has a name for.
    Object {
        /// Its kind.
        kind: Kind,
        /// Its namespace; empty where the kind has none.
        namespace: &'w str,
        /// Its name.
        name: &'w str,
    },
    /// Any object of a kind in a namespace.
    Any {
        /// Its kind.
        kind: Kind,
        /// Its namespace.
        namespace: &'w str,
    },
    /// A workload that is named by its group and kind, as an autoscaler does.
    Workload {
        /// Its API group.
        group: &'w str,
        /// Its kind, as written.
        kind: &'w str,
        /// Its namespace.
        namespace: &'w str,
        /// Its name.
        name: &'w str,
    },
    /// An object of a custom kind without a namespace.
    Custom {
        /// Its API group.
        group: &'w str,
        /// Its kind, as written.
        kind: &'w str,
        /// Its name.
        name: &'w str,
    },
    /// Pods of a namespace, by their labels; an empty selector stands for any.
    Pods {
        /// Where they would run.
        namespace: &'w str,
        /// What they would be labelled.
        selector: &'w Selector<'w>,
    },
    /// The same of pods that stay, as the backends of a Service and the pods of a budget do, and those of Jobs do not.
    LastingPods {
        /// Where they would run.
        namespace: &'w str,
        /// What they would be labelled.
        selector: &'w Selector<'w>,
    },
    /// NetworkPolicies and whatever else isolates the pods of a namespace, or lets them through.
    Policies {
        /// Where the pods run.
        namespace: &'w str,
    },
    /// A disruption budget over a workload.
    Budget(&'w Workload<'w>),
}

impl<'w> Wanted<'w> {
    /// An object of a kind that purlin has a name for; `namespace` is empty where the kind has none.
    pub fn object(kind: Kind, namespace: &'w str, name: &'w str) -> Wanted<'w> {
        Wanted::Object { kind, namespace, name }
    }

    /// Any object of a kind in a namespace.
    pub fn any(kind: Kind, namespace: &'w str) -> Wanted<'w> {
        Wanted::Any { kind, namespace }
    }

    /// The namespace that it would be in; empty for the cluster as a whole.
    fn namespace(&self) -> &'w str {
        match *self {
            Wanted::Object { namespace, .. }
            | Wanted::Any { namespace, .. }
            | Wanted::Workload { namespace, .. }
            | Wanted::Pods { namespace, .. }
            | Wanted::LastingPods { namespace, .. }
            | Wanted::Policies { namespace } => namespace,
            Wanted::Custom { .. } => "",
            Wanted::Budget(workload) => workload.namespace,
        }
    }

    /// The same in words: "Secret `db` of namespace `shop`".
    fn describe(&self) -> String {
        let of = match self.namespace() {
            "" => String::new(),
            namespace => format!(" of namespace `{namespace}`"),
        };
        match self {
            Wanted::Object { kind, name, .. } => format!("{} `{name}`{of}", kind.name()),
            Wanted::Any { kind, .. } => format!("a {}{of}", kind.name()),
            Wanted::Workload { kind, name, .. } | Wanted::Custom { kind, name, .. } => {
                format!("{kind} `{name}`{of}")
            }
            Wanted::Pods { selector, .. } | Wanted::LastingPods { selector, .. } => {
                let which =
                    if selector.is_empty() { String::new() } else { format!(" `{selector}`") };
                format!("the pods{which}{of}")
            }
            Wanted::Policies { .. } => format!("a NetworkPolicy{of}"),
            Wanted::Budget(workload) => format!("the disruption budget of `{}`", workload.name),
        }
    }
}

impl Cx<'_, '_> {
    /// Whether something that is not in the input is really missing.
    pub fn absence_of(&self, wanted: Wanted<'_>) -> Absence {
        if self.is_elsewhere(wanted) {
            return Absence::Elsewhere;
        }
        if let Some(lost) = self.may_be_lost(wanted) {
            return Absence::CannotTell(lost);
        }
        let here = self.judged_here(wanted).and_then(|()| self.at_run_time(wanted));
        match here {
            Err(Absence::Elsewhere) => Absence::Elsewhere,
            here => match (self.in_other_worlds(wanted), here) {
                (Some(why), _) => Absence::CannotTell(why),
                (None, Err(absence)) => absence,
                (None, Ok(())) => Absence::Absent,
            },
        }
    }

    /// That something of which the input holds no other may be there and is not seen; this would settle it. For what is
    /// wrong only as long as there is no such thing: that a namespace is not known to be complete says nothing here.
    pub fn unseen(&self, wanted: Wanted<'_>) -> Option<String> {
        let lost = self.may_be_lost(wanted).or_else(|| self.unread_of_cluster(wanted));
        lost.or_else(|| self.in_other_worlds(wanted))
    }
}

impl Cx<'_, '_> {
    /// That policies which nobody sees may open what these close, in their namespaces.
    pub fn unseen_policies(&self, policies: impl Iterator<Item = ObjId>) -> Option<String> {
        let mut namespaces = policies.map(|it| self.object(it).namespace);
        namespaces.find_map(|namespace| self.unseen(Wanted::Policies { namespace }))
    }

    /// Whether what is referred to is there as far as the input tells, or always is.
    pub fn is_there(&self, it: &Reference<'_>) -> bool {
        let references = self.facts.references();
        match (it.kind, it.name) {
            _ if complete::is_always_there(it.kind, it.namespace, it.name) => true,
            _ if self.model.find(it.kind, it.namespace, it.name).is_some() => true,
            (Kind::Secret, name) => self.facts.made_secrets().find(it.namespace, name).is_some(),
            (Kind::PersistentVolumeClaim, name) => {
                references.is_claim_of_template(it.namespace, name)
            }
            // Volumes made by hand are matched by the name of their class; no object needs to bear it.
            (Kind::StorageClass, name) => references.is_class_of_volume(name),
            _ => false,
        }
    }
}

impl Out {
    /// Reports that something is missing, if it is; asks, where the input does not tell.
    pub fn report_absent(
        &mut self,
        object: &Object<'_>,
        absence: Absence,
        finding: impl FnOnce() -> Finding,
    ) {
        match absence {
            Absence::Absent => self.find(finding()),
            Absence::Elsewhere => {}
            Absence::CannotTell(missing) => self.cannot_tell(object, missing),
        }
    }
}
