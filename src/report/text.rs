//! Plain text that several reports share.

use crate::check::Outcome;
use crate::rule::Finding;

/// A finding's message, then its notes and help, a line each, for reports that leave the drawing to others.
pub(super) fn paragraphs(finding: &Finding) -> String {
    let notes = finding.notes.iter().map(|it| format!("\nnote: {it}"));
    let help = finding.help.iter().map(|it| format!("\nhelp: {it}"));
    std::iter::once(finding.message.clone()).chain(notes).chain(help).collect()
}

/// The findings with the worst first, for readers that stop at some point: GitHub shows ten annotations of a kind.
pub(super) fn worst_first(outcome: &Outcome) -> Vec<&Finding> {
    let mut findings: Vec<_> = outcome.findings.iter().collect();
    findings.sort_by_key(|it| std::cmp::Reverse(it.severity));
    findings
}

/// `1 error`, `2 errors`.
pub(super) fn counted(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}
