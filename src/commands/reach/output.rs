//! What `purlin reach` prints, for people and for machines.

use purlin::analyze::Facts;
use purlin::analyze::reach::ask::{Answer, Party, Question, is_one_pod};
use purlin::analyze::reach::{
    Because, Effect, Endpoint, EndpointId, Flow, PortSet, Ports, Verdict,
};
use purlin::locate::Locator;
use purlin::model::Model;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct AnswerJson {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    from: String,
    to: String,
    ports: Vec<PortJson>,
    because: Vec<BecauseJson>,
}

#[derive(Serialize)]
struct PortJson {
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

#[derive(Serialize)]
struct FlowJson {
    from: Vec<String>,
    to: Vec<String>,
    ports: Vec<PortJson>,
}

fn reason(verdict: Verdict) -> Option<String> {
    match verdict {
        Verdict::Undefined(it) => Some(it.to_string()),
        _ => None,
    }
}

fn port_json((ports, verdict): &(Ports, Verdict)) -> PortJson {
    PortJson {
        protocol: ports.protocol.name(),
        first: ports.first,
        last: ports.last,
        verdict: verdict.name(),
        reason: reason(*verdict),
    }
}

/// The name of a party, as it can be asked for again.
fn party(model: &Model<'_>, facts: &Facts<'_>, party: &Party) -> String {
    match party {
        Party::Workload(it) => model.object(facts.workloads().get(*it).object).to_string(),
        Party::Service(it) => model.object(facts.services().get(*it).object).to_string(),
        Party::Block(it) => it.to_string(),
        Party::Internet => "internet".into(),
        Party::Nodes => "nodes".into(),
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
) -> String {
    line(&AnswerJson {
        verdict: answer.verdict().name(),
        reason: reason(answer.verdict()),
        from: party(model, facts, &question.from),
        to: party(model, facts, &question.to),
        ports: answer.ports.iter().map(port_json).collect(),
        because: answer.because.iter().map(|it| because(model, it)).collect(),
    })
}

fn line(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("names and numbers are JSON");
    text.push('\n');
    text
}

pub(super) fn human(
    model: &Model<'_>,
    facts: &Facts<'_>,
    question: &Question,
    answer: &Answer<'_>,
) -> String {
    let (from, to) = (party(model, facts, &question.from), party(model, facts, &question.to));
    let mut text = format!("{from} -> {to}: {}\n", answer.verdict().name());
    for (ports, verdict) in &answer.ports {
        text.push_str(&format!("  {:16} {}", ports.to_string(), verdict.name()));
        text.push_str(&reason(*verdict).map(|it| format!(": {it}")).unwrap_or_default());
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

/// Ports with what is said of each.
type Told = Vec<(Ports, Verdict)>;

/// Sources, or destinations.
type Ends = Vec<EndpointId>;

/// Pairs of which something is allowed or undefined, those alike together.
pub(super) struct Flows {
    /// Sources, by destination and verdicts.
    groups: Vec<(Ends, Ends, Told)>,
}

impl Flows {
    /// The flows from and to these parties; all of them where none is named.
    pub(super) fn new(
        facts: &Facts<'_>,
        from: Option<Party>,
        to: Option<Party>,
        ports: PortSet,
    ) -> Flows {
        let reach = facts.reach();
        let of = |it: &Option<Party>| it.as_ref().map(|it| reach.of_party(facts, it));
        let (sources, destinations) = (of(&from), of(&to));
        let is_in = |list: &Option<Ends>, id| list.as_ref().is_none_or(|it| it.contains(&id));
        // First the sources that one destination treats alike, then the destinations of the same sources.
        let mut by_destination: BTreeMap<(EndpointId, Told), Ends> = BTreeMap::new();
        // What a pod sends to itself never leaves it.
        let is_own = |flow: &Flow| {
            let pods = reach.get(flow.from).pods().filter(|_| flow.from == flow.to);
            pods.is_some_and(|it| matches!(it.workloads[..], [one] if is_one_pod(facts, one)))
        };
        for flow in reach.table().into_iter().filter(|it| !is_own(it)) {
            if !is_in(&sources, flow.from) || !is_in(&destinations, flow.to) {
                continue;
            }
            let own: Vec<_> = flow
                .ports
                .iter()
                .filter(|it| it.1 != Verdict::Deny)
                .flat_map(|(it, verdict)| {
                    let asked = [it].into_iter().collect::<PortSet>().and(&ports);
                    asked.iter().map(|it| (it, verdict)).collect::<Vec<_>>()
                })
                .collect();
            if !own.is_empty() {
                by_destination.entry((flow.to, own)).or_default().push(flow.from);
            }
        }
        let mut by_sources: BTreeMap<(Ends, Told), Ends> = BTreeMap::new();
        for ((to, ports), from) in by_destination {
            by_sources.entry((from, ports)).or_default().push(to);
        }
        let groups = by_sources.into_iter().map(|((from, ports), to)| (from, to, ports)).collect();
        Flows { groups }
    }

    pub(super) fn json(&self, model: &Model<'_>, facts: &Facts<'_>) -> String {
        #[derive(Serialize)]
        struct FlowsJson {
            flows: Vec<FlowJson>,
        }
        let flows = self.groups.iter().map(|(from, to, ports)| FlowJson {
            from: names(model, facts, from),
            to: names(model, facts, to),
            ports: ports.iter().map(port_json).collect(),
        });
        line(&FlowsJson { flows: flows.collect() })
    }

    pub(super) fn human(&self, model: &Model<'_>, facts: &Facts<'_>) -> String {
        let reach = facts.reach();
        let mut on_network: BTreeMap<&str, usize> = BTreeMap::new();
        for workload in facts.workloads().iter().filter(|it| reach.of_workload(it.id).is_some()) {
            *on_network.entry(workload.namespace).or_default() += 1;
        }
        let listed = |ids: &Ends, start: &str| {
            let names = summed_up(facts, &on_network, ids, names(model, facts, ids)).join(", ");
            let options = textwrap::Options::new(WIDTH)
                .initial_indent(start)
                .subsequent_indent("     ")
                .break_words(false)
                .word_separator(textwrap::WordSeparator::AsciiSpace)
                .word_splitter(textwrap::WordSplitter::NoHyphenation);
            textwrap::fill(&names, options) + "\n"
        };
        let mut text = String::new();
        for (from, to, ports) in &self.groups {
            text.push_str(&listed(from, ""));
            text.push_str(&listed(to, "  -> "));
            let is_all = ports.iter().all(|it| it.0.is_every() && it.1 == ports[0].1);
            if is_all && ports.len() == 3 {
                text.push_str(&format!("     {}\n", told("every port", ports[0].1)));
                continue;
            }
            for (ports, verdict) in ports {
                text.push_str(&format!("     {}\n", told(&ports.to_string(), *verdict)));
            }
        }
        if text.is_empty() {
            text.push_str("nothing is allowed\n");
        }
        text
    }
}

/// How wide a line gets.
const WIDTH: usize = 100;

/// How many workloads of one namespace are listed, where they are all that it has.
const FEW: usize = 3;

/// Names of endpoints, with those that are all of a namespace in one.
fn summed_up(
    facts: &Facts<'_>,
    on_network: &BTreeMap<&str, usize>,
    ids: &[EndpointId],
    names: Vec<String>,
) -> Vec<String> {
    let pods = ids.iter().filter_map(|it| facts.reach().get(*it).pods());
    let mut whole: BTreeMap<&str, usize> = BTreeMap::new();
    for it in pods {
        *whole.entry(it.namespace).or_default() += it.workloads.len();
    }
    whole.retain(|namespace, count| *count > FEW && on_network.get(namespace) == Some(count));
    let in_whole = |name: &String| {
        let namespace = name.split('/').nth(1).filter(|_| name.matches('/').count() == 2);
        namespace.is_some_and(|it| whole.contains_key(it))
    };
    let rest = names.iter().filter(|it| !in_whole(it)).cloned();
    let all =
        whole.iter().map(|(name, count)| format!("all {count} workloads of namespace {name}"));
    all.chain(rest).collect()
}

fn told(ports: &str, verdict: Verdict) -> String {
    match verdict {
        Verdict::Undefined(it) => format!("{ports}: undefined: {it}"),
        _ => ports.to_string(),
    }
}

/// The names of endpoints: of the workloads in a group, `internet`, the block without what is cut out of it.
fn names(model: &Model<'_>, facts: &Facts<'_>, ids: &[EndpointId]) -> Vec<String> {
    let reach = facts.reach();
    let mut names = Vec::new();
    for id in ids {
        match reach.get(*id) {
            Endpoint::Nodes => names.push("nodes".into()),
            Endpoint::Pods(it) => names.extend(
                it.workloads
                    .iter()
                    .map(|it| model.object(facts.workloads().get(*it).object).to_string()),
            ),
            Endpoint::Addresses(it) if it.block.prefix_len() == 0 && it.without.is_empty() => {
                names.push("internet".into());
            }
            Endpoint::Addresses(it) if it.without.is_empty() => names.push(it.block.to_string()),
            Endpoint::Addresses(it) => {
                let without: Vec<_> = it.without.iter().map(ToString::to_string).collect();
                let all = if it.block.prefix_len() == 0 {
                    "internet".into()
                } else {
                    it.block.to_string()
                };
                names.push(format!("{all} without {}", without.join(", ")));
            }
        }
    }
    names
}
