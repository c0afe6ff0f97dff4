//! What a patch sets: a strategic merge patch, or a list of JSON operations (RFC 6902).

use super::names::Names;
use super::route::{Sought, Way, follow};
use super::{Answer, Place, inline, span};
use crate::load::Loaded;
use crate::load::origin::Named;
use crate::text::source::{SourceId, Span};
use crate::text::tree::Node;

/// Whether a patch is for the object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    Yes,
    No,
    /// Its target is given by labels or a regular expression.
    Perhaps,
}

/// The fields that hold patches, those of the last word first.
const FIELDS: [&str; 3] = ["patchesJson6902", "patches", "patchesStrategicMerge"];

/// Whether a file of patches may be for an object of this kind and name.
pub(super) fn is_for(
    loaded: &Loaded,
    kustomization: SourceId,
    named: &Named,
    object: (&str, &Names),
) -> bool {
    let Some(tree) = loaded.inputs.trees(&loaded.sources, kustomization).first() else {
        return false;
    };
    let patches = FIELDS.iter().flat_map(|it| tree.root().list(it));
    let of_file = patches
        .filter(|it| it.get("path").or(Some(*it)).and_then(Node::str) == Some(named.path.as_str()));
    let targets: Vec<_> = of_file.map(|it| it.get("target")).collect();
    let documents = loaded.inputs.trees(&loaded.sources, named.file);
    targets
        .into_iter()
        .any(|target| documents.iter().any(|it| document_aim(it.root(), target, object) != Aim::No))
}

/// What the patches of a kustomization say, the last one first.
pub(super) fn answer(
    loaded: &Loaded,
    file: SourceId,
    root: Node<'_>,
    sought: &Sought<'_>,
) -> Answer {
    for field in FIELDS {
        let patches: Vec<_> = root.list(field).collect();
        for patch in patches.into_iter().rev() {
            match one(loaded, file, patch, sought) {
                Answer::No => {}
                other => return other,
            }
        }
    }
    Answer::No
}

fn one(loaded: &Loaded, file: SourceId, patch: Node<'_>, sought: &Sought<'_>) -> Answer {
    let target = patch.get("target");
    let path = patch.get("path").or(Some(patch)).and_then(Node::str);
    if let Some(other) = path.and_then(|it| loaded.inputs.file(file, it)) {
        for tree in loaded.inputs.trees(&loaded.sources, other).iter().rev() {
            match document(tree.root(), target, sought) {
                Said::Here(span) => return Answer::Here((other, span)),
                Said::Otherwise => return Answer::Otherwise,
                Said::No => {}
            }
        }
        return Answer::No;
    }
    let text = patch.get("patch").unwrap_or(patch);
    let Some(tree) = loaded.inputs.inline(file, text) else { return Answer::No };
    match document(tree.root(), target, sought) {
        Said::Here(span) => here(loaded, file, text, span).map_or(Answer::Otherwise, Answer::Here),
        Said::Otherwise => Answer::Otherwise,
        Said::No => Answer::No,
    }
}

fn here(loaded: &Loaded, file: SourceId, text: Node<'_>, span: Span) -> Option<Place> {
    let lines = inline::lines(loaded.sources.get(file), text)?;
    Some((file, lines.place(span)?))
}

enum Said {
    Here(Span),
    Otherwise,
    No,
}

fn document(root: Node<'_>, target: Option<Node<'_>>, sought: &Sought<'_>) -> Said {
    let aim = document_aim(root, target, (sought.kind, &sought.names));
    if aim == Aim::No {
        return Said::No;
    }
    let said = if root.is_seq() {
        let operations: Vec<_> = root.items().collect();
        let each = operations.into_iter().rev().map(|it| operation(it, sought));
        each.into_iter().find(|it| !matches!(it, Said::No)).unwrap_or(Said::No)
    } else {
        match sought.find(root) {
            Some((key, value)) if sought.is_same(value) => Said::Here(span(key, value)),
            Some(_) => Said::Otherwise,
            None => Said::No,
        }
    };
    match said {
        // It need not have been this one.
        Said::Otherwise if aim == Aim::Perhaps => Said::No,
        said => said,
    }
}

/// Whether a patch is for an object of this kind and name.
fn document_aim(root: Node<'_>, target: Option<Node<'_>>, object: (&str, &Names)) -> Aim {
    match target {
        Some(target) => aim(target, object),
        None if root.is_map() => {
            let name = root.at(&["metadata", "name"]).and_then(Node::str).unwrap_or_default();
            let is_it = root.text("kind") == Some(object.0) && object.1.has(name);
            if is_it { Aim::Yes } else { Aim::No }
        }
        None => Aim::No,
    }
}

fn aim(target: Node<'_>, object: (&str, &Names)) -> Aim {
    let mut aim = Aim::Yes;
    for (key, value) in target.pairs() {
        let value = value.str().unwrap_or_default();
        let is_plain =
            value.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.' | b'/'));
        let is_it = match key {
            "kind" if is_plain => value == object.0,
            "name" if is_plain => object.1.has(value),
            // A namespace may be set later, and versions differ only where kinds do.
            "group" | "version" | "namespace" => true,
            _ => {
                aim = Aim::Perhaps;
                true
            }
        };
        if !is_it && !value.is_empty() {
            return Aim::No;
        }
    }
    aim
}

/// What an operation sets, `path` being a JSON pointer (RFC 6901).
fn operation(it: Node<'_>, sought: &Sought<'_>) -> Said {
    if !matches!(it.text("op"), Some("add" | "replace")) {
        return Said::No;
    }
    let (Some(path), Some((key, value))) = (it.text("path"), it.entry("value")) else {
        return Said::No;
    };
    let mut ways = sought.ways.iter();
    let mut has_index = false;
    for token in path.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let is_on_way = match ways.next() {
            Some(Way::Key(key)) => *key == token,
            Some(Way::Item { index, .. }) => {
                has_index = true;
                token == "-" || token == index.to_string()
            }
            None => false,
        };
        if !is_on_way {
            return Said::No;
        }
    }
    let rest = ways.as_slice();
    let found = match rest {
        [] => Some((Some(key), value)),
        rest => follow(value, rest),
    };
    match found {
        Some((key, value)) if sought.is_same(value) => Said::Here(span(key, value)),
        // Items may have moved since.
        _ if has_index => Said::No,
        Some(_) => Said::Otherwise,
        // The whole was replaced, and the field is not in it.
        None => Said::No,
    }
}
