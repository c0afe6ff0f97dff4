//! Services whose selector matches no pods.

use crate::absence::Wanted;
use crate::analyze::selection::selector::{
    LabelValue, Operator, PodLabels, Requirement, Selector, Selects,
};
use crate::analyze::selection::services::Service;
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Place, Preset, Rule, Severity};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "dangling-service",
    title: "a Service selects no pods",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::Service],
    like: &["kube-linter:dangling-service", "kube-score:service-targets-pod"],
    parameters: &[],
    page: include_str!("dangling_service.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// How many workloads of a namespace are looked at for a hint.
const LOOKED_AT: usize = 500;

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let dangling: Vec<_> = cx
        .facts
        .services()
        .iter()
        .filter_map(|it| Some((it, it.selector.as_ref()?)))
        .filter(|(service, _)| service.selects.is_empty())
        .collect();
    for service in cx.facts.services().iter() {
        out.findings.extend(service.selector.as_ref().and_then(|it| beyond(cx, service, it)));
    }
    if dangling.is_empty() {
        return;
    }
    let by_label = by_label(cx);
    for (service, selector) in dangling {
        let wanted = Wanted::LastingPods { namespace: service.namespace, selector };
        out.report_absent(cx.object(service.object), cx.absence_of(wanted), || {
            finding(cx, service, selector, &by_label)
        });
    }
}

/// A Service of pods whose ordinals no StatefulSet has at its peak. The controller labels each pod with its name and its
/// index (`pkg/controller/statefulset/stateful_set_utils.go`, updateIdentity).
fn beyond(cx: &Cx<'_, '_>, service: &Service<'_>, selector: &Selector<'_>) -> Option<Finding> {
    let workloads = service.selects.iter().map(|(id, _)| cx.facts.workloads().get(*id));
    let sets: Vec<_> =
        workloads.map(|it| Some((it, asked(it, selector)?))).collect::<Option<_>>()?;
    let (first, _) = sets.first()?;
    let mut ranges = Vec::new();
    for (workload, asked) in &sets {
        let peak = cx.facts.envelope(workload.id)?.peak;
        let start = cx.object(workload.object).field(&["spec", "ordinals", "start"]);
        let start = start.and_then(Node::int).and_then(|it| u64::try_from(it).ok()).unwrap_or(0);
        let has = |ordinal: &u64| (start..start + peak.count).contains(ordinal);
        // What is scaled to nothing has no pod at all for now.
        if peak.count == 0 || asked.iter().any(has) {
            return None;
        }
        ranges.push((peak, start));
    }
    let object = cx.object(service.object);
    let mut finding = Finding::new(
        format!(
            "`{object}` selects no pods: `{}` has none with this ordinal",
            cx.object(first.object)
        ),
        object.at("spec.selector"),
        format!("`{selector}`"),
    );
    for ((workload, _), (peak, start)) in sets.iter().zip(ranges).take(4) {
        let text = format!(
            "`{0}-{start}` to `{0}-{1}`: {2}",
            workload.name,
            start + peak.count - 1,
            peak.describe()
        );
        finding = finding.label(peak.place(cx.model), text);
    }
    Some(
        finding
            .note("without pods it has no endpoints, and every connection to it is refused")
            .help("select a pod that the StatefulSet has, or give it more replicas"),
    )
}

/// The ordinals of the pods of a StatefulSet that a selector asks for; `None` where it does not ask for some.
fn asked(workload: &Workload<'_>, selector: &Selector<'_>) -> Option<Vec<u64>> {
    if workload.kind != Kind::StatefulSet {
        return None;
    }
    selector.requirements.iter().find_map(|it| {
        let Operator::In(values) = &it.operator else { return None };
        let ordinals = values.iter().filter_map(|value| match it.key {
            "statefulset.kubernetes.io/pod-name" => {
                value.strip_prefix(workload.name)?.strip_prefix('-')?.parse().ok()
            }
            "apps.kubernetes.io/pod-index" => value.parse().ok(),
            _ => None,
        });
        Some(ordinals.collect::<Vec<u64>>()).filter(|it| !it.is_empty())
    })
}

/// The workloads of every namespace by the labels of their pods, for Services that stand in the wrong one.
fn by_label<'d>(cx: &Cx<'_, 'd>) -> FxHashMap<(&'d str, &'d str), Vec<WorkloadId>> {
    let mut found: FxHashMap<_, Vec<WorkloadId>> = FxHashMap::default();
    for workload in cx.facts.workloads().iter() {
        for label in workload.labels.written.iter() {
            found.entry(*label).or_default().push(workload.id);
        }
    }
    found
}

