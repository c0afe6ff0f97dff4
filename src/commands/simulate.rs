//! `purlin simulate`: does everything fit, and what survives.

use super::check::complain;
use super::input::Input;
use super::{fail, input, print, say};
use crate::cli::{Cli, Graph, GraphFormat, ListFormat, Simulate, SimulateAt};
use clap::CommandFactory;
use clap::parser::ValueSource;
use purlin::analyze::Facts;
use purlin::analyze::placement::READS;
use purlin::analyze::placement::described::{self, Nodes};
use purlin::analyze::placement::node::ClusterNode;
use purlin::analyze::placement::planned::Described;
use purlin::analyze::placement::scenario::{Event, Verdict, run as play};
use purlin::analyze::placement::size::{BEARS, MOST_NODES, fewest};
use purlin::analyze::placement::world::{At, Reading, TooMany, World, read};
use purlin::api::kind::Kind;
use purlin::graph::nodes as picture;
use purlin::load::files;
use purlin::load::read::decode;
use purlin::model::Model;
use purlin::policy::Policy;
use purlin::report::simulation::{Played, Pool, Sized, human, json};
use purlin::text::source::Source;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

/// The option that has no value.
const DRAIN_ALL: &str = "drain_all";

/// The answer is unknown.
const UNKNOWN: u8 = 3;

/// Plays the scenarios and prints what becomes of the pods.
pub(super) fn run(args: &Simulate) -> ExitCode {
    let Input { policy, loaded, namespace } = match input::world(&args.world, READS) {
        Ok(read) => read,
        Err(message) => return fail(message),
    };
    complain(&loaded);
    if !loaded.failures.is_empty() {
        return fail("what fits depends on what could not be read");
    }
    if let Some(broken) = loaded.broken.first() {
        let source = loaded.sources.get(broken.source);
        let place = source.position(broken.span.start);
        return fail(format!(
            "{}:{place}: {}; what fits depends on it: mend it first",
            source.name, broken.message
        ));
    }
    let model = match input::only_world(&loaded, &namespace, "what fits and what survives") {
        Ok((model, _)) => model,
        Err(message) => return fail(message),
    };
    let told = match &args.nodes {
        Some(file) if args.size => size(args, (file, &policy), &model),
        _ => simulate(args, &policy, &model),
    };
    match told {
        Ok(code) => code,
        Err(message) => fail(message),
    }
}

fn simulate(args: &Simulate, policy: &Policy, model: &Model<'_>) -> Result<ExitCode, String> {
    let facts = facts(model, policy);
    let ats = match args.at {
        Some(SimulateAt::Floor) => vec![At::Floor],
        Some(SimulateAt::Peak) => vec![At::Peak],
        None => vec![At::Floor, At::Peak],
    };
    let asked = asked("simulate", &["fail", "drain", DRAIN_ALL, "rollout"]);
    let mut played = Vec::new();
    for at in ats {
        let (nodes, are_all) = nodes(args, policy, model, at)?;
        if nodes.is_empty() {
            say(
                "cannot tell: there are no nodes in the input; name a file with `--nodes`, or read them with `--cluster`",
            );
            return Ok(ExitCode::from(UNKNOWN));
        }
        bounded(&facts, nodes.len())?;
        let is_whole = is_cluster(args) || policy.is_complete("*");
        let world = read(model, &facts, nodes, Reading { at, is_whole });
        let events = asked.iter().map(|it| event(&world, it)).collect::<Result<Vec<_>, _>>()?;
        let mut outcome = play(&world, (model, &facts), at, &events);
        if outcome.verdict == Verdict::Breaks && !are_all {
            outcome.verdict = Verdict::Unknown;
            outcome.unknown.push(
                "whether these are all nodes of the cluster: `complete: [\"*\"]` in purlin.yaml says so, and so does `--nodes`"
                    .into(),
            );
        }
        let events = asked.iter().map(Asked::told).collect();
        played.push(Played::new(model, &facts, world, events, outcome));
    }
    let text = match args.format {
        ListFormat::Human => human(&played),
        ListFormat::Json => json(model, &played),
    };
    if let Err(code) = print(text.as_bytes()) {
        return Ok(code);
    }
    let verdicts = || played.iter().map(|it| it.outcome.verdict);
    Ok(if verdicts().any(|it| it == Verdict::Breaks) {
        ExitCode::from(1)
    } else if verdicts().any(|it| it == Verdict::Unknown) {
        ExitCode::from(UNKNOWN)
    } else {
        ExitCode::SUCCESS
    })
}

