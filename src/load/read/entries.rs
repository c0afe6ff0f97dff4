//! Which entries a mapping has: merge keys are resolved and of equal keys the last one counts, as kubectl has it.
//!
//! Nothing moves: what falls away is marked, so that anchors keep their places and the cost is linear.

use super::mistake::Mistake;
use crate::load::DuplicateKey;
use crate::text::tree::Node;
use crate::text::tree::builder::Builder;
use rustc_hash::{FxHashMap, FxHashSet};

/// Settles the mapping at `at`, which has just been closed.
///
/// # Errors
///
/// When `<<` has a value that cannot be merged.
pub fn settle(
    builder: &mut Builder,
    at: u32,
    has_merge: bool,
    duplicates: &mut Vec<DuplicateKey>,
) -> Result<(), Mistake> {
    if !has_merge && !has_equal_keys(builder.node(at)) {
        return Ok(());
    }
    let (entries, dissolved) = in_order(builder.node(at), has_merge)?;
    let mut last: FxHashMap<&str, Entry<'_>> = FxHashMap::default();
    let mut replaced = Vec::new();
    for entry in entries {
        let Some(earlier) = last.insert(entry.key.str().unwrap_or_default(), entry) else {
            continue;
        };
        replaced.push(earlier.key.index());
        if earlier.origin == Origin::Own {
            duplicates.push(DuplicateKey {
                key: entry.key.str().unwrap_or_default().to_string(),
                first: earlier.key.span(),
                last: entry.key.span(),
            });
        }
    }
    let count = last.len() as u32;
    for key in replaced {
        builder.drop_entry(key);
    }
    for cell in dissolved {
        builder.dissolve(cell);
    }
    builder.set_count(at, count);
    Ok(())
}

#[derive(Clone, Copy)]
struct Entry<'d> {
    key: Node<'d>,
    origin: Origin,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The mapping has it itself.
    Own,
    /// From a mapping under `<<`.
    Merged,
}

/// All entries in the order in which go-yaml v2 sets them, and the cells that are no entries any more.
///
/// A merge counts where it stands: a key before `<<` gives way to a merged one, unlike in the YAML specification. In a
/// list under `<<`, earlier mappings win.
fn in_order(map: Node<'_>, has_merge: bool) -> Result<(Vec<Entry<'_>>, Vec<u32>), Mistake> {
    let mut entries = Vec::new();
    let mut dissolved = Vec::new();
    for (key, value) in map.entries() {
        if !(has_merge && is_merge(key)) {
            entries.push(Entry { key, origin: Origin::Own });
            continue;
        }
        let maps: Vec<Node<'_>> =
            if value.is_seq() { value.items().collect() } else { vec![value] };
        if !maps.iter().all(|it| it.is_map()) {
            return Err(Mistake {
                span: key.span(),
                message: "`<<` merges mappings, and this is none".into(),
                help: Some("give it a mapping, an alias to one, or a list of these; as text, put `<<` in quotes".into()),
            });
        }
        dissolved.push(key.index());
        dissolved.extend(value.is_seq().then_some(value.index()));
        for merged in maps.iter().rev() {
            dissolved.push(merged.index());
            entries.extend(merged.entries().map(|(key, _)| Entry { key, origin: Origin::Merged }));
        }
    }
    Ok((entries, dissolved))
}

/// A plain `<<`; in quotes it is a key like any other.
fn is_merge(key: Node<'_>) -> bool {
    key.str() == Some("<<") && key.span().end - key.span().start == 2
}

/// Small mappings are compared pair by pair, which needs no memory.
fn has_equal_keys(map: Node<'_>) -> bool {
    if map.count() > 16 {
        let mut seen = FxHashSet::default();
        return map.entries().any(|(key, _)| !seen.insert(key.str()));
    }
    let mut keys = [""; 16];
    for (count, (key, _)) in map.entries().enumerate() {
        let key = key.str().unwrap_or_default();
        if keys[..count].contains(&key) {
            return true;
        }
        keys[count] = key;
    }
    false
}
