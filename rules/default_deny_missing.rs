//! Namespaces whose pods accept anything from anywhere, or send anything to anywhere.

use crate::absence::Absence;
use crate::analyze::policies::{DIRECTIONS, Direction, NetworkPolicy, is_in_host_network};
use crate::analyze::reach::{Above, AnyPod, Effect};
use crate::analyze::workloads::Workload;
use crate::model::Object;
use crate::model::kind::Kind;
use crate::rule::{Admission, Cx, Finding, Group, Out, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "default-deny-missing",
    title: "a namespace denies no traffic by default",
    severity: Severity::Warning,
    group: Group::Network,
    admission: Admission::Warn,
    reads: &[
        Kind::AdminNetworkPolicy,
        Kind::BaselineAdminNetworkPolicy,
        Kind::ClusterNetworkPolicy,
        Kind::Namespace,
        Kind::NetworkPolicy,
    ],
    like: &["kubeaudit:netpols"],
    parameters: &[],
    page: include_str!("default_deny_missing.md"),
    check,
};

/// The cluster's own: what runs there is not the user's to isolate.
const SYSTEM: [&str; 3] = ["kube-node-lease", "kube-public", "kube-system"];

/// How a namespace stands in a direction where it denies nothing by default.
struct Open<'c, 'd> {
    direction: Direction,
    /// How any pod stands.
    any: AnyPod<'d>,
    /// The workloads open to everything; without any, each is isolated by a policy of its own.
    workloads: Vec<&'c Workload<'d>>,
    /// The policies that allow everything to all pods; one, but where several share them out.
    allow_all: Vec<&'c NetworkPolicy<'d>>,
    /// Whether there is a default deny, which those cancel.
    has_deny: bool,
}

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let above = Above::new(cx.model);
    for (name, namespace) in cx.facts.namespaces().iter() {
        if SYSTEM.contains(&name) {
            continue;
        }
        // Policies do not hold pods in the host's network.
        let workloads: Vec<_> =
            cx.facts.workloads().in_namespace(name).filter(|it| !is_in_host_network(it)).collect();
        let Some(first) = workloads.first() else { continue };
        let mut open: Vec<_> =
            DIRECTIONS.iter().filter_map(|it| open(cx, name, &workloads, &above, *it)).collect();
        if open.is_empty() {
            continue;
        }
        let object = cx.object(namespace.object.unwrap_or(first.object));
        match cx.absence_of_policies(name) {
            Absence::Elsewhere => continue,
            Absence::CannotTell(missing) => {
                out.cannot_tell(object, missing);
                continue;
            }
            Absence::Absent => {}
        }
        if open.iter().any(|it| it.any == AnyPod::CannotTell) {
            out.cannot_tell(object, TOO_MANY);
            continue;
        }
        // Where some direction is open, those that only lack the deny are not worth a word.
        if open.iter().any(|it| !it.workloads.is_empty()) {
            open.retain(|it| !it.workloads.is_empty());
        }
        out.find(finding(cx, name, object, &open, workloads.len()));
    }
}

const TOO_MANY: &str = "whether some policy selects every pod there could be: their selectors have too many conditions; one with an empty `podSelector` does";

fn open<'c, 'd>(
    cx: &Cx<'c, 'd>,
    namespace: &str,
    workloads: &[&'c Workload<'d>],
    above: &Above<'d>,
    direction: Direction,
) -> Option<Open<'c, 'd>> {
    let policies = cx.facts.policies();
    let any = above.any_pod(cx.facts, namespace, direction);
    if any == AnyPod::Denied {
        return None;
    }
    let closed_above =
        |it: &Workload<'d>| above.of_workload(cx.facts, it, direction, Effect::Closes).is_some();
    let is_open = |it: &&&Workload<'d>| {
        let mut isolating = policies.isolating(it.id, direction).peekable();
        let is_open = isolating.peek().is_none()
            || isolating.any(|(it, _)| it.allow_all(direction).is_some());
        is_open && !closed_above(it)
    };
    let workloads = workloads.iter().filter(is_open).copied().collect();
    let allow_all = match any {
        AnyPod::Cancelled => {
            let all = policies.in_namespace(namespace);
            let all: Vec<_> = all.filter(|it| it.allow_all(direction).is_some()).collect();
            let one = all.iter().copied().find(|it| it.selects_all());
            one.map_or(all, |it| vec![it])
        }
        _ => Vec::new(),
    };
    let denies = |it: &NetworkPolicy<'_>| {
        it.selects_all() && it.isolates(direction) && it.allow_all(direction).is_none()
    };
    let has_deny = policies.in_namespace(namespace).any(denies);
    Some(Open { direction, any, workloads, allow_all, has_deny })
}

