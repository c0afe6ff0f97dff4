//! Namespaces whose pods accept anything from anywhere, or send anything to anywhere.

use crate::absence::{Absence, Wanted};
use crate::analyze::network::isolation::{Open, SYSTEM, held, open};
use crate::analyze::network::other_policies::why;
use crate::analyze::network::policies::Direction;
use crate::analyze::network::reach::{Above, AnyPod};
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "default-deny-missing",
    title: "a namespace denies no traffic by default",
    severity: Severity::Warning,
    group: Group::Network,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::AdminNetworkPolicy,
        Kind::BaselineAdminNetworkPolicy,
        Kind::ClusterNetworkPolicy,
        Kind::Custom,
        Kind::Namespace,
        Kind::NetworkPolicy,
    ],
    like: &["kubeaudit:netpols"],
    parameters: &[],
    page: include_str!("default_deny_missing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let above = Above::new(cx.model);
    for (name, namespace) in cx.facts.namespaces().iter() {
        let workloads = held(cx.facts, name);
        let Some(first) = workloads.first() else { continue };
        let object = cx.object(namespace.object.unwrap_or(first.object));
        let State { open, unsure } = state(cx, &above, name);
        unsure.into_iter().for_each(|it| out.cannot_tell(object, it));
        if !open.is_empty() {
            out.find(finding(cx, name, object, &open, workloads.len()));
        }
    }
}

/// How a namespace stands: where it denies nothing by default, and where it cannot be told.
#[derive(Default)]
pub(super) struct State<'c, 'd> {
    /// For certain.
    pub(super) open: Vec<Open<'c, 'd>>,
    /// What would settle it.
    unsure: Vec<String>,
}

/// How a namespace stands.
pub(super) fn state<'c, 'd>(cx: &Cx<'c, 'd>, above: &Above<'d>, namespace: &str) -> State<'c, 'd> {
    if SYSTEM.contains(&namespace) {
        return State::default();
    }
    let mut open = open(cx.facts, above, namespace, &held(cx.facts, namespace));
    if open.is_empty() {
        return State::default();
    }
    let unsure = |it| State { open: Vec::new(), unsure: vec![it] };
    match cx.absence_of(Wanted::Policies { namespace }) {
        Absence::Elsewhere => return State::default(),
        Absence::CannotTell(missing) => return unsure(missing),
        Absence::Absent => {}
    }
    if open.iter().any(|it| it.any == AnyPod::CannotTell) {
        return unsure(TOO_MANY.into());
    }
    // What a policy of another kind may deny is a question, and the other direction is not.
    let mut others: Vec<_> = open.iter().filter_map(|it| it.other).collect();
    others.dedup();
    let unsure = others.into_iter().map(|it| {
        format!("whether `{namespace}` denies traffic by default: {}", why(cx.object(it)))
    });
    let unsure = unsure.collect();
    open.retain(|it| it.other.is_none());
    // Where some direction is open, those that only lack the deny are not worth a word.
    if open.iter().any(|it| !it.workloads.is_empty()) {
        open.retain(|it| !it.workloads.is_empty());
    }
    State { open, unsure }
}

const TOO_MANY: &str = "whether some policy selects every pod there could be: their selectors have too many conditions; one with an empty `podSelector` does";

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