fn finding(
    cx: &Cx<'_, '_>,
    service: &Service<'_>,
    selector: &Selector<'_>,
    by_label: &FxHashMap<(&str, &str), Vec<WorkloadId>>,
) -> Finding {
    let object = cx.object(service.object);
    let namespace = service.namespace;
    let count = cx.facts.workloads().in_namespace(namespace).count();
    let finding = Finding::new(
        format!("`{object}` selects no pods"),
        object.at("spec.selector"),
        format!("no pods of namespace `{namespace}` carry `{selector}`"),
    )
    .note(format!("a Service selects by the labels of the pod template, in its own namespace; compared with {count} workloads there"))
    .note("without pods it has no endpoints, and every connection to it is refused");
    if let Some(there) = elsewhere(cx, selector, by_label) {
        let found = cx.object(there.workload.object);
        return finding.hint(there.place(cx), "these pods would match, in another namespace").help(
            format!(
                "put the Service into namespace `{}`, where `{found}` runs",
                there.workload.namespace
            ),
        );
    }
    let Some(near) = nearest(cx, service, selector) else {
        return finding.help("select labels that the pods carry, or remove the Service");
    };
    let differs: Vec<_> =
        selector.requirements.iter().filter(|it| !near.fulfils(it)).map(|it| it.key).collect();
    let (labels, advice) =
        (near.describe(&differs), near.advice(&differs, selector.requirements.len()));
    finding.hint(near.place(cx), labels).help(advice)
}

/// A workload that comes near.
struct Near<'c, 'd> {
    workload: &'c Workload<'d>,
}

impl Near<'_, '_> {
    fn place(&self, cx: &Cx<'_, '_>) -> Place {
        cx.object(self.workload.object).at(&self.workload.labels_path())
    }

    fn fulfils(&self, requirement: &Requirement<'_>) -> bool {
        let one = Selector { requirements: vec![requirement.clone()], invalid: false };
        one.selects(&self.workload.labels) != Selects::None
    }

    fn describe(&self, keys: &[&str]) -> String {
        let each = keys.iter().map(|key| match self.workload.labels.get(key) {
            LabelValue::Is(value) => format!("`{key}={value}`"),
            LabelValue::Varies | LabelValue::MayBe => format!("a `{key}` of the controller's"),
            LabelValue::Absent => format!("no `{key}`"),
        });
        format!("the nearest: these pods carry {}", each.collect::<Vec<_>>().join(" and "))
    }

    fn advice(&self, keys: &[&str], of: usize) -> String {
        let is = |key: &str| matches!(self.workload.labels.get(key), LabelValue::Is(_));
        let mut each: Vec<_> = keys
            .iter()
            .map(|key| match self.workload.labels.get(key) {
                LabelValue::Is(value) => format!("select `{key}: {value}`"),
                _ => format!("leave out `{key}`"),
            })
            .collect();
        // A selector without anything left would select nothing at all.
        if keys.len() == of
            && !keys.iter().any(|key| is(key))
            && let Some((key, value)) = self.workload.labels.written.first()
        {
            each = vec![format!("select `{key}: {value}` instead")];
        }
        format!("if `{}` is meant, {}", self.workload.name, each.join(" and "))
    }
}

/// Pods of another namespace that match as they are.
fn elsewhere<'c, 'd>(
    cx: &Cx<'c, 'd>,
    selector: &Selector<'_>,
    by_label: &FxHashMap<(&str, &str), Vec<WorkloadId>>,
) -> Option<Near<'c, 'd>> {
    let candidates = selector.requirements.iter().filter_map(|it| match &it.operator {
        Operator::In(values) => by_label.get(&(it.key, *values.first()?)),
        _ => None,
    });
    let matches = |labels: &PodLabels<'_>| selector.selects(labels) != Selects::None;
    candidates
        .min_by_key(|it| it.len())?
        .iter()
        .take(LOOKED_AT)
        .map(|id| cx.facts.workloads().get(*id))
        .find(|it| matches(&it.labels))
        .map(|workload| Near { workload })
}

/// The workload of the namespace that meets most of the selector, or is named after the Service or one of its values.
fn nearest<'c, 'd>(
    cx: &Cx<'c, 'd>,
    service: &Service<'_>,
    selector: &Selector<'_>,
) -> Option<Near<'c, 'd>> {
    let score = |near: &Near<'_, '_>| {
        let met = selector.requirements.iter().filter(|it| near.fulfils(it)).count();
        let named = near.workload.name == service.name
            || selector.requirements.iter().any(
                |it| matches!(&it.operator, Operator::In(values) if values.contains(&near.workload.name)),
            );
        2 * met + usize::from(named)
    };
    cx.facts
        .workloads()
        .in_namespace(service.namespace)
        .take(LOOKED_AT)
        .map(|workload| Near { workload })
        .map(|near| (score(&near), near))
        .filter(|(score, _)| *score > 0)
        .max_by_key(|(score, near)| (*score, std::cmp::Reverse(near.workload.id)))
        .map(|(_, near)| near)
}
