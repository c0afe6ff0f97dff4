//! `purlin.yaml`: which rules, their severities and parameters, what comes from elsewhere, exceptions.
//!
//! Read with the loader's own tree, so that every mistake has a place and a "did you mean".

use crate::finding::Severity;
use crate::load::yaml::{self, Mistake, Syntax};
use crate::rules;
use crate::source::{SourceId, Span};
use crate::tree::{Node, Value};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the user wants of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// Its severity, or off.
    pub level: Option<Level>,
    /// Its parameters.
    pub parameters: BTreeMap<String, Vec<String>>,
}

/// How loud a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Not at all.
    Off,
    /// With this severity.
    On(Severity),
}

/// Objects by kind, namespace and name, each with `*` for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    kind: String,
    namespace: Option<String>,
    name: String,
}

/// Findings that are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The rule, or `*`.
    pub rule: String,
    /// The objects.
    pub object: Pattern,
    /// Why.
    pub reason: String,
    /// The last day on which it counts.
    pub expires: Option<Date>,
    /// Its place in the policy file.
    pub span: Span,
}

/// Something to check, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// A file or folder, from the policy file's folder.
    pub path: String,
}

/// What the user wants.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Where it was read from; `None` without a file.
    pub source: Option<SourceId>,
    /// What to check without paths.
    pub targets: Vec<Target>,
    /// By rule.
    pub rules: BTreeMap<String, Setting>,
    /// What exists although the input does not hold it.
    pub external: Vec<Pattern>,
    /// Namespaces that the input holds all of; `*` for the whole cluster.
    pub complete: Vec<String>,
    /// Findings that are accepted.
    pub exceptions: Vec<Exception>,
    /// Today, for exceptions that expire.
    pub today: Option<Date>,
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    ///
    /// Every mistake in it, with its place.
    pub fn read(text: &Arc<str>, today: Option<Date>) -> Result<Policy, Vec<Mistake>> {
        let parsed =
            yaml::parse(text, 0..text.len(), Syntax::Yaml).map_err(|mistake| vec![mistake])?;
        let mut policy = Policy { today, ..Policy::default() };
        let Some(parsed) = parsed else { return Ok(policy) };
        let mut reader = Reader { mistakes: Vec::new() };
        for duplicate in &parsed.duplicate_keys {
            reader.wrong(
                duplicate.last,
                format!("`{}` stands twice in one mapping", duplicate.key),
                None,
            );
        }
        reader.policy(parsed.tree.root(), &mut policy);
        if reader.mistakes.is_empty() { Ok(policy) } else { Err(reader.mistakes) }
    }

    /// The level that the user gave a rule.
    pub fn level(&self, rule: &str) -> Option<Level> {
        self.rules.get(rule)?.level
    }

    /// The values that the user gave a rule's parameter.
    pub fn parameter(&self, rule: &str, name: &str) -> Option<&Vec<String>> {
        self.rules.get(rule)?.parameters.get(name)
    }

    /// Whether the user said that this exists elsewhere.
    pub fn is_external(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.external.iter().any(|it| it.matches(kind, namespace, name))
    }

    /// Whether the user said that the input holds all of a namespace (`*`: of the cluster).
    pub fn is_complete(&self, namespace: &str) -> bool {
        self.complete.iter().any(|it| it == namespace || it == "*")
    }
}

impl Pattern {
    /// Reads `Kind/name` or `Kind/namespace/name`.
    pub fn parse(text: &str) -> Option<Pattern> {
        let parts: Vec<&str> = text.split('/').collect();
        let (kind, namespace, name) = match parts.as_slice() {
            [kind, name] => (kind, None, name),
            [kind, namespace, name] => (kind, Some((*namespace).to_string()), name),
            _ => return None,
        };
        (!kind.is_empty() && !name.is_empty()).then(|| Pattern {
            kind: (*kind).to_string(),
            namespace,
            name: (*name).to_string(),
        })
    }

