//! Pods (`ValidatePodSpec` of `pkg/apis/core/validation`).

use super::Found;
use super::cluster::is_address;
use super::container::{self, Role, Surroundings};
use super::metadata::{self, LABEL};
use super::names::{is_dns_label, is_dns_subdomain, is_label_value, is_qualified_name};
use super::{resources, volumes};
use crate::api::version::KubernetesVersion;
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
    if let Some(class) = spec.get("runtimeClassName").filter(|it| it.str() == Some("")) {
        found.wrong(class, "is empty", "empty", "name a RuntimeClass, or remove it");
    }
    for name in ["serviceAccountName", "runtimeClassName", "priorityClassName", "nodeName"] {
        found.form(
            spec.get(name),
            is_dns_subdomain,
            "a name of lower case letters, digits, `-` and `.`",
        );
    }
    found.range(spec.get("activeDeadlineSeconds"), 1, i64::from(i32::MAX));
    found.word(spec.get("preemptionPolicy"), &["Never", "PreemptLowerPriority"]);
    security(spec, found);
    network(spec, found);
    gates(spec, found);
    claims(spec, found);
    if let Some(overhead) = spec.get("overhead") {
        resources::amounts(overhead, found);
    }
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

/// Images of pods themselves; those of templates may have spaces around them (`ValidatePodCreate`).
pub(super) fn images<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    for list in ["containers", "initContainers"] {
        for image in spec.list(list).filter_map(|it| it.get("image")) {
            let what = "the name of an image, without spaces around it";
            found.form(Some(image), |it| it.trim() == it, what);
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

/// `validatePodSpecSecurityContext`.
fn security<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let is_on = |key: &str| spec.get(key).and_then(Node::bool) == Some(true);
    let shared = spec.get("shareProcessNamespace").filter(|it| it.bool() == Some(true));
    if let Some(shared) = shared.filter(|_| is_on("hostPID")) {
        let says = "is true beside `hostPID`, which shares more";
        found.wrong(shared, says, "contradicts `hostPID`", "keep one of them");
    }
    let Some(context) = spec.get("securityContext").filter(|it| it.is_map()) else { return };
    for key in ["runAsUser", "runAsGroup", "fsGroup"] {
        found.range(context.get(key), 0, i64::from(i32::MAX));
    }
    for group in context.list("supplementalGroups") {
        found.range(Some(group), 0, i64::from(i32::MAX));
    }
    found.word(context.get("fsGroupChangePolicy"), &["Always", "OnRootMismatch"]);
    found.word(context.get("supplementalGroupsPolicy"), &["Merge", "Strict"]);
    profiles(context, found);
    let mut names = FxHashSet::default();
    for sysctl in context.list("sysctls") {
        found.form(sysctl.get("name"), is_sysctl, "the name of a kernel parameter");
        found.once(sysctl.get("name"), &mut names, "kernel parameter");
        let Some(name) = sysctl.get("name") else { continue };
        let text = name.str().unwrap_or_default();
        // `ValidateHostSysctl`: of the node's own namespace nothing is set.
        let is_of = |prefixes: &[&str]| prefixes.iter().any(|it| text.starts_with(it));
        let of_network = is_on("hostNetwork") && is_of(&["net.", "net/"]);
        let of_messages = is_on("hostIPC")
            && is_of(&[
                "kernel.shm",
                "kernel.msg",
                "kernel.sem",
                "fs.mqueue.",
                "kernel/shm",
                "kernel/msg",
                "kernel/sem",
                "fs/mqueue/",
            ]);
        if of_network || of_messages {
            let says = format!("is `{text}`, of the node itself under `hostNetwork` or `hostIPC`");
            found.wrong(name, says, "of the node", "remove it");
        }
    }
}

/// `IsValidSysctlName`.
fn is_sysctl(text: &str) -> bool {
    let is_part = |it: &str| {
        let bytes = it.as_bytes();
        let ends = [bytes.first(), bytes.last()];
        ends.iter().all(|it| it.is_some_and(|it| it.is_ascii_lowercase() || it.is_ascii_digit()))
            && bytes.iter().all(|it| {
                it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, b'-' | b'_')
            })
    };
    let is_last = |it: &str| it.split('.').all(is_part);
    text.len() <= 253 && text.split('/').all(is_last)
}

/// `seccompProfile` and `appArmorProfile` of a pod or a container.
pub(super) fn profiles<'d>(context: Node<'d>, found: &mut Found<'d>) {
    for key in ["seccompProfile", "appArmorProfile"] {
        let Some(profile) = context.get(key).filter(|it| it.is_map()) else { continue };
        found.word(profile.get("type"), &["Localhost", "RuntimeDefault", "Unconfined"]);
        let local = profile.get("localhostProfile");
        match (profile.text("type"), local) {
            (Some("Localhost"), None) => found.missing(profile, "localhostProfile"),
            (Some("Localhost"), local) if key == "seccompProfile" => {
                found.form(local, volumes::descends, "a relative path without `..`");
            }
            (Some("RuntimeDefault" | "Unconfined"), Some(local)) => {
                let says = "stands beside another `type` than `Localhost`";
                found.wrong(local, says, "of another type", "remove it");
            }
            _ => {}
        }
    }
}

