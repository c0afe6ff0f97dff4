//! The JSON report: the stable contract of machines. Its structs are its own, not those of the check.

use super::fingerprint::fingerprints;
use crate::check::Outcome;
use crate::locate::Locator;
use crate::model::{Model, ObjId};
use crate::rule::{Finding, Label, Place, Severity};
use rayon::prelude::*;
use serde::Serialize;

#[derive(Serialize)]
struct Report<'r> {
    version: u32,
    findings: Vec<FindingJson<'r>>,
    unknown: Vec<UnknownJson<'r>>,
    summary: Summary,
}

#[derive(Serialize)]
struct FindingJson<'r> {
    rule: &'r str,
    severity: &'r str,
    message: &'r str,
    labels: Vec<LabelJson<'r>>,
    notes: &'r [String],
    help: Option<&'r str>,
    fixes: [(); 0],
    fingerprint: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LabelJson<'r> {
    primary: bool,
    text: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectJson<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    file: &'r str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectJson<'r> {
    api_version: &'r str,
    kind: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'r str,
    name: &'r str,
}

#[derive(Serialize)]
struct UnknownJson<'r> {
    rule: &'r str,
    object: ObjectJson<'r>,
    missing: &'r str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    objects: usize,
    rules_run: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
    unknown: usize,
}

/// The JSON Schema of the report.
pub const SCHEMA: &str = include_str!("json.schema.json");

/// The report as one line of JSON and a line break.
pub fn render(model: &Model<'_>, outcome: &Outcome) -> String {
    let locator = Locator::new(model);
    let report = Report {
        version: 1,
        findings: outcome
            .findings
            .par_iter()
            .zip(fingerprints(model, &outcome.findings))
            .map(|(it, fingerprint)| finding(model, &locator, it, fingerprint))
            .collect(),
        unknown: outcome
            .unknown
            .iter()
            .map(|it| UnknownJson {
                rule: it.rule,
                object: object(model, it.object),
                missing: &it.missing,
            })
            .collect(),
        summary: Summary {
            objects: outcome.objects,
            rules_run: outcome.rules.len(),
            errors: outcome.count(Severity::Error),
            warnings: outcome.count(Severity::Warning),
            notes: outcome.count(Severity::Note),
            unknown: outcome.unknown.len(),
        },
    };
    let mut text =
        serde_json::to_string(&report).expect("the report holds nothing that JSON cannot say");
    text.push('\n');
    text
}

fn finding<'r>(
    model: &'r Model<'_>,
    locator: &Locator<'_, '_>,
    it: &'r Finding,
    fingerprint: String,
) -> FindingJson<'r> {
    let labels =
        it.labels.iter().enumerate().map(|(at, label)| label_json(model, locator, at == 0, label));
    FindingJson {
        rule: it.rule,
        severity: it.severity.unwrap_or(Severity::Error).name(),
        message: &it.message,
        labels: labels.collect(),
        notes: &it.notes,
        help: it.help.as_deref(),
        fixes: [],
        fingerprint,
    }
}

fn label_json<'r>(
    model: &'r Model<'_>,
    locator: &Locator<'_, '_>,
    primary: bool,
    label: &'r Label,
) -> LabelJson<'r> {
    let location = locator.locate(&label.place);
    let source = model.loaded.sources.get(location.source);
    let (start, end) = (source.position(location.span.start), source.position(location.span.end));
    let (object, path) = match &label.place {
        Place::Field { object: id, path } => (Some(object(model, *id)), Some(path.to_string())),
        Place::Text { .. } => (None, None),
    };
    LabelJson {
        primary,
        text: &label.text,
        object,
        path,
        file: &source.name,
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
    }
}

fn object<'r>(model: &'r Model<'_>, id: ObjId) -> ObjectJson<'r> {
    let it = model.object(id);
    ObjectJson {
        api_version: it.api_version,
        kind: it.kind_name,
        namespace: it.namespace,
        name: it.name,
    }
}
