//! Who may talk to whom: SEMANTICS, section 1, row by row.

mod asked;
mod blocks;
mod command;
mod property;
mod reference;
mod rows;
mod unlisted;
mod world;

use crate::support::model_of;
use purlin::analyze::Facts;
use purlin::analyze::network::reach::{Endpoint, EndpointId, Reach};
use purlin::api::network::{Network, Plugin};
use purlin::api::ports::Protocol;

/// The name and labels of a pod in flow style, and its ports.
fn pod(namespace: &str, name: &str, labels: &str, rest: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, labels: {labels}}}\nspec: {{containers: [{{name: c, image: i}}]{rest}}}\n---\n"
    )
}

/// The endpoint of `namespace/name`, `internet`, `nodes` or of one of the addresses that policies name.
fn endpoint(facts: &Facts<'_>, reach: &Reach<'_>, name: &str) -> Option<EndpointId> {
    if let Some((namespace, name)) = name.split_once('/').filter(|it| it.1.parse::<u8>().is_err()) {
        let mut all = facts.workloads().in_namespace(namespace);
        let workload = all.find(|it| it.name == name).unwrap();
        return reach.of_workload(workload.id);
    }
    let is_it = |it: &Endpoint<'_>| match it {
        Endpoint::Pods(_) => false,
        Endpoint::Nodes => name == "nodes",
        Endpoint::Addresses(it) if name == "internet" => it.block.to_string() == "0.0.0.0/0",
        Endpoint::Addresses(it) => name.parse().is_ok_and(|name| it.has(name)),
    };
    Some(reach.endpoints().find(|it| is_it(it.1)).unwrap().0)
}

/// The verdict on `from -> to port/protocol`, each written like that, in a world under a plugin.
fn verdicts(world: &str, plugin: Plugin, flows: &[(&str, &str, &str)]) -> Vec<String> {
    let network = Network { plugin, ..Network::default() };
    model_of(world, |model| {
        let facts = Facts::new(model).with_network(&network);
        let reach = facts.reach();
        let judge = |(from, to, port): &(&str, &str, &str)| {
            let ends = endpoint(&facts, reach, from).zip(endpoint(&facts, reach, to));
            let Some((from, to)) = ends else { return "absent".to_string() };
            let (number, protocol) = port.split_once('/').unwrap();
            let protocol = Protocol::parse(protocol).unwrap();
            reach.judge(from, to).get(protocol, number.parse().unwrap()).name().to_string()
        };
        flows.iter().map(judge).collect()
    })
}

fn policy(namespace: &str, name: &str, spec: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n---\n"
    )
}

fn namespace(name: &str, labels: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {labels}}}\n---\n")
}

#[test]
fn row_01_an_empty_selector_selects_its_own_namespace() {
    let world = pod("a", "x", "{app: x}", "") + &pod("b", "z", "{app: z}", "");
    for spec in ["{podSelector: {}}", "{}"] {
        let world = world.clone() + &policy("a", "deny", spec);
        let flows = [("b/z", "a/x", "80/TCP"), ("a/x", "b/z", "80/TCP")];
        assert_eq!(verdicts(&world, Plugin::Generic, &flows), ["deny", "allow"]);
    }
}
