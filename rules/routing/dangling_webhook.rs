//! Webhooks and aggregated APIs whose Service, or port of it, is not there.

use crate::absence::Wanted;
use crate::analyze::references::called_services::{CalledService, Purpose, called, fails_closed};
use crate::analyze::selection::services::{Exposure, Service};
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "dangling-webhook",
    title: "a webhook or aggregated API names a Service, or a port of it, that is not there",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::APIService,
        Kind::CustomResourceDefinition,
        Kind::MutatingWebhookConfiguration,
        Kind::Service,
        Kind::ValidatingWebhookConfiguration,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("dangling_webhook.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for (object, called) in called(cx.model) {
        match cx.facts.services().find(called.namespace, called.name) {
            Some(service) => out.findings.extend(port(cx, object, &called, service)),
            None => {
                let wanted = Wanted::object(Kind::Service, called.namespace, called.name);
                let absence = cx.absence_of(wanted);
                out.report_absent(object, absence, || missing(cx, object, &called));
            }
        }
    }
}

/// A port is one of the Service's own (`k8s.io/apiserver/pkg/util/proxy`, findServicePort).
fn port(
    cx: &Cx<'_, '_>,
    object: &Object<'_>,
    called: &CalledService<'_>,
    service: &Service<'_>,
) -> Option<Finding> {
    // What an ExternalName leads to has the ports that it has.
    let is_open = service.exposure == Exposure::ExternalName || service.ports.is_empty();
    if is_open || service.numbered(called.port).next().is_some() {
        return None;
    }
    let found = cx.object(service.object);
    let ports: Vec<_> = service.ports.iter().map(|it| it.port.to_string()).collect();
    let (field, text) = match called.node.get("port") {
        Some(node) => (node, "no such port of the Service"),
        None => (called.node, "without `port`, 443"),
    };
    let place = service.ports.first().map_or(found.at("spec.ports"), |it| found.place(it.node));
    let message = format!(
        "{} calls port {} of `{found}`, which has no such port",
        who(object, called),
        called.port
    );
    let help = match ports.as_slice() {
        [only] => format!("set `port: {only}`"),
        _ => format!("use one of the Service's ports: {}", ports.join(", ")),
    };
    let finding = Finding::new(message, object.place(field), text)
        .label(place, format!("its ports: {}", ports.join(", ")))
        .note(consequence(object, called))
        .help(help);
    Some(with_severity(object, called, finding))
}

fn missing(cx: &Cx<'_, '_>, object: &Object<'_>, called: &CalledService<'_>) -> Finding {
    let (namespace, name) = (called.namespace, called.name);
    let message = format!(
        "{} calls Service `{name}`, which namespace `{namespace}` does not have",
        who(object, called)
    );
    let place = object.place(called.node.get("name").unwrap_or(called.node));
    let finding = Finding::new(message, place, "no such Service").note(consequence(object, called));
    let same_name = cx.facts.services().called(name).next();
    let near = same_name.or_else(|| cx.facts.services().nearest(namespace, name));
    let finding = match near {
        Some(near) if near.namespace == namespace => finding
            .hint(cx.object(near.object).whole(), "a Service that is there")
            .help(format!("if `{}` is meant, use `name: {}`", cx.object(near.object), near.name)),
        Some(near) => finding
            .hint(cx.object(near.object).whole(), "a Service of this name, in another namespace")
            .help(format!("set `namespace: {}`", near.namespace)),
        None => finding.help(format!(
            "add Service `{name}` to namespace `{namespace}`, or remove `{object}` until it is there"
        )),
    };
    with_severity(object, called, finding)
}

/// A webhook that may be skipped only does not do its work.
fn with_severity(object: &Object<'_>, called: &CalledService<'_>, finding: Finding) -> Finding {
    match called.purpose {
        Purpose::Admission(webhook) if !fails_closed(object, webhook) => {
            finding.severity(Severity::Warning)
        }
        _ => finding,
    }
}

fn who(object: &Object<'_>, called: &CalledService<'_>) -> String {
    match called.purpose {
        Purpose::Admission(webhook) => match webhook.text("name") {
            Some(name) => format!("webhook `{name}` of `{object}`"),
            None => format!("`{object}`"),
        },
        Purpose::Conversion => format!("the conversion of `{object}`"),
        Purpose::Aggregation => format!("`{object}`"),
    }
}

fn consequence(object: &Object<'_>, called: &CalledService<'_>) -> &'static str {
    match called.purpose {
        Purpose::Admission(webhook) if fails_closed(object, webhook) => {
            "with failurePolicy Fail the API server refuses every request that the webhook's rules match"
        }
        Purpose::Admission(_) => {
            "with failurePolicy Ignore the API server goes on without the webhook: what it is to check or set is not"
        }
        Purpose::Conversion => {
            "the API server can read and write no object of another version than the stored one"
        }
        Purpose::Aggregation => {
            "the API is not available, and discovery fails for whoever asks for all: namespaces stay in Terminating"
        }
    }
}
