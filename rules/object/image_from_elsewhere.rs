//! Images from registries that are frozen, or that are not allowed.

use super::super::{images, pods};
use crate::analyze::security::pod::Fault;
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, ImagePart, Out, Parameter, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "image-from-elsewhere",
    title: "an image comes from a registry that is not allowed",
    severity: Severity::Error,
    group: Group::Object,
    admission: Admission::Deny,
    presets: &[Preset::Recommended],
    reads: &[],
    like: &[
        "popeye:113",
        "gatekeeper:allowedrepos",
        "gatekeeper:disallowedrepos",
        "kyverno:restrict-image-registries",
        "kyverno:restrict-deprecated-registry",
    ],
    parameters: &[
        pods::NAMESPACES,
        Parameter {
            name: "allowed",
            about: "registries, or parts of them, that images may come from; any, where none is named",
            default: &[],
        },
        Parameter {
            name: "forbidden",
            about: "registries, or parts of them, that images may not come from",
            default: &["k8s.gcr.io", "gcr.io/google_containers"],
        },
    ],
    page: include_str!("image_from_elsewhere.md"),
    reads_images: Some(ImagePart::Whole),
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let (allowed, forbidden) = (cx.parameter("allowed"), cx.parameter("forbidden"));
    let mut wrong: [Vec<Fault<'_>>; 2] = Default::default();
    for mut fault in images::named(workload) {
        let repository = images::repository(fault.node.str().unwrap_or_default());
        let is_in = |list: &[&str]| list.iter().any(|it| is_below(&repository, it));
        let at = match (is_in(&forbidden), allowed.is_empty() || is_in(&allowed)) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => continue,
        };
        fault.text = format!("from `{repository}`");
        wrong[at].push(fault);
    }
    let [forbidden, others] = wrong.map(|it| pods::judged(cx, workload, it));
    if !forbidden.is_empty() {
        let does = ["runs an image of a forbidden registry", "run images of forbidden registries"];
        let finding = pods::finding(cx, workload, &forbidden, does).severity(Severity::Warning);
        let is_frozen = forbidden.iter().any(|it| is_frozen(&it.text));
        let finding = match is_frozen {
            true => finding.note("it gets no new images since April 2023, and is going to be switched off; the same images are at `registry.k8s.io`"),
            false => finding.note("`forbidden` names it"),
        };
        out.find(finding.help("name the image of another registry"));
    }
    if !others.is_empty() {
        let does = ["runs an image from elsewhere", "run images from elsewhere"];
        let finding = pods::finding(cx, workload, &others, does);
        let listed = allowed.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
        out.find(
            finding
                .note(format!("allowed are {listed}"))
                .help("copy the image to a registry that is allowed, and name it there"),
        );
    }
}

/// Whether a repository is this one, or of this registry or part of one. A `/*` at its end says nothing.
fn is_below(repository: &str, place: &str) -> bool {
    let place = place.trim_end_matches(['/', '*']);
    // A name alone stands for a registry too, which an image's never does.
    let place = if place.contains('/') { images::normal(place) } else { place.to_string() };
    repository.strip_prefix(place.as_str()).is_some_and(|it| it.is_empty() || it.starts_with('/'))
}

/// The registry of Kubernetes' own images before `registry.k8s.io`.
fn is_frozen(text: &str) -> bool {
    text.contains("`k8s.gcr.io") || text.contains("`gcr.io/google_containers")
}
