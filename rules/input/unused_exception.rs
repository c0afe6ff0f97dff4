//! Found by the check itself, which knows what each exception accepted.

use crate::rule::{Admission, Group, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "unused-exception",
    title: "an exception or ignore annotation accepts nothing",
    severity: Severity::Warning,
    group: Group::Input,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("unused_exception.md"),
    reads_images: None,
    checks: &[],
};
