//! `purlin.yaml`: which rules, their severities and parameters, what comes from elsewhere, exceptions.
//!
//! What it means; `policy_file` reads it.

mod admission;
mod pattern;

use crate::api::network::Network;
use crate::api::ports::Ports;
use crate::finding::Severity;
use crate::text::source::{SourceId, Span};
pub use admission::{Admission, Mode, RuleMode};
use jiff::civil::Date;
pub use pattern::Pattern;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

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
    /// A file, a folder, a kustomization or a chart, from the policy file's folder.
    pub path: String,
    /// Files of values for a chart, from the policy file's folder.
    pub values: Vec<String>,
    /// The name of a chart's release.
    pub release: Option<String>,
    /// The namespace of objects that name none.
    pub namespace: Option<String>,
    /// Its architecture document, from the policy file's folder.
    pub architecture: Option<String>,
}

/// A flow that is meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredFlow {
    /// Who begins, by name.
    pub from: String,
    /// Who is called, by name.
    pub to: String,
    /// On which ports; any, where none is listed.
    pub ports: Vec<Ports>,
    /// Its place in the policy file.
    pub span: Span,
}

/// What the user wants.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Where it was read from; `None` without a file.
    pub source: Option<SourceId>,
    /// What to check without paths.
    pub targets: Vec<Target>,
    /// Whether kustomizations may fetch what they include.
    pub allow_remote: bool,
    /// By rule.
    pub rules: BTreeMap<String, Setting>,
    /// What exists although the input does not hold it.
    pub external: Vec<Pattern>,
    /// What a change took out of the input: kind, namespace and name.
    pub gone: FxHashSet<(String, String, String)>,
    /// Namespaces that the input holds all of; `*` for the whole cluster.
    pub complete: Vec<String>,
    /// Findings that are accepted.
    pub exceptions: Vec<Exception>,
    /// The file of findings that are known, from the policy file's folder.
    pub baseline: Option<String>,
    /// Fingerprints of the findings that are known, where the webhook is to hold them back.
    pub known: FxHashSet<String>,
    /// What the webhook does with findings.
    pub admission: Admission,
    /// Who is meant to talk to whom; what is not listed is meant to be denied.
    pub flows: Vec<DeclaredFlow>,
    /// What enforces network policies, and where pods get their addresses.
    pub network: Network,
    /// Today, for exceptions that expire.
    pub today: Option<Date>,
}

impl Policy {
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

    /// Whether a change took this out of the input.
    pub fn is_gone(&self, kind: &str, namespace: &str, name: &str) -> bool {
        !self.gone.is_empty() && self.gone.contains(&(kind.into(), namespace.into(), name.into()))
    }

    /// Whether the user said that the input holds all of a namespace (`*`: of the cluster).
    pub fn is_complete(&self, namespace: &str) -> bool {
        self.complete.iter().any(|it| it == namespace || it == "*")
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
