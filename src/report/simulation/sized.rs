//! The fewest nodes of each pool, for people and as JSON.

use super::human::{table, visible_lines};
use crate::analyze::placement::size::{Bears, MOST_NODES, Size};
use crate::analyze::placement::words::words;
use crate::analyze::placement::world::World;
use crate::report::escaped::escaped;
use serde::Serialize;

/// A pool as it is described.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// The fewest nodes that it may have.
    pub least: usize,
    /// The most.
    pub most: usize,
}

/// The sizes that were found.
#[derive(Clone, Debug)]
pub struct Sized {
    pools: Vec<Pool>,
    sizes: Vec<SizeJson>,
    unknown: Vec<String>,
}

#[derive(Serialize)]
struct ReportJson<'s> {
    version: u32,
    scenarios: [(); 0],
    sizes: &'s [SizeJson],
    unknown: &'s [String],
}

#[derive(Clone, Debug, Serialize)]
struct SizeJson {
    bears: &'static str,
    pools: Option<Vec<PoolJson>>,
    exact: bool,
    bound: Vec<String>,
    proof: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct PoolJson {
    name: String,
    nodes: usize,
}

impl Sized {
    /// Words what was found. `world` is the one with the numbers that are described.
    pub fn new(pools: Vec<Pool>, sizes: &[Size], world: &World) -> Sized {
        let mut unknown = world.unknown.clone();
        if let Some(node) = world.cluster.nodes.iter().find(|it| it.allocatable.is_none()) {
            unknown.push(format!("what is allocatable on `{}`: whether there is room", node.name));
        }
        let sizes = sizes.iter().map(|it| size(&pools, it)).collect();
        Sized { pools, sizes, unknown }
    }

    /// Whether the numbers hold.
    pub fn is_known(&self) -> bool {
        self.unknown.is_empty() && self.sizes.iter().all(|it| it.exact)
    }

    /// For machines.
    pub fn json(&self) -> String {
        let report =
            ReportJson { version: 1, scenarios: [], sizes: &self.sizes, unknown: &self.unknown };
        let text = serde_json::to_string_pretty(&report).expect("names and numbers are JSON");
        escaped(text) + "\n"
    }

    /// For people.
    pub fn human(&self) -> String {
        let mut rows = vec![
            ["pool", "described", "hold the peaks", "and any node's loss", "and any zone's loss"]
                .map(String::from),
        ];
        for (at, pool) in self.pools.iter().enumerate() {
            let described = match pool.least == pool.most {
                true => pool.most.to_string(),
                false => format!("{} to {}", pool.least, pool.most),
            };
            let mut row =
                [pool.name.clone(), described, String::new(), String::new(), String::new()];
            for (cell, size) in row[2..].iter_mut().zip(&self.sizes) {
                *cell = match &size.pools {
                    None => "-".into(),
                    Some(pools) if size.exact => pools[at].nodes.to_string(),
                    Some(pools) => format!("at most {}", pools[at].nodes),
                };
            }
            rows.push(row);
        }
        let mut out = String::from("the fewest nodes of each pool\n\n");
        out.push_str(&table(&rows, &[1, 2, 3, 4]));
        for (size, head) in self.sizes.iter().zip(&rows[0][2..]) {
            if let Some(proof) = &size.proof {
                out.push_str(&format!("\n  {head}: {proof}\n"));
            }
        }
        let bound: std::collections::BTreeSet<&String> =
            self.sizes.iter().flat_map(|it| &it.bound).collect();
        for name in bound {
            out.push_str(&format!(
                "\n  note: {name} waits for what it left where it stood, however many nodes there are\n"
            ));
        }
        for it in &self.unknown {
            out.push_str(&format!("\n  cannot tell: {it}\n"));
        }
        visible_lines(&out)
    }
}

fn size(pools: &[Pool], size: &Size) -> SizeJson {
    let named = |all: &Vec<usize>| {
        let each = pools.iter().zip(all);
        each.map(|(pool, nodes)| PoolJson { name: pool.name.clone(), nodes: *nodes }).collect()
    };
    let proof = match (&size.pools, &size.proof, size.bears) {
        (Some(_), _, _) => None,
        (None, Some((world, proof)), _) => {
            let name = |at: usize| world.components[at].name.clone();
            Some(words(world, proof, &name))
        }
        (None, None, Bears::ZoneLoss) => Some(format!(
            "no number up to {MOST_NODES} nodes: the nodes are of fewer than two zones, or pods have to be spread over them"
        )),
        (None, None, _) => Some(format!("no number up to {MOST_NODES} nodes")),
    };
    SizeJson {
        bears: match size.bears {
            Bears::Pods => "pods",
            Bears::NodeLoss => "nodeLoss",
            Bears::ZoneLoss => "zoneLoss",
        },
        pools: size.pools.as_ref().map(named),
        exact: size.is_exact,
        bound: size.bound.iter().cloned().collect(),
        proof,
    }
}
