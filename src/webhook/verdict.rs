//! The verdict on a request: the rules on the world before it and after it, and what it makes worse.

use super::change::{Change, Earlier};
use super::context::Context;
use super::cross_namespace::is_outward;
use super::key::Key;
use super::notice::Notice;
use super::past::{Gone, Was};
use super::regression::{self, Said};
use super::review::{Operation, Review};
use super::rulebook::Concerned;
use super::selection::concerned;
use super::snapshot::{Entry, Snapshot};
use super::world::{Known, Worlds, namespace_of, world, worlds};
use super::{baseline, exempt, ownership, release};
use crate::analyze::capacity::replicas::AUTOSCALERS;
use crate::api::kind::{Kind, Kinds};
use crate::check::exceptions::{self, Counts};
use crate::check::{self, needs};
use crate::finding::{Finding, Severity};
use crate::load::{Document, Loaded};
use crate::model::{Model, Place};
use crate::policy::{Annotations, Exemption, Mode, Policy};
use crate::rule::{Admission, Group, Rule};
use crate::text::tree::Node;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;
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
    /// What it changes.
    pub change: Change,
}

impl Verdict {
    /// Whether the request is denied.
    pub fn is_denied(&self) -> bool {
        !self.denials.is_empty()
    }

    /// The same for somebody who may not read these objects: of the others only that there is something.
    pub fn concealing(&self, own: &Key, objects: &BTreeSet<Key>) -> Verdict {
        let told = |all: &[Notice]| all.iter().map(|it| it.concealing(own, objects)).collect();
        Verdict { denials: told(&self.denials), warnings: told(&self.warnings), ..self.clone() }
    }
}

/// Live objects name their namespace.
const DEFAULT: &str = "default";

/// Judges a request on what is known of the cluster.
///
/// Writes that were allowed and that nothing has shown yet count only against it: it is judged in the world with them and,
/// where they may make a difference, in the one without, and denied for what either says.
pub fn judge(snapshot: &Snapshot, review: &Review, context: &Context<'_>) -> Verdict {
    let is_gone = snapshot.get(&review.key).is_none();
    let mut verdict = judge_in(snapshot, is_gone, review, context);
    let is_outward = is_outward(review.key.kind)
        || verdict.change.after.iter().chain(&verdict.change.before).any(|it| it.is_outward());
    let namespace = namespace_of(&review.key);
    let Some(confirmed) = snapshot.confirmed_apart(namespace, is_outward) else { return verdict };
    let firm = judge_in(confirmed, is_gone, review, context);
    for denial in &mut verdict.denials {
        denial.is_unconfirmed = !firm.denials.iter().any(|it| it.is_same(denial));
    }
    // What excuses it may not come about.
    let more =
        firm.denials.into_iter().filter(|it| !verdict.denials.iter().any(|of| of.is_same(it)));
    let more: Vec<Notice> = more.collect();
    verdict.warnings.retain(|it| !more.iter().any(|denial| denial.is_same(it)));
    verdict.denials.extend(more);
    verdict
}

/// Judges a request in one world.
fn judge_in(snapshot: &Snapshot, is_gone: bool, review: &Review, context: &Context<'_>) -> Verdict {
    let change = Change::within(snapshot, is_gone, review, context.policy, context.now);
    let mut verdict = Verdict { change: change.unwrap_or_default(), ..Verdict::default() };
    let change = verdict.change.clone();
    if exempt::passes(review, context) || change.is_none() {
        return verdict;
    }
    let document = |it: &Option<Arc<Entry>>| it.as_ref().map(|it| it.document.clone());
    let (before, after) = (document(&change.before), document(&change.after));
    let Concerned { alone, together } =
        concerned(review.key.kind, before.as_deref(), after.as_deref(), context);
    let kinds =
        if together.is_empty() { Kinds::default() } else { needs::kinds(together.iter().copied()) };
    let mut worlds =
        worlds(snapshot, &review.key, change.before.clone(), change.after.clone(), kinds);
    worlds.loaded.lay_beside(&context.run.beside);
    let mut said = worsened(&worlds, &[], &alone, context);
    said.extend(worsened(&worlds, &worlds.others, &together, context));
    if let Some(earlier) = change.earlier.as_ref().filter(|_| !said.is_empty()) {
        let excuses = excuses(earlier, &review.key, context);
        let all = said.clone();
        said = regression::worse(&excuses, said);
        // Nobody is told of what was there before, but it is counted.
        let is_left = |it: &Said| said.iter().any(|left| left.notice.is_same(&it.notice));
        let excused = all.into_iter().filter(|it| !is_left(it)).map(|it| it.notice);
        verdict.audit.extend(excused);
    }
    said.sort_by(|a, b| {
        let rank = |it: &Said| (Reverse(it.notice.severity), it.rule.id);
        (rank(a), &a.notice.message).cmp(&(rank(b), &b.notice.message))
    });
    let judge = Judge {
        snapshot,
        review,
        context,
        after: after.as_deref(),
        is_rescaled: change.is_rescaled(),
        limit: match change.is_switching_off {
            true => Mode::Warn,
            false => exempt::limit(review),
        },
        exemptions: exempt::exemptions(review, context),
    };
    for it in said {
        let list = match judge.outcome(&it) {
            Admission::Deny => &mut verdict.denials,
            Admission::Warn => &mut verdict.warnings,
            Admission::Audit => &mut verdict.audit,
        };
        list.push(it.notice);
    }
    verdict
}

