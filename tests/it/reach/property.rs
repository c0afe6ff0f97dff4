//! The analysis against the reference: every pair of ends, port and protocol of random worlds.

use super::reference::{End, verdict};
use super::world::{OUTSIDE, PORTS, Random, World};
use crate::support::model_of;
use purlin::analyze::Facts;
use purlin::analyze::network::reach::difference::{Changes, Difference};
use purlin::analyze::network::reach::{Endpoint, EndpointId, Flow, Reach, Verdict};
use purlin::api::network::Network;
use purlin::api::ports::{PortMap, Protocol};
use purlin::model::Model;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// How many worlds are tried: `PURLIN_REACH_WORLDS`, or enough for a change to be noticed.
fn worlds() -> u64 {
    std::env::var("PURLIN_REACH_WORLDS").ok().and_then(|it| it.parse().ok()).unwrap_or(250)
}

#[test]
fn verdicts_are_those_of_the_reference() {
    let wrong = (0..worlds()).into_par_iter().find_map_first(first_difference);
    assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
}

/// What is judged differently in the world of this seed.
fn first_difference(seed: u64) -> Option<String> {
    let world = World::new(&mut Random(seed));
    let manifest = world.manifest();
    let network = Network { plugin: world.plugin, ..Network::default() };
    let difference = model_of(&manifest, |model| {
        let facts = Facts::new(model).with_network(&network);
        let reach = facts.reach();
        let pods = (0..world.pods.len()).map(End::Pod);
        let outside = OUTSIDE.into_iter().map(End::Address);
        let ends: Vec<_> = pods.chain(outside).chain([End::Node]).collect();
        let ids: Vec<_> = ends.iter().map(|it| endpoint(&facts, reach, *it)).collect();
        for (from, from_id) in ends.iter().zip(&ids) {
            for (to, to_id) in ends.iter().zip(&ids) {
                let is_pod = |it: &End| matches!(it, End::Pod(_));
                if from == to || !is_pod(from) && !is_pod(to) {
                    continue;
                }
                let judged = reach.judge(*from_id, *to_id);
                for protocol in Protocol::ALL {
                    for port in PORTS {
                        let found = judged.get(protocol, port);
                        let expected = verdict(&world, *from, *to, (protocol, port));
                        if found.name() != expected {
                            return Some(format!(
                                "{from:?} -> {to:?} {port}/{protocol}: {found:?}, and the reference says {expected}"
                            ));
                        }
                    }
                }
            }
        }
        None
    });
    difference.map(|it| format!("world {seed} under {:?}: {it}\n{manifest}", world.plugin))
}

/// Two ends by the names of all their pods, with all that is said of them.
type Pair = (String, String, PortMap<Verdict>);

/// The pairs of a list, so that they can be compared with those of another analysis.
fn pairs(
    facts: &Facts<'_>,
    reach: &Reach<'_>,
    flows: impl IntoIterator<Item = Flow>,
) -> BTreeSet<Pair> {
    let names = |id| -> Vec<String> {
        match reach.get(id) {
            Endpoint::Pods(it) => {
                it.workloads.iter().map(|it| facts.workloads().get(*it).name.into()).collect()
            }
            // What no policy tells apart any more is still cut.
            Endpoint::Addresses(it) => {
                let inside =
                    OUTSIDE.into_iter().map(Ipv4Addr::from).filter(|at| it.has((*at).into()));
                inside.map(|it| it.to_string()).collect()
            }
            Endpoint::Nodes => vec!["nodes".into()],
        }
    };
    let mut all = BTreeSet::new();
    for flow in flows {
        for from in names(flow.from) {
            for to in names(flow.to) {
                all.insert((from.clone(), to, flow.ports.clone()));
            }
        }
    }
    all
}

#[test]
fn the_table_holds_all_pairs_that_pass() {
    let wrong = (0..worlds()).into_par_iter().find_map_first(|seed| {
        let world = World::new(&mut Random(seed));
        let network = Network { plugin: world.plugin, ..Network::default() };
        let manifest = world.manifest();
        model_of(&manifest, |model| {
            let facts = Facts::new(model).with_network(&network);
            let reach = facts.reach();
            let ids: Vec<_> = reach.endpoints().map(|it| it.0).collect();
            let is_pods = |id| reach.get(id).pods().is_some();
            let mut all = Vec::new();
            for (from, to) in ids.iter().flat_map(|from| ids.iter().map(|to| (*from, *to))) {
                let ports = reach.judge(from, to);
                let passes = ports.uniform() != Some(Verdict::Deny);
                if passes && (is_pods(from) || is_pods(to)) {
                    all.push(Flow { from, to, ports });
                }
            }
            (reach.table() != all)
                .then(|| format!("world {seed} under {:?}\n{manifest}", world.plugin))
        })
    });
    assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
}

/// A world judged, one policy replaced, and the world after that judged from scratch.
#[test]
fn a_changed_policy_is_judged_as_if_all_were() {
    let tried = (0..worlds()).into_par_iter().filter(|seed| {
        let mut random = Random(*seed);
        let world = World::new(&mut random);
        let (after, at) = world.changed(&mut random);
        let wrong = changed(&world, &after, at);
        assert!(wrong != Some(false), "world {seed}\n{}\n{}", world.manifest(), after.manifest());
        wrong.is_some()
    });
    let tried = tried.count() as u64;
    // The others ask for what nobody asked for before.
    assert!(tried > worlds() / 4, "{tried}");
}

