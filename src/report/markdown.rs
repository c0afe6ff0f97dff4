//! Markdown, for the summary of a job or a comment on a change.

use super::text::counted;
use crate::check::Outcome;
use crate::locate::Locator;
use crate::model::Model;
use crate::rule::{Finding, Severity};

/// The report: a line that counts, a table of findings, and what cannot be told.
pub fn render(model: &Model<'_>, outcome: &Outcome) -> String {
    let mut out = format!(
        "## purlin\n\n{}, {}, {} in {}\n",
        counted(outcome.count(Severity::Error), "error"),
        counted(outcome.count(Severity::Warning), "warning"),
        counted(outcome.count(Severity::Note), "note"),
        counted(outcome.objects, "object"),
    );
    let locator = Locator::new(model);
    if !outcome.findings.is_empty() {
        out.push_str("\n| | rule | finding | where |\n| --- | --- | --- | --- |\n");
    }
    for finding in &outcome.findings {
        out.push_str(&row(model, &locator, finding));
    }
    if !outcome.unknown.is_empty() {
        out.push_str(&format!(
            "\n<details><summary>{} cannot be told</summary>\n\n",
            counted(outcome.unknown.len(), "question")
        ));
        for unknown in &outcome.unknown {
            let object = cell(&model.object(unknown.object).to_string());
            out.push_str(&format!("- `{}`, {object}: {}\n", unknown.rule, cell(&unknown.missing)));
        }
        out.push_str("\n</details>\n");
    }
    out
}

fn row(model: &Model<'_>, locator: &Locator<'_, '_>, finding: &Finding) -> String {
    let mut places: Vec<String> = finding
        .labels
        .iter()
        .map(|label| {
            let at = locator.locate(&label.place);
            let source = model.loaded.sources.get(at.source);
            format!("{}:{}", cell(&source.name), source.position(at.span.start).line)
        })
        .collect();
    places.dedup();
    let details = finding.notes.iter().chain(&finding.help).map(|it| format!("<br>{}", cell(it)));
    format!(
        "| {} | `{}` | {}{} | {} |\n",
        finding.severity.unwrap_or(Severity::Error),
        finding.rule,
        cell(&finding.message),
        details.collect::<String>(),
        places.join("<br>"),
    )
}

/// Text that cannot end the cell it stands in, or become HTML.
fn cell(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('|', "\\|").replace(['\n', '\r'], " ")
}
