//! The report that people read: miette's graphical style, one diagnostic over several files.

use crate::check::Outcome;
use crate::locate::Locator;
use crate::model::Model;
use crate::rule::{Finding, Severity};
use crate::source::Sources;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};
use std::fmt;

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// In columns.
    pub width: usize,
    /// Whether to use colours.
    pub colour: bool,
}

impl Style {
    /// For standard output: as wide as the terminal, coloured on one unless `NO_COLOR` is set.
    pub fn detect(is_terminal: bool) -> Style {
        let width = terminal_size::terminal_size()
            .filter(|_| is_terminal)
            .map_or(100, |(width, _)| width.0 as usize);
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
        Style { width: width.max(40), colour: is_terminal && !no_colour }
    }
}

/// The whole report.
pub fn render(model: &Model<'_>, outcome: &Outcome, style: Style) -> String {
    let theme =
        if style.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(style.width);
    let map = SourceMap::new(&model.loaded.sources);
    let locator = Locator::new(model);
    let mut out = String::new();
    for finding in &outcome.findings {
        let drawn = Drawn { finding, labels: labels(&map, &locator, finding), map: &map };
        handler.render_report(&mut out, &drawn).expect("writing to a string succeeds");
        out.push('\n');
    }
    for unknown in &outcome.unknown {
        out.push_str(&format!(
            "cannot tell ({}): {}: {}\n",
            unknown.rule,
            model.object(unknown.object),
            unknown.missing
        ));
    }
    out.push_str(&format!(
        "{} objects, {} rules: {} errors, {} warnings, {} notes, {} cannot tell\n",
        outcome.objects,
        outcome.rules.len(),
        outcome.count(Severity::Error),
        outcome.count(Severity::Warning),
        outcome.count(Severity::Note),
        outcome.unknown.len(),
    ));
    out
}

fn labels(map: &SourceMap<'_>, locator: &Locator<'_, '_>, finding: &Finding) -> Vec<LabeledSpan> {
    let each = finding.labels.iter().enumerate().map(|(at, label)| {
        let location = locator.locate(&label.place);
        let span = map.bases[location.source.0 as usize] + location.span.start as usize;
        let length = (location.span.end - location.span.start) as usize;
        let text = (!label.text.is_empty()).then(|| label.text.clone());
        let span = (span, length);
        if at == 0 {
            LabeledSpan::new_primary_with_span(text, span)
        } else {
            LabeledSpan::new_with_span(text, span)
        }
    });
    each.collect()
}

/// All sources in one space of offsets, each after the other.
struct SourceMap<'s> {
    sources: &'s Sources,
    bases: Vec<usize>,
}

impl<'s> SourceMap<'s> {
    fn new(sources: &'s Sources) -> SourceMap<'s> {
        let mut next = 0;
        let mut bases = Vec::new();
        for (_, source) in sources.iter() {
            bases.push(next);
            next += source.text.len() + 1;
        }
        SourceMap { sources, bases }
    }
}

impl SourceCode for SourceMap<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let at = self.bases.partition_point(|base| *base <= span.offset()).checked_sub(1);
        let at = at.ok_or(MietteError::OutOfBounds)?;
        let base = self.bases[at];
        let source = self.sources.get(crate::source::SourceId(at as u32));
        let (start, end) = (span.offset() - base, span.offset() - base + span.len());
        // A span that crosses files has no text; that keeps miette from joining contexts of two files.
        if end > source.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let lines = source.lines();
        let first = source.line_of(start as u32).saturating_sub(before);
        let last = (source.line_of(end as u32) + after + 1).min(lines.len());
        let from = lines[first] as usize;
        let to = lines.get(last).map_or(source.text.len(), |it| *it as usize);
        let bytes = &source.text.as_bytes()[from..to];
        let span = (base + from, to - from).into();
        Ok(Box::new(MietteSpanContents::new_named(
            source.name.clone(),
            bytes,
            span,
            first,
            0,
            last - first,
        )))
    }
}

struct Drawn<'r> {
    finding: &'r Finding,
    labels: Vec<LabeledSpan>,
    map: &'r SourceMap<'r>,
}

impl fmt::Debug for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.finding.message)
    }
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.finding.message)
    }
}

impl std::error::Error for Drawn<'_> {}

impl Diagnostic for Drawn<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.finding.rule))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Some(Severity::Note) => miette::Severity::Advice,
            Some(Severity::Warning) => miette::Severity::Warning,
            _ => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.finding.help.as_ref().map(|it| Box::new(it) as Box<dyn fmt::Display>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.map)
    }
}
