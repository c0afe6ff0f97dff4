//! SARIF 2.1.0, for code scanning: rules with their pages, findings with all their places and fingerprints.

use super::escaped::escaped;
use super::place::{self, Spot};
use super::repository::{Name, Repository};
use super::text;
use crate::check::Outcome;
use crate::check::locate::Locator;
use crate::finding::{Finding, Label, Severity, Unknown};
use crate::load::files::Failure;
use crate::model::Model;
use crate::rule::Rule;
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invocations: Vec<Invocation<'r>>,
    results: Vec<SarifResult<'r>>,
}

/// Told where something could not be done, or cannot be told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'r> {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification<'r>>,
}

/// What could not be read or rendered; or a question. A result of the kind `open` would say the latter, and code scanning
/// would show an alert for each.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notification<'r> {
    level: &'static str,
    message: Message,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    associated_rule: Option<AssociatedRule<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<NotificationProperties<'r>>,
}

#[derive(Serialize)]
struct AssociatedRule<'r> {
    id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
}

#[derive(Serialize)]
struct NotificationProperties<'r> {
    fingerprint: &'r str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    worlds: Vec<&'r str>,
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
    #[serde(skip_serializing_if = "str::is_empty")]
    information_uri: &'static str,
    rules: Vec<ReportingDescriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportingDescriptor {
    id: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<String>,
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
    /// GitHub's code scanning sorts by it.
    #[serde(rename = "problem.severity")]
    problem_severity: &'static str,
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
    partial_fingerprints: BTreeMap<&'static str, &'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<ResultProperties<'r>>,
}

#[derive(Serialize)]
struct ResultProperties<'r> {
    worlds: Vec<&'r str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<PhysicalLocation>,
    /// The object and the field, whether there is a file or, as of a cluster, none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
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

/// Where this project lives, as Cargo.toml says; empty where it does not.
const HOME: &str = env!("CARGO_PKG_REPOSITORY");

/// More related locations than these are left out: code scanning refuses a report with more than a thousand.
const MOST_RELATED: usize = 100;

/// The report as indented JSON, with the names of files that a code host knows them by.
pub fn render(model: &Model<'_>, outcome: &Outcome, repository: &Repository) -> String {
    let locator = Locator::new(model);
    let cx = Cx { model, locator: &locator, repository };
    let results = outcome.findings.iter().map(|it| result(&cx, it, outcome)).collect();
    let rules = outcome.rule_set.iter().map(descriptor).collect();
    let semantic_version = env!("CARGO_PKG_VERSION");
    let driver = Driver { name: "purlin", semantic_version, information_uri: HOME, rules };
    let failures = model.loaded.failures.iter().map(not_done);
    let questions = outcome.unknown.iter().map(|it| question(&cx, it, outcome));
    let notifications: Vec<_> = failures.chain(questions).collect();
    let invocation = (!notifications.is_empty()).then_some(Invocation {
        execution_successful: model.loaded.failures.is_empty(),
        tool_execution_notifications: notifications,
    });
    let run = Run {
        tool: Tool { driver },
        column_kind: "unicodeCodePoints",
        invocations: invocation.into_iter().collect(),
        results,
    };
    let sarif = Sarif {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [run],
    };
    let text = serde_json::to_string_pretty(&sarif)
        .expect("the report holds nothing that JSON cannot say");
    escaped(text) + "\n"
}

fn not_done<'r>(failure: &Failure) -> Notification<'r> {
    Notification {
        level: "error",
        message: Message { text: failure.to_string() },
        locations: Vec::new(),
        associated_rule: None,
        properties: None,
    }
}

fn question<'r>(cx: &Cx<'_, '_>, it: &'r Unknown, outcome: &'r Outcome) -> Notification<'r> {
    let object = cx.model.object(it.object);
    let worlds = place::names(outcome, &it.worlds);
    Notification {
        level: "note",
        message: Message { text: format!("cannot tell: {}", it.missing) },
        locations: vec![location(cx, None, &Label::at(object.whole()))],
        associated_rule: Some(AssociatedRule {
            id: it.rule,
            index: outcome.rule_set.position(it.rule),
        }),
        properties: Some(NotificationProperties { fingerprint: &it.fingerprint, worlds }),
    }
}

fn descriptor(rule: &'static Rule) -> ReportingDescriptor {
    ReportingDescriptor {
        id: rule.id,
        name: pascal_case(rule.id),
        help_uri: help_uri(HOME, rule),
        short_description: Message { text: rule.title.to_string() },
        full_description: Message {
            text: rule.page.lines().next().unwrap_or_default().to_string(),
        },
        help: Help { text: rule.page, markdown: rule.page },
        default_configuration: Configuration { level: rule.severity.name() },
        properties: Properties {
            tags: ["kubernetes", rule.group.name()],
            problem_severity: match rule.severity {
                Severity::Note => "recommendation",
                severity => severity.name(),
            },
        },
    }
}

