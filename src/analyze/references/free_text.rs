//! Names that stand in free text: annotations, arguments, configuration files, fields of custom objects. Whatever names
//! an object there may use it, in a way that only the reader knows.

use super::named::strings;
use crate::api::kind::{Kind, WORKLOADS};
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

/// Which of these objects some other object names in free text. One pass over the model, however many are asked for.
pub fn mentioned<'d>(model: &Model<'d>, wanted: &[&Object<'d>]) -> FxHashSet<ObjId> {
    let mut by_name: FxHashMap<&str, Vec<&Object<'d>>> = FxHashMap::default();
    for object in wanted {
        by_name.entry(object.name).or_default().push(object);
    }
    if by_name.is_empty() {
        return FxHashSet::default();
    }
    let shapes = Shapes::of(by_name.keys());
    let objects: Vec<_> = model.objects().collect();
    // No fact is being computed here, so that waiting for the other threads is safe.
    objects.par_iter().flat_map_iter(|it| mentions(it, &by_name, &shapes)).collect()
}

/// The objects that one object names.
fn mentions(
    object: &Object<'_>,
    by_name: &FxHashMap<&str, Vec<&Object<'_>>>,
    shapes: &Shapes,
) -> Vec<ObjId> {
    let reaches_all = object.namespace.is_empty() || object.kind == Kind::Custom;
    let mut found = Vec::new();
    for text in texts(object) {
        for token in text.as_bytes().split(|it| !OF_NAMES[usize::from(*it)]) {
            if !shapes.may_be(token) {
                continue;
            }
            let name = std::str::from_utf8(token).unwrap_or_default();
            let candidates = by_name.get(name).into_iter().flatten();
            let others = candidates.filter(|it| {
                it.id != object.id && (reaches_all || it.namespace == object.namespace)
            });
            found.extend(others.map(|it| it.id));
        }
    }
    found
}

/// The bytes that names are made of.
static OF_NAMES: [bool; 256] = {
    let mut bytes = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        bytes[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        byte += 1;
    }
    bytes
};

/// Lengths and first letters of names: most words of a text are none by these alone, and need not be looked up.
struct Shapes {
    lengths: [bool; 254],
    first: [bool; 256],
}

impl Shapes {
    fn of<'n>(names: impl Iterator<Item = &'n &'n str>) -> Shapes {
        let mut shapes = Shapes { lengths: [false; 254], first: [false; 256] };
        for name in names {
            // The longest name that the API server takes has 253 bytes.
            if let (Some(length), Some(first)) =
                (shapes.lengths.get_mut(name.len()), name.bytes().next())
            {
                *length = true;
                shapes.first[usize::from(first)] = true;
            }
        }
        shapes
    }

    fn may_be(&self, token: &[u8]) -> bool {
        let first = token.first().is_some_and(|it| self.first[usize::from(*it)]);
        first && self.lengths.get(token.len()).is_some_and(|it| *it)
    }
}

/// The texts of an object that may name another one. Labels and selectors do not; nor do fields of which
/// `references` knows what they name.
fn texts<'d>(object: &Object<'d>) -> Vec<&'d str> {
    let metadata = object.root.get("metadata");
    let mut texts: Vec<_> = annotations(metadata).collect();
    match object.kind {
        kind if WORKLOADS.contains(&kind) => pods(object.root, &mut texts),
        Kind::ConfigMap => texts.extend(object.root.get("data").into_iter().flat_map(strings)),
        Kind::Role | Kind::ClusterRole => {
            let rules = object.root.list("rules");
            texts.extend(rules.flat_map(|it| it.list("resourceNames")).flat_map(strings));
        }
        Kind::ClusterRoleBinding
        | Kind::HorizontalPodAutoscaler
        | Kind::Namespace
        | Kind::NetworkPolicy
        | Kind::PodDisruptionBudget
        | Kind::RoleBinding
        | Kind::Secret
        | Kind::Service => {}
        _ => {
            let fields = object.root.entries().filter(|(key, _)| key.str() != Some("metadata"));
            texts.extend(fields.flat_map(|(_, value)| strings(value)));
        }
    }
    texts
}

/// The arguments, variables and annotations of pods, wherever the template is.
fn pods<'d>(root: Node<'d>, texts: &mut Vec<&'d str>) {
    let templates = [
        Some(root),
        root.at(&["spec", "template"]),
        root.at(&["spec", "jobTemplate", "spec", "template"]),
    ];
    for template in templates.into_iter().flatten() {
        texts.extend(annotations(template.get("metadata")));
        let Some(pod) = template.get("spec") else { continue };
        for container in pod.list("containers").chain(pod.list("initContainers")) {
            texts.extend(
                container.list("command").chain(container.list("args")).filter_map(Node::str),
            );
            texts.extend(container.list("env").filter_map(|it| it.text("value")));
        }
    }
}

fn annotations<'d>(metadata: Option<Node<'d>>) -> impl Iterator<Item = &'d str> {
    let annotations = metadata.and_then(|it| it.get("annotations"));
    let pairs = annotations.into_iter().flat_map(Node::pairs);
    // kubectl's copy of the whole object names everything that it names anyway.
    let own = pairs.filter(|(key, _)| *key != "kubectl.kubernetes.io/last-applied-configuration");
    own.filter_map(|(_, value)| value.str())
}
