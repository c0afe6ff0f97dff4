//! Workflow commands that GitHub Actions turns into annotations, one for each place of a finding.

use super::place::{self, Spot};
use super::repository::{Name, Repository};
use super::text::{self, counted};
use crate::check::Outcome;
use crate::check::locate::Locator;
use crate::model::Model;
use crate::rule::Severity;
use crate::text::visible::visible;

/// So many places of a finding are annotated beside the first; GitHub shows no more of a kind in a step.
const MOST_OTHERS: usize = 10;

/// The commands, a line each, with the names of files that GitHub knows them by.
pub fn render(model: &Model<'_>, outcome: &Outcome, repository: &Repository) -> String {
    let locator = Locator::new(model);
    let mut out = String::new();
    // First of all: the findings are not all that there may be.
    for failure in &model.loaded.failures {
        out.push_str(&format!("::error title=purlin::{}\n", data(&failure.to_string())));
    }
    for finding in text::worst_first(outcome) {
        let world = place::worlds(outcome, &finding.worlds);
        let world = world.map(|it| format!("\nworld: {it}")).unwrap_or_default();
        let more = match finding.labels.len().saturating_sub(1 + MOST_OTHERS) {
            0 => String::new(),
            more => format!("\nmore: {} are not annotated", counted(more, "other place")),
        };
        for (at, label) in finding.labels.iter().take(1 + MOST_OTHERS).enumerate() {
            let (command, message) = match at {
                0 => (
                    command(finding.severity),
                    format!("{}{more}{world}", text::paragraphs(finding)),
                ),
                // The other places point back, so that neither side of a pair is missed in a review.
                _ => ("notice", format!("{}\n{}", label.text, finding.message)),
            };
            let message = message + &place::rendered(model, &locator, label);
            let (place, name) = place(&place::spot(model, &locator, &label.place), repository);
            let title = property(finding.rule);
            let message = data(&format!("{name}{}", message.trim()));
            out.push_str(&format!("::{command} {place}title={title}::{message}\n"));
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

/// Where an annotation stands, as properties; and what names the place where it is in no file.
fn place(spot: &Spot<'_>, repository: &Repository) -> (String, String) {
    let (file, lines) = match spot {
        // Columns are understood within one line only.
        Spot::Lines(file, start, end) if start.line == end.line => (
            file,
            format!(
                "line={},endLine={},col={},endColumn={},",
                start.line, end.line, start.column, end.column
            ),
        ),
        Spot::Lines(file, start, end) => {
            (file, format!("line={},endLine={},", start.line, end.line))
        }
        Spot::Rendered(file) => (file, String::new()),
        Spot::Live(name) => return (String::new(), format!("{name}: ")),
    };
    let (Name::Inside(file) | Name::Outside(file)) = repository.name(file);
    (format!("file={},{lines}", property(&file)), String::new())
}

/// `actions/toolkit`, packages/core/src/command.ts, escapeData. Carriage returns and other control characters, which
/// whatever shows the log would obey, are made visible instead.
fn data(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(visible).collect();
    lines.join("\n").replace('%', "%25").replace('\n', "%0A")
}

/// The same, escapeProperty.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
