//! `purlin.yaml`: which rules, their severities and parameters, what comes from elsewhere, exceptions.
//!
//! What it means; `policy_file` reads it.

mod pattern;

use crate::finding::Severity;
use crate::source::{SourceId, Span};
use jiff::civil::Date;
pub use pattern::Pattern;
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
    /// A file or folder, from the policy file's folder.
    pub path: String,
    /// Its architecture document, from the policy file's folder.
    pub architecture: Option<String>,
}

/// What enforces network policies, where that makes a difference to what they mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plugin {
    /// None in particular: what differs between them is undefined.
    #[default]
    Generic,
    /// Project Calico.
    Calico,
    /// Cilium.
    Cilium,
    /// Antrea.
    Antrea,
    /// OVN-Kubernetes.
    OvnKubernetes,
    /// The Amazon VPC plugin with its policy agent.
    AwsVpc,
}

impl Plugin {
    /// All of them.
    pub const ALL: [Plugin; 6] = [
        Plugin::Generic,
        Plugin::Calico,
        Plugin::Cilium,
        Plugin::Antrea,
        Plugin::OvnKubernetes,
        Plugin::AwsVpc,
    ];

    /// As the policy writes it.
    pub fn name(self) -> &'static str {
        match self {
            Plugin::Generic => "generic",
            Plugin::Calico => "calico",
            Plugin::Cilium => "cilium",
            Plugin::Antrea => "antrea",
            Plugin::OvnKubernetes => "ovn-kubernetes",
            Plugin::AwsVpc => "aws-vpc",
        }
    }

    /// The plugin of this name.
    pub fn parse(name: &str) -> Option<Plugin> {
        Plugin::ALL.into_iter().find(|it| it.name() == name)
    }
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
    /// What enforces network policies.
    pub plugin: Plugin,
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
