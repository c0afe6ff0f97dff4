//! Ingresses that answer for hosts which they do not name.

use crate::api::kind::Kind;
use crate::model::{Model, Object};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Parameter, Preset, Rule, Severity};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "ingress-catches-all",
    title: "an Ingress answers for every host that others do not name",
    severity: Severity::Warning,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[Kind::Ingress],
    like: &[
        "gatekeeper:block-wildcard-ingress",
        "kyverno:disallow-empty-ingress-host",
        "kyverno:restrict-ingress-defaultbackend",
        "kyverno:restrict-ingress-wildcard",
    ],
    parameters: &[Parameter {
        name: "wildcards",
        about: "whether hosts such as `*.shop.example` count too: true or false",
        default: &["false"],
    }],
    page: include_str!("ingress_catches_all.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let by_class = by_class(cx.model);
    let with_wildcards = cx.parameter("wildcards") == ["true"];
    for object in cx.model.of_kind(Kind::Ingress) {
        let others = by_class[&class(object)].iter().find(|it| it.id != object.id);
        if others.is_none() && !cx.asks_for(Preset::Strict) {
            continue;
        }
        let found = catching(object, with_wildcards);
        let Some(((node, text), rest)) = found.split_first() else { continue };
        let message = format!("`{object}` answers for hosts that it does not name");
        let mut finding = Finding::new(message, object.place(*node), *text);
        for (node, text) in rest {
            finding = finding.label(object.place(*node), *text);
        }
        finding = match others {
            Some(other) => finding.note(format!(
                "`{other}` is of the same class: a request for a host that neither names comes here"
            )),
            None => finding
                .severity(Severity::Note)
                .note("no other Ingress of the input is of this class"),
        };
        out.find(finding.help("name the hosts that it is for"));
    }
}

/// The Ingresses of each class, two of them at the most.
fn by_class<'m, 'd>(model: &'m Model<'d>) -> FxHashMap<&'d str, Vec<&'m Object<'d>>> {
    let mut by_class: FxHashMap<_, Vec<_>> = FxHashMap::default();
    for object in model.of_kind(Kind::Ingress) {
        let known = by_class.entry(class(object)).or_default();
        if known.len() < 2 {
            known.push(object);
        }
    }
    by_class
}

fn class<'d>(object: &Object<'d>) -> &'d str {
    let class = object.field(&["spec", "ingressClassName"]).and_then(Node::str);
    class.or_else(|| object.annotation("kubernetes.io/ingress.class")).unwrap_or_default()
}

/// What of it is for hosts without a name.
fn catching<'d>(object: &Object<'d>, with_wildcards: bool) -> Vec<(Node<'d>, &'static str)> {
    let Some(spec) = object.root.get("spec") else { return Vec::new() };
    let backend = ["defaultBackend", "backend"].into_iter().find_map(|it| spec.get(it));
    let backend = backend.map(|it| (it, "takes what no rule does"));
    let rules = spec.list("rules").filter_map(|rule| match rule.get("host") {
        None => Some((rule, "no `host` here")),
        Some(host) => match host.str() {
            Some("" | "*") => Some((host, "any host")),
            Some(name) if with_wildcards && name.starts_with("*.") => {
                Some((host, "any name below this one"))
            }
            _ => None,
        },
    });
    backend.into_iter().chain(rules).collect()
}
