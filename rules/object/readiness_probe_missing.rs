//! Containers that serve a Service and have no readiness probe.

use super::super::{images, pods};
use crate::analyze::security::pod::Fault;
use crate::analyze::selection::services::{Service, Target};
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "readiness-probe-missing",
    title: "a container gets requests before it is ready for them",
    severity: Severity::Warning,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[Kind::Service],
    like: &[
        "kube-linter:no-readiness-probe",
        "kube-score:pod-probes",
        "polaris:readinessProbeMissing",
        "popeye:104",
    ],
    parameters: &[pods::NAMESPACES],
    page: include_str!("readiness_probe_missing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for workload in cx.facts.workloads().iter() {
        let is_run = matches!(workload.kind, Kind::Job | Kind::CronJob);
        // A gate is a condition of the pod that something else sets: it is ready when that says so.
        let has_gate = workload.pod.list("readinessGates").next().is_some();
        if is_run || has_gate || images::is_injected(workload) {
            continue;
        }
        let faults = unprobed(cx, workload);
        let Some((_, service)) = faults.first() else { continue };
        let service = cx.object(service.object);
        let faults: Vec<_> = faults.iter().map(|it| it.0.clone()).collect();
        let faults = pods::judged(cx, workload, faults);
        if !faults.is_empty() {
            let does = ["gets requests before it is ready", "get requests before they are ready"];
            let finding = pods::finding(cx, workload, &faults, does);
            out.find(
                finding
                    .hint(service.whole(), "leads to it")
                    .note("without a readiness probe a container is ready when its process runs: requests reach it before it listens, and a rollout counts it as done")
                    .help("add a `readinessProbe` that succeeds when the container can answer"),
            );
        }
    }
}

/// The containers without a readiness probe that serve the port of a Service, each with the first such Service.
fn unprobed<'f, 'd>(cx: &Cx<'f, 'd>, workload: &Workload<'d>) -> Vec<(Fault<'d>, &'f Service<'d>)> {
    let containers = Containers::new(pods::lasting(workload).collect());
    let is_unprobed = |it: &&Node<'d>| it.get("readinessProbe").is_none();
    let most = containers.all.iter().filter(is_unprobed).count();
    let mut faults: Vec<(Fault<'d>, &Service<'d>)> = Vec::new();
    for service in cx.facts.services().of_workload(workload.id) {
        // Many Services may lead to many workloads: once all is said of this one, the others are not looked at.
        if faults.len() == most {
            break;
        }
        let spec = cx.object(service.object).field(&["spec"]);
        let is_eager = spec.and_then(|it| it.get("publishNotReadyAddresses"));
        if is_eager.and_then(Node::bool) == Some(true) {
            continue;
        }
        for port in &service.ports {
            let Some(container) = containers.server(port.target, port.protocol) else { continue };
            let is_told = faults.iter().any(|it| it.0.node.index() == container.index());
            if is_unprobed(&&container) && !is_told {
                let text = format!("serves port {} of `{}`", port.port, service.name);
                faults.push((Fault::lack(container, "readinessProbe", text), service));
            }
        }
    }
    faults
}

/// The containers of a pod, by the ports that they declare.
struct Containers<'d> {
    all: Vec<Node<'d>>,
    by_number: FxHashMap<(i64, &'d str), usize>,
    by_name: FxHashMap<(&'d str, &'d str), usize>,
}

impl<'d> Containers<'d> {
    fn new(all: Vec<Node<'d>>) -> Containers<'d> {
        let (mut by_number, mut by_name) = (FxHashMap::default(), FxHashMap::default());
        for (at, container) in all.iter().enumerate() {
            for port in container.list("ports") {
                let protocol = port.text("protocol").unwrap_or("TCP");
                if let Some(number) = port.get("containerPort").and_then(Node::int) {
                    by_number.entry((number, protocol)).or_insert(at);
                }
                if let Some(name) = port.text("name") {
                    by_name.entry((name, protocol)).or_insert(at);
                }
            }
        }
        Containers { all, by_number, by_name }
    }

    /// The one that serves a port: the one that declares it, or the only one there is.
    fn server(&self, target: Target<'_>, protocol: &str) -> Option<Node<'d>> {
        let declared = match target {
            Target::Number(number) => self.by_number.get(&(number, protocol)),
            Target::Name(name) => self.by_name.get(&(name, protocol)),
        };
        match (declared, self.all.as_slice(), target) {
            (None, [only], Target::Number(_)) => Some(*only),
            (declared, ..) => declared.map(|it| self.all[*it]),
        }
    }
}
