//! Objects that stand twice in one world and do not say the same.

use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "duplicate-object",
    title: "one object stands twice with different contents",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Deny,
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("duplicate_object.md"),
    reads_images: false,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for (earlier, later) in cx.model.duplicates() {
        let Some(difference) = first_difference(earlier.root, later.root) else { continue };
        out.find(finding(earlier, later, difference));
    }
}

/// Where two objects part, on each side: absent on one, or other there.
type Difference<'d> = (Option<Node<'d>>, Option<Node<'d>>);

fn finding(earlier: &Object<'_>, later: &Object<'_>, difference: Difference<'_>) -> Finding {
    let message = format!("`{later}` stands twice with different contents");
    let place = |object: &Object<'_>, node: Option<Node<'_>>| {
        node.map_or(object.whole(), |it| object.place(it))
    };
    let text = |node: Option<Node<'_>>, other: &str| {
        node.map_or(other.to_string(), |_| "here it differs".to_string())
    };
    Finding::new(message, place(later, difference.1), text(difference.1, "the later one lacks it"))
        .label(place(earlier, difference.0), text(difference.0, "the earlier one lacks it"))
        .note("an apply leaves the one that comes last, and which that is depends on names of files")
        .help("keep one of them; for several environments use overlays or folders that are checked apart")
}

/// The first field, in the order of the earlier object, that differs.
fn first_difference<'d>(earlier: Node<'d>, later: Node<'d>) -> Option<Difference<'d>> {
    let mut open = vec![(earlier, later)];
    while let Some((a, b)) = open.pop() {
        if a.is_map() && b.is_map() {
            if let Some((_, extra)) = b.pairs().find(|(key, _)| a.get(key).is_none()) {
                return Some((None, Some(extra)));
            }
            let mut below = Vec::new();
            for (key, value) in a.pairs() {
                match b.get(key) {
                    Some(other) => below.push((value, other)),
                    None => return Some((Some(value), None)),
                }
            }
            open.extend(below.into_iter().rev());
        } else if a.is_seq() && b.is_seq() && a.count() == b.count() {
            let below: Vec<_> = a.items().zip(b.items()).collect();
            open.extend(below.into_iter().rev());
        } else if !a.same(b) {
            return Some((Some(a), Some(b)));
        }
    }
    None
}
