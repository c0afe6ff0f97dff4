//! Fewer arrows that say the same.

use super::scenes::{add, flow, scene};
use purlin::graph::condense;
use purlin::graph::scene::{ComponentKind, Scene, State};

/// The flows in words: from, to, ports and state.
fn flows(scene: &Scene) -> Vec<String> {
    let name = |it: usize| scene.components[it].name.as_str();
    let all = scene.flows.iter();
    all.map(|it| format!("{} > {}: {} {}", name(it.from), name(it.to), it.ports, it.state.name()))
        .collect()
}

/// A namespace with these workloads.
fn workloads(names: &[&str]) -> Scene {
    let mut it = scene("", &["shop"]);
    for name in names {
        add(&mut it, Some(0), ComponentKind::Workload, name, "");
    }
    it
}

#[test]
fn parallel_arrows_are_one_for_each_state() {
    let mut it = workloads(&["a", "b"]);
    flow(&mut it, 0, 1, &[80], State::Allowed);
    flow(&mut it, 0, 1, &[443], State::Allowed);
    flow(&mut it, 0, 1, &[22], State::Undeclared);
    flow(&mut it, 0, 1, &[80], State::Allowed);
    assert_eq!(flows(&condense(it)), ["a > b: 80, 443 allowed", "a > b: 22 undeclared"]);
}

#[test]
fn what_all_components_do_is_said_once() {
    let mut it = workloads(&["a", "b", "c"]);
    let dns = add(&mut it, None, ComponentKind::Workload, "dns", "");
    let scraper = add(&mut it, None, ComponentKind::Workload, "prometheus", "");
    for at in 0..3 {
        flow(&mut it, at, dns, &[53], State::Allowed);
        flow(&mut it, scraper, at, &[9090], State::Allowed);
    }
    flow(&mut it, 0, dns, &[8080], State::Allowed);
    assert_eq!(
        flows(&condense(it)),
        [
            "a > dns: 8080 allowed",
            "prometheus > every pod: 9090 allowed",
            "every pod > dns: 53 allowed"
        ]
    );
}

#[test]
fn all_components_but_one_are_not_every_pod() {
    let mut it = workloads(&["a", "b", "c"]);
    let dns = add(&mut it, None, ComponentKind::Workload, "dns", "");
    for at in 0..2 {
        flow(&mut it, at, dns, &[53], State::Allowed);
    }
    assert_eq!(flows(&condense(it)), ["a > dns: 53 allowed", "b > dns: 53 allowed"]);
}

#[test]
fn a_mesh_is_one_arrow() {
    let mut it = workloads(&["a", "b", "c"]);
    for (from, to) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
        flow(&mut it, from, to, &[], State::Allowed);
    }
    flow(&mut it, 0, 1, &[80], State::Missing);
    let expected = ["a > b: 80 missing", "every pod > every pod: any port allowed"];
    assert_eq!(flows(&condense(it)), expected);
}

#[test]
fn too_many_arrows_are_grouped_by_namespace() {
    let mut it = scene("", &["one", "two", "three"]);
    for at in 0..24 {
        add(&mut it, Some(at % 3), ComponentKind::Workload, &format!("w{at}"), "");
    }
    for from in 0..24 {
        for to in (from % 5..24).step_by(5) {
            flow(&mut it, from, to, &[80 + from as u16 % 7], State::Allowed);
        }
    }
    flow(&mut it, 0, 1, &[443], State::Missing);
    let before = it.flows.len();
    assert!(before > 90);
    let condensed = condense(it);
    assert!(condensed.flows.len() <= 90);
    assert!(flows(&condensed).iter().any(|it| it.ends_with("443 missing")));
    assert_eq!(condensed.notes.len(), 1);
    for flow in &condensed.flows {
        assert!(flow.from.max(flow.to) < condensed.components.len());
    }
}

#[test]
fn one_namespace_is_never_one_box() {
    let mut it = workloads(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]);
    for from in 0..10 {
        for to in 0..10 {
            flow(&mut it, from, to, &[1000 + (from * 10 + to) as u16], State::Allowed);
        }
    }
    assert_eq!(condense(it).components.len(), 10);
}
