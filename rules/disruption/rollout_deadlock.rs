//! Rollouts that wait for what their own old pods hold.

use crate::analyze::capacity::rollout::{IntOrPercent, Rollout};
use crate::analyze::disruption::claims::{Access, Claim, ClaimUser};
use crate::analyze::disruption::spread::{Neighbour, neighbour};
use crate::analyze::placement::losses::{Losses, Next};
use crate::analyze::placement::place::Fits;
use crate::analyze::placement::planned::Planned;
use crate::analyze::placement::world::At;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::nodes::count;
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "rollout-deadlock",
    title: "a rollout waits for what its own old pods hold",
    severity: Severity::Error,
    group: Group::Disruption,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::PersistentVolumeClaim,
        Kind::PersistentVolume,
        Kind::StorageClass,
        Kind::Node,
        Kind::HorizontalPodAutoscaler,
        Kind::ScaledObject,
        Kind::LimitRange,
        Kind::Namespace,
        Kind::PriorityClass,
        Kind::RuntimeClass,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("rollout_deadlock.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// A rolling update of a workload.
struct Update<'c, 'd> {
    workload: &'c Workload<'d>,
    rollout: Rollout,
    surge: IntOrPercent,
    unavailable: IntOrPercent,
}

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let nodes = cx
        .model
        .of_kind(Kind::Node)
        .filter(|it| it.field(&["spec", "unschedulable"]).and_then(Node::bool) != Some(true));
    let nodes = nodes.count() as u64;
    let stages = [At::Floor, At::Peak].into_iter().filter_map(|at| stage(cx, at));
    let stages: Vec<Stage<'_>> = stages.collect();
    for (component, workload) in cx.facts.workloads().iter().enumerate() {
        let rollout = Rollout::of(cx.model, workload);
        let Rollout::Rolling { surge, unavailable, .. } = rollout else { continue };
        let update = Update { workload, rollout, surge, unavailable };
        if !rollout.may_move() {
            out.find(never_moves(cx, &update));
        } else if workload.kind == Kind::Deployment {
            out.findings.extend(held_claims(cx, &update));
            if !no_place(cx, &update, component, &stages, out) {
                out.findings.extend(no_spare_node(cx, &update, nodes));
            }
        }
    }
}

fn never_moves(cx: &Cx<'_, '_>, update: &Update<'_, '_>) -> Finding {
    let object = cx.object(update.workload.object);
    let field = match update.workload.kind {
        Kind::DaemonSet => "spec.updateStrategy.rollingUpdate",
        _ => "spec.strategy.rollingUpdate",
    };
    let bounds = update.bounds();
    Finding::new(
        format!("a rollout of `{object}` may neither add nor remove a pod: {bounds}"),
        object.at(field),
        bounds,
    )
    .note("the API server refuses both zero: no pod could ever be replaced")
    .help("set `maxSurge: 1` to start the new pod first, or `maxUnavailable: 1` to stop the old one first")
}

/// The claims that old pods hold while new ones wait for them.
fn held_claims(cx: &Cx<'_, '_>, update: &Update<'_, '_>) -> Vec<Finding> {
    let Some(pods) = overlap(cx, update) else { return Vec::new() };
    let claims = cx.facts.claims().of_workload(update.workload.id);
    claims
        .filter(|(claim, user)| match claim.access {
            Access::Shared => false,
            Access::OneNode => !user.stays_on_node,
            Access::OnePod => true,
        })
        .map(|(claim, user)| held_claim(cx, update, claim, user, pods))
        .collect()
}

/// The number of pods, at the floor or the peak, at which old ones stay until a new one is ready.
fn overlap(cx: &Cx<'_, '_>, update: &Update<'_, '_>) -> Option<u64> {
    let envelope = cx.facts.envelope(update.workload.id)?;
    if envelope.peak.count == 0 {
        return None;
    }
    [envelope.floor.count.max(1), envelope.peak.count]
        .into_iter()
        .find(|pods| update.rollout.unavailable(*pods) < *pods)
}

fn held_claim(
    cx: &Cx<'_, '_>,
    update: &Update<'_, '_>,
    claim: &Claim<'_>,
    user: &ClaimUser<'_>,
    pods: u64,
) -> Finding {
    let object = cx.object(update.workload.object);
    let (name, mode) = (claim.name, claim.access.name());
    let kept = pods - update.rollout.unavailable(pods);
    let bounds = update.bounds();
    let strategy = object.field(&["spec", "strategy"]);
    let finding = Finding::new(
        format!(
            "a rollout of `{object}` waits for claim `{name}` ({mode}), which its own old pods hold"
        ),
        object.place(strategy.unwrap_or(user.field)),
        format!("{bounds}: keeps {kept} of {pods} until a new pod is ready"),
    );
    let finding = match strategy {
        Some(_) => finding
            .filled_in()
            .label(object.place(user.field), "used by the old pod and the new one"),
        None => finding,
    };
    let finding = finding.label(cx.object(claim.object).at("spec.accessModes"), mode);
    let finding = match claim.access {
        Access::OnePod => finding.note("a ReadWriteOncePod volume serves one pod of the whole cluster: the new pod stays pending until the old one goes, and that waits for the new one"),
        _ => finding.note("a ReadWriteOnce volume is attached to one node: unless the new pod lands on the node of the old one it waits for the volume, and the old one waits for it"),
    };
    finding.help(match pods {
        1 => "stop the old pod first: `type: Recreate`, or a StatefulSet; or make the claim `ReadWriteMany`, if its storage class can",
        _ => "make the claim `ReadWriteMany`, if its storage class can; or run a StatefulSet with `volumeClaimTemplates`",
    })
}

