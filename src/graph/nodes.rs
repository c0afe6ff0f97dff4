//! Nodes by zone with the pods on them, as a placement has them, before and after something happens.

use crate::analyze::placement::scenario::{NodeOutcome, Outcome};
use crate::analyze::placement::words::short;
use crate::analyze::placement::world::World;
use crate::text::visible::visible;
use std::collections::BTreeMap;

/// More nodes than these make no picture.
pub const MOST: usize = 200;

/// A node in a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Its name, and what became of it.
    pub title: String,
    /// What is requested of it, of how much, and its pods.
    pub lines: Vec<String>,
    /// Whether it is lost.
    pub is_lost: bool,
}

/// Zones in order, each with its nodes.
pub type Zones = BTreeMap<String, Vec<Drawn>>;

/// A moment: what it is called, and its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// `before` or what happened.
    pub title: String,
    /// The nodes.
    pub zones: Zones,
    /// Pods that have no place.
    pub pending: Vec<String>,
}

/// The moments of a scenario: one where nothing happens.
pub fn moments(world: &World, outcome: &Outcome, events: &[String]) -> Vec<Moment> {
    let pending = |count: &dyn Fn(usize) -> usize| {
        let all = world.components.iter().enumerate().map(|(at, it)| (count(at), &it.short));
        all.filter(|it| it.0 > 0).map(|(count, name)| format!("{name} ×{count}")).collect()
    };
    let before = |at: usize| world.components[at].wanted - outcome.components[at].before;
    let after = |at: usize| outcome.components[at].pending;
    let first = Moment {
        title: format!("at the {}", outcome.at.name()),
        zones: zones(world, &outcome.nodes_before),
        pending: pending(&before),
    };
    if events.is_empty() {
        return vec![first];
    }
    let then = Moment {
        title: events.join(", "),
        zones: zones(world, &outcome.nodes),
        pending: pending(&after),
    };
    vec![first, then]
}

fn zones(world: &World, nodes: &[NodeOutcome]) -> Zones {
    let mut zones = Zones::new();
    for it in nodes {
        let zone = world.cluster.nodes[it.node].zone().unwrap_or_default();
        zones.entry(visible(zone).into_owned()).or_default().push(drawn(world, it));
    }
    zones
}

fn drawn(world: &World, it: &NodeOutcome) -> Drawn {
    let node = &world.cluster.nodes[it.node];
    let state = match (it.is_lost, it.is_cordoned) {
        (true, _) => " (lost)",
        (_, true) => " (cordoned)",
        _ => "",
    };
    let mut lines = Vec::new();
    for resource in ["cpu", "memory"] {
        let used = it.requested.get(resource).copied().unwrap_or(0);
        let has = node.allocatable.as_ref().and_then(|it| it.amounts.get(resource));
        if let Some(has) = has.filter(|_| !it.is_lost) {
            lines.push(format!(
                "{resource} {} of {}",
                short(resource, used),
                short(resource, *has)
            ));
        }
    }
    for (at, count) in &it.pods {
        let name = visible(&world.components[*at].short);
        lines.push(if *count == 1 { name.into_owned() } else { format!("{name} ×{count}") });
    }
    Drawn { title: format!("{}{state}", visible(&node.name)), lines, is_lost: it.is_lost }
}

/// As Mermaid, for Markdown.
pub fn mermaid(moments: &[Moment]) -> String {
    let quoted = |it: &str| it.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let mut out = String::from("flowchart TB\n");
    for (number, moment) in moments.iter().enumerate() {
        out.push_str(&format!("  subgraph m{number}[\"{}\"]\n", quoted(&moment.title)));
        for (zone_number, (zone, nodes)) in moment.zones.iter().enumerate() {
            if !zone.is_empty() {
                let zone = quoted(&format!("zone {zone}"));
                out.push_str(&format!("    subgraph m{number}z{zone_number}[\"{zone}\"]\n"));
            }
            for (at, node) in nodes.iter().enumerate() {
                let mut lines = vec![format!("<b>{}</b>", quoted(&node.title))];
                lines.extend(node.lines.iter().map(|it| quoted(it)));
                let class = if node.is_lost { ":::lost" } else { "" };
                out.push_str(&format!(
                    "      m{number}z{zone_number}n{at}[\"{}\"]{class}\n",
                    lines.join("<br/>")
                ));
            }
            if !zone.is_empty() {
                out.push_str("    end\n");
            }
        }
        if !moment.pending.is_empty() {
            let pods: Vec<_> = moment.pending.iter().map(|it| quoted(it)).collect();
            out.push_str(&format!(
                "    m{number}p([\"pending<br/>{}\"]):::lost\n",
                pods.join("<br/>")
            ));
        }
        out.push_str("  end\n");
    }
    if moments.len() > 1 {
        out.push_str("  m0 ~~~ m1\n");
    }
    out.push_str("  classDef lost stroke-dasharray: 4 4,color:#888\n");
    out
}

