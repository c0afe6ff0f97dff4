//! What `purlin reach` answers a question, for people and for machines.

use purlin::analyze::Facts;
use purlin::analyze::network::reach::ask::{Answer, Party, Question};
use purlin::analyze::network::reach::{Because, Effect, Verdict};
use purlin::api::ports::Ports;
use purlin::check::locate::Locator;
use purlin::model::Model;
use purlin::report::escaped::escaped;
use serde::Serialize;

#[derive(Serialize)]
struct AnswerJson {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    from: String,
    to: String,
    ports: Vec<PortJson>,
    because: Vec<BecauseJson>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct PortJson {
    protocol: &'static str,
    first: u16,
    last: u16,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct BecauseJson {
    policy: String,
    kind: String,
    direction: String,
    effect: &'static str,
    file: Option<String>,
    line: Option<u32>,
}

fn reason(model: &Model<'_>, verdict: Verdict) -> Option<String> {
    match verdict {
        Verdict::Undefined(it) => Some(it.told(model)),
        _ => None,
    }
}

pub(super) fn port_json(model: &Model<'_>, (ports, verdict): &(Ports, Verdict)) -> PortJson {
    PortJson {
        protocol: ports.protocol.name(),
        first: ports.first,
        last: ports.last,
        verdict: verdict.name(),
        reason: reason(model, *verdict),
    }
}

/// The name of a party, as it can be asked for again.
pub(super) fn party(model: &Model<'_>, facts: &Facts<'_>, party: &Party) -> String {
    match party {
        Party::Workload(it) => model.object(facts.workloads().get(*it).object).to_string(),
        Party::Service(it) => model.object(facts.services().get(*it).object).to_string(),
        Party::Block(it) => it.to_string(),
        Party::Internet => "internet".into(),
        Party::Nodes => "nodes".into(),
        Party::Stranger(it) => facts.strangers()[it.0 as usize].to_string(),
    }
}

fn because(model: &Model<'_>, it: &Because<'_>) -> BecauseJson {
    let object = model.object(it.policy);
    let place = it.rule.map_or_else(|| object.whole(), |rule| object.place(rule));
    let location = Locator::new(model).locate(&place);
    let source = model.loaded.sources.get(location.source);
    let has_lines = source.has_lines();
    let namespace = object.namespace;
    BecauseJson {
        policy: if namespace.is_empty() {
            object.name.to_string()
        } else {
            format!("{namespace}/{}", object.name)
        },
        kind: object.kind_name.to_string(),
        direction: it.direction.to_string(),
        effect: match it.effect {
            Effect::Opens => "opens",
            Effect::Closes => "closes",
            Effect::MayDecide => "may decide",
        },
        file: has_lines.then(|| source.name.clone()),
        line: has_lines.then(|| source.position(location.span.start).line),
    }
}

pub(super) fn json(
    model: &Model<'_>,
    facts: &Facts<'_>,
    question: &Question,
    answer: &Answer<'_>,
    notes: Vec<String>,
) -> String {
    line(&AnswerJson {
        verdict: answer.verdict().name(),
        reason: reason(model, answer.verdict()),
        from: party(model, facts, &question.from),
        to: party(model, facts, &question.to),
        ports: answer.ports.iter().map(|it| port_json(model, it)).collect(),
        because: answer.because.iter().map(|it| because(model, it)).collect(),
        notes,
    })
}

/// A value as JSON that ends its line.
pub(super) fn line(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("names and numbers are JSON");
    escaped(text) + "\n"
}

pub(super) fn human(
    model: &Model<'_>,
    facts: &Facts<'_>,
    question: &Question,
    answer: &Answer<'_>,
    notes: &[String],
) -> String {
    let (from, to) = (party(model, facts, &question.from), party(model, facts, &question.to));
    let mut text = format!("{from} -> {to}: {}\n", answer.verdict().name());
    for (ports, verdict) in &answer.ports {
        text.push_str(&format!("  {:16} {}", ports.to_string(), verdict.name()));
        text.push_str(&reason(model, *verdict).map(|it| format!(": {it}")).unwrap_or_default());
        text.push('\n');
    }
    if answer.because.is_empty() {
        let why = match answer.verdict() {
            Verdict::Allow => "no policy stands between them",
            _ => "no policy says so",
        };
        text.push_str(&format!("  {why}\n"));
    }
    for it in answer.because.iter().map(|it| because(model, it)) {
        let place = it.file.zip(it.line).map(|(file, line)| format!("  {file}:{line}"));
        let place = place.unwrap_or_default();
        text.push_str(&format!(
            "  {:7} {} {}/{}{place}\n",
            it.direction, it.effect, it.kind, it.policy
        ));
    }
    for it in notes {
        text.push_str(&format!("  note: {it}\n"));
    }
    text
}

/// Why there is no port to judge.
pub(super) fn no_port(model: &Model<'_>, facts: &Facts<'_>, question: &Question) -> String {
    let to = party(model, facts, &question.to);
    let asked: Vec<_> = question.ports.iter().map(|it| it.to_string()).collect();
    match question.to {
        Party::Service(it) => {
            let service = facts.services().get(it);
            let ports: Vec<_> =
                service.ports.iter().map(|it| format!("{}/{}", it.port, it.protocol)).collect();
            if service.selects.is_empty() {
                return format!("`{to}` leads to no pods of the input");
            }
            format!("`{to}` leads to no pod on {}; it has {}", asked.join(", "), ports.join(", "))
        }
        _ => format!("`{to}` or its peer has no pods on the network"),
    }
}
