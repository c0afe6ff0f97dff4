//! The rules of the presets `pod-security-…` find what Pod Security refuses, and nothing beside it.

use super::pods::pods;
use super::refused;
use crate::support::{load_texts, run, with_texts};
use purlin::analyze::security::pod::SecuredPod;
use purlin::analyze::security::standard::{Level, NEWEST};
use purlin::check::{Selection, check};
use purlin::model::Model;
use purlin::policy::Policy;
use purlin::policy_file;
use purlin::rule::{Place, Severity};
use purlin::rules::built_in;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The rules that say that a control fails; one of them has to.
fn rules_of(control: &str) -> &'static [&'static str] {
    match control {
        "allowPrivilegeEscalation" => &["privilege-escalation"],
        "appArmorProfile" => &["apparmor-disabled"],
        "capabilities_baseline" => &["capability-added"],
        "capabilities_restricted" => &["capability-added", "capabilities-kept"],
        "hostNamespaces" => &["host-namespace"],
        "hostPathVolumes" => &["host-path"],
        // In the network of the node all ports are the node's, and one rule says so.
        "hostPorts" => &["host-port", "host-namespace"],
        "hostProbesAndHostLifecycle" => &["probe-to-other-host"],
        "privileged" => &["privileged-container"],
        "procMount" | "procMount_restricted" => &["proc-unmasked"],
        "restrictedVolumes" => &["restricted-volume", "host-path"],
        "runAsNonRoot" | "runAsUser" => &["runs-as-root"],
        "seLinuxOptions" => &["selinux-override"],
        "seccompProfile_baseline" | "seccompProfile_restricted" => &["seccomp-missing"],
        "sysctls" => &["unsafe-sysctl"],
        "windowsHostProcess" => &["host-process"],
        other => panic!("{other} has no rule"),
    }
}

fn extending(preset: &str) -> Policy {
    let text = format!("apiVersion: purlin.dev/v1alpha1\nkind: Policy\nextends: {preset}\n");
    policy_file::read(&Arc::from(text.as_str()), built_in()).unwrap().value
}

/// The rules that find an error or a warning in each object, by its place.
fn found(model: &Model<'_>, preset: &str) -> BTreeMap<u32, BTreeSet<&'static str>> {
    let outcome = check(model, &extending(preset), &run(), &Selection::default());
    let mut found: BTreeMap<u32, BTreeSet<&'static str>> = BTreeMap::new();
    for finding in outcome.findings.iter().filter(|it| it.severity > Some(Severity::Note)) {
        let Place::Field { object, .. } = finding.labels[0].place else { continue };
        found.entry(object.0).or_default().insert(finding.rule);
    }
    found
}

#[test]
fn the_rules_of_a_preset_find_what_its_level_refuses() {
    let pods = pods(1, 2_000);
    let text: String = pods.iter().map(|it| format!("---\n{it}\n")).collect();
    let loaded = load_texts(&[("pods.yaml", &text)]);
    let model = Model::new(&loaded, "default");
    for (level, preset) in
        [(Level::Baseline, "pod-security-baseline"), (Level::Restricted, "pod-security-restricted")]
    {
        let found = found(&model, preset);
        let (mut refused_ones, none) = (0, BTreeSet::new());
        for object in model.objects() {
            let controls = refused(SecuredPod::new(object.root), level, NEWEST);
            let found = found.get(&object.id.0).unwrap_or(&none);
            let shown =
                || format!("{preset}: {controls:?}, {found:?}: {}", pods[object.id.0 as usize]);
            for control in &controls {
                assert!(rules_of(control).iter().any(|it| found.contains(it)), "{}", shown());
            }
            let mut possible: BTreeSet<_> =
                controls.iter().flat_map(|it| rules_of(it)).copied().collect();
            // The kubelet refuses root that `runAsNonRoot` rules out in a user namespace as well.
            if pods[object.id.0 as usize]["spec"]["hostUsers"] == false {
                possible.insert("runs-as-root");
            }
            assert!(found.is_subset(&possible), "{}", shown());
            refused_ones += usize::from(!controls.is_empty());
        }
        assert!((200..pods.len() - 100).contains(&refused_ones), "{refused_ones}");
    }
}

#[test]
fn recommended_asks_for_less_than_restricted() {
    let container = "containers: [{name: web, image: 'registry.example/web:1'}]";
    for (spec, rule) in [
        ("", "seccomp-missing"),
        ("", "capabilities-kept"),
        ("securityContext: {runAsUser: 1000}, ", "runs-as-root"),
        ("securityContext: {runAsUser: 1000}, ", "privilege-escalation"),
        ("volumes: [{name: a, nfs: {server: b, path: /c}}], ", "restricted-volume"),
    ] {
        let text = format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: web}}, spec: {{{spec}{container}}}}}"
        );
        let loaded = load_texts(&[("pod.yaml", &text)]);
        let model = Model::new(&loaded, "default");
        let has = |preset| found(&model, preset).values().any(|it| it.contains(rule));
        assert!(has("pod-security-restricted"), "{rule}");
        assert!(!has("recommended"), "{rule}");
    }
    // A profile that is switched off is found by all of them.
    let text = "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {securityContext: {seccompProfile: {type: Unconfined}}, containers: [{name: web, image: 'a:1'}]}}";
    with_texts(&[("pod.yaml", text)], &Selection::default(), |_, outcome| {
        assert!(outcome.findings.iter().any(|it| it.rule == "seccomp-missing"));
    });
}
