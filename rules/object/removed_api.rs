//! Objects of a version of an API that Kubernetes serves no more.

use super::invalid_schema::in_files;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::api_versions::{self, Life};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "removed-api",
    title: "an object is of a version of an API that is gone",
    severity: Severity::Error,
    group: Group::Object,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[
        "pluto",
        "kube-linter:no-extensions-v1beta",
        "kube-score:stable-version",
        "gatekeeper:verifydeprecatedapi",
        "kyverno:check-deprecated-apis",
    ],
    parameters: &[api_versions::ADDITIONAL],
    page: include_str!("removed_api.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let version = cx.kubernetes_version();
    let additional = api_versions::additional(cx);
    for object in in_files(cx) {
        let Some(life) = Life::of(object, &additional) else { continue };
        let Some(removed) = life.removed.filter(|_| life.is_removed(version)) else { continue };
        let (kind, written) = (object.kind_name, object.api_version);
        let message =
            format!("`{object}` is a {kind} of `{written}`, which {removed} serves no more");
        let finding =
            Finding::new(message, object.at("apiVersion"), format!("gone since {removed}"));
        out.find(life.advise(
            finding.note("the API server refuses the object: nothing of it reaches the cluster"),
            version,
        ));
    }
    for (object, node, written) in api_versions::applied(cx) {
        let life = Life::of_version(written, object.kind_name, &additional);
        let Some(life) = life.filter(|it| it.is_removed(version)) else { continue };
        let Some(removed) = life.removed else { continue };
        let kind = object.kind_name;
        let message = format!(
            "`{object}` was last written as a {kind} of `{written}`, which {removed} serves no more"
        );
        let finding = Finding::new(message, object.place(node), format!("gone since {removed}"));
        out.find(
            life.advise(finding.note("whoever applies that manifest again is refused"), version),
        );
    }
}