fn finding(
    cx: &Cx<'_, '_>,
    namespace: &str,
    object: &Object<'_>,
    open: &[Open<'_, '_>],
    count: usize,
) -> Finding {
    let directions: Vec<_> = open.iter().map(|it| it.direction.to_string()).collect();
    let directions = directions.join(" and ");
    let message = format!("namespace `{namespace}` has no default deny for {directions}");
    let mut finding =
        Finding::new(message, object.whole(), format!("no default deny for {directions}"));
    for it in open {
        for policy in it.allow_all.iter().take(6) {
            let place = cx.object(policy.object).at(&format!("spec.{}", it.direction));
            finding = finding.label(place, format!("allows all {} of every pod", it.direction));
        }
    }
    let mut shown: Vec<_> = open.iter().flat_map(|it| it.workloads.iter().take(9)).collect();
    shown.sort_by_key(|it| it.id);
    shown.dedup_by_key(|it| it.id);
    // The first workload stands for the namespace where nothing defines it.
    for workload in shown.into_iter().filter(|it| it.object != object.id).take(8) {
        let does = open.iter().filter(|it| it.workloads.iter().any(|it| it.id == workload.id));
        let does: Vec<_> = does.map(|it| does_what(it.direction)).collect();
        finding = finding.hint(cx.object(workload.object).whole(), does.join(" and "));
    }
    for it in open {
        finding = finding.note(note(it, count));
    }
    if open.iter().all(|it| it.workloads.is_empty()) {
        finding = finding.severity(Severity::Note);
    }
    finding.help(help(cx, namespace, open))
}

fn help(cx: &Cx<'_, '_>, namespace: &str, open: &[Open<'_, '_>]) -> String {
    let mut todo = Vec::new();
    let allow_all = open.iter().find_map(|it| Some((it.allow_all.first()?, it.direction)));
    if let Some((policy, direction)) = allow_all {
        let object = cx.object(policy.object);
        todo.push(format!("let `{object}` name the peers and ports that its {direction} is for"));
    }
    let missing = open.iter().filter(|it| !it.has_deny).map(|it| type_name(it.direction));
    let missing: Vec<_> = missing.collect();
    if !missing.is_empty() {
        todo.push(format!(
            "add a NetworkPolicy to `{namespace}` with `podSelector: {{}}` and `policyTypes: [{}]`, and one for each flow that is meant",
            missing.join(", ")
        ));
    }
    todo.join("; then ")
}

fn note(open: &Open<'_, '_>, count: usize) -> String {
    let next = match &open.any {
        AnyPod::Open(escape) => escape.to_string(),
        _ => "any pod".into(),
    };
    match open.workloads.len() {
        0 => format!(
            "{}: no workload is open to everything, and {next} is denied nothing by default",
            open.direction
        ),
        it => format!(
            "{}: {it} of {count} {} {}",
            open.direction,
            if count == 1 { "workload" } else { "workloads" },
            if it == 1 { does_what(open.direction) } else { do_what(open.direction) }
        ),
    }
}

fn does_what(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "accepts anything from anywhere",
        Direction::Egress => "sends anything to anywhere",
    }
}

fn do_what(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "accept anything from anywhere",
        Direction::Egress => "send anything to anywhere",
    }
}

fn type_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "Ingress",
        Direction::Egress => "Egress",
    }
}
