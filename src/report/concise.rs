//! A line a finding, for editors and for `grep`: `file:line:column: error[rule] message`.

use super::place::{self, Spot};
use super::text::worst_first;
use crate::check::Outcome;
use crate::check::locate::Locator;
use crate::finding::{Finding, Severity};
use crate::model::Model;
use crate::text::visible::visible;

/// The lines, the worst first, after what could not be read or rendered.
pub fn render(model: &Model<'_>, outcome: &Outcome) -> String {
    let locator = Locator::new(model);
    let failures = model.loaded.failures.iter().map(|it| format!("{}: error: {it}", it.path));
    let findings = worst_first(outcome)
        .into_iter()
        .filter(|it| !it.is_told)
        .map(|it| line(model, &locator, outcome, it));
    failures.chain(findings).map(|it| one_line(&it) + "\n").collect()
}

fn line(model: &Model<'_>, locator: &Locator<'_, '_>, outcome: &Outcome, it: &Finding) -> String {
    let place = match place::spot(model, locator, &it.labels[0].place) {
        Spot::Lines(file, start, _) => format!("{file}:{start}"),
        // Without a line: what was rendered has none that somebody wrote.
        Spot::Rendered(file) => file.to_string(),
        Spot::Live(name) => name,
    };
    let severity = it.severity.unwrap_or(Severity::Error);
    let worlds = place::worlds(outcome, &it.worlds);
    let worlds = worlds.map(|it| format!(" (world: {it})")).unwrap_or_default();
    format!("{place}: {severity}[{}] {}{worlds}", it.rule, it.message)
}

/// Without a break, or anything else that a terminal would obey.
fn one_line(text: &str) -> String {
    visible(&text.split(['\n', '\r']).map(str::trim).collect::<Vec<_>>().join(" ")).into_owned()
}
