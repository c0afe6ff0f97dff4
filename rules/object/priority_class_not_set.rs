//! Pods without a priority class, or with one that they may not have.

use crate::analyze::selection::workloads::Workload;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Parameter, Preset, Rule, Severity};
use crate::rules::judged::NAMESPACES;
use crate::text::tree::Node;
use crate::text::tree::placeholder::has_placeholder;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "priority-class-not-set",
    title: "a pod has no priority class, or one that it may not have",
    severity: Severity::Note,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[],
    like: &[
        "kube-linter:priority-class-name",
        "kyverno:allowed-pod-priorities",
        "kyverno:require-pod-priorityclassname",
        "polaris:priorityClassNotSet",
    ],
    parameters: &[
        Parameter {
            name: "allowed",
            about: "the priority classes that pods may have; any, where none is listed",
            default: &[],
        },
        NAMESPACES,
    ],
    page: include_str!("priority_class_not_set.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

const FIELD: &str = "priorityClassName";

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let object = cx.object(workload.object);
    if !cx.is_judged(object) {
        return;
    }
    let class = workload.pod.get(FIELD).filter(|it| it.str().is_some_and(|it| !it.is_empty()));
    let name = class.and_then(Node::str);
    let allowed = cx.parameter("allowed");
    match (class, name) {
        (Some(_), Some(name)) if allowed.contains(&name) || has_placeholder(name) => {}
        (Some(class), Some(name)) if is_of_the_system(name) => {
            out.find(of_the_system(object, class, name));
        }
        (Some(class), Some(name)) if !allowed.is_empty() => {
            out.find(not_allowed(object, class, name, &allowed));
        }
        (None, _) if cx.policy.is_configured(RULE.id) => out.find(without(object, workload)),
        _ => {}
    }
}

fn is_of_the_system(name: &str) -> bool {
    matches!(name, "system-cluster-critical" | "system-node-critical")
}

fn of_the_system(object: &Object<'_>, class: Node<'_>, name: &str) -> Finding {
    let message = format!("`{object}` takes the place of any pod, as a part of the cluster itself");
    Finding::new(message, object.place(class), format!("`{name}` is for what nodes and cluster need"))
        .severity(Severity::Warning)
        .note("when a node is short of room, pods of lower priority are evicted for this one, DNS among equals")
        .help("make a PriorityClass for the pods that go first among yours")
}

fn not_allowed(object: &Object<'_>, class: Node<'_>, name: &str, allowed: &[&str]) -> Finding {
    let message =
        format!("`{object}` has the priority class `{name}`, which purlin.yaml does not allow");
    Finding::new(message, object.place(class), "not one of those that are allowed")
        .help(format!("use one of `{}`", allowed.join("`, `")))
}

fn without(object: &Object<'_>, workload: &Workload<'_>) -> Finding {
    let message = format!("`{object}` has no priority class");
    Finding::new(message, object.at(&workload.pod_path("")), format!("no `{FIELD}` here"))
        .note(
            "when nodes are short of room, it is evicted before every pod that has a positive one",
        )
        .help(format!("set `{FIELD}`"))
}
