//! The report that people read: what is worst first, findings of one cause as one block, each in miette's graphical style
//! over several files; then what cannot be told, and the sums.

mod blocks;
mod closing;
mod diagnostic;
mod excerpt;
mod questions;

use crate::text::visible::visible;
pub use closing::{failures, skipped};

use crate::check::Outcome;
use crate::check::locate::Locator;
use crate::model::Model;
use miette::{GraphicalReportHandler, GraphicalTheme};
use textwrap::{Options, WordSeparator, WordSplitter};

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// In columns.
    pub width: usize,
    /// Whether to use colours.
    pub colour: bool,
    /// How much to draw.
    pub extent: Extent,
}

/// How much to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Of findings and questions with one cause the first, and where the others are.
    Folded,
    /// Everything.
    Full,
}

/// Narrower terminals get lines of this width all the same.
const LEAST_WIDTH: usize = 40;

/// Longer lines are hard to read, and this is also what a file or a pipe gets.
const MOST_WIDTH: usize = 100;

impl Style {
    /// For standard output: as wide as the terminal, coloured on one unless `NO_COLOR` is set.
    pub fn detect(is_terminal: bool, extent: Extent) -> Style {
        let width = terminal_size::terminal_size()
            .filter(|_| is_terminal)
            .map_or(MOST_WIDTH, |(width, _)| width.0 as usize);
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|it| it == "dumb");
        Style {
            width: width.clamp(LEAST_WIDTH, MOST_WIDTH),
            colour: is_terminal && !no_colour && !is_dumb,
            extent,
        }
    }
}

/// The whole report.
pub fn render(model: &Model<'_>, outcome: &Outcome, style: Style) -> String {
    let canvas = Canvas::new(style);
    let locator = Locator::new(model);
    let drawing = Drawing { canvas: &canvas, locator: &locator, model, outcome };
    let mut out = String::new();
    for block in blocks::blocks(&locator, outcome) {
        match canvas.extent {
            Extent::Full => block.findings.iter().for_each(|it| drawing.finding(&mut out, it)),
            Extent::Folded => drawing.block(&mut out, &block),
        }
    }
    questions::cannot_tell(&mut out, &drawing);
    closing::summary(&mut out, &canvas, model, outcome);
    out
}

/// What findings are drawn with, and from.
struct Drawing<'r, 'd> {
    canvas: &'r Canvas,
    locator: &'r Locator<'r, 'd>,
    model: &'r Model<'d>,
    outcome: &'r Outcome,
}

/// What everything is drawn with.
struct Canvas {
    width: usize,
    extent: Extent,
    theme: GraphicalTheme,
    handler: GraphicalReportHandler,
}

impl Canvas {
    fn new(style: Style) -> Canvas {
        let width = style.width.max(LEAST_WIDTH);
        let theme = if style.colour {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let handler = GraphicalReportHandler::new_themed(theme.clone())
            .with_width(width + 2)
            .with_word_separator(WordSeparator::AsciiSpace)
            .with_word_splitter(WordSplitter::NoHyphenation);
        Canvas { width, extent: style.extent, theme, handler }
    }

    /// More labels of a finding than these are counted, not drawn.
    fn most_labels(&self) -> usize {
        match self.extent {
            Extent::Folded => 4,
            Extent::Full => 10,
        }
    }

    /// A line of a footer, as miette draws its `help:`.
    fn footer(&self, out: &mut String, name: &str, text: &str) {
        let first = format!("  {} ", self.theme.styles.help.style(format!("{name}:")));
        let rest = " ".repeat(name.len() + 4);
        out.push_str(&wrap(&visible(text), self.width, &first, &rest));
        out.push('\n');
    }
}

/// Breaks a text at its spaces (never inside a name, unless that alone is too long) to lines of this width.
fn wrap(text: &str, width: usize, first: &str, rest: &str) -> String {
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(rest)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}
