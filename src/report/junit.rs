//! JUnit XML: a test case for each rule that was run, failed by each of its findings.

use super::place::Spot;
use super::{place, text};
use crate::check::Outcome;
use crate::check::locate::Locator;
use crate::load::files::Failure;
use crate::model::Model;
use crate::rule::Finding;
use crate::text::visible::visible;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// The report as XML.
pub fn render(model: &Model<'_>, outcome: &Outcome) -> String {
    let locator = Locator::new(model);
    let mut suite = TestSuite::new("purlin");
    for rule in &outcome.rules {
        let findings: Vec<_> = outcome.findings.iter().filter(|it| it.rule == *rule).collect();
        if findings.is_empty() {
            let mut case = TestCase::new(*rule, TestCaseStatus::success());
            case.set_classname(*rule);
            suite.add_test_case(case);
        }
        suite.add_test_cases(findings.into_iter().map(|it| {
            let world = place::worlds(outcome, &it.worlds);
            case(model, &locator, it, world)
        }));
    }
    suite.add_test_cases(model.loaded.failures.iter().map(not_done));
    let mut report = Report::new("purlin");
    report.add_test_suite(suite);
    let mut text = report.to_string().expect("a report in memory can be written");
    text.push('\n');
    text
}

/// What could not be read or rendered is neither right nor wrong.
fn not_done(failure: &Failure) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(shown(&failure.to_string()));
    let mut case = TestCase::new(visible(&failure.path), status);
    case.set_classname("purlin");
    case
}

fn case(
    model: &Model<'_>,
    locator: &Locator<'_, '_>,
    finding: &Finding,
    world: Option<String>,
) -> TestCase {
    let places: Vec<_> = finding
        .labels
        .iter()
        .map(|label| {
            let spot = place::spot(model, locator, &label.place);
            // Of a cluster that is the place itself.
            let field = place::field(locator, label).filter(|_| !matches!(spot, Spot::Live(_)));
            let field = field.map(|it| format!(" ({})", visible(&it))).unwrap_or_default();
            format!("{}{field}: {}", spot.to_text(), label.text)
        })
        .collect();
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(shown(&finding.message));
    status.set_type(finding.severity.map_or("error", |it| it.name()));
    let world = world.map(|it| format!("\nworld: {it}")).unwrap_or_default();
    let text = text::paragraphs(finding);
    status.set_description(shown(&format!("{}\n{text}{world}", places.join("\n"))));
    let about = locator.object(&finding.labels[0].place).map(|it| model.object(it).to_string());
    let about =
        about.unwrap_or_else(|| place::spot(model, locator, &finding.labels[0].place).to_text());
    let mut case = TestCase::new(visible(&format!("{}: {about}", finding.rule)), status);
    case.set_classname(finding.rule);
    case
}

/// Lines of text without the characters that XML has none for.
fn shown(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}
