//! What findings have in common: those of one rule and one cause are one block, so that a habit is read once.

use crate::check::Outcome;
use crate::check::locate::{Location, Locator};
use crate::finding::{Finding, Severity};
use crate::report::wording::Wording;
use crate::rule::{Admission, Preset, RuleSet};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// Findings of one severity, one rule and one cause, in the order of their places.
pub(super) struct Block<'o> {
    /// At least one.
    pub(super) findings: Vec<&'o Finding>,
}

/// What makes two findings of a rule the same fault: they say the same once names and numbers are taken out, or they
/// point to the same place.
#[derive(PartialEq, Eq, Hash)]
enum Cause {
    Says(String),
    At(Location),
}

/// The findings as blocks, with what is to be mended first at the beginning.
pub(super) fn blocks<'o>(locator: &Locator<'_, '_>, outcome: &'o Outcome) -> Vec<Block<'o>> {
    let mut blocks: Vec<Block<'o>> = Vec::new();
    let mut by_cause: FxHashMap<(&str, Option<Severity>, Cause), usize> = FxHashMap::default();
    for finding in outcome.told() {
        let says = Cause::Says(Wording::new(&finding.message).template());
        let at = Cause::At(locator.locate(&finding.labels[0].place));
        let keys = [says, at].map(|it| (finding.rule, finding.severity, it));
        let block = keys.iter().find_map(|it| by_cause.get(it).copied()).unwrap_or(blocks.len());
        if block == blocks.len() {
            blocks.push(Block { findings: Vec::new() });
        }
        blocks[block].findings.push(finding);
        keys.into_iter().for_each(|it| {
            by_cause.entry(it).or_insert(block);
        });
    }
    // Stable: what weighs the same stays in the order of its places.
    blocks.sort_by_key(|it| weight(it, &outcome.rule_set));
    blocks
}

/// More findings of one cause than these are a habit, and what was done once is rather a slip.
const HABIT: usize = 10;

/// What is worst; then slips before habits, what objects break together before what each says of itself, what
/// contradicts before what is only missing, and what only names and forms tell last.
fn weight(block: &Block<'_>, rules: &RuleSet) -> (Reverse<Option<Severity>>, bool, bool, u8, bool) {
    let finding = block.findings[0];
    let rule = rules.find(finding.rule);
    let is_of_one = rule.is_some_and(|it| !it.presets.contains(&Preset::Invariants));
    let admission = rule.map_or(Admission::Deny, |it| it.admission);
    let kind = match admission {
        Admission::Deny => 0,
        Admission::Warn => 1,
        Admission::Audit => 2,
    };
    (Reverse(finding.severity), block.findings.len() > HABIT, is_of_one, kind, finding.is_guess)
}
