//! Policies of service meshes: they refuse at the receiver what the network let through, and open nothing.

use super::condition::Condition;
use super::{Closes, Effects, Read};
use crate::analyze::selection::selector::{Operator, Requirement};
use crate::model::Object;
use crate::text::tree::Node;

/// What refuses at the receiver.
const REFUSES: [Effects; 2] = [
    Effects { opens: false, closes: Closes::Anything },
    Effects { opens: false, closes: Closes::Nothing },
];

/// The namespace whose policies of Istio are for the whole mesh, unless it is set up otherwise.
const ROOT: &str = "istio-system";

/// AuthorizationPolicy of Istio (<https://istio.io/latest/docs/reference/config/security/authorization-policy/>).
pub(in crate::analyze) fn authorization<'d>(object: &Object<'d>) -> Vec<Read<'d>> {
    let field = |name: &str| object.field(&["spec", name]);
    let action = field("action").and_then(Node::str).unwrap_or("ALLOW");
    let mut rules = field("rules").into_iter().flat_map(Node::items);
    let refuses = match action {
        // It only writes into a log.
        "AUDIT" => false,
        // Without a rule nothing fits: nothing is denied.
        "DENY" | "CUSTOM" => rules.next().is_some(),
        // A rule without conditions fits everything, and one that fits is enough.
        "ALLOW" => !rules.any(|it| it.count() == 0),
        _ => true,
    };
    if refuses { vec![selected(object)] } else { Vec::new() }
}

/// PeerAuthentication of Istio: in mode `STRICT`, what is not encrypted by the mesh is refused.
pub(in crate::analyze) fn peer_authentication<'d>(object: &Object<'d>) -> Vec<Read<'d>> {
    let modes = object.field(&["spec", "portLevelMtls"]).into_iter().flat_map(Node::entries);
    let modes = modes.filter_map(|(_, it)| it.text("mode"));
    let own = object.field(&["spec", "mtls", "mode"]).and_then(Node::str);
    let is_strict = own.into_iter().chain(modes).any(|it| it == "STRICT");
    if is_strict { vec![selected(object)] } else { Vec::new() }
}

/// The pods of `selector`, or what `targetRefs` name; those of the root namespace are for all namespaces.
fn selected<'d>(object: &Object<'d>) -> Read<'d> {
    let spec = object.field(&["spec"]);
    let one = spec.and_then(|it| it.get("targetRef"));
    let several = spec.into_iter().flat_map(|it| it.list("targetRefs"));
    let targets: Vec<_> = one.into_iter().chain(several).collect();
    let labels = spec.and_then(|it| it.at(&["selector", "matchLabels"])).into_iter();
    let labels = labels.flat_map(Node::pairs).map(|(key, value)| {
        let operator = Operator::In(value.str().into_iter().collect());
        Condition::Label(Requirement { key, operator })
    });
    let pods = match targets.is_empty() {
        true => Condition::All(labels.collect()),
        // A waypoint stands before Services and whole namespaces.
        false => Condition::Unknown,
    };
    let read = Read::of(object, pods, REFUSES);
    match targets.is_empty() && object.namespace == ROOT {
        true => Read { namespace: None, ..read },
        false => read,
    }
}

/// Server of Linkerd: who selects a port of pods with it denies what no policy allows
/// (<https://linkerd.io/2/reference/authorization-policy/>).
pub(in crate::analyze) fn linkerd_server<'d>(object: &Object<'d>) -> Vec<Read<'d>> {
    let spec = object.field(&["spec"]);
    let opens = ["all-unauthenticated", "audit"];
    if spec.and_then(|it| it.text("accessPolicy")).is_some_and(|it| opens.contains(&it)) {
        return Vec::new();
    }
    let pods = match spec.and_then(|it| it.get("podSelector")) {
        Some(it) => Condition::labels(Some(it)),
        // For workloads outside the cluster.
        None => Condition::Any(Vec::new()),
    };
    vec![Read::of(object, pods, REFUSES)]
}
