//! Images that are named by a tag alone.

use super::super::{images, pods};
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, ImagePart, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "image-not-pinned",
    title: "an image is named without a digest",
    severity: Severity::Note,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Strict],
    reads: &[],
    like: &["gatekeeper:imagedigests", "kyverno:require-image-checksum"],
    parameters: &[pods::NAMESPACES],
    page: include_str!("image_not_pinned.md"),
    reads_images: Some(ImagePart::Whole),
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let mut faults: Vec<_> = images::named(workload)
        .filter(|it| !it.node.str().is_some_and(|it| it.contains("@sha256:")))
        .collect();
    for fault in &mut faults {
        fault.text = "no digest".into();
    }
    let faults = pods::judged(cx, workload, faults);
    if !faults.is_empty() {
        let does = ["names its image without a digest", "name their images without a digest"];
        let finding = pods::finding(cx, workload, &faults, does);
        out.find(
            finding
                .note("whoever may push to the registry may put something else under a tag")
                .help("add the digest to the name: `image:1.4.2@sha256:…`"),
        );
    }
}
