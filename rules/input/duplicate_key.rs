//! Keys that stand twice in one mapping.

use crate::load::Document;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Place, Preset, Rule, Severity};
use crate::text::path::FieldPath;
use crate::text::source::Span;
use crate::text::tree::Node;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "duplicate-key",
    title: "a key stands twice in one mapping",
    severity: Severity::Error,
    group: Group::Input,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("duplicate_key.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let mut holders: Option<Holders<'_, '_>> = None;
    for document in cx.model.documents.iter().filter(|it| !it.duplicate_keys.is_empty()) {
        for duplicate in &document.duplicate_keys {
            let place = |span| Place::Text { source: document.source, span };
            let holders = holders.get_or_insert_with(|| by_document(cx));
            let holder = holder(holders, document, duplicate.last);
            let message = match &holder {
                Some((object, path)) => format!(
                    "`{}` stands twice in one mapping of `{object}`{}",
                    duplicate.key,
                    if path.is_empty() { String::new() } else { format!(", `{path}`") }
                ),
                None => format!("`{}` stands twice in one mapping", duplicate.key),
            };
            // What was rendered stands in no file; the field is traced to what it was rendered from.
            let counts = match &holder {
                Some((object, path)) if document.origin.is_some() => {
                    let dot = if path.is_empty() { "" } else { "." };
                    object.at(&format!("{path}{dot}{}", quoted(&duplicate.key)))
                }
                _ => place(duplicate.last),
            };
            let finding = Finding::new(message, counts, "this value counts");
            let finding = match document.origin.is_some() {
                true => finding,
                false => {
                    finding.label(place(duplicate.first), "this one is dropped without a word")
                }
            };
            out.find(
                finding
                .note("kubectl takes the last of equal keys; the API server refuses them under strict validation")
                .help("keep the one that is meant"),
            );
        }
    }
}

/// The objects by the documents that hold them.
type Holders<'c, 'd> = FxHashMap<*const Document, Vec<&'c Object<'d>>>;

fn by_document<'c, 'd>(cx: &Cx<'c, 'd>) -> Holders<'c, 'd> {
    let mut holders: Holders<'_, '_> = FxHashMap::default();
    for object in cx.model.objects() {
        holders.entry(std::ptr::from_ref(object.document)).or_default().push(object);
    }
    holders
}

/// The object of a document in which a key stands, and the path of the mapping around it.
fn holder<'c, 'd>(
    holders: &Holders<'c, 'd>,
    document: &Arc<Document>,
    key: Span,
) -> Option<(&'c Object<'d>, String)> {
    let objects = holders.get(&Arc::as_ptr(document))?;
    objects.iter().copied().find_map(|object| {
        let map = mapping_with(object.root, key)?;
        Some((object, FieldPath::between(object.root, map).to_string()))
    })
}

/// The mapping that has its key at this place.
fn mapping_with(root: Node<'_>, key: Span) -> Option<Node<'_>> {
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        if node.entries().any(|(it, _)| it.span() == key) {
            return Some(node);
        }
        open.extend(node.items());
        open.extend(node.entries().map(|(_, value)| value));
    }
    None
}

fn quoted(key: &str) -> String {
    match key.contains(['.', '/', '[']) {
        true => format!("['{key}']"),
        false => key.to_string(),
    }
}
