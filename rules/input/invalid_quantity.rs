//! Amounts and counts that the API server refuses, so that an absurd one never passes in silence.
//!
//! What is found here is left out of all sums, or bounded.

use crate::analyze::capacity::rollout::IntOrPercent;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::api::quantity::{NotAQuantity, Quantity};
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "invalid-quantity",
    title: "an amount or a count is one that Kubernetes refuses",
    severity: Severity::Error,
    group: Group::Input,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::ResourceQuota,
        Kind::LimitRange,
        Kind::PersistentVolumeClaim,
        Kind::HorizontalPodAutoscaler,
        Kind::ScaledObject,
        Kind::PodDisruptionBudget,
        Kind::CronJob,
        Kind::DaemonSet,
        Kind::Deployment,
        Kind::Job,
        Kind::ReplicaSet,
        Kind::ReplicationController,
        Kind::Rollout,
        Kind::StatefulSet,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("invalid_quantity.md"),
    reads_images: None,
    checks: &[Check::Object(object), Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let object = cx.object(workload.object);
    let demand = cx.facts.demand(workload);
    out.findings.extend(demand.invalid.iter().filter_map(|it| amount(object, *it)));
    for container in &demand.containers {
        for (key, list) in [("requests", &container.requests), ("limits", &container.limits)] {
            for (resource, quantity) in list.iter().filter(|(it, _)| it.contains('/')) {
                let node = container.node.at(&["resources", key, resource]);
                let node = node.filter(|_| !quantity.is_whole());
                out.findings.extend(node.map(|it| in_part(object, it)));
            }
        }
    }
}

fn object(cx: &Cx<'_, '_>, object: &Object<'_>, out: &mut Out) {
    match object.kind {
        Kind::LimitRange => {
            let invalid = cx.facts.limit_ranges().invalid_of(object.id);
            // The API server takes less than nothing here, and then nothing fits.
            let is_taken =
                |it: Node<'_>| it.scalar().is_some_and(|it| Quantity::parse(&it).is_ok());
            out.findings.extend(invalid.filter_map(|it| {
                let finding = amount(object, it)?;
                Some(if is_taken(it) { finding.severity(Severity::Warning) } else { finding })
            }));
        }
        Kind::ResourceQuota => quota(cx, object, out),
        Kind::PersistentVolumeClaim => out.findings.extend(storage(object, object.root)),
        Kind::StatefulSet => {
            let templates = object.field(&["spec"]).into_iter();
            let templates = templates.flat_map(|it| it.list("volumeClaimTemplates"));
            out.findings.extend(templates.filter_map(|it| storage(object, it)));
        }
        Kind::PodDisruptionBudget => out.findings.extend(both(object)),
        _ => {}
    }
    for (_, paths) in COUNTS.iter().filter(|(kinds, _)| kinds.contains(&object.kind)) {
        let nodes = paths.iter().filter_map(|path| object.root.down(path));
        out.findings.extend(nodes.filter_map(|it| count(object, it)));
    }
    for (_, paths, most) in SHARES.iter().filter(|(kind, ..)| *kind == object.kind) {
        let nodes = paths.iter().filter_map(|path| object.root.down(path));
        out.findings.extend(nodes.filter_map(|it| share(object, it, *most)));
    }
}

fn quota(cx: &Cx<'_, '_>, object: &Object<'_>, out: &mut Out) {
    let Some(quota) = cx.facts.quota(object.id) else { return };
    out.findings.extend(quota.invalid.iter().filter_map(|it| amount(object, *it)));
    let in_parts =
        quota.lines.iter().filter(|it| counts_things(it.resource) && !it.hard.is_whole());
    out.findings.extend(in_parts.map(|it| in_part(object, it.node)));
}

/// Fields that hold a number of pods.
const COUNTS: &[(&[Kind], &[&str])] = &[
    (
        &[
            Kind::Deployment,
            Kind::StatefulSet,
            Kind::ReplicaSet,
            Kind::ReplicationController,
            Kind::Rollout,
        ],
        &["spec.replicas"],
    ),
    (&[Kind::Job], &["spec.parallelism", "spec.completions"]),
    (&[Kind::CronJob], &["spec.jobTemplate.spec.parallelism", "spec.jobTemplate.spec.completions"]),
    (&[Kind::HorizontalPodAutoscaler], &["spec.minReplicas", "spec.maxReplicas"]),
    (&[Kind::ScaledObject], &["spec.minReplicaCount", "spec.maxReplicaCount"]),
];

/// Fields that hold a number of pods or a percentage, and the largest percentage.
const SHARES: &[(Kind, &[&str], u64)] = &[
    (Kind::PodDisruptionBudget, &["spec.minAvailable", "spec.maxUnavailable"], 100),
    (Kind::Deployment, &["spec.strategy.rollingUpdate.maxUnavailable"], 100),
    (Kind::Deployment, &["spec.strategy.rollingUpdate.maxSurge"], u64::MAX),
    (
        Kind::DaemonSet,
        &[
            "spec.updateStrategy.rollingUpdate.maxUnavailable",
            "spec.updateStrategy.rollingUpdate.maxSurge",
        ],
        100,
    ),
    (Kind::StatefulSet, &["spec.updateStrategy.rollingUpdate.maxUnavailable"], 100),
];

