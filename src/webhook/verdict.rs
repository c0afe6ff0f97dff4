//! The verdict on a request: the rules on the world before it and after it, and what it makes worse.

use super::key::Key;
use super::regression;
use super::regression::Said;
use super::review::{Operation, Review};
use super::selection::{Rules, concerned};
use super::snapshot::Snapshot;
use super::world::{Known, Worlds, namespace_of, world, worlds};
use super::{baseline, exempt, message, scale};
use crate::api::kind::Kinds;
use crate::check;
use crate::check::needs;
use crate::finding::{Finding, Severity};
use crate::load::{Document, Loaded};
use crate::model::{Model, Place};
use crate::policy::{Mode, Policy};
use crate::rule::{Admission, Group, Rule};
use crate::rules::RULES;
use crate::run::Run;
use std::cmp::Reverse;
use std::sync::Arc;

/// What becomes of a request.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Why it is denied; it is not where there are none.
    pub denials: Vec<Notice>,
    /// What the user is warned of.
    pub warnings: Vec<Notice>,
    /// What is told in metrics and reports only.
    pub audit: Vec<Notice>,
}

impl Verdict {
    /// Whether the request is denied.
    pub fn is_denied(&self) -> bool {
        !self.denials.is_empty()
    }
}

/// Something that the request makes worse.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// All of it: what is wrong, where, the sums, and what to do.
    pub text: String,
    /// The objects that it rests on, that of the request included where it is one of them. A denial holds only as far
    /// as these are what the snapshot says they are.
    pub objects: Vec<Key>,
    /// Whether the policy's baseline knows it.
    pub is_known: bool,
}

/// What a verdict depends on besides the cluster.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// What the user wants.
    pub policy: &'c Policy,
    /// What is so this time: the day, and the findings that are known.
    pub run: &'c Run,
    /// The name by which the API server knows the webhook itself; what it writes is never denied.
    pub own_account: Option<&'c str>,
    /// The time of the request: whether a grace period has passed is told from it.
    pub now: jiff::Timestamp,
}

/// Live objects name their namespace.
const DEFAULT: &str = "default";

/// Judges a request on what is known of the cluster.
pub fn judge(snapshot: &Snapshot, review: &Review, context: &Context<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    if exempt::passes(review, context) {
        return verdict;
    }
    let after = match review.operation {
        Operation::Delete => None,
        _ => match scale::written(snapshot, review) {
            Some(document) => Some(document),
            None => return verdict,
        },
    };
    let before = review.before(snapshot);
    let (old, new) = (before.as_deref(), after.as_deref());
    let Rules { alone, together } = concerned(review.key.kind, old, new, context.policy);
    let kinds =
        if together.is_empty() { Kinds::default() } else { needs::kinds(together.iter().copied()) };
    let worlds = worlds(snapshot, &review.key, before, after, kinds);
    let mut said = worsened(&worlds, &[], &alone, context);
    said.extend(worsened(&worlds, &worlds.others, &together, context));
    said.sort_by(|a, b| {
        let rank = |it: &Said| (Reverse(it.notice.severity), it.rule.id);
        (rank(a), &a.notice.message).cmp(&(rank(b), &b.notice.message))
    });
    let limit = exempt::limit(review);
    let namespace = namespace_of(&review.key);
    for it in said {
        let is_mild = it.is_unclear || it.notice.severity == Severity::Note;
        let limit = if is_mild { limit.min(Mode::Warn) } else { limit };
        let mode = match it.notice.is_known {
            true => Mode::Audit,
            false => context.policy.admission.mode(it.rule.id, namespace).min(limit),
        };
        let outcome = match (admission(&it, review), mode) {
            (Admission::Audit, _) | (_, Mode::Audit) => Admission::Audit,
            (Admission::Warn, Mode::Enforce) if exempt::grace_is_over(review, it.rule, context) => {
                Admission::Deny
            }
            (Admission::Warn, _) | (_, Mode::Warn) => Admission::Warn,
            (Admission::Deny, Mode::Enforce) => Admission::Deny,
        };
        let notice = it.notice;
        match outcome {
            Admission::Deny => verdict.denials.push(notice),
            Admission::Warn => verdict.warnings.push(notice),
            Admission::Audit => verdict.audit.push(notice),
        }
    }
    verdict
}

