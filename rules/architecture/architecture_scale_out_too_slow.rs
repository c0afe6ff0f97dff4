//! A scale-out that its rate cannot finish in the time that is promised.

use crate::architecture::Promise;
use crate::architecture::statements::{Objective, Rate, Replicas, Select};
use crate::architecture::time::Duration;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "architecture-scale-out-too-slow",
    title: "an autoscaler's rate does not reach the promised count in the promised time",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("architecture_scale_out_too_slow.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let Some(promise) = cx.stated() else { return };
    for (it, node) in promise.value.objectives.iter().zip(promise.root().list("objectives")) {
        out.findings.extend(of_objective(cx, promise, it, node));
    }
}

fn of_objective(
    cx: &Cx<'_, '_>,
    promise: &Promise,
    objective: &Objective,
    node: Node<'_>,
) -> Option<Finding> {
    let (name, within) = (&objective.scale_out.as_ref()?.0, objective.within?);
    let component = promise.value.components.get(name)?;
    let Some(Replicas::Between(bounds)) = component.replicas else { return None };
    let to = match objective.to.as_ref().map(|it| it.0.as_str()) {
        None | Some("max") => bounds.max,
        Some(count) => count.parse().ok()?,
    };
    let said = promise.component(name)?;
    let rate = component.scaling.as_ref().and_then(|it| it.up.as_ref());
    let at = said.at(&["scaling", "up"]).or(said.get("scaling")).or(said.get("replicas"))?;
    let taken = time(rate, bounds.min, to)?;
    if taken <= within {
        return None;
    }
    let message = format!(
        "`{name}` takes {taken} from {} to {to} pods, and {within} are promised",
        bounds.min
    );
    let finding = Finding::new(
        message,
        promise.place(cx.model, node.get("within").unwrap_or(node)),
        format!("{within} promised here"),
    )
    .label(promise.place(cx.model, at), "as fast as this")
    .note(steps(rate, bounds.min, to, taken))
    .note("the start of the pods, and of nodes for them, comes on top");
    Some(finding.help(match enough(rate, bounds.min, to, within) {
        Some(pods) => format!("let it add {pods} pods at a time, or promise {taken}"),
        None => format!("promise {taken}, or start from more pods"),
    }))
}

/// What the API server fills in: four pods or twice as many, whichever is more, every 15 seconds
/// (`pkg/apis/autoscaling/v2/defaults.go`, GenerateHPAScaleUpRules).
fn filled_in() -> Rate {
    let every = Some(Duration(15_000));
    Rate { pods: Some(4), percent: Some(100), every, ..Rate::default() }
}

/// How long it takes. The first step comes at once, each other one a period later
/// (`pkg/controller/podautoscaler/horizontal.go`, calculateScaleUpLimitWithScalingRules).
fn time(rate: Option<&Rate>, from: u32, to: u32) -> Option<Duration> {
    let filled_in = filled_in();
    let rate = rate.filter(|it| it.pods.is_some() || it.percent.is_some()).unwrap_or(&filled_in);
    if rate.select == Some(Select::Disabled) {
        return None;
    }
    let every = rate.every.unwrap_or(Duration(15_000)).0;
    let (mut now, mut steps) = (u64::from(from.max(1)), 0_u64);
    while now < u64::from(to) {
        let next = step(rate, now);
        if next <= now {
            return None;
        }
        (now, steps) = (next, steps + 1);
    }
    let after = rate.after.map_or(0, |it| it.0);
    Some(Duration(after + steps.saturating_sub(1) * every))
}

/// How many pods there are after one step.
fn step(rate: &Rate, now: u64) -> u64 {
    let by_pods = rate.pods.map(|it| now + u64::from(it));
    let by_percent = rate.percent.map(|it| (now * (100 + u64::from(it))).div_ceil(100));
    match rate.select {
        Some(Select::Min) => by_pods.into_iter().chain(by_percent).min(),
        _ => by_pods.into_iter().chain(by_percent).max(),
    }
    .unwrap_or(now)
}

fn steps(rate: Option<&Rate>, from: u32, to: u32, taken: Duration) -> String {
    let every = rate.and_then(|it| it.every).unwrap_or(Duration(15_000));
    match rate {
        Some(Rate { pods: Some(pods), percent: None, .. }) => {
            let steps = u64::from(to.saturating_sub(from)).div_ceil(u64::from((*pods).max(1)));
            let waits = steps.saturating_sub(1);
            format!("{steps} steps of {pods}, the first at once: {waits} × {every} = {taken}")
        }
        _ => format!("step by step, one every {every}: {taken}"),
    }
}

/// How many pods at a time are enough.
fn enough(rate: Option<&Rate>, from: u32, to: u32, within: Duration) -> Option<u32> {
    let rate = rate?;
    let every = rate.every.unwrap_or(Duration(15_000)).0.max(1);
    let waits = within.0.checked_sub(rate.after.map_or(0, |it| it.0))? / every;
    let steps = u32::try_from(waits + 1).ok()?;
    Some(to.saturating_sub(from).div_ceil(steps))
}