/// More pods than any cluster holds are not placed.
fn bounded(facts: &Facts<'_>, nodes: usize) -> Result<(), String> {
    TooMany::of(facts, nodes).map_or(Ok(()), |it| Err(it.why()))
}

/// The fewest nodes of each pool.
fn size(
    args: &Simulate,
    (path, policy): (&Path, &Policy),
    model: &Model<'_>,
) -> Result<ExitCode, String> {
    let source = nodes_file(path)?;
    let bounds = |at| sized(&source, at, &BTreeMap::new()).map(|it| it.pools);
    let (floor, peak) = (bounds(At::Floor)?, bounds(At::Peak)?);
    if peak.is_empty() {
        return Err(format!(
            "{}: no pool to size; a pool is an entry of `nodes` with `count`",
            source.name
        ));
    }
    let facts = facts(model, policy);
    bounded(&facts, MOST_NODES)?;
    let is_whole = is_cluster(args) || policy.is_complete("*");
    let make = |sizes: &[usize]| {
        let sizes = peak.iter().zip(sizes).map(|(it, size)| (it.0.clone(), *size)).collect();
        // The file was read before with other numbers.
        let nodes = sized(&source, At::Peak, &sizes).unwrap_or_default().nodes;
        read(model, &facts, nodes, Reading { at: At::Peak, is_whole })
    };
    let start: Vec<usize> = peak.iter().map(|it| it.1).collect();
    let sizes = BEARS.map(|it| fewest(&make, &start, it));
    let pools: Vec<Pool> = floor
        .into_iter()
        .zip(&peak)
        .map(|((name, least), (_, most))| Pool { name, least, most: *most })
        .collect();
    let told = Sized::new(pools, &sizes, &make(&start));
    let text = match args.format {
        ListFormat::Human => told.human(),
        ListFormat::Json => told.json(),
    };
    if let Err(code) = print(text.as_bytes()) {
        return Ok(code);
    }
    Ok(if sizes[0].pools.is_none() {
        ExitCode::from(1)
    } else if told.is_known() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(UNKNOWN)
    })
}

#[cfg(feature = "cluster")]
fn is_cluster(args: &Simulate) -> bool {
    args.world.live.cluster
}

#[cfg(not(feature = "cluster"))]
fn is_cluster(_: &Simulate) -> bool {
    false
}

/// The nodes, and whether these are all.
fn nodes(
    args: &Simulate,
    policy: &Policy,
    model: &Model<'_>,
    at: At,
) -> Result<(Vec<ClusterNode>, bool), String> {
    if let Some(file) = &args.nodes {
        return Ok((described_nodes(file, at)?, true));
    }
    let nodes = model.of_kind(Kind::Node).map(ClusterNode::of_object).collect();
    Ok((nodes, is_cluster(args) || policy.is_complete("*")))
}

/// The nodes that a file describes, at the bounds of pools that grow.
pub(super) fn described(path: &Path) -> Result<Described, String> {
    let at = |at| described_nodes(path, at);
    Ok(Described { floor: at(At::Floor)?, peak: at(At::Peak)? })
}

fn described_nodes(path: &Path, at: At) -> Result<Vec<ClusterNode>, String> {
    let source = nodes_file(path)?;
    let nodes = sized(&source, at, &BTreeMap::new())?.nodes;
    if nodes.is_empty() {
        return Err(format!("{}: all pools have a count of 0 at the {}", source.name, at.name()));
    }
    Ok(nodes)
}

fn nodes_file(path: &Path) -> Result<Source, String> {
    let name = path.display().to_string();
    let file = files::File { name: name.clone(), path: Some(path.to_path_buf()) };
    let text = files::read(&file)
        .and_then(decode::decode)
        .map_err(|why| format!("cannot read {name}: {why}"))?;
    Ok(Source::new(name, text))
}

/// The nodes that a file describes, with so many of each pool.
fn sized(source: &Source, at: At, sizes: &BTreeMap<String, usize>) -> Result<Nodes, String> {
    described::read_sized(&source.text, at, sizes).map_err(|mistakes| {
        let lines = mistakes.iter().map(|it| {
            format!("{}:{}: {}", source.name, source.position(it.span.start), it.message)
        });
        format!("the nodes are not valid\n{}", lines.collect::<Vec<_>>().join("\n"))
    })
}

