//! What the rules about nodes have in common.

use crate::analyze::placement::planned::Planned;
use crate::analyze::placement::world::At;
use crate::architecture::statements::Expectation;
use crate::architecture::time::Event;
use crate::model::Object;
use crate::rule::{Cx, Out};

/// Whether an architecture expects a workload to be down without a node or zone (`node `NAME``, `zone `NAME``).
pub(super) fn is_expected(cx: &Cx<'_, '_>, object: &Object<'_>, lost: &str) -> bool {
    let is_meant = |event: &Event| match event {
        Event::EachNode => lost.starts_with("node "),
        Event::Node(name) => lost == format!("node `{name}`"),
        Event::EachZone => lost.starts_with("zone "),
        Event::Zone(name) => lost == format!("zone `{name}`"),
    };
    cx.promises().chain(cx.stated()).any(|promise| {
        let objectives = promise.value.objectives.iter();
        let mut down = objectives
            .filter(|it| it.fail.as_ref().is_some_and(is_meant))
            .flat_map(|it| it.expect.iter())
            .filter(|it| *it.1 == Expectation::Down);
        down.any(|(name, _)| {
            let component = promise.value.components.get(name);
            let workload = component.and_then(|it| promise.workload(name, it));
            workload.is_some_and(|it| {
                it.name == object.name
                    && it.namespace == object.namespace
                    && it.kind.name() == object.kind_name
            })
        })
    })
}

/// Where the pods stand. Of more pods than any cluster holds that cannot be told, and is said.
pub(super) fn planned<'c>(cx: &Cx<'c, '_>, at: At, out: &mut Out) -> Option<&'c Planned> {
    if let Some(it) = cx.facts.too_many_pods() {
        let object = cx.object(cx.facts.workloads().get(it.workload).object);
        out.cannot_tell(object, it.why());
    }
    cx.facts.planned(at)
}

/// `1 node`, `3 nodes`.
pub(super) fn count(nodes: usize) -> String {
    if nodes == 1 { "1 node".into() } else { format!("{nodes} nodes") }
}
