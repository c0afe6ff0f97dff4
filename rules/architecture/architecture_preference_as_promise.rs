//! A promise that rests on what the scheduler only prefers.

use crate::architecture::Promise;
use crate::architecture::statements::{Component, Domain};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "architecture-preference-as-promise",
    title: "a promise rests on what the scheduler only prefers",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("architecture_preference_as_promise.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let Some(promise) = cx.stated() else { return };
    for (it, node) in promise.value.objectives.iter().zip(promise.root().list("objectives")) {
        let Some(who) = &it.apart else { continue };
        let domain = it.by.unwrap_or(Domain::Node);
        for (name, component) in &promise.value.components {
            if (who.0 == *name || who.0 == "all") && !component.external {
                out.findings.extend(finding(cx, (promise, node), (name, component), domain));
            }
        }
    }
}

fn finding(
    cx: &Cx<'_, '_>,
    (promise, node): (&Promise, Node<'_>),
    (name, component): (&str, &Component),
    domain: Domain,
) -> Option<Finding> {
    use crate::architecture::statements::Replicas;
    if matches!(component.replicas, None | Some(Replicas::Count(0 | 1))) {
        return None;
    }
    let key = match domain {
        Domain::Node => "node",
        Domain::Zone => "zone",
    };
    let said = promise.component(name)?;
    let how = said.at(&["spread", key]);
    if domain == Domain::Node && how.and_then(Node::str) == Some("required") {
        return None;
    }
    let place = |it: Node<'_>| promise.place(cx.model, it);
    let message =
        format!("no two pods of `{name}` are to share a {key}, and nothing keeps them from it");
    let mut finding =
        Finding::new(message, place(node.get("apart").unwrap_or(node)), "promised here");
    finding = match how {
        Some(at) => {
            let word = at.str().unwrap_or_default();
            finding.label(place(at), format!("only `{word}`"))
        }
        None => finding.label(place(promise.component_key(name)?), "says nothing of it"),
    };
    Some(match (domain, how.and_then(Node::str)) {
        (Domain::Zone, Some("required")) => finding
            .note("a spread of at most 1 more in one zone than in another puts two pods in a zone once each has one")
            .help("promise a spread, or run no more pods than there are zones"),
        _ => finding
            .note("the scheduler puts pods together rather than let them wait, where it only prefers to keep them apart")
            .help(format!("require it (`spread: {{{key}: required}}`), or promise less")),
    })
}
