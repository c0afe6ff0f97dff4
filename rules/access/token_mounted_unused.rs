//! Pods with a token of the API server that no binding gives any rights.

use crate::absence::{Absence, Wanted};
use crate::analyze::access::account;
use crate::analyze::access::subjects::Who;
use crate::analyze::access::tokens::{AUTOMOUNT, mounts_token};
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::judged::NAMESPACES;
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "token-mounted-unused",
    title: "a pod mounts a token of the API server that no binding gives any rights",
    severity: Severity::Note,
    group: Group::Access,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[
        Kind::ServiceAccount,
        Kind::RoleBinding,
        Kind::ClusterRoleBinding,
        Kind::Role,
        Kind::ClusterRole,
    ],
    like: &[
        "gatekeeper:automount-serviceaccount-token",
        "polaris:automountServiceAccountToken",
        "popeye:301",
        "popeye:303",
    ],
    parameters: &[NAMESPACES],
    page: include_str!("token_mounted_unused.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let mut unseen_of: FxHashMap<&str, Option<Absence>> = FxHashMap::default();
    for workload in cx.facts.workloads().iter() {
        let object = cx.object(workload.object);
        let is_bound = cx.facts.access().is_bound(workload.namespace, account(workload));
        if is_bound || !cx.is_judged(object) {
            continue;
        }
        let mounts = mounts_token(cx.model, workload);
        if mounts == Some(false) {
            continue;
        }
        let namespace = workload.namespace;
        let unseen = unseen_of.entry(namespace).or_insert_with(|| unseen(cx, namespace));
        match (mounts, unseen) {
            (Some(_), None) => out.find(unused(object, workload)),
            (_, Some(Absence::CannotTell(missing))) => out.cannot_tell(object, missing.clone()),
            // The account may say that nothing is mounted; that it is not there, another rule says.
            (None, _) | (_, Some(_)) => {}
        }
    }
    for object in cx.model.of_kind(Kind::ServiceAccount) {
        if cx.is_judged(object) {
            out.findings.extend(mounted_by_none(cx, object));
        }
    }
}

/// Why there may be a binding that the input does not hold; `None` where there is none.
fn unseen(cx: &Cx<'_, '_>, namespace: &str) -> Option<Absence> {
    match cx.absence_of(Wanted::any(Kind::RoleBinding, namespace)) {
        Absence::Absent => {
            let elsewhere = cx.unseen(Wanted::any(Kind::ClusterRoleBinding, ""));
            elsewhere.map(Absence::CannotTell)
        }
        other => Some(other),
    }
}

fn unused(object: &Object<'_>, workload: &Workload<'_>) -> Finding {
    let name = account(workload);
    let message =
        format!("`{object}` mounts a token of ServiceAccount `{name}`, which no binding names");
    let text = match workload.pod.get(AUTOMOUNT) {
        Some(_) => "mounted",
        None => "mounted where nothing is said",
    };
    Finding::new(message, object.at(&workload.pod_path(AUTOMOUNT)), text)
        .note("whoever gets into the pod has a credential of the cluster that the program does not use")
        .help(format!("set `{AUTOMOUNT}: false` in the pod or its ServiceAccount"))
}

/// A ServiceAccount that mounts its token where none of its pods does.
fn mounted_by_none(cx: &Cx<'_, '_>, object: &Object<'_>) -> Option<Finding> {
    let mounts = object.root.get(AUTOMOUNT).filter(|it| it.bool() == Some(true))?;
    let access = cx.facts.access();
    let pods = access.workloads(Who::Account(object.namespace, object.name));
    let says_no =
        |workload: &Workload<'_>| workload.pod.get(AUTOMOUNT).and_then(Node::bool) == Some(false);
    let all = cx.facts.workloads();
    if pods.is_empty() || !pods.iter().all(|it| says_no(all.get(*it))) {
        return None;
    }
    let message = format!("`{object}` mounts its token by default, and none of its pods wants it");
    let mut finding = Finding::new(message, object.place(mounts), "counts for the next pod");
    let first = cx.object(all.get(*pods.first()?).object);
    finding = finding.note(format!("the pods of `{first}` say `{AUTOMOUNT}: false` themselves"));
    Some(finding.help(format!("set `{AUTOMOUNT}: false` here as well")))
}
