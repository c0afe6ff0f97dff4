//! Pull policies by which nodes run different images.

use super::super::{images, pods};
use crate::analyze::security::pod::{Fault, SecuredPod};
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, ImagePart, Out, Parameter, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "image-pull-policy",
    title: "a container runs whatever image its node has",
    severity: Severity::Warning,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[],
    like: &[
        "kube-score:container-image-pull-policy",
        "polaris:pullPolicyNotAlways",
        "kyverno:imagepullpolicy-always",
    ],
    parameters: &[
        pods::NAMESPACES,
        Parameter {
            name: "always",
            about: "whether every container has to pull its image (`true`)",
            default: &["false"],
        },
    ],
    page: include_str!("image_pull_policy.md"),
    reads_images: Some(ImagePart::Whole),
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let moving = images::moving_tags(cx);
    let asks_always = cx.parameter("always").first() == Some(&"true");
    let containers = SecuredPod::new(workload.template).containers();
    let faults = containers.filter_map(|it| fault(it, &moving, asks_always)).collect();
    let faults = pods::judged(cx, workload, faults);
    if !faults.is_empty() {
        let does = ["runs whatever image its node has", "run whatever image their node has"];
        let finding = pods::finding(cx, workload, &faults, does);
        out.find(
            finding
                .note("a node that pulled the tag last week runs last week's image, and with `Never` a node that has none cannot start the container")
                .help("name a version, and leave `imagePullPolicy` out; or set it to `Always`"),
        );
    }
}

fn fault<'d>(container: Node<'d>, moving: &[&str], asks_always: bool) -> Option<Fault<'d>> {
    let image = container.text("image").filter(|it| !images::is_filled_in_later(it))?;
    let written = container.get("imagePullPolicy");
    match written.and_then(|it| Some((it, it.str()?))) {
        Some((node, "Never")) => Some(Fault::of(container, node, "never pulls its image")),
        Some((node, "IfNotPresent")) if images::moves(image, moving) => {
            Some(Fault::of(container, node, format!("the tag of `{image}` moves")))
        }
        Some((node, "IfNotPresent")) if asks_always => {
            Some(Fault::of(container, node, "pulls its image once"))
        }
        // Where nothing is written, `latest` is pulled always (`pkg/apis/core/v1/defaults.go`, SetDefaults_Container).
        None if asks_always && !images::moves(image, &["latest"]) => {
            Some(Fault::lack(container, "imagePullPolicy", "pulls its image once"))
        }
        _ => None,
    }
}
