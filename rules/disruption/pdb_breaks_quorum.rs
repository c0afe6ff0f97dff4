//! Budgets that keep less than a majority of a clustered store.

use crate::analyze::disruption::budgets::Budget;
use crate::analyze::references::redis_cluster::RedisCluster;
use crate::analyze::selection::workloads::Workload;
use crate::api::image::Image;
use crate::api::kind::Kind;
use crate::rule::{
    Admission, Check, Cx, Finding, Group, ImagePart, Out, Parameter, Preset, Rule, Severity,
};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "pdb-breaks-quorum",
    title: "a budget lets a cluster lose its majority",
    severity: Severity::Warning,
    group: Group::Disruption,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::PodDisruptionBudget,
        Kind::HorizontalPodAutoscaler,
        Kind::ScaledObject,
        Kind::ConfigMap,
    ],
    like: &[],
    parameters: &[IMAGES],
    page: include_str!("pdb_breaks_quorum.md"),
    reads_images: Some(ImagePart::Repository),
    checks: &[Check::World(check)],
};

const IMAGES: Parameter = Parameter {
    name: "images",
    about: "parts of image names of software that needs a majority of its members",
    default: &[
        "etcd",
        "zookeeper",
        "consul",
        "vault",
        "nats",
        "rabbitmq",
        "kafka",
        "mongo",
        "cockroach",
        "elasticsearch",
        "opensearch",
        "cassandra",
        "galera",
        "percona-xtradb",
        "patroni",
        "spilo",
        "minio",
    ],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let images = cx.parameter(IMAGES.name);
    for budget in cx.facts.budgets().iter() {
        // Over several workloads together the members of one cannot be counted.
        let [(workload, _)] = *budget.covers else { continue };
        let workload = cx.facts.workloads().get(workload);
        if workload.kind == Kind::StatefulSet && needs_majority(cx, workload, &images) {
            judge(cx, budget, workload, out);
        }
    }
}

fn judge(cx: &Cx<'_, '_>, budget: &Budget<'_>, workload: &Workload<'_>, out: &mut Out) {
    let Some(floor) = cx.facts.envelope(workload.id).map(|it| it.floor).filter(|it| it.count >= 3)
    else {
        return;
    };
    // The majority grows with the members, so a fixed number may hold at the floor and not at the peak.
    let peak = cx.facts.envelope(workload.id).map_or(floor, |it| it.peak);
    let broken = [floor, peak].into_iter().find_map(|bound| {
        let kept = budget.demand?.keeps(bound.count);
        let majority = bound.count / 2 + 1;
        (kept < majority).then_some((bound, kept, majority))
    });
    let Some((bound, kept, majority)) = broken else { return };
    let (object, members) = (cx.object(budget.object), cx.object(workload.object));
    let message = format!(
        "`{object}` requires {kept} of {} members of `{members}`, and a majority is {majority}",
        bound.count
    );
    let place = budget.field.map_or(object.at("spec"), |it| object.place(it));
    let may_go = bound.count - kept;
    out.find(
        Finding::new(message, place, format!("requires {kept}"))
            .label(bound.place(cx.model), format!("{} members: {}", bound.count, bound.describe()))
            .note(format!("{} / 2 + 1 = {majority}; {may_go} may be evicted at once, and without a majority a cluster refuses writes or loses them", bound.count))
            .help("set `maxUnavailable: 1`: it keeps a majority of three members or more, however many there are"),
    );
}

fn needs_majority(cx: &Cx<'_, '_>, workload: &Workload<'_>, images: &[&str]) -> bool {
    workload.pod.list("containers").any(|container| {
        let name = Image::of(container.text("image").unwrap_or_default()).name();
        // Exporters and other helpers are named after what they serve.
        let is_helper =
            ["exporter", "backup", "operator", "proxy"].iter().any(|it| name.contains(it));
        !is_helper
            && (images.iter().any(|it| name.contains(it))
                // Redis needs a majority of its masters only as a cluster.
                || RedisCluster::of(cx.model, workload, container).is_some())
    })
}
