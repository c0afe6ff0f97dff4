//! One finding, drawn by miette from the excerpts of its sources.

use super::blocks::Block;
use super::excerpt::{Excerpt, excerpts};
use super::{Drawing, Extent, wrap};
use crate::finding::{Finding, Label, Place, Severity, Shows};
use crate::report::place;
use crate::report::wording::{Common, Wording};
use crate::text::path::Found;
use crate::text::source::SourceKind;
use crate::text::visible::visible;
use miette::{
    Diagnostic, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt;

/// More findings of a block than these are counted, not listed.
const MOST_OTHERS: usize = 8;

impl Drawing<'_, '_> {
    /// Draws a finding in full.
    pub(super) fn finding(&self, out: &mut String, finding: &Finding) {
        self.alone(out, finding, &finding.worlds);
        out.push('\n');
    }

    /// Draws the first finding of a block, and names the places of the others.
    pub(super) fn block(&self, out: &mut String, block: &Block<'_>) {
        let first = block.findings[0];
        let (worlds, others) = self.others(block);
        self.alone(out, first, &worlds);
        if !others.is_empty() {
            let head = format!("{} more like this:", others.len());
            let styled = self.canvas.theme.styles.help.style(&head);
            out.push_str(&format!("  {styled}\n"));
        }
        // One that would be counted takes the line of the count.
        let most = if others.len() == MOST_OTHERS + 1 { MOST_OTHERS + 1 } else { MOST_OTHERS };
        for it in others.iter().take(most) {
            out.push_str(&wrap(&visible(it), self.canvas.width, "    ", "      "));
            out.push('\n');
        }
        if let Some(more) = others.len().checked_sub(most).filter(|it| *it > 0) {
            out.push_str(&format!("    … and {more} more; `--full` draws them all\n"));
        }
        out.push('\n');
    }

    fn alone(&self, out: &mut String, finding: &Finding, worlds: &[u32]) {
        let canvas = self.canvas;
        let severity = finding.severity.unwrap_or(Severity::Error);
        let most = canvas.most_labels();
        let sources = &self.model.loaded.sources;
        let drawn = Drawn {
            code: format!("{severity}[{}]", finding.rule),
            severity,
            message: visible(&finding.message).into_owned(),
            excerpts: Excerpts::new(excerpts(sources, self.locator, finding, (canvas.width, most))),
        };
        canvas.handler.render_report(out, &drawn).expect("writing to a string succeeds");
        for (name, text) in self.without_lines(finding, most) {
            canvas.footer(out, name, &text);
        }
        if let Some(more) = finding.labels.len().checked_sub(most).filter(|it| *it > 0) {
            let places = if more == 1 { "place" } else { "places" };
            let which = if canvas.extent == Extent::Full { "`--format json`" } else { "`--full`" };
            canvas.footer(out, "more", &format!("and {more} more {places}; {which} shows more"));
        }
        for note in &finding.notes {
            canvas.footer(out, "note", note);
        }
        if let Some(help) = &finding.help {
            canvas.footer(out, "help", help);
        }
        if let Some(worlds) = place::worlds(self.outcome, worlds) {
            canvas.footer(out, "world", &worlds);
        }
    }

    /// The findings of a block after the first, a line each: the place, what is its own, and the worlds where these are
    /// others than those of the first. A place that differs only by world is one line, and that of the first is told with
    /// its worlds, which come first.
    fn others(&self, block: &Block<'_>) -> (Vec<u32>, Vec<String>) {
        let wordings: Vec<_> = block.findings.iter().map(|it| Wording::new(&it.message)).collect();
        let common = Common::of(&wordings);
        let mut lines: Vec<(String, Vec<u32>)> = Vec::new();
        let mut by_text: FxHashMap<String, usize> = FxHashMap::default();
        let mut seen: FxHashSet<(usize, u32)> = FxHashSet::default();
        for (finding, wording) in block.findings.iter().zip(&wordings) {
            let own = wording.own(&common).unwrap_or_else(|| finding.message.clone());
            let place = place::spot(self.model, self.locator, &finding.labels[0].place);
            let text = format!("{}  {own}", place.to_line());
            let worlds = &finding.worlds;
            // Two of one world at one place are two.
            let is_of_others = |at: &usize| {
                !worlds.is_empty() && worlds.iter().all(|it| !seen.contains(&(*at, *it)))
            };
            let at = by_text.get(&text).copied().filter(is_of_others).unwrap_or(lines.len());
            if at == lines.len() {
                by_text.insert(text.clone(), at);
                lines.push((text, Vec::new()));
            }
            lines[at].1.extend(worlds);
            seen.extend(worlds.iter().map(|it| (at, *it)));
        }
        lines.iter_mut().for_each(|it| it.1.sort_unstable());
        let mut lines = lines.into_iter();
        let worlds = lines.next().map(|it| it.1).unwrap_or_default();
        let others = lines.map(|(text, its)| {
            let named = place::worlds(self.outcome, &its).filter(|_| its != worlds);
            text.trim_end().to_string()
                + &named.map(|it| format!(" (world: {it})")).unwrap_or_default()
        });
        let others = others.collect();
        (worlds, others)
    }

    /// The places in rendered and live objects, which have no line to show.
    fn without_lines(&self, finding: &Finding, most: usize) -> Vec<(&'static str, String)> {
        let labels = finding.labels.iter().take(most);
        labels.filter_map(|it| self.without_line(finding, it)).collect()
    }

    fn without_line(&self, finding: &Finding, label: &Label) -> Option<(&'static str, String)> {
        let location = self.locator.locate(&label.place);
        let source = self.model.loaded.sources.get(location.source);
        let Place::Field { object, path } = &label.place else { return None };
        let (name, from) = match source.kind {
            SourceKind::File => return None,
            SourceKind::Rendered => ("rendered", format!(", from {}", source.name)),
            SourceKind::Cluster => ("live", String::new()),
        };
        let object = self.model.object(*object);
        let (_, value, found) = path.resolve(object.root);
        let is_shown = found == Found::Wholly && finding.shows == Shows::Everything;
        let value = value.scalar().filter(|_| is_shown && path.to_string() != "metadata.name");
        let value = value.map(|it| format!(": {it}")).unwrap_or_default();
        let text = if label.text.is_empty() { String::new() } else { format!(": {}", label.text) };
        Some((name, format!("`{path}{value}` of `{object}`{from}{text}")))
    }
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