/// All pods in their places, at the floor or the peak.
struct Stage<'p> {
    at: At,
    planned: &'p Planned,
    losses: Losses<'p>,
}

/// Where not even the pods that there are have places, no rollout is to blame.
fn stage<'p>(cx: &Cx<'p, '_>, at: At) -> Option<Stage<'p>> {
    let planned = cx.facts.planned(at)?;
    matches!(planned.fits(), Fits::All(_)).then(|| Stage { at, planned, losses: planned.losses() })
}

/// A new pod that no node takes beside the old ones, where all nodes are known. Whether anything is said of it.
fn no_place(
    cx: &Cx<'_, '_>,
    update: &Update<'_, '_>,
    component: usize,
    stages: &[Stage<'_>],
    out: &mut Out,
) -> bool {
    for stage in stages {
        let pods = stage.planned.world.components[component].wanted as u64;
        if pods == 0 || update.rollout.unavailable(pods) > 0 {
            continue;
        }
        let object = cx.object(update.workload.object);
        match stage.losses.next(component) {
            Next::Fits => {}
            Next::Refused(why) => {
                out.find(refused(cx, update, stage, (pods, why)));
                return true;
            }
            Next::Unknown => {
                out.cannot_tell(
                    object,
                    format!("whether its rollout finds a place beside {pods} old pods: where the pods stand decides"),
                );
                return true;
            }
        }
    }
    false
}

fn refused(
    cx: &Cx<'_, '_>,
    update: &Update<'_, '_>,
    stage: &Stage<'_>,
    (pods, why): (u64, String),
) -> Finding {
    let object = cx.object(update.workload.object);
    let bounds = update.bounds();
    let strategy = object.field(&["spec", "strategy"]);
    let nodes = count(stage.planned.world.cluster.nodes.len());
    let mut finding = Finding::new(
        format!(
            "a rollout of `{object}` waits for a place that its own {pods} old pods leave none of on {nodes}"
        ),
        object.at("spec.template"),
        "the new pods",
    );
    let says = format!("{bounds}: no old pod goes before a new one is ready");
    finding = match strategy {
        // The API server writes it where nobody does.
        Some(it) => finding.hint(object.place(it), says),
        None => finding.note(says),
    };
    if let Some(envelope) = cx.facts.envelope(update.workload.id) {
        let bound = if stage.at == At::Floor { envelope.floor } else { envelope.peak };
        finding = finding.label(bound.place(cx.model), bound.describe());
    }
    finding
        .note(why)
        .help("set `maxUnavailable: 1`, so that an old pod makes room first, or add a node")
}

/// A new pod that has to keep away from the old ones, each on a node of its own, when there is no other node.
fn no_spare_node(cx: &Cx<'_, '_>, update: &Update<'_, '_>, nodes: u64) -> Option<Finding> {
    let envelope = cx.facts.envelope(update.workload.id)?;
    // More pods than nodes have no room even without a rollout, so that is no fault of the rollout.
    let pods = nodes;
    let is_reached = envelope.floor.count <= pods && pods <= envelope.peak.count && pods > 0;
    if !is_reached || update.rollout.unavailable(pods) > 0 {
        return None;
    }
    let term = neighbour(update.workload, update.workload, Neighbour::Apart)?;
    let object = cx.object(update.workload.object);
    let bounds = update.bounds();
    Some(
        Finding::new(
            format!("a rollout of `{object}` at {pods} pods needs {} nodes, and there are {nodes}", pods + 1),
            object.place(term),
            "no two of its pods on one node",
        )
        .label(object.at("spec.strategy"), format!("{bounds}: no old pod goes before a new one is ready"))
        .label(envelope.peak.place(cx.model), envelope.peak.describe())
        .note(format!("{pods} old pods + 1 new one, each on a node of its own = {}; the input holds {nodes} schedulable nodes", pods + 1))
        .help("set `maxUnavailable: 1`, or prefer the anti-affinity instead of requiring it, or add a node"),
    )
}

impl Update<'_, '_> {
    fn bounds(&self) -> String {
        format!("maxSurge {}, maxUnavailable {}", self.surge, self.unavailable)
    }
}
