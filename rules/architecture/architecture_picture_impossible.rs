//! A drawing that the statements of its own document do not allow.

use crate::api::quantity::Quantity;
use crate::architecture::Promise;
use crate::architecture::sayings::{End, drawn, flows};
use crate::architecture::statements::{Component, Count, Pool, Replicas};
use crate::architecture::text::CountOrShare;
use crate::model::Place;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "architecture-picture-impossible",
    title: "a drawing shows what the document's statements do not allow",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[],
    parameters: &[],
    page: include_str!("architecture_picture_impossible.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let Some(promise) = cx.stated() else { return };
    let of = Of { cx, promise };
    for (name, picture) in &promise.value.picture.nodes {
        let Some(node) = promise.at(&["picture", "nodes", name]) else { continue };
        of.room(name, &picture.pods, node, out);
        of.left(name, (&picture.pods, &picture.left), node, out);
    }
    of.counts(out);
    of.together(out);
    of.rollouts(out);
    of.arrows(out);
}

type Amounts = BTreeMap<String, Quantity>;

struct Of<'o, 'c, 'd> {
    cx: &'o Cx<'c, 'd>,
    promise: &'o Promise,
}

impl<'o> Of<'o, '_, '_> {
    fn place(&self, node: Node<'_>) -> Place {
        self.promise.place(self.cx.model, node)
    }

