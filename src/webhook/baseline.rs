//! Findings that a baseline knows: they are audited, whatever their rule would do.

use crate::check::fingerprint;
use crate::finding::Finding;
use crate::model::Model;
use crate::run::Run;

/// Gives all findings of some rules in a model their fingerprints, where the baseline knows any.
pub(super) fn fingerprint(model: &Model<'_>, run: &Run, all: &mut [Finding]) {
    if run.known.is_empty() {
        return;
    }
    // Several on the same fields are told apart by their order alone, and a check has this one.
    all.sort_by(|a, b| (a.rule, &a.labels, &a.message).cmp(&(b.rule, &b.labels, &b.message)));
    fingerprint::fingerprint(model, all);
}
