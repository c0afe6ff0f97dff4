//! A version of Kubernetes that gets no fixes any more.

use crate::architecture::statements::Provider;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use jiff::civil::Date;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "architecture-version-unsupported",
    title: "the version of Kubernetes gets no fixes any more",
    severity: Severity::Warning,
    group: Group::Architecture,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("architecture_version_unsupported.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// By minor version from 1.19 on, the last day of support (kubernetes.io/releases, `endOfLifeDate` of
/// `data/releases/schedule.yaml` and `eol.yaml`).
const LAST_DAYS: [(u32, &str); 17] = [
    (19, "2021-10-28"),
    (20, "2022-02-28"),
    (21, "2022-06-28"),
    (22, "2022-10-28"),
    (23, "2023-02-28"),
    (24, "2023-07-28"),
    (25, "2023-10-28"),
    (26, "2024-02-28"),
    (27, "2024-06-28"),
    (28, "2024-10-28"),
    (29, "2025-02-28"),
    (30, "2025-06-28"),
    (31, "2025-10-28"),
    (32, "2026-02-28"),
    (33, "2026-06-28"),
    (34, "2026-10-27"),
    (35, "2027-02-28"),
];

/// The same of Amazon's extended support, where it is longer.
const LAST_DAYS_OF_EKS: [(u32, &str); 6] = [
    (28, "2025-11-26"),
    (29, "2026-03-23"),
    (30, "2026-07-23"),
    (31, "2026-11-26"),
    (32, "2027-03-23"),
    (33, "2027-07-29"),
];

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let Some(promise) = cx.stated() else { return };
    let cluster = &promise.value.cluster;
    let Some(version) = &cluster.kubernetes_version else { return };
    let Some(at) = promise.at(&["cluster", "kubernetesVersion"]) else { return };
    let Some(today) = promise.value.metadata.date.or(cx.run.today) else { return };
    let mut parts = version.0.trim_start_matches('v').split('.');
    let (Some("1"), Some(minor)) = (parts.next(), parts.next()) else { return };
    let Ok(minor) = minor.parse::<u32>() else { return };
    let of = |known: &[(u32, &'static str)]| known.iter().find(|it| it.0 == minor).map(|it| it.1);
    let extended = of(&LAST_DAYS_OF_EKS).filter(|_| cluster.provider == Some(Provider::Eks));
    let oldest = (minor < LAST_DAYS[0].0).then_some("2021-10-27");
    let Some(last) = extended.or(of(&LAST_DAYS)).or(oldest) else { return };
    let Ok(day) = last.parse::<Date>() else { return };
    if today <= day {
        return;
    }
    let supported = LAST_DAYS.iter().find(|it| it.1.parse::<Date>().is_ok_and(|it| today <= it));
    let by = match extended {
        Some(_) => "Amazon's extended support",
        None => "the support",
    };
    let message = format!("Kubernetes 1.{minor} gets no fixes since {last}");
    let mut finding = Finding::new(message, promise.place(cx.model, at), "no fixes any more")
        .note(format!("{by} of 1.{minor} ended on {last}, before {today}"));
    if let Some(date) = promise.at(&["metadata", "date"]) {
        finding = finding.label(promise.place(cx.model, date), "the day of the document");
    }
    if let Some((minor, last)) = supported {
        finding =
            finding.help(format!("plan with 1.{minor} or newer, which is supported until {last}"));
    }
    out.find(finding);
}
