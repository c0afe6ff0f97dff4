//! The rules that the webhook judges by, and what follows from them before any request comes.

use crate::api::kind::{KINDS, Kind, Kinds, WORKLOADS};
use crate::rule::{Admission, Rule, RuleSet};

/// Kinds of which the past is not kept: their owners are judged, and their contents are nobody's business.
const FORGOTTEN: [Kind; 5] = [Kind::Pod, Kind::ReplicaSet, Kind::Node, Kind::Secret, Kind::Job];

/// The rules that the webhook judges by.
#[derive(Debug)]
pub struct Rulebook {
    set: RuleSet,
    /// By kind, the rules that look at objects of it.
    by_kind: Vec<Concerned>,
    remembered: Kinds,
}

/// Rules that a request concerns.
#[derive(Clone, Debug, Default)]
pub(super) struct Concerned {
    /// Those that look at one object.
    pub(super) alone: Vec<&'static Rule>,
    /// Those that look at others as well.
    pub(super) together: Vec<&'static Rule>,
}

impl Rulebook {
    /// These rules.
    pub fn new(set: &RuleSet) -> Rulebook {
        let kinds = KINDS.iter().map(|it| it.kind).chain([Kind::Custom]);
        let denying = set.iter().filter(|it| it.admission == Admission::Deny);
        let read = denying.flat_map(|it| it.reads).chain(WORKLOADS).copied();
        Rulebook {
            by_kind: kinds.map(|it| of_kind(set, it)).collect(),
            remembered: read.filter(|it| !FORGOTTEN.contains(it)).collect(),
            set: set.clone(),
        }
    }

    /// All of them.
    pub fn set(&self) -> &RuleSet {
        &self.set
    }

    /// Those that look at objects of a kind, and whose findings are told.
    pub(super) fn of_kind(&self, kind: Kind) -> &Concerned {
        &self.by_kind[kind as usize]
    }

    /// Those whose findings are told.
    pub(super) fn speaking(&self) -> impl Iterator<Item = &'static Rule> + Clone {
        speaking(&self.set)
    }

    /// Kinds on which a denial may rest.
    pub fn remembered(&self) -> Kinds {
        self.remembered
    }
}

fn speaking(set: &RuleSet) -> impl Iterator<Item = &'static Rule> + Clone {
    set.iter().filter(|it| it.admission != Admission::Audit)
}

/// Every rule may read workloads.
fn of_kind(set: &RuleSet, kind: Kind) -> Concerned {
    let is_workload = WORKLOADS.contains(&kind) || kind == Kind::Custom;
    let rules = speaking(set).filter(|it| is_workload || it.reads.contains(&kind));
    let (alone, together) = rules.partition(|it| it.is_of_one_object());
    Concerned { alone, together }
}
