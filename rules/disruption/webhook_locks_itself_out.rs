//! Webhooks that have to answer before their own only pod can be made.
//!
//! kubernetes.io/docs, "Admission Webhook Good Practices", "Avoid deadlocks in self-hosted webhooks".

use crate::analyze::capacity::replicas::Bound;
use crate::analyze::references::called_services::{
    Purpose, called, fails_closed, matches_new_pods,
};
use crate::analyze::selection::selector::{Selector, Selects};
use crate::analyze::selection::services::Service;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "webhook-locks-itself-out",
    title: "a webhook has to answer before its own only pod can be made",
    severity: Severity::Error,
    group: Group::Disruption,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::HorizontalPodAutoscaler,
        Kind::MutatingWebhookConfiguration,
        Kind::Namespace,
        Kind::ScaledObject,
        Kind::Service,
        Kind::ValidatingWebhookConfiguration,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("webhook_locks_itself_out.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for (object, called) in called(cx.model) {
        let Purpose::Admission(webhook) = called.purpose else { continue };
        if !fails_closed(object, webhook) || !matches_new_pods(webhook) {
            continue;
        }
        let Some(service) = cx.facts.services().find(called.namespace, called.name) else {
            continue;
        };
        let Some((workload, floor)) = only_pod(cx, service) else { continue };
        match takes(cx, webhook, workload) {
            Takes::Nothing => {}
            Takes::CannotTell(missing) => out.cannot_tell(object, missing),
            Takes::ItsOwn => out.find(finding(cx, object, webhook, service, workload, floor)),
        }
    }
}

/// The workload whose single pod answers, and what says that it is one.
fn only_pod<'c, 'd>(
    cx: &'c Cx<'_, 'd>,
    service: &Service<'d>,
) -> Option<(&'c Workload<'d>, Bound)> {
    let mut found = None;
    for (id, _) in service.selects.iter() {
        let workload = cx.facts.workloads().get(*id);
        // As many as there are nodes.
        let envelope = cx.facts.envelope(*id)?;
        if envelope.peak.count == 0 {
            continue;
        }
        if found.is_some() || envelope.floor.count > 1 {
            return None;
        }
        found = Some((workload, envelope.floor));
    }
    found
}

/// Whether a webhook is called for the creation of a workload's pods.
enum Takes {
    ItsOwn,
    Nothing,
    CannotTell(String),
}

fn takes(cx: &Cx<'_, '_>, webhook: Node<'_>, workload: &Workload<'_>) -> Takes {
    let namespaces = webhook.get("namespaceSelector").map(Selector::parse).unwrap_or_default();
    let objects = webhook.get("objectSelector").map(Selector::parse).unwrap_or_default();
    if objects.selects(&workload.labels) == Selects::None {
        return Takes::Nothing;
    }
    match cx.facts.namespaces().is_selected(workload.namespace, &namespaces) {
        Some(false) => Takes::Nothing,
        None => Takes::CannotTell(format!(
            "whether the webhook's `namespaceSelector` selects namespace `{}`: its Namespace and so its labels are not in the input",
            workload.namespace
        )),
        Some(true) if webhook.list("matchConditions").next().is_some() => Takes::CannotTell(
            "whether the webhook's `matchConditions` leave its own pods out".to_string(),
        ),
        Some(true) => Takes::ItsOwn,
    }
}

fn finding(
    cx: &Cx<'_, '_>,
    object: &Object<'_>,
    webhook: Node<'_>,
    service: &Service<'_>,
    workload: &Workload<'_>,
    floor: Bound,
) -> Finding {
    let (pods, service) = (cx.object(workload.object), cx.object(service.object));
    let name = webhook.text("name").unwrap_or(object.name);
    let message = format!(
        "webhook `{name}` of `{object}` has to answer before a pod of `{pods}` can be made, and that is the one that answers"
    );
    let place = webhook.get("failurePolicy").or(webhook.get("name")).unwrap_or(webhook);
    let policy = match webhook.get("failurePolicy") {
        Some(_) => "refuses what it cannot judge",
        None => "no failurePolicy, so Fail: refuses what it cannot judge",
    };
    let rules = webhook.get("rules").unwrap_or(webhook);
    Finding::new(message, object.place(place), policy)
        .label(object.place(rules), "match the creation of its own pods")
        .label(service.at("spec.selector"), "leads to these pods")
        .label(floor.place(cx.model), floor.describe())
        .note("once that pod is gone, by a drain or a crash, no new one can be made until somebody deletes the configuration by hand")
        .help(format!(
            "leave the namespace out, `namespaceSelector: {{matchExpressions: [{{key: kubernetes.io/metadata.name, operator: NotIn, values: [{}]}}]}}`, or its own pods by `objectSelector`; two replicas and a disruption budget make it less likely",
            workload.namespace
        ))
}
