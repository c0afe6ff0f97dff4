//! `purlin rules` and `purlin explain`.

use super::{done, fail, print};
use crate::cli::ListFormat;
use purlin::policy::closest;
use purlin::rules::built_in;
use serde::Serialize;
use std::process::ExitCode;

#[derive(Serialize)]
struct RuleJson {
    id: &'static str,
    title: &'static str,
    severity: &'static str,
    group: &'static str,
    admission: &'static str,
    presets: Vec<&'static str>,
    like: &'static [&'static str],
    parameters: Vec<ParameterJson>,
}

#[derive(Serialize)]
struct ParameterJson {
    name: &'static str,
    about: &'static str,
    default: &'static [&'static str],
}

/// Lists the rules.
pub(super) fn rules(format: ListFormat) -> ExitCode {
    let text = match format {
        ListFormat::Human => human(),
        ListFormat::Json => json(),
    };
    done(print(text.as_bytes()))
}

fn human() -> String {
    let width = built_in().iter().map(|it| it.id.len()).max().unwrap_or(0);
    let mut groups: Vec<_> = built_in().iter().map(|it| it.group).collect();
    groups.sort();
    groups.dedup();
    let mut text = String::new();
    for group in groups {
        text.push_str(&format!("{}\n", group.name()));
        for rule in built_in().iter().filter(|it| it.group == group) {
            text.push_str(&format!(
                "  {:width$}  {:7}  {}\n",
                rule.id,
                rule.severity.name(),
                rule.title
            ));
        }
    }
    text
}

fn json() -> String {
    let list: Vec<_> = built_in()
        .iter()
        .map(|it| RuleJson {
            id: it.id,
            title: it.title,
            severity: it.severity.name(),
            group: it.group.name(),
            admission: it.admission.name(),
            presets: it.presets.iter().map(|it| it.name()).collect(),
            like: it.like,
            parameters: it
                .parameters
                .iter()
                .map(|it| ParameterJson { name: it.name, about: it.about, default: it.default })
                .collect(),
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&list).expect("a list of strings is JSON");
    text.push('\n');
    text
}

/// Prints a rule's page.
pub(super) fn explain(id: &str) -> ExitCode {
    match built_in().find(id) {
        Some(rule) => {
            let head = format!("# {} ({}, {})\n\n", rule.id, rule.severity, rule.group.name());
            done(print(format!("{head}{}", rule.page).as_bytes()))
        }
        None => fail(unknown_rule(id, built_in().ids())),
    }
}

/// Says that a name is no rule, and which one may have been meant.
pub(super) fn unknown_rule(id: &str, known: impl IntoIterator<Item = &'static str>) -> String {
    let hint = closest(id, known).map(|it| format!("; did you mean `{it}`?"));
    format!("unknown rule `{id}`{}", hint.unwrap_or_else(|| "; `purlin rules` lists them".into()))
}
