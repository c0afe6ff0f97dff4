//! Objects of a version of an API that Kubernetes will serve no more.

use super::invalid_schema::in_files;
use crate::api::kind::{Kind, group};
use crate::api::version::KubernetesVersion;
use crate::model::{Object, Place};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Parameter, Preset, Rule, Severity};
use crate::rules::api_versions::{self, Life};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "deprecated-api",
    title: "an object is of a version of an API that is deprecated",
    severity: Severity::Warning,
    group: Group::Object,
    admission: Admission::Audit,
    presets: &[Preset::Recommended],
    reads: &[Kind::CustomResourceDefinition],
    like: &["pluto", "kube-score:stable-version"],
    parameters: &[
        api_versions::ADDITIONAL,
        Parameter {
            name: "ahead",
            about: "an error where the API is gone in so many minor versions of Kubernetes",
            default: &["1"],
        },
    ],
    page: include_str!("deprecated_api.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let version = cx.kubernetes_version();
    let ahead = cx.parameter("ahead").first().and_then(|it| it.parse().ok()).unwrap_or(1);
    let additional = api_versions::additional(cx);
    let versions = deprecated_versions(cx);
    for object in in_files(cx) {
        let key = (group(object.api_version), object.kind_name, api_versions::version_of(object));
        if let Some((definition, version)) = versions.get(&key) {
            let (kind, written) = (object.kind_name, object.api_version);
            let message = format!("`{object}` is a {kind} of `{written}`, which is deprecated");
            out.find(of_definition(message, object.at("apiVersion"), definition, *version));
            continue;
        }
        let Some(life) = Life::of(object, &additional) else { continue };
        if life.is_removed(version) || !life.is_deprecated(version) {
            continue;
        }
        let (kind, written) = (object.kind_name, object.api_version);
        let message = format!("`{object}` is a {kind} of `{written}`, which is deprecated");
        out.find(dated(&life, message, object.at("apiVersion"), version, ahead));
    }
    for (object, node, written) in api_versions::applied(cx) {
        let kind = object.kind_name;
        let message =
            format!("`{object}` was last written as a {kind} of `{written}`, which is deprecated");
        let named = written.rsplit('/').next().unwrap_or_default();
        if let Some((definition, version)) = versions.get(&(group(written), kind, named)) {
            out.find(of_definition(message, object.place(node), definition, *version));
            continue;
        }
        let life = Life::of_version(written, kind, &additional);
        let is_due = |it: &Life<'_>| it.is_deprecated(version) && !it.is_removed(version);
        if let Some(life) = life.filter(is_due) {
            out.find(dated(&life, message, object.place(node), version, ahead));
        }
    }
}

/// A version that Kubernetes calls deprecated.
fn dated(
    life: &Life<'_>,
    message: String,
    place: Place,
    version: KubernetesVersion,
    ahead: u32,
) -> Finding {
    let since = life.deprecated.map_or("deprecated".into(), |it| format!("deprecated since {it}"));
    let finding = Finding::new(message, place, since);
    let finding = match life.removed {
        Some(removed) => finding.note(format!("{removed} serves it no more")),
        None => finding,
    };
    let finding = match life.is_removed(version.later(ahead)) {
        true => finding.severity(Severity::Error),
        false => finding,
    };
    life.advise(finding, version)
}

/// Group, kind and version.
type VersionKey<'d> = (&'d str, &'d str, &'d str);

/// The versions that CustomResourceDefinitions of the input call deprecated.
fn deprecated_versions<'c, 'd>(
    cx: &Cx<'c, 'd>,
) -> FxHashMap<VersionKey<'d>, (&'c Object<'d>, Node<'d>)> {
    let mut found = FxHashMap::default();
    for definition in cx.model.of_kind(Kind::CustomResourceDefinition) {
        let Some(spec) = definition.field(&["spec"]) else { continue };
        let Some(group) = spec.text("group") else { continue };
        let Some(kind) = spec.at(&["names", "kind"]).and_then(Node::str) else { continue };
        let is_deprecated = |it: &Node<'_>| it.get("deprecated").and_then(Node::bool) == Some(true);
        for version in spec.list("versions").filter(is_deprecated) {
            if let Some(name) = version.text("name") {
                found.insert((group, kind, name), (definition, version));
            }
        }
    }
    found
}

fn of_definition(
    message: String,
    place: Place,
    definition: &Object<'_>,
    version: Node<'_>,
) -> Finding {
    let said = definition.place(version.get("deprecated").unwrap_or(version));
    let finding = Finding::new(message, place, "deprecated").label(said, "its definition says so");
    match version.text("deprecationWarning") {
        Some(warning) => finding.note(warning.to_string()),
        None => finding,
    }
    .help("use a version of the definition that is not deprecated")
}
