//! A finding as plain text, for reports that leave the drawing to others.

use crate::rule::Finding;

/// The message, then its notes and help, a line each.
pub(super) fn paragraphs(finding: &Finding) -> String {
    let notes = finding.notes.iter().map(|it| format!("\nnote: {it}"));
    let help = finding.help.iter().map(|it| format!("\nhelp: {it}"));
    std::iter::once(finding.message.clone()).chain(notes).chain(help).collect()
}
