//! Fewer arrows that say the same: parallel ones merged, those of a whole namespace drawn once, and, where there are
//! still too many, whole namespaces as one component.

use super::scene::{Component, ComponentKind, Flow, PortRange, Posture, Scene, State};
use std::collections::{BTreeMap, BTreeSet};

/// With more arrows than this nobody follows one any more.
const TOO_MANY: usize = 90;

/// For two components an arrow each says it better than one for "every pod".
const FEW: usize = 3;

/// One port range of one flow.
type Atom = (usize, usize, State, PortRange);

/// The scene with its arrows merged.
pub fn condense(scene: Scene) -> Scene {
    let mut scene = scene;
    let mut atoms: BTreeSet<Atom> = scene
        .flows
        .iter()
        .flat_map(|it| it.ports.0.iter().map(|range| (it.from, it.to, it.state, *range)))
        .collect();
    for namespace in 0..scene.namespaces.len() {
        say_once(&mut scene, &mut atoms, namespace);
    }
    scene.flows = merge(&atoms);
    group_namespaces(scene)
}

/// Parallel arrows of one state are one, with the ports of all.
fn merge(atoms: &BTreeSet<Atom>) -> Vec<Flow> {
    let mut flows: Vec<Flow> = Vec::new();
    for (from, to, state, range) in atoms.iter().copied() {
        match flows.last_mut().filter(|it| (it.from, it.to, it.state) == (from, to, state)) {
            Some(flow) => flow.ports.0.insert(range),
            None => {
                flows.push(Flow { from, to, state, ports: [range].into_iter().collect() });
                true
            }
        };
    }
    flows
}

/// Arrows that all components of a namespace have become one of "every pod".
fn say_once(scene: &mut Scene, atoms: &mut BTreeSet<Atom>, namespace: usize) {
    let members: BTreeSet<usize> = (0..scene.components.len())
        // What policies name beside them is none of them.
        .filter(|it| scene.components[*it].namespace == Some(namespace))
        .filter(|it| scene.components[*it].is_in_input())
        .collect();
    if members.len() < FEW {
        return;
    }
    let every_pod = scene.components.len();
    let mut said: BTreeSet<Atom> = BTreeSet::new();
    let mut unsaid: BTreeSet<Atom> = BTreeSet::new();
    // Who sends to all, and to whom all send; a component need not talk to itself for that.
    let mut out: BTreeMap<(usize, State, PortRange), BTreeSet<usize>> = BTreeMap::new();
    let mut within: BTreeMap<(State, PortRange), BTreeSet<(usize, usize)>> = BTreeMap::new();
    for (from, to, state, range) in atoms.iter().copied() {
        if members.contains(&from) && members.contains(&to) {
            within.entry((state, range)).or_default().insert((from, to));
        }
        if members.contains(&from) {
            out.entry((to, state, range)).or_default().insert(from);
        }
    }
    for ((state, range), pairs) in within {
        let others = pairs.iter().filter(|(from, to)| from != to).count();
        if others == members.len() * (members.len() - 1) {
            said.insert((every_pod, every_pod, state, range));
            unsaid.extend(pairs.into_iter().map(|(from, to)| (from, to, state, range)));
        }
    }
    for ((to, state, range), from) in out {
        if members.iter().all(|it| *it == to || from.contains(it)) {
            let all = from.into_iter().map(|it| (it, to, state, range));
            let all: Vec<_> = all.filter(|it| !unsaid.contains(it)).collect();
            if !all.is_empty() {
                said.insert((every_pod, to, state, range));
                unsaid.extend(all);
            }
        }
    }
    let mut into: BTreeMap<(usize, State, PortRange), BTreeSet<usize>> = BTreeMap::new();
    for (from, to, state, range) in atoms.difference(&unsaid).copied() {
        if members.contains(&to) {
            into.entry((from, state, range)).or_default().insert(to);
        }
    }
    for ((from, state, range), to) in into {
        if members.iter().all(|it| *it == from || to.contains(it)) {
            said.insert((from, every_pod, state, range));
            unsaid.extend(to.into_iter().map(|it| (from, it, state, range)));
        }
    }
    if said.is_empty() {
        return;
    }
    atoms.retain(|it| !unsaid.contains(it));
    atoms.extend(said);
    scene.components.push(Component {
        name: "every pod".into(),
        caption: format!("of {}", scene.namespaces[namespace].name),
        kind: ComponentKind::EveryPod,
        namespace: Some(namespace),
        ingress: Posture::Unknown,
        egress: Posture::Unknown,
        state: State::Allowed,
    });
}

/// Draws whole namespaces as one component, the busiest first, until few enough arrows are left.
fn group_namespaces(scene: Scene) -> Scene {
    let mut scene = scene;
    let drawn = scene.flows.len();
    // A picture of one box says nothing.
    if scene.namespaces.len() < 2 {
        return scene;
    }
    let mut grouped = 0;
    while scene.flows.len() > TOO_MANY {
        let sizes = (0..scene.namespaces.len()).filter(|it| members(&scene, *it).len() > 1);
        let smaller = sizes.map(|it| group(&scene, it)).min_by_key(|it| it.flows.len());
        let Some(smaller) = smaller else { break };
        scene = smaller;
        grouped += 1;
    }
    if grouped > 0 {
        scene.notes.push(format!(
            "{drawn} flows are too many to follow, so components are grouped by namespace"
        ));
    }
    scene
}

fn members(scene: &Scene, namespace: usize) -> Vec<usize> {
    let is_member = |it: &usize| scene.components[*it].namespace == Some(namespace);
    (0..scene.components.len()).filter(is_member).collect()
}

/// The scene with one component in place of all those of a namespace.
fn group(scene: &Scene, namespace: usize) -> Scene {
    let members = members(scene, namespace);
    let components = members.iter().map(|it| &scene.components[*it]);
    let real: Vec<_> = components.filter(|it| it.kind != ComponentKind::EveryPod).collect();
    let names: Vec<_> = real.iter().map(|it| it.name.as_str()).collect();
    let same = |of: fn(&Component) -> Posture| {
        let first = real.first().map_or(Posture::Unknown, |it| of(it));
        if real.iter().all(|it| of(it) == first) { first } else { Posture::Unknown }
    };
    let whole = Component {
        name: format!("{} components", real.len()),
        caption: names.join(", "),
        kind: ComponentKind::Workload,
        namespace: Some(namespace),
        ingress: same(|it| it.ingress),
        egress: same(|it| it.egress),
        state: State::Allowed,
    };
    let mut place = vec![0; scene.components.len()];
    let mut kept = Vec::new();
    for (at, component) in scene.components.iter().enumerate() {
        if component.namespace != Some(namespace) {
            place[at] = kept.len();
            kept.push(component.clone());
        }
    }
    for at in &members {
        place[*at] = kept.len();
    }
    kept.push(whole);
    let atoms = scene.flows.iter().flat_map(|it| {
        let (from, to) = (place[it.from], place[it.to]);
        it.ports.0.iter().map(move |range| (from, to, it.state, *range))
    });
    Scene { flows: merge(&atoms.collect()), components: kept, ..scene.clone() }
}