/// The facts for the version of Kubernetes that the policy names.
fn facts<'d>(model: &'d Model<'d>, policy: &Policy) -> Facts<'d> {
    let server = model.loaded.coverage.as_ref().and_then(|it| it.server);
    Facts::new(model).with_version(policy.kubernetes_version(server))
}

/// Draws nodes with their pods, before and after what happens.
pub(super) fn picture(args: &Graph, policy: &Policy, model: &Model<'_>) -> Result<String, String> {
    let at = match args.at {
        SimulateAt::Floor => At::Floor,
        SimulateAt::Peak => At::Peak,
    };
    let nodes = match args.nodes.iter().flatten().next() {
        Some(file) => described_nodes(file, at)?,
        None => model.of_kind(Kind::Node).map(ClusterNode::of_object).collect(),
    };
    if nodes.is_empty() {
        return Err(
            "nothing to draw: there are no nodes in the input; name a file with `--nodes`".into()
        );
    }
    if nodes.len() > picture::MOST {
        let (many, most) = (nodes.len(), picture::MOST);
        return Err(format!("{many} nodes are too many for one picture, {most} is the most"));
    }
    let facts = facts(model, policy);
    bounded(&facts, nodes.len())?;
    let world = read(model, &facts, nodes, Reading { at, is_whole: false });
    let asked = asked("graph", &["fail", "drain"]);
    let events = asked.iter().map(|it| event(&world, it)).collect::<Result<Vec<_>, _>>()?;
    let outcome = play(&world, (model, &facts), at, &events);
    let told: Vec<_> = asked.iter().map(Asked::told).collect();
    let moments = picture::moments(&world, &outcome, &told);
    Ok(match args.format {
        GraphFormat::Svg => picture::svg(&moments),
        GraphFormat::Mermaid => picture::mermaid(&moments),
        GraphFormat::Dot => picture::dot(&moments),
    })
}

/// An event as it was asked for.
struct Asked {
    option: &'static str,
    value: String,
}

impl Asked {
    fn told(&self) -> String {
        let word = self.option.replace('_', "-");
        if self.value.is_empty() { word } else { format!("{word} {}", self.value) }
    }
}

/// The events in the order of the command line of this command.
fn asked(command: &str, options: &[&'static str]) -> Vec<Asked> {
    let matches = Cli::command().get_matches();
    let Some(matches) = matches.subcommand_matches(command) else { return Vec::new() };
    let mut found: Vec<(usize, Asked)> = Vec::new();
    for option in options {
        if *option == DRAIN_ALL {
            if matches.value_source(option) == Some(ValueSource::CommandLine) {
                let at = matches.index_of(option).unwrap_or(0);
                found.push((at, Asked { option, value: String::new() }));
            }
            continue;
        }
        let indices = matches.indices_of(option).into_iter().flatten();
        let values = matches.get_many::<String>(option).into_iter().flatten();
        found.extend(indices.zip(values).map(|(at, it)| (at, Asked { option, value: it.clone() })));
    }
    found.sort_by_key(|it| it.0);
    found.into_iter().map(|it| it.1).collect()
}

fn event(world: &World, asked: &Asked) -> Result<Event, String> {
    let nodes = &world.cluster.nodes;
    let node = |name: &str| {
        let found = nodes.iter().position(|it| it.name == name);
        found.ok_or_else(|| {
            let known: Vec<_> = nodes.iter().take(20).map(|it| it.name.as_str()).collect();
            format!("there is no node `{name}`; there are {}", known.join(", "))
        })
    };
    match (asked.option, asked.value.split_once('/')) {
        (DRAIN_ALL, _) => Ok(Event::DrainAll),
        ("fail", Some(("node", name))) => node(name).map(Event::FailNode),
        ("fail", Some(("zone", zone))) if nodes.iter().any(|it| it.zone() == Some(zone)) => {
            Ok(Event::FailZone(zone.to_string()))
        }
        ("fail", Some(("zone", zone))) => Err(format!("no node is in zone `{zone}`")),
        ("drain", Some(("node", name))) => node(name).map(Event::DrainNode),
        ("rollout", _) if asked.value == "all" => Ok(Event::RolloutAll),
        ("rollout", _) => {
            let found = world.components.iter().position(|it| it.name == asked.value);
            found
                .map(Event::Rollout)
                .ok_or_else(|| format!("there is no workload `{}`", asked.value))
        }
        (option, _) => Err(format!(
            "`--{option} {}`: the value is node/NAME{}",
            asked.value,
            if option == "fail" { " or zone/NAME" } else { "" }
        )),
    }
}
