//! Documents that kubectl could not read.

use crate::load::Lost;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Place, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "invalid-yaml",
    title: "a document does not parse",
    severity: Severity::Error,
    group: Group::Input,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("invalid_yaml.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for broken in cx.model.broken {
        let place = Place::Text { source: broken.source, span: broken.span };
        let mut finding = Finding::new(broken.message.clone(), place, "");
        if broken.lost != Lost::Nothing {
            finding = finding.note(
                "the document is left out, so nothing that may depend on it is reported as missing",
            );
        }
        if let Some(help) = &broken.help {
            finding = finding.help(help.clone());
        }
        out.find(finding);
    }
}