/// Names and servers that the pod resolves with, and its own (`validatePodDNSConfig`, `ValidateHostAliases`).
fn network<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    const POLICIES: [&str; 4] = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
    found.word(spec.get("dnsPolicy"), &POLICIES);
    let config = spec.get("dnsConfig").filter(|it| it.is_map());
    let servers = config.and_then(|it| it.get("nameservers"));
    if let Some(policy) = spec.get("dnsPolicy").filter(|it| it.str() == Some("None"))
        && servers.is_none_or(|it| it.count() == 0)
    {
        let says = "is `None`, and no server is named";
        found.wrong(policy, says, "no server", "set `dnsConfig: {nameservers: …}`");
    }
    for (list, most) in [("nameservers", 3), ("searches", 32)] {
        let list = config.and_then(|it| it.get(list));
        if let Some(list) = list.filter(|it| it.count() > most) {
            let says = format!("has more than {most} entries");
            found.wrong(list, says, "too many", format!("keep {most} at most"));
        }
    }
    let address = "an address: `10.0.0.10`";
    servers
        .into_iter()
        .flat_map(Node::items)
        .for_each(|it| found.required_form(it, is_address, address));
    for search in config.into_iter().flat_map(|it| it.list("searches")) {
        let is = |it: &str| {
            let name = it.strip_suffix('.').unwrap_or(it);
            it == "." || is_dns_subdomain(&name.replace('_', "a"))
        };
        found.form(Some(search), is, "a domain");
    }
    for option in config.into_iter().flat_map(|it| it.list("options")) {
        found.required(option, &["name"]);
    }
    for alias in spec.list("hostAliases") {
        found.form(alias.get("ip"), is_address, address);
        for name in alias.list("hostnames") {
            found.required_form(name, is_dns_subdomain, "the name of a host");
        }
    }
}

/// Conditions and gates are qualified names.
fn gates<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let what = "a name: `example.com/name`";
    for gate in spec.list("readinessGates") {
        found.form(gate.get("conditionType"), is_qualified_name, what);
    }
    let mut names = FxHashSet::default();
    for gate in spec.list("schedulingGates") {
        found.form(gate.get("name"), is_qualified_name, what);
        found.once(gate.get("name"), &mut names, "gate");
    }
}

/// `validatePodResourceClaims`, and what containers use of them.
fn claims<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let mut names = FxHashSet::default();
    for claim in spec.list("resourceClaims").filter(|it| it.is_map()) {
        found.form(claim.get("name"), is_dns_label, LABEL);
        found.once(claim.get("name"), &mut names, "claim");
        container::exactly_one(
            claim,
            &["resourceClaimName", "resourceClaimTemplateName"],
            "source",
            found,
        );
        for key in ["resourceClaimName", "resourceClaimTemplateName"] {
            found.form(claim.get(key), is_dns_subdomain, metadata::SUBDOMAIN);
        }
    }
    let containers = ["containers", "initContainers"].into_iter().flat_map(|it| spec.list(it));
    for used in containers.filter_map(|it| it.get("resources")).flat_map(|it| it.list("claims")) {
        let Some(name) = used.get("name").filter(|it| it.str() != Some("")) else { continue };
        if name.str().is_some_and(|it| !names.contains(it)) {
            let says = "names a claim that the pod does not have";
            found.wrong(name, says, "no such claim", "add it to `resourceClaims` of the pod");
        }
    }
}

/// `ValidateTolerations`.
pub(super) fn toleration<'d>(node: Node<'d>, found: &mut Found<'d>) {
    let text = |key| node.text(key).unwrap_or_default();
    let (key, operator, effect) = (text("key"), text("operator"), text("effect"));
    if node.str().is_some()
        || [key, operator, effect].iter().any(|it| super::is_filled_in_later(it))
    {
        return;
    }
    found.form(node.get("key"), is_qualified_name, "the key of a taint");
    found.word(node.get("effect"), &["NoExecute", "NoSchedule", "PreferNoSchedule"]);
    let operators: &[&str] = match found.settings.version < KubernetesVersion::minor(35) {
        true => &["Equal", "Exists"],
        false => &["Equal", "Exists", "Gt", "Lt"],
    };
    found.word(node.get("operator"), operators);
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
        metadata::selector(node.get("labelSelector"), found);
        found.word(node.get("nodeAffinityPolicy"), &["Honor", "Ignore"]);
        found.word(node.get("nodeTaintsPolicy"), &["Honor", "Ignore"]);
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
    for namespace in term.list("namespaces") {
        found.required_form(namespace, is_dns_label, LABEL);
    }
    for key in ["matchLabelKeys", "mismatchLabelKeys"] {
        if let Some(keys) = term.get(key).filter(|it| it.count() > 0)
            && term.get("labelSelector").is_none()
        {
            let says = "stands without a `labelSelector`, which it adds to";
            found.wrong(keys, says, "for nothing", "set `labelSelector`");
        }
        term.list(key)
            .for_each(|it| found.required_form(it, is_qualified_name, "the key of a label"));
    }
    found.form(term.get("topologyKey"), is_qualified_name, "the key of a label");
    metadata::selector(term.get("labelSelector"), found);
    metadata::selector(term.get("namespaceSelector"), found);
}

pub(super) fn node_term<'d>(term: Node<'d>, found: &mut Found<'d>) {
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
        if matches!(requirement.text("operator"), Some("In" | "NotIn")) {
            requirement.list("values").for_each(|it| metadata::label_value(it, found));
        }
        for value in requirement.list("values") {
            if matches!(requirement.text("operator"), Some("Gt" | "Lt"))
                && value.str().is_some_and(|it| it.parse::<i64>().is_err())
            {
                found.wrong(value, "is no whole number", "no number", "write a whole number");
            }
        }
    }
    for requirement in term.list("matchFields") {
        found.word(requirement.get("key"), &["metadata.name"]);
        found.word(requirement.get("operator"), &["In", "NotIn"]);
        if requirement.get("values").is_none_or(|it| it.count() != 1) {
            let says = "has not exactly one value";
            found.wrong(requirement, says, "not one value", "write one name");
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
