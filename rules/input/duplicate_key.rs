//! Keys that stand twice in one mapping.

use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Place, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "duplicate-key",
    title: "a key stands twice in one mapping",
    severity: Severity::Error,
    group: Group::Input,
    admission: Admission::Audit,
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("duplicate_key.md"),
    reads_images: false,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for document in cx.model.documents {
        for duplicate in &document.duplicate_keys {
            let place = |span| Place::Text { source: document.source, span };
            out.find(
                Finding::new(
                    format!("`{}` stands twice in one mapping", duplicate.key),
                    place(duplicate.last),
                    "this value counts",
                )
                .label(place(duplicate.first), "this one is dropped without a word")
                .note("kubectl takes the last of equal keys; the API server refuses them under strict validation")
                .help("keep the one that is meant"),
            );
        }
    }
}
