//! The picture for Graphviz.

use super::phrases;
use super::scene::{Component, ComponentKind, Scene, State};
use crate::text::visible::stand_in;
use std::fmt::Write;

/// Writes a scene as DOT.
pub fn render(scene: &Scene) -> String {
    let mut out = String::from("digraph purlin {\n");
    put(
        &mut out,
        format_args!(
            "  graph [rankdir=LR, label={}, labelloc=t, fontname=\"Helvetica\", ranksep=1];\n\
         \x20 node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11];\n\
         \x20 edge [fontname=\"Helvetica\", fontsize=10];\n",
            quoted(&[scene.title.as_str()]),
        ),
    );
    for (at, namespace) in scene.namespaces.iter().enumerate() {
        let posture = phrases::posture(scene, at);
        let label: Vec<&str> =
            [namespace.name.as_str()].into_iter().chain(posture.as_deref()).collect();
        put(&mut out, format_args!("  subgraph cluster_{at} {{\n    label={};\n", quoted(&label)));
        for member in
            (0..scene.components.len()).filter(|it| scene.components[*it].namespace == Some(at))
        {
            component(&mut out, scene, member, "    ");
        }
        out.push_str("  }\n");
    }
    for at in (0..scene.components.len()).filter(|it| scene.components[*it].namespace.is_none()) {
        component(&mut out, scene, at, "  ");
    }
    for flow in &scene.flows {
        let sender = match phrases::colour(scene, flow) {
            0 => String::new(),
            at => format!(", color=\"{}\"", phrases::COLOURS[at]),
        };
        let look = match flow.state {
            State::Allowed => sender.as_str(),
            State::Undeclared => ", color=\"#c2570c\", fontcolor=\"#c2570c\", penwidth=2",
            State::Missing => {
                ", color=\"#c81e3a\", fontcolor=\"#c81e3a\", style=dashed, constraint=false"
            }
            State::Undefined => ", color=\"#7c3aad\", fontcolor=\"#7c3aad\", style=dotted",
        };
        let label = phrases::label(flow);
        put(
            &mut out,
            format_args!(
                "  c{} -> c{} [label={}{look}];\n",
                flow.from,
                flow.to,
                quoted(&[label.as_str()]),
            ),
        );
    }
    for note in &scene.notes {
        put(&mut out, format_args!("  // {}\n", note.replace(char::is_control, " ")));
    }
    out.push_str("}\n");
    out
}

fn component(out: &mut String, scene: &Scene, at: usize, indent: &str) {
    let component = &scene.components[at];
    let look = match component.kind {
        ComponentKind::Internet => "shape=oval",
        ComponentKind::Ingress => "shape=cds",
        ComponentKind::Workload => "shape=box",
        ComponentKind::EveryPod => "style=\"rounded,dashed\"",
        ComponentKind::DataStore => "shape=cylinder",
        ComponentKind::External => "shape=oval, style=dashed",
    };
    let state = match component.state {
        State::Allowed | State::Undefined => "",
        State::Undeclared => ", color=\"#c2570c\", penwidth=2",
        State::Missing => ", color=\"#c81e3a\", penwidth=2, style=dashed",
    };
    let label = quoted(&lines(scene, component));
    put(out, format_args!("{indent}c{at} [label={label}, {look}{state}];\n"));
}

fn lines<'c>(scene: &Scene, component: &'c Component) -> Vec<&'c str> {
    let mut lines = vec![component.name.as_str()];
    lines.extend(Some(component.caption.as_str()).filter(|it| !it.is_empty()));
    lines.extend(phrases::openness(scene, component));
    lines
}

/// Lines as a quoted string: Graphviz reads backslashes and entities in it.
fn quoted(lines: &[&str]) -> String {
    let mut out = String::from("\"");
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.push_str("\\n");
        }
        for character in line.chars() {
            match stand_in(character).unwrap_or(character) {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '&' => out.push_str("&amp;"),
                it => out.push(it),
            }
        }
    }
    out.push('"');
    out
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("a string takes what is written to it");
}
