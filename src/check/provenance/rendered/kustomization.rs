//! What the fields of a kustomization set, apart from patches: replicas, images, names, labels, replacements, generators.

use super::names::Names;
use super::route::{Sought, Way};
use super::{Answer, Place, is_affix, patch};
use crate::load::Loaded;
use crate::load::origin::Named;
use crate::text::source::{SourceId, Span};
use crate::text::tree::Node;

/// What a transformer of a kustomization says.
pub(super) fn answer(
    loaded: &Loaded,
    file: SourceId,
    transformer: &str,
    sought: &Sought<'_>,
) -> Answer {
    let Some(tree) = loaded.inputs.trees(&loaded.sources, file).first() else { return Answer::No };
    let root = tree.root();
    let found = match transformer {
        "ReplicaCountTransformer" => replicas(root, sought),
        "ImageTagTransformer" => image(root, sought),
        "NamespaceTransformer" => root
            .get("namespace")
            .filter(|it| sought.is_at(&["metadata", "namespace"]) && sought.is_same(*it)),
        "LabelTransformer" => {
            pair(root, &["commonLabels"], sought).or_else(|| labels(root, sought))
        }
        "AnnotationsTransformer" => pair(root, &["commonAnnotations"], sought),
        "ReplacementTransformer" => replacement(root, sought),
        it if is_affix(it) => None,
        it if it.starts_with("Patch") => return patch::answer(loaded, file, root, sought),
        // A plugin may have set anything.
        _ => None,
    };
    found.map_or(Answer::No, |it| Answer::Here((file, it.span())))
}

/// `replicas: [{name: api, count: 3}]`.
fn replicas<'t>(root: Node<'t>, sought: &Sought<'_>) -> Option<Node<'t>> {
    if !sought.is_at(&["spec", "replicas"]) {
        return None;
    }
    let own = |it: &Node<'t>| it.text("name").is_some_and(|name| sought.names.has(name));
    let counts = root.list("replicas").filter(own).filter_map(|it| it.get("count"));
    counts.filter(|it| sought.is_same(*it)).last()
}

/// `images: [{name: api, newName: registry/api, newTag: v1, digest: sha256:…}]`.
fn image<'t>(root: Node<'t>, sought: &Sought<'_>) -> Option<Node<'t>> {
    let rendered = sought.value.str().filter(|_| sought.last_key() == Some("image"))?;
    let mut found = None;
    for entry in root.list("images") {
        let Some(name) = entry.get("newName").or(entry.get("name")).and_then(Node::str) else {
            continue;
        };
        let Some(rest) = rendered.strip_prefix(name) else { continue };
        let set = |key| entry.get(key).filter(|it| !it.is_null());
        let part = set("digest").map(|it| (it, '@')).or(set("newTag").map(|it| (it, ':')));
        found = match part {
            Some((part, mark)) => {
                let text = part.scalar().unwrap_or_default();
                let ends = rest.strip_prefix(mark).map(|it| it.trim_start_matches('@'));
                if ends == Some(&*text) { Some(part) } else { found }
            }
            None if rest.is_empty() || rest.starts_with([':', '@']) => {
                entry.get("newName").or(found)
            }
            None => found,
        };
    }
    found
}

/// A key with its value below one of a kustomization's fields.
fn pair<'t>(root: Node<'t>, at: &[&str], sought: &Sought<'_>) -> Option<Node<'t>> {
    let is_of_labels = sought.ways.iter().rev().nth(1).is_some_and(|it| {
        matches!(it, Way::Key("labels" | "matchLabels" | "selector" | "annotations"))
    });
    let key = sought.last_key().filter(|_| is_of_labels)?;
    root.at(at)?.get(key).filter(|it| sought.is_same(*it))
}

/// `labels: [{pairs: {team: a}}]`.
fn labels<'t>(root: Node<'t>, sought: &Sought<'_>) -> Option<Node<'t>> {
    root.list("labels").filter_map(|it| pair(it, &["pairs"], sought)).last()
}

/// The `fieldPaths` entry of a replacement that names the field.
fn replacement<'t>(root: Node<'t>, sought: &Sought<'_>) -> Option<Node<'t>> {
    let mut found = None;
    for target in root.list("replacements").flat_map(|it| it.list("targets")) {
        let select = target.get("select");
        let text = |key| select.and_then(|it| it.text(key));
        if text("kind").is_some_and(|it| it != sought.kind)
            || text("name").is_some_and(|it| !sought.names.has(it))
        {
            continue;
        }
        // A part of a value between delimiters is no more than a part of it.
        let paths = target.list("fieldPaths").filter(|it| is_path(it.str(), sought));
        found = paths.last().or(found);
    }
    found
}

