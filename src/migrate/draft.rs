//! A policy that is being made of another tool's configuration, and its text.

use crate::documents::API_VERSION;
use crate::finding::Severity;
use crate::policy::{Level, Preset};
use crate::rule::Rule;
use crate::rules::{built_in, left_out_why};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What a policy says of one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Choice {
    level: Option<Level>,
    /// Parameters, as they are written.
    parameters: BTreeMap<&'static str, String>,
}

/// A policy that says what another tool's configuration says, as far as it can.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The tool, as `like` of rules names it.
    tool: &'static str,
    preset: Preset,
    version: Option<String>,
    exclude: Vec<String>,
    rules: BTreeMap<&'static str, Choice>,
    exceptions: Vec<(&'static str, String)>,
    without_equal: Vec<(String, String)>,
}

impl Draft {
    pub(super) fn new(tool: &'static str) -> Draft {
        Draft {
            tool,
            preset: Preset::Recommended,
            version: None,
            exclude: Vec::new(),
            rules: BTreeMap::new(),
            exceptions: Vec::new(),
            without_equal: Vec::new(),
        }
    }

    /// What has no equal, with the reason.
    pub fn without_equal(&self) -> &[(String, String)] {
        &self.without_equal
    }

    pub(super) fn extends(&mut self, preset: Preset) {
        self.preset = preset;
    }

    pub(super) fn kubernetes_version(&mut self, version: &str) {
        self.version = Some(version.trim_start_matches('v').into());
    }

    pub(super) fn exclude(&mut self, pattern: &str) {
        self.exclude.push(pattern.into());
    }

    /// The rules that cover a check.
    pub(super) fn rules_of(&self, check: &str) -> Vec<&'static Rule> {
        rules_of(self.tool, check)
    }

    /// Switches on what covers a check; notes that nothing does.
    pub(super) fn switch_on(&mut self, check: &str) {
        let rules = self.rules_of(check);
        if rules.is_empty() {
            return self.has_no_rule(check);
        }
        rules.iter().for_each(|it| _ = self.rules.entry(it.id).or_default());
    }

    /// Switches on what covers a check with a severity; of several the highest counts.
    pub(super) fn set(&mut self, check: &str, severity: Severity) {
        let rules = self.rules_of(check);
        if rules.is_empty() {
            return self.has_no_rule(check);
        }
        for rule in rules {
            let choice = self.rules.entry(rule.id).or_default();
            let known = match choice.level {
                Some(Level::On(it)) => Some(it),
                _ => None,
            };
            choice.level = known.max(Some(severity)).map(Level::On);
        }
    }

    /// Switches off what covers a check, unless it covers another that is wanted.
    pub(super) fn switch_off(&mut self, check: &str) {
        let rules = self.rules_of(check);
        if rules.is_empty() {
            return self.has_no_rule(check);
        }
        for rule in rules {
            match self.rules.get(rule.id) {
                Some(it) if it.level != Some(Level::Off) => {
                    let why = format!("`{}` covers other checks that are on", rule.id);
                    self.has_no_equal(format!("`{check}` off"), why);
                }
                _ => self.off(rule.id),
            }
        }
    }

    pub(super) fn off(&mut self, rule: &'static str) {
        if built_in().find(rule).is_some() {
            self.rules.entry(rule).or_default().level = Some(Level::Off);
        }
    }

    /// Sets a parameter, written as YAML.
    pub(super) fn parameter(&mut self, rule: &'static str, name: &'static str, value: String) {
        if self.takes(rule, name) {
            self.rules.entry(rule).or_default().parameters.insert(name, value);
        }
    }

    fn takes(&mut self, rule: &'static str, name: &'static str) -> bool {
        let found = built_in().find(rule);
        let takes = found.is_some_and(|it| it.parameters.iter().any(|it| it.name == name));
        if !takes {
            self.has_no_equal(format!("`{name}` of `{rule}`"), "no rule has such a parameter");
        }
        takes
    }

    /// Adds to a parameter that is a list, an item written as YAML.
    pub(super) fn item(&mut self, rule: &'static str, name: &'static str, item: &str) {
        if !self.takes(rule, name) {
            return;
        }
        let list = self.rules.entry(rule).or_default().parameters.entry(name).or_default();
        let items = list.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        *list = match items {
            Some(items) => format!("[{items}, {item}]"),
            None => format!("[{item}]"),
        };
    }

    /// Accepts what a rule (`*`: any) finds of some objects.
    pub(super) fn exception(&mut self, rule: &'static str, object: String) {
        let exception = (rule, object);
        if !self.exceptions.contains(&exception) {
            self.exceptions.push(exception);
        }
    }

    pub(super) fn has_no_equal(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.without_equal.push((what.into(), why.into()));
    }

    fn has_no_rule(&mut self, check: &str) {
        let why = left_out_why(self.tool, check).unwrap_or("no rule covers a check of this name");
        self.has_no_equal(format!("`{check}`"), why);
    }

    /// The text of the policy.
    pub fn text(&self) -> String {
        let mut text = format!("# Made of a configuration of {}.\n", self.tool);
        let _ = writeln!(text, "apiVersion: {API_VERSION}\nkind: Policy");
        let _ = writeln!(text, "extends: [{}]", self.preset.name());
        if let Some(version) = &self.version {
            let _ = writeln!(text, "kubernetesVersion: {}", quoted(version));
        }
        self.list(&mut text, "exclude", self.exclude.iter().map(|it| quoted(it)));
        if !self.rules.is_empty() {
            text.push_str("rules:\n");
        }
        for (id, choice) in &self.rules {
            let _ = writeln!(text, "  {id}: {}", choice.text());
        }
        let reason = quoted(&format!("taken over from {}", self.tool));
        let exceptions = self.exceptions.iter();
        self.list(
            &mut text,
            "exceptions",
            exceptions.map(|(rule, object)| {
                let rule = if *rule == "*" { "'*'" } else { rule };
                format!("{{rule: {rule}, object: {}, reason: {reason}}}", quoted(object))
            }),
        );
        if !self.without_equal.is_empty() {
            text.push_str("\n# Without an equal:\n");
        }
        for (what, why) in &self.without_equal {
            let line = format!("# - {what}: {why}").replace('\n', " ");
            let _ = writeln!(text, "{line}");
        }
        text
    }

    fn list(&self, text: &mut String, key: &str, items: impl Iterator<Item = String>) {
        for (at, item) in items.enumerate() {
            if at == 0 {
                let _ = writeln!(text, "{key}:");
            }
            let _ = writeln!(text, "  - {item}");
        }
    }
}

impl Choice {
    fn text(&self) -> String {
        let level = self.level.map(|it| match it {
            Level::Off => "off",
            Level::On(severity) => severity.name(),
        });
        match (level, self.parameters.is_empty()) {
            (Some(level), true) => level.into(),
            (level, _) => {
                let level = level.map(|it| format!("severity: {it}"));
                let parameters = self.parameters.iter().map(|(name, it)| format!("{name}: {it}"));
                let all: Vec<_> = level.into_iter().chain(parameters).collect();
                format!("{{{}}}", all.join(", "))
            }
        }
    }
}

/// The rules that cover a check of a tool. Polaris writes some names in two ways.
pub(super) fn rules_of(tool: &str, check: &str) -> Vec<&'static Rule> {
    let covers = |like: &&str| {
        like.split_once(':').is_some_and(|it| it.0 == tool && it.1.eq_ignore_ascii_case(check))
    };
    built_in().iter().filter(|it| it.like.iter().any(&covers)).collect()
}

/// A text in YAML that means this string and nothing else.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}