    /// Whether it means this object.
    pub fn matches(&self, kind: &str, namespace: &str, name: &str) -> bool {
        glob(&self.kind, kind)
            && self.namespace.as_deref().is_none_or(|it| glob(it, namespace))
            && glob(&self.name, name)
    }
}

/// Whether `*` in `pattern` can stand for something so that it is `text`.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(head) else { return false };
    let parts: Vec<&str> = tail.split('*').collect();
    let (last, middle) = parts.split_last().expect("a split has a last part");
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

struct Reader {
    mistakes: Vec<Mistake>,
}

const FIELDS: [&str; 9] = [
    "apiVersion",
    "kind",
    "metadata",
    "targets",
    "rules",
    "external",
    "complete",
    "exceptions",
    "network",
];

impl Reader {
    fn policy(&mut self, root: Node<'_>, policy: &mut Policy) {
        if !root.is_map() {
            return self.wrong(
                root.span(),
                format!("a policy is a mapping, and this is {}", root.kind()),
                None,
            );
        }
        self.expect(root, "apiVersion", "purlin.dev/v1alpha1");
        self.expect(root, "kind", "Policy");
        for (key, value) in root.pairs() {
            let span = root.entry(key).map_or(value.span(), |(key, _)| key.span());
            match key {
                "targets" => policy.targets = self.list(value, Self::target),
                "rules" => self.rules(value, policy),
                "external" => policy.external = self.list(value, Self::pattern),
                "complete" => policy.complete = self.list(value, Self::string),
                "exceptions" => policy.exceptions = self.list(value, Self::exception),
                "apiVersion" | "kind" | "metadata" | "network" => {}
                "customRules" => self.wrong(
                    span,
                    "rules of one's own are not supported by this version".into(),
                    None,
                ),
                other => self.unknown("field", other, span, FIELDS),
            }
        }
    }

    fn expect(&mut self, root: Node<'_>, key: &str, expected: &str) {
        match root.get(key) {
            Some(value) if value.str() == Some(expected) => {}
            Some(value) => {
                self.wrong(value.span(), format!("`{key}` is `{expected}` in a policy file"), None)
            }
            None => {
                let first = Span { start: root.span().start, end: root.span().start };
                self.wrong(first, format!("`{key}: {expected}` is missing"), None);
            }
        }
    }

    fn rules(&mut self, node: Node<'_>, policy: &mut Policy) {
        for (key, value) in node.entries() {
            let name = key.str().unwrap_or_default();
            let Some(rule) = rules::find(name) else {
                self.unknown("rule", name, key.span(), rules::RULES.iter().map(|it| it.id));
                continue;
            };
            let setting = policy.rules.entry(name.to_string()).or_default();
            if !value.is_map() {
                setting.level = self.level(value);
                continue;
            }
            for (key, value) in value.entries() {
                let name = key.str().unwrap_or_default();
                if name == "severity" {
                    setting.level = self.level(value);
                } else if rule.parameters.iter().any(|it| it.name == name) {
                    let values = if value.is_seq() { value.items().collect() } else { vec![value] };
                    let values = values.into_iter().filter_map(|it| self.scalar(it)).collect();
                    setting.parameters.insert(name.to_string(), values);
                } else {
                    let known = rule.parameters.iter().map(|it| it.name).chain(["severity"]);
                    self.unknown("parameter", name, key.span(), known);
                }
            }
        }
    }

    /// `off` is a truth value to YAML.
    fn level(&mut self, node: Node<'_>) -> Option<Level> {
        let level = match node.value() {
            Value::Bool(false) => Some(Level::Off),
            Value::Str("off") => Some(Level::Off),
            Value::Str(text) => Severity::parse(text).map(Level::On),
            _ => None,
        };
        if level.is_none() {
            let text = node.scalar().unwrap_or_default();
            self.unknown("severity", &text, node.span(), ["off", "note", "warning", "error"]);
        }
        level
    }

