//! Every break of a repaired world, attempted: denied or warned of as its rule says, with the objects and the sums.

use super::Stand;
use super::case::Case;
use super::expected::Expected;
use super::program::Said;
use crate::systems::texts;
use crate::webhook::breaks::{OPENED, changes};
use crate::webhook::support::objects;
use purlin::load::load_texts;
use purlin::rule::Admission;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// What the API server refuses by itself, so that no webhook is asked.
const REFUSED: [&str; 5] = [
    "hpa-bounds",
    "invalid-field",
    "requests-above-limits",
    "rollout-deadlock",
    "selector-mismatch",
];

/// How an attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Denied,
    Warned,
    Taken,
    /// The API server takes it and keeps what there is.
    Kept,
    /// The API server does not take it, whoever else does.
    Refused,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Answer::Denied => "denied",
            Answer::Warned => "warned",
            Answer::Taken => "taken",
            Answer::Kept => "taken, and changes nothing",
            Answer::Refused => "refused by the API server",
        })
    }
}

/// Attempts the breaks of a world that is in place.
pub(super) fn are_answered(stand: &Stand, world: &str, cases: &[&Case]) {
    let before = objects(&load_texts(texts(world)));
    let (mut wrong, mut breaks_left_out) = (Vec::new(), 0);
    let mut counts: BTreeMap<(&str, Answer), usize> = BTreeMap::new();
    for case in cases {
        if let Some(why) = case.left_out {
            println!("  left out: {}: {why}", case.name);
            breaks_left_out += 1;
            continue;
        }
        let changes = changes(&before, &case.objects);
        let attempt = Attempt { stand, expected: &case.expected, changes };
        let all = attempt.all();
        for (verb, said) in &all {
            let answer = attempt.answer(said);
            *counts.entry((verb, answer)).or_default() += 1;
            println!("  {verb}: {answer}: {}", case.name);
            said.refusals.iter().for_each(|it| println!("    {}", it.replace('\n', " ")));
        }
        let strictest = all.iter().map(|it| attempt.answer(&it.1)).min();
        *counts.entry(("in all", strictest.unwrap())).or_default() += 1;
        wrong.extend(attempt.wrong(&all).map(|why| format!("{}: {why}", case.name)));
    }
    for ((verb, answer), count) in counts {
        println!("  {count} × {verb} {answer}");
    }
    println!("  {} breaks, {breaks_left_out} of them left out", cases.len());
    assert!(wrong.is_empty(), "{world}: {} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// An object as it is and as it would be.
type Change<'a> = (Option<&'a Value>, Option<&'a Value>);

/// The objects that differ, and what has to be said of it.
struct Attempt<'a> {
    stand: &'a Stand,
    expected: &'a [Expected],
    changes: Vec<Change<'a>>,
}

impl<'a> Attempt<'a> {
    /// By every way that there is; the world is as before after each.
    fn all(&self) -> Vec<(&'static str, Said)> {
        let kubectl = &self.stand.kubectl;
        let mut all = Vec::new();
        let deleted: Vec<_> =
            self.changes.iter().filter(|it| it.1.is_none()).filter_map(|it| it.0).collect();
        let written: Vec<_> = self.changes.iter().filter_map(|it| it.1).collect();
        if !deleted.is_empty() {
            let mut said = kubectl.on(&deleted, &["delete"]);
            if !written.is_empty() {
                said.and(kubectl.on(&written, &["apply"]));
            }
            all.push((if written.is_empty() { "delete" } else { "delete and apply" }, said));
            self.restore(&self.changes);
            return all;
        }
        let said = kubectl.on(&written, &["apply"]);
        let is_new_needed = !said.refusals.is_empty() || self.keeps_address();
        all.push(("apply", said));
        self.restore(&self.changes);
        if is_new_needed {
            all.push(("replace", kubectl.on(&written, &["replace", "--force", "--save-config"])));
            self.restore(&self.changes);
            return all;
        }
        if written.len() > 1 {
            let backwards: Vec<Change<'_>> = self.changes.iter().rev().copied().collect();
            let written: Vec<_> = backwards.iter().filter_map(|it| it.1).collect();
            all.push(("apply backwards", kubectl.on(&written, &["apply"])));
            self.restore(&backwards);
        }
        let patched: Vec<_> = self.changes.iter().filter_map(|it| Some((it.0?, it.1?))).collect();
        if patched.len() == written.len() {
            let mut said = Said::default();
            patched.iter().for_each(|(old, new)| said.and(self.patch(old, new)));
            all.push(("patch", said));
            for (old, new) in patched.iter().rev() {
                let back = self.patch(new, old);
                assert!(back.is_done(), "a repair is denied: {back:#?}");
            }
        }
        all
    }

    /// Whether only the address of a Service changes, which the API server keeps when a Service says none.
    fn keeps_address(&self) -> bool {
        let has = |it: Option<&Value>| it.is_some_and(|it| it["spec"].get("clusterIP").is_some());
        self.changes.iter().any(|(old, new)| has(*old) && new.is_some() && !has(*new))
    }

    fn patch(&self, old: &Value, new: &Value) -> Said {
        let patch = merge_patch(old, new).to_string();
        self.stand.kubectl.on(&[old], &["patch", "--type", "merge", "-p", &patch])
    }

    /// Takes changes back, the last one first, which nobody may deny.
    fn restore(&self, changes: &[Change<'_>]) {
        let kubectl = &self.stand.kubectl;
        let added: Vec<_> =
            changes.iter().filter(|it| it.0.is_none()).filter_map(|it| it.1).collect();
        let old: Vec<_> = changes.iter().rev().filter_map(|it| it.0).collect();
        if !added.is_empty() {
            kubectl.on(&added, &["delete", "--ignore-not-found"]);
        }
        if !old.is_empty() {
            let mut said = kubectl.on(&old, &["apply"]);
            if !said.refusals.is_empty() {
                said = kubectl.on(&old, &["replace", "--force", "--save-config"]);
            }
            assert!(said.is_done(), "a repair is denied: {said:#?}");
        }
    }

    fn answer(&self, said: &Said) -> Answer {
        match said {
            it if !it.denials.is_empty() => Answer::Denied,
            it if !it.refusals.is_empty() => Answer::Refused,
            it if !it.warnings.is_empty() => Answer::Warned,
            _ if self.keeps_address() => Answer::Kept,
            _ => Answer::Taken,
        }
    }

    /// What was not said that has to be, or was denied that need not.
    fn wrong(&self, all: &[(&str, Said)]) -> Option<String> {
        let own =
            |it: &&(&str, Said)| !matches!(self.answer(&it.1), Answer::Refused | Answer::Kept);
        let judged: Vec<_> = all.iter().filter(own).collect();
        let is_one = self.changes.len() == 1;
        // Once one of several is denied, what only both make does not come about; the other way round it does.
        let is_said = |it: &Expected| {
            let mut said = judged.iter().map(|(_, said)| self.is_said(it, said));
            if is_one && !judged.is_empty() { said.all(|it| it) } else { said.any(|it| it) }
        };
        let is_refused = |it: &Expected| judged.is_empty() && REFUSED.contains(&it.rule.id);
        let missing = self.expected.iter().filter(|it| !is_refused(it) && !is_said(it));
        let missing = missing.map(|it| {
            format!("not told ({}): {}: {}", it.rule.admission.name(), it.rule.id, it.message)
        });
        let denials = judged.iter().filter(|_| is_one).flat_map(|it| &it.1.denials);
        let is_expected =
            |text: &str| !self.is_deletion() && self.expected.iter().any(|it| it.is_told_by(text));
        let beyond = denials.filter(|it| !is_expected(it)).map(|it| format!("denied beyond: {it}"));
        let wrong: Vec<String> = missing.chain(beyond).collect();
        (!wrong.is_empty()).then(|| format!("{}\n{all:#?}", wrong.join("\n")))
    }

    /// Whether objects only go, which is never denied.
    fn is_deletion(&self) -> bool {
        self.changes.iter().all(|it| it.1.is_none())
    }

    /// Whether a policy that opens the way may still follow what leads to closed pods.
    fn awaits_policy(&self, it: &Expected) -> bool {
        let mut written = self.changes.iter().filter_map(|it| it.1);
        OPENED.contains(&it.rule.id) && !written.any(|it| it["kind"] == "NetworkPolicy")
    }

    fn is_said(&self, it: &Expected, said: &Said) -> bool {
        match it.rule.admission {
            Admission::Audit => true,
            Admission::Deny if !self.is_deletion() && it.is_denied && !self.awaits_policy(it) => {
                said.denials.iter().any(|text| it.is_denied_by(text))
            }
            Admission::Deny | Admission::Warn => {
                said.warnings.iter().any(|text| it.is_warned_of_by(text))
            }
        }
    }
}

/// What makes one object of another (RFC 7386).
fn merge_patch(old: &Value, new: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return new.clone() };
    let mut patch = Map::new();
    for (key, value) in new {
        match old.get(key) {
            Some(it) if it == value => {}
            Some(it) => drop(patch.insert(key.clone(), merge_patch(it, value))),
            None => drop(patch.insert(key.clone(), value.clone())),
        }
    }
    for (key, value) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
        // kubectl keeps an annotation of its own beside those that go.
        let gone = match key.as_str() {
            "annotations" => merge_patch(value, &json!({})),
            _ => Value::Null,
        };
        patch.insert(key.clone(), gone);
    }
    Value::Object(patch)
}
