//! What the rules about access have in common: the bindings that are judged, whom they give what their role allows, and
//! one finding for each binding whose role allows something of a kind.

use crate::analyze::access::roles::Role;
use crate::analyze::access::rule::{RoleRule, Wish};
use crate::analyze::access::subjects::{Subject, Who};
use crate::analyze::access::{Binding, account};
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Cx, Finding, Preset, Severity};
use std::fmt::Write;

/// What all rules about bindings look at.
pub(super) const READS: &[Kind] =
    &[Kind::RoleBinding, Kind::ClusterRoleBinding, Kind::Role, Kind::ClusterRole];

/// So many workloads are pointed to; the others are counted.
const MOST_WORKLOADS: usize = 5;

/// So many things that a role allows are named in a message; all are pointed to.
const MOST_POWERS: usize = 4;

/// Where a resource lives. What is in no namespace is not reached through a binding of one
/// (`pkg/registry/rbac/validation/rule.go`, VisitRulesFor).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lives {
    InNamespaces,
    InTheCluster,
}

/// Something that a role may allow.
#[derive(Debug)]
pub(super) struct Power {
    pub(super) verbs: &'static [&'static str],
    pub(super) group: &'static str,
    pub(super) resource: &'static str,
    pub(super) lives: Lives,
    /// What it leads to.
    pub(super) leads: &'static str,
}

/// A binding that is judged, with its role.
#[derive(Clone, Copy)]
pub(super) struct Grant<'c, 'd> {
    pub(super) binding: &'c Binding<'d>,
    pub(super) object: &'c Object<'d>,
    pub(super) role: &'c Role<'d>,
}

/// What a rule of a role allows of a power.
pub(super) struct Hit<'c, 'd> {
    pub(super) power: &'static Power,
    pub(super) verbs: Vec<&'static str>,
    pub(super) rule: &'c RoleRule<'d>,
}

/// The bindings that are judged, whose roles are known.
pub(super) fn grants<'c, 'd>(cx: &'c Cx<'c, 'd>) -> impl Iterator<Item = Grant<'c, 'd>> {
    let access = cx.facts.access();
    access.bindings().filter_map(move |binding| {
        let object = cx.object(binding.object);
        if !is_judged(cx, object) {
            return None;
        }
        let grant = Grant { binding, object, role: cx.facts.roles().of(binding)? };
        grant.subjects(cx).next().is_some().then_some(grant)
    })
}

/// Whether a binding is one that somebody wrote: those of the API server itself are labelled so.
pub(super) fn is_judged(cx: &Cx<'_, '_>, binding: &Object<'_>) -> bool {
    let is_made = |(key, _): &(&str, &str)| *key == "kubernetes.io/bootstrapping";
    cx.is_judged(binding) && !binding.labels().iter().any(is_made)
}

impl<'c, 'd> Grant<'c, 'd> {
    /// Its subjects apart from the control plane, and from accounts of namespaces that are not judged.
    pub(super) fn subjects(self, cx: &Cx<'_, '_>) -> impl Iterator<Item = &'c Subject<'d>> {
        let subjects = self.binding.subjects.iter();
        subjects.filter(|it| match it.who {
            Who::Account(namespace, _) | Who::AccountsOf(namespace) => {
                cx.is_judged_namespace(namespace)
            }
            Who::ControlPlane(_) => false,
            _ => true,
        })
    }

    /// Whether it is for the whole cluster.
    pub(super) fn is_cluster_wide(self) -> bool {
        self.binding.namespace.is_empty()
    }

    /// What the role allows of these. Of a role that allows everything another rule speaks.
    pub(super) fn hits(self, powers: &'static [Power]) -> Vec<Hit<'c, 'd>> {
        if self.role.allows_everything() {
            return Vec::new();
        }
        let reached =
            powers.iter().filter(|it| self.is_cluster_wide() || it.lives == Lives::InNamespaces);
        let rules = &self.role.rules;
        reached.flat_map(|power| rules.iter().filter_map(move |rule| hit(power, rule))).collect()
    }

    /// The finding that says whom it gives what, in the words of `what`, and which workloads get it.
    pub(super) fn finding(self, cx: &Cx<'_, '_>, what: &str) -> Finding {
        let subjects: Vec<_> = self.subjects(cx).collect();
        let whom = match subjects.as_slice() {
            [one] => one.who.to_string(),
            [first, rest @ ..] => format!("{} and {} more", first.who, rest.len()),
            [] => "nobody".into(),
        };
        let place = match self.binding.namespace {
            "" => "in the whole cluster".into(),
            namespace => format!("in namespace `{namespace}`"),
        };
        let message = format!("`{}` lets {whom} {what} {place}", self.object);
        let role = format!("`{}/{}`", self.role.kind.name(), self.role.name);
        let mut finding = Finding::new(message, self.object.at("roleRef"), role);
        for subject in subjects.iter().take(MOST_WORKLOADS) {
            finding = finding.label(self.object.place(subject.node), "may do so");
        }
        if self.role.object.is_none() {
            finding = finding.note(format!("every API server brings {}", self.named()));
        }
        self.workloads(cx, &subjects, finding)
    }

