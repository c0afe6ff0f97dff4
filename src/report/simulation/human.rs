//! Scenarios for people: a table of components, and the nodes with bars.

use super::Played;
use super::json::{fate, verdict};
use crate::analyze::placement::place::By;
use crate::analyze::placement::scenario::NodeOutcome;
use crate::analyze::placement::words::short;
use crate::text::visible::visible;

/// How wide the bars are.
const BAR: usize = 12;

/// More nodes than these are counted, not drawn.
const MOST_NODES: usize = 40;

/// All scenarios.
pub fn human(played: &[Played]) -> String {
    let all: Vec<_> = played.iter().map(scenario).collect();
    all.join("\n")
}

fn scenario(played: &Played) -> String {
    let Played { events, outcome, proof, .. } = played;
    let what = if events.is_empty() { "no event".to_string() } else { events.join(", ") };
    let mut out = format!("at the {}, {what}: {}\n", outcome.at.name(), verdict(outcome.verdict));
    out.push('\n');
    out.push_str(&components(played));
    out.push('\n');
    out.push_str(&nodes(played));
    for it in &outcome.refused {
        let node = &played.world.cluster.nodes[it.node].name;
        out.push_str(&format!("\n  refused: the eviction of {} from {node}: {}\n", it.pod, it.why));
    }
    if let Some(proof) = proof {
        out.push_str(&format!("\n  why: {proof}\n"));
    }
    if outcome.found == Some(By::Search) {
        out.push_str(
            "\n  note: there is a place for all, which kube-scheduler, one pod after the other, may not find\n",
        );
    }
    for it in &outcome.unknown {
        out.push_str(&format!("\n  cannot tell: {it}\n"));
    }
    visible_lines(&out)
}

pub(super) fn visible_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(|it| visible(it).trim_end().to_string()).collect();
    lines.join("\n")
}

fn components(played: &Played) -> String {
    let is_loss = played.outcome.components.iter().any(|it| it.guaranteed.is_some());
    let mut rows = vec![
        ["component", "before", "after", "pending", "at least", "state", ""].map(String::from),
    ];
    for it in &played.outcome.components {
        let of = &played.world.components[it.component];
        rows.push([
            of.name.clone(),
            it.before.to_string(),
            it.after.to_string(),
            it.pending.to_string(),
            it.guaranteed.map_or("?".to_string(), |it| it.to_string()),
            fate(it.fate).to_string(),
            it.reason.clone().unwrap_or_default(),
        ]);
    }
    if !is_loss {
        rows.iter_mut().for_each(|it| it[4].clear());
    }
    table(&rows, &[1, 2, 3, 4])
}

fn nodes(played: &Played) -> String {
    let world = &played.world;
    let mut rows = vec![["node", "zone", "cpu", "memory", "pods"].map(String::from)];
    for it in played.outcome.nodes.iter().take(MOST_NODES) {
        let node = &world.cluster.nodes[it.node];
        let name = match (it.is_lost, it.is_cordoned) {
            (true, _) => format!("{} (lost)", node.name),
            (_, true) => format!("{} (cordoned)", node.name),
            _ => node.name.clone(),
        };
        let pods = it.pods.iter().map(|(at, count)| match count {
            1 => world.components[*at].short.clone(),
            count => format!("{} ×{count}", world.components[*at].short),
        });
        let pods: Vec<_> = pods.collect();
        rows.push([
            name,
            node.zone().unwrap_or("-").to_string(),
            bar(played, it, "cpu"),
            bar(played, it, "memory"),
            pods.join(", "),
        ]);
    }
    let mut out = table(&rows, &[]);
    let more = world.cluster.nodes.len().saturating_sub(MOST_NODES);
    if more > 0 {
        out.push_str(&format!("  and {more} more nodes\n"));
    }
    out
}

/// How much of a node is requested.
fn bar(played: &Played, it: &NodeOutcome, resource: &str) -> String {
    let node = &played.world.cluster.nodes[it.node];
    let used = it.requested.get(resource).copied().unwrap_or(0);
    let has = node.allocatable.as_ref().and_then(|it| it.amounts.get(resource)).copied();
    let Some(has) = has.filter(|it| *it > 0) else {
        return format!("{} of ?", short(resource, used));
    };
    if it.is_lost {
        return "-".into();
    }
    let full = ((used * BAR as i128 + has - 1) / has).clamp(0, BAR as i128) as usize;
    let drawn = "█".repeat(full) + &"░".repeat(BAR - full);
    format!("{drawn} {} of {}", short(resource, used), short(resource, has))
}

/// Columns as wide as what they hold; those listed are numbers.
pub(super) fn table<const N: usize>(rows: &[[String; N]], numbers: &[usize]) -> String {
    let width = |at: usize| rows.iter().map(|it| it[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate().filter(|(at, _)| widths[*at] > 0) {
            let room = " ".repeat(widths[at] - cell.chars().count());
            line.push_str("  ");
            match numbers.contains(&at) {
                true => line.push_str(&format!("{room}{cell}")),
                false => line.push_str(&format!("{cell}{room}")),
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
