//! A recovery that takes longer than the promised availability allows to be down.

use crate::architecture::time::Duration;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "architecture-recovery-against-availability",
    title: "one recovery takes longer than the promised availability allows",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("architecture_recovery_against_availability.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// The month that availability is usually counted in.
const MONTH: u64 = 30 * 24 * 60 * 60 * 1000;

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let Some(promise) = cx.stated() else { return };
    let all = || promise.value.objectives.iter().zip(promise.root().list("objectives"));
    let availability =
        all().filter_map(|(it, node)| Some((it.availability?, node.get("availability")?)));
    let Some((availability, of)) = availability.max_by_key(|it| it.0.0) else { return };
    let allowed = Duration(MONTH / 100_000 * u64::from(100_000 - availability.0));
    for (it, node) in all() {
        let Some((recovery, at)) = it.recovery.zip(node.get("recovery")) else { continue };
        if recovery <= allowed {
            continue;
        }
        let share = of.scalar().unwrap_or_default();
        let message =
            format!("a recovery may take {recovery}, and {share} allow {allowed} a month");
        out.find(
            Finding::new(message, promise.place(cx.model, at), format!("{recovery} here"))
                .label(promise.place(cx.model, of), format!("{allowed} in 30 days"))
                .note(format!(
                    "30 days × (100% − {share}) = {allowed}: one disaster breaks the promise"
                ))
                .help(format!("recover within {allowed}, or promise less")),
        );
    }
}
