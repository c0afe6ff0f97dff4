//! What a request makes worse: what the rules say of the world after it, less what they said before.
//!
//! A finding is known again by its rule, the objects that it is about and the field; where it carries how far something
//! is over, that is compared, so that a repair of a world that is already broken is never denied.

use super::key::Key;
use super::notice::{Notice, Spot};
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::finding::{Finding, Label, Over, Severity};
use crate::model::{Model, ObjId, Place};
use crate::rule::{Rule, RuleSet};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What a rule says of a world.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// The rule.
    pub(super) rule: &'static Rule,
    /// What the user is told.
    pub(super) notice: Notice,
    /// The object that it is about first of all.
    primary: Key,
    /// The field of it.
    field: String,
    /// How far things are over their bounds, where that is measured.
    over: Vec<Over>,
    /// Kinds of objects of which one more would mend it.
    pub(super) awaits: &'static [Kind],
    /// Whether it is a guess, or may be no worse than something that was there before: then it denies nothing.
    pub(super) is_unclear: bool,
    /// Whether two objects of it do the same, as before and after a new name.
    pub(super) is_rename: bool,
    /// The objects of it with an annotation that accepts it.
    pub(super) accepted_by: Vec<Key>,
}

impl Said {
    pub(super) fn new(rules: &RuleSet, model: &Model<'_>, finding: &Finding) -> Option<Said> {
        let fields = finding.labels.iter().filter_map(|it| match &it.place {
            Place::Field { object, path } => Some((*object, path.to_string(), &it.text)),
            Place::Text { .. } => None,
        });
        let fields: Vec<_> = fields.collect();
        let (primary, field) = fields.first().map(|it| (key(model, it.0), it.1.clone()))?;
        // The cluster does not hold what is promised of it.
        let real = fields.iter().filter(|it| !it.0.is_own());
        let objects: BTreeSet<Key> = real.map(|it| key(model, it.0)).collect();
        let places = fields.into_iter().map(|(object, path, text)| {
            let object = model.object(object).to_string();
            Spot { object, path, text: text.clone() }
        });
        Some(Said {
            rule: rules.find(finding.rule)?,
            notice: Notice {
                rule: finding.rule,
                severity: finding.severity.unwrap_or(Severity::Warning),
                message: finding.message.clone(),
                places: places.collect(),
                notes: finding.notes.clone(),
                help: finding.help.clone(),
                objects: objects.into_iter().collect(),
                is_known: false,
                is_unconfirmed: false,
            },
            primary,
            field,
            over: finding.over.clone(),
            awaits: finding.awaits,
            is_unclear: finding.is_guess,
            is_rename: finding.is_rename,
            accepted_by: Vec::new(),
        })
    }

    /// What of it may excuse something later, as it is stored.
    pub(super) fn to_json(&self) -> Value {
        let Notice { severity, message, objects, .. } = &self.notice;
        let over: Vec<Value> =
            self.over.iter().map(|it| json!([it.of, it.by.to_string()])).collect();
        let objects: Vec<Value> = objects.iter().map(Key::to_json).collect();
        json!({"rule": self.rule.id, "severity": severity.name(), "message": message,
            "primary": self.primary.to_json(), "field": self.field, "over": over,
            "objects": objects})
    }

    /// What [`Said::to_json`] has written.
    pub(super) fn of_json(rules: &RuleSet, stored: &Value) -> Option<Said> {
        let rule = rules.find(stored["rule"].as_str()?)?;
        let over = stored["over"].as_array()?.iter().filter_map(|it| {
            Some(Over { of: it[0].as_str()?.into(), by: Quantity::parse(it[1].as_str()?).ok()? })
        });
        let notice = Notice {
            rule: rule.id,
            severity: Severity::parse(stored["severity"].as_str()?)?,
            message: stored["message"].as_str()?.into(),
            places: Vec::new(),
            notes: Vec::new(),
            help: None,
            objects: stored["objects"].as_array()?.iter().filter_map(Key::of_json).collect(),
            is_known: false,
            is_unconfirmed: false,
        };
        Some(Said {
            rule,
            notice,
            primary: Key::of_json(&stored["primary"])?,
            field: stored["field"].as_str()?.into(),
            over: over.collect(),
            awaits: &[],
            is_unclear: false,
            is_rename: false,
            accepted_by: Vec::new(),
        })
    }

