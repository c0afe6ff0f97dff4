//! Blocks that hold nearly everything, each without a hole of its own: kept as ranges, and judged as each piece would be.

use super::{endpoint, namespace, pod, policy};
use crate::support::model_of;
use purlin::analyze::Facts;
use purlin::api::network::{Network, Plugin};
use purlin::api::ports::Protocol;

/// More than are listed with each piece.
const BLOCKS: u16 = 100;

#[test]
fn each_of_many_blocks_leaves_out_its_own_hole() {
    let rule = |i: u16| {
        format!(
            "{{to: [{{ipBlock: {{cidr: 0.0.0.0/0, except: [20.0.{i}.0/24, 20.0.{i}.128/25]}}}}], ports: [{{port: {}}}]}}",
            1000 + i
        )
    };
    let rules: Vec<_> = (0..BLOCKS).map(rule).collect();
    let spec =
        format!("{{podSelector: {{}}, policyTypes: [Egress], egress: [{}]}}", rules.join(", "));
    let world =
        namespace("a", "{}") + &pod("a", "web", "{app: web}", "") + &policy("a", "out", &spec);
    let network = Network { plugin: Plugin::Calico, ..Network::default() };
    model_of(&world, |model| {
        let facts = Facts::new(model).with_network(&network);
        let reach = facts.reach();
        let web = endpoint(&facts, reach, "a/web").unwrap();
        for at in 0..BLOCKS {
            for address in [format!("20.0.{at}.1"), format!("20.0.{at}.200")] {
                let to = endpoint(&facts, reach, &address).unwrap();
                let map = reach.judge(web, to);
                for i in 0..BLOCKS {
                    let verdict = map.get(Protocol::Tcp, 1000 + i).name();
                    assert_eq!(verdict, if i == at { "deny" } else { "allow" }, "{address}:{i}");
                }
            }
        }
        let outside = endpoint(&facts, reach, "internet").unwrap();
        assert!(
            (0..BLOCKS).all(|i| {
                reach.judge(web, outside).get(Protocol::Tcp, 1000 + i).name() == "allow"
            })
        );
        // The table is of the same pairs, with the same verdicts.
        let table = reach.table();
        let from_web: Vec<_> = table.iter().filter(|it| it.from == web).collect();
        assert!(from_web.len() > 2 * usize::from(BLOCKS));
        assert!(from_web.iter().all(|it| it.ports == reach.judge(web, it.to)));
    });
}
