//! The end of the report: what cannot be told, by what would settle it, and one line that sums up.

use super::{Canvas, wrap};
use crate::check::Outcome;
use crate::load::Loaded;
use crate::load::files::Step;
use crate::load::left_out::{LeftOut, Why};
use crate::model::Model;
use crate::report::text::counted;
use crate::rule::Severity;
use crate::text::visible::visible;
use std::collections::{BTreeMap, BTreeSet};

/// More missing things than these are counted, not listed, for each reason.
const MOST_MISSING: usize = 10;

/// Who asks for something that is missing.
#[derive(Default)]
struct Questions<'o> {
    count: usize,
    rules: BTreeSet<&'o str>,
}

/// Lists what is missing, each with how many questions it would settle.
pub(super) fn cannot_tell(out: &mut String, canvas: &Canvas, outcome: &Outcome) {
    let mut reasons: BTreeMap<&str, BTreeMap<&str, Questions<'_>>> = BTreeMap::new();
    for unknown in &outcome.unknown {
        let (thing, reason) = thing_and_reason(&unknown.missing);
        let questions = reasons.entry(reason).or_default().entry(thing).or_default();
        questions.count += 1;
        questions.rules.insert(unknown.rule);
    }
    if reasons.is_empty() {
        return;
    }
    let head = format!("cannot tell: {}", counted(outcome.unknown.len(), "question"));
    out.push_str(&canvas.theme.styles.advice.style(head).to_string());
    out.push_str("\n\n");
    for (reason, things) in reasons {
        for (thing, questions) in things.iter().take(MOST_MISSING) {
            let rules = questions.rules.iter().copied().collect::<Vec<_>>().join(", ");
            let times = if questions.count > 1 {
                format!("{} × ", questions.count)
            } else {
                String::new()
            };
            let line = format!("{} ({times}{rules})", visible(thing));
            out.push_str(&wrap(&line, canvas.width, "  ? ", "    "));
            out.push('\n');
        }
        if let Some(more) = things.len().checked_sub(MOST_MISSING).filter(|it| *it > 0) {
            out.push_str(&format!("    … and {more} more; `--format json` names them all\n"));
        }
        if !reason.is_empty() {
            out.push_str(&wrap(&visible(reason), canvas.width, "    ", "    "));
            out.push('\n');
        }
        out.push('\n');
    }
}

/// What would settle a question is written as the thing, then after a colon why it is not known and what to do.
fn thing_and_reason(missing: &str) -> (&str, &str) {
    missing
        .match_indices(": ")
        .map(|(at, colon)| (&missing[..at], &missing[at + colon.len()..]))
        .find(|(thing, _)| thing.matches('`').count() % 2 == 0)
        .unwrap_or((missing, ""))
}

/// Sums up.
pub(super) fn summary(out: &mut String, canvas: &Canvas, model: &Model<'_>, outcome: &Outcome) {
    let mut rules: Vec<_> = outcome.findings.iter().map(|it| it.rule).collect();
    rules.dedup();
    if let Some(first) = rules.first() {
        let is_one = rules.iter().all(|it| it == first);
        let more = if is_one {
            format!("`purlin explain {first}` says more")
        } else {
            "`purlin explain RULE` says more about each of these rules".into()
        };
        out.push_str(&wrap(&more, canvas.width, "", ""));
        out.push('\n');
    }
    let severities = [Severity::Error, Severity::Warning, Severity::Note];
    let found = severities.map(|it| (outcome.count(it), it.name()));
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
        add(
            it.known + it.not_found,
            format!("{} in the baseline{not_found}", counted(it.known, "finding")),
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
    let passed_over = passed_over(model.loaded);
    add(passed_over.len(), format!("passed over: {passed_over}"));
    out.push_str(&wrap(&line, canvas.width, "", ""));
    out.push('\n');
}

/// What was seen and not judged, in words; empty if that is nothing.
pub fn passed_over(loaded: &Loaded) -> String {
    let it = loaded.passed_over;
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
