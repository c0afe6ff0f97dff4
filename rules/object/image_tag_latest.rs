//! Images whose tag moves: `latest`, or no tag and no digest, which means `latest`.

use super::super::images::{is_filled_in_later, is_injected};
use crate::analyze::selection::workloads::Workload;
use crate::api::image::Image;
use crate::rule::{
    Admission, Check, Cx, Finding, Group, ImagePart, Out, Parameter, Preset, Rule, Severity,
};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "image-tag-latest",
    title: "an image is named without a version",
    severity: Severity::Warning,
    group: Group::Object,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &["kube-linter:latest-tag", "kube-score:container-image-tag", "polaris:tagNotSpecified"],
    parameters: &[Parameter {
        name: "tags",
        about: "tags that move, and so name no version",
        default: &["latest"],
    }],
    page: include_str!("image_tag_latest.md"),
    reads_images: Some(ImagePart::Whole),
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let moving = cx.parameter("tags");
    for (image, user) in images(workload) {
        out.findings.extend(judge(cx, workload, image, &user, &moving));
    }
}

/// The images that a pod of the workload pulls, and what for.
fn images<'d>(workload: &Workload<'d>) -> Vec<(Node<'d>, String)> {
    let mut images = Vec::new();
    for container in workload.containers() {
        let name = container.text("name").unwrap_or("?");
        images.extend(container.get("image").map(|it| (it, format!("container `{name}`"))));
    }
    for volume in workload.pod.list("volumes") {
        let name = volume.text("name").unwrap_or("?");
        let image = volume.at(&["image", "reference"]);
        images.extend(image.map(|it| (it, format!("volume `{name}`"))));
    }
    images
}

fn judge(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    image: Node<'_>,
    user: &str,
    moving: &[&str],
) -> Option<Finding> {
    let name = image.str().filter(|it| !it.is_empty() && !is_filled_in_later(it))?;
    if name == "auto" && is_injected(workload) {
        return None;
    }
    let Image { repository, tag, digest: None } = Image::of(name) else { return None };
    let (message, text) = match tag {
        Some(tag) if moving.contains(&tag) => {
            (format!("{user} runs `{name}`, whose tag moves"), format!("`{tag}` names no version"))
        }
        Some(_) => return None,
        None if !moving.contains(&"latest") => return None,
        None => (
            format!("{user} runs `{name}`, which has no tag and so is `{name}:latest`"),
            "no tag, no digest".to_string(),
        ),
    };
    let object = cx.object(workload.object);
    Some(
        Finding::new(format!("`{object}`: {message}"), object.place(image), text)
            .note("the same manifest runs something else tomorrow, two replicas may run two versions, and there is nothing to roll back to")
            .help(format!("name the version, `{repository}:1.2.3`, or the digest, `{repository}@sha256:…`")),
    )
}
