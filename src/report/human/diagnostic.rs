//! One finding, drawn by miette from the excerpts of its sources.

use super::Canvas;
use super::excerpt::{Excerpt, MOST_LABELS, excerpts};
use crate::check::Outcome;
use crate::check::locate::Locator;
use crate::model::Model;
use crate::report::place;
use crate::rule::{Finding, Place, Severity, Shows};
use crate::text::path::Found;
use crate::text::source::SourceKind;
use crate::text::visible::visible;
use miette::{
    Diagnostic, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};
use std::fmt;

/// Draws a finding.
pub(super) fn draw(
    out: &mut String,
    canvas: &Canvas,
    locator: &Locator<'_, '_>,
    model: &Model<'_>,
    outcome: &Outcome,
    finding: &Finding,
) {
    let severity = finding.severity.unwrap_or(Severity::Error);
    let drawn = Drawn {
        code: format!("{severity}[{}]", finding.rule),
        severity,
        message: visible(&finding.message).into_owned(),
        excerpts: Excerpts::new(excerpts(&model.loaded.sources, locator, finding, canvas.width)),
    };
    canvas.handler.render_report(out, &drawn).expect("writing to a string succeeds");
    if let Some(more) = finding.labels.len().checked_sub(MOST_LABELS).filter(|it| *it > 0) {
        let places = if more == 1 { "place" } else { "places" };
        let text = format!("and {more} more {places}; `--format json` names them all");
        canvas.footer(out, "more", &text);
    }
    for (name, text) in without_lines(locator, model, finding) {
        canvas.footer(out, name, &text);
    }
    for note in &finding.notes {
        canvas.footer(out, "note", note);
    }
    if let Some(help) = &finding.help {
        canvas.footer(out, "help", help);
    }
    if let Some(worlds) = place::worlds(outcome, &finding.worlds) {
        canvas.footer(out, "world", &worlds);
    }
}

/// The places in rendered and live objects, which have no line to show.
fn without_lines(
    locator: &Locator<'_, '_>,
    model: &Model<'_>,
    finding: &Finding,
) -> Vec<(&'static str, String)> {
    let labels = finding.labels.iter().take(MOST_LABELS);
    let each = labels.filter_map(|label| {
        let location = locator.locate(&label.place);
        let source = model.loaded.sources.get(location.source);
        let Place::Field { object, path } = &label.place else { return None };
        let (name, from) = match source.kind {
            SourceKind::File => return None,
            SourceKind::Rendered => ("rendered", format!(", from {}", source.name)),
            SourceKind::Cluster => ("live", String::new()),
        };
        let object = model.object(*object);
        let (_, value, found) = path.resolve(object.root);
        let is_shown = found == Found::Wholly && finding.shows == Shows::Everything;
        let value = value.scalar().filter(|_| is_shown && path.to_string() != "metadata.name");
        let value = value.map(|it| format!(": {it}")).unwrap_or_default();
        let text = if label.text.is_empty() { String::new() } else { format!(": {}", label.text) };
        Some((name, format!("`{path}{value}` of `{object}`{from}{text}")))
    });
    each.collect()
}

#[derive(Debug)]
struct Drawn {
    code: String,
    severity: Severity,
    message: String,
    excerpts: Excerpts,
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawn {}

impl Diagnostic for Drawn {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Note => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let each = self.excerpts.list.iter().flat_map(|(base, excerpt)| {
            excerpt.marks.iter().map(move |mark| {
                let text = (!mark.text.is_empty()).then(|| mark.text.clone());
                let span = (base + mark.span.start, mark.span.len());
                if mark.is_primary {
                    LabeledSpan::new_primary_with_span(text, span)
                } else {
                    LabeledSpan::new_with_span(text, span)
                }
            })
        });
        Some(Box::new(each))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpts)
    }
}

/// Excerpts of several sources in one space of offsets: to miette a single source, so that one diagnostic can point into
/// all of them.
#[derive(Debug)]
struct Excerpts {
    /// Each with the offset at which it starts.
    list: Vec<(usize, Excerpt)>,
}

impl Excerpts {
    fn new(excerpts: Vec<Excerpt>) -> Excerpts {
        let mut next = 0;
        let list = excerpts.into_iter().map(|excerpt| {
            let base = next;
            next += excerpt.text.len() + 1;
            (base, excerpt)
        });
        Excerpts { list: list.collect() }
    }
}

impl SourceCode for Excerpts {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let at = self.list.partition_point(|(base, _)| *base <= span.offset()).checked_sub(1);
        let (base, excerpt) = at.map(|at| &self.list[at]).ok_or(MietteError::OutOfBounds)?;
        let start = span.offset() - base;
        // A span over two excerpts has no text; that keeps miette from joining them.
        if start + span.len() > excerpt.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        // Without context miette wants the place of a label, for the header; with it, what to draw.
        let mark = excerpt.marks.iter().find(|it| it.span.start == start);
        let (line, column) = match mark {
            Some(mark) if before == 0 && after == 0 => {
                (mark.position.line as usize - 1, mark.position.column as usize - 1)
            }
            _ => (excerpt.first_line, 0),
        };
        let span = (*base, excerpt.text.len()).into();
        let lines = excerpt.text.lines().count();
        let name = excerpt.name.clone();
        let text = excerpt.text.as_bytes();
        Ok(Box::new(MietteSpanContents::new_named(name, text, span, line, column, lines)))
    }
}
