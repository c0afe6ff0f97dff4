//! Containers that keep the capabilities that runtimes give.

use super::super::pods;
use crate::analyze::security::controls::identity::kept_capabilities;
use crate::analyze::security::pod::SecuredPod;
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Parameter, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "capabilities-kept",
    title: "a container keeps the capabilities of the runtime",
    severity: Severity::Warning,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Strict, Preset::PodSecurityRestricted],
    reads: &[],
    like: &[
        "kube-linter:drop-net-raw-capability",
        "polaris:insecureCapabilities",
        "polaris:linuxHardening",
        "kyverno:require-drop-all",
        "kyverno:require-drop-cap-net-raw",
    ],
    parameters: &[
        pods::NAMESPACES,
        Parameter {
            name: "drop",
            about: "capabilities that containers have to drop",
            default: &["ALL"],
        },
    ],
    page: include_str!("capabilities_kept.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let pod = SecuredPod::new(workload.template);
    if pod.is_windows() {
        return;
    }
    let wanted = cx.parameter("drop");
    let faults = pods::judged(cx, workload, kept_capabilities(pod, &wanted));
    if !faults.is_empty() {
        let listed = wanted.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
        let does = [format!("does not drop {listed}"), format!("do not drop {listed}")];
        let finding = pods::finding(cx, workload, &faults, [&does[0], &does[1]]);
        out.find(
            finding
                .note("runtimes give 14 capabilities to each container, `NET_RAW` and `DAC_OVERRIDE` among them, and most programs use none")
                .help(format!(
                    "set `capabilities: {{drop: [{}]}}`, and add back what the program needs",
                    wanted.join(", ")
                )),
        );
    }
}
