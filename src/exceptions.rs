//! Findings that somebody accepted: exceptions of the policy and annotations of the objects, and those that no longer
//! accept anything.

use crate::model::{Model, ObjId, Object};
use crate::policy::{Exception, Level, Policy, closest};
use crate::rule::{Finding, Place, Rule, Unknown};
use crate::rules;
use crate::source::{SourceId, Span};
use crate::tree::Node;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

const ANNOTATION: &str = "purlin.dev/ignore.";

/// Takes what was accepted out of the findings and the open questions, adds what is wrong with the exceptions
/// themselves, and says how many findings were accepted.
pub fn apply(
    model: &Model<'_>,
    policy: &Policy,
    selected: &[&'static Rule],
    findings: &mut Vec<Finding>,
    unknown: &mut Vec<Unknown>,
) -> usize {
    let mut judge = Judge::new(model, policy);
    let before = findings.len();
    findings.retain(|it| {
        let objects = judge.objects(it);
        !judge.accepts(it.rule, &objects)
    });
    let accepted = before - findings.len();
    unknown.retain(|it| !judge.accepts(it.rule, &[it.object]));
    let mut extra = Vec::new();
    for (exception, used) in policy.exceptions.iter().zip(&judge.used) {
        extra.extend(stale(exception, *used, policy, selected));
    }
    for object in model.objects() {
        extra.extend(idle_annotations(object, &judge.annotations, selected));
    }
    extra.retain(|it| is_selected(it.rule, selected));
    for finding in &mut extra {
        finding.severity = match policy.level(finding.rule) {
            Some(Level::On(severity)) => Some(severity),
            _ => rules::find(finding.rule).map(|it| it.severity),
        };
    }
    findings.append(&mut extra);
    accepted
}

/// Decides what is accepted and remembers what decided it.
struct Judge<'j, 'd> {
    model: &'j Model<'d>,
    policy: &'j Policy,
    /// By exception, whether it accepted anything.
    used: Vec<bool>,
    /// The annotations that did, by object and rule.
    annotations: FxHashSet<(ObjId, &'static str)>,
    /// The objects of each source in the order of their text, made when first asked for.
    by_source: Option<BTreeMap<SourceId, Vec<(Span, ObjId)>>>,
}

impl<'j, 'd> Judge<'j, 'd> {
    fn new(model: &'j Model<'d>, policy: &'j Policy) -> Judge<'j, 'd> {
        Judge {
            model,
            policy,
            used: vec![false; policy.exceptions.len()],
            annotations: FxHashSet::default(),
            by_source: None,
        }
    }

    /// The objects that a finding is about, that of its primary label first.
    fn objects(&mut self, finding: &Finding) -> Vec<ObjId> {
        finding.labels.iter().filter_map(|it| self.object(&it.place)).collect()
    }

    fn object(&mut self, place: &Place) -> Option<ObjId> {
        let (source, span) = match place {
            Place::Field { object, .. } => return Some(*object),
            Place::Text { source, span } => (source, span),
        };
        let model = self.model;
        let by_source = self.by_source.get_or_insert_with(|| {
            let mut index: BTreeMap<SourceId, Vec<(Span, ObjId)>> = BTreeMap::new();
            for object in model.objects() {
                let at = index.entry(object.document.source).or_default();
                at.push((object.root.span(), object.id));
            }
            index.values_mut().for_each(|it| it.sort_unstable());
            index
        });
        let objects = by_source.get(source)?;
        let after = objects.partition_point(|(it, _)| it.start <= span.start);
        let (around, id) = objects.get(after.checked_sub(1)?)?;
        (span.end <= around.end).then_some(*id)
    }

    fn accepts(&mut self, rule: &'static str, objects: &[ObjId]) -> bool {
        let mut accepted = false;
        for (at, id) in objects.iter().enumerate() {
            let object = self.model.object(*id);
            if is_ignored(object, rule) {
                self.annotations.insert((*id, rule));
                accepted = true;
            }
            accepted |= is_ignored_elsewhere(object, rule, at == 0);
        }
        for (exception, used) in self.policy.exceptions.iter().zip(&mut self.used) {
            let covers = |id: &ObjId| {
                let it = self.model.object(*id);
                exception.object.matches(it.kind_name, it.namespace, it.name)
            };
            if (exception.rule == "*" || exception.rule == rule)
                && !has_expired(exception, self.policy)
                && objects.iter().any(covers)
            {
                *used = true;
                accepted = true;
            }
        }
        accepted
    }
}

fn has_expired(exception: &Exception, policy: &Policy) -> bool {
    matches!((exception.expires, policy.today), (Some(last), Some(today)) if today > last)
}

fn annotations<'d>(object: &Object<'d>) -> impl Iterator<Item = (&'d str, Node<'d>)> {
    object.field(&["metadata", "annotations"]).into_iter().flat_map(Node::pairs)
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
fn is_ignored_elsewhere(object: &Object<'_>, rule: &str, is_primary: bool) -> bool {
    let like = rules::find(rule).map_or(&[][..], |it| it.like);
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

fn is_selected(rule: &str, selected: &[&'static Rule]) -> bool {
    selected.iter().any(|it| it.id == rule)
}

fn stale(
    exception: &Exception,
    used: bool,
    policy: &Policy,
    selected: &[&'static Rule],
) -> Option<Finding> {
    let source = policy.source?;
    let place = Place::Text { source, span: exception.span };
    if has_expired(exception, policy) {
        let date = exception.expires?;
        let message = format!("this exception for `{}` expired on {date}", exception.rule);
        let help = "mend what it accepted and remove it, or give it another date";
        return Some(found("expired-exception", message, place).help(help));
    }
    // One for every rule may be used by any rule that was not run this time.
    let was_run = match exception.rule.as_str() {
        "*" => rules::RULES
            .iter()
            .all(|it| is_selected(it.id, selected) || policy.level(it.id) == Some(Level::Off)),
        rule => is_selected(rule, selected),
    };
    (!used && was_run).then(|| {
        let message = format!("this exception for `{}` accepts nothing", exception.rule);
        found("unused-exception", message, place).help("remove it, or correct its `object`")
    })
}

/// Annotations for rules that do not exist, without a reason, or that accepted nothing.
fn idle_annotations(
    object: &Object<'_>,
    used: &FxHashSet<(ObjId, &'static str)>,
    selected: &[&'static Rule],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let entries = object.field(&["metadata", "annotations"]).into_iter().flat_map(Node::entries);
    for (key, value) in entries {
        let Some(name) = key.str().and_then(|it| it.strip_prefix(ANNOTATION)) else { continue };
        let found = |message, help: String| {
            found("unused-exception", message, object.place(key)).help(help)
        };
        let Some(rule) = rules::find(name) else {
            let help = closest(name, rules::RULES.iter().map(|it| it.id));
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
