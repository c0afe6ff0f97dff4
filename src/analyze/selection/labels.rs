//! The labels of an object, quick to ask however many there are.

use rustc_hash::FxHashMap;
use std::ops::Deref;

/// A label: its key and value.
type Label<'d> = (&'d str, &'d str);

/// Where labels stand, by key.
pub(super) type Index<'d> = FxHashMap<&'d str, usize>;

/// Up to so many labels are looked through sooner than an index of them is made.
const FEW: usize = 16;

/// Labels in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub struct Labels<'d> {
    all: Vec<Label<'d>>,
    index: Option<Index<'d>>,
}

impl<'d> Labels<'d> {
    /// The value of the label under `key`.
    pub fn value(&self, key: &str) -> Option<&'d str> {
        value(&self.all, self.index.as_ref(), key)
    }

    /// Whether it has this label.
    pub fn has(&self, (key, value): Label<'_>) -> bool {
        self.value(key) == Some(value)
    }

    /// The same labels, but for those of `others` in their place.
    pub fn with(&self, others: &[Label<'d>]) -> Labels<'d> {
        let others = Labels::from(others.to_vec());
        let kept = self.iter().filter(|it| others.value(it.0).is_none());
        kept.chain(others.iter()).copied().collect::<Vec<_>>().into()
    }
}

impl<'d> From<Vec<Label<'d>>> for Labels<'d> {
    fn from(all: Vec<Label<'d>>) -> Labels<'d> {
        let index = index(&all, usize::MAX);
        Labels { all, index }
    }
}

impl<'d> Deref for Labels<'d> {
    type Target = [Label<'d>];

    fn deref(&self) -> &[Label<'d>] {
        &self.all
    }
}

/// An index of labels that are asked so many times, where it is worth its while.
pub(super) fn index<'d>(labels: &[Label<'d>], times: usize) -> Option<Index<'d>> {
    if labels.len() <= FEW || times <= FEW {
        return None;
    }
    // Of a key that stands twice, the first counts, as without an index.
    let each = labels.iter().enumerate().rev();
    Some(each.map(|(at, label)| (label.0, at)).collect())
}

/// The value under `key`.
pub(super) fn value<'d>(
    labels: &[Label<'d>],
    index: Option<&Index<'_>>,
    key: &str,
) -> Option<&'d str> {
    let at = match index {
        Some(index) => index.get(key).copied(),
        None => labels.iter().position(|(it, _)| *it == key),
    };
    at.map(|it| labels[it].1)
}
