//! Entries that stand twice in a list whose entries Kubernetes tells apart by a key.

use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "duplicate-entry",
    title: "an entry of a list stands in it twice",
    severity: Severity::Warning,
    group: Group::Object,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[
        "kube-linter:duplicate-env-var",
        "kube-score:environment-variable-key-duplication",
        "kube-score:container-ports-check",
        "kubescape:duplicate-env-var",
    ],
    parameters: &[],
    page: include_str!("duplicate_entry.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let mut pairs = Vec::new();
    for container in workload.containers() {
        pairs.extend(variables(container));
    }
    pairs.extend(ports(workload));
    let pod = workload.pod;
    pairs.extend(twice(
        pod.list("imagePullSecrets"),
        |it| it.text("name").map(String::from),
        |_| "two pull secrets of one name",
    ));
    pairs.extend(twice(
        pod.list("hostAliases"),
        |it| it.text("ip").map(String::from),
        |_| "two aliases of one address",
    ));
    pairs.extend(twice(pod.list("tolerations"), toleration, |_| "the same toleration twice"));
    let object = cx.object(workload.object);
    out.find_some(pairs.into_iter().map(|it| {
        let message = format!("`{object}` has {}", it.what);
        let finding = Finding::new(message, object.place(it.second), "the same once more")
            .label(object.place(it.first), "the first one")
            .note(it.why)
            .help("keep the one that is meant");
        if it.is_refused { finding.severity(Severity::Error) } else { finding }
    }));
}

/// Two entries with one key.
struct Pair<'d> {
    first: Node<'d>,
    second: Node<'d>,
    what: String,
    why: &'static str,
    is_refused: bool,
}

const APPLY: &str = "the list is merged by this key: an apply drops one of them, and a server-side apply refuses the object";

/// The items of a list that have a key which an earlier one has.
fn twice<'d>(
    items: impl Iterator<Item = Node<'d>>,
    key: impl Fn(Node<'d>) -> Option<String>,
    what: impl Fn(&str) -> &'static str,
) -> Vec<Pair<'d>> {
    let mut seen: FxHashMap<String, Node<'d>> = FxHashMap::default();
    let mut pairs = Vec::new();
    for item in items {
        let Some(key) = key(item) else { continue };
        match seen.get(&key) {
            Some(first) => {
                let what = format!("{}, `{key}`", what(&key));
                pairs.push(Pair {
                    first: *first,
                    second: item,
                    what,
                    why: APPLY,
                    is_refused: false,
                });
            }
            None => {
                seen.insert(key, item);
            }
        }
    }
    pairs
}

/// Variables of one name, unless the later one is made of the earlier (`warningsForPodSpecAndMeta`, `pkg/api/pod`).
fn variables<'d>(container: Node<'d>) -> Vec<Pair<'d>> {
    let name = container.text("name").unwrap_or("?");
    let pairs = twice(container.list("env"), |it| it.text("name").map(String::from), |_| "");
    let hides = |it: &Pair<'_>| {
        let name = it.second.text("name").unwrap_or_default();
        let value = it.second.text("value").unwrap_or_default();
        let reference = format!("$({name})");
        it.second.get("valueFrom").is_some() || value == reference || !value.contains(&reference)
    };
    let named = pairs.into_iter().filter(hides).map(|it| {
        let variable = it.second.text("name").unwrap_or("?");
        let what = format!("two variables `{variable}` in container `{name}`");
        let why = "the last one counts, and an apply drops one of them";
        Pair { what, why, ..it }
    });
    named.collect()
}

/// Ports of one number and protocol, whichever containers listen: they share one network. Init containers are over by
/// the time the others begin, unless they are sidecars.
fn ports<'d>(workload: &Workload<'d>) -> Vec<Pair<'d>> {
    let is_sidecar = |it: &Node<'_>| it.text("restartPolicy") == Some("Always");
    let sidecars = workload.pod.list("initContainers").filter(is_sidecar);
    let running = workload.pod.list("containers").chain(sidecars);
    let all: Vec<Node<'d>> = running.flat_map(|it| it.list("ports")).collect();
    let protocol = |it: Node<'d>| it.text("protocol").filter(|it| !it.is_empty()).unwrap_or("TCP");
    let number = |it: Node<'d>, key: &str| it.get(key).and_then(Node::int).filter(|it| *it != 0);
    let host = |it: Node<'d>| {
        let port = number(it, "hostPort")?;
        Some(format!("{port}/{}/{}", protocol(it), it.text("hostIP").unwrap_or_default()))
    };
    let mut pairs: Vec<Pair<'d>> = twice(all.iter().copied(), host, |_| "")
        .into_iter()
        .map(|it| {
            let port = number(it.second, "hostPort").unwrap_or_default();
            let what = format!("two ports with the port {port} of the node");
            let why = "the API server refuses the object: a node has each port once";
            Pair { what, why, is_refused: true, ..it }
        })
        .collect();
    // Each may be reached by an address of its own.
    let own = |it: Node<'d>| {
        let port = number(it, "containerPort")?;
        number(it, "hostPort").is_none().then(|| format!("{port}/{}", protocol(it)))
    };
    pairs.extend(twice(all.iter().copied(), own, |_| "two ports").into_iter().map(|it| {
        let why = "containers of a pod share one network, in which one process can listen there; an apply drops one of the entries of one container";
        Pair { why, ..it }
    }));
    pairs
}

fn toleration(node: Node<'_>) -> Option<String> {
    let text = |key| node.text(key).unwrap_or_default();
    let operator = if text("operator").is_empty() { "Equal" } else { text("operator") };
    Some(format!("{} {operator} {} {}", text("key"), text("value"), text("effect")))
}
