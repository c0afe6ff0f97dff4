//! Which requests an API server serves first (`pkg/apis/flowcontrol/validation`).

use super::metadata::{LABEL, SUBDOMAIN};
use super::names::{is_dns_label, is_dns_subdomain};
use super::{Found, is_set, parts};
use crate::text::tree::Node;

pub(super) fn flow<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    found.range(spec.get("matchingPrecedence"), 0, 10000);
    found.word(spec.at(&["distinguisherMethod", "type"]), &["ByNamespace", "ByUser"]);
    match spec.get("priorityLevelConfiguration").filter(|it| it.is_map()) {
        None => found.missing(spec, "priorityLevelConfiguration"),
        Some(level) => {
            found.required(level, &["name"]);
            found.form(level.get("name"), is_dns_subdomain, SUBDOMAIN);
        }
    }
    for rule in parts(spec, "rules") {
        found.required(rule, &["subjects"]);
        parts(rule, "subjects").for_each(|it| subject(it, found));
        if !is_set(rule, "resourceRules") && !is_set(rule, "nonResourceRules") {
            let says = "has neither `resourceRules` nor `nonResourceRules`";
            found.wrong(rule, says, "nothing that it is about", "set one of them");
        }
        for part in parts(rule, "resourceRules") {
            for namespace in part.list("namespaces").filter(|it| it.str() != Some("*")) {
                found.required_form(namespace, is_dns_label, LABEL);
            }
            lists(part, &["verbs", "apiGroups", "resources"], found);
            let is_of_cluster = part.get("clusterScope").and_then(Node::bool) == Some(true);
            if !is_of_cluster && !is_set(part, "namespaces") {
                found.missing(part, "namespaces");
            }
            lone_wildcard(part, "namespaces", found);
        }
        for part in parts(rule, "nonResourceRules") {
            let is = |it: &str| {
                it == "*" || it.starts_with('/') && !it.contains("//") && !it.contains(' ')
            };
            for url in part.list("nonResourceURLs") {
                found.required_form(url, is, "a path: `/healthz`");
            }
            lists(part, &["verbs", "nonResourceURLs"], found);
        }
    }
}

fn lists<'d>(part: Node<'d>, keys: &[&str], found: &mut Found<'d>) {
    const VERBS: [&str; 9] = [
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "proxy",
        "update",
        "watch",
    ];
    found.required(part, keys);
    keys.iter().for_each(|key| lone_wildcard(part, key, found));
    let verbs = part.list("verbs").filter(|it| it.str() != Some("*"));
    // Of URLs there are others; those are not looked at.
    if keys.contains(&"resources") {
        verbs.for_each(|it| found.known(it, &VERBS));
    }
}

fn lone_wildcard<'d>(part: Node<'d>, key: &str, found: &mut Found<'d>) {
    let list = part.get(key).filter(|it| it.count() > 1);
    if let Some(list) = list.filter(|it| it.items().any(|it| it.str() == Some("*"))) {
        let says = "has `*` beside others, which it stands for already";
        found.wrong(list, says, "more than all", "keep `*` alone, or leave it out");
    }
}

fn subject<'d>(subject: Node<'d>, found: &mut Found<'d>) {
    const KINDS: [(&str, &str); 3] =
        [("Group", "group"), ("ServiceAccount", "serviceAccount"), ("User", "user")];
    found.word(subject.get("kind"), &KINDS.map(|it| it.0));
    found.required(subject, &["kind"]);
    let account = subject.get("serviceAccount");
    found.form(account.and_then(|it| it.get("namespace")), is_dns_label, LABEL);
    let due = KINDS.iter().find(|it| subject.text("kind") == Some(it.0)).map(|it| it.1);
    let Some(due) = due else { return };
    match subject.get(due).filter(|it| it.is_map()) {
        None => found.missing(subject, due),
        Some(it) => found
            .required(it, if due == "serviceAccount" { &["name", "namespace"] } else { &["name"] }),
    }
    for other in KINDS.iter().filter(|it| it.1 != due).filter_map(|it| subject.get(it.1)) {
        found.wrong(other, "stands beside another `kind`", "of another kind", "remove it");
    }
}

pub(super) fn level<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    found.word(spec.get("type"), &["Exempt", "Limited"]);
    found.required(spec, &["type"]);
    let (due, other) = match spec.text("type") {
        Some("Limited") => ("limited", "exempt"),
        Some("Exempt") => ("exempt", "limited"),
        _ => return,
    };
    if let Some(it) = spec.get(other) {
        found.wrong(it, "stands beside another `type`", "of another type", "remove it");
    }
    let Some(node) = spec.get(due).filter(|it| it.is_map()) else {
        if due == "limited" {
            found.missing(spec, due);
        }
        return;
    };
    found.not_negative(node, &["nominalConcurrencyShares", "borrowingLimitPercent"]);
    found.range(node.get("lendablePercent"), 0, 100);
    let Some(response) = node.get("limitResponse").filter(|it| it.is_map()) else {
        if due == "limited" {
            found.missing(node, "limitResponse");
        }
        return;
    };
    found.word(response.get("type"), &["Queue", "Reject"]);
    found.required(response, &["type"]);
    let queuing = response.get("queuing").filter(|it| it.is_map());
    match (response.text("type"), queuing) {
        (Some("Queue"), None) => found.missing(response, "queuing"),
        (Some("Queue"), Some(queuing)) => {
            // 0 stands for the default.
            found.not_negative(queuing, &["handSize", "queueLengthLimit"]);
            found.range(queuing.get("queues"), 0, 10_000_000);
            let queues = queuing.get("queues").and_then(Node::int).filter(|it| *it > 0);
            // 64 unless it is set (SetDefaults_QueuingConfiguration).
            found.range(queuing.get("handSize"), 0, queues.unwrap_or(64));
        }
        (Some("Reject"), Some(queuing)) => {
            let says = "stands beside `type: Reject`";
            found.wrong(queuing, says, "for nothing", "set `type: Queue`, or remove it");
        }
        _ => {}
    }
}
