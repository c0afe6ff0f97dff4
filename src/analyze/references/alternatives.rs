//! Files or folders with the same set of objects: releases, clouds, steps of a tutorial. They are never applied together,
//! whatever else is in the folder around them.

use crate::load::Document;
use crate::model::{Model, Object};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// The sets of files or folders, each of which holds much the same objects as the others of its set.
#[derive(Debug, Default)]
pub struct Alternatives<'d> {
    /// The first of its set, by file or folder.
    set_of: FxHashMap<&'d str, &'d str>,
}

impl<'d> Alternatives<'d> {
    /// Finds them in a model.
    pub fn new(model: &Model<'d>) -> Alternatives<'d> {
        // Sorted, so that what is found follows from the input alone.
        let mut shared: BTreeMap<(&'d str, &'d str), usize> = BTreeMap::new();
        for (earlier, later) in model.duplicates() {
            if let Some(pair) = apart(model, earlier, later) {
                *shared.entry(pair).or_default() += 1;
            }
        }
        let mut sizes: FxHashMap<&'d str, usize> =
            shared.keys().flat_map(|(a, b)| [(*a, 0), (*b, 0)]).collect();
        if sizes.is_empty() {
            return Alternatives::default();
        }
        for path in model.all_objects().filter_map(|it| path(model, it.document)) {
            for above in ancestors(path) {
                if let Some(size) = sizes.get_mut(above) {
                    *size += 1;
                }
            }
        }
        let mut found = Alternatives::default();
        for ((a, b), shared) in shared {
            if are_alternatives(shared, sizes[a], sizes[b]) {
                found.join(a, b);
            }
        }
        found
    }

    fn join(&mut self, a: &'d str, b: &'d str) {
        let (a, b) = (self.first(a), self.first(b));
        let first = a.min(b);
        self.set_of.insert(a, first);
        self.set_of.insert(b, first);
    }

    fn first(&mut self, unit: &'d str) -> &'d str {
        let mut first = unit;
        while let Some(next) = self.set_of.get(first).filter(|it| **it != first) {
            first = next;
        }
        // The next look is shorter.
        if first != unit {
            self.set_of.insert(unit, first);
        }
        first
    }

    /// The set that the files or folders of two objects of one name belong to, by its first, and these two themselves.
    pub fn of(
        &mut self,
        model: &Model<'d>,
        earlier: &Object<'d>,
        later: &Object<'d>,
    ) -> Option<(&'d str, [&'d str; 2])> {
        let (a, b) = apart(model, earlier, later)?;
        let is_known = self.set_of.contains_key(a) && self.set_of.contains_key(b);
        let set = self.first(a);
        (is_known && set == self.first(b)).then_some((set, [a, b]))
    }
}

/// Whether files or folders of so many objects that share so many are alternatives: most is in both, or one of them is all
/// but contained in the other, as a part of an installation is in the whole. Two that share one object of several are not.
fn are_alternatives(shared: usize, a: usize, b: usize) -> bool {
    2 * shared >= a + b - shared || shared > 1 && 10 * shared >= 9 * a.min(b)
}

/// The file that a document was read from; what was rendered was put together by its own program.
pub fn path<'d>(model: &Model<'d>, document: &Document) -> Option<&'d str> {
    let source = model.loaded.sources.get(document.source);
    (source.has_lines() && document.origin.is_none()).then_some(source.name.as_str())
}

/// The files or folders in which two objects stand, from where their paths part.
fn apart<'d>(
    model: &Model<'d>,
    earlier: &Object<'d>,
    later: &Object<'d>,
) -> Option<(&'d str, &'d str)> {
    let (a, b) = (path(model, earlier.document)?, path(model, later.document)?);
    ancestors(a).zip(ancestors(b)).find(|(a, b)| a != b)
}

/// `a`, `a/b` and `a/b/c.yaml` of the last.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0);
    ends.chain([path.len()]).map(|end| &path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_of_several_makes_no_alternatives() {
        let of = |shared, a, b| are_alternatives(shared, a, b);
        assert!(of(1, 1, 1) && of(2, 3, 3) && of(20, 20, 200) && of(18, 20, 200));
        assert!(!of(1, 1, 3) && !of(1, 2, 2) && !of(2, 5, 30) && !of(17, 20, 200));
    }

    #[test]
    fn paths_part_at_a_file_or_folder() {
        assert_eq!(ancestors("a/b/c.yaml").collect::<Vec<_>>(), ["a", "a/b", "a/b/c.yaml"]);
        assert_eq!(ancestors("/a/b").collect::<Vec<_>>(), ["/a", "/a/b"]);
    }
}
