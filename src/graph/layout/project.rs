//! Positions on a line that keep their distances and are as near as possible to where they would like to be.

/// `below` is at least `distance` below `above`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Distance {
    pub(super) above: usize,
    pub(super) below: usize,
    pub(super) distance: f64,
}

/// The positions nearest to `wanted` (in the sum of weighted squares) that keep the distances, nearly: Hildreth's
/// method, which corrects one distance after the other and remembers how much each had to be.
pub(super) fn project(
    wanted: &[f64],
    weight: &[f64],
    distances: &[Distance],
    forces: &mut [f64],
) -> Vec<f64> {
    let mut y = wanted.to_vec();
    for (it, force) in distances.iter().zip(forces.iter()) {
        y[it.above] -= force / weight[it.above];
        y[it.below] += force / weight[it.below];
    }
    for round in 0..200 {
        let mut worst = 0.0_f64;
        for step in 0..distances.len() {
            let at = if round % 2 == 0 { step } else { distances.len() - 1 - step };
            let Distance { above, below, distance } = distances[at];
            let lacking = distance - (y[below] - y[above]);
            let change = lacking / (1.0 / weight[above] + 1.0 / weight[below]);
            let change = change.max(-forces[at]);
            forces[at] += change;
            y[above] -= change / weight[above];
            y[below] += change / weight[below];
            worst = worst.max(lacking.min(change.abs()));
        }
        if worst < 0.05 {
            break;
        }
    }
    y
}

/// Moves down what is too near to what is above it, so that every distance is kept.
pub(super) fn push_down(y: &mut [f64], distances: &[Distance]) {
    let mut missing = vec![0; y.len()];
    let mut after = vec![Vec::new(); y.len()];
    for it in distances {
        missing[it.below] += 1;
        after[it.above].push(*it);
    }
    let mut ready: Vec<usize> = (0..y.len()).filter(|it| missing[*it] == 0).collect();
    while let Some(at) = ready.pop() {
        for it in &after[at] {
            y[it.below] = y[it.below].max(y[at] + it.distance);
            missing[it.below] -= 1;
            if missing[it.below] == 0 {
                ready.push(it.below);
            }
        }
    }
}
