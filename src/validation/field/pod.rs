//! Pods (`ValidatePodSpec` of `pkg/apis/core/validation`).

use super::Found;
use super::container::{self, Role, Surroundings};
use super::metadata::{self, LABEL};
use super::names::{is_dns_label, is_dns_subdomain, is_label_value, is_qualified_name};
use super::volumes;
use crate::text::tree::Node;
use rustc_hash::FxHashSet;

/// What makes the pods.
pub(super) enum Owner<'d> {
    /// Nothing: it is a pod.
    None,
    /// A controller that keeps them running.
    Controller(Vec<&'d str>),
    /// A Job, or what makes Jobs.
    Job,
}

/// The template of pods.
pub(super) fn template<'d>(template: Node<'d>, owner: &Owner<'d>, found: &mut Found<'d>) {
    if let Some(it) = template.get("metadata").filter(|it| it.is_map()) {
        metadata::labels(it, found);
    }
    if let Some(it) = template.get("spec").filter(|it| it.is_map()) {
        spec(it, owner, found);
    }
}

pub(super) fn spec<'d>(spec: Node<'d>, owner: &Owner<'d>, found: &mut Found<'d>) {
    volumes::volumes(spec, found);
    containers(spec, owner, found);
    restart_policy(spec, owner, found);
    metadata::label_map(spec.get("nodeSelector"), found);
    found.form(spec.get("hostname"), is_dns_label, LABEL);
    found.form(spec.get("subdomain"), is_dns_label, LABEL);
    for name in ["serviceAccountName", "runtimeClassName", "priorityClassName", "nodeName"] {
        found.form(
            spec.get(name),
            is_dns_subdomain,
            "a name of lower case letters, digits, `-` and `.`",
        );
    }
    found.range(spec.get("activeDeadlineSeconds"), 1, i64::from(i32::MAX));
    security(spec, found);
    spec.list("tolerations").for_each(|it| toleration(it, found));
    spread(spec, found);
    affinity(spec, found);
    operating_system(spec, found);
}

fn containers<'d>(spec: Node<'d>, owner: &Owner<'d>, found: &mut Found<'d>) {
    let mut names: Option<Vec<&str>> = Some(Vec::new());
    let claims = match owner {
        Owner::Controller(claims) => claims.as_slice(),
        _ => &[],
    };
    for volume in spec.list("volumes") {
        match volume.text("name") {
            Some(name) if super::is_filled_in_later(name) => names = None,
            Some(name) => names.iter_mut().for_each(|it| it.push(name)),
            None => {}
        }
    }
    names.iter_mut().for_each(|it| it.extend(claims));
    let is_host_network = spec.get("hostNetwork").and_then(Node::bool) == Some(true);
    let around = Surroundings { volumes: names, is_host_network };
    let mut named = FxHashSet::default();
    for (list, role) in [("containers", Role::Main), ("initContainers", Role::Init)] {
        for node in spec.list(list).filter(|it| it.is_map()) {
            container::container(node, role, &around, found);
            found.once(node.get("name"), &mut named, "container");
        }
    }
}

fn restart_policy<'d>(spec: Node<'d>, owner: &Owner<'d>, found: &mut Found<'d>) {
    let policy = spec.get("restartPolicy").filter(|it| it.str() != Some(""));
    match owner {
        Owner::None => found.word(policy, &["Always", "OnFailure", "Never"]),
        Owner::Controller(_) => {
            if let Some(policy) = policy
                && policy.str().is_some_and(|it| it != "Always")
            {
                let says = "is not `Always`, and its controller keeps pods running";
                found.wrong(policy, says, "has to be `Always`", "leave it out, or use a Job");
            }
            if let Some(it) = spec.get("activeDeadlineSeconds") {
                let says = "stands in pods that a controller keeps running";
                found.wrong(it, says, "only for Jobs and pods", "remove it");
            }
        }
        Owner::Job => match policy.map(|it| (it, it.str())) {
            None => {
                let says = "has no `restartPolicy`, and `Always` is not for Jobs";
                let help = "set `restartPolicy: Never` or `OnFailure`";
                found.wrong(spec, says, "`restartPolicy` is required", help);
            }
            Some((_, Some("Never" | "OnFailure")) | (_, None)) => {}
            Some((policy, Some(word))) => {
                let says = format!("is `{word}`, and pods of Jobs come to an end");
                found.wrong(policy, says, "not for Jobs", "write `Never` or `OnFailure`");
            }
        },
    }
}

fn security<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let Some(context) = spec.get("securityContext") else { return };
    for key in ["runAsUser", "runAsGroup", "fsGroup"] {
        found.range(context.get(key), 0, i64::from(i32::MAX));
    }
}

/// `ValidateTolerations`.
fn toleration<'d>(node: Node<'d>, found: &mut Found<'d>) {
    let text = |key| node.text(key).unwrap_or_default();
    let (key, operator, effect) = (text("key"), text("operator"), text("effect"));
    if node.str().is_some()
        || [key, operator, effect].iter().any(|it| super::is_filled_in_later(it))
    {
        return;
    }
    found.form(node.get("key"), is_qualified_name, "the key of a taint");
    if key.is_empty() && operator != "Exists" {
        let says = "has no `key`, and only `operator: Exists` goes without";
        found.wrong(node, says, "no `key`", "set `key`, or `operator: Exists`");
    }
    let seconds = node.get("tolerationSeconds");
    if let Some(seconds) = seconds.filter(|_| effect != "NoExecute") {
        let says = "stands beside another effect than `NoExecute`";
        found.wrong(seconds, says, "only for `NoExecute`", "set `effect: NoExecute`, or remove it");
    }
    let Some(value) = node.get("value") else { return };
    match operator {
        "Exists" if value.str().is_some_and(|it| !it.is_empty()) => {
            let says = "stands beside `operator: Exists`, which takes any value";
            found.wrong(
                value,
                says,
                "a value for nothing",
                "remove it, or write `operator: Equal`",
            );
        }
        "Equal" | "" => found.form(Some(value), is_label_value, "the value of a label"),
        _ => {}
    }
}

