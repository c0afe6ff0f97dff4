//! Which column a component stands in: every arrow goes to the right, apart from those that close a circle.

use crate::graph::scene::{ComponentKind, Flow, Scene, State};
use std::collections::BTreeSet;

/// A column with more components than this gives away those that may as well stand elsewhere.
const TALL: usize = 10;

/// The column of each component.
pub(super) fn columns(scene: &Scene) -> Vec<usize> {
    let count = scene.components.len();
    let arrows = forward(scene);
    let mut after = vec![Vec::new(); count];
    let mut before = vec![Vec::new(); count];
    for (from, to) in &arrows {
        after[*from].push(*to);
        before[*to].push(*from);
    }
    let sorted = topological(count, &after, &before);
    let mut column = vec![0; count];
    // The Internet has the first column for itself.
    let calls = scene.components.iter().any(|it| it.kind == ComponentKind::Internet);
    for at in sorted.iter().copied() {
        let first = usize::from(calls && scene.components[at].kind != ComponentKind::Internet);
        let behind = before[at].iter().map(|it| column[*it] + 1).max().unwrap_or(0);
        column[at] = behind.max(first);
    }
    settle(scene, &sorted, &before, &after, &mut column);
    unconnected(scene, &before, &after, &mut column);
    close_gaps(&mut column);
    column
}

/// The first and the last column of each namespace.
pub(super) fn spans(scene: &Scene, column_of: &[usize]) -> Vec<Option<(usize, usize)>> {
    let mut spans: Vec<Option<(usize, usize)>> = vec![None; scene.namespaces.len()];
    for (component, column) in scene.components.iter().zip(column_of.iter().copied()) {
        let Some(namespace) = component.namespace else { continue };
        let (first, last) = spans[namespace].unwrap_or((column, column));
        spans[namespace] = Some((first.min(column), last.max(column)));
    }
    spans
}

/// The arrows, each pair of components once, with those turned round that close a circle.
fn forward(scene: &Scene) -> BTreeSet<(usize, usize)> {
    let count = scene.components.len();
    let mut after = vec![BTreeSet::new(); count];
    let mut senders = vec![BTreeSet::new(); count];
    for flow in scene.flows.iter().filter(|it| it.from != it.to && !is_weak(scene, it)) {
        after[flow.from].insert(flow.to);
        senders[flow.to].insert(flow.from);
    }
    // Where traffic comes from is looked at first, so what comes back to it is what is turned round.
    let mut starts: Vec<usize> = (0..count).collect();
    starts.sort_by_key(|it| (scene.components[*it].kind, !senders[*it].is_empty(), *it));
    let mut state = vec![Visit::Not; count];
    let mut arrows = BTreeSet::new();
    for start in starts {
        if state[start] != Visit::Not {
            continue;
        }
        state[start] = Visit::Open;
        let mut open = vec![(start, after[start].iter().copied().collect::<Vec<_>>().into_iter())];
        while let Some((at, rest)) = open.last_mut() {
            let at = *at;
            let Some(next) = rest.next() else {
                state[at] = Visit::Done;
                open.pop();
                continue;
            };
            arrows.insert(if state[next] == Visit::Open { (next, at) } else { (at, next) });
            if state[next] == Visit::Not {
                state[next] = Visit::Open;
                open.push((next, after[next].iter().copied().collect::<Vec<_>>().into_iter()));
            }
        }
    }
    arrows
}

/// Whether a flow has no say in where its ends stand: it may not exist, or goes back to where calls come in.
fn is_weak(scene: &Scene, flow: &Flow) -> bool {
    let kind = |it: usize| scene.components[it].kind;
    let goes_back =
        kind(flow.to) <= ComponentKind::Ingress && kind(flow.from) > ComponentKind::Ingress;
    flow.state == State::Undefined || goes_back
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    Not,
    Open,
    Done,
}

/// Every component after those that lead to it.
fn topological(count: usize, after: &[Vec<usize>], before: &[Vec<usize>]) -> Vec<usize> {
    let mut missing: Vec<usize> = before.iter().map(Vec::len).collect();
    let mut ready: Vec<usize> = (0..count).rev().filter(|it| missing[*it] == 0).collect();
    let mut sorted = Vec::with_capacity(count);
    while let Some(at) = ready.pop() {
        sorted.push(at);
        for next in &after[at] {
            missing[*next] -= 1;
            if missing[*next] == 0 {
                ready.push(*next);
            }
        }
    }
    sorted
}

