//! What the rules about a pod's own fields have in common: which pods they judge, and one finding for all containers.

pub(super) use super::judged::NAMESPACES;
use crate::analyze::security::pod::{Fault, SecuredPod};
use crate::analyze::security::standard::{Control, Version};
use crate::analyze::selection::workloads::{Workload, is_sidecar};
use crate::api::quantity::Quantity;
use crate::model::Object;
use crate::rule::{Cx, Finding, MAX_REPORTED};
use crate::text::tree::Node;
use rustc_hash::FxHashSet;

/// Whether the pods of a workload are judged.
pub(super) fn is_judged(cx: &Cx<'_, '_>, workload: &Workload<'_>) -> bool {
    cx.is_judged(cx.object(workload.object))
}

/// The containers that run as long as the pod: the main ones and the sidecars.
pub(super) fn lasting<'d>(workload: &Workload<'d>) -> impl Iterator<Item = Node<'d>> {
    let sidecars = workload.pod.list("initContainers").filter(|it| is_sidecar(*it));
    workload.pod.list("containers").chain(sidecars)
}

/// The controls that count: those of the version of Kubernetes that the objects are meant for.
pub(super) fn version(cx: &Cx<'_, '_>) -> Version {
    Version::minor(cx.kubernetes_version().minor)
}

/// What a control refuses in the pods of a workload, if these are judged.
pub(super) fn faults<'d>(
    cx: &Cx<'_, '_>,
    workload: &Workload<'d>,
    control: &Control,
) -> Vec<Fault<'d>> {
    judged(cx, workload, control.faults(SecuredPod::new(workload.template), version(cx)))
}

/// The same faults, if the pods of the workload are judged.
pub(super) fn judged<'d>(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    faults: Vec<Fault<'d>>,
) -> Vec<Fault<'d>> {
    if faults.is_empty() || is_judged(cx, workload) { faults } else { Vec::new() }
}

/// One finding about a workload with a label for each fault; `does` says it of one container and of several. There is a
/// fault.
pub(super) fn finding(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    faults: &[Fault<'_>],
    does: [&str; 2],
) -> Finding {
    let object = cx.object(workload.object);
    let (who, is_one) = who(faults);
    let does = if is_one { does[0] } else { does[1] };
    let message = format!("`{object}`: {who} {does}");
    labelled(Finding::new(message, faults[0].place(object), text(&faults[0])), object, &faults[1..])
        .over("faults", Quantity::units(faults.len() as u64))
}

/// The finding with a label for each of these faults. It is known again without them: they are some of many.
pub(super) fn labelled(mut finding: Finding, object: &Object<'_>, faults: &[Fault<'_>]) -> Finding {
    for fault in faults.iter().take(MAX_REPORTED) {
        finding = finding.hint(fault.place(object), text(fault));
    }
    finding
}

/// What a fault says of its container.
pub(super) fn text(fault: &Fault<'_>) -> String {
    match fault.name() {
        Some(name) => format!("container `{name}`: {}", fault.text),
        None => fault.text.clone(),
    }
}

/// The containers with a fault in words, and whether it is one; the pod, where it is the pod's.
fn who(faults: &[Fault<'_>]) -> (String, bool) {
    let mut seen = FxHashSet::default();
    let names = faults.iter().filter_map(Fault::name).filter(|it| seen.insert(*it));
    let names: Vec<&str> = names.collect();
    match names.as_slice() {
        [] => ("the pod".into(), true),
        [one] => (format!("container `{one}`"), true),
        [first, second] => (format!("containers `{first}` and `{second}`"), false),
        [first, second, rest @ ..] => {
            (format!("containers `{first}`, `{second}` and {} more", rest.len()), false)
        }
    }
}
