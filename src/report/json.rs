//! The JSON report: the stable contract of machines. Its structs are its own, not those of the check.

use super::escaped::escaped;
use super::place::{self, Spot};
use crate::check::Outcome;
use crate::check::locate::Locator;
use crate::load::files::{Failure, Step};
use crate::model::{Model, ObjId};
use crate::rule::{Finding, Label, Place, Severity};
use rayon::prelude::*;
use serde::Serialize;

#[derive(Serialize)]
struct Report<'r> {
    version: u32,
    findings: Vec<FindingJson<'r>>,
    unknown: Vec<UnknownJson<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<FailureJson<'r>>,
    summary: Summary,
}

#[derive(Serialize)]
struct FailureJson<'r> {
    step: &'static str,
    path: &'r str,
    why: &'r str,
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
    fingerprint: &'r str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    worlds: Vec<&'r str>,
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
    #[serde(flatten)]
    spot: SpotJson<'r>,
}

/// Where something is.
#[derive(Serialize)]
struct SpotJson<'r> {
    /// Absent where the object came from a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'r str>,
    #[serde(flatten)]
    lines: Option<LinesJson>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    rendered: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LinesJson {
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
    #[serde(flatten)]
    spot: SpotJson<'r>,
    fingerprint: &'r str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    worlds: Vec<&'r str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    #[serde(skip_serializing_if = "is_zero")]
    worlds: usize,
    objects: usize,
    rules_run: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
    unknown: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_unknown: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outside_focus: Option<usize>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
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
            .map(|it| FindingJson {
                worlds: place::names(outcome, &it.worlds),
                ..finding(model, &locator, it)
            })
            .collect(),
        unknown: outcome
            .unknown
            .iter()
            .map(|it| UnknownJson {
                rule: it.rule,
                object: object(model, it.object),
                missing: &it.missing,
                spot: spot(model, &locator, &model.object(it.object).whole()),
                fingerprint: &it.fingerprint,
                worlds: place::names(outcome, &it.worlds),
            })
            .collect(),
        failures: model.loaded.failures.iter().map(failure).collect(),
        summary: Summary {
            worlds: outcome.worlds.len(),
            objects: outcome.objects,
            rules_run: outcome.rules.len(),
            errors: outcome.count(Severity::Error),
            warnings: outcome.count(Severity::Warning),
            notes: outcome.count(Severity::Note),
            unknown: outcome.unknown.len(),
            baseline: outcome.baseline.map(|it| it.known),
            baseline_unknown: outcome.baseline.map(|it| it.questions),
            outside_focus: outcome.outside_focus,
        },
    };
    let text =
        serde_json::to_string(&report).expect("the report holds nothing that JSON cannot say");
    escaped(text) + "\n"
}

fn failure(it: &Failure) -> FailureJson<'_> {
    let step = match it.step {
        Step::Read => "read",
        Step::Render => "render",
    };
    FailureJson { step, path: &it.path, why: &it.why }
}

fn finding<'r>(
    model: &'r Model<'_>,
    locator: &Locator<'_, '_>,
    it: &'r Finding,
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
        fingerprint: &it.fingerprint,
        worlds: Vec::new(),
    }
}

fn label_json<'r>(
    model: &'r Model<'_>,
    locator: &Locator<'_, '_>,
    primary: bool,
    label: &'r Label,
) -> LabelJson<'r> {
    let (object, path) = match &label.place {
        Place::Field { object: id, path } => (Some(object(model, *id)), Some(path.to_string())),
        Place::Text { .. } => (None, None),
    };
    let spot = spot(model, locator, &label.place);
    LabelJson { primary, text: &label.text, object, path, spot }
}

fn spot<'r>(model: &'r Model<'_>, locator: &Locator<'_, '_>, place: &Place) -> SpotJson<'r> {
    let (file, lines, rendered) = match place::spot(model, locator, place) {
        Spot::Lines(file, start, end) => {
            let (line, column) = (start.line, start.column);
            let (end_line, end_column) = (end.line, end.column);
            (Some(file), Some(LinesJson { line, column, end_line, end_column }), false)
        }
        Spot::Rendered(file) => (Some(file), None, true),
        Spot::Live(_) => (None, None, false),
    };
    SpotJson { file, lines, rendered }
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
