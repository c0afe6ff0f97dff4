//! Scaling that is stated and that no autoscaler does.

use crate::architecture::Promise;
use crate::architecture::statements::{Component, Rate, Replicas, Scaling};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "architecture-scaling-impossible",
    title: "scaling is stated as no autoscaler does it",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("architecture_scaling_impossible.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// What serves the use of CPU and memory to autoscalers.
const RESOURCE_METRICS: [&str; 2] = ["metrics-server", "prometheus-adapter"];

/// What serves metrics of applications, or scales on them itself.
const CUSTOM_METRICS: [&str; 5] =
    ["keda", "prometheus-adapter", "custom-metrics", "datadog", "cloudwatch-adapter"];

/// What adds nodes.
const NODE_SCALERS: [&str; 3] = ["cluster-autoscaler", "karpenter", "auto-mode"];

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let Some(promise) = cx.stated() else { return };
    for (name, component) in &promise.value.components {
        let Some(said) = promise.component(name) else { continue };
        let own = Own { cx, promise, name, component, said };
        own.sharded(out);
        let Some(scaling) = &component.scaling else { continue };
        own.threshold(scaling, out);
        own.both_rates(scaling, out);
        own.metrics(scaling, out);
        own.measured(scaling, out);
    }
    nodes(cx, promise, out);
    loads(cx, promise, out);
}

struct Own<'o, 'c, 'd> {
    cx: &'o Cx<'c, 'd>,
    promise: &'o Promise,
    name: &'o str,
    component: &'o Component,
    said: Node<'o>,
}

impl Own<'_, '_, '_> {
    fn at(&self, path: &[&str]) -> crate::model::Place {
        self.promise.place(self.cx.model, self.said.at(path).unwrap_or(self.said))
    }

    /// An autoscaler has one target: it scales down as soon as fewer pods are enough for that.
    fn threshold(&self, scaling: &Scaling, out: &mut Out) {
        let Some(below) = scaling.down.as_ref().and_then(|it| it.below) else { return };
        let pairs = [("cpu", scaling.cpu, below.cpu), ("memory", scaling.memory, below.memory)];
        let both: Vec<_> = pairs
            .into_iter()
            .filter_map(|(resource, target, below)| {
                let (target, below) = (target?.0, below?.0);
                // Half way between both, where the document has the autoscaler do nothing.
                (below < target).then(|| (resource, target, below, u32::midpoint(target, below)))
            })
            .collect();
        if both.is_empty() {
            return;
        }
        let now = 10_u64;
        let wanted = both.iter().map(|it| (now * u64::from(it.3)).div_ceil(u64::from(it.1)));
        let wanted = wanted.max().unwrap_or(now);
        let used: Vec<_> = both.iter().map(|it| format!("{} {}%", it.0, it.3)).collect();
        let message = format!(
            "`{}` is to shrink below another use than its target, and no autoscaler has such a threshold",
            self.name
        );
        let sum: Vec<_> = both.iter().map(|it| format!("{now} × {}/{}", it.3, it.1)).collect();
        let mut finding =
            Finding::new(message, self.at(&["scaling", "down", "below"]), "no such threshold");
        for it in &both {
            finding = finding.label(self.at(&["scaling", it.0]), "the one target");
        }
        out.find(
            finding
                .note(format!(
                    "at {now} pods, {}, it wants {wanted}: the largest of {}, rounded up",
                    used.join(" and "),
                    sum.join(" and ")
                ))
                .help("state the target alone; a stabilization window (`down.after`) keeps it from shrinking too soon"),
        );
    }

    /// Of two rates the larger one counts, unless it is said otherwise.
    fn both_rates(&self, scaling: &Scaling, out: &mut Out) {
        let Some(Rate { pods: Some(pods), percent: Some(percent), select: None, .. }) =
            scaling.down
        else {
            return;
        };
        let most = self.most();
        let gone = most - most * u64::from(100_u32.saturating_sub(percent)) / 100;
        if gone <= u64::from(pods) {
            return;
        }
        let message = format!(
            "`{}` loses {gone} of {most} pods at once: of `pods: {pods}` and `percent: {percent}` the larger one counts",
            self.name
        );
        out.find(
            Finding::new(
                message,
                self.at(&["scaling", "down", "percent"]),
                format!("{gone} of {most} pods"),
            )
            .label(self.at(&["scaling", "down", "pods"]), format!("{pods} pods"))
            .note("`selectPolicy` is `Max` unless it is set")
            .help("say which one counts: `select: min` or `select: max`")
            .severity(Severity::Warning),
        );
    }

    fn most(&self) -> u64 {
        match self.component.replicas {
            Some(Replicas::Count(it)) => u64::from(it),
            Some(Replicas::Between(it)) => u64::from(it.max),
            None => 0,
        }
    }

    /// What the metrics come from, where everything that is installed is stated.
    fn metrics(&self, scaling: &Scaling, out: &mut Out) {
        let Some(addons) = &self.promise.value.cluster.addons else { return };
        let has =
            |known: &[&str]| addons.iter().any(|it| known.iter().any(|known| it.0.contains(known)));
        let mut tell = |path: &[&str], what: &str, from: &[&str]| {
            let message = format!(
                "`{}` is to scale on {what}, and none of the addons serves that",
                self.name
            );
            let mut finding = Finding::new(message, self.at(path), "nobody measures this");
            if let Some(at) = self.promise.at(&["cluster", "addons"]) {
                finding =
                    finding.label(self.promise.place(self.cx.model, at), "all that is installed");
            }
            out.find(finding.help(format!("add one of {}", from.join(", "))));
        };
        let custom = scaling.metrics.keys().next().filter(|_| !has(&CUSTOM_METRICS));
        if let Some(metric) = custom {
            tell(&["scaling", "metrics", metric], &format!("`{metric}`"), &CUSTOM_METRICS[..2]);
        }
        let resource = [("cpu", scaling.cpu), ("memory", scaling.memory)];
        let resource = resource.into_iter().find(|it| it.1.is_some()).map(|it| it.0);
        if let Some(it) = resource.filter(|_| !has(&RESOURCE_METRICS)) {
            tell(&["scaling", it], it, &RESOURCE_METRICS[..1]);
        }
    }

    /// A share of what pods ask for, where nothing says what that is and the document says it of others.
    fn measured(&self, scaling: &Scaling, out: &mut Out) {
        let asks = |it: &Component, resource: &str| {
            let own = it.resources.as_ref();
            own.is_some_and(|it| {
                it.requests.contains_key(resource) || it.limits.contains_key(resource)
            })
        };
        for (resource, target) in [("cpu", scaling.cpu), ("memory", scaling.memory)] {
            let mut all = self.promise.value.components.values();
            if target.is_none()
                || asks(self.component, resource)
                || !all.any(|it| asks(it, resource))
            {
                continue;
            }
            let message = format!(
                "`{}` is to scale on its use of {resource}, and nothing says how much it asks for",
                self.name
            );
            out.find(
                Finding::new(message, self.at(&["scaling", resource]), "a share of nothing")
                    .note("the use is measured in percent of the request; without one the autoscaler does nothing")
                    .help(format!("state `resources: {{requests: {{{resource}: …}}}}`"))
                    .severity(Severity::Warning),
            );
        }
    }

    /// Members of a sharded store own parts of its data, which nobody moves when they come and go.
    fn sharded(&self, out: &mut Out) {
        let (Some(shards), Some(Replicas::Between(bounds))) =
            (self.component.shards, self.component.replicas)
        else {
            return;
        };
        if bounds.min == bounds.max {
            return;
        }
        let message = format!(
            "`{}` divides its data into {shards} shards, and an autoscaler changes its members from {} to {}",
            self.name, bounds.min, bounds.max
        );
        out.find(
            Finding::new(message, self.at(&["replicas"]), "members come and go")
                .label(self.at(&["shards"]), "each has a part of the data")
                .note("a new member owns nothing until somebody moves data to it, and a member that goes takes its part along")
                .help("run a fixed number of members, and reshard by hand"),
        );
    }
}

