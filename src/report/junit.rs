//! JUnit XML: a test case for each rule that was run, failed by each of its findings.

use super::text;
use crate::check::Outcome;
use crate::locate::Locator;
use crate::model::Model;
use crate::rule::Finding;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// The report as XML.
pub fn render(model: &Model<'_>, outcome: &Outcome) -> String {
    let locator = Locator::new(model);
    let mut suite = TestSuite::new("purlin");
    for rule in &outcome.rules {
        let findings: Vec<_> = outcome.findings.iter().filter(|it| it.rule == *rule).collect();
        if findings.is_empty() {
            suite.add_test_case(TestCase::new(*rule, TestCaseStatus::success()));
        }
        suite.add_test_cases(findings.into_iter().map(|it| case(model, &locator, it)));
    }
    let mut report = Report::new("purlin");
    report.add_test_suite(suite);
    let mut text = report.to_string().expect("a report in memory can be written");
    text.push('\n');
    text
}

fn case(model: &Model<'_>, locator: &Locator<'_, '_>, finding: &Finding) -> TestCase {
    let places: Vec<_> = finding
        .labels
        .iter()
        .map(|label| {
            let at = locator.locate(&label.place);
            let source = model.loaded.sources.get(at.source);
            format!("{}:{}: {}", source.name, source.position(at.span.start), label.text)
        })
        .collect();
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(finding.message.clone());
    status.set_type(finding.severity.map_or("error", |it| it.name()));
    status.set_description(format!("{}\n{}", places.join("\n"), text::paragraphs(finding)));
    TestCase::new(finding.rule, status)
}
