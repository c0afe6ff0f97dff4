//! Autoscalers, limits and priorities.

use super::metadata::{self, LABEL};
use super::names::{is_dns_label, is_path_segment};
use super::{Found, given, resources};
use crate::api::quantity::Quantity;
use crate::api::version::KubernetesVersion;
use crate::text::tree::Node;

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
    if let Some(target) = target {
        reference(target, found);
    }
    // Of autoscaling/v1.
    found.range(spec.get("targetCPUUtilizationPercentage"), 1, i64::MAX);
    for rules in ["scaleDown", "scaleUp"].iter().filter_map(|it| spec.at(&["behavior", it])) {
        scaling_rules(rules, found);
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
        found.word(metric.get("type"), &KINDS.map(|it| it.0));
        let Some(due) = due else { continue };
        source(metric, due, found);
        let Some(target) = metric.at(&[due, "target"]).filter(|it| it.is_map()) else { continue };
        found.range(target.get("averageUtilization"), 1, i64::MAX);
        found.word(target.get("type"), &["AverageValue", "Utilization", "Value"]);
        found.required(target, &["type"]);
        values(target, due, found);
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

/// `ValidateCrossVersionObjectReference`.
fn reference<'d>(node: Node<'d>, found: &mut Found<'d>) {
    for key in ["kind", "name"] {
        found.form(node.get(key), is_path_segment, "a name without `/` and `%`");
    }
    let is = |it: &str| it.matches('/').count() <= 1;
    found.form(node.get("apiVersion"), is, "a group and a version: `apps/v1`");
}

/// What a metric is of.
fn source<'d>(metric: Node<'d>, due: &str, found: &mut Found<'d>) {
    let Some(source) = metric.get(due).filter(|it| it.is_map()) else { return };
    match due {
        "resource" | "containerResource" => {
            found.required(source, &["name"]);
            if due == "containerResource" {
                found.required(source, &["container"]);
                found.form(source.get("container"), is_dns_label, LABEL);
                let is = |it: &str| it.contains('/') || resources::is_of_container(it);
                found.form(source.get("name"), is, "`cpu`, `memory` or another resource");
            }
        }
        _ => {
            let metric = source.get("metric").filter(|it| it.is_map());
            if let Some(metric) = metric {
                found.form(metric.get("name"), is_path_segment, "a name without `/` and `%`");
                metadata::selector(metric.get("selector"), found);
            }
            if let Some(it) = source.get("describedObject").filter(|it| it.is_map()) {
                reference(it, found);
            }
        }
    }
}

/// What a metric of this type is held to (`validateObjectSource` and its like).
fn values<'d>(target: Node<'d>, due: &str, found: &mut Found<'d>) {
    let has = |key: &str| target.get(key).is_some();
    let (value, average) = (has("value"), has("averageValue"));
    match due {
        "pods" if !average => found.missing(target, "averageValue"),
        "object" | "external" if !value && !average => {
            let says = "has neither `value` nor `averageValue`";
            found.wrong(target, says, "no target", "set one of them");
        }
        "external" if value && average => {
            let says = "has both `value` and `averageValue`";
            found.wrong(target, says, "two targets", "keep one of them");
        }
        _ => {}
    }
    for amount in ["value", "averageValue"].iter().filter_map(|it| target.get(it)) {
        let is_held = amount
            .scalar()
            .and_then(|it| Quantity::parse(&it).ok())
            .is_none_or(|it| !it.is_zero() && !it.is_negative());
        if !is_held {
            found.wrong(amount, "is not more than nothing", "no target", "write a larger amount");
        }
    }
}

/// `validateScalingRules`.
fn scaling_rules<'d>(rules: Node<'d>, found: &mut Found<'d>) {
    found.range(rules.get("stabilizationWindowSeconds"), 0, 3600);
    found.word(rules.get("selectPolicy"), &["Disabled", "Max", "Min"]);
    for policy in rules.list("policies") {
        found.word(policy.get("type"), &["Percent", "Pods"]);
        found.range(policy.get("value"), 1, i64::MAX);
        found.range(policy.get("periodSeconds"), 1, 1800);
    }
    let tolerance = rules.get("tolerance");
    let is_less = |it: &Node<'_>| {
        it.scalar().and_then(|it| Quantity::parse(&it).ok()).is_some_and(|it| it.is_negative())
    };
    if let Some(it) = tolerance.filter(is_less) {
        found.wrong(it, "is less than nothing", "out of range", "write 0 or more");
    }
}

/// The highest priority that is not Kubernetes' own (`HighestUserDefinablePriority`).
const HIGHEST: i64 = 1_000_000_000;

pub(super) fn priority_class<'d>(root: Node<'d>, found: &mut Found<'d>) {
    let is_own = root.at(&["metadata", "name"]).and_then(Node::str);
    if !is_own.is_some_and(|it| it.starts_with("system-")) {
        found.range(root.get("value"), i64::from(i32::MIN), HIGHEST);
    }
}
