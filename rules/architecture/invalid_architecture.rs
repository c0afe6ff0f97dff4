//! Documents of what is promised that do not say it.

use crate::model::Place;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::path::FieldPath;
use crate::text::source::Span;
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "invalid-architecture",
    title: "an architecture document has a mistake",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("invalid_architecture.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for (own, mistake) in &cx.run.architecture.mistakes {
        let object = cx.model.own(*own);
        let place = match statement(object.root, mistake.span) {
            Some(node) => {
                Place::Field { object: object.id, path: FieldPath::between(object.root, node) }
            }
            None => object.whole(),
        };
        let finding = Finding::new(mistake.message.clone(), place, "");
        out.find(match &mistake.help {
            Some(help) => finding.help(help.clone()),
            None => finding,
        });
    }
}

/// The innermost key or value at these bytes.
fn statement(root: Node<'_>, span: Span) -> Option<Node<'_>> {
    let holds = |it: Node<'_>| {
        it.span().start <= span.start && span.start < it.span().end.max(it.span().start + 1)
    };
    let mut here = None;
    let mut open = Some(root);
    while let Some(node) = open.take() {
        for (key, value) in node.entries() {
            if holds(key) {
                return Some(key);
            }
            if holds(value) {
                (here, open) = (Some(value), Some(value));
            }
        }
        if let Some(item) = node.items().find(|it| holds(*it)) {
            (here, open) = (Some(item), Some(item));
        }
    }
    here
}
