//! Objects in a namespace that does not exist.

use crate::absence::{Absence, Wanted};
use crate::api::kind::Kind;
use crate::model::Object;
use crate::policy::closest;
use crate::rule::{
    Admission, Check, Cx, Finding, Group, MAX_REPORTED, Out, Preset, Rule, Severity,
};
use std::collections::BTreeMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "namespace-missing",
    title: "an object is in a namespace that does not exist",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::Namespace],
    like: &[],
    parameters: &[],
    page: include_str!("namespace_missing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    // Most repositories hold no Namespaces at all; only of a whole cluster it is known which there are.
    if !cx.is_whole() {
        return;
    }
    let mut by_namespace: BTreeMap<&str, Vec<&Object<'_>>> = BTreeMap::new();
    // What is in the cluster already is in a namespace of it.
    for object in cx.model.objects().filter(|it| !it.namespace.is_empty() && !cx.model.is_live(it))
    {
        by_namespace.entry(object.namespace).or_default().push(object);
    }
    by_namespace.retain(|it, _| cx.model.find(Kind::Namespace, "", it).is_none());
    for (namespace, objects) in by_namespace {
        let wanted = Wanted::object(Kind::Namespace, "", namespace);
        if cx.absence_of(wanted) == Absence::Absent {
            out.find(finding(cx, namespace, &objects));
        }
    }
}

fn finding(cx: &Cx<'_, '_>, namespace: &str, objects: &[&Object<'_>]) -> Finding {
    let first = objects[0];
    let message = match objects.len() {
        1 => format!("`{first}` is in namespace `{namespace}`, which does not exist"),
        count => format!("{count} objects are in namespace `{namespace}`, which does not exist"),
    };
    let mut finding = Finding::new(message, first.at("metadata.namespace"), "no such Namespace");
    for object in objects.iter().skip(1).take(MAX_REPORTED) {
        finding = finding.label(object.at("metadata.namespace"), "in it too");
    }
    finding = finding.note(format!(
        "the API server refuses to create anything in it: `namespaces \"{namespace}\" not found`"
    ));
    let names = cx.model.of_kind(Kind::Namespace).map(|it| it.name);
    match closest(namespace, names) {
        Some(meant) => finding.help(format!("use namespace `{meant}` if that is meant, or add Namespace `{namespace}`")),
        None => finding.help(format!(
            "add Namespace `{namespace}`, or list it under `external` in purlin.yaml if it comes from elsewhere"
        )),
    }
}
