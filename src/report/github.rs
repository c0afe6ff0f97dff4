//! Workflow commands that GitHub Actions turns into annotations, one for each place of a finding.

use super::text;
use crate::check::Outcome;
use crate::locate::Locator;
use crate::model::Model;
use crate::rule::{Finding, Label, Severity};

/// The commands, a line each.
pub fn render(model: &Model<'_>, outcome: &Outcome) -> String {
    let locator = Locator::new(model);
    let mut out = String::new();
    for finding in &outcome.findings {
        for (at, label) in finding.labels.iter().enumerate() {
            let (command, message) = match at {
                0 => (command(finding.severity), text::paragraphs(finding)),
                // The other places point back, so that neither side of a pair is missed in a review.
                _ => ("notice", format!("{}\n{}", label.text, finding.message)),
            };
            out.push_str(&annotation(model, &locator, command, finding, label, message.trim()));
        }
    }
    out
}

fn command(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Note) => "notice",
        Some(Severity::Warning) => "warning",
        _ => "error",
    }
}

fn annotation(
    model: &Model<'_>,
    locator: &Locator<'_, '_>,
    command: &str,
    finding: &Finding,
    label: &Label,
    message: &str,
) -> String {
    let at = locator.locate(&label.place);
    let source = model.loaded.sources.get(at.source);
    let (start, end) = (source.position(at.span.start), source.position(at.span.end));
    // Columns are understood within one line only.
    let columns = if start.line == end.line {
        format!(",col={},endColumn={}", start.column, end.column)
    } else {
        String::new()
    };
    format!(
        "::{command} file={},line={},endLine={}{columns},title={}::{}\n",
        property(&source.name),
        start.line,
        end.line,
        property(finding.rule),
        data(message),
    )
}

/// `actions/toolkit`, packages/core/src/command.ts, escapeData.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same, escapeProperty.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