/// `validateTopologySpreadConstraints`.
fn spread<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for node in spec.list("topologySpreadConstraints").filter(|it| it.is_map()) {
        found.range(node.get("maxSkew"), 1, i64::MAX);
        found.range(node.get("minDomains"), 1, i64::MAX);
        found.form(node.get("topologyKey"), is_qualified_name, "the key of a label");
        metadata::selector(node.get("labelSelector"), found);
        let when = node.text("whenUnsatisfiable").unwrap_or_default();
        if let Some(domains) = node.get("minDomains").filter(|_| when == "ScheduleAnyway") {
            let says = "stands beside `ScheduleAnyway`, and only `DoNotSchedule` asks for domains";
            found.wrong(domains, says, "only for `DoNotSchedule`", "remove it");
        }
        let key = (node.text("topologyKey").unwrap_or_default(), when);
        if seen.contains(&key) {
            let says = format!("is the second for `{}` with `{}`", key.0, key.1);
            found.wrong(node, says, "the same once more", "keep one of them");
        }
        seen.push(key);
    }
}

/// `validateAffinity`.
fn affinity<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let Some(affinity) = spec.get("affinity") else { return };
    for kind in ["podAffinity", "podAntiAffinity"] {
        let Some(affinity) = affinity.get(kind) else { continue };
        affinity.list("requiredDuringSchedulingIgnoredDuringExecution").for_each(|it| {
            pod_term(it, found);
        });
        for weighted in affinity.list("preferredDuringSchedulingIgnoredDuringExecution") {
            found.range(weighted.get("weight"), 1, 100);
            weighted.get("podAffinityTerm").into_iter().for_each(|it| pod_term(it, found));
        }
    }
    let Some(affinity) = affinity.get("nodeAffinity") else { return };
    let required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution");
    required.into_iter().flat_map(|it| it.list("nodeSelectorTerms")).for_each(|it| {
        node_term(it, found);
    });
    for weighted in affinity.list("preferredDuringSchedulingIgnoredDuringExecution") {
        found.range(weighted.get("weight"), 1, 100);
        weighted.get("preference").into_iter().for_each(|it| node_term(it, found));
    }
}

fn pod_term<'d>(term: Node<'d>, found: &mut Found<'d>) {
    found.form(term.get("topologyKey"), is_qualified_name, "the key of a label");
    metadata::selector(term.get("labelSelector"), found);
    metadata::selector(term.get("namespaceSelector"), found);
}

fn node_term<'d>(term: Node<'d>, found: &mut Found<'d>) {
    for requirement in term.list("matchExpressions") {
        found.form(requirement.get("key"), is_qualified_name, "the key of a label");
        let operators = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];
        found.word(requirement.get("operator"), &operators);
        let count = requirement.get("values").map_or(0, Node::count);
        match requirement.text("operator") {
            Some("In" | "NotIn") if count == 0 => found.missing(requirement, "values"),
            Some(operator @ ("Exists" | "DoesNotExist")) if count > 0 => {
                let says = format!("has `values`, and `{operator}` takes none");
                found.wrong(requirement, says, "values for nothing", "remove `values`");
            }
            Some(operator @ ("Gt" | "Lt")) if count != 1 => {
                let says = format!("has {count} values, and `{operator}` takes one");
                found.wrong(requirement, says, "not one value", "write one number");
            }
            _ => {}
        }
    }
}

/// `validateWindows` and `validateLinux`.
fn operating_system<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    const OF_LINUX: [&str; 6] = [
        "runAsUser",
        "runAsGroup",
        "seLinuxOptions",
        "seccompProfile",
        "appArmorProfile",
        "fsGroup",
    ];
    const OF_LINUX_CONTAINERS: [&str; 5] = [
        "allowPrivilegeEscalation",
        "capabilities",
        "privileged",
        "procMount",
        "readOnlyRootFilesystem",
    ];
    let (system, keys, of_containers): (_, &[&str], &[&str]) =
        match spec.at(&["os", "name"]).and_then(Node::str) {
            Some("windows") => ("windows", &OF_LINUX, &OF_LINUX_CONTAINERS),
            Some("linux") => ("linux", &["windowsOptions"], &[]),
            _ => return,
        };
    let lists = ["containers", "initContainers"].into_iter().flat_map(|it| spec.list(it));
    let of_containers = lists
        .filter_map(|it| it.get("securityContext"))
        .map(|it| (it, keys.iter().chain(of_containers).collect::<Vec<_>>()));
    let own = spec.get("securityContext").map(|it| (it, keys.iter().collect()));
    for (context, keys) in own.into_iter().chain(of_containers).collect::<Vec<_>>() {
        for field in keys.into_iter().filter_map(|it| context.get(it)) {
            let says = format!("is not for pods of {system}");
            found.wrong(field, says, "of another operating system", "remove it, or correct `os`");
        }
    }
}
