//! Containers that request nothing of a resource.

use super::super::pods;
use crate::absence::Wanted;
use crate::analyze::capacity::effective_resources::{ContainerDemand, Resources, Role};
use crate::analyze::security::pod::Fault;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Parameter, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "requests-missing",
    title: "a container requests no CPU or memory",
    severity: Severity::Warning,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[Kind::LimitRange],
    like: &[
        "kube-linter:unset-cpu-requirements",
        "kube-score:container-resources",
        "polaris:cpuRequestsMissing",
        "polaris:memoryRequestsMissing",
        "popeye:106",
    ],
    parameters: &[
        pods::NAMESPACES,
        Parameter {
            name: "resources",
            about: "what containers have to request",
            default: &["cpu", "memory"],
        },
    ],
    page: include_str!("requests_missing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    report(cx, out, REQUESTS, |finding| {
        finding
            .note("the scheduler places it as if it needed nothing, and under pressure the node evicts it first")
            .help("set `resources.requests` to what the container uses, as measured")
    });
}

/// Reports the workloads whose containers say nothing on this side of a resource that the parameter `resources` names.
pub(super) fn report(
    cx: &Cx<'_, '_>,
    out: &mut Out,
    side: Side,
    explained: fn(Finding) -> Finding,
) {
    let resources = cx.parameter("resources");
    for workload in cx.facts.workloads().iter() {
        let faults = lacking(cx, workload, &resources, side);
        if faults.is_empty() {
            continue;
        }
        match cx.unseen(Wanted::any(Kind::LimitRange, workload.namespace)) {
            Some(missing) => out.cannot_tell(cx.object(workload.object), missing),
            None => {
                let does = ["has", "have"].map(|it| format!("{it} {}", common(&faults, side)));
                let finding = pods::finding(cx, workload, &faults, [&does[0], &does[1]]);
                // The defaults of one count for pods that come after it.
                out.find(explained(finding).awaits(&[Kind::LimitRange]));
            }
        }
    }
}

/// What the containers lack, if it is the same for all of them.
fn common(faults: &[Fault<'_>], side: Side) -> String {
    let is_one = faults.windows(2).all(|it| it[0].text == it[1].text);
    let first = faults.first().filter(|_| is_one);
    first.map_or_else(|| format!("too few {}", side.word), |it| it.text.clone())
}

/// One side of the resources of containers.
#[derive(Clone, Copy)]
pub(super) struct Side {
    field: &'static str,
    of: for<'c, 'd> fn(&'c ContainerDemand<'d>) -> &'c Resources<'d>,
    word: &'static str,
}

const REQUESTS: Side =
    Side { field: "resources.requests", of: |it| &it.requests, word: "requests" };
pub(super) const LIMITS: Side =
    Side { field: "resources.limits", of: |it| &it.limits, word: "limits" };

/// The containers that run as long as the pod and state nothing of some of these resources, after the defaults of the
/// namespace's LimitRanges. What the pod states for all of them counts.
fn lacking<'f>(
    cx: &Cx<'f, '_>,
    workload: &Workload<'_>,
    resources: &[&str],
    side: Side,
) -> Vec<Fault<'f>> {
    let demand = cx.facts.demand(workload);
    let of_pod = |name: &str| {
        let stated = |key| workload.pod.at(&["resources", key, name]).is_some();
        stated(side.word) || side.word == "requests" && stated("limits")
    };
    let wanted: Vec<&str> = resources.iter().copied().filter(|it| !of_pod(it)).collect();
    let lasting = demand.containers.iter().filter(|it| it.role != Role::Init);
    let faults = lasting.filter_map(|it| {
        let lacks = wanted.iter().filter(|name| (side.of)(it).get(name).is_none());
        let lacks: Vec<_> = lacks.map(|it| format!("`{it}`")).collect();
        let word = side.word.trim_end_matches('s');
        let text = format!("no {word} of {}", lacks.join(" and "));
        (!lacks.is_empty()).then(|| Fault::lack(it.node, side.field, text))
    });
    pods::judged(cx, workload, faults.collect())
}