/// Decides what becomes of findings.
struct Judge<'j> {
    snapshot: &'j Snapshot,
    review: &'j Review,
    context: &'j Context<'j>,
    /// The object as it will be.
    after: Option<&'j Document>,
    /// Whether it changes the replicas of its object.
    is_rescaled: bool,
    /// How far denials may go.
    limit: Mode,
    exemptions: Vec<&'j Exemption>,
}

impl Judge<'_> {
    fn outcome(&self, it: &Said) -> Admission {
        let (rule, policy) = (it.rule, self.context.policy);
        let is_exempt = || self.exemptions.iter().any(|it| it.covers(rule.id));
        if rule.admission == Admission::Audit || it.notice.is_known || is_exempt() {
            return Admission::Audit;
        }
        let admission = &policy.admission;
        // A risk is no contradiction, unless the policy says so.
        let is_mild = it.is_unclear
            || it.notice.severity == Severity::Note
            || it.notice.severity == Severity::Warning && !admission.enforces(rule.id);
        let limit = if is_mild { self.limit.min(Mode::Warn) } else { self.limit };
        let mode = admission.mode(rule.id, namespace_of(&self.review.key)).min(limit);
        let outcome = match mode {
            Mode::Audit => return Admission::Audit,
            Mode::Warn => Admission::Warn,
            Mode::Enforce => self.enforced(it),
        };
        match outcome {
            _ if !self.is_accepted(it) => outcome,
            Admission::Deny => Admission::Warn,
            Admission::Warn | Admission::Audit => Admission::Audit,
        }
    }

    /// What is to be done of a finding in enforce mode.
    fn enforced(&self, it: &Said) -> Admission {
        let Judge { snapshot, review, context, .. } = self;
        if it.rule.admission == Admission::Warn || self.is_awaited(it) {
            let is_over = exempt::grace_is_over(review, it.rule, context);
            return if is_over { Admission::Deny } else { Admission::Warn };
        }
        let is_passing = it.is_rename && review.operation == Operation::Create
            || release::is_under_way(snapshot, review, &it.notice.objects, context.now);
        if is_passing { Admission::Warn } else { Admission::Deny }
    }

    /// Whether one more object would mend it, as an apply has an order: it is an absence until such an object is there and
    /// is changed. Defaults and pods come with the first objects of a namespace, so who changes another has them already;
    /// and who changes the replicas leaves them to no autoscaler.
    fn is_awaited(&self, it: &Said) -> bool {
        let is_update = self.review.operation == Operation::Update;
        let is_changed = |kind: &Kind| {
            *kind == self.review.key.kind
                || matches!(kind, Kind::LimitRange | Kind::Pod)
                || AUTOSCALERS.contains(kind) && self.is_rescaled
        };
        !(it.awaits.is_empty() || is_update && it.awaits.iter().any(is_changed))
    }

    /// Whether an annotation accepts a finding as far as the policy lets it.
    fn is_accepted(&self, it: &Said) -> bool {
        let Judge { snapshot, review, after, .. } = self;
        !it.accepted_by.is_empty()
            && after.is_some_and(|after| {
                let own = (&review.key, after);
                ownership::is_own(snapshot, &it.notice.objects, &it.accepted_by, own)
            })
    }
}

/// Which exceptions leave nothing to be said.
fn counts(policy: &Policy) -> Counts {
    match policy.admission.annotations {
        Annotations::All => Counts::All,
        Annotations::Own | Annotations::None => Counts::Policy,
    }
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
    let counts = counts(context.policy);
    let mut found = check::found(&after, (context.policy, context.run), rules, counts);
    if found.is_empty() {
        return Vec::new();
    }
    baseline::fingerprint(&after, context.run, &mut found);
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
        let mut there = check::found(&before, (context.policy, context.run), &earlier, counts);
        if context.policy.admission.annotations == Annotations::Own {
            drop_accepted(context, &mut there, (&before, old), &found, (&after, new));
        }
        let (there, left) = regression::apart(there, found);
        found = left;
        excuses = said(&before, context, &there);
    }
    regression::worse(&excuses, said(&after, context, &found))
}

