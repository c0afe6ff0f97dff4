//! ServiceMonitors and PodMonitors of pods that network policies close to Prometheus.

use crate::analyze::network::access::{Caller, Gate, callers, gate};
use crate::analyze::network::monitors::{Scraped, annotated};
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::api::ports::Protocol;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "scrape-cut-off",
    title: "a monitor scrapes pods that Prometheus may not reach",
    severity: Severity::Warning,
    group: Group::Network,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::AdminNetworkPolicy,
        Kind::BaselineAdminNetworkPolicy,
        Kind::ClusterNetworkPolicy,
        Kind::Custom,
        Kind::Namespace,
        Kind::NetworkPolicy,
        Kind::Node,
        Kind::PodMonitor,
        Kind::Prometheus,
        Kind::Service,
        Kind::ServiceMonitor,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("scrape_cut_off.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let callers = callers(cx.facts, Caller::Prometheus);
    for (object, it) in annotated(cx.facts) {
        judge(cx, cx.object(object), &it, &callers, out);
    }
    for monitor in cx.facts.monitors().iter() {
        let mut all = monitor.scraped.clone();
        all.sort_by_key(|it| (it.node.index(), it.workload));
        all.dedup_by_key(|it| (it.node.index(), it.workload));
        for it in all {
            judge(cx, cx.object(monitor.object), &it, &callers, out);
        }
    }
}

fn judge(
    cx: &Cx<'_, '_>,
    object: &Object<'_>,
    it: &Scraped<'_>,
    callers: &[WorkloadId],
    out: &mut Out,
) {
    let workload = cx.facts.workloads().get(it.workload);
    // The operator makes the pods of a Prometheus; in the very namespace they are no strangers.
    let mut made = cx.model.of_kind(Kind::Prometheus);
    if callers.is_empty() && made.any(|it| it.namespace == workload.namespace) {
        return;
    }
    let Some(protocol) = Protocol::parse(it.protocol) else { return };
    let Ok(number) = u16::try_from(it.number) else { return };
    let (caller, by) =
        match gate(cx.facts, (Caller::Prometheus, callers), it.workload, protocol, number) {
            Gate::Open => return,
            Gate::CannotTell(reason) => {
                return out.cannot_tell(
                    object,
                    format!("whether Prometheus gets through: {}", reason.told(cx.model)),
                );
            }
            Gate::Closed { caller, by } => (caller, by),
        };
    if let Some(missing) = cx.unseen_policies(by.iter().map(|it| it.0)) {
        return out.cannot_tell(object, missing);
    }
    let pods = cx.object(workload.object);
    let whose = match caller {
        Some(it) => format!("`{}`", cx.object(cx.facts.workloads().get(it).object)),
        None => "Prometheus".to_string(),
    };
    let asks = match object.kind {
        Kind::ServiceMonitor | Kind::PodMonitor => "scrapes",
        _ => "asks Prometheus to scrape",
    };
    let message = format!(
        "`{object}` {asks} `{pods}`, which {whose} may not reach on port {number}/{protocol}"
    );
    let place = object.place(it.node);
    let mut finding = Finding::new(message, place, format!("port {number} of the pods is closed"));
    finding = finding.label(pods.whole(), "these pods are scraped");
    for (policy, direction) in by.iter().take(6) {
        let place = cx.object(*policy).at(&format!("spec.{direction}"));
        finding = finding.label(place, format!("closes its {direction}"));
    }
    // What no NetworkPolicy opens another one may; what a policy of the administrator denies stays denied.
    if by.iter().all(|(it, _)| cx.object(*it).kind == Kind::NetworkPolicy) {
        finding = finding.awaits(&[Kind::NetworkPolicy]);
    }
    let note = match caller {
        Some(_) => "the target is down for Prometheus, and alerts on its metrics never fire".into(),
        None => format!(
            "the pods of Prometheus are not in the input, and no policy lets anybody from outside namespace `{}` in on this port",
            workload.namespace
        ),
    };
    out.find(finding.note(note).help(format!(
        "let Prometheus in on port {number}: a peer with the labels of its namespace and of its pods"
    )));
}