    fn component(&self, name: &str) -> Option<&'o Component> {
        self.promise.value.components.get(name)
    }

    /// What a node leaves to pods.
    fn allocatable(&self, node: &str) -> Option<Amounts> {
        let nodes = &self.promise.value.cluster.nodes;
        let pool = nodes.get(node).or_else(|| {
            let (pool, number) = node.rsplit_once('-')?;
            number.parse::<u32>().ok()?;
            nodes.get(pool)
        })?;
        if !pool.allocatable.is_empty() {
            return Some(pool.allocatable.iter().map(|(key, it)| (key.clone(), it.0)).collect());
        }
        if pool.capacity.is_empty() {
            return None;
        }
        let mut left: Amounts = pool.capacity.iter().map(|(key, it)| (key.clone(), it.0)).collect();
        for taken in [&pool.reserved, &pool.system_reserved, &pool.kube_reserved] {
            for (resource, amount) in taken {
                if let Some(it) = left.get_mut(resource) {
                    *it = *it - amount.0;
                }
            }
        }
        Some(left)
    }

    /// What some drawn pods ask for of a resource, with the sum; `None` where one of them does not say.
    fn asked(&self, pods: &BTreeMap<String, u32>, resource: &str) -> Option<(Quantity, String)> {
        let (mut sum, mut terms) = (Quantity::default(), Vec::new());
        for (name, count) in pods {
            let resources = self.component(name)?.resources.as_ref()?;
            let each = resources.requests.get(resource).or(resources.limits.get(resource))?.0;
            sum = sum + each.times(u64::from(*count));
            terms.push(format!("{count} × {} ({name})", each.show(resource)));
        }
        Some((sum, terms.join(" + ")))
    }

    /// The drawn pods of a node against its room.
    fn room(&self, name: &str, pods: &BTreeMap<String, u32>, node: Node<'_>, out: &mut Out) {
        let Some(room) = self.allocatable(name) else { return };
        let mut over = Vec::new();
        let mut notes = Vec::new();
        for (resource, has) in &room {
            let Some((asked, terms)) = self.asked(pods, resource) else { continue };
            if asked > *has {
                over.push(format!(
                    "`{resource}` {} of {}",
                    asked.show(resource),
                    has.show(resource)
                ));
                notes.push(format!("{terms} = {}", asked.show(resource)));
            }
        }
        if over.is_empty() {
            return;
        }
        let message =
            format!("the pods that are drawn on `{name}` do not fit on it: {}", over.join(", "));
        let mut finding =
            Finding::new(message, self.place(node.get("pods").unwrap_or(node)), "drawn here");
        if let Some(at) = self.promise.at(&["cluster", "nodes", name]) {
            finding = finding.label(self.place(at), "its size");
        }
        out.find(notes.into_iter().fold(finding, Finding::note));
    }

    /// What is said to be left, against what is left beside the pods whose number does not change.
    fn left(
        &self,
        name: &str,
        (pods, left): (&BTreeMap<String, u32>, &BTreeMap<String, crate::architecture::text::Size>),
        node: Node<'_>,
        out: &mut Out,
    ) {
        let Some(room) = self.allocatable(name) else { return };
        let is_fixed = |name: &String| {
            self.component(name).is_some_and(|it| matches!(it.replicas, Some(Replicas::Count(_))))
        };
        let fixed: BTreeMap<_, _> = pods
            .iter()
            .filter(|it| is_fixed(it.0))
            .map(|(name, count)| (name.clone(), *count))
            .collect();
        for (resource, said) in left {
            let Some(at) = node.at(&["left", resource]) else { continue };
            let Some(has) = room.get(resource) else { continue };
            let Some((asked, terms)) = self.asked(&fixed, resource) else { continue };
            let really = if asked > *has { Quantity::default() } else { *has - asked };
            let (a, b) = (said.0.milli(), really.milli());
            if (a - b).abs() * 100 <= 5 * a.max(b) {
                continue;
            }
            let (said, really) = (said.0.show(resource), really.show(resource));
            let message =
                format!("`{name}` is said to have {said} of `{resource}` left, and has {really}");
            let finding = Finding::new(message, self.place(at), format!("{said} here"));
            out.find(match terms.is_empty() {
                true => finding.note(format!("{} for pods", has.show(resource))),
                false => finding.note(format!("{} − ({terms}) = {really}", has.show(resource))),
            });
        }
    }

    /// How many pods of each component are drawn on all nodes together.
    fn drawn(&self) -> BTreeMap<&'o str, u32> {
        let mut drawn: BTreeMap<&str, u32> = BTreeMap::new();
        for node in self.promise.value.picture.nodes.values() {
            for (name, count) in &node.pods {
                *drawn.entry(name).or_default() += count;
            }
        }
        drawn
    }

    /// How many pods are named, and how many are drawn or can be.
    fn counts(&self, out: &mut Out) {
        let drawn = self.drawn();
        for (name, said) in &self.promise.value.picture.counts {
            let Some(at) = self.promise.at(&["picture", "counts", name]) else { continue };
            if let Some(shown) = drawn.get(name.as_str()).filter(|it| *it != said) {
                let message =
                    format!("{said} pods of `{name}` are said to be drawn, and {shown} are");
                let mut finding = Finding::new(message, self.place(at), format!("{said} here"));
                if let Some(nodes) = self.promise.at(&["picture", "nodes"]) {
                    finding = finding
                        .label(self.place(nodes), format!("{shown} here, all nodes together"));
                }
                out.find(finding);
            }
            self.within(name, *said, at, out);
        }
        for (name, shown) in drawn {
            if !self.promise.value.picture.counts.contains_key(name)
                && let Some(nodes) = self.promise.at(&["picture", "nodes"])
            {
                self.within(name, shown, nodes, out);
            }
        }
    }

    fn within(&self, name: &str, shown: u32, at: Node<'_>, out: &mut Out) {
        let Some(component) = self.component(name) else { return };
        let (wrong, bound) = match component.replicas {
            Some(Replicas::Count(it)) if it != shown => (format!("{it}"), "replicas"),
            Some(Replicas::Between(it)) if shown > it.max || shown < it.min => {
                (format!("{} to {}", it.min, it.max), "replicas")
            }
            _ => return,
        };
        let message = format!("{shown} pods of `{name}` are drawn, and it runs {wrong}");
        let mut finding = Finding::new(message, self.place(at), format!("{shown} here"));
        if let Some(it) = self.promise.component(name).and_then(|it| it.get(bound)) {
            finding = finding.label(self.place(it), format!("{wrong} here"));
        }
        out.find(finding);
    }

    /// Whether neither the drawing nor a statement has a second node.
    fn has_one_node(&self) -> bool {
        let count = |it: &Pool| match it.count {
            None => 1,
            Some(Count::Exactly(it)) => u64::from(it),
            Some(Count::Between(it)) => u64::from(it.max),
        };
        let stated: u64 = self.promise.value.cluster.nodes.values().map(count).sum();
        stated < 2 && self.promise.value.picture.nodes.len() < 2
    }

    /// All pods of a component on one node, where they are to stand apart.
    fn together(&self, out: &mut Out) {
        if self.has_one_node() {
            return;
        }
        let drawn = self.drawn();
        for (name, picture) in &self.promise.value.picture.nodes {
            for (component, count) in &picture.pods {
                let is_all = *count > 1 && drawn.get(component.as_str()) == Some(count);
                let said = self.promise.component(component);
                let Some(spread) = said.and_then(|it| it.at(&["spread", "node"])) else { continue };
                let is_required = spread.str() == Some("required");
                if !(is_all || is_required && *count > 1) {
                    continue;
                }
                let path = ["picture", "nodes", name, "pods", component];
                let Some(at) = self.promise.at(&path) else { continue };
                let message = format!(
                    "{count} pods of `{component}` are drawn on `{name}`, and they are to stand on different nodes"
                );
                out.find(
                    Finding::new(message, self.place(at), "on one node")
                        .label(self.place(spread), "on different nodes"),
                );
            }
        }
    }

    /// A drawn rollout with fewer ready pods than may be down leaves.
    fn rollouts(&self, out: &mut Out) {
        for (name, shown) in &self.promise.value.picture.rollout {
            let (Some(component), Some(at)) =
                (self.component(name), self.promise.at(&["picture", "rollout", name]))
            else {
                continue;
            };
            let down = component.rollout.as_ref().and_then(|it| it.max_unavailable);
            let fewest = match component.replicas {
                Some(Replicas::Count(it)) => it,
                Some(Replicas::Between(it)) => it.min,
                None => continue,
            };
            let down = match down {
                Some(CountOrShare::Count(it)) => it,
                // Rounded down, as the controller does (`deploymentutil.ResolveFenceposts`).
                Some(CountOrShare::Share(it)) => fewest * it / 100,
                None => continue,
            };
            let ready = fewest.saturating_sub(down);
            if *shown >= ready {
                continue;
            }
            let message = format!(
                "a rollout of `{name}` is drawn with {shown} ready pods, and it keeps {ready}"
            );
            let mut finding = Finding::new(message, self.place(at), format!("{shown} here"));
            let said = self.promise.component(name);
            for path in [&["replicas"][..], &["rollout", "maxUnavailable"]] {
                if let Some(it) = said.and_then(|said| said.at(path)) {
                    finding = finding.label(self.place(it), "stated here");
                }
            }
            out.find(finding.note(format!("{fewest} − {down} = {ready}")));
        }
    }

    /// Arrows that no flow allows, and flows that are not drawn.
    fn arrows(&self, out: &mut Out) {
        let (drawn, flows) = (drawn(self.promise), flows(self.promise));
        if drawn.is_empty() || flows.is_empty() {
            return;
        }
        let ends = |it: &crate::architecture::sayings::Saying<'_>| (it.from.clone(), it.to.clone());
        let allowed: BTreeSet<(End, End)> = flows.iter().map(ends).collect();
        let shown: BTreeSet<(End, End)> = drawn.iter().map(ends).collect();
        for it in drawn.iter().filter(|it| !allowed.contains(&ends(it))) {
            let message = format!(
                "{} is drawn to call {}, and no flow allows it",
                it.from.shown(),
                it.to.shown()
            );
            let finding = Finding::new(message, self.place(it.node), "drawn here");
            let back = (it.to.clone(), it.from.clone());
            out.find(match allowed.contains(&back) {
                true => finding
                    .note("only the other direction is allowed: who begins counts, answers pass"),
                false => finding,
            });
        }
        let of_dns = |it: &End| *it == End::Dns;
        for it in flows.iter().filter(|it| !shown.contains(&ends(it)) && !of_dns(&it.to)) {
            let message =
                format!("{} may call {}, and that is not drawn", it.from.shown(), it.to.shown());
            let finding = Finding::new(message, self.place(it.node), "stated here");
            out.find(finding.severity(Severity::Warning));
        }
    }
}
