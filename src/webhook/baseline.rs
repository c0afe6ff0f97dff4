//! Findings that a baseline knows: they are audited, whatever their rule would do.

use super::regression::is_same;
use crate::check;
use crate::check::fingerprint;
use crate::finding::Finding;
use crate::model::Model;
use crate::policy::Policy;
use crate::rules::RULES;
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

/// The same of some findings. All others of their rules are found again for it, as few requests make anything worse, and
/// all may be many.
pub(super) fn fingerprint_some(
    model: &Model<'_>,
    (policy, run): (&Policy, &Run),
    some: &mut [Finding],
) {
    if run.known.is_empty() || some.is_empty() {
        return;
    }
    let rules = RULES.iter().copied().filter(|rule| some.iter().any(|it| it.rule == rule.id));
    let mut all = check::findings(model, policy, run, &rules.collect::<Vec<_>>());
    fingerprint(model, run, &mut all);
    for it in some {
        if let Some(at) = all.iter().position(|other| is_same(it, other)) {
            it.fingerprint = all.swap_remove(at).fingerprint;
        }
    }
}