/// For Graphviz.
pub fn dot(moments: &[Moment]) -> String {
    let quoted = |it: &str| it.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out = String::from("digraph nodes {\n  rankdir=TB\n  node [shape=box]\n");
    for (number, moment) in moments.iter().enumerate() {
        out.push_str(&format!(
            "  subgraph cluster_{number} {{\n    label=\"{}\"\n",
            quoted(&moment.title)
        ));
        for (zone_number, (zone, nodes)) in moment.zones.iter().enumerate() {
            if !zone.is_empty() {
                let zone = quoted(zone);
                out.push_str(&format!(
                    "    subgraph cluster_{number}_{zone_number} {{\n      label=\"zone {zone}\"\n"
                ));
            }
            for (at, node) in nodes.iter().enumerate() {
                let mut lines = vec![quoted(&node.title)];
                lines.extend(node.lines.iter().map(|it| quoted(it)));
                let style = if node.is_lost { ", style=dashed" } else { "" };
                out.push_str(&format!(
                    "      n{number}_{zone_number}_{at} [label=\"{}\"{style}]\n",
                    lines.join("\\n")
                ));
            }
            if !zone.is_empty() {
                out.push_str("    }\n");
            }
        }
        if !moment.pending.is_empty() {
            let pods: Vec<_> = moment.pending.iter().map(|it| quoted(it)).collect();
            out.push_str(&format!(
                "    p{number} [shape=oval, style=dashed, label=\"pending\\n{}\"]\n",
                pods.join("\\n")
            ));
        }
        out.push_str("  }\n");
    }
    out.push_str("}\n");
    out
}

/// How wide a node is drawn, and how far nodes are apart.
const WIDTH: usize = 210;
const GAP: usize = 16;
/// How high a line of text is.
const LINE: usize = 18;
/// More nodes than these in a zone go into a second row.
const IN_A_ROW: usize = 5;

/// For browsers: zone below zone, moment below moment.
pub fn svg(moments: &[Moment]) -> String {
    let (mut body, mut y, mut width) = (String::new(), GAP, 0);
    for moment in moments {
        y += LINE;
        body.push_str(&text(GAP, y, &moment.title, "title"));
        y += GAP;
        for (zone, nodes) in &moment.zones {
            if !zone.is_empty() {
                y += LINE;
                body.push_str(&text(GAP, y, &format!("zone {zone}"), "zone"));
                y += GAP / 2;
            }
            for row in nodes.chunks(IN_A_ROW) {
                let lines = row.iter().map(|it| it.lines.len()).max().unwrap_or(0);
                let height = (lines + 1) * LINE + GAP;
                for (at, node) in row.iter().enumerate() {
                    let x = GAP + at * (WIDTH + GAP);
                    width = width.max(x + WIDTH + GAP);
                    body.push_str(&boxed(x, y, height, node));
                }
                y += height + GAP;
            }
        }
        if !moment.pending.is_empty() {
            y += LINE;
            let pods = format!("pending: {}", moment.pending.join(", "));
            width = width.max(2 * GAP + pods.chars().count() * 8);
            body.push_str(&text(GAP, y, &pods, "lost"));
            y += GAP;
        }
    }
    let height = y + GAP;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <style>.title {{ font-size: 16px; font-weight: bold }} .zone {{ fill: #555 }} .name {{ font-weight: bold }} .lost {{ fill: #a33 }} rect {{ fill: #f6f8fa; stroke: #57606a }} rect.lost {{ fill: none; stroke-dasharray: 4 4 }}</style>\n\
         {body}</svg>\n"
    )
}

fn boxed(x: usize, y: usize, height: usize, node: &Drawn) -> String {
    let class = if node.is_lost { " class=\"lost\"" } else { "" };
    let mut out = format!(
        "<rect{class} x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n"
    );
    out.push_str(&text(x + 10, y + LINE, &node.title, "name"));
    for (at, line) in node.lines.iter().enumerate() {
        out.push_str(&text(x + 10, y + LINE * (at + 2), line, "line"));
    }
    out
}

fn text(x: usize, y: usize, text: &str, class: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<text x=\"{x}\" y=\"{y}\" class=\"{class}\">{text}</text>\n")
}
