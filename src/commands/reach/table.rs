//! Pairs of endpoints with what is said of their ports, those alike together, for people and for machines.

use super::Parties;
use super::output::{PortJson, line, port_json};
use ipnet::IpNet;
use purlin::analyze::Facts;
use purlin::analyze::network::reach::ask::{Party, is_one_pod};
use purlin::analyze::network::reach::{Addresses, Endpoint, EndpointId, Reach, Verdict};
use purlin::api::ports::{PortSet, Ports};
use purlin::model::Model;
use serde::Serialize;
use std::collections::BTreeMap;

/// Some pods or addresses to others.
#[derive(Serialize)]
pub(super) struct FlowJson {
    from: Vec<String>,
    to: Vec<String>,
    ports: Vec<PortJson>,
}

/// Everybody who can talk, and what they are called.
#[derive(Clone, Copy)]
pub(super) struct Ends<'f, 'd> {
    pub(super) model: &'f Model<'d>,
    pub(super) facts: &'f Facts<'d>,
    pub(super) reach: &'f Reach<'d>,
}

/// What is asked for: from whom, to whom, in order, and on which ports. Everything where nobody is named.
pub(super) struct Asked {
    from: Option<List>,
    to: Option<List>,
    ports: PortSet,
}

/// Ports with what is said of each.
pub(super) type Told = Vec<(Ports, Verdict)>;

/// Sources, or destinations.
type List = Vec<EndpointId>;

/// Pairs with what is said of their ports, those alike together.
#[derive(Default)]
pub(super) struct Flows {
    /// Sources, destinations, and what is said.
    groups: Vec<(List, List, Told)>,
}

impl Asked {
    /// The endpoints of parties.
    pub(super) fn new(ends: Ends<'_, '_>, (from, to, ports): &Parties) -> Asked {
        let of = |it: &Party| {
            let mut all = ends.reach.of_party(ends.facts, it);
            all.sort_unstable();
            all
        };
        Asked { from: from.as_ref().map(of), to: to.as_ref().map(of), ports: ports.clone() }
    }
}

impl Flows {
    /// Pairs, as far as they are asked for.
    pub(super) fn new(
        ends: Ends<'_, '_>,
        asked: &Asked,
        pairs: impl IntoIterator<Item = (EndpointId, EndpointId, Told)>,
    ) -> Flows {
        let is_in =
            |list: &Option<List>, id| list.as_ref().is_none_or(|it| it.binary_search(&id).is_ok());
        // What a pod sends to itself never leaves it.
        let is_own = |from, to| {
            let pods = ends.reach.get(from).pods().filter(|_| from == to);
            pods.is_some_and(|it| matches!(it.workloads[..], [one] if is_one_pod(ends.facts, one)))
        };
        // First the sources that one destination treats alike, then the destinations of the same sources.
        let mut by_destination: BTreeMap<(EndpointId, Told), List> = BTreeMap::new();
        for (from, to, told) in pairs {
            if !is_in(&asked.from, from) || !is_in(&asked.to, to) || is_own(from, to) {
                continue;
            }
            let told = told.into_iter().flat_map(|(it, verdict)| {
                let asked = [it].into_iter().collect::<PortSet>().and(&asked.ports);
                asked.iter().map(|it| (it, verdict)).collect::<Vec<_>>()
            });
            let told: Told = told.collect();
            if !told.is_empty() {
                by_destination.entry((to, told)).or_default().push(from);
            }
        }
        let mut by_sources: BTreeMap<(List, Told), List> = BTreeMap::new();
        for ((to, ports), from) in by_destination {
            by_sources.entry((from, ports)).or_default().push(to);
        }
        let groups = by_sources.into_iter().map(|((from, ports), to)| (from, to, ports)).collect();
        Flows { groups }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The whole table for machines.
    pub(super) fn json(&self, ends: Ends<'_, '_>) -> String {
        #[derive(Serialize)]
        struct FlowsJson {
            flows: Vec<FlowJson>,
        }
        line(&FlowsJson { flows: self.list(ends) })
    }

    /// Each group.
    pub(super) fn list(&self, ends: Ends<'_, '_>) -> Vec<FlowJson> {
        let flows = self.groups.iter().map(|(from, to, ports)| FlowJson {
            from: names(ends, from),
            to: names(ends, to),
            ports: ports.iter().map(|it| port_json(ends.model, it)).collect(),
        });
        flows.collect()
    }

    /// The whole table for people.
    pub(super) fn human(&self, ends: Ends<'_, '_>) -> String {
        let mut on_network: BTreeMap<&str, usize> = BTreeMap::new();
        let workloads = ends.facts.workloads().iter();
        for workload in workloads.filter(|it| ends.reach.of_workload(it.id).is_some()) {
            *on_network.entry(workload.namespace).or_default() += 1;
        }
        let listed = |ids: &List, start: &str| {
            let names = summed_up(ends, &on_network, ids, names(ends, ids)).join(", ");
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
                text.push_str(&format!("     {}\n", told(ends.model, "every port", ports[0].1)));
                continue;
            }
            for (ports, verdict) in ports {
                text.push_str(&format!(
                    "     {}\n",
                    told(ends.model, &ports.to_string(), *verdict)
                ));
            }
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
    ends: Ends<'_, '_>,
    on_network: &BTreeMap<&str, usize>,
    ids: &[EndpointId],
    names: Vec<String>,
) -> Vec<String> {
    let pods = ids.iter().filter_map(|it| ends.reach.get(*it).pods());
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

fn told(model: &Model<'_>, ports: &str, verdict: Verdict) -> String {
    match verdict {
        Verdict::Undefined(it) => format!("{ports}: undefined: {}", it.told(model)),
        _ => ports.to_string(),
    }
}

/// The rest of all addresses of one version, which is named where there is the other, too.
fn internet(ends: Ends<'_, '_>, it: &Addresses) -> &'static str {
    let is_6 = |it: &IpNet| matches!(it, IpNet::V6(_));
    let mut all = ends.reach.endpoints();
    let has_6 = all.any(|(_, it)| matches!(it, Endpoint::Addresses(it) if is_6(&it.block)));
    match (has_6, is_6(&it.block)) {
        (false, _) => "internet",
        (true, false) => "internet (IPv4)",
        (true, true) => "internet (IPv6)",
    }
}

/// The names of endpoints: of the workloads in a group, `internet`, the block without what is cut out of it.
fn names(ends: Ends<'_, '_>, ids: &[EndpointId]) -> Vec<String> {
    let Ends { model, facts, reach } = ends;
    let mut names = Vec::new();
    for id in ids {
        match reach.get(*id) {
            Endpoint::Nodes => names.push("nodes".into()),
            Endpoint::Pods(it) if it.stranger.is_some() => {
                let id = it.stranger.map_or(0, |it| it.0 as usize);
                names.push(format!("{} (not in the input)", facts.strangers()[id]));
            }
            Endpoint::Pods(it) => names.extend(
                it.workloads
                    .iter()
                    .map(|it| model.object(facts.workloads().get(*it).object).to_string()),
            ),
            Endpoint::Addresses(it) if it.block.prefix_len() == 0 && it.without.is_empty() => {
                names.push(internet(ends, it).into());
            }
            Endpoint::Addresses(it) if it.without.is_empty() => names.push(it.block.to_string()),
            Endpoint::Addresses(it) => {
                let without: Vec<_> = it.without.iter().map(ToString::to_string).collect();
                let all = if it.block.prefix_len() == 0 {
                    internet(ends, it).to_string()
                } else {
                    it.block.to_string()
                };
                names.push(format!("{all} without {}", without.join(", ")));
            }
        }
    }
    names
}
