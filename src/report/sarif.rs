//! SARIF 2.1.0, for code scanning: rules with their pages, findings with all their places and fingerprints.

use super::fingerprint::fingerprints;
use super::text;
use crate::check::Outcome;
use crate::locate::Locator;
use crate::model::Model;
use crate::rule::{Finding, Label, Rule, Severity};
use crate::rules::RULES;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Sarif<'r> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'r>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'r> {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<SarifResult<'r>>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<ReportingDescriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportingDescriptor {
    id: &'static str,
    short_description: Message,
    full_description: Message,
    help: Help,
    default_configuration: Configuration,
    properties: Properties,
}

#[derive(Serialize)]
struct Help {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Properties {
    tags: [&'static str; 2],
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'r> {
    rule_id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

/// The report as indented JSON.
pub fn render(model: &Model<'_>, outcome: &Outcome) -> String {
    let locator = Locator::new(model);
    let results = outcome
        .findings
        .iter()
        .zip(fingerprints(model, &outcome.findings))
        .map(|(it, fingerprint)| result(model, &locator, it, fingerprint))
        .collect();
    let rules = RULES.iter().copied().map(descriptor).collect();
    let driver = Driver { name: "purlin", semantic_version: env!("CARGO_PKG_VERSION"), rules };
    let run = Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results };
    let sarif = Sarif {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [run],
    };
    let mut text = serde_json::to_string_pretty(&sarif)
        .expect("the report holds nothing that JSON cannot say");
    text.push('\n');
    text
}

fn descriptor(rule: &'static Rule) -> ReportingDescriptor {
    ReportingDescriptor {
        id: rule.id,
        short_description: Message { text: rule.title.to_string() },
        full_description: Message {
            text: rule.page.lines().next().unwrap_or_default().to_string(),
        },
        help: Help { text: rule.page, markdown: rule.page },
        default_configuration: Configuration { level: rule.severity.name() },
        properties: Properties { tags: ["kubernetes", rule.group.name()] },
    }
}

fn result<'r>(
    model: &Model<'_>,
    locator: &Locator<'_, '_>,
    finding: &'r Finding,
    fingerprint: String,
) -> SarifResult<'r> {
    let mut labels = finding.labels.iter();
    let primary = labels.next().map(|it| location(model, locator, None, it));
    let related =
        labels.enumerate().map(|(at, it)| location(model, locator, Some(at + 1), it)).collect();
    SarifResult {
        rule_id: finding.rule,
        rule_index: RULES.iter().position(|it| it.id == finding.rule),
        level: finding.severity.unwrap_or(Severity::Error).name(),
        message: Message { text: text::paragraphs(finding) },
        locations: primary.into_iter().collect(),
        related_locations: related,
        partial_fingerprints: BTreeMap::from([("purlin/v1", fingerprint)]),
    }
}

fn location(
    model: &Model<'_>,
    locator: &Locator<'_, '_>,
    id: Option<usize>,
    label: &Label,
) -> Location {
    let at = locator.locate(&label.place);
    let source = model.loaded.sources.get(at.source);
    let (start, end) = (source.position(at.span.start), source.position(at.span.end));
    let region = Region {
        start_line: start.line,
        start_column: start.column,
        end_line: end.line,
        end_column: end.column,
    };
    let artifact_location = ArtifactLocation { uri: uri(&source.name) };
    let message = (!label.text.is_empty()).then(|| Message { text: label.text.clone() });
    Location { id, physical_location: PhysicalLocation { artifact_location, region }, message }
}

/// A path as a URI reference: everything but unreserved characters and slashes is escaped.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte as char)
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