    /// How far something that was said before excuses this.
    fn excused_by(&self, before: &Said) -> Excuse {
        if self.primary != before.primary || self.notice.severity > before.notice.severity {
            return Excuse::None;
        }
        // What was still awaited excuses nothing that came without it, unless it says the same.
        if !before.awaits.is_empty()
            && self.awaits.is_empty()
            && self.notice.message != before.notice.message
        {
            return Excuse::None;
        }
        if !self.over.is_empty() && !before.over.is_empty() {
            let is_no_further =
                |it: &Over| before.over.iter().any(|other| other.of == it.of && other.by >= it.by);
            return if self.over.iter().all(is_no_further) { Excuse::Full } else { Excuse::None };
        }
        let objects = &before.notice.objects;
        if self.rule.id != before.rule.id
            || !self.notice.objects.iter().all(|it| objects.contains(it))
        {
            return Excuse::None;
        }
        let is_same = self.field == before.field || self.notice.message == before.notice.message;
        if is_same { Excuse::Full } else { Excuse::Perhaps }
    }
}

/// How far one finding excuses another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Excuse {
    /// Not at all.
    None,
    /// Something was wrong with the same objects, in another field.
    Perhaps,
    /// It was there before, and it was no better.
    Full,
}

/// What names an object of a model.
pub(super) fn key(model: &Model<'_>, id: ObjId) -> Key {
    let object = model.object(id);
    let key = Key::of(object.root);
    let mut key = key.unwrap_or_else(|| Key::known(object.kind, object.namespace, object.name));
    key.namespace = object.namespace.into();
    key
}

/// All that a finding says, in words.
type Words<'f> = (&'f str, &'f str, &'f [Label], &'f [String], Option<&'f str>);

fn words(it: &Finding) -> Words<'_> {
    (it.rule, &it.message, &it.labels, &it.notes, it.help.as_deref())
}

/// Whether two findings of worlds that are alike say the same, word for word.
pub(super) fn is_same(a: &Finding, b: &Finding) -> bool {
    words(a) == words(b)
}

/// Two lists of findings without what stands in both, word for word and one for one. Most do, so this comes before
/// anything is put into words.
///
/// They are of two worlds that hold the same documents in the same order but for the last, that of the request, so an
/// object has the same id in both.
pub(super) fn apart(before: Vec<Finding>, after: Vec<Finding>) -> (Vec<Finding>, Vec<Finding>) {
    let mut by_words: FxHashMap<Words<'_>, Vec<usize>> = FxHashMap::default();
    for (at, it) in before.iter().enumerate().rev() {
        by_words.entry(words(it)).or_default().push(at);
    }
    let mut is_left = vec![true; before.len()];
    let mut is_new = Vec::with_capacity(after.len());
    for it in &after {
        let same = by_words.get_mut(&words(it)).and_then(Vec::pop);
        is_new.push(same.is_none());
        if let Some(at) = same {
            is_left[at] = false;
        }
    }
    (only(before, &is_left), only(after, &is_new))
}

/// Those for which it is so.
fn only(findings: Vec<Finding>, is_so: &[bool]) -> Vec<Finding> {
    findings.into_iter().zip(is_so).filter(|(_, is_so)| **is_so).map(|(it, _)| it).collect()
}

/// Those of `after` that nothing of `before` excuses, and each of that excuses one. What stands in both is no longer
/// among them, so that nothing else takes its excuse.
pub(super) fn worse(before: &[Said], after: Vec<Said>) -> Vec<Said> {
    let mut left = Left::new(before);
    // What is uncertain comes last.
    let mut worse = after;
    worse.retain(|it| !left.excuse(it, Excuse::Full));
    for it in &mut worse {
        it.is_unclear |= left.excuse(it, Excuse::Perhaps);
    }
    worse
}

/// What was said before and has excused nothing yet, by the primary object, which both have to share.
struct Left<'s>(FxHashMap<&'s Key, Vec<&'s Said>>);

impl<'s> Left<'s> {
    fn new(before: &'s [Said]) -> Left<'s> {
        let mut left: FxHashMap<_, Vec<_>> = FxHashMap::default();
        before.iter().for_each(|it| left.entry(&it.primary).or_default().push(it));
        Left(left)
    }

    /// Whether something of it excuses this so far; then that is taken out.
    fn excuse(&mut self, it: &Said, far: Excuse) -> bool {
        let Some(left) = self.0.get_mut(&it.primary) else { return false };
        let at = left.iter().position(|old| it.excused_by(old) == far);
        at.map(|at| left.remove(at)).is_some()
    }
}
