//! Pods that the labels of their namespace refuse.

use super::super::pods;
use crate::analyze::security::labels::{Demand, Mode, demand};
use crate::analyze::security::pod::{Fault, SecuredPod};
use crate::analyze::security::standard::{Failure, Level, Version, failures};
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::model::Object;
use crate::rule::{
    Admission, Check, Cx, Finding, Group, MAX_REPORTED, Out, Parameter, Preset, Rule, Severity,
};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "pod-rejected-by-pod-security",
    title: "a namespace refuses the pods of a workload",
    severity: Severity::Error,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::Namespace],
    like: &[
        "kubescape:pod-security-admission-baseline-applied",
        "kubescape:pod-security-admission-restricted-applied",
    ],
    parameters: &[
        Parameter {
            name: "default",
            about: "the level that a namespace without a label enforces, as in the AdmissionConfiguration of the API server",
            default: &["privileged"],
        },
        Parameter {
            name: "default-version",
            about: "the version of that level",
            default: &["latest"],
        },
        Parameter {
            name: "namespaces",
            about: "namespaces that the AdmissionConfiguration exempts",
            default: &[],
        },
        Parameter {
            name: "runtimeClasses",
            about: "runtime classes that the AdmissionConfiguration exempts",
            default: &[],
        },
    ],
    page: include_str!("pod_rejected_by_pod_security.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// What the AdmissionConfiguration of the API server says.
struct Configuration<'c> {
    default: (Level, Version),
    namespaces: Vec<&'c str>,
    runtime_classes: Vec<&'c str>,
}

impl<'c> Configuration<'c> {
    fn of(cx: &Cx<'c, '_>) -> Configuration<'c> {
        let first = |name| cx.parameter(name).first().copied();
        let level = first("default").and_then(Level::parse).unwrap_or(Level::Restricted);
        let version = first("default-version").and_then(Version::parse);
        Configuration {
            default: (level, version.unwrap_or(Version::LATEST)),
            namespaces: cx.parameter("namespaces"),
            runtime_classes: cx.parameter("runtimeClasses"),
        }
    }

    fn exempts(&self, workload: &Workload<'_>) -> bool {
        let class = workload.pod.text("runtimeClassName");
        self.namespaces.contains(&workload.namespace)
            || class.is_some_and(|it| self.runtime_classes.contains(&it))
    }
}

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let configuration = Configuration::of(cx);
    for workload in cx.facts.workloads().iter() {
        // What a custom controller makes of a template, only that controller knows.
        if workload.kind == Kind::Custom || configuration.exempts(workload) {
            continue;
        }
        match cx.model.find(Kind::Namespace, "", workload.namespace) {
            Some(namespace) => judge(cx, workload, namespace, &configuration, out),
            None => ask(cx, workload, out),
        }
    }
}

/// What the labels of a namespace that nobody sees may refuse: what takes a known way out of its container. Almost any pod
/// lacks something that restricted asks for.
fn ask(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let pod = SecuredPod::new(workload.template);
    let failing: Vec<_> = failures(pod, Level::Baseline, pods::version(cx)).collect();
    if !failing.is_empty() {
        out.cannot_tell(
            cx.object(workload.object),
            format!(
                "whether Namespace `{}` enforces a level of Pod Security that refuses its pods ({}); add the Namespace to the input",
                workload.namespace,
                reasons(&failing)
            ),
        );
    }
}

fn judge(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    namespace: &Object<'_>,
    configuration: &Configuration<'_>,
    out: &mut Out,
) {
    let pod = SecuredPod::new(workload.template);
    let failing = |it: &Demand<'_>| -> Vec<_> {
        failures(pod, it.level, it.version.min(pods::version(cx))).collect()
    };
    let enforced = demand(namespace.root, Mode::Enforce, configuration.default);
    let refused = failing(&enforced);
    if !refused.is_empty() {
        return out.find(finding(cx, workload, namespace, &enforced, &refused));
    }
    // Who is only warned, is not hindered.
    for mode in [Mode::Warn, Mode::Audit] {
        let asked = demand(namespace.root, mode, (Level::Privileged, Version::LATEST));
        let told = failing(&asked);
        if !told.is_empty() {
            return out.find(advice(cx, workload, namespace, &asked, &told));
        }
    }
}

fn finding(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    namespace: &Object<'_>,
    demand: &Demand<'_>,
    failing: &[Failure<'_>],
) -> Finding {
    let object = cx.object(workload.object);
    let message = format!(
        "`{object}`: namespace `{}` refuses its pods: {}",
        workload.namespace,
        reasons(failing)
    );
    let is_pod = workload.kind == Kind::Pod && workload.owner.is_none();
    let consequence = match is_pod {
        true => "the API server refuses the pod",
        false => "the API server takes the object and refuses its pods, which only events tell",
    };
    labelled(message, object, namespace, demand, failing)
        .note(format!(
            "{consequence}: `violates PodSecurity \"{}:{}\"`",
            demand.level.name(),
            demand.version
        ))
        .help(match demand.label {
            Some(label) if Level::parse(label.value).is_none() => format!(
                "correct the label: `{}` is no level, and counts as restricted",
                label.value
            ),
            _ => {
                "mend these fields, or run the pods in a namespace of their own that enforces less"
                    .into()
            }
        })
}

fn advice(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    namespace: &Object<'_>,
    demand: &Demand<'_>,
    failing: &[Failure<'_>],
) -> Finding {
    let object = cx.object(workload.object);
    let message = format!(
        "`{object}`: its pods are not as strict as namespace `{}` asks: {}",
        workload.namespace,
        reasons(failing)
    );
    labelled(message, object, namespace, demand, failing)
        .severity(Severity::Note)
        .note("nothing refuses them yet; the API server warns whoever applies them, or logs it")
        .help("mend these fields, then enforce the level")
}

/// A finding at the fields that fail, and at the label that asks for more.
fn labelled(
    message: String,
    object: &Object<'_>,
    namespace: &Object<'_>,
    demand: &Demand<'_>,
    failing: &[Failure<'_>],
) -> Finding {
    let faults: Vec<Fault<'_>> = failing.iter().flat_map(|it| it.faults.iter().cloned()).collect();
    let first = &faults[0];
    let finding = Finding::new(message, first.place(object), pods::text(first));
    let asks = format!("asks for `{}`", demand.level.name());
    let finding = match demand.label {
        Some(label) => {
            finding.label(namespace.at(&format!("metadata.labels['{}']", label.key)), asks)
        }
        None => finding.label(namespace.whole(), "has no label, and the default counts"),
    };
    let finding = pods::labelled(finding, object, &faults[1..]);
    let finding = match faults.len() > MAX_REPORTED {
        true => finding.note(format!("{} fields fail", faults.len())),
        false => finding,
    };
    finding.over("faults", Quantity::units(faults.len() as u64))
}

/// The controls that fail, in the words of Pod Security Admission.
fn reasons(failing: &[Failure<'_>]) -> String {
    failing.iter().map(|it| it.control.reason).collect::<Vec<_>>().join(", ")
}
