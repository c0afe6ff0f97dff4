//! Which files are inputs of kustomizations, so that a patch is never taken for a manifest.

use crate::load::files;
use crate::load::read::decode;
use crate::load::read::yaml;
use crate::load::read::yaml::Syntax;
use crate::text::tree::Node;
use rustc_hash::FxHashSet;
use std::path::{Component, Path, PathBuf};

const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Fields that hold paths of inputs, as strings or under these keys of their items.
const FIELDS: [(&str, &[&str]); 13] = [
    ("patches", &["path"]),
    ("patchesStrategicMerge", &[]),
    ("patchesJson6902", &["path"]),
    ("replacements", &["path"]),
    ("configurations", &[]),
    ("transformers", &[]),
    ("generators", &[]),
    ("validators", &[]),
    ("crds", &[]),
    ("configMapGenerator", &["files", "envs", "env"]),
    ("secretGenerator", &["files", "envs", "env"]),
    ("helmCharts", &["valuesFile", "additionalValuesFiles"]),
    ("openapi", &["path"]),
];

/// Whether a file is a kustomization's own, by its name.
pub fn is_kustomization(file: &Path) -> bool {
    file.file_name().is_some_and(|name| NAMES.iter().any(|it| name == *it))
}

/// The files among `files` that some kustomization among them reads as something else than a manifest.
pub fn inputs<'p>(files: impl Iterator<Item = &'p Path>) -> FxHashSet<PathBuf> {
    let mut inputs = FxHashSet::default();
    for file in files {
        if !is_kustomization(file) {
            continue;
        }
        let open = files::File { name: String::new(), path: Some(file.to_path_buf()) };
        let Ok(text) = files::read(&open).and_then(decode::decode) else { continue };
        let Ok(Some(parsed)) = yaml::parse(&text, 0..text.len(), Syntax::Yaml) else { continue };
        let folder = file.parent().unwrap_or(Path::new(""));
        for (field, keys) in FIELDS {
            let Some(value) = parsed.tree.root().get(field) else { continue };
            for item in one_or_many(value) {
                let direct = one_or_many(item).filter(|_| keys.is_empty());
                let below = keys.iter().filter_map(|key| item.get(key)).flat_map(one_or_many);
                for path in direct.chain(below).filter_map(Node::str) {
                    // A generator's file may be named `key=path`.
                    let path = path.rsplit('=').next().unwrap_or(path);
                    inputs.insert(normal(&folder.join(path)));
                }
            }
        }
    }
    inputs
}

fn one_or_many(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    node.items().chain((!node.is_seq()).then_some(node))
}

/// The path without `.` and `..`, as the walk names it.
fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir if plain.as_os_str().is_empty() => plain.push("."),
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
