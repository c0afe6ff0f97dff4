//! Scenes to draw.

use proptest::prelude::*;
use purlin::graph::scene::{
    Component, ComponentKind, Flow, Namespace, PortRange, Ports, Posture, Scene, State,
};

/// A scene without components, with these namespaces.
pub(crate) fn scene(title: &str, namespaces: &[&str]) -> Scene {
    let namespaces = namespaces.iter().map(|it| Namespace { name: (*it).to_string() }).collect();
    Scene { title: title.to_string(), namespaces, ..Scene::default() }
}

/// Adds a component, behind a default deny if it has a namespace.
pub(crate) fn add(
    scene: &mut Scene,
    namespace: Option<usize>,
    kind: ComponentKind,
    name: &str,
    caption: &str,
) -> usize {
    let posture = if namespace.is_some() { Posture::Denied } else { Posture::Unknown };
    scene.components.push(Component {
        name: name.to_string(),
        caption: caption.to_string(),
        kind,
        namespace,
        ingress: posture,
        egress: posture,
        state: State::Allowed,
    });
    scene.components.len() - 1
}

/// Adds a flow to ports of TCP; none of them means all.
pub(crate) fn flow(scene: &mut Scene, from: usize, to: usize, ports: &[u16], state: State) {
    let mut ranges: Ports = ports.iter().map(|it| PortRange::tcp(*it)).collect();
    if ports.is_empty() {
        ranges.0.insert(PortRange::ANY);
    }
    scene.flows.push(Flow { from, to, ports: ranges, state });
}

/// An application in two tiers, with one flow of each state and everything that is drawn in a way of its own.
pub(crate) fn shop() -> Scene {
    let mut it = scene("shop", &["ingress-nginx", "shop", "kube-system"]);
    let internet = add(&mut it, None, ComponentKind::Internet, "Internet", "");
    let nginx = add(&mut it, Some(0), ComponentKind::Ingress, "ingress-nginx", "DaemonSet");
    let web = add(&mut it, Some(1), ComponentKind::Workload, "web", "Deployment, 2 to 6 pods");
    let orders = add(&mut it, Some(1), ComponentKind::Workload, "orders", "Deployment, 3 pods");
    let mail = add(&mut it, Some(1), ComponentKind::Workload, "mail", "Deployment, 1 pod");
    let database =
        add(&mut it, Some(1), ComponentKind::DataStore, "postgres", "StatefulSet, 3 pods");
    let dns = add(&mut it, Some(2), ComponentKind::Workload, "kube-dns", "not in the input");
    let outside = add(&mut it, None, ComponentKind::External, "Internet", "0.0.0.0/0");
    it.components[mail].egress = Posture::Open;
    flow(&mut it, internet, nginx, &[443, 80], State::Allowed);
    flow(&mut it, nginx, web, &[8080], State::Allowed);
    flow(&mut it, web, orders, &[9000], State::Allowed);
    flow(&mut it, web, database, &[5432], State::Undeclared);
    flow(&mut it, orders, database, &[5432], State::Allowed);
    flow(&mut it, orders, mail, &[2525], State::Missing);
    flow(&mut it, mail, outside, &[25, 587], State::Undefined);
    flow(&mut it, database, database, &[5432], State::Allowed);
    for from in [web, orders, mail, database] {
        let ports = ["UDP", "TCP"].map(|protocol| PortRange { first: 53, last: 53, protocol });
        let ports = ports.into_iter().collect();
        it.flows.push(Flow { from, to: dns, ports, state: State::Allowed });
    }
    it
}

/// Scenes of any shape, with some of everything.
pub(crate) fn any_scene(largest: usize) -> impl Strategy<Value = Scene> {
    let component = (0..6_usize, 0..5_usize, "[ -~]{0,40}", 0..3_usize, 0..3_usize);
    let components = prop::collection::vec(component, 1..largest);
    let flow = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1..4_u16, 0..4_usize);
    let flows = prop::collection::vec(flow, 0..largest * 2);
    (components, flows).prop_map(|(components, flows)| {
        let kinds = [
            ComponentKind::Workload,
            ComponentKind::DataStore,
            ComponentKind::Internet,
            ComponentKind::Ingress,
            ComponentKind::External,
            ComponentKind::EveryPod,
        ];
        let postures = [Posture::Denied, Posture::Open, Posture::Unknown];
        let mut it = scene("any", &["a", "b", "a namespace with a name that is long", "d"]);
        for (kind, namespace, name, ingress, egress) in components {
            let namespace = Some(namespace).filter(|it| *it < 4);
            let at = add(&mut it, namespace, kinds[kind], &name, "something");
            it.components[at].ingress = postures[ingress];
            it.components[at].egress = postures[egress];
        }
        let count = it.components.len();
        for (from, to, port, state) in flows {
            let (from, to) = (from.index(count), to.index(count));
            self::flow(&mut it, from, to, &[port], State::ALL[state]);
        }
        it
    })
}
