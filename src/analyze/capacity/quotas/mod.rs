//! ResourceQuotas: what each line counts, and what the namespace asks of it when every workload is at its peak.
//!
//! `pkg/quota/v1/evaluator/core` and `staging/src/k8s.io/apiserver/pkg/quota/v1/generic`. What stands outside the input
//! is not counted, so a sum is the least that the namespace asks for.

mod counted;
mod holdings;
mod scopes;
mod sums;

use super::effective_resources::PodDemand;
use super::rollout::Rollout;
use crate::analyze::Facts;
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;
use counted::Counted;
use holdings::Holdings;
use rustc_hash::FxHashMap;
use scopes::Scopes;

/// Who asks for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By<'d> {
    /// The pods of a workload, or the claims made for them.
    Workload(WorkloadId),
    /// One object.
    Object(ObjId),
    /// The objects of a kind, together.
    Kind(&'d str),
    /// What every namespace holds, by its name.
    Always(&'static str),
}

/// What one asker adds to a line at its peak: `count × each`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge<'d> {
    /// Who asks.
    pub by: By<'d>,
    /// How many times; 0 where nobody told.
    pub count: u64,
    /// How many times more while its rollout runs.
    pub surge: u64,
    /// How many times more for a while where the rollout adds no pod and takes old ones away first: these still count
    /// while they terminate.
    pub terminating: u64,
    /// How much.
    pub each: Quantity,
}

impl Charge<'_> {
    /// All of it, surge apart.
    pub fn total(&self) -> Quantity {
        self.each.times(self.count)
    }
}

/// One line of a quota.
#[derive(Clone, Debug)]
pub struct Line<'d> {
    /// Its name: `requests.cpu`.
    pub resource: &'d str,
    /// Its value.
    pub node: Node<'d>,
    /// The same, read.
    pub hard: Quantity,
    /// Who asks for how much of it, in the order of the input.
    pub charges: Vec<Charge<'d>>,
    /// What all ask for together.
    used: Quantity,
    /// What one more pod of a workload adds, and what all of its pods ask for.
    of_workload: FxHashMap<WorkloadId, (Quantity, Quantity)>,
}

impl Line<'_> {
    /// Adds up the charges once they are all there.
    fn add_up(&mut self) {
        self.used = self.charges.iter().map(Charge::total).sum();
        for charge in &self.charges {
            if let By::Workload(workload) = charge.by {
                let (each, share) = self.of_workload.entry(workload).or_default();
                *each = *each + charge.each;
                *share = *share + charge.total();
            }
        }
    }

    /// What all ask for together.
    pub fn used(&self) -> Quantity {
        self.used
    }

    /// What rollouts add, if all of them run at once.
    pub fn surge(&self) -> Quantity {
        self.charges.iter().map(|it| it.each.times(it.surge)).sum()
    }

    /// What old pods add that still terminate when their replacements are made, in rollouts that only replace.
    pub fn terminating(&self) -> Quantity {
        self.charges.iter().map(|it| it.each.times(it.terminating)).sum()
    }

    /// Whether more is asked for than it holds.
    pub fn is_overrun(&self) -> bool {
        self.used() > self.hard
    }

    /// What one more pod of this workload adds; nothing if it is not charged here.
    pub fn each(&self, workload: WorkloadId) -> Quantity {
        self.of_workload.get(&workload).map_or(Quantity::ZERO, |it| it.0)
    }

    /// What all pods of this workload ask for.
    pub fn share(&self, workload: WorkloadId) -> Quantity {
        self.of_workload.get(&workload).map_or(Quantity::ZERO, |it| it.1)
    }
}

/// A ResourceQuota.
#[derive(Clone, Debug)]
pub struct Quota<'d> {
    /// The object.
    pub object: ObjId,
    /// Its lines, in the order of the input.
    pub lines: Vec<Line<'d>>,
    /// The workloads whose pods its scopes match.
    pub workloads: Vec<WorkloadId>,
    /// Those of them whose number of pods follows the nodes, and so is unknown; they are in no sum.
    pub uncounted: Vec<WorkloadId>,
    /// Values that are no quantities, or less than nothing.
    pub invalid: Vec<Node<'d>>,
}

/// How often a workload's pod fits beside everything else.
#[derive(Clone, Copy, Debug)]
pub struct Fit<'q, 'd> {
    /// How many times.
    pub count: u64,
    /// The line that binds.
    pub line: &'q Line<'d>,
    /// What is then left of it; less than nothing where the others alone ask for more than it holds.
    pub left: Quantity,
}

