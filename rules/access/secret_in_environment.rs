//! Containers that get Secrets as environment variables.

use crate::analyze::selection::workloads::Workload;
use crate::model::{Object, Place};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::judged::NAMESPACES;
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "secret-in-environment",
    title: "a container gets a Secret as environment variables",
    severity: Severity::Note,
    group: Group::Access,
    admission: Admission::Warn,
    presets: &[Preset::Strict],
    reads: &[],
    like: &[
        "kube-linter:read-secret-from-env-var",
        "kubescape:rule-secrets-in-env-var",
        "kyverno:disallow-secrets-from-env-vars",
    ],
    parameters: &[NAMESPACES],
    page: include_str!("secret_in_environment.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let object = cx.object(workload.object);
    if !cx.is_judged(object) {
        return;
    }
    let ephemeral = workload.pod.list("ephemeralContainers");
    let containers = workload.containers().chain(ephemeral);
    let mut found =
        containers.filter_map(|it| Some((it.text("name").unwrap_or("?"), first(object, it)?)));
    let Some((container, (place, secret))) = found.next() else { return };
    let message = format!("`{object}` gets Secret `{secret}` as environment variables");
    let mut finding = Finding::new(message, place, format!("in container `{container}`"));
    for (container, (place, secret)) in found {
        finding = finding.label(place, format!("`{secret}` in container `{container}`"));
    }
    out.find(
        finding
            .note("child processes inherit the environment, and dumps and error reports show it")
            .help("mount the Secret as a volume and read the file"),
    );
}

/// The first Secret among the variables of a container, with its place.
fn first<'d>(object: &Object<'_>, container: Node<'d>) -> Option<(Place, &'d str)> {
    let keys = container.list("env").filter_map(|it| it.at(&["valueFrom", "secretKeyRef"]));
    let all = container.list("envFrom").filter_map(|it| it.get("secretRef"));
    let found = keys.chain(all).next()?;
    Some((object.place(found), found.text("name").unwrap_or("?")))
}
