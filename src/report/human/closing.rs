//! The end of the report: how much each rule found, and one line that sums up.

use super::{Canvas, wrap};
use crate::check::Outcome;
use crate::load::Loaded;
use crate::load::files::Step;
use crate::load::left_out::{LeftOut, Why};
use crate::model::Model;
use crate::report::text::counted;
use crate::rule::Severity;
use crate::text::visible::visible;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Sums up.
pub(super) fn summary(out: &mut String, canvas: &Canvas, model: &Model<'_>, outcome: &Outcome) {
    by_rule(out, canvas, outcome);
    let severities = [Severity::Error, Severity::Warning, Severity::Note];
    let count = |severity| outcome.told().filter(|it| it.severity == Some(severity)).count();
    let found = severities.map(|it| (count(it), it.name()));
    let found: Vec<_> = found.iter().filter(|it| it.0 > 0).map(|it| counted(it.0, it.1)).collect();
    let worlds = outcome.worlds.len();
    let worlds = if worlds > 0 { format!("{worlds} worlds, ") } else { String::new() };
    let objects = format!("{worlds}{}", counted(outcome.objects, "object"));
    let mut line = format!("{objects}: ");
    line.push_str(&if found.is_empty() { "nothing to report".into() } else { found.join(", ") });
    let mut add = |count: usize, what: String| {
        if count > 0 {
            line.push_str(&format!("; {what}"));
        }
    };
    let unknown = outcome.unknown.len();
    add(unknown, format!("{} cannot be told", counted(unknown, "question")));
    add(outcome.accepted, format!("{} accepted", counted(outcome.accepted, "finding")));
    if let Some(it) = outcome.baseline {
        let not_found = match it.not_found {
            0 => String::new(),
            count => format!(" ({count} more in it not found)"),
        };
        let questions = match it.questions {
            0 => String::new(),
            count => format!(" and {}", counted(count, "question")),
        };
        add(
            it.known + it.questions + it.not_found,
            format!("{}{questions} in the baseline{not_found}", counted(it.known, "finding")),
        );
    }
    if let Some(count) = outcome.outside_focus {
        add(count, format!("{} outside the focus", counted(count, "finding")));
    }
    for (step, what) in [(Step::Read, "file"), (Step::Render, "world")] {
        let failed = model.loaded.failures.iter().filter(|it| it.step == step).count();
        let done = if step == Step::Read { "read" } else { "rendered" };
        add(failed, format!("{} could not be {done}", counted(failed, what)));
    }
    let skipped = skipped(model.loaded);
    add(skipped.len(), format!("skipped: {skipped}"));
    out.push_str(&wrap(&line, canvas.width, "", ""));
    out.push('\n');
}

/// A table of the rules that found something, with how often, and where more is said of them.
fn by_rule(out: &mut String, canvas: &Canvas, outcome: &Outcome) {
    let mut counts: BTreeMap<(Reverse<Severity>, &str), usize> = BTreeMap::new();
    for it in outcome.told() {
        let severity = it.severity.unwrap_or(Severity::Error);
        *counts.entry((Reverse(severity), it.rule)).or_default() += 1;
    }
    let rules: BTreeSet<_> = counts.keys().map(|(_, rule)| *rule).collect();
    let more = match rules.first() {
        None => return,
        Some(rule) if rules.len() == 1 => format!("`purlin explain {rule}` says more"),
        Some(_) => "`purlin explain RULE` says more about each of these rules".into(),
    };
    if rules.len() > 1 {
        let mut rows: Vec<_> = counts.into_iter().collect();
        rows.sort_by_key(|((severity, rule), count)| (*severity, Reverse(*count), *rule));
        for ((Reverse(severity), rule), count) in rows {
            let s = if count == 1 { "" } else { "s" };
            out.push_str(&format!("{count:>5} {:<9} {rule}\n", format!("{severity}{s}")));
        }
    }
    out.push_str(&wrap(&more, canvas.width, "", ""));
    out.push('\n');
}

/// What could not be read or rendered, a line each; empty if that is nothing.
pub fn failures(model: &Model<'_>) -> String {
    let lines =
        model.loaded.failures.iter().map(|it| format!("error: {}\n", visible(&it.to_string())));
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { lines + "\n" }
}

/// What was seen and not judged, in words; empty if that is nothing.
pub fn skipped(loaded: &Loaded) -> String {
    let it = loaded.skipped;
    let each = [
        (it.other_documents, "document", "without a Kubernetes object"),
        (it.templates, "Helm template", "not rendered"),
        (it.kustomize_inputs, "input", "of kustomizations"),
        (it.fragments, "fragment", "of objects, as patches and assertions are"),
    ];
    let each = each.iter().filter(|(count, ..)| *count > 0);
    let each = each.map(|(count, what, which)| format!("{} {which}", counted(*count, what)));
    let left_out = loaded.left_out.chunk_by(|a, b| a.why == b.why).map(left_out);
    each.chain(left_out).collect::<Vec<_>>().join(", ")
}

/// More paths than these are counted, not named.
const MOST_PATHS: usize = 3;

/// Paths that were left out for one reason.
fn left_out(paths: &[LeftOut]) -> String {
    let mut names: Vec<_> = paths.iter().take(MOST_PATHS).map(|it| it.path.as_str()).collect();
    if paths.len() > MOST_PATHS {
        names.push("…");
    }
    let why = paths.first().map_or(Why::Hidden, |it| it.why);
    format!("{} ({})", why.counted(paths.len()), visible(&names.join(", ")))
}
