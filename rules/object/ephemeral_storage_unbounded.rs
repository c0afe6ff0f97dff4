//! Pods that may fill the disk or the memory of their node.

use super::super::pods;
use crate::analyze::capacity::effective_resources::{PodDemand, Role};
use crate::analyze::security::pod::Fault;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "ephemeral-storage-unbounded",
    title: "a pod may fill the disk or the memory of its node",
    severity: Severity::Note,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Strict],
    reads: &[Kind::LimitRange],
    like: &[
        "kube-score:container-ephemeral-storage-request-and-limit",
        "gatekeeper:ephemeralstoragelimit",
        "kyverno:require-emptydir-requests-limits",
    ],
    parameters: &[pods::NAMESPACES],
    page: include_str!("ephemeral_storage_unbounded.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for workload in cx.facts.workloads().iter() {
        let demand = cx.facts.demand(workload);
        let in_memory = pods::judged(cx, workload, in_memory(workload, demand));
        if !in_memory.is_empty() {
            let does = "may fill the memory of its node";
            let finding =
                pods::finding(cx, workload, &in_memory, [does, does]).severity(Severity::Warning);
            out.find(
                finding
                    .note("what is written to it counts as memory of the pod, which has no limit")
                    .help("set `sizeLimit`, or memory limits for all containers"),
            );
        }
        let on_disk = pods::judged(cx, workload, on_disk(demand));
        if !on_disk.is_empty() {
            let does = ["may fill the disk of its node", "may fill the disk of their node"];
            let finding = pods::finding(cx, workload, &on_disk, does);
            out.find(
                finding
                    .note("logs, `emptyDir` volumes and what is written to the image share the disk of the node, which evicts pods when it is full")
                    .help("set `ephemeral-storage` in `resources.requests` and `resources.limits`"),
            );
        }
    }
}

/// Volumes in memory that nothing bounds. Without a size of its own such a volume may have what the memory limits of the
/// containers add up to (`pkg/volume/emptydir/empty_dir.go`, calculateEmptyDirMemorySize).
fn in_memory<'d>(workload: &Workload<'d>, demand: &PodDemand<'d>) -> Vec<Fault<'d>> {
    let is_of_pod = workload.pod.at(&["resources", "limits", "memory"]).is_some();
    let mut lasting = demand.containers.iter().filter(|it| it.role != Role::Init);
    if is_of_pod || lasting.all(|it| it.limits.get("memory").is_some()) {
        return Vec::new();
    }
    let volumes = workload.pod.list("volumes").filter_map(|it| it.get("emptyDir"));
    let unbounded =
        volumes.filter(|it| it.text("medium") == Some("Memory") && it.get("sizeLimit").is_none());
    unbounded
        .map(|node| Fault {
            container: None,
            node,
            missing: "",
            text: "in memory, without `sizeLimit`".into(),
        })
        .collect()
}

fn on_disk<'d>(demand: &PodDemand<'d>) -> Vec<Fault<'d>> {
    const NAME: &str = "ephemeral-storage";
    let lasting = demand.containers.iter().filter(|it| it.role != Role::Init);
    let unbounded =
        lasting.filter(|it| it.requests.get(NAME).is_none() || it.limits.get(NAME).is_none());
    unbounded.map(|it| Fault::lack(it.node, "name", "no bound of `ephemeral-storage`")).collect()
}