/// Moves components to the right where that makes arrows shorter, or where their kind belongs.
fn settle(
    scene: &Scene,
    sorted: &[usize],
    before: &[Vec<usize>],
    after: &[Vec<usize>],
    column: &mut [usize],
) {
    let last = column.iter().copied().max().unwrap_or(0);
    let mut tall = vec![0; last + 1];
    for at in column.iter() {
        tall[*at] += 1;
    }
    for at in sorted.iter().rev().copied() {
        let component = &scene.components[at];
        let is_alone = before[at].is_empty() && after[at].is_empty();
        if component.kind == ComponentKind::Internet || is_alone {
            continue;
        }
        let room = after[at].iter().map(|it| column[*it] - 1).min();
        // A namespace does not grow because one of its components has its peers far away.
        let home = component.namespace.and_then(|it| last_column(scene, it, before, column));
        let is_stranger = |it: &usize| {
            let namespace = scene.components[*it].namespace;
            namespace.is_none() || namespace != component.namespace
        };
        let wanted = match component.kind {
            // Behind the whole namespaces of those who send to it, not only behind them.
            _ if after[at].is_empty() && before[at].iter().all(is_stranger) => {
                let senders = before[at].iter().map(|it| {
                    let namespace = scene.components[*it].namespace;
                    let home = namespace.and_then(|it| last_column(scene, it, before, column));
                    home.unwrap_or(0).max(column[*it]) + 1
                });
                senders.max().unwrap_or(0)
            }
            ComponentKind::DataStore | ComponentKind::EveryPod => {
                home.or(room).unwrap_or(column[at])
            }
            // Whom calls from outside reach first stands first.
            _ if before[at]
                .iter()
                .any(|it| scene.components[*it].kind <= ComponentKind::Ingress) =>
            {
                continue;
            }
            _ if after[at].len() > before[at].len() => home.or(room).unwrap_or(column[at]),
            _ if after[at].is_empty() && tall[column[at].min(last)] > TALL => {
                let roomier = (column[at]..=last).min_by_key(|it| (tall[*it], *it));
                roomier.unwrap_or(column[at])
            }
            _ => continue,
        };
        let moved = wanted.min(room.unwrap_or(wanted)).max(column[at]);
        tall[column[at].min(last)] -= 1;
        tall[moved.min(last)] += 1;
        column[at] = moved;
    }
    // Where traffic ends in data the data stores of a namespace stand together.
    for namespace in 0..scene.namespaces.len() {
        let stores = (0..column.len()).filter(|it| {
            let component = &scene.components[*it];
            component.namespace == Some(namespace)
                && component.kind == ComponentKind::DataStore
                && after[*it].is_empty()
                && !before[*it].is_empty()
        });
        let stores: Vec<usize> = stores.collect();
        let last = stores.iter().map(|it| column[*it]).max().unwrap_or(0);
        if stores.len() <= TALL {
            stores.into_iter().for_each(|it| column[it] = last);
        }
    }
    // What is outside the cluster stands at its end.
    let last = column.iter().copied().max().unwrap_or(0);
    for at in sorted.iter().copied().filter(|it| after[*it].is_empty() && !before[*it].is_empty()) {
        if scene.components[at].kind == ComponentKind::External {
            column[at] = last;
        }
    }
}

/// The last column of a namespace's components that something leads to.
fn last_column(
    scene: &Scene,
    namespace: usize,
    before: &[Vec<usize>],
    column: &[usize],
) -> Option<usize> {
    let members = (0..column.len()).filter(|it| scene.components[*it].namespace == Some(namespace));
    members.filter(|it| !before[*it].is_empty()).map(|it| column[it]).max()
}

/// Components without arrows fill the columns of their namespace evenly; at least a few, or they would make a tower.
fn unconnected(scene: &Scene, before: &[Vec<usize>], after: &[Vec<usize>], column: &mut [usize]) {
    let is_alone = |at: usize| before[at].is_empty() && after[at].is_empty();
    for namespace in (0..scene.namespaces.len()).map(Some).chain([None]) {
        let members: Vec<usize> =
            (0..column.len()).filter(|it| scene.components[*it].namespace == namespace).collect();
        let (alone, connected): (Vec<usize>, Vec<usize>) =
            members.iter().partition(|it| is_alone(**it));
        let alone: Vec<_> = alone
            .into_iter()
            .filter(|it| scene.components[*it].kind != ComponentKind::Internet)
            .collect();
        if alone.is_empty() {
            continue;
        }
        let columns = || connected.iter().map(|it| column[*it]);
        let start =
            usize::from(scene.components.iter().any(|it| it.kind == ComponentKind::Internet));
        let first = columns().min().unwrap_or(start);
        let wide = match alone.len() {
            0..=3 => 1,
            4..=8 => 2,
            9..=18 => 3,
            _ => 5,
        };
        let last = columns().max().unwrap_or(first).max(first + wide - 1);
        let mut tall = vec![0; last - first + 1];
        for it in columns().collect::<Vec<_>>() {
            tall[it - first] += 1;
        }
        for at in alone {
            if scene.components[at].kind == ComponentKind::DataStore {
                column[at] = last;
                tall[last - first] += 1;
                continue;
            }
            let lowest = (0..tall.len()).min_by_key(|it| (tall[*it], *it)).unwrap_or(0);
            tall[lowest] += 1;
            column[at] = first + lowest;
        }
    }
}

/// No column is empty.
fn close_gaps(column: &mut [usize]) {
    let used: BTreeSet<usize> = column.iter().copied().collect();
    let used: Vec<usize> = used.into_iter().collect();
    for at in column.iter_mut() {
        *at = used.binary_search(at).unwrap_or_else(|it| it);
    }
}