/// Whether a changed policy is judged rightly; nothing where everybody has to be grouped anew.
fn changed(before: &World, after: &World, at: usize) -> Option<bool> {
    let network = Network { plugin: before.plugin, ..Network::default() };
    let (old, new) = (before.manifest(), after.manifest());
    model_of(&old, |old| {
        model_of(&new, |new| {
            let (facts, facts_after) = (Facts::new(old), Facts::new(new));
            let (facts, facts_after) =
                (facts.with_network(&network), facts_after.with_network(&network));
            let mut reach = Reach::new(old, &facts, &network);
            let table = reach.table();
            let policies =
                [&facts, &facts_after].map(|it| it.policies().iter().collect::<Vec<_>>());
            // A policy that is gone leaves its place to the next.
            let is_gone = policies[1].len() < policies[0].len();
            let after = policies[1].get(at).filter(|_| !is_gone);
            let touched =
                reach.replace(&facts, policies[0].get(at).map(|it| it.object), after.copied())?;
            let whole = pairs(&facts_after, facts_after.reach(), facts_after.reach().table());
            // What was said of an endpoint holds for its parts.
            let mut kept = table;
            for (id, part) in &touched.splits {
                let of = |it| if it == *id { vec![*id, *part] } else { vec![it] };
                let copies = kept.iter().flat_map(|flow| {
                    let ends = of(flow.from)
                        .into_iter()
                        .flat_map(|from| of(flow.to).into_iter().map(move |to| (from, to)));
                    ends.map(|(from, to)| Flow { from, to, ports: flow.ports.clone() })
                        .collect::<Vec<_>>()
                });
                kept = copies.collect();
            }
            kept.retain(|it| !touched.has(it.from, it.to));
            let anew = reach.flows_of(&touched);
            let is_touched = anew.iter().all(|it| touched.has(it.from, it.to));
            let found = pairs(&facts, &reach, kept.into_iter().chain(anew));
            Some(is_touched && found == whole && pairs(&facts, &reach, reach.table()) == whole)
        })
    })
}

/// What several policies change, against the whole table of the world before and of that after.
#[test]
fn a_difference_is_that_of_two_tables() {
    let wrong = (0..worlds()).into_par_iter().find_map_first(|seed| {
        let mut random = Random(seed);
        let world = World::new(&mut random);
        let (after, changed) = world.with_changes(&mut random);
        let (is_right, count) = difference(&world, &after, &changed);
        let manifests = || format!("{}\n{}", world.manifest(), after.manifest());
        (!is_right).then(|| format!("world {seed}: {changed:?}, {count}\n{}", manifests()))
    });
    assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
    let counts = (0..100).map(|seed| {
        let mut random = Random(seed);
        let world = World::new(&mut random);
        let (after, changed) = world.with_changes(&mut random);
        difference(&world, &after, &changed).1
    });
    // Some changes change nothing.
    let changing = counts.filter(|it| *it > 0).count();
    assert!((30..100).contains(&changing), "{changing}");
}

/// Whether a difference is right, and how many pairs it has.
fn difference(before: &World, after: &World, [policies, tiers]: &[Vec<usize>; 2]) -> (bool, usize) {
    let network = Network { plugin: before.plugin, ..Network::default() };
    let (old, new) = (before.manifest(), after.manifest());
    model_of(&old, |old| {
        model_of(&new, |new| {
            let (facts, facts_after) = (Facts::new(old), Facts::new(new));
            let (facts, facts_after) =
                (facts.with_network(&network), facts_after.with_network(&network));
            let object = |at: &usize| facts.policies().iter().nth(*at).map(|it| it.object);
            let policies = policies
                .iter()
                .map(|at| (object(at), facts_after.policies().iter().nth(*at).unwrap()));
            let named = |model: &Model<'_>, name: &str| {
                model.objects().find(|it| it.name == name).map(|it| it.id)
            };
            let cluster_wide = tiers.iter().map(|at| {
                let old = named(old, &before.tier_name(*at));
                (old, new.object(named(new, &after.tier_name(*at)).unwrap()))
            });
            let changes =
                Changes { policies: policies.collect(), cluster_wide: cluster_wide.collect() };
            let (reach, differences) = Reach::changed(old, &facts, &network, &changes);
            let side = |of: fn(&Difference) -> &PortMap<Verdict>| {
                let flows = differences.iter().map(|it| Flow {
                    from: it.from,
                    to: it.to,
                    ports: of(it).clone(),
                });
                let closed = |it: &Pair| it.2.uniform() == Some(Verdict::Deny);
                let mut all = pairs(&facts, &reach, flows);
                all.retain(|it| !closed(it));
                all
            };
            let tables = [&facts, &facts_after].map(|it| pairs(it, it.reach(), it.reach().table()));
            let (was, is) = (side(|it| &it.before), side(|it| &it.after));
            let expected: [BTreeSet<_>; 2] = [
                tables[0].difference(&tables[1]).cloned().collect(),
                tables[1].difference(&tables[0]).cloned().collect(),
            ];
            // It is handed back as it was.
            let is_as_before = pairs(&facts, &reach, reach.table()) == tables[0];
            (is_as_before && [was, is] == expected, differences.len())
        })
    })
}

fn endpoint(facts: &Facts<'_>, reach: &Reach<'_>, end: End) -> EndpointId {
    let is_it = |it: &Endpoint<'_>| match (it, end) {
        (Endpoint::Nodes, End::Node) => true,
        (Endpoint::Addresses(it), End::Address(address)) => it.has(Ipv4Addr::from(address).into()),
        _ => false,
    };
    match end {
        End::Pod(at) => {
            let name = format!("pod{at}");
            let workload = facts.workloads().iter().find(|it| it.name == name).unwrap();
            reach.of_workload(workload.id).unwrap()
        }
        _ => reach.endpoints().find(|it| is_it(it.1)).unwrap().0,
    }
}