/// Nodes that are to come and go, with nobody who adds them.
fn nodes(cx: &Cx<'_, '_>, promise: &Promise, out: &mut Out) {
    use crate::architecture::statements::Cluster;
    let Cluster { addons: Some(addons), autoscaling, .. } = &promise.value.cluster else { return };
    let is_there = addons.iter().any(|it| NODE_SCALERS.iter().any(|known| it.0.contains(known)));
    let wants =
        autoscaling.is_some_and(|it| it != crate::architecture::statements::NodeScaling::None);
    let Some(at) = promise.at(&["cluster", "autoscaling"]).filter(|_| wants && !is_there) else {
        return;
    };
    let message = "nodes are to be added, and none of the addons adds nodes";
    let mut finding = Finding::new(message, promise.place(cx.model, at), "nobody does");
    if let Some(at) = promise.at(&["cluster", "addons"]) {
        finding = finding.label(promise.place(cx.model, at), "all that is installed");
    }
    out.find(finding.help(format!("add one of {}", NODE_SCALERS[..2].join(", "))));
}

/// A load that all pods together do not take.
fn loads(cx: &Cx<'_, '_>, promise: &Promise, out: &mut Out) {
    for (it, node) in promise.value.objectives.iter().zip(promise.root().list("objectives")) {
        let Some(load) = &it.load else { continue };
        let Some(component) = promise.value.components.get(&load.of.0) else { continue };
        let scaling = component.scaling.as_ref();
        let Some(each) = scaling.and_then(|it| it.metrics.get(&load.metric.0)) else { continue };
        let Some(said) = promise.component(&load.of.0) else { continue };
        let most = match component.replicas {
            Some(Replicas::Count(it)) => u64::from(it),
            Some(Replicas::Between(it)) => u64::from(it.max),
            None => continue,
        };
        let all = each.0.times(most);
        if all >= load.amount.0 {
            continue;
        }
        let message = format!(
            "`{}` takes {all} of `{}` at its maximum, and {} are promised",
            load.of.0, load.metric.0, load.amount.0
        );
        let place = |it: Node<'_>| promise.place(cx.model, it);
        let mut finding = Finding::new(
            message,
            place(node.at(&["load", "amount"]).unwrap_or(node)),
            "promised here",
        );
        for path in [&["replicas", "max"][..], &["scaling", "metrics", &load.metric.0]] {
            if let Some(at) = said.at(path) {
                finding = finding.label(place(at), "so much here");
            }
        }
        out.find(finding.note(format!("{most} pods × {} = {all}", each.0)));
    }
}
