//! The reference architectures: what purlin must say of each as documented, of its repair, and of every way to break it.

mod architecture;
pub(crate) mod breaks;
mod expected;
mod flows;
mod repairs;
mod tables;

use crate::support::{fixture, load_paths, snapshot, with_loaded};
use purlin::check::{Outcome, Selection};
use purlin::load::{Loaded, load_texts};
use purlin::model::Model;
use purlin::policy::Policy;
use purlin::report::human::{self, Extent, Style};
use purlin::rule::{Finding, Group, Place, Severity};
use purlin::rules;
use std::sync::Arc;

/// The repaired worlds, each without an error or a warning.
pub(crate) const REPAIRED: [&str; 7] = [
    "driveline/repaired",
    "feastflow/repaired",
    "healthcare-cloud/repaired.rendered/local",
    "healthcare-cloud/repaired.rendered/production",
    "healthcare-cloud/repaired.rendered/staging",
    "healthcare-onprem/repaired",
    "yt-video-creator/repaired",
];

#[test]
fn repaired_systems_have_no_error_and_no_warning() {
    for world in REPAIRED {
        let found = with_world(&texts(world), |model, outcome| {
            let bad = outcome.findings.iter().filter(|it| is_bad(it));
            bad.map(|it| describe(model, it)).collect::<Vec<_>>()
        });
        assert!(found.is_empty(), "{world}:\n{}", found.join("\n"));
    }
}

/// The worlds that are not repaired.
pub(crate) const OTHERS: [&str; 15] = [
    "driveline/as-documented",
    "driveline/variants/credentials-of-the-image",
    "feastflow/as-documented",
    "feastflow/variants/default-addresses",
    "feastflow/variants/drawn-databases",
    "feastflow/variants/drawn-ingress",
    "healthcare-cloud/as-documented.rendered/local",
    "healthcare-cloud/as-documented.rendered/production",
    "healthcare-cloud/as-documented.rendered/staging",
    "healthcare-cloud/variants.rendered/health-checks-on-the-api-port",
    "healthcare-cloud/variants.rendered/local-one-redis",
    "healthcare-onprem/as-documented",
    "healthcare-onprem/variants/without-toleration",
    "yt-video-creator/as-documented",
    "yt-video-creator/variants/api-max-50",
];

#[test]
fn reports_read_as_they_should() {
    for world in REPAIRED.iter().chain(&OTHERS) {
        let drawn = with_world(&texts(world), |model, outcome| {
            human::render(
                model,
                outcome,
                Style { width: 100, colour: false, extent: Extent::Folded },
            )
        });
        snapshot(&fixture(&format!("systems/{world}.out")), &drawn);
    }
}

/// The texts of a world, by file name.
pub(crate) fn texts(world: &str) -> Vec<(String, Arc<str>)> {
    let loaded: Loaded = load_paths(&[fixture(&format!("systems/{world}"))]);
    let prefix = format!("fixtures/systems/{world}/");
    let name = |it: &str| it.strip_prefix(&prefix).unwrap_or(it).to_string();
    loaded.sources.iter().map(|(_, it)| (name(&it.name), it.text.clone())).collect()
}

/// Runs every rule over a world.
fn with_world<T>(texts: &[(String, Arc<str>)], then: impl FnOnce(&Model<'_>, &Outcome) -> T) -> T {
    let loaded = load_texts(texts.to_vec());
    with_loaded(&loaded, &Policy::default(), &Selection::default(), then)
}

pub(crate) fn is_bad(finding: &Finding) -> bool {
    finding.severity >= Some(Severity::Warning)
}

/// Whether a finding is of a rule that looks at one object alone; the systems are about what lies across.
pub(crate) fn is_of_one_object(finding: &Finding) -> bool {
    rules::built_in().find(finding.rule).is_some_and(|it| it.group == Group::Object)
}

/// The objects that a finding names, as text.
fn objects(model: &Model<'_>, finding: &Finding) -> Vec<String> {
    let places = finding.labels.iter().map(|it| &it.place);
    places
        .filter_map(|it| match it {
            Place::Field { object, .. } => Some(model.object(*object).to_string()),
            Place::Text { .. } => None,
        })
        .collect()
}

fn describe(model: &Model<'_>, finding: &Finding) -> String {
    format!(
        "{}: {} ({})\n    {}\n    {}",
        finding.rule,
        finding.message,
        objects(model, finding).join(", "),
        finding.notes.join("\n    "),
        finding.help.as_deref().unwrap_or_default()
    )
}