impl<'d> Quota<'d> {
    /// The most pods of a workload that every line holds with everything else at its peak: none where the others alone
    /// are too many. `None` if it is charged to no line.
    pub fn fit(&self, workload: WorkloadId) -> Option<Fit<'_, 'd>> {
        let shares = self.lines.iter().map(|line| (line, line.each(workload)));
        let shares: Vec<_> = shares.collect();
        if shares.iter().all(|(_, each)| each.is_zero()) {
            return None;
        }
        let fits = shares.into_iter().filter_map(|(line, each)| {
            let left = line.hard - (line.used() - line.share(workload));
            if left.is_negative() {
                return Some((Fit { count: 0, line, left }, each));
            }
            let count = left.holds(each)?;
            Some((Fit { count, line, left: left - each.times(count) }, each))
        });
        // Of lines that bind equally the one with the least left counts.
        let least = fits.min_by(|(a, a_each), (b, b_each)| {
            let slack = |fit: &Fit<'_, '_>, each: &Quantity| fit.left.ratio(*each);
            a.count.cmp(&b.count).then(slack(a, a_each).total_cmp(&slack(b, b_each)))
        });
        least.map(|(fit, _)| fit)
    }
}

/// All quotas.
pub(in crate::analyze) fn quotas<'d>(model: &Model<'d>, facts: &Facts<'d>) -> Vec<Quota<'d>> {
    let mut objects = model.of_kind(Kind::ResourceQuota).peekable();
    if objects.peek().is_none() {
        return Vec::new();
    }
    let holdings = Holdings::new(model, facts);
    objects.map(|it| quota(model, facts, &holdings, it)).collect()
}

fn quota<'d>(
    model: &Model<'d>,
    facts: &Facts<'d>,
    holdings: &Holdings<'d>,
    object: &Object<'d>,
) -> Quota<'d> {
    let spec = object.field(&["spec"]);
    let scopes = Scopes::parse(spec);
    let mut quota = Quota {
        object: object.id,
        lines: Vec::new(),
        workloads: Vec::new(),
        uncounted: Vec::new(),
        invalid: Vec::new(),
    };
    for (resource, node) in spec.and_then(|it| it.get("hard")).into_iter().flat_map(Node::pairs) {
        let text = node.scalar();
        match text.as_deref().map(Quantity::parse) {
            Some(Ok(hard)) if !hard.is_negative() => {
                let hard = hard.stored();
                quota.lines.push(line(resource, node, hard));
                if text.as_deref().is_some_and(Quantity::is_bare) {
                    quota.invalid.push(node);
                }
            }
            _ => quota.invalid.push(node),
        }
    }
    for workload in facts.workloads().in_namespace(object.namespace) {
        let demand = facts.demand(workload);
        if scopes.match_pod(model, workload, demand) {
            quota.workloads.push(workload.id);
            charge_pods(&mut quota, model, facts, workload, demand);
        }
    }
    for line in &mut quota.lines {
        let Some(counted) = Counted::parse(line.resource) else { continue };
        let of_objects = holdings.charges(model, object.namespace, counted, &scopes);
        line.charges.extend(of_objects);
    }
    quota.lines.iter_mut().for_each(Line::add_up);
    quota
}

fn line<'d>(resource: &'d str, node: Node<'d>, hard: Quantity) -> Line<'d> {
    let (charges, of_workload) = (Vec::new(), FxHashMap::default());
    Line { resource, node, hard, charges, used: Quantity::ZERO, of_workload }
}

/// Adds what the pods of a workload ask for to every line that counts it.
fn charge_pods<'d>(
    quota: &mut Quota<'d>,
    model: &Model<'d>,
    facts: &Facts<'d>,
    workload: &Workload<'d>,
    demand: &PodDemand<'d>,
) {
    let peak = facts.envelope(workload.id).map(|it| it.peak.count);
    let rollout = Rollout::of(model, workload);
    let surge = peak.map_or(0, |it| rollout.surge(it));
    let terminating = peak.map_or(0, |it| rollout.replaced_at_once(it));
    let mut is_charged = false;
    for line in &mut quota.lines {
        let each = match Counted::parse(line.resource) {
            Some(Counted::Pods) => Some(Quantity::units(1)),
            Some(Counted::Request(name)) => demand.requests.get(name),
            Some(Counted::Limit(name)) => demand.limits.get(name),
            _ => None,
        };
        let Some(each) = each.filter(|it| !it.is_zero()) else { continue };
        is_charged = true;
        // A pod that ended frees what it asked for; only the count of objects still has it.
        let is_freed = is_ended(model, workload) && line.resource != "count/pods";
        let count = peak.filter(|_| !is_freed).unwrap_or(0);
        line.charges.push(Charge {
            by: By::Workload(workload.id),
            count,
            surge,
            terminating,
            each,
        });
    }
    if is_charged && peak.is_none() {
        quota.uncounted.push(workload.id);
    }
}

/// Whether a bare pod has run to its end.
fn is_ended(model: &Model<'_>, workload: &Workload<'_>) -> bool {
    let phase = model.object(workload.object).field(&["status", "phase"]).and_then(Node::str);
    workload.kind == Kind::Pod && matches!(phase, Some("Succeeded" | "Failed"))
}
