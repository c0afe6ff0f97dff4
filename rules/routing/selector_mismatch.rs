//! Workloads whose selector does not select the pods of their own template.

use crate::analyze::selection::selector::{
    LabelValue, Operator, PodLabels, Requirement, Selector, Selects,
};
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "selector-mismatch",
    title: "a workload does not select the pods of its own template",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[
        "kube-linter:mismatching-selector",
        "kube-score:deployment-pod-selector-labels-match-template-metadata-labels",
        "kube-score:statefulset-pod-selector-labels-match-template-metadata-labels",
    ],
    parameters: &[],
    page: include_str!("selector_mismatch.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let object = cx.object(workload.object);
    if let Some(selector) = unasked(workload.kind, object) {
        out.find(brought(object, selector));
        return;
    }
    let written = object.field(&["spec", "selector"]);
    if !is_judged(workload.kind, object, written) {
        return;
    }
    let selector = match (written, workload.kind) {
        (None, _) => Selector::default(),
        (Some(node), Kind::ReplicationController | Kind::Custom) => Selector::parse_map(node),
        (Some(node), _) => Selector::parse(node),
    };
    if selector.is_empty() {
        // A Job may bring one that asks for nothing (`ValidateJobSpec`).
        if workload.kind != Kind::Job {
            out.find(without_selector(object, written));
        }
    } else if selector.invalid {
        out.find(invalid(object, written));
    } else if !selector.requirements.iter().any(is_unreadable) {
        out.findings.extend(mismatch(object, workload, &selector));
    }
}

/// Whether the API server compares the selector with the template (`pkg/apis/apps/validation/validation.go`,
/// ValidateDeploymentSpec and its like; `pkg/apis/batch/validation/validation.go` for Jobs that bring their own).
fn is_judged(kind: Kind, object: &Object<'_>, written: Option<Node<'_>>) -> bool {
    match kind {
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::ReplicaSet => {
            // Before apps/v1beta2 a missing selector became the template's labels.
            written.is_some() || matches!(object.api_version, "apps/v1" | "apps/v1beta2")
        }
        // Without a selector they select by the template's labels. A DeploymentConfig's is a plain mapping, too
        // (`apps.openshift.io/v1`, DeploymentConfigSpec).
        Kind::ReplicationController => written.is_some_and(|it| it.count() > 0),
        Kind::Custom if is_deployment_config(object) => written.is_some_and(|it| it.count() > 0),
        Kind::Rollout => written.is_some(),
        // Else the controller makes the selector, and a label for it.
        Kind::Job => {
            let manual = object.field(&["spec", "manualSelector"]).and_then(Node::bool);
            manual == Some(true) && written.is_some()
        }
        _ => false,
    }
}

fn is_deployment_config(object: &Object<'_>) -> bool {
    object.group() == "apps.openshift.io" && object.kind_name == "DeploymentConfig"
}

/// The selector of a Job, or of a CronJob's Jobs, that the API server refuses whatever the template says. What comes from a
/// cluster has the one that the API server made.
///
/// `pkg/apis/batch/validation/validation.go`, ValidateGeneratedSelector: it has to select by what the API server adds to the
/// pods, unless `manualSelector` is true; ValidateJobTemplateSpec: a CronJob's Jobs have none.
fn unasked<'d>(kind: Kind, object: &Object<'d>) -> Option<Node<'d>> {
    let is_made = object.field(&["metadata", "uid"]).is_some();
    let spec = match kind {
        Kind::Job => object.field(&["spec"]).filter(|_| !is_made)?,
        Kind::CronJob => return object.field(&["spec", "jobTemplate", "spec", "selector"]),
        _ => return None,
    };
    let is_manual = spec.get("manualSelector").and_then(Node::bool) == Some(true);
    let made = [("job-name", object.name), ("batch.kubernetes.io/job-name", object.name)];
    let is_refused = |it: &Node<'_>| !Selector::parse(*it).matches(&made);
    spec.get("selector").filter(|it| !is_manual && is_refused(it))
}

fn brought(object: &Object<'_>, selector: Node<'_>) -> Finding {
    let message = format!("`{object}` brings a selector of its own");
    Finding::new(message, object.place(selector), "the API server makes it")
        .note("the API server refuses it: the Jobs of two runs would count each other's pods")
        .help("remove `selector`")
}

