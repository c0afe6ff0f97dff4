//! What resources are called, and how much of them there may be: containers, quotas and limits.

use super::Found;
use super::names::is_qualified_name;
use crate::api::quantity::Quantity;
use crate::text::tree::Node;
use rustc_hash::FxHashSet;

/// `limits` and `requests` of a container (`ValidateContainerResourceRequirements` of `pkg/apis/core/validation`).
pub(super) fn of_container<'d>(resources: Node<'d>, found: &mut Found<'d>) {
    for list in ["limits", "requests"].iter().filter_map(|it| resources.get(it)) {
        amounts(list, found);
    }
    let limits = resources.get("limits");
    for (name, _) in limits.into_iter().flat_map(Node::pairs).filter(|it| it.1.is_null()) {
        let request = resources.at(&["requests", name]);
        if let Some(request) = request.filter(|it| amount(*it).is_some_and(|it| !it.is_zero())) {
            let says = "is more than its limit, which `null` makes nothing";
            found.wrong(request, says, "more than nothing", "write the limit, or leave it out");
        }
    }
    for (name, request) in resources.get("requests").into_iter().flat_map(Node::pairs) {
        if is_shared(name) || super::is_filled_in_later(name) {
            continue;
        }
        let limit = limits.and_then(|it| it.get(name));
        let Some(limit) = limit else {
            let says =
                format!("has no limit for `{name}`, of which no more is given than is there");
            found.wrong(request, says, "no limit", "set the same limit");
            continue;
        };
        if let (Some(request_is), Some(limit_is)) = (amount(request), amount(limit))
            && request_is != limit_is
        {
            let says = format!("is not the limit, as `{name}` asks for");
            found.wrong(request, says, "not the limit", "write the same amount for both");
        }
    }
    let names = || ["limits", "requests"].into_iter().filter_map(|it| resources.get(it));
    let names: Vec<_> = names().flat_map(Node::pairs).map(|it| it.0).collect();
    let is_huge = |it: &&str| it.starts_with(HUGE);
    if names.iter().any(is_huge) && !names.iter().any(|it| matches!(*it, "cpu" | "memory")) {
        let says = "asks for huge pages without cpu or memory";
        found.wrong(resources, says, "nothing beside huge pages", "set `memory` or `cpu`");
    }
}

const HUGE: &str = "hugepages-";

/// Resources of which more may be promised than there is (`IsOvercommitAllowed`).
fn is_shared(name: &str) -> bool {
    !name.contains('/') && !name.starts_with(HUGE) || name.contains("kubernetes.io/")
}

/// Names and amounts of what a container or a pod asks for.
pub(super) fn amounts<'d>(list: Node<'d>, found: &mut Found<'d>) {
    for (name, value) in list.pairs() {
        named(name, value, is_of_container, found);
    }
}

pub(super) fn is_of_container(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with(HUGE)
}

/// The name of a resource: one of these, or one with a domain.
fn named<'d>(name: &str, value: Node<'d>, is: fn(&str) -> bool, found: &mut Found<'d>) {
    if super::is_filled_in_later(name) {
        return;
    }
    let is_known = if name.contains('/') { is_qualified_name(name) } else { is(name) };
    if !is_known {
        let says = format!("is of `{name}`, a resource that there is not here");
        let help = "write `cpu`, `memory` or another that is known, or one with a domain: `example.com/gpu`";
        found.wrong(value, says, "no such resource", help);
    }
}

fn amount(node: Node<'_>) -> Option<Quantity> {
    Quantity::parse(&node.scalar()?).ok()
}

/// What a quota may count without a domain (`standardQuotaResources` of `pkg/apis/core/helper`).
fn is_of_quota(name: &str) -> bool {
    const MEASURED: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
    let bare = name.strip_prefix("requests.").or_else(|| name.strip_prefix("limits."));
    let is_measured = |it: &str| MEASURED.contains(&it);
    COUNTED.contains(&name)
        || is_measured(bare.unwrap_or(name))
        || name == "requests.storage"
        || name.starts_with(HUGE)
        || name.starts_with("requests.hugepages-")
}

/// `ValidateResourceQuotaSpec`.
pub(super) fn quota<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let hard = spec.get("hard");
    for (name, value) in hard.into_iter().flat_map(Node::pairs) {
        named(name, value, is_of_quota, found);
    }
    let names: Vec<_> = hard.into_iter().flat_map(Node::pairs).map(|it| it.0).collect();
    let mut scopes = FxHashSet::default();
    for scope in spec.list("scopes") {
        found.known(scope, &SCOPES);
        applied(scope, scope, &names, found);
        scopes.extend(scope.str());
    }
    for requirement in
        spec.at(&["scopeSelector", "matchExpressions"]).into_iter().flat_map(Node::items)
    {
        selected(requirement, &names, found);
        scopes.extend(requirement.text("scopeName"));
    }
    for pair in [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]] {
        if pair.iter().all(|it| scopes.contains(it)) {
            let says = format!("asks for `{}` and `{}`, which no pod is", pair[0], pair[1]);
            found.wrong(spec, says, "scopes that exclude each other", "keep one of them");
        }
    }
}

const COUNTED: [&str; 9] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

const SCOPES: [&str; 7] = [
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
];

