//! Which line of which file set a field of an object that kustomize or helm rendered, where that can be known.
//!
//! The transformers that an object went through are looked at from the last to the first, then the file that it was
//! written in. Whoever sets the field is believed only if the value is the one that was rendered: no line is better
//! than a wrong one.

mod inline;
mod kustomization;
mod names;
mod patch;
mod route;

use super::Place;
use crate::load::Loaded;
use crate::load::origin::{Named, Rendered, Role};
use crate::model::Object;
use crate::text::path::FieldPath;
use crate::text::source::{SourceId, Span};
use crate::text::tree::Node;
use names::Names;
use route::Sought;
use rustc_hash::FxHashSet;

/// What one of those who may have set a field says.
enum Answer {
    /// It did, here.
    Here(Place),
    /// It did, though not to what was rendered, so that somebody else did too.
    Otherwise,
    /// It did not.
    No,
}

/// The place that set a field of an object, or where it lacks that, the innermost field around it.
pub(super) fn place(
    loaded: &Loaded,
    (object, origin): (&Object<'_>, &Rendered),
    path: &FieldPath,
) -> Option<Place> {
    let sought = Sought::new(object, Names::of(loaded, object, origin), path);
    if sought.value.is_map() || sought.value.is_seq() || sought.is_name() {
        // Who wrote it first stands for what others only added to.
        return written(loaded, object, origin, &sought)
            .or_else(|| changed(loaded, origin, &sought)?);
    }
    match changed(loaded, origin, &sought) {
        Some(place) => place,
        None => written(loaded, object, origin, &sought),
    }
}

/// Whether one of these files has a part in an object: a kustomization that it went through, a patch for it, what it was
/// generated from, the values of its chart.
pub(super) fn touches(
    loaded: &Loaded,
    (object, origin): (&Object<'_>, &Rendered),
    files: &FxHashSet<SourceId>,
) -> bool {
    let kustomizations = origin.changes.iter().filter_map(|it| it.kustomization);
    origin.settings.iter().any(|it| files.contains(it))
        || kustomizations.chain(origin.file).any(|kustomization| {
            let mut named = loaded.inputs.named_by(kustomization);
            files.contains(&kustomization)
                || named.any(|it| {
                    files.contains(&it.file) && has_part(loaded, object, origin, kustomization, it)
                })
        })
}

fn has_part(
    loaded: &Loaded,
    object: &Object<'_>,
    origin: &Rendered,
    kustomization: SourceId,
    named: &Named,
) -> bool {
    match named.role {
        // Its own file is looked at by itself.
        Role::Object => false,
        Role::Patch => {
            let names = Names::of(loaded, object, origin);
            patch::is_for(loaded, kustomization, named, (object.kind_name, &names))
        }
        Role::Generated => {
            let is_own = origin.file == Some(kustomization);
            let names = || Names::of(loaded, object, origin);
            let generator = origin.generator.as_deref().filter(|_| is_own);
            generator.is_some_and(|it| {
                kustomization::is_generated(loaded, kustomization, named, (it, &names()))
            })
        }
        Role::All => true,
    }
}

/// What set the field after the object was written: `None` if nothing did, `Some(None)` if it is not known where.
fn changed(loaded: &Loaded, origin: &Rendered, sought: &Sought<'_>) -> Option<Option<Place>> {
    let mut last = None;
    for change in origin.changes.iter().rev() {
        if last == Some(change) {
            continue;
        }
        last = Some(change);
        let Some(kustomization) = change.kustomization else { continue };
        match kustomization::answer(loaded, kustomization, &change.kind, sought) {
            Answer::Here(place) => return Some(Some(place)),
            Answer::Otherwise => return Some(None),
            Answer::No => {}
        }
    }
    None
}

/// The field where the object was written.
fn written(
    loaded: &Loaded,
    object: &Object<'_>,
    origin: &Rendered,
    sought: &Sought<'_>,
) -> Option<Place> {
    let file = origin.file?;
    if let Some(generator) = &origin.generator {
        return kustomization::generated(loaded, file, generator, sought);
    }
    let root = document(loaded, file, object, &sought.names)?;
    let (key, value) = sought.find(root)?;
    let has_affixes = origin.changes.iter().any(|it| is_affix(&it.kind));
    let is_it = sought.is_same(value) || sought.is_name_of(value, has_affixes);
    is_it.then(|| (file, span(key, value)))
}

fn is_affix(kind: &str) -> bool {
    matches!(kind, "PrefixTransformer" | "SuffixTransformer" | "PrefixSuffixTransformer")
}

/// The object as it was written in a file, perhaps by a shorter name.
fn document<'l>(
    loaded: &'l Loaded,
    file: SourceId,
    object: &Object<'_>,
    names: &Names,
) -> Option<Node<'l>> {
    let text = (&loaded.sources, file);
    let called = |name| loaded.inputs.written(text, object.kind_name, std::iter::once(name));
    let mut all: Vec<Node<'l>> = called(names.original());
    if all.is_empty() {
        all = loaded.inputs.written(text, object.kind_name, names.known());
        if names.is_open() {
            let of_kind = loaded.inputs.written_names(&loaded.sources, file, object.kind_name);
            let may_be = of_kind.filter(|it| names.has(it));
            all = loaded.inputs.written(text, object.kind_name, may_be);
        }
    }
    if all.len() > 1 {
        let namespace = |it: &Node<'l>| it.at(&["metadata", "namespace"]).and_then(Node::str);
        all.retain(|it| namespace(it) == Some(object.namespace));
    }
    match all.as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

/// A plain value is shown itself; a list or mapping by its key.
fn span(key: Option<Node<'_>>, value: Node<'_>) -> Span {
    let is_plain = !value.is_map() && !value.is_seq() && value.span().start < value.span().end;
    match key {
        Some(key) if !is_plain => key.span(),
        _ if is_plain => value.span(),
        _ => value.entries().next().map(|(key, _)| key).unwrap_or(value).span(),
    }
}