    fn target(&mut self, node: Node<'_>) -> Option<Target> {
        self.known_fields(node, &["name", "path"]);
        let path = self.required(node, "path")?;
        Some(Target { name: node.text("name").unwrap_or(path).to_string(), path: path.to_string() })
    }

    fn exception(&mut self, node: Node<'_>) -> Option<Exception> {
        self.known_fields(node, &["rule", "object", "reason", "expires"]);
        let rule = self.required(node, "rule")?;
        if rule != "*" && rules::find(rule).is_none() {
            let span = node.get("rule").map_or(node.span(), Node::span);
            self.unknown("rule", rule, span, rules::RULES.iter().map(|it| it.id));
        }
        let object = match node.get("object") {
            Some(it) => self.pattern(it)?,
            None => self.pattern_missing(node)?,
        };
        let reason = self.required(node, "reason")?.to_string();
        let expires = match node.get("expires") {
            None => None,
            Some(it) => match it.str().and_then(|it| it.parse::<Date>().ok()) {
                Some(date) => Some(date),
                None => {
                    self.wrong(
                        it.span(),
                        "not a date: `expires` is written as 2027-03-31".into(),
                        None,
                    );
                    None
                }
            },
        };
        let span = node.get("rule").map_or(node.span(), Node::span);
        Some(Exception { rule: rule.to_string(), object, reason, expires, span })
    }

    fn pattern_missing(&mut self, node: Node<'_>) -> Option<Pattern> {
        self.required(node, "object");
        None
    }

    fn pattern(&mut self, node: Node<'_>) -> Option<Pattern> {
        let pattern = node.str().and_then(Pattern::parse);
        if pattern.is_none() {
            self.wrong(
                node.span(),
                "not an object: write `Kind/name` or `Kind/namespace/name`, with `*` for any"
                    .into(),
                None,
            );
        }
        pattern
    }

    fn string(&mut self, node: Node<'_>) -> Option<String> {
        self.scalar(node)
    }

    fn scalar(&mut self, node: Node<'_>) -> Option<String> {
        let text = node.scalar().map(std::borrow::Cow::into_owned);
        if text.is_none() {
            self.wrong(
                node.span(),
                format!("a plain value is needed, and this is {}", node.kind()),
                None,
            );
        }
        text
    }

    fn list<'d, T>(
        &mut self,
        node: Node<'d>,
        read: impl Fn(&mut Self, Node<'d>) -> Option<T>,
    ) -> Vec<T> {
        if !node.is_seq() {
            self.wrong(node.span(), format!("a list is needed, and this is {}", node.kind()), None);
        }
        node.items().filter_map(|it| read(self, it)).collect()
    }

    fn required<'d>(&mut self, node: Node<'d>, key: &str) -> Option<&'d str> {
        let text = node.text(key).filter(|it| !it.trim().is_empty());
        if text.is_none() {
            let start = node.span().start;
            let end = node.entries().next().map_or(start, |(key, _)| key.span().end);
            self.wrong(Span { start, end }, format!("`{key}` is missing or empty"), None);
        }
        text
    }

    fn known_fields(&mut self, node: Node<'_>, known: &[&str]) {
        for (key, _) in node.entries() {
            let name = key.str().unwrap_or_default();
            if !known.contains(&name) {
                self.unknown("field", name, key.span(), known.iter().copied());
            }
        }
    }

    fn unknown<'k>(
        &mut self,
        what: &str,
        name: &str,
        span: Span,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        let help = closest(name, known).map(|it| format!("did you mean `{it}`?"));
        self.wrong(span, format!("unknown {what} `{name}`"), help);
    }

    fn wrong(&mut self, span: Span, message: String, help: Option<String>) {
        self.mistakes.push(Mistake { span, message, help });
    }
}

/// The one of `known` that a slip of the fingers may have turned into `name`.
pub fn closest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let scored = known
        .into_iter()
        .map(|it| (strsim::jaro_winkler(&name.to_lowercase(), &it.to_lowercase()), it));
    scored
        .filter(|(score, _)| *score > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, it)| it)
}
