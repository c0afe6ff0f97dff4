//! What the webhook does with findings: the modes of rules and namespaces.

use jiff::SignedDuration;
use std::collections::BTreeMap;

/// How far the webhook goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Findings go to metrics and reports; the user is told nothing.
    Audit,
    /// The user is warned.
    Warn,
    /// What contradicts is denied, and of what is absent the user is warned.
    #[default]
    Enforce,
}

impl Mode {
    /// All of them, the mildest first.
    pub const ALL: [Mode; 3] = [Mode::Audit, Mode::Warn, Mode::Enforce];

    /// As the policy writes it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Audit => "audit",
            Mode::Warn => "warn",
            Mode::Enforce => "enforce",
        }
    }

    /// The mode of this name.
    pub fn parse(name: &str) -> Option<Mode> {
        Mode::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// The modes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// Where nothing else is said.
    pub mode: Mode,
    /// For how long after its creation an object may lack what is deployed with it; absences that an update makes later
    /// are denied. Without it they never are.
    pub grace: Option<SignedDuration>,
    /// By rule.
    pub rules: BTreeMap<String, RuleMode>,
    /// By namespace; `*` in a name stands for anything, and the first that fits counts.
    pub namespaces: Vec<(String, Mode)>,
}

/// What is said of one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleMode {
    /// Its mode.
    pub mode: Option<Mode>,
    /// Its grace period.
    pub grace: Option<SignedDuration>,
}

impl Admission {
    /// The mode of a rule in a namespace: the milder of what is said of either, else the default.
    pub fn mode(&self, rule: &str, namespace: &str) -> Mode {
        let rule = self.rules.get(rule).and_then(|it| it.mode);
        let namespace = self.namespaces.iter().find(|(it, _)| fits(it, namespace)).map(|it| it.1);
        match (rule, namespace) {
            (Some(rule), Some(namespace)) => rule.min(namespace),
            (rule, namespace) => rule.or(namespace).unwrap_or(self.mode),
        }
    }

    /// The grace period of a rule.
    pub fn grace(&self, rule: &str) -> Option<SignedDuration> {
        self.rules.get(rule).and_then(|it| it.grace).or(self.grace)
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => name.strip_prefix(start).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| fits(end, &rest[at..]))
        }),
    }
}