/// A value that is no string; the API server refuses the object for that alone.
fn is_unreadable(requirement: &Requirement<'_>) -> bool {
    matches!(&requirement.operator, Operator::In(values) if values.is_empty())
}

fn without_selector(object: &Object<'_>, written: Option<Node<'_>>) -> Finding {
    let (message, label) = match written {
        Some(_) => ("an empty selector", "empty"),
        None => ("no selector", "`selector` is missing"),
    };
    let place = if written.is_some() { "spec.selector" } else { "spec" };
    Finding::new(format!("`{object}` has {message}"), object.at(place), label)
        .note("the API server refuses it: a workload selects the pods of its template, by labels")
        .help("select labels of the template under `spec.selector.matchLabels`")
}

fn invalid(object: &Object<'_>, written: Option<Node<'_>>) -> Finding {
    let expressions = written.and_then(|it| it.get("matchExpressions"));
    let place = expressions.map_or(object.at("spec.selector"), |it| object.place(it));
    Finding::new(format!("the selector of `{object}` is not valid"), place, "not valid")
        .note("the API server refuses it: `In` and `NotIn` need values, `Exists` and `DoesNotExist` take none, and there is no other operator")
        .help("correct the expression, or use `matchLabels`")
}

fn mismatch(
    object: &Object<'_>,
    workload: &Workload<'_>,
    selector: &Selector<'_>,
) -> Option<Finding> {
    // Only what is written counts: the API server compares before any controller adds labels.
    let written = PodLabels { added: &[], ..workload.labels.clone() };
    let unmet: Vec<_> = selector
        .requirements
        .iter()
        .filter(|it| {
            let one = Selector { requirements: vec![(*it).clone()], invalid: false };
            one.selects(&written) != Selects::All
        })
        .collect();
    let first = unmet.first()?;
    let asked =
        Selector { requirements: unmet.iter().map(|it| (*it).clone()).collect(), invalid: false };
    let carried: Vec<_> = unmet.iter().map(|it| carried(&written, it.key)).collect();
    let carried = carried.join(" and ");
    let labels = format!("{}.metadata.labels", workload.template_path);
    Some(
        Finding::new(
            format!("`{object}` does not select its own pods: it asks for `{asked}`, they carry {carried}"),
            object.at(&path(object, first)),
            format!("asks for `{asked}`"),
        )
        .label(object.at(&labels), format!("these pods carry {carried}"))
        .note("the API server refuses it: `selector` does not match template `labels`")
        .help(help(workload, &written, first)),
    )
}

fn carried(labels: &PodLabels<'_>, key: &str) -> String {
    match labels.get(key) {
        LabelValue::Is(value) => format!("`{key}={value}`"),
        _ => format!("no `{key}`"),
    }
}

fn path(object: &Object<'_>, unmet: &Requirement<'_>) -> String {
    let key = unmet.key;
    let in_labels = |keys: &[&str]| object.field(keys).is_some_and(|it| it.get(key).is_some());
    if in_labels(&["spec", "selector", "matchLabels"]) {
        format!("spec.selector.matchLabels['{key}']")
    } else if in_labels(&["spec", "selector"]) {
        format!("spec.selector['{key}']")
    } else {
        "spec.selector.matchExpressions".into()
    }
}

fn help(workload: &Workload<'_>, labels: &PodLabels<'_>, unmet: &Requirement<'_>) -> String {
    let key = unmet.key;
    if workload.labels.added.contains(&key) {
        return format!("leave `{key}` out of the selector: the controller adds it later, to both");
    }
    match (&unmet.operator, labels.get(key)) {
        (Operator::In(values), LabelValue::Is(value)) => {
            let asked = values.first().copied().unwrap_or_default();
            format!(
                "select `{key}: {value}`, or label the template `{key}: {asked}`; the selector of a workload that exists cannot be changed, the template can"
            )
        }
        (Operator::In(values), _) => {
            let asked = values.first().copied().unwrap_or_default();
            format!("label the template `{key}: {asked}`, or leave `{key}` out of the selector")
        }
        (Operator::Exists, _) => format!("give the template the label `{key}`"),
        _ => format!("take `{key}` out of the template's labels, or out of the selector"),
    }
}
