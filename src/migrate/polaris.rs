//! The configuration of Polaris: severities by check, exemptions by controller.
//!
//! `FairwindsOps/polaris`, pkg/config/config.go and its documentation of exemptions.

use super::draft::Draft;
use crate::finding::Severity;
use crate::text::tree::Node;

const TOOL: &str = "polaris";

/// Fields that say how Polaris looks, not what it finds.
const OF_LOOKS: [&str; 1] = ["displayName"];

pub(super) fn draft(root: Node<'_>) -> Draft {
    let mut draft = Draft::new(TOOL);
    let checks = || root.get("checks").into_iter().flat_map(Node::pairs);
    for (check, level) in checks() {
        let severity = match level.str() {
            Some("danger" | "error") => Severity::Error,
            Some("warning") => Severity::Warning,
            _ => continue,
        };
        set(&mut draft, check, severity);
    }
    // What one check switches off another may have on.
    for (check, _) in checks().filter(|(_, level)| level.str() == Some("ignore")) {
        draft.switch_off(check);
    }
    for exemption in root.list("exemptions") {
        exempt(exemption, &mut draft);
    }
    for (name, _) in root.get("customChecks").into_iter().flat_map(Node::pairs) {
        draft.has_no_equal(format!("the check `{name}`"), "rules of one's own are not read yet");
    }
    let known = ["checks", "exemptions", "customChecks"];
    for (key, value) in root.pairs() {
        let is_off = value.bool() == Some(false) || value.count() == 0 && value.scalar().is_none();
        if !known.contains(&key) && !OF_LOOKS.contains(&key) && !is_off {
            draft.has_no_equal(format!("`{key}`"), "no field of purlin.yaml says so");
        }
    }
    draft
}

/// Switches a check on, with what it asks for beyond the rule's own defaults.
fn set(draft: &mut Draft, check: &str, severity: Severity) {
    draft.set(check, severity);
    match check {
        "pullPolicyNotAlways" => draft.parameter("image-pull-policy", "always", "true".into()),
        "cpuRequestsMissing" => draft.item("requests-missing", "resources", "cpu"),
        "memoryRequestsMissing" => draft.item("requests-missing", "resources", "memory"),
        "cpuLimitsMissing" => draft.item("limits-missing", "resources", "cpu"),
        "memoryLimitsMissing" => draft.item("limits-missing", "resources", "memory"),
        _ => {}
    }
}

fn exempt(exemption: Node<'_>, draft: &mut Draft) {
    let namespace = exemption.text("namespace").filter(|it| !it.is_empty()).unwrap_or("*");
    let names = |key: &str| exemption.list(key).filter_map(Node::str).collect::<Vec<_>>();
    let (controllers, checks) = (names("controllerNames"), names("rules"));
    if !names("containerNames").is_empty() {
        draft.has_no_equal(
            "`containerNames` of an exemption",
            "an exception is for a whole object, so it accepts other containers too",
        );
    }
    // A name stands for all that begin with it.
    let objects = match controllers.is_empty() {
        true => vec![format!("*/{namespace}/*")],
        false => controllers.iter().map(|it| format!("*/{namespace}/{it}*")).collect(),
    };
    for object in objects {
        if checks.is_empty() {
            draft.exception("*", object);
            continue;
        }
        for check in &checks {
            let rules = draft.rules_of(check);
            rules.iter().for_each(|it| draft.exception(it.id, object.clone()));
        }
    }
    for check in checks {
        if draft.rules_of(check).is_empty() {
            draft.has_no_equal(format!("an exemption from `{check}`"), "no rule covers it");
        }
    }
}
