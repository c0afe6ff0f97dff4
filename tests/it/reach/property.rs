//! The analysis against the reference: every pair of ends, port and protocol of random worlds.

use super::reference::{End, verdict};
use super::world::{OUTSIDE, PORTS, Random, World};
use crate::support::model_of;
use purlin::analyze::Facts;
use purlin::analyze::reach::{Endpoint, EndpointId, Network, Protocol, Reach};
use rayon::prelude::*;

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

fn endpoint(facts: &Facts<'_>, reach: &Reach<'_>, end: End) -> EndpointId {
    let is_it = |it: &Endpoint<'_>| match (it, end) {
        (Endpoint::Nodes, End::Node) => true,
        (Endpoint::Addresses(it), End::Address(address)) => {
            it.has(std::net::Ipv4Addr::from(address).into())
        }
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
