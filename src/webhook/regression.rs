//! What a request makes worse: what the rules say of the world after it, less what they said before.
//!
//! A finding is known again by its rule, the objects that it is about and the field; where it carries how far something
//! is over, that is compared, so that a repair of a world that is already broken is never denied.

use super::key::Key;
use super::notice::{Notice, Spot};
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::finding::{Finding, Over, Severity};
use crate::model::{Model, ObjId, Place};
use crate::rule::Rule;
use crate::rules;
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
    pub(super) fn new(model: &Model<'_>, finding: &Finding) -> Option<Said> {
        let fields = finding.labels.iter().filter_map(|it| match &it.place {
            Place::Field { object, path } => Some((*object, path.to_string(), &it.text)),
            Place::Text { .. } => None,
        });
        let fields: Vec<_> = fields.collect();
        let (primary, field) = fields.first().map(|it| (key(model, it.0), it.1.clone()))?;
        let objects: BTreeSet<Key> = fields.iter().map(|it| key(model, it.0)).collect();
        let places = fields.into_iter().map(|(object, path, text)| {
            let object = model.object(object).to_string();
            Spot { object, path, text: text.clone() }
        });
        Some(Said {
            rule: rules::built_in().find(finding.rule)?,
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
    pub(super) fn of_json(stored: &Value) -> Option<Said> {
        let rule = rules::built_in().find(stored["rule"].as_str()?)?;
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

/// Whether two findings of worlds that are alike say the same, word for word.
pub(super) fn is_same(a: &Finding, b: &Finding) -> bool {
    (a.rule, &a.message, &a.labels, &a.notes, &a.help)
        == (b.rule, &b.message, &b.labels, &b.notes, &b.help)
}

/// Two lists of findings without what stands in both, word for word and one for one. Most do, so this comes before
/// anything is put into words.
///
/// They are of two worlds that hold the same documents in the same order but for the last, that of the request, so an
/// object has the same id in both.
pub(super) fn apart(before: Vec<Finding>, after: Vec<Finding>) -> (Vec<Finding>, Vec<Finding>) {
    let mut left = before;
    let mut more = after;
    more.retain(|it| match left.iter().position(|old| is_same(it, old)) {
        Some(at) => {
            left.remove(at);
            false
        }
        None => true,
    });
    (left, more)
}

/// Those of `after` that nothing of `before` excuses, and each of that excuses one. What stands in both is no longer
/// among them, so that nothing else takes its excuse.
pub(super) fn worse(before: &[Said], after: Vec<Said>) -> Vec<Said> {
    let mut left: Vec<&Said> = before.iter().collect();
    // What is uncertain comes last.
    let mut worse = without(after, &mut left, |it, old| it.excused_by(old) == Excuse::Full);
    for it in &mut worse {
        let excuse = left.iter().position(|old| it.excused_by(old) == Excuse::Perhaps);
        it.is_unclear |= excuse.map(|at| left.remove(at)).is_some();
    }
    worse
}

/// Takes out what something of `left` excuses, and that with it.
fn without(
    found: Vec<Said>,
    left: &mut Vec<&Said>,
    excuses: impl Fn(&Said, &Said) -> bool,
) -> Vec<Said> {
    let is_left = |it: &Said| match left.iter().position(|old| excuses(it, old)) {
        Some(at) => {
            left.remove(at);
            false
        }
        None => true,
    };
    let mut is_left = is_left;
    found.into_iter().filter(|it| is_left(it)).collect()
}