fn annotations(document: &Option<Arc<Document>>) -> Option<Node<'_>> {
    document.as_ref()?.tree.root().at(&["metadata", "annotations"])
}

/// What was wrong with an object that was deleted and comes back, as far as the rules may deny it.
fn excuses<'e>(earlier: &'e Earlier, key: &Key, context: &Context<'_>) -> Cow<'e, [Said]> {
    match earlier {
        Earlier::Wrong(said) => said.as_slice().into(),
        Earlier::World(entry, then) => {
            let Concerned { alone, together } =
                concerned(key.kind, None, Some(&entry.document), context);
            let rules = [alone, together].concat();
            let kinds = needs::kinds(rules.iter().copied());
            let mut worlds = worlds(then, key, None, Some(entry.clone()), kinds);
            worlds.loaded.lay_beside(&context.run.beside);
            let model = model(&worlds.loaded, &worlds.others, &worlds.after);
            let there =
                check::found(&model, (context.policy, context.run), &rules, counts(context.policy));
            said(&model, context, &there).into()
        }
    }
}

/// Something that was there, without its world: what was wrong with it; `None` where nothing was.
pub fn settled(snapshot: &Snapshot, gone: &Gone, context: &Context<'_>) -> Option<Gone> {
    let Some(earlier) = Earlier::gone(snapshot, gone) else { return Some(gone.clone()) };
    let said = excuses(&earlier, &gone.key, context);
    let wrong: Vec<Said> =
        said.iter().filter(|it| it.notice.objects.contains(&gone.key)).cloned().collect();
    let was = Was::Wrong(Arc::new(wrong.clone()));
    (!wrong.is_empty()).then(|| Gone { was, ..gone.clone() })
}

/// What was there before and an annotation of the request's object accepted excuses nothing once that is taken away.
fn drop_accepted(
    context: &Context<'_>,
    there: &mut Vec<Finding>,
    (before, old): (&Model<'_>, &Option<Arc<Document>>),
    found: &[Finding],
    (after, new): (&Model<'_>, &Option<Arc<Document>>),
) {
    let is_same = match (annotations(old), annotations(new)) {
        (Some(a), Some(b)) => a.same(b),
        (before, _) => before.is_none(),
    };
    if is_same {
        return;
    }
    let accepts = |model: &Model<'_>, it: &Finding, document: &Option<Arc<Document>>| {
        let rule = context.rules.set().find(it.rule);
        let mut accepting =
            rule.into_iter().flat_map(|rule| exceptions::accepting(model, rule, it));
        accepting.any(|it| {
            document.as_deref().is_some_and(|doc| std::ptr::eq(model.object(it).document, doc))
        })
    };
    there.retain(|it| {
        let is_accepted =
            |found: &Finding| regression::is_same(it, found) && accepts(after, found, new);
        !accepts(before, it, old) || found.iter().any(is_accepted)
    });
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

/// What is wrong in a namespace as it is, whoever made it so.
pub fn audit(snapshot: &Snapshot, namespace: &str, context: &Context<'_>) -> Vec<Notice> {
    let mut world = world(snapshot, namespace);
    world.lay_beside(&context.run.beside);
    let rules = context.rules.set().iter().filter(|it| check::is_on(it, context.policy));
    let rules: Vec<_> = rules.collect();
    let model = Model::new(&world, DEFAULT);
    let mut findings =
        check::found(&model, (context.policy, context.run), &rules, counts(context.policy));
    baseline::fingerprint(&model, context.run, &mut findings);
    let said = said(&model, context, &findings).into_iter();
    // Of what would be denied but for an annotation is told, as the webhook has warned of it.
    let is_told = |it: &Said| {
        it.accepted_by.is_empty()
            || it.rule.admission == Admission::Deny && it.notice.severity == Severity::Error
    };
    let told = said.filter(is_told).map(|it| it.notice);
    // Of what is promised and not there, no object tells where.
    let is_here = |it: &Notice| {
        it.objects.is_empty() || it.objects.iter().any(|it| *it.namespace == *namespace)
    };
    told.filter(is_here).collect()
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
fn said(model: &Model<'_>, context: &Context<'_>, findings: &[Finding]) -> Vec<Said> {
    let is_by_owners = context.policy.admission.annotations == Annotations::Own;
    let said = |it: &Finding| {
        let mut said = Said::new(context.rules.set(), model, it)?;
        said.notice.is_known = context.run.known.contains(&it.fingerprint);
        if is_by_owners {
            let accepting = exceptions::accepting(model, said.rule, it).into_iter();
            said.accepted_by = accepting.map(|it| regression::key(model, it)).collect();
        }
        Some(said)
    };
    findings.iter().filter_map(said).collect()
}
