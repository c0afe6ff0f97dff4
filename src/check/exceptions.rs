//! Findings that somebody accepted: exceptions of the policy and annotations of the objects, and those that no longer
//! accept anything.

use crate::check::locate::Locator;
use crate::check::visit::show;
use crate::model::{Model, ObjId, Object};
use crate::policy::{Exception, Level, Patterns, Policy, closest};
use crate::rule::{Finding, Place, Rule, RuleSet, Unknown};
use crate::run::Run;
use crate::text::tree::Node;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

const ANNOTATION: &str = "purlin.dev/ignore.";

/// What exceptions and annotations did in one world.
#[derive(Debug, Default)]
pub struct Applied {
    /// What they accepted.
    pub accepted: Vec<Finding>,
    /// By exception of the policy, whether it accepted anything.
    pub used: Vec<bool>,
    /// The annotations that accepted something, by object and rule.
    pub annotations: FxHashSet<(ObjId, &'static str)>,
    /// The objects with annotations that may accept something, in order.
    annotated: Vec<ObjId>,
}

/// Takes what was accepted out of the findings and the open questions.
pub fn apply(
    model: &Model<'_>,
    said: (&Policy, &Run),
    rules: &[&'static Rule],
    findings: &mut Vec<Finding>,
    unknown: &mut Vec<Unknown>,
) -> Applied {
    let mut judge = Judge::new(model, said, rules, annotated(model));
    let (accepted, left) = std::mem::take(findings).into_iter().partition(|it| {
        let objects = judge.objects(it);
        judge.accepts(it.rule, &objects)
    });
    *findings = left;
    unknown.retain(|it| !judge.accepts(it.rule, &[it.object]));
    let Judge { used, annotations, annotated, .. } = judge;
    Applied { accepted, used, annotations, annotated }
}

/// Which exceptions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Those of the policy, and annotations on objects.
    All,
    /// Those of the policy.
    Policy,
}

/// Takes what was accepted out of a few findings: no other objects are looked at than those that they are about.
pub fn accept(
    model: &Model<'_>,
    said: (&Policy, &Run),
    (rules, counts): (&[&'static Rule], Counts),
    findings: &mut Vec<Finding>,
) {
    let mut judge = Judge::new(model, said, rules, Vec::new());
    let objects: Vec<Vec<ObjId>> = findings.iter().map(|it| judge.objects(it)).collect();
    if counts == Counts::All {
        let mut named: Vec<ObjId> = objects.concat();
        named.sort_unstable();
        named.dedup();
        named.retain(|it| is_annotated(model.object(*it)));
        judge.annotated = named;
    }
    let mut objects = objects.iter();
    findings.retain(|it| objects.next().is_none_or(|objects| !judge.accepts(it.rule, objects)));
}

/// The objects of a finding with an annotation that accepts it.
pub fn accepting(model: &Model<'_>, rule: &Rule, finding: &Finding) -> Vec<ObjId> {
    let locator = Locator::new(model);
    let objects = finding.labels.iter().filter_map(|it| locator.object(&it.place));
    let accepting = objects.enumerate().filter(|(at, id)| {
        let object = model.object(*id);
        is_annotated(object)
            && (is_ignored(object, rule.id) || is_ignored_elsewhere(object, rule, *at == 0))
    });
    accepting.map(|(_, id)| id).collect()
}

/// What is wrong with the exceptions of the policy, `used` telling which of them accepted anything.
pub fn stale_exceptions(
    model: &Model<'_>,
    (policy, run): (&Policy, &Run),
    (known, selected): (&RuleSet, &[&'static Rule]),
    used: &[bool],
) -> Vec<Finding> {
    let Some(document) = run.policy.map(|it| model.own(it)) else { return Vec::new() };
    let each = policy.exceptions.iter().zip(used).enumerate();
    let found = each.filter_map(|(at, (it, used))| {
        let place = document.at(&format!("exceptions[{at}].rule"));
        if has_expired(it, run) {
            return expired(it, place);
        }
        let is_judged = it.world.is_none() || names(model).any(|name| it.is_for(name));
        (!used && is_judged && was_run(it, policy, (known, selected))).then(|| unused(it, place))
    });
    rated(found, policy, selected)
}

/// The names of the worlds of the input.
fn names<'d>(model: &Model<'d>) -> impl Iterator<Item = &'d str> {
    model.loaded.worlds.iter().map(|it| it.name.as_str())
}

impl Applied {
    /// What is wrong with the annotations of a world.
    pub fn idle_annotations(
        &self,
        model: &Model<'_>,
        policy: &Policy,
        (known, selected): (&RuleSet, &[&'static Rule]),
    ) -> Vec<Finding> {
        let rules = (known, selected);
        let found = self
            .annotated
            .iter()
            .flat_map(|it| idle_annotations(model.object(*it), &self.annotations, rules));
        rated(found, policy, selected)
    }
}

/// Those of rules that are run, with their severities.
fn rated(
    findings: impl Iterator<Item = Finding>,
    policy: &Policy,
    selected: &[&'static Rule],
) -> Vec<Finding> {
    let rated = findings.filter_map(|mut finding| {
        let rule = find(finding.rule, selected)?;
        show(&mut finding);
        let severity = match policy.level(rule.id) {
            Some(Level::On(severity)) => severity,
            _ => rule.severity,
        };
        Some(Finding { severity: Some(severity), ..finding })
    });
    rated.collect()
}

/// The place of the annotation by which an object accepts the findings of a rule.
pub fn annotation_of(object: &Object<'_>, rule: &str) -> Option<Place> {
    let entries = object.field(&["metadata", "annotations"])?.entries();
    let mut keys = entries.map(|(key, _)| key);
    let key = keys.find(|it| it.str().and_then(|it| it.strip_prefix(ANNOTATION)) == Some(rule))?;
    Some(object.place(key))
}

/// Decides what is accepted and remembers what decided it.
struct Judge<'j, 'd> {
    model: &'j Model<'d>,
    locator: Locator<'j, 'd>,
    policy: &'j Policy,
    run: &'j Run,
    /// The rules that are run.
    rules: &'j [&'static Rule],
    /// The objects with annotations that may accept something, in order: few, so that the others need not be looked at
    /// for each finding.
    annotated: Vec<ObjId>,
    /// The objects of the exceptions.
    excepted: Patterns,
    /// The exceptions for each object that was asked about and have not expired.
    of_object: FxHashMap<ObjId, Vec<usize>>,
    /// Whether one of them accepts what a rule finds in it: it may find much in one object.
    decided: FxHashMap<(ObjId, &'static str), bool>,
    /// By exception, whether it accepted anything.
    used: Vec<bool>,
    /// The annotations that did, by object and rule.
    annotations: FxHashSet<(ObjId, &'static str)>,
}

impl<'j, 'd> Judge<'j, 'd> {
    fn new(
        model: &'j Model<'d>,
        (policy, run): (&'j Policy, &'j Run),
        rules: &'j [&'static Rule],
        annotated: Vec<ObjId>,
    ) -> Judge<'j, 'd> {
        Judge {
            model,
            locator: Locator::new(model),
            policy,
            run,
            rules,
            annotated,
            excepted: Patterns::of(policy.exceptions.iter().map(|it| it.object.clone())),
            of_object: FxHashMap::default(),
            decided: FxHashMap::default(),
            used: vec![false; policy.exceptions.len()],
            annotations: FxHashSet::default(),
        }
    }

    /// The objects that a finding is about, that of its primary label first.
    fn objects(&self, finding: &Finding) -> Vec<ObjId> {
        finding.labels.iter().filter_map(|it| self.locator.object(&it.place)).collect()
    }

    fn accepts(&mut self, rule: &'static str, objects: &[ObjId]) -> bool {
        let mut accepted = false;
        for (at, id) in objects.iter().enumerate() {
            if self.annotated.binary_search(id).is_err() {
                continue;
            }
            let object = self.model.object(*id);
            if is_ignored(object, rule) {
                self.annotations.insert((*id, rule));
                accepted = true;
            }
            accepted |= find(rule, self.rules)
                .is_some_and(|rule| is_ignored_elsewhere(object, rule, at == 0));
        }
        // No short cut: each exception that accepts anything is used.
        objects.iter().fold(accepted, |accepted, id| self.is_excepted(rule, *id) || accepted)
    }

    /// Whether an exception accepts what a rule finds in an object.
    fn is_excepted(&mut self, rule: &'static str, id: ObjId) -> bool {
        if let Some(decided) = self.decided.get(&(id, rule)) {
            return *decided;
        }
        let excepted = self.of_object.entry(id).or_insert_with(|| {
            let it = self.model.object(id);
            let mut found = self.excepted.matching(it.kind_name, it.namespace, it.name);
            found.retain(|at| {
                let exception = &self.policy.exceptions[*at];
                !has_expired(exception, self.run) && exception.is_for(self.model.name)
            });
            found
        });
        let mut is_excepted = false;
        for at in excepted {
            let exception = &self.policy.exceptions[*at];
            if exception.rule == "*" || exception.rule == rule {
                self.used[*at] = true;
                is_excepted = true;
            }
        }
        self.decided.insert((id, rule), is_excepted);
        is_excepted
    }
}

fn has_expired(exception: &Exception, run: &Run) -> bool {
    matches!((exception.expires, run.today), (Some(last), Some(today)) if today > last)
}

fn annotations<'d>(object: &Object<'d>) -> impl Iterator<Item = (&'d str, Node<'d>)> {
    object.field(&["metadata", "annotations"]).into_iter().flat_map(Node::pairs)
}

/// Beginnings of annotations that accept findings, ours and other tools'.
const ACCEPTING: [&str; 5] = [
    ANNOTATION,
    "ignore-check.kube-linter.io/",
    "kube-linter.io/",
    "kube-score/",
    "polaris.fairwinds.com/",
];

/// Fewer objects than this are looked at sooner than they are shared out.
const FEW: usize = 1_000;

/// The objects that have such annotations, or whose pods do, in order.
fn annotated(model: &Model<'_>) -> Vec<ObjId> {
    let objects: Vec<_> = model.objects().collect();
    if objects.len() < FEW {
        return objects.iter().filter(|it| is_annotated(it)).map(|it| it.id).collect();
    }
    objects.par_iter().filter(|it| is_annotated(it)).map(|it| it.id).collect()
}

/// Whether an object has such annotations, or its pods do.
fn is_annotated(object: &Object<'_>) -> bool {
    let pods = object.field(&["spec", "template", "metadata", "annotations"]);
    let annotations = object.field(&["metadata", "annotations"]).into_iter().chain(pods);
    let mut keys = annotations.flat_map(Node::entries).filter_map(|(key, _)| key.str());
    keys.any(|key| ACCEPTING.iter().any(|it| key.starts_with(it)))
}

/// Whether an annotation of the object switches a rule off for it, with a reason.
fn is_ignored(object: &Object<'_>, rule: &str) -> bool {
    annotations(object).any(|(key, value)| {
        key.strip_prefix(ANNOTATION) == Some(rule) && !value.scalar().is_none_or(is_blank)
    })
}

fn is_blank(text: impl AsRef<str>) -> bool {
    text.as_ref().trim().is_empty()
}

/// Whether an annotation of the object switches off a check of another tool that the rule covers. What switches all
/// checks of a tool off speaks only of findings that are first of all about the object.
///
/// kube-linter `pkg/ignore/ignore.go`, kube-score `scorecard/enabled.go`, Polaris `pkg/validator/schema.go`.
fn is_ignored_elsewhere(object: &Object<'_>, rule: &Rule, is_primary: bool) -> bool {
    let like = rule.like;
    if like.is_empty() {
        return false;
    }
    let covers = |tool: &str, check: &str| {
        like.iter().any(|it| it.split_once(':') == Some((tool, check.trim())))
    };
    let covers_any = |tool: &str| {
        is_primary && like.iter().any(|it| it.split_once(':').is_some_and(|it| it.0 == tool))
    };
    // kube-score looks at the pods' annotations as well.
    let pods = object.field(&["spec", "template", "metadata", "annotations"]);
    let on_pods = pods.and_then(|it| it.text("kube-score/ignore")).into_iter();
    if on_pods.flat_map(|it| it.split(',')).any(|it| covers("kube-score", it)) {
        return true;
    }
    annotations(object).any(|(key, value)| {
        let text = value.scalar().unwrap_or_default();
        let is_true = text.eq_ignore_ascii_case("true");
        let polaris = key.strip_prefix("polaris.fairwinds.com/");
        if let Some(check) = key.strip_prefix("ignore-check.kube-linter.io/") {
            covers("kube-linter", check)
        } else if key == "kube-linter.io/ignore-all" {
            covers_any("kube-linter")
        } else if key == "kube-score/ignore" {
            text.split(',').any(|it| covers("kube-score", it))
        } else if polaris == Some("exempt") {
            is_true && covers_any("polaris")
        } else if let Some(check) = polaris.and_then(|it| it.strip_suffix("-exempt")) {
            is_true && covers("polaris", check)
        } else {
            false
        }
    })
}

fn find(rule: &str, selected: &[&'static Rule]) -> Option<&'static Rule> {
    selected.iter().copied().find(|it| it.id == rule)
}

fn is_selected(rule: &str, selected: &[&'static Rule]) -> bool {
    find(rule, selected).is_some()
}

fn expired(exception: &Exception, place: Place) -> Option<Finding> {
    let date = exception.expires?;
    let message = format!("this exception for `{}` expired on {date}", exception.rule);
    let help = "mend what it accepted and remove it, or give it another date";
    Some(found("expired-exception", message, place).help(help))
}

fn unused(exception: &Exception, place: Place) -> Finding {
    let message = format!("this exception for `{}` accepts nothing", exception.rule);
    found("unused-exception", message, place)
        .help("remove it, or correct its `object`, or its `world`")
}

/// Whether all rules were run that may use an exception: one for every rule may be used by any.
fn was_run(
    exception: &Exception,
    policy: &Policy,
    (known, selected): (&RuleSet, &[&'static Rule]),
) -> bool {
    match exception.rule.as_str() {
        "*" => known.iter().all(|it| is_selected(it.id, selected) || !super::is_on(it, policy)),
        rule => is_selected(rule, selected),
    }
}

/// Annotations for rules that do not exist, without a reason, or that accepted nothing.
fn idle_annotations(
    object: &Object<'_>,
    used: &FxHashSet<(ObjId, &'static str)>,
    (known, selected): (&RuleSet, &[&'static Rule]),
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let entries = object.field(&["metadata", "annotations"]).into_iter().flat_map(Node::entries);
    for (key, value) in entries {
        let Some(name) = key.str().and_then(|it| it.strip_prefix(ANNOTATION)) else { continue };
        let found = |message, help: String| {
            found("unused-exception", message, object.place(key)).help(help)
        };
        let Some(rule) = known.find(name) else {
            let help = closest(name, known.ids());
            findings.push(found(
                format!("`{ANNOTATION}{name}` names no rule"),
                help.map_or("`purlin rules` lists them".into(), |it| {
                    format!("did you mean `{it}`?")
                }),
            ));
            continue;
        };
        if value.scalar().is_none_or(is_blank) {
            let message = format!("`{ANNOTATION}{name}` gives no reason and so accepts nothing");
            findings.push(found(message, "write the reason as its value".into()));
        } else if !used.contains(&(object.id, rule.id)) && is_selected(rule.id, selected) {
            let message =
                format!("`{ANNOTATION}{name}` accepts nothing: `{object}` has no such finding");
            findings.push(found(message, "remove it".into()));
        }
    }
    findings.extend(annotations_of_pods(object));
    findings
}

/// Annotations on the pods of a workload, where they count nothing: findings are about the objects of the input.
fn annotations_of_pods(object: &Object<'_>) -> Option<Finding> {
    let pods = object.field(&["spec", "template", "metadata", "annotations"])?;
    let (key, _) =
        pods.entries().find(|(key, _)| key.str().is_some_and(|it| it.starts_with(ANNOTATION)))?;
    let message = format!(
        "`{}` stands on the pods of `{object}` and so accepts nothing",
        key.str().unwrap_or_default()
    );
    let help = "move it to `metadata.annotations` of the object itself";
    Some(found("unused-exception", message, object.place(key)).help(help))
}

fn found(rule: &'static str, message: String, place: Place) -> Finding {
    let mut finding = Finding::new(message, place, "");
    finding.rule = rule;
    finding
}
