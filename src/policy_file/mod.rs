//! Reads `purlin.yaml`, and says every mistake in it at its place.
//!
//! The types of `policy` say what it may hold; what only shows beside the list of rules, or once all of it is read, is
//! looked at here.

mod schema;

use crate::documents::{self, Read, closest};
use crate::load::read::mistake::Mistake;
use crate::policy::{OF_DEMANDS, Policy};
use crate::rule::RuleSet;
use crate::text::source::Span;
use crate::text::tree::Node;
pub use schema::schema;
use std::sync::Arc;

/// Reads a policy file about these rules.
///
/// # Errors
///
/// Every mistake in it, with its place.
pub fn read(text: &Arc<str>, rules: &RuleSet) -> Result<Read<Policy>, Vec<Mistake>> {
    documents::read(text, |root| {
        let mut mistakes = Vec::new();
        settings(root, rules, &mut mistakes);
        modes(root, rules, &mut mistakes);
        exemptions(root, rules, &mut mistakes);
        exceptions(root, rules, &mut mistakes);
        mistakes
    })
}

/// Rules that there are not, and parameters that they lack.
fn settings(root: Node<'_>, rules: &RuleSet, mistakes: &mut Vec<Mistake>) {
    for (key, setting) in root.get("rules").into_iter().flat_map(Node::entries) {
        let Some(rule) = key.str().and_then(|it| rules.find(it)) else {
            mistakes.push(unknown_rule(key, rules));
            continue;
        };
        let known = || rule.parameters.iter().map(|it| it.name).chain(["severity", "worlds"]);
        let keys = setting.entries().map(|(key, _)| key);
        for key in keys.filter(|key| !known().any(|it| key.str() == Some(it))) {
            mistakes.push(unknown(&format!("parameter of `{}`", rule.id), key, known()));
        }
        let parameters = setting
            .entries()
            .filter(|(key, _)| rule.parameters.iter().any(|it| key.str() == Some(it.name)));
        let items = parameters.flat_map(|(_, given)| given.items());
        let takes_mappings = rule.id == OF_DEMANDS;
        mistakes.extend(items.filter(|it| it.is_map() != takes_mappings).map(|it| Mistake {
            span: it.span(),
            message: format!(
                "`{}` takes {} here",
                rule.id,
                if takes_mappings { "mappings" } else { "plain values" }
            ),
            help: None,
        }));
    }
}

fn modes(root: Node<'_>, rules: &RuleSet, mistakes: &mut Vec<Mistake>) {
    let modes = root.at(&["admission", "rules"]).into_iter().flat_map(Node::entries);
    let unknown = modes.filter(|(key, _)| key.str().and_then(|it| rules.find(it)).is_none());
    mistakes.extend(unknown.map(|(key, _)| unknown_rule(key, rules)));
}

/// What makes an exemption one for some requests only.
const CONDITIONS: [&str; 5] = ["users", "groups", "serviceAccounts", "owners", "labels"];

fn exemptions(root: Node<'_>, rules: &RuleSet, mistakes: &mut Vec<Mistake>) {
    for exemption in root.get("admission").into_iter().flat_map(|it| it.list("exempt")) {
        let named = exemption.list("rules").filter(|it| it.str().is_some());
        let unknown = named.filter(|it| it.str().and_then(|it| rules.find(it)).is_none());
        mistakes.extend(unknown.map(|it| unknown_rule(it, rules)));
        let is_given = |it: &&str| exemption.get(it).is_some_and(|it| it.count() > 0);
        if exemption.is_map() && !CONDITIONS.iter().any(is_given) {
            let help = Some(format!("name at least one of {}", CONDITIONS.join(", ")));
            let message = "this exempts every request".into();
            mistakes.push(Mistake { span: exemption.span(), message, help });
        }
    }
}

fn exceptions(root: Node<'_>, rules: &RuleSet, mistakes: &mut Vec<Mistake>) {
    let named = root.list("exceptions").filter_map(|it| it.get("rule"));
    let unknown = named.filter(|it| {
        it.str().is_some_and(|it| it != "*" && !it.trim().is_empty() && rules.find(it).is_none())
    });
    mistakes.extend(unknown.map(|it| unknown_rule(it, rules)));
}

fn unknown_rule(name: Node<'_>, rules: &RuleSet) -> Mistake {
    unknown("rule", name, rules.ids())
}

fn unknown<'k>(what: &str, name: Node<'_>, known: impl IntoIterator<Item = &'k str>) -> Mistake {
    let (text, span): (_, Span) = (name.scalar().unwrap_or_default(), name.span());
    let help = closest(&text, known).map(|it| format!("did you mean `{it}`?"));
    Mistake { span, message: format!("unknown {what} `{text}`"), help }
}
