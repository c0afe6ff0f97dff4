//! The names that an object had on its way: patches and other entries call it by any of them, and by no part of one.

use super::is_affix;
use crate::load::Loaded;
use crate::load::origin::Rendered;
use crate::model::{Object, without_hash};

/// The names, the present one first.
pub(super) struct Names {
    all: Vec<String>,
    /// Whether the name was changed in a way that is not known.
    is_open: bool,
}

impl Names {
    pub(super) fn of(loaded: &Loaded, object: &Object<'_>, origin: &Rendered) -> Names {
        let mut names = Names { all: vec![object.name.to_string()], is_open: false };
        // The hash comes last of all.
        if let Some(plain) = without_hash(object.kind, object.name)
            && origin.generator.is_some()
        {
            names.all.push(plain.to_string());
        }
        let mut last = None;
        for change in origin.changes.iter().rev().filter(|it| is_affix(&it.kind)) {
            if last.replace(change) == Some(change) {
                continue;
            }
            let trees = change.kustomization.map(|it| loaded.inputs.trees(&loaded.sources, it));
            let root = trees.and_then(|it| it.first()).map(|it| it.root());
            // A kustomization says it in one way, the configuration of a transformer in another.
            let text = |keys: [&str; 2]| keys.iter().find_map(|it| root?.text(it));
            let prefix =
                text(["namePrefix", "prefix"]).filter(|_| change.kind != "SuffixTransformer");
            let suffix =
                text(["nameSuffix", "suffix"]).filter(|_| change.kind != "PrefixTransformer");
            names.is_open |= prefix.is_none() && suffix.is_none();
            names.strip(prefix.unwrap_or_default(), suffix.unwrap_or_default());
        }
        names
    }

    /// Adds the name that it had before these were put around it; some kinds are left as they are.
    fn strip(&mut self, prefix: &str, suffix: &str) {
        let name = self.original();
        let name = name.strip_prefix(prefix).unwrap_or(name);
        let name = name.strip_suffix(suffix).unwrap_or(name).to_string();
        if name != self.original() {
            self.all.push(name);
        }
    }

    /// The name that it was written with.
    pub(super) fn original(&self) -> &str {
        self.all.last().map_or("", String::as_str)
    }

    /// All that are known.
    pub(super) fn known(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(String::as_str)
    }

    /// Whether there may be others.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether it was ever called this.
    pub(super) fn has(&self, name: &str) -> bool {
        let may_be = || self.is_open && self.all[0].contains(name);
        !name.is_empty() && (self.all.iter().any(|it| it == name) || may_be())
    }
}
