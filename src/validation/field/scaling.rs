//! Autoscalers, limits and priorities.

use super::{Found, given};
use crate::api::version::KubernetesVersion;
use crate::text::tree::Node;
use rustc_hash::FxHashSet;

/// `validateMetrics` of `pkg/apis/autoscaling/validation`.
pub(super) fn autoscaler<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    // `AllowEmptyAPIGroup` of `CrossVersionObjectReferenceValidationOptions`.
    let target = spec.get("scaleTargetRef").filter(|it| it.is_map());
    let is_core = |it: &str| !it.contains('/');
    if let Some(target) = target.filter(|_| found.settings.version >= KubernetesVersion::minor(34))
        && target.text("apiVersion").is_none_or(is_core)
        && target.get("apiVersion").is_none_or(|it| it.str().is_some())
        && target.text("kind") != Some("ReplicationController")
    {
        let at = target.get("apiVersion").unwrap_or(target);
        let says = "names no group of an API, and of the core group only ReplicationControllers are scaled";
        found.wrong(at, says, "no group", "write the `apiVersion` of the target: `apps/v1`");
    }
    const KINDS: [(&str, &str); 5] = [
        ("ContainerResource", "containerResource"),
        ("External", "external"),
        ("Object", "object"),
        ("Pods", "pods"),
        ("Resource", "resource"),
    ];
    for metric in spec.list("metrics").filter(|it| it.is_map()) {
        let fields = KINDS.map(|it| it.1);
        let given = given(metric, &fields);
        let due = KINDS.iter().find(|it| metric.text("type") == Some(it.0)).map(|it| it.1);
        match (due, given.as_slice()) {
            (Some(due), []) => found.missing(metric, due),
            (Some(due), [one]) if *one != due => {
                let says = format!("has `{one}`, and its type asks for `{due}`");
                found.wrong(metric, says, "of another type", format!("write `{due}`"));
            }
            (_, [_, _, ..]) => {
                let says = format!("has more than one source: {}", given.join(", "));
                found.wrong(metric, says, "more than one", "write a metric for each");
            }
            _ => {}
        }
        let Some(due) = due else { continue };
        let Some(target) = metric.at(&[due, "target"]).filter(|it| it.is_map()) else { continue };
        found.range(target.get("averageUtilization"), 1, i64::MAX);
        let value = ["averageUtilization", "averageValue", "value"];
        let is_resource = matches!(due, "resource" | "containerResource");
        if is_resource && super::given(target, &value[..2]).is_empty() {
            let says = "has neither `averageUtilization` nor `averageValue`";
            found.wrong(target, says, "no target", "set one of them");
        }
        if is_resource && super::given(target, &value[..2]).len() == 2 {
            let says = "has both `averageUtilization` and `averageValue`";
            found.wrong(target, says, "two targets", "keep one of them");
        }
    }
}

/// One item a type (`ValidateLimitRange` of `pkg/apis/core/validation`).
pub(super) fn limits<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let mut types = FxHashSet::default();
    spec.list("limits").for_each(|it| found.once(it.get("type"), &mut types, "item"));
}

/// The highest priority that is not Kubernetes' own (`HighestUserDefinablePriority`).
const HIGHEST: i64 = 1_000_000_000;

pub(super) fn priority_class<'d>(root: Node<'d>, found: &mut Found<'d>) {
    let is_own = root.at(&["metadata", "name"]).and_then(Node::str);
    if !is_own.is_some_and(|it| it.starts_with("system-")) {
        found.range(root.get("value"), i64::from(i32::MIN), HIGHEST);
    }
}
