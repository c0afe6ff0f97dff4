//! Declared flows that are compared with nothing: their names mean nobody, or several, or are none.

use crate::absence::{Absence, Wanted};
use crate::analyze::network::reach::ask::Party;
use crate::analyze::network::reach::party::{Named, called, everybody};
use crate::analyze::selection::selector::Selector;
use crate::api::kind::{Kind, WORKLOADS};
use crate::api::ports::Ports;
use crate::intended_flows::{is_on, object_of};
use crate::model::ObjId;
use crate::policy::{DeclaredFlow, closest};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "flow-names-nothing",
    title: "a declared flow names nothing, or several things",
    severity: Severity::Error,
    group: Group::Network,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[Kind::Namespace, Kind::Service],
    like: &[],
    parameters: &[],
    page: include_str!("flow_names_nothing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    // Those of an architecture document name its components, and of these other rules speak.
    let own = cx.policy.flows.iter().filter(|it| it.statement.is_none());
    for (index, flow) in own.enumerate() {
        let ends = [&flow.from, &flow.to].map(|name| end(cx, flow, name));
        let other = |at: usize| match &ends[1 - at] {
            End::Is(it) => object_of(cx.facts, it),
            _ => None,
        };
        for (at, end) in ends.iter().enumerate() {
            tell(cx, (index, flow), end, other(at), out);
        }
        let [End::Is(from), End::Is(to)] = &ends else { continue };
        let is_outside = |it: &Party| object_of(cx.facts, it).is_none();
        if is_outside(from) && is_outside(to) {
            let why = "both ends are outside the pods, and policies say nothing of that";
            tell(cx, (index, flow), &End::Wrong(why.into()), None, out);
        }
        if let Some(wrong) = port_of(cx, flow, to) {
            tell(cx, (index, flow), &wrong, object_of(cx.facts, to), out);
        }
    }
}

/// What an end of a flow is.
enum End {
    /// This.
    Is(Party),
    /// Nobody, or several, for certain.
    Wrong(String),
    /// Nobody of the input; what would settle it.
    Unknown(String),
}

fn end(cx: &Cx<'_, '_>, flow: &DeclaredFlow, name: &str) -> End {
    match called(cx.model, cx.facts, name, |it, pods| is_on(cx.facts, flow, it, pods)).0 {
        Named::One(it) => End::Is(it),
        Named::Several(all) => {
            let names = all.iter().take(6).map(|it| format!("`{}`", cx.object(*it)));
            let names = names.collect::<Vec<_>>().join(", ");
            End::Wrong(format!("`{name}` may be any of {names}"))
        }
        Named::Nobody => match malformed(name) {
            Some(why) => End::Wrong(why),
            None => nobody(cx, name),
        },
    }
}

/// Why a name is none.
fn malformed(name: &str) -> Option<String> {
    let parts: Vec<_> = name.split('/').collect();
    let is_address = |it: &str| it.bytes().all(|it| it.is_ascii_digit() || b".:/".contains(&it));
    if name.is_empty() || parts.len() > 3 || parts.iter().any(|it| it.is_empty()) {
        return Some(format!("`{name}` is no name: it is `Kind/namespace/name`, or less of it"));
    }
    if is_address(name) && name.contains(['.', ':']) {
        return Some(format!("`{name}` is neither an address nor a block of addresses"));
    }
    if let Some((before, port)) = name.rsplit_once(':') {
        return Some(format!("`{name}` is no name: it is `{before}` with `ports: [{port}]`"));
    }
    None
}

fn nobody(cx: &Cx<'_, '_>, name: &str) -> End {
    let parts: Vec<_> = name.split('/').collect();
    let near = closest(parts[parts.len() - 1], everybody(cx.facts).map(|it| it.2));
    // Of several of one name the one of the same kind or namespace, and not the one that is read first.
    let near = near.and_then(|near| {
        let all =
            everybody(cx.facts).filter(|it| it.2 == near).map(|it| cx.object(it.0).to_string());
        all.min_by_key(|it| {
            (it.split('/').filter(|part| !parts.contains(part)).count(), it.clone())
        })
    });
    let hint = near.map(|it| format!("; the nearest is `{it}`")).unwrap_or_default();
    let message = format!("`{name}` is no workload and no Service of the input{hint}");
    let is_kind = |text: &str| {
        let known = || WORKLOADS.iter().chain([&Kind::Service]);
        known().any(|it| it.name().eq_ignore_ascii_case(text))
    };
    let namespace = match parts.as_slice() {
        [_, namespace, _] => Some(*namespace),
        [first, _] if !is_kind(first) => Some(*first),
        _ => None,
    };
    let Some(namespace) = namespace else {
        return match cx.is_whole() && cx.any_unseen(WORKLOADS).is_none() {
            true => End::Wrong(message),
            false => End::Unknown(format!(
                "who `{name}` is: nobody of the input; list what the input holds all of under `complete` in purlin.yaml"
            )),
        };
    };
    let selector = &Selector::default();
    match cx.absence_of(Wanted::Pods { namespace, selector }) {
        Absence::Absent => End::Wrong(message),
        Absence::Elsewhere => End::Unknown(format!("who `{name}` is")),
        Absence::CannotTell(missing) => End::Unknown(missing),
    }
}

/// Whether a Service has none of the ports that are declared, or leads to no pods.
fn port_of(cx: &Cx<'_, '_>, flow: &DeclaredFlow, to: &Party) -> Option<End> {
    let Party::Service(service) = to else { return None };
    let service = cx.facts.services().get(*service);
    let object = cx.object(service.object);
    if service.selects.is_empty() {
        return Some(End::Unknown(format!("whom `{object}` leads to: no pods of the input")));
    }
    let lacks = |it: &&Ports| !service.has(it.protocol.name(), it.first, it.last);
    let lacking = flow.ports.iter().find(lacks)?;
    let ports: Vec<_> =
        service.ports.iter().map(|it| format!("{}/{}", it.port, it.protocol)).collect();
    Some(End::Wrong(format!("`{object}` has no port {lacking}; it has {}", ports.join(", "))))
}

fn tell(
    cx: &Cx<'_, '_>,
    (index, flow): (usize, &DeclaredFlow),
    end: &End,
    other: Option<ObjId>,
    out: &mut Out,
) {
    // Without the policy's own text the other end is the place, and without that anything of the input.
    let first = || cx.model.objects().next().map(|it| it.id);
    let Some(object) = other.or_else(first).map(|it| cx.object(it)) else { return };
    let (from, to) = (&flow.from, &flow.to);
    match end {
        End::Is(_) => {}
        End::Unknown(missing) => {
            out.cannot_tell(object, format!("the flow from `{from}` to `{to}`: {missing}"));
        }
        End::Wrong(why) => {
            let place = match cx.run.policy {
                Some(policy) => cx.model.own(policy).at(&format!("flows[{index}].from")),
                None => object.whole(),
            };
            let message =
                format!("the flow from `{from}` to `{to}` is compared with nothing: {why}");
            let finding = Finding::new(message, place, "this flow is not checked");
            out.find(
                finding.help(
                    "name one workload or Service as `Kind/namespace/name`, or drop the flow",
                ),
            );
        }
    }
}