/// What these rules say of the world after a request and did not say of the one before it. `others` are the objects
/// that both hold.
fn worsened(
    worlds: &Worlds<'_>,
    others: &[Known<'_>],
    rules: &[&'static Rule],
    context: &Context<'_>,
) -> Vec<Said> {
    if rules.is_empty() {
        return Vec::new();
    }
    let Worlds { loaded, before: old, after: new, .. } = worlds;
    let after = model(loaded, others, new);
    let mut found = check::findings(&after, context.policy, context.run, rules);
    if found.is_empty() {
        return Vec::new();
    }
    // Of an object that was not there, nothing was wrong.
    let is_new = |it: &Finding| {
        let primary = it.labels.iter().find_map(|it| match it.place {
            Place::Field { object, .. } => Some(object),
            Place::Text { .. } => None,
        });
        let document = primary.map(|it| after.object(it).document);
        document.zip(new.as_deref()).is_some_and(|(it, new)| std::ptr::eq(it, new))
    };
    let earlier = found.iter().filter(|it| old.is_some() || !is_new(it));
    let earlier = akin(rules, &earlier.collect::<Vec<_>>());
    let mut excuses = Vec::new();
    if !earlier.is_empty() {
        let before = model(loaded, others, old);
        let there = check::findings(&before, context.policy, context.run, &earlier);
        let (there, left) = regression::apart(there, found);
        found = left;
        excuses = said(&before, context.run, &there);
    }
    baseline::fingerprint_some(&after, (context.policy, context.run), &mut found);
    regression::worse(&excuses, said(&after, context.run, &found))
}

/// The world of these documents and the one that a request is about.
fn model<'w>(
    loaded: &'w Loaded,
    others: &[Known<'w>],
    document: &'w Option<Arc<Document>>,
) -> Model<'w> {
    let document = document.as_deref().map(|it| (it, None));
    Model::of_read(loaded, others.iter().copied().chain(document), DEFAULT)
}

/// What is to be done of a finding in enforce mode: what one more object would mend is an absence until such an object is
/// there and is changed.
fn admission(said: &Said, review: &Review) -> Admission {
    let is_changed =
        review.operation == Operation::Update && said.awaits.contains(&review.key.kind);
    match said.rule.admission {
        Admission::Deny if !said.awaits.is_empty() && !is_changed => Admission::Warn,
        admission => admission,
    }
}

/// What is wrong in a namespace as it is, whoever made it so.
pub fn audit(snapshot: &Snapshot, namespace: &str, context: &Context<'_>) -> Vec<Notice> {
    let world = world(snapshot, namespace);
    let rules: Vec<_> =
        RULES.iter().copied().filter(|it| check::is_on(it, context.policy)).collect();
    let model = Model::new(&world, DEFAULT);
    let mut findings = check::findings(&model, context.policy, context.run, &rules);
    baseline::fingerprint(&model, context.run, &mut findings);
    let said = said(&model, context.run, &findings).into_iter().map(|it| it.notice);
    said.filter(|it| it.objects.iter().any(|it| *it.namespace == *namespace)).collect()
}

/// The rules that may have found before what was found now: each excuses its own findings, and where things are over
/// their bounds also those of its group.
fn akin(rules: &[&'static Rule], found: &[&Finding]) -> Vec<&'static Rule> {
    let is_over = |it: &&Finding| !it.over.is_empty();
    let groups: Vec<Group> = rules
        .iter()
        .filter(|rule| found.iter().any(|it| it.rule == rule.id && is_over(it)))
        .map(|it| it.group)
        .collect();
    let is_akin = |rule: &&'static Rule| {
        groups.contains(&rule.group) || found.iter().any(|it| it.rule == rule.id)
    };
    rules.iter().copied().filter(is_akin).collect()
}

/// What is to be told of findings.
fn said(model: &Model<'_>, run: &Run, findings: &[Finding]) -> Vec<Said> {
    let said = |it: &Finding| {
        let mut said = Said::new(model, it, message::text)?;
        said.notice.is_known = run.known.contains(&it.fingerprint);
        Some(said)
    };
    findings.iter().filter_map(said).collect()
}
