//! Words that all three formats share.

use super::scene::{Component, Flow, Posture, Scene, State};

/// What a namespace says about the traffic of its components that no arrow shows, where it is the same for all.
pub(super) fn posture(scene: &Scene, namespace: usize) -> Option<String> {
    let members = || {
        let all = scene.components.iter().filter(|it| it.namespace == Some(namespace));
        all.filter(|it| it.is_in_input())
    };
    let (ingress, egress) =
        (common(members().map(|it| it.ingress)), common(members().map(|it| it.egress)));
    let said = |posture: Option<Posture>| posture.filter(|it| *it != Posture::Unknown);
    Some(match (said(ingress), said(egress)) {
        (None, None) => return None,
        (Some(Posture::Denied), Some(Posture::Denied)) => "denied by default: in, out".into(),
        (Some(Posture::Denied), Some(_)) => "denied by default: in; open: out".into(),
        (Some(_), Some(Posture::Denied)) => "denied by default: out; open: in".into(),
        (Some(Posture::Denied), None) => "denied by default: in".into(),
        (None, Some(Posture::Denied)) => "denied by default: out".into(),
        (Some(_), Some(_)) => "open: in, out".into(),
        (Some(_), None) => "open: in".into(),
        (None, Some(_)) => "open: out".into(),
    })
}

/// What a component says about its traffic that no arrow shows, beside what its namespace says.
pub(super) fn openness(scene: &Scene, component: &Component) -> Vec<&'static str> {
    let members = || {
        scene
            .components
            .iter()
            .filter(|it| component.namespace.is_some() && it.namespace == component.namespace)
            .filter(|it| it.is_in_input())
    };
    let mut said = Vec::new();
    let is_open = |it: Posture| it == Posture::Open;
    if is_open(component.ingress) && common(members().map(|it| it.ingress)).is_none() {
        said.push("open to any sender");
    }
    if is_open(component.egress) && common(members().map(|it| it.egress)).is_none() {
        said.push("may send anywhere");
    }
    said
}

/// What all of them are; `None` where they differ, or there are none.
fn common(mut postures: impl Iterator<Item = Posture>) -> Option<Posture> {
    let first = postures.next()?;
    postures.all(|it| it == first).then_some(first)
}

/// Whether anything in the picture says that something is denied by default.
pub(super) fn says_denied(scene: &Scene) -> bool {
    (0..scene.namespaces.len()).filter_map(|it| posture(scene, it)).any(|it| it.contains("denied"))
}

/// Whether anything in the picture says that something is open.
pub(super) fn says_open(scene: &Scene) -> bool {
    let mut namespaces = (0..scene.namespaces.len()).filter_map(|it| posture(scene, it));
    namespaces.any(|it| it.starts_with("open"))
        || scene.components.iter().any(|it| !openness(scene, it).is_empty())
}

/// Colours by which arrows of different senders are told apart, on light and on dark ground.
pub(super) const COLOURS: [&str; 8] =
    ["#6b7a8c", "#2f6fc4", "#2c7a70", "#8a6d1f", "#4d7c2a", "#5b5fc7", "#0e7490", "#7a5c48"];

/// The colour of an allowed arrow: that of its sender.
pub(super) fn colour(scene: &Scene, flow: &Flow) -> usize {
    let mut senders: Vec<usize> = scene.flows.iter().map(|it| it.from).collect();
    senders.sort_unstable();
    senders.dedup();
    senders.binary_search(&flow.from).unwrap_or_default() % COLOURS.len()
}

/// The label of an arrow: its ports, and its state where that is not the good one.
pub(super) fn label(flow: &Flow) -> String {
    match flow.state {
        State::Allowed => flow.ports.to_string(),
        state => format!("{} {}", flow.ports, state.name()),
    }
}

/// A flow in words.
pub(super) fn sentence(scene: &Scene, flow: &Flow) -> String {
    let name = |at: usize| {
        let component = &scene.components[at];
        let namespace = component.namespace.map(|it| format!("{}/", scene.namespaces[it].name));
        format!("{}{}", namespace.unwrap_or_default(), component.name)
    };
    format!("{} → {}: {}, {}", name(flow.from), name(flow.to), flow.ports, flow.state.name())
}

/// What a state means, for the legend.
pub(super) fn meaning(state: State) -> &'static str {
    match state {
        State::Allowed => "allowed",
        State::Undeclared => "allowed, not declared",
        State::Missing => "declared, not allowed",
        State::Undefined => "left open by Kubernetes",
    }
}