/// Whether what is counted has the scope at all (`IsResourceQuotaScopeValidForResource`).
fn applied<'d>(scope: Node<'d>, at: Node<'d>, names: &[&str], found: &mut Found<'d>) {
    const COMPUTE: [&str; 7] =
        ["cpu", "limits.cpu", "limits.memory", "memory", "pods", "requests.cpu", "requests.memory"];
    let Some(word) = scope.str() else { return };
    let of: &[&str] = match word {
        "BestEffort" => &["pods"],
        "VolumeAttributesClass" => &["persistentvolumeclaims", "requests.storage"],
        _ if SCOPES.contains(&word) => &COMPUTE,
        _ => return,
    };
    let other = names.iter().find(|it| is_of_quota(it) && !of.contains(it));
    if let Some(other) = other {
        let says = format!("is `{word}`, which does not go with `{other}` of `hard`");
        found.wrong(at, says, "not of this scope", format!("limit `{other}` in another quota"));
    }
}

/// `validateScopedResourceSelectorRequirement`.
fn selected<'d>(requirement: Node<'d>, names: &[&str], found: &mut Found<'d>) {
    if let Some(scope) = requirement.get("scopeName") {
        found.known(scope, &SCOPES);
        applied(scope, scope, names, found);
    }
    found.word(requirement.get("operator"), &["DoesNotExist", "Exists", "In", "NotIn"]);
    let count = requirement.get("values").map_or(0, Node::count);
    let operator = requirement.text("operator").unwrap_or_default();
    let is_plain =
        !matches!(requirement.text("scopeName"), Some("PriorityClass" | "VolumeAttributesClass"));
    if is_plain && matches!(operator, "In" | "NotIn" | "DoesNotExist") {
        let at = requirement.get("operator").unwrap_or(requirement);
        let says =
            format!("is `{operator}`, and of this scope it can only be asked whether it is there");
        found.wrong(at, says, "has to be `Exists`", "write `Exists`");
    }
    match operator {
        "In" | "NotIn" if count == 0 => found.missing(requirement, "values"),
        "Exists" | "DoesNotExist" if count > 0 => {
            let says = format!("has `values`, and `{operator}` takes none");
            found.wrong(requirement, says, "values for nothing", "remove `values`");
        }
        _ => {}
    }
}

/// `ValidateLimitRange`.
pub(super) fn limits<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let mut types = FxHashSet::default();
    for limit in spec.list("limits") {
        limit_type(limit, found);
        found.once(limit.get("type"), &mut types, "item");
        bounds(limit, found);
    }
}

fn limit_type<'d>(limit: Node<'d>, found: &mut Found<'d>) {
    let kind = limit.text("type").unwrap_or_default();
    match kind.contains('/') {
        true => found.form(limit.get("type"), is_qualified_name, "a type with a domain"),
        false => found.word(limit.get("type"), &["Container", "PersistentVolumeClaim", "Pod"]),
    }
    for it in ["default", "defaultRequest"].iter().filter_map(|it| limit.get(it)) {
        if kind == "Pod" && it.count() > 0 {
            let says = "is set for `type: Pod`, which has no defaults";
            found.wrong(it, says, "not for pods", "set it for `type: Container`");
        }
    }
    let has = |key: &str| limit.at(&[key, "storage"]).is_some();
    if kind == "PersistentVolumeClaim" && !has("min") && !has("max") {
        let says = "has neither a least nor a most of `storage`";
        found.wrong(limit, says, "no bound", "set `min` or `max`");
    }
}

/// Bounds and defaults that go together, of every resource.
fn bounds<'d>(limit: Node<'d>, found: &mut Found<'d>) {
    let is_of_pods = matches!(limit.text("type"), Some("Container" | "Pod"));
    const KEYS: [&str; 5] = ["min", "defaultRequest", "default", "max", "maxLimitRequestRatio"];
    let lists = KEYS.map(|it| limit.get(it));
    for (name, value) in lists.iter().flatten().flat_map(|it| it.pairs()) {
        let is = if is_of_pods { is_of_container } else { is_of_limits };
        named(name, value, is, found);
    }
    let of = |at: usize, name: &str| {
        let node = lists[at]?.get(name)?;
        Some((node, amount(node)?))
    };
    // Each of these is at most each of those after it.
    for (low, high) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
        for (name, _) in lists[low].into_iter().flat_map(Node::pairs) {
            let (Some((at, least)), Some((_, most))) = (of(low, name), of(high, name)) else {
                continue;
            };
            if least > most {
                let says = format!(
                    "is {}, more than `{}`, {}",
                    least.show(name),
                    KEYS[high],
                    most.show(name)
                );
                found.wrong(at, says, "too much", format!("write {} at most", most.show(name)));
            }
        }
    }
    for (name, _) in lists[4].into_iter().flat_map(Node::pairs) {
        let Some((at, ratio)) = of(4, name) else { continue };
        if ratio < Quantity::units(1) {
            found.wrong(at, "is less than 1", "too small", "write 1 or more");
        } else if let (Some((_, least)), Some((_, most))) = (of(0, name), of(3, name))
            && least > Quantity::default()
            && ratio.ratio(Quantity::units(1)) > most.ratio(least)
        {
            let says = format!("is more than `max` ÷ `min` of `{name}` gives");
            found.wrong(at, says, "too large", "write a smaller one");
        }
    }
}

/// What a limit may be of without a domain (`standardResources`).
fn is_of_limits(name: &str) -> bool {
    is_of_quota(name) || name == "storage"
}
