//! Markdown, for the summary of a job or a comment on a change.

use super::place::{self, Spot};
use super::text::{counted, worst_first};
use crate::check::Outcome;
use crate::check::locate::Locator;
use crate::model::Model;
use crate::rule::{Finding, Severity};
use crate::text::visible::visible;

/// GitHub refuses the summary of a step that is larger than a mebibyte; what does not fit is counted.
const MOST_BYTES: usize = 900_000;

/// The report: a line that counts, a table of findings, and what cannot be told.
pub fn render(model: &Model<'_>, outcome: &Outcome) -> String {
    let mut out = format!("## purlin\n\n{}\n", summary(outcome));
    let locator = Locator::new(model);
    let failures = model.loaded.failures.iter();
    let left =
        add(&mut out, failures.map(|it| format!("\n- **error**: {}\n", plain(&it.to_string()))));
    if left > 0 {
        out.push_str(&format!("\n… and {} more\n", counted(left, "failure")));
    }
    if !outcome.findings.is_empty() {
        out.push_str("\n| | rule | finding | where |\n| --- | --- | --- | --- |\n");
    }
    let findings = worst_first(outcome).into_iter();
    let rows = findings.map(|it| row(model, &locator, it, place::worlds(outcome, &it.worlds)));
    let left = add(&mut out, rows);
    if left > 0 {
        out.push_str(&format!("\n… and {} more\n", counted(left, "finding")));
    }
    if outcome.unknown.is_empty() {
        return out;
    }
    out.push_str(&format!(
        "\n<details><summary>{} cannot be told</summary>\n\n",
        counted(outcome.unknown.len(), "question")
    ));
    let left = add(
        &mut out,
        outcome.unknown.iter().map(|it| {
            let object = model.object(it.object);
            let place = place::spot(model, &locator, &object.whole()).to_line();
            let world = place::worlds(outcome, &it.worlds);
            let world = world.map(|it| format!(" (world: {})", plain(&it))).unwrap_or_default();
            let (object, place) = (inline(&object.to_string()), plain(&place));
            format!("- `{}`, {object}, {place}: {}{world}\n", it.rule, inline(&it.missing))
        }),
    );
    if left > 0 {
        out.push_str(&format!("- … and {} more\n", counted(left, "question")));
    }
    out.push_str("\n</details>\n");
    out
}

fn summary(outcome: &Outcome) -> String {
    let mut text = format!(
        "{}, {}, {} in {}",
        counted(outcome.count(Severity::Error), "error"),
        counted(outcome.count(Severity::Warning), "warning"),
        counted(outcome.count(Severity::Note), "note"),
        counted(outcome.objects, "object"),
    );
    if let Some(it) = outcome.baseline {
        text.push_str(&format!("; {} in the baseline", counted(it.known, "finding")));
    }
    if let Some(count) = outcome.outside_focus {
        text.push_str(&format!("; {} outside the focus", counted(count, "finding")));
    }
    text
}

/// Adds lines while there is room, and says how many there was none for.
fn add(out: &mut String, mut lines: impl Iterator<Item = String>) -> usize {
    while let Some(line) = lines.next() {
        if out.len() + line.len() > MOST_BYTES {
            return 1 + lines.count();
        }
        out.push_str(&line);
    }
    0
}

fn row(
    model: &Model<'_>,
    locator: &Locator<'_, '_>,
    finding: &Finding,
    world: Option<String>,
) -> String {
    let help = finding.help.as_ref().map(|it| format!("help: {it}"));
    let world = world.map(|it| format!("world: {it}"));
    let details = finding.notes.iter().chain(&help).chain(&world);
    let details = details.map(|it| format!("<br>{}", inline(it)));
    format!(
        "| {} | `{}` | {}{} | {} |\n",
        finding.severity.unwrap_or(Severity::Error),
        finding.rule,
        inline(&finding.message),
        details.collect::<String>(),
        places(model, locator, finding).join("<br>"),
    )
}

/// The files of a finding, each once where its places follow each other: `quota.yaml:9, 10`.
fn places(model: &Model<'_>, locator: &Locator<'_, '_>, finding: &Finding) -> Vec<String> {
    let mut places: Vec<(String, Vec<String>)> = Vec::new();
    for label in &finding.labels {
        let (name, line) = match place::spot(model, locator, &label.place) {
            Spot::Lines(file, start, _) => (plain(file), Some(start.line.to_string())),
            other => (plain(&other.to_text()), None),
        };
        if places.last().is_none_or(|(last, _)| *last != name) {
            places.push((name, Vec::new()));
        }
        let Some((_, lines)) = places.last_mut() else { continue };
        lines.extend(line);
        lines.dedup();
    }
    let text = |(name, lines): (String, Vec<String>)| match lines.is_empty() {
        true => name,
        false => format!("{name}:{}", lines.join(", ")),
    };
    places.into_iter().map(text).collect()
}

/// A text with names in backticks, which stay code.
fn inline(text: &str) -> String {
    let text = visible(text);
    let mut out = String::new();
    let mut rest = &*text;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((code, after)) = after.split_once('`') else { break };
        out.push_str(&plain(before));
        out.push_str(&code_span(code));
        rest = after;
    }
    out.push_str(&plain(rest));
    out
}

/// Code as backticks where nothing in it ends them or the cell, else as HTML.
fn code_span(code: &str) -> String {
    let is_blank = code.trim().is_empty() || code.trim() != code;
    if is_blank || code.contains(['|', '\\', '\n', '\r']) {
        format!("<code>{}</code>", plain(code))
    } else {
        format!("`{code}`")
    }
}

/// Text without a character that means anything to Markdown or HTML, or ends a cell.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for character in visible(text).chars() {
        match character {
            '&' | '<' | '>' | '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' | '@' | '#' => {
                out.push_str(&format!("&#{};", u32::from(character)))
            }
            other => out.push(other),
        }
    }
    out
}
