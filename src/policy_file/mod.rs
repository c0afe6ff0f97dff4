//! Reads `purlin.yaml`, and says every mistake in it at its place.
//!
//! With the loader's own tree, so that every mistake has a place and a "did you mean".

mod admission;

use crate::analyze::network::policies::parse_cidr;
use crate::api::network::{Network, Plugin};
use crate::api::ports::{Ports, Protocol};
use crate::finding::Severity;
use crate::load::read::mistake::Mistake;
use crate::load::read::split;
use crate::load::read::split::Chunk;
use crate::load::read::yaml;
use crate::load::read::yaml::Syntax;
use crate::policy::{DeclaredFlow, Exception, Level, Pattern, Policy, Setting, Target, closest};
use crate::rule::Rule;
use crate::rules;
use crate::text::source::Span;
use crate::text::tree::{Node, Value};
use ipnet::IpNet;
use jiff::civil::Date;
use std::sync::Arc;

/// Reads a policy file.
///
/// # Errors
///
/// Every mistake in it, with its place.
pub fn read(text: &Arc<str>, today: Option<Date>) -> Result<Policy, Vec<Mistake>> {
    let mut policy = Policy { today, ..Policy::default() };
    let mut reader = Reader::default();
    let mut chunks = split::split(text);
    let range = match chunks.next() {
        None => return Ok(policy),
        Some(Chunk::Text(range)) => range,
        Some(Chunk::Bad { span, message }) => {
            return Err(vec![Mistake { span, message, help: None }]);
        }
    };
    if let Some(second) = chunks.next() {
        let at = match second {
            Chunk::Text(range) => range.start + first_text(&text[range]),
            Chunk::Bad { span, .. } => span.range().start,
        };
        let line = text[at..].lines().next().map_or(0, str::len);
        let message = "a second document: a policy file holds one".into();
        reader.wrong(Span::new(at, at + line), message, None);
    }
    let parsed = yaml::parse(text, range, Syntax::Yaml).map_err(|mistake| vec![mistake])?;
    let Some(parsed) = parsed else { return Ok(policy) };
    for duplicate in &parsed.duplicate_keys {
        let message = format!("`{}` stands twice in one mapping", duplicate.key);
        reader.wrong(duplicate.last, message, None);
    }
    reader.policy(parsed.tree.root(), &mut policy);
    if reader.mistakes.is_empty() { Ok(policy) } else { Err(reader.mistakes) }
}

/// Where the first line begins that is neither empty nor a comment.
fn first_text(text: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
            break;
        }
        at += line.len();
    }
    at
}

/// Collects the mistakes of a policy file while its parts are read.
#[derive(Debug, Default)]
struct Reader {
    /// What is wrong so far.
    mistakes: Vec<Mistake>,
}

const FIELDS: [&str; 13] = [
    "apiVersion",
    "kind",
    "metadata",
    "targets",
    "allowRemote",
    "rules",
    "external",
    "complete",
    "exceptions",
    "baseline",
    "network",
    "admission",
    "flows",
];