/// Whether a field path of a replacement (`spec.containers.[name=api].image`) is the way.
fn is_path(path: Option<&str>, sought: &Sought<'_>) -> bool {
    let Some(path) = path else { return false };
    // A dot that belongs to a key is escaped, one in brackets is not a step either.
    let mut steps: Vec<String> = vec![String::new()];
    let (mut characters, mut is_inside) = (path.chars(), false);
    while let Some(it) = characters.next() {
        match it {
            '\\' => steps.last_mut().into_iter().for_each(|step| step.extend(characters.next())),
            '.' if !is_inside => steps.push(String::new()),
            _ => {
                is_inside = (is_inside || it == '[') && it != ']';
                steps.last_mut().into_iter().for_each(|step| step.push(it));
            }
        }
    }
    steps.len() == sought.ways.len()
        && steps.iter().zip(&sought.ways).all(|(step, way)| match way {
            Way::Key(key) => step.trim_matches(['[', ']']) == *key,
            Way::Item { index, identity } => {
                let named = identity.as_ref().map(|(key, value)| format!("[{key}={value}]"));
                step == "*" || *step == index.to_string() || Some(step) == named.as_ref()
            }
        })
}

/// The place in a kustomization that has an object generated, or sets a key of its data.
pub(super) fn generated(
    loaded: &Loaded,
    file: SourceId,
    generator: &str,
    sought: &Sought<'_>,
) -> Option<Place> {
    let entry = entry(loaded, file, generator, &sought.names)?;
    let node = match sought.ways.as_slice() {
        [Way::Key("data" | "stringData" | "binaryData"), Way::Key(key)] => match data(entry, key) {
            Some(node) => node,
            None => return line(loaded, file, entry, key),
        },
        [] | [Way::Key("metadata"), Way::Key("name")] => entry.get("name")?,
        [Way::Key("data" | "metadata")] => entry.get("name")?,
        _ => return None,
    };
    Some((file, node.span()))
}

/// The entry that has an object of this name generated.
fn entry<'l>(
    loaded: &'l Loaded,
    file: SourceId,
    generator: &str,
    names: &Names,
) -> Option<Node<'l>> {
    let field = match generator {
        "ConfigMapGenerator" => "configMapGenerator",
        "SecretGenerator" => "secretGenerator",
        _ => return None,
    };
    let root = loaded.inputs.trees(&loaded.sources, file).first()?.root();
    let own = |it: &Node<'_>| it.text("name").is_some_and(|it| names.has(it));
    let mut entries: Vec<_> = root.list(field).filter(own).collect();
    entries.sort_by_key(|it| it.text("name").map(str::len));
    entries.pop()
}

/// Whether an object is generated from a file, among others.
pub(super) fn is_generated(
    loaded: &Loaded,
    kustomization: SourceId,
    named: &Named,
    (generator, names): (&str, &Names),
) -> bool {
    let entry = entry(loaded, kustomization, generator, names);
    entry.is_some_and(|entry| {
        let paths = ["files", "envs", "env"].iter().filter_map(|it| entry.get(it));
        let mut paths = paths.flat_map(|it| it.items().chain((!it.is_seq()).then_some(it)));
        paths.any(|it| it.str().is_some_and(|it| it.rsplit('=').next() == Some(&*named.path)))
    })
}

/// The line `KEY=value` of a file that an entry of a generator reads.
fn line(loaded: &Loaded, kustomization: SourceId, entry: Node<'_>, key: &str) -> Option<Place> {
    let paths = entry.list("envs").chain(entry.get("env")).filter_map(Node::str);
    let files = paths.filter_map(|it| loaded.inputs.file(kustomization, it));
    files.into_iter().find_map(|file| {
        let text = &loaded.sources.get(file).text;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let (start, plain) = (at + line.len() - line.trim_start().len(), line.trim());
            at += line.len();
            if plain.split_once('=').is_some_and(|(it, _)| it == key) {
                return Some((file, Span::new(start, start + plain.len())));
            }
        }
        None
    })
}

/// The entry of a generator that makes a key of the data.
fn data<'t>(entry: Node<'t>, key: &str) -> Option<Node<'t>> {
    let literal =
        |it: &Node<'_>| it.str().and_then(|it| it.split_once('=')).is_some_and(|it| it.0 == key);
    let file = |it: &Node<'_>| {
        let text = it.str().unwrap_or_default();
        let named = text.split_once('=').map(|it| it.0);
        named.or_else(|| text.rsplit('/').next()) == Some(key)
    };
    entry.list("literals").find(literal).or_else(|| entry.list("files").find(file))
}
