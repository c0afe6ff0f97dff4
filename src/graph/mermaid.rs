//! The picture as a Mermaid flowchart, which GitHub and GitLab draw in Markdown.

use super::phrases;
use super::scene::{Component, ComponentKind, Scene, State};
use std::fmt::Write;

/// Writes a scene as Mermaid.
pub fn render(scene: &Scene) -> String {
    let mut out = String::from("flowchart LR\n");
    put(&mut out, format_args!("  accTitle: {}\n", plain(&scene.title)));
    for (at, namespace) in scene.namespaces.iter().enumerate() {
        let posture = phrases::posture(scene, at).map(|it| format!("<br/>{}", quoted(&it)));
        put(
            &mut out,
            format_args!(
                "  subgraph namespace{at}[\"{}{}\"]\n",
                quoted(&namespace.name),
                posture.unwrap_or_default(),
            ),
        );
        for member in
            (0..scene.components.len()).filter(|it| scene.components[*it].namespace == Some(at))
        {
            component(&mut out, scene, member, "    ");
        }
        out.push_str("  end\n");
    }
    for at in (0..scene.components.len()).filter(|it| scene.components[*it].namespace.is_none()) {
        component(&mut out, scene, at, "  ");
    }
    for flow in &scene.flows {
        let arrow = match flow.state {
            State::Allowed => "-->",
            State::Undeclared => "==>",
            State::Missing | State::Undefined => "-.->",
        };
        put(
            &mut out,
            format_args!(
                "  c{} {arrow}|\"{}\"| c{}\n",
                flow.from,
                quoted(&phrases::label(flow)),
                flow.to,
            ),
        );
    }
    for (state, colour) in
        [(State::Undeclared, "#c2570c"), (State::Missing, "#c81e3a"), (State::Undefined, "#7c3aad")]
    {
        let flows = scene.flows.iter().enumerate().filter(|(_, it)| it.state == state);
        let numbers: Vec<_> = flows.map(|(at, _)| at.to_string()).collect();
        if !numbers.is_empty() {
            put(
                &mut out,
                format_args!("  linkStyle {} stroke:{colour},color:{colour}\n", numbers.join(",")),
            );
        }
    }
    for (at, colour) in phrases::COLOURS.iter().enumerate().skip(1) {
        let flows = scene.flows.iter().enumerate().filter(|(_, it)| it.state == State::Allowed);
        let own = flows.filter(|(_, it)| phrases::colour(scene, it) == at);
        let numbers: Vec<_> = own.map(|(at, _)| at.to_string()).collect();
        if !numbers.is_empty() {
            put(&mut out, format_args!("  linkStyle {} stroke:{colour}\n", numbers.join(",")));
        }
    }
    for (at, component) in scene.components.iter().enumerate() {
        let look = match component.state {
            State::Allowed | State::Undefined => continue,
            State::Undeclared => "stroke:#c2570c,stroke-width:3px",
            State::Missing => "stroke:#c81e3a,stroke-width:3px,stroke-dasharray:7 4",
        };
        put(&mut out, format_args!("  style c{at} {look}\n"));
    }
    for note in &scene.notes {
        put(&mut out, format_args!("  %% {}\n", plain(note)));
    }
    out
}

fn component(out: &mut String, scene: &Scene, at: usize, indent: &str) {
    let component = &scene.components[at];
    let (open, close) = match component.kind {
        ComponentKind::Internet | ComponentKind::External => ("([\"", "\"])"),
        ComponentKind::Ingress => ("[[\"", "\"]]"),
        ComponentKind::Workload => ("[\"", "\"]"),
        ComponentKind::EveryPod => ("(\"", "\")"),
        ComponentKind::DataStore => ("[(\"", "\")]"),
    };
    put(out, format_args!("{indent}c{at}{open}{}{close}\n", lines(scene, component)));
}

fn lines(scene: &Scene, component: &Component) -> String {
    let mut lines = vec![quoted(&component.name)];
    if !component.caption.is_empty() {
        lines.push(quoted(&component.caption));
    }
    lines.extend(phrases::openness(scene, component).into_iter().map(quoted));
    lines.join("<br/>")
}

/// Text for between quotes: everything that Mermaid or HTML might take for its own goes as an entity.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        let is_plain = character.is_alphanumeric() || " -_./:,→–…".contains(character);
        match character {
            it if is_plain => out.push(it),
            it if it.is_control() => out.push(' '),
            it => put(&mut out, format_args!("#{};", u32::from(it))),
        }
    }
    out
}

/// Text for where Mermaid knows no quotes: one line, without what it might take for its own.
fn plain(text: &str) -> String {
    let is_plain = |it: &char| it.is_alphanumeric() || " -_./:,→–…".contains(*it);
    text.chars().map(|it| if is_plain(&it) { it } else { ' ' }).collect()
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("a string takes what is written to it");
}
