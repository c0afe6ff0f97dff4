//! The section `admission` of a policy file: how far the webhook goes, by rule and by namespace.

use super::Reader;
use crate::policy::{Admission, Mode, RuleMode, closest};
use crate::rules;
use crate::text::tree::Node;
use jiff::SignedDuration;

const MODES: [&str; 3] = ["audit", "warn", "enforce"];

impl Reader {
    pub(super) fn admission(&mut self, node: Node<'_>) -> Admission {
        let mut admission = Admission::default();
        if !self.is_map(node, "`admission`") {
            return admission;
        }
        self.known_fields(node, &["mode", "grace", "rules", "namespaces"]);
        if let Some(mode) = node.get("mode").and_then(|it| self.mode(it)) {
            admission.mode = mode;
        }
        admission.grace = node.get("grace").and_then(|it| self.grace(it));
        if let Some(rules) = node.get("rules").filter(|it| self.is_map(*it, "`rules`")) {
            self.modes_of_rules(rules, &mut admission);
        }
        if let Some(namespaces) =
            node.get("namespaces").filter(|it| self.is_map(*it, "`namespaces`"))
        {
            for (key, value) in namespaces.entries() {
                let name = key.scalar().unwrap_or_default().into_owned();
                admission.namespaces.extend(self.mode(value).map(|it| (name, it)));
            }
        }
        admission
    }

    fn modes_of_rules(&mut self, node: Node<'_>, admission: &mut Admission) {
        for (key, value) in node.entries() {
            let name = key.str().unwrap_or_default();
            if rules::find(name).is_none() {
                self.unknown("rule", name, key.span(), rules::RULES.iter().map(|it| it.id));
                continue;
            }
            let said = if value.is_map() {
                self.known_fields(value, &["mode", "grace"]);
                RuleMode {
                    mode: value.get("mode").and_then(|it| self.mode(it)),
                    grace: value.get("grace").and_then(|it| self.grace(it)),
                }
            } else {
                RuleMode { mode: self.mode(value), grace: None }
            };
            admission.rules.insert(name.to_string(), said);
        }
    }

    fn mode(&mut self, node: Node<'_>) -> Option<Mode> {
        let mode = node.str().and_then(Mode::parse);
        match (mode, node.str()) {
            (Some(_), _) => {}
            // What denies is called so in the list of rules.
            (None, Some("deny")) => {
                let help = Some("did you mean `enforce`?".into());
                self.wrong(node.span(), "unknown mode `deny`".into(), help);
            }
            (None, Some(text)) => {
                let help = closest(text, MODES)
                    .map_or("known are audit, warn, enforce".into(), |it| {
                        format!("did you mean `{it}`?")
                    });
                self.wrong(node.span(), format!("unknown mode `{text}`"), Some(help));
            }
            (None, None) => {
                let message =
                    format!("a mode is audit, warn or enforce, and this is {}", node.kind());
                self.wrong(node.span(), message, None);
            }
        }
        mode
    }

    fn grace(&mut self, node: Node<'_>) -> Option<SignedDuration> {
        let grace = node.str().and_then(|it| it.parse::<SignedDuration>().ok());
        let grace = grace.filter(|it| !it.is_negative());
        if grace.is_none() {
            let message = "not a duration: `grace` is written as 10m or 1h30m".into();
            self.wrong(node.span(), message, None);
        }
        grace
    }
}