/// As it is written; a list or mapping by its kind.
fn written(node: Node<'_>) -> String {
    match node.str() {
        // The quotes are what is wrong with a number in them.
        Some(text) if text.parse::<i64>().is_ok() => format!("`\"{text}\"`"),
        _ => node.scalar().map_or(node.kind().to_string(), |it| format!("`{it}`")),
    }
}

fn amount(object: &Object<'_>, node: Node<'_>) -> Option<Finding> {
    // What another tool fills in is no amount yet.
    if node.has_placeholder() {
        return None;
    }
    let text = node.scalar();
    let is_read = text.as_deref().is_some_and(|it| Quantity::parse(it).is_ok());
    if is_read && text.as_deref().is_some_and(Quantity::is_bare) {
        return Some(bare(object, node));
    }
    let is_negative = is_read;
    let what = if is_negative { "less than nothing" } else { "no quantity" };
    let finding = Finding::new(
        format!("{} in `{object}` is {what}", written(node)),
        object.place(node),
        what,
    );
    let finding = if is_negative { finding } else { finding.note(NotAQuantity.to_string()) };
    Some(finding.help("write an amount such as `500m`, `2` or `512Mi`"))
}

/// What the API server takes, and not for what is meant.
fn bare(object: &Object<'_>, node: Node<'_>) -> Finding {
    Finding::new(
        format!("{} in `{object}` has no number, and is read as 0", written(node)),
        object.place(node),
        "read as 0",
    )
    .severity(Severity::Warning)
    .help("write an amount such as `500m`, `2` or `512Mi`")
}

fn in_part(object: &Object<'_>, node: Node<'_>) -> Finding {
    Finding::new(
        format!("{} in `{object}` is no whole number", written(node)),
        object.place(node),
        "not a whole number",
    )
    .help("write a whole number: what is counted here comes in one piece")
}

/// Whether a quota's line counts things rather than measuring them.
fn counts_things(line: &str) -> bool {
    let resource = line.strip_prefix("requests.").unwrap_or(line);
    line.starts_with("count/")
        || line.ends_with("/persistentvolumeclaims")
        || (resource.contains('/') && !line.contains(".storageclass.storage.k8s.io/"))
        || matches!(
            line,
            "pods"
                | "services"
                | "services.nodeports"
                | "services.loadbalancers"
                | "persistentvolumeclaims"
                | "configmaps"
                | "secrets"
                | "replicationcontrollers"
                | "resourcequotas"
        )
}

fn storage(object: &Object<'_>, claim: Node<'_>) -> Option<Finding> {
    let node = claim.at(&["spec", "resources", "requests", "storage"])?;
    let quantity = node.scalar().map(|it| Quantity::parse(&it));
    match quantity {
        Some(Ok(it)) if it > Quantity::ZERO => None,
        Some(Ok(it)) if it.is_zero() => Some(
            Finding::new(
                format!("{} in `{object}` is no storage", written(node)),
                object.place(node),
                "nothing",
            )
            .help("request more than nothing"),
        ),
        _ => amount(object, node),
    }
}

fn count(object: &Object<'_>, node: Node<'_>) -> Option<Finding> {
    let path = object_field(object, node);
    // A maximum of nothing is refused; scaling to nothing is written otherwise.
    let least = i64::from(path == "maxReplicas");
    let what = match node.int() {
        None if node.has_placeholder() => return None,
        None => "not a whole number",
        Some(it) if it < 0 => "less than nothing",
        Some(it) if it < least => "less than 1",
        Some(it) if it > i64::from(i32::MAX) => "more than 2147483647",
        Some(_) => return None,
    };
    Some(
        Finding::new(
            format!("`{object}` has {path} {}: {what}", written(node)),
            object.place(node),
            what,
        )
        .help("write a whole number of pods, without quotes"),
    )
}

fn share(object: &Object<'_>, node: Node<'_>, most: u64) -> Option<Finding> {
    let what = match IntOrPercent::parse(node) {
        Some(IntOrPercent::Percent(it)) if it > most => "more than 100%",
        Some(_) => return None,
        None if node.has_placeholder() => return None,
        None if node.int().is_some_and(|it| it < 0) => "less than nothing",
        None if node.int().is_some() => "more than 2147483647",
        None => "neither a whole number nor a percentage",
    };
    let path = object_field(object, node);
    Some(
        Finding::new(
            format!("`{object}` has {path} {}: {what}", written(node)),
            object.place(node),
            what,
        )
        .help("write a whole number without quotes, or a percentage such as `25%`"),
    )
}

fn both(object: &Object<'_>) -> Option<Finding> {
    let down = |path| object.root.down(path);
    let (min, max) = (down("spec.minAvailable")?, down("spec.maxUnavailable")?);
    Some(
        Finding::new(
            format!("`{object}` sets both minAvailable and maxUnavailable"),
            object.place(max),
            "only one of the two",
        )
        .label(object.place(min), "may be set")
        .help("keep `maxUnavailable`, which fits every number of replicas"),
    )
}

/// The last step of the field's path.
fn object_field(object: &Object<'_>, node: Node<'_>) -> String {
    let path = crate::text::path::FieldPath::between(object.root, node).to_string();
    path.rsplit('.').next().unwrap_or_default().to_string()
}
