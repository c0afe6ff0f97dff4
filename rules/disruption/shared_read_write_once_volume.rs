//! Claims for one node or one pod that several pods use.

use crate::analyze::disruption::claims::{Access, Claim, ClaimUser};
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "shared-read-write-once-volume",
    title: "several pods use one ReadWriteOnce volume",
    severity: Severity::Error,
    group: Group::Disruption,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::PersistentVolumeClaim,
        Kind::PersistentVolume,
        Kind::StorageClass,
        Kind::HorizontalPodAutoscaler,
        Kind::ScaledObject,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("shared_read_write_once_volume.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// How many users of a claim are named.
const NAMED: usize = 8;

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for claim in cx.facts.claims().iter() {
        let users: Vec<_> = claim
            .users
            .iter()
            // Pods that stay together on one node may share it, unless it is for one pod.
            .filter(|it| claim.access == Access::OnePod || !it.stays_on_node)
            .map(|it| (it, peak(cx, it)))
            .filter(|(_, pods)| *pods > 0)
            .collect();
        let pods: u64 = users.iter().map(|(_, pods)| pods).sum();
        if claim.access != Access::Shared && pods > 1 {
            out.findings.extend(finding(cx, claim, &users, pods));
        }
    }
}

/// The most pods that use the claim; of a DaemonSet at least two, one on each node.
fn peak(cx: &Cx<'_, '_>, user: &ClaimUser<'_>) -> u64 {
    cx.facts.envelope(user.workload).map_or(2, |it| it.peak.count)
}

fn finding(
    cx: &Cx<'_, '_>,
    claim: &Claim<'_>,
    users: &[(&ClaimUser<'_>, u64)],
    pods: u64,
) -> Option<Finding> {
    let (first, most) = users.iter().rev().max_by_key(|(_, pods)| *pods)?;
    let object = |user: &ClaimUser<'_>| cx.object(cx.facts.workloads().get(user.workload).object);
    let (name, mode) = (claim.name, claim.access.name());
    let message = match users.len() {
        1 => format!(
            "{} of `{}` use claim `{name}`, which is {mode}",
            count(cx, first, *most),
            object(first)
        ),
        several => {
            let second = users.iter().find(|(user, _)| user.workload != first.workload)?;
            let more = if several > 2 { " and others" } else { "" };
            let names = format!("`{}` and `{}`{more}", object(first), object(second.0));
            format!("{several} workloads use claim `{name}`, which is {mode}: {names}")
        }
    };
    let what = format!("used by {}", count(cx, first, *most));
    let mut finding = Finding::new(message, object(first).place(first.field), what)
        .label(cx.object(claim.object).at("spec.accessModes"), mode);
    if let Some(envelope) = cx.facts.envelope(first.workload) {
        finding = finding.label(envelope.peak.place(cx.model), envelope.peak.describe());
    }
    let others = users.iter().filter(|(user, _)| user.workload != first.workload);
    for (user, pods) in others.take(NAMED) {
        let what = format!("used by {} of `{}` as well", count(cx, user, *pods), object(user));
        finding = finding.label(object(user).place(user.field), what);
    }
    if users.len() > 1 {
        let each: Vec<_> = users
            .iter()
            .take(NAMED)
            .map(|(user, pods)| format!("{pods} ({})", object(user)))
            .collect();
        let more = if users.len() > NAMED { " + …" } else { "" };
        finding = finding.note(format!("pods at the peaks: {}{more} = {pods}", each.join(" + ")));
    }
    Some(finding.note(why(claim.access)).help(help(cx, first, users.len())))
}

fn count(cx: &Cx<'_, '_>, user: &ClaimUser<'_>, pods: u64) -> String {
    match (cx.facts.envelope(user.workload), pods) {
        (None, _) => "one pod for each node".into(),
        (_, 1) => "1 pod".into(),
        _ => format!("up to {pods} pods"),
    }
}

fn why(access: Access) -> &'static str {
    match access {
        Access::OnePod => {
            "a ReadWriteOncePod volume serves one pod of the whole cluster; every other one stays pending"
        }
        _ => {
            "a ReadWriteOnce volume is attached to one node; pods on any other node wait for it for ever, so this works only while all of them happen to share a node"
        }
    }
}

fn help(cx: &Cx<'_, '_>, first: &ClaimUser<'_>, users: usize) -> String {
    let kind = cx.facts.workloads().get(first.workload).kind;
    match (users, kind) {
        (1, Kind::StatefulSet) => "give each pod a claim of its own under `volumeClaimTemplates`, or make the claim `ReadWriteMany`, if its storage class can".into(),
        (1, _) => "make the claim `ReadWriteMany`, if its storage class can; or run a StatefulSet with `volumeClaimTemplates`; or run one replica".into(),
        _ => "give each workload a claim of its own; or make this one `ReadWriteMany`, if its storage class can".into(),
    }
}
