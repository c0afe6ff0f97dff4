//! Found by the check itself, which knows what each exception accepted.

use crate::rule::{Admission, Group, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "expired-exception",
    title: "an exception is past its date",
    severity: Severity::Warning,
    group: Group::Input,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("expired_exception.md"),
    reads_images: None,
    checks: &[],
};
