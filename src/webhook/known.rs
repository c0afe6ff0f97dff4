//! Findings that a baseline knows: they are audited, whatever their rule would do.

use crate::finding::Finding;
use crate::fingerprint;
use crate::model::Model;
use crate::policy::Policy;

/// Gives findings their fingerprints, where the policy knows any.
pub(super) fn fingerprint(model: &Model<'_>, policy: &Policy, findings: &mut [Finding]) {
    if policy.known.is_empty() {
        return;
    }
    // Several on the same fields are told apart by their order alone, and a check has this one.
    findings.sort_by(|a, b| (a.rule, &a.labels, &a.message).cmp(&(b.rule, &b.labels, &b.message)));
    fingerprint::fingerprint(model, findings);
}
