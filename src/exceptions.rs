//! Findings that somebody accepted: exceptions of the policy and annotations of the objects, and those that no longer
//! accept anything.

use crate::model::{Model, Object};
use crate::policy::{Exception, Level, Policy, closest};
use crate::rule::{Finding, Place, Rule, Severity};
use crate::rules;

const ANNOTATION: &str = "purlin.dev/ignore.";

/// Takes accepted findings out, adds what is wrong with the exceptions themselves, and says how many were accepted.
pub fn apply(
    model: &Model<'_>,
    policy: &Policy,
    selected: &[&'static Rule],
    findings: &mut Vec<Finding>,
) -> usize {
    let mut used = vec![false; policy.exceptions.len()];
    let before = findings.len();
    findings.retain(|finding| {
        let objects: Vec<_> =
            finding.labels.iter().filter_map(|it| object(model, &it.place)).collect();
        if objects.iter().any(|it| ignores(it, finding.rule)) {
            return false;
        }
        let mut accepted = false;
        for (exception, used) in policy.exceptions.iter().zip(&mut used) {
            if !has_expired(exception, policy) && covers(exception, finding.rule, &objects) {
                *used = true;
                accepted = true;
            }
        }
        !accepted
    });
    let accepted = before - findings.len();
    let mut extra = Vec::new();
    for (exception, used) in policy.exceptions.iter().zip(used) {
        extra.extend(stale(exception, used, policy, selected));
    }
    for object in model.objects() {
        extra.extend(bad_annotations(object));
    }
    let selected_ids: Vec<_> = selected.iter().map(|it| it.id).collect();
    extra.retain(|it| selected_ids.contains(&it.rule));
    for finding in &mut extra {
        if let Some(Level::On(severity)) = policy.level(finding.rule) {
            finding.severity = Some(severity);
        }
    }
    findings.append(&mut extra);
    accepted
}

fn object<'m, 'd>(model: &'m Model<'d>, place: &Place) -> Option<&'m Object<'d>> {
    match place {
        Place::Field { object, .. } => Some(model.object(*object)),
        Place::Text { .. } => None,
    }
}

fn covers(exception: &Exception, rule: &str, objects: &[&Object<'_>]) -> bool {
    (exception.rule == "*" || exception.rule == rule)
        && objects.iter().any(|it| exception.object.matches(it.kind_name, it.namespace, it.name))
}

fn has_expired(exception: &Exception, policy: &Policy) -> bool {
    matches!((exception.expires, policy.today), (Some(last), Some(today)) if today > last)
}

/// Whether an annotation of the object switches a rule off for it, ours or that of a tool whose check the rule covers.
fn ignores(object: &Object<'_>, rule: &str) -> bool {
    let Some(annotations) = object.field(&["metadata", "annotations"]) else { return false };
    let like = rules::find(rule).map_or(&[][..], |it| it.like);
    annotations.pairs().any(|(key, value)| {
        let text = value.scalar().unwrap_or_default();
        let covers = |tool: &str, check: &str| {
            like.iter().any(|it| it.split_once(':') == Some((tool, check)))
        };
        if let Some(name) = key.strip_prefix(ANNOTATION) {
            name == rule && !text.trim().is_empty()
        } else if key == "kube-linter.io/ignore-all" {
            like.iter().any(|it| it.starts_with("kube-linter:"))
        } else if let Some(check) = key.strip_prefix("ignore-check.kube-linter.io/") {
            covers("kube-linter", check)
        } else if key == "kube-score/ignore" {
            text.split(',').any(|check| covers("kube-score", check.trim()))
        } else if key == "polaris.fairwinds.com/exempt" {
            text == "true" && like.iter().any(|it| it.starts_with("polaris:"))
        } else if let Some(check) =
            key.strip_prefix("polaris.fairwinds.com/").and_then(|it| it.strip_suffix("-exempt"))
        {
            text == "true"
                && like
                    .iter()
                    .any(|it| it.strip_prefix("polaris:").is_some_and(|it| kebab(it) == check))
        } else {
            false
        }
    })
}

/// Polaris writes its checks in camel case and its annotations in kebab case.
fn kebab(camel: &str) -> String {
    let mut out = String::new();
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() {
            out.push('-');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
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
    let was_run = exception.rule == "*" || selected.iter().any(|it| it.id == exception.rule);
    (!used && was_run).then(|| {
        let message = format!("this exception for `{}` accepts nothing", exception.rule);
        found("unused-exception", message, place).help("remove it, or correct its `object`")
    })
}

fn bad_annotations(object: &Object<'_>) -> Vec<Finding> {
    let Some(annotations) = object.field(&["metadata", "annotations"]) else { return Vec::new() };
    let mut findings = Vec::new();
    for (key, value) in annotations.entries() {
        let Some(name) = key.str().and_then(|it| it.strip_prefix(ANNOTATION)) else { continue };
        let place = object.place(key);
        if rules::find(name).is_none() {
            let message = format!("`{ANNOTATION}{name}` names no rule");
            let finding = found("unused-exception", message, place);
            findings.push(match closest(name, rules::RULES.iter().map(|it| it.id)) {
                Some(it) => finding.help(format!("did you mean `{it}`?")),
                None => finding,
            });
        } else if value.scalar().is_none_or(|it| it.trim().is_empty()) {
            let message = format!("`{ANNOTATION}{name}` gives no reason and so accepts nothing");
            findings.push(
                found("unused-exception", message, place).help("write the reason as its value"),
            );
        }
    }
    findings
}

fn found(rule: &'static str, message: String, place: Place) -> Finding {
    let severity = rules::find(rule).map_or(Severity::Warning, |it| it.severity);
    let mut finding = Finding::new(message, place, "").severity(severity);
    finding.rule = rule;
    finding
}
