//! Many patterns at once: an object is held against those that it may match, and not against all of them.

use super::Pattern;
use aho_corasick::AhoCorasick;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use std::sync::OnceLock;

/// Fewer patterns than this are tried one after the other.
const FEW: usize = 16;

/// Patterns, found by what an object has to have so that they match it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Vec<Pattern>")]
pub struct Patterns {
    all: Vec<Pattern>,
    /// Made when first asked for.
    index: OnceLock<Index>,
}

#[derive(Clone, Debug, Default)]
struct Index {
    /// Those that name an object in full, by its name and, where that is written in full as well, its namespace.
    by_name: FxHashMap<String, ByNamespace>,
    /// What stands between the wildcards of names; the longest piece of each.
    pieces: Option<AhoCorasick>,
    /// Those with each of these pieces.
    by_piece: Vec<Vec<u32>>,
    /// Those for any name, by namespace.
    by_namespace: FxHashMap<String, Vec<u32>>,
    /// All others.
    rest: Vec<u32>,
}

/// Those of one name: many namespaces have an object of the same one.
#[derive(Clone, Debug, Default)]
struct ByNamespace {
    of: FxHashMap<String, Vec<u32>>,
    of_many: Vec<u32>,
}

impl From<Vec<Pattern>> for Patterns {
    fn from(all: Vec<Pattern>) -> Patterns {
        Patterns { all, index: OnceLock::new() }
    }
}

impl Patterns {
    /// These, in order.
    pub fn of(all: impl Iterator<Item = Pattern>) -> Patterns {
        Patterns::from(all.collect::<Vec<_>>())
    }

    /// Whether any of them means this object.
    pub fn match_any(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.candidates(namespace, name).any(|at| self.all[at].matches(kind, namespace, name))
    }

    /// The places of those that mean this object, in order.
    pub fn matching(&self, kind: &str, namespace: &str, name: &str) -> Vec<usize> {
        let candidates = self.candidates(namespace, name);
        let mut found: Vec<_> =
            candidates.filter(|at| self.all[*at].matches(kind, namespace, name)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn candidates(&self, namespace: &str, name: &str) -> impl Iterator<Item = usize> {
        let index =
            (self.all.len() > FEW).then(|| self.index.get_or_init(|| Index::new(&self.all)));
        let few = if index.is_none() { 0..self.all.len() } else { 0..0 };
        few.chain(index.into_iter().flat_map(move |it| it.candidates(namespace, name)))
    }
}

impl Index {
    fn new(all: &[Pattern]) -> Index {
        let mut index = Index::default();
        let mut pieces: FxHashMap<&str, u32> = FxHashMap::default();
        let mut texts: Vec<&str> = Vec::new();
        for (at, pattern) in (0..).zip(all) {
            let place = match (pattern.piece(), pattern.only_namespace()) {
                (Some((name, true)), namespace) => {
                    let of_name = index.by_name.entry(name.to_string()).or_default();
                    match namespace {
                        Some(it) => of_name.of.entry(it.to_string()).or_default(),
                        None => &mut of_name.of_many,
                    }
                }
                (Some((piece, false)), _) => {
                    let of_piece = *pieces.entry(piece).or_insert_with(|| {
                        texts.push(piece);
                        index.by_piece.push(Vec::new());
                        texts.len() as u32 - 1
                    });
                    &mut index.by_piece[of_piece as usize]
                }
                (None, Some(namespace)) => {
                    index.by_namespace.entry(namespace.to_string()).or_default()
                }
                (None, None) => &mut index.rest,
            };
            place.push(at);
        }
        if !texts.is_empty() {
            index.pieces = AhoCorasick::new(&texts).ok();
            if index.pieces.is_none() {
                // More than it takes: then each is tried.
                index.rest.extend(index.by_piece.drain(..).flatten());
            }
        }
        index
    }

    fn candidates(&self, namespace: &str, name: &str) -> impl Iterator<Item = usize> {
        let mut pieces: Vec<usize> = self
            .pieces
            .iter()
            .flat_map(|it| it.find_overlapping_iter(name))
            .map(|it| it.pattern().as_usize())
            .collect();
        pieces.sort_unstable();
        pieces.dedup();
        let by_piece = pieces.into_iter().flat_map(|it| &self.by_piece[it]);
        let by_name = self
            .by_name
            .get(name)
            .into_iter()
            .flat_map(|it| it.of.get(namespace).into_iter().flatten().chain(&it.of_many));
        let by_namespace = self.by_namespace.get(namespace).into_iter().flatten();
        by_name.chain(by_piece).chain(by_namespace).chain(&self.rest).map(|it| *it as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn the_index_finds_what_a_look_at_each_finds(
            patterns in prop::collection::vec("(Service|[*]|S[*])(/([ab]|[*]|[*]a|a[*]))?/([ab*]{1,4})", 0..60),
            namespace in "[ab]{0,2}",
            name in "[ab]{0,4}",
        ) {
            let all: Vec<Pattern> = patterns.iter().map(|it| Pattern::parse(it).unwrap()).collect();
            let expected: Vec<usize> = (0..all.len())
                .filter(|at| all[*at].matches("Service", &namespace, &name))
                .collect();
            let patterns = Patterns::from(all);
            prop_assert_eq!(patterns.match_any("Service", &namespace, &name), !expected.is_empty());
            prop_assert_eq!(patterns.matching("Service", &namespace, &name), expected);
        }
    }
}