fn pascal_case(id: &str) -> String {
    let words = id.split('-').map(|it| it[..1].to_uppercase() + &it[1..]);
    words.collect()
}

/// The page of a rule in the sources of this version.
fn help_uri(home: &str, rule: &Rule) -> Option<String> {
    let (group, page) = (rule.group.name(), rule.id.replace('-', "_"));
    let version = env!("CARGO_PKG_VERSION");
    (!home.is_empty()).then(|| format!("{home}/blob/v{version}/rules/{group}/{page}.md"))
}

/// What places are turned into locations with.
struct Cx<'c, 'd> {
    model: &'c Model<'d>,
    locator: &'c Locator<'c, 'd>,
    repository: &'c Repository,
}

fn result<'r>(cx: &Cx<'_, '_>, finding: &'r Finding, outcome: &'r Outcome) -> SarifResult<'r> {
    let worlds = place::names(outcome, &finding.worlds);
    let world = place::worlds(outcome, &finding.worlds);
    let mut labels = finding.labels.iter();
    let primary = labels.next().map(|it| location(cx, None, it));
    let related = labels.take(MOST_RELATED).enumerate();
    let related: Vec<_> = related.map(|(at, it)| location(cx, Some(at + 1), it)).collect();
    SarifResult {
        rule_id: finding.rule,
        rule_index: outcome.rule_set.position(finding.rule),
        level: finding.severity.unwrap_or(Severity::Error).name(),
        message: Message { text: message(cx, finding, world) },
        locations: primary.into_iter().collect(),
        related_locations: related,
        partial_fingerprints: BTreeMap::from([("purlin/v1", finding.fingerprint.as_str())]),
        properties: (!worlds.is_empty()).then_some(ResultProperties { worlds }),
    }
}

/// Code scanning shows only those related locations that the message links to.
fn message(cx: &Cx<'_, '_>, finding: &Finding, world: Option<String>) -> String {
    let rendered = finding.labels.iter().take(1);
    let rendered: String = rendered.map(|it| place::rendered(cx.model, cx.locator, it)).collect();
    let world = world.map(|it| format!("\nworld: {it}")).unwrap_or_default();
    let labels = finding.labels.iter().skip(1).take(MOST_RELATED).enumerate();
    let links = labels.map(|(at, it)| {
        let text = if it.text.is_empty() { "another place" } else { &it.text };
        let text = text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
        format!("\nsee: [{text}]({})", at + 1)
    });
    text::paragraphs(finding) + &rendered + &world + &links.collect::<String>()
}

fn location(cx: &Cx<'_, '_>, id: Option<usize>, label: &Label) -> Location {
    let mut physical_location = None;
    let physical = |file: &str, region| PhysicalLocation {
        artifact_location: ArtifactLocation { uri: uri(&cx.repository.name(file)) },
        region,
    };
    match place::spot(cx.model, cx.locator, &label.place) {
        Spot::Lines(file, start, end) => {
            let region = Region {
                start_line: start.line,
                start_column: start.column,
                end_line: end.line,
                end_column: end.column,
            };
            physical_location = Some(physical(file, Some(region)));
        }
        Spot::Rendered(file) => physical_location = Some(physical(file, None)),
        Spot::Live(_) => (),
    }
    let logical = place::field(cx.locator, label)
        .map(|name| LogicalLocation { fully_qualified_name: name, kind: "member" });
    let text = format!("{}{}", label.text, place::rendered(cx.model, cx.locator, label));
    let message = (!label.text.is_empty()).then_some(Message { text });
    let logical_locations = logical.into_iter().collect();
    Location { id, physical_location, logical_locations, message }
}

/// A name as a URI reference: everything but unreserved characters and slashes is escaped.
fn uri(name: &Name) -> String {
    let (mut uri, path) = match name {
        Name::Inside(path) => (String::new(), path),
        Name::Outside(path) if path.starts_with('/') => ("file://".to_string(), path),
        Name::Outside(path) => ("file:///".to_string(), path),
    };
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte as char)
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_uris() {
        let inside = |it: &str| uri(&Name::Inside(it.to_string()));
        assert_eq!(inside("a/ü b#c?d%e:f.yaml"), "a/%C3%BC%20b%23c%3Fd%25e%3Af.yaml");
        assert_eq!(inside("<stdin>"), "%3Cstdin%3E");
        assert_eq!(uri(&Name::Outside("/a b".into())), "file:///a%20b");
        assert_eq!(uri(&Name::Outside("C:/a".into())), "file:///C%3A/a");
    }

    #[test]
    fn pages_are_linked_to_where_there_is_a_home() {
        let rule = crate::rules::built_in().find("pdb-missing").expect("it is built in");
        assert_eq!(help_uri("", rule), None);
        let page = help_uri("https://host.example/purlin", rule).unwrap();
        assert!(page.starts_with("https://host.example/purlin/blob/v"), "{page}");
        assert!(page.ends_with("/rules/disruption/pdb_missing.md"), "{page}");
    }
}