    fn named(self) -> String {
        format!("`{}/{}`", self.role.kind.name(), self.role.name)
    }

    /// Names the workloads that run as one of the subjects: who gets into their pods gets what is allowed here.
    fn workloads(
        self,
        cx: &Cx<'_, '_>,
        subjects: &[&Subject<'d>],
        mut finding: Finding,
    ) -> Finding {
        let access = cx.facts.access();
        let lists: Vec<_> = subjects.iter().map(|it| access.workloads(it.who)).collect();
        let total: usize = lists.iter().map(|it| it.len()).sum();
        let first = lists.iter().copied().flatten().take(MOST_WORKLOADS);
        let mut names = String::new();
        for id in first {
            let workload = cx.facts.workloads().get(*id);
            let object = cx.object(workload.object);
            let field = ["serviceAccountName", "serviceAccount"]
                .into_iter()
                .find(|it| workload.pod.get(it).is_some());
            let place = object.at(&workload.pod_path(field.unwrap_or_default()));
            finding = finding.hint(place, format!("runs as `{}`", account(workload)));
            let comma = if names.is_empty() { "" } else { ", " };
            let _ = write!(names, "{comma}`{object}`");
        }
        match total {
            0 => finding,
            _ if total > MOST_WORKLOADS => finding.note(format!(
                "whoever gets into a pod of {names} or of {} more workloads may do so",
                total - MOST_WORKLOADS
            )),
            _ => finding.note(format!("whoever gets into a pod of {names} may do so")),
        }
    }
}

fn hit<'c, 'd>(power: &'static Power, rule: &'c RoleRule<'d>) -> Option<Hit<'c, 'd>> {
    let (group, resource) = (power.group, power.resource);
    let verbs = power.verbs.iter().copied();
    let verbs: Vec<_> = verbs.filter(|verb| rule.allows(Wish { verb, group, resource })).collect();
    (!verbs.is_empty()).then_some(Hit { power, verbs, rule })
}

/// What the hits are, in words: "get and list `secrets`".
pub(super) fn words(hits: &[Hit<'_, '_>]) -> String {
    let mut told: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for hit in hits {
        let resource = hit.power.resource;
        if told.iter().any(|it| it.1.contains(&resource) && it.0 == hit.verbs) {
            continue;
        }
        match told.iter_mut().find(|it| it.0 == hit.verbs) {
            Some(it) => it.1.push(resource),
            None => told.push((hit.verbs.clone(), vec![resource])),
        }
    }
    let each = told.iter().map(|(verbs, resources)| {
        let more = resources.len().saturating_sub(MOST_POWERS);
        let mut names: Vec<_> =
            resources.iter().take(MOST_POWERS).map(|it| format!("`{it}`")).collect();
        if more > 0 {
            names.push(format!("{more} more"));
        }
        format!("{} {}", listed(verbs), listed(&names))
    });
    each.collect::<Vec<_>>().join(", ")
}

/// "a", "a and b", "a, b and c".
pub(super) fn listed(words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => (*one).into(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The finding about these hits, if there are any. What is bounded by names, or by a namespace that somebody owns, is a
/// note that only the preset `strict` asks for.
pub(super) fn report(
    cx: &Cx<'_, '_>,
    grant: Grant<'_, '_>,
    hits: &[Hit<'_, '_>],
    severity: Severity,
) -> Option<Finding> {
    let is_named = hits.iter().all(|it| !it.rule.names.is_empty());
    let is_advice = is_named || is_usual(grant);
    if hits.is_empty() || is_advice && !cx.asks_for(Preset::Strict) {
        return None;
    }
    let mut finding = grant.finding(cx, &words(hits));
    let mut pointed = Vec::new();
    for hit in hits {
        let Some((object, node)) = hit.rule.written else { continue };
        if !pointed.contains(&node.index()) {
            pointed.push(node.index());
            let text = format!("{} `{}`", listed(&hit.verbs), hit.power.resource);
            finding = finding.label(cx.object(object).place(node), text);
        }
    }
    let mut led: Vec<&str> = Vec::new();
    for hit in hits {
        if !led.contains(&hit.power.leads) {
            led.push(hit.power.leads);
            finding = finding.note(hit.power.leads);
        }
    }
    if is_named {
        let mut names: Vec<_> = hits.iter().flat_map(|it| it.rule.names.iter().copied()).collect();
        names.dedup();
        finding = finding.note(format!("only for what is named {}", quoted(&names)));
    }
    Some(finding.severity(if is_advice { Severity::Note } else { severity }))
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|it| format!("`{it}`")).collect();
    listed(&names)
}

/// Whether it gives somebody a namespace, by one of the roles that Kubernetes has for that and documents.
fn is_usual(grant: Grant<'_, '_>) -> bool {
    let role = grant.role;
    !grant.is_cluster_wide() && role.object.is_none() && matches!(role.name, "admin" | "edit")
}