impl Reader {
    /// Reads all of it.
    fn policy(&mut self, root: Node<'_>, policy: &mut Policy) {
        if !self.is_map(root, "a policy") {
            return;
        }
        self.expect(root, "apiVersion", "purlin.dev/v1alpha1");
        self.expect(root, "kind", "Policy");
        for (key, value) in root.entries() {
            let field = key.str().unwrap_or_default();
            // A field without a value is absent, as it is to Kubernetes; it has to be a field all the same.
            match field {
                "apiVersion" | "kind" | "metadata" => {}
                "customRules" => self.wrong(
                    key.span(),
                    "rules of one's own are not supported by this version".into(),
                    None,
                ),
                _ if !FIELDS.contains(&field) => self.unknown("field", field, key.span(), FIELDS),
                _ if value.is_null() => {}
                "targets" => policy.targets = self.targets(value),
                "allowRemote" => policy.allow_remote = self.truth(value),
                "rules" => self.rules(value, policy),
                "external" => policy.external = self.list(value, Self::pattern),
                "admission" => policy.admission = self.admission(value),
                "complete" => policy.complete = self.list(value, Self::scalar),
                "exceptions" => policy.exceptions = self.list(value, Self::exception),
                "baseline" => policy.baseline = self.scalar(value),
                "flows" => policy.flows = self.list(value, Self::flow),
                _ => policy.network = self.network(value),
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
        if !self.is_map(node, "`rules`") {
            return;
        }
        for (key, value) in node.entries() {
            let name = key.str().unwrap_or_default();
            match rules::find(name) {
                Some(rule) => {
                    let setting = self.setting(rule, value);
                    policy.rules.insert(name.to_string(), setting);
                }
                None => self.unknown("rule", name, key.span(), rules::RULES.iter().map(|it| it.id)),
            }
        }
    }

    fn setting(&mut self, rule: &Rule, node: Node<'_>) -> Setting {
        let mut setting = Setting::default();
        if !node.is_map() {
            setting.level = self.level(node);
            return setting;
        }
        for (key, value) in node.entries() {
            let name = key.str().unwrap_or_default();
            if name == "severity" {
                setting.level = self.level(value);
            } else if rule.parameters.iter().any(|it| it.name == name) {
                let values = if value.is_seq() { value.items().collect() } else { vec![value] };
                let values = values.into_iter().filter_map(|it| self.scalar(it)).collect();
                setting.parameters.insert(name.to_string(), values);
            } else {
                let what = format!("parameter of `{}`", rule.id);
                let known = rule.parameters.iter().map(|it| it.name).chain(["severity"]);
                self.unknown(&what, name, key.span(), known);
            }
        }
        setting
    }

    /// `off` is a truth value to some writers of YAML.
    fn level(&mut self, node: Node<'_>) -> Option<Level> {
        let level = match node.value() {
            Value::Bool(false) => Some(Level::Off),
            Value::Str("off") => Some(Level::Off),
            Value::Str(text) => Severity::parse(text).map(Level::On),
            _ => None,
        };
        match (level, node.str()) {
            (Some(_), _) => {}
            (None, Some(text)) => {
                self.unknown("severity", text, node.span(), ["off", "note", "warning", "error"])
            }
            (None, None) => self.wrong(
                node.span(),
                format!("a severity is off, note, warning or error, and this is {}", node.kind()),
                None,
            ),
        }
        level
    }

    fn targets(&mut self, node: Node<'_>) -> Vec<Target> {
        let mut targets: Vec<Target> = Vec::new();
        for item in self.list(node, Self::target_at) {
            let (target, span) = item;
            // Targets of one name are one world.
            let other = targets.iter().find(|it| it.name == target.name);
            if other.is_some_and(|it| it.namespace != target.namespace) {
                let name = &target.name;
                self.wrong(span, format!("the targets `{name}` have different namespaces"), None);
            }
            targets.push(target);
        }
        targets
    }

    fn target_at(&mut self, node: Node<'_>) -> Option<(Target, Span)> {
        if !self.is_map(node, "a target") {
            return None;
        }
        let known = ["name", "path", "architecture", "values", "release", "namespace"];
        self.known_fields(node, &known);
        let path = self.required(node, "path")?.to_string();
        let name = self.optional(node, "name").unwrap_or_else(|| path.clone());
        let architecture = self.optional(node, "architecture");
        let values = node.get("values").filter(|it| !it.is_null());
        let values = values.map(|it| self.list(it, Self::scalar)).unwrap_or_default();
        let release = self.optional(node, "release");
        let namespace = self.optional(node, "namespace");
        let span = node.get("name").or(node.get("path")).unwrap_or(node).span();
        Some((Target { name, path, architecture, values, release, namespace }, span))
    }

    fn flow(&mut self, node: Node<'_>) -> Option<DeclaredFlow> {
        if !self.is_map(node, "a flow") {
            return None;
        }
        self.known_fields(node, &["from", "to", "ports"]);
        let (from, to) = (self.required(node, "from"), self.required(node, "to"));
        let ports = node.get("ports").map(|it| self.list(it, Self::ports)).unwrap_or_default();
        let span = node.get("from").unwrap_or(node).span();
        Some(DeclaredFlow { from: from?.to_string(), to: to?.to_string(), ports, span })
    }

    /// `5432`, `53/UDP`, `8000-8080`.
    fn ports(&mut self, node: Node<'_>) -> Option<Ports> {
        let text = self.scalar(node)?;
        let (numbers, protocol) = text.split_once('/').unwrap_or((&text, "TCP"));
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        let number = |it: &str| it.trim().parse::<u16>().ok().filter(|it| *it > 0);
        let ports = (|| {
            let (first, last) = (number(first)?, number(last)?);
            let protocol = Protocol::parse(protocol)?;
            (first <= last).then_some(Ports { protocol, first, last })
        })();
        if ports.is_none() {
            let message =
                "not a port: one is written as 5432, 53/UDP or 8000-8080, from 1 to 65535".into();
            self.wrong(node.span(), message, None);
        }
        ports
    }

    fn network(&mut self, node: Node<'_>) -> Network {
        if !self.is_map(node, "`network`") {
            return Network::default();
        }
        self.known_fields(node, &["plugin", "podCIDRs"]);
        let pod_cidrs = node.get("podCIDRs").map(|it| self.list(it, Self::block));
        Network { plugin: self.plugin(node), pod_cidrs: pod_cidrs.unwrap_or_default() }
    }

    fn plugin(&mut self, node: Node<'_>) -> Plugin {
        let Some(name) = self.optional(node, "plugin") else { return Plugin::default() };
        Plugin::parse(&name).unwrap_or_else(|| {
            let span = node.get("plugin").unwrap_or(node).span();
            let known = Plugin::ALL.map(Plugin::name);
            self.unknown_of("network plugin", &name, span, &known);
            Plugin::default()
        })
    }

    fn block(&mut self, node: Node<'_>) -> Option<IpNet> {
        let block = node.str().and_then(parse_cidr);
        if block.is_none() {
            let message = "not a block of addresses: one is written as 10.244.0.0/16".into();
            self.wrong(node.span(), message, None);
        }
        block
    }

    fn exception(&mut self, node: Node<'_>) -> Option<Exception> {
        if !self.is_map(node, "an exception") {
            return None;
        }
        self.known_fields(node, &["rule", "object", "reason", "expires"]);
        let rule = self.required(node, "rule");
        let span = node.get("rule").map_or(node.span(), Node::span);
        if let Some(rule) = rule.filter(|it| *it != "*" && rules::find(it).is_none()) {
            self.unknown("rule", rule, span, rules::RULES.iter().map(|it| it.id));
        }
        let object = self.required(node, "object").and(node.get("object"));
        let object = object.and_then(|it| self.pattern(it));
        let reason = self.required(node, "reason");
        let expires = node.get("expires").and_then(|it| self.date(it));
        Some(Exception {
            rule: rule?.to_string(),
            object: object?,
            reason: reason?.to_string(),
            expires,
            span,
        })
    }

    fn date(&mut self, node: Node<'_>) -> Option<Date> {
        let date = node.str().and_then(|it| it.parse::<Date>().ok());
        if date.is_none() {
            let message = "not a date: `expires` is written as 2027-03-31".into();
            self.wrong(node.span(), message, None);
        }
        date
    }

    fn pattern(&mut self, node: Node<'_>) -> Option<Pattern> {
        match Pattern::parse(node.str().unwrap_or_default()) {
            Ok(pattern) => Some(pattern),
            Err(no) => {
                self.wrong(node.span(), no.message, no.help);
                None
            }
        }
    }

    fn truth(&mut self, node: Node<'_>) -> bool {
        let truth = node.bool();
        if truth.is_none() {
            self.wrong(
                node.span(),
                format!("true or false is needed, and this is {}", node.kind()),
                None,
            );
        }
        truth.unwrap_or_default()
    }

    fn scalar(&mut self, node: Node<'_>) -> Option<String> {
        let text = node.scalar().map(std::borrow::Cow::into_owned);
        if text.is_none() {
            let message = format!("a plain value is needed, and this is {}", node.kind());
            self.wrong(node.span(), message, None);
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

    fn is_map(&mut self, node: Node<'_>, what: &str) -> bool {
        if !node.is_map() {
            let message = format!("{what} is a mapping, and this is {}", node.kind());
            self.wrong(node.span(), message, None);
        }
        node.is_map()
    }

    fn optional(&mut self, node: Node<'_>, key: &str) -> Option<String> {
        node.get(key).and_then(|it| self.scalar(it))
    }

    fn required<'d>(&mut self, node: Node<'d>, key: &str) -> Option<&'d str> {
        let text = node.text(key).filter(|it| !it.trim().is_empty());
        if text.is_none() {
            let start = node.span().start;
            let end = node.entries().next().map_or(start, |(key, _)| key.span().end);
            let (span, message) = match node.get(key) {
                Some(it) if it.str().is_none() => {
                    (it.span(), format!("`{key}` is a string, and this is {}", it.kind()))
                }
                Some(it) => (it.span(), format!("`{key}` is empty")),
                None => (Span { start, end }, format!("`{key}` is missing")),
            };
            self.wrong(span, message, None);
        }
        text
    }

    fn known_fields(&mut self, node: Node<'_>, known: &[&str]) {
        for (key, _) in node.entries() {
            let name = key.str().unwrap_or_default();
            if !known.contains(&name) {
                self.unknown_of("field", name, key.span(), known);
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

    /// The same where there are so few that all can be listed.
    fn unknown_of(&mut self, what: &str, name: &str, span: Span, known: &[&str]) {
        let help = match closest(name, known.iter().copied()) {
            Some(it) => format!("did you mean `{it}`?"),
            None => format!("known are {}", known.join(", ")),
        };
        self.wrong(span, format!("unknown {what} `{name}`"), Some(help));
    }

    /// Adds a mistake.
    fn wrong(&mut self, span: Span, message: String, help: Option<String>) {
        self.mistakes.push(Mistake { span, message, help });
    }
}
