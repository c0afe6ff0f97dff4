//! What pods ask for, how they are asked, where they stand and what they may do.

use super::{Compared, same};
use crate::api::quantity::Quantity;
use crate::architecture::statements::Pinned;
use crate::architecture::time::{Duration, How, Probe};
use crate::model::Place;
use crate::text::tree::Node;

/// The label of a node's name.
const HOSTNAME: &str = "kubernetes.io/hostname";

/// The label of a node's zone.
const ZONE: &str = "topology.kubernetes.io/zone";

/// What keeps workloads away from control planes.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

pub(super) fn compare(it: &mut Compared<'_, '_>) {
    resources(it);
    ports(it);
    probes(it);
    spread(it);
    placement(it);
    tolerations(it);
    security(it);
}

fn at(it: &Compared<'_, '_>, field: &str) -> Place {
    it.object().at(&it.workload.pod_path(field))
}

/// What a pod asks for, all its containers together and what its namespace fills in included.
fn resources(it: &mut Compared<'_, '_>) {
    let demand = it.facts.demand(it.workload);
    for (field, amounts) in [("requests", &demand.requests), ("limits", &demand.limits)] {
        let stated = it.stated(&["resources", field]).into_iter().flat_map(Node::pairs);
        for (resource, statement) in stated.collect::<Vec<_>>() {
            let Some(promised) = statement.scalar().and_then(|it| Quantity::parse(&it).ok()) else {
                continue;
            };
            let found = amounts.get(resource);
            if found.is_some_and(|it| it == promised) {
                continue;
            }
            let written = it.main().and_then(|it| it.at(&["resources", field, resource]));
            let place = written.and_then(|node| it.object_of(node));
            let place = place.unwrap_or_else(|| at(it, "containers[0].resources"));
            let shown = found.map_or_else(|| "nothing".to_string(), |it| it.show(resource));
            let what = format!("{field}.{resource}");
            it.differs(&what, statement, (promised.show(resource), shown), place);
        }
    }
}

/// The ports of containers say nothing to Kubernetes, so none is missed where a container declares none.
fn ports(it: &mut Compared<'_, '_>) {
    let own = it.facts.ports(it.workload.id);
    if own.iter().next().is_none() || own.silent_container().is_some() {
        return;
    }
    let Some(list) = it.stated(&["ports"]) else { return };
    for (port, statement) in it.component.ports.iter().zip(list.items()) {
        let numbers = i64::from(port.first)..=i64::from(port.last);
        let mut all = own.iter();
        if all.any(|it| it.protocol == port.protocol.name() && numbers.contains(&it.number)) {
            continue;
        }
        let declared: Vec<_> = own.iter().map(ToString::to_string).collect();
        let place = at(it, "containers[0].ports");
        it.differs("ports", statement, (port.to_string(), declared.join(", ")), place);
    }
}

fn probes(it: &mut Compared<'_, '_>) {
    let Some(probes) = it.component.probes.clone() else { return };
    let all = [
        ("liveness", "livenessProbe", probes.liveness),
        ("readiness", "readinessProbe", probes.readiness),
        ("startup", "startupProbe", probes.startup),
    ];
    for (key, field, promised) in all {
        let (Some(promised), Some(statement)) = (promised, it.stated(&["probes", key])) else {
            continue;
        };
        let what = format!("probes.{key}");
        let mut containers = it.workload.pod.list("containers");
        let Some(found) = containers.find_map(|it| it.get(field)) else {
            let place = at(it, "containers[0]");
            let shown = statement.scalar().unwrap_or_default();
            it.differs(&what, statement, (shown, "no probe"), place);
            continue;
        };
        for (part, said, there) in parts(it, &promised, found) {
            let place = it.object_of(found).unwrap_or_else(|| at(it, "containers[0]"));
            it.differs(&format!("{what} {part}"), statement, (said, there), place);
        }
    }
}

/// What differs between a probe that is promised and one that is there.
fn parts(
    it: &Compared<'_, '_>,
    promised: &Probe,
    found: Node<'_>,
) -> Vec<(&'static str, String, String)> {
    let mut parts = Vec::new();
    let (key, name) = match &promised.how {
        How::Get(_) => ("httpGet", "GET"),
        How::Tcp => ("tcpSocket", "TCP"),
        How::Grpc => ("grpc", "GRPC"),
        How::Exec => ("exec", "EXEC"),
    };
    let Some(action) = found.get(key) else {
        let there = [("httpGet", "GET"), ("tcpSocket", "TCP"), ("grpc", "GRPC"), ("exec", "EXEC")];
        let there = there.iter().find(|it| found.get(it.0).is_some()).map_or("nothing", |it| it.1);
        return vec![("asks", name.into(), there.into())];
    };
    if let How::Get(path) = &promised.how {
        let there = action.text("path").unwrap_or("/");
        if there != path {
            parts.push(("path", path.clone(), there.into()));
        }
    }
    if let (Some(port), Some(there)) = (&promised.port, action.get("port").and_then(Node::scalar)) {
        let named =
            it.facts.ports(it.workload.id).named(&there, "TCP").map(|it| it.number.to_string());
        if *port != *there && named.as_ref() != Some(port) {
            parts.push(("port", port.clone(), there.into_owned()));
        }
    }
    // `pkg/apis/core/v1/defaults.go`, SetDefaults_Probe.
    let times = [
        ("after", promised.after, "initialDelaySeconds", 0),
        ("every", promised.every, "periodSeconds", 10),
    ];
    for (part, said, field, filled_in) in times {
        let Some(said) = said else { continue };
        let there = found.get(field).and_then(Node::int).unwrap_or(filled_in);
        let there = Duration(u64::try_from(there).unwrap_or_default() * 1000);
        if there != said {
            parts.push((part, said.to_string(), there.to_string()));
        }
    }
    parts
}

fn spread(it: &mut Compared<'_, '_>) {
    for (key, label) in [("node", HOSTNAME), ("zone", ZONE)] {
        let Some(statement) = it.stated(&["spread", key]) else { continue };
        let (required, preferred) = kept_apart(it, label);
        let promised = statement.str().unwrap_or_default();
        let there = match (required, preferred) {
            (true, _) => "required",
            (false, true) => "preferred",
            (false, false) => "nothing",
        };
        let is_kept = there == promised || promised == "preferred" && required;
        if !is_kept {
            let field = match there {
                "nothing" => "",
                _ => "affinity",
            };
            let place = at(it, field);
            it.differs(&format!("spread.{key}"), statement, (promised, there), place);
        }
    }
}

/// Whether its pods have to stand apart by a label of nodes, and whether they would rather.
fn kept_apart(it: &Compared<'_, '_>, label: &str) -> (bool, bool) {
    let by = |it: Node<'_>| it.text("topologyKey") == Some(label);
    let anti = it.workload.pod.at(&["affinity", "podAntiAffinity"]);
    let required =
        anti.into_iter().flat_map(|it| it.list("requiredDuringSchedulingIgnoredDuringExecution"));
    let preferred =
        anti.into_iter().flat_map(|it| it.list("preferredDuringSchedulingIgnoredDuringExecution"));
    let mut preferred = preferred.filter_map(|it| it.get("podAffinityTerm"));
    let spreads = || it.workload.pod.list("topologySpreadConstraints").filter(|it| by(*it));
    let is_hard = |it: Node<'_>| it.text("whenUnsatisfiable") != Some("ScheduleAnyway");
    (
        required.into_iter().any(by) || spreads().any(is_hard),
        preferred.any(by) || spreads().any(|it| !is_hard(it)),
    )
}

fn placement(it: &mut Compared<'_, '_>) {
    for (key, field) in [
        ("requires", "requiredDuringSchedulingIgnoredDuringExecution"),
        ("prefers", "preferredDuringSchedulingIgnoredDuringExecution"),
    ] {
        let Some(stated) = it.stated(&["placement", key]) else { continue };
        let mut wanted: Vec<(String, Node<'_>)> = Vec::new();
        wanted.extend(stated.get("node").map(|it| (HOSTNAME.to_string(), it)));
        wanted.extend(stated.get("zone").map(|it| (ZONE.to_string(), it)));
        let labels = stated.get("labels").into_iter().flat_map(Node::entries);
        wanted.extend(labels.map(|(key, it)| (key.scalar().unwrap_or_default().into_owned(), it)));
        for (label, statement) in wanted {
            let value = statement.scalar().unwrap_or_default();
            let selector = it.workload.pod.get("nodeSelector").filter(|_| key == "requires");
            let chosen = selector.and_then(|it| it.get(&label)).and_then(Node::scalar);
            let affinity = it.workload.pod.at(&["affinity", "nodeAffinity", field]);
            if chosen.as_deref() == Some(&*value)
                || affinity.is_some_and(|it| names(it, &label, &value))
            {
                continue;
            }
            let place = at(it, if affinity.is_some() { "affinity" } else { "" });
            let promised = format!("{label} {value}");
            it.differs(
                &format!("placement.{key}"),
                statement,
                (promised, "nothing of that"),
                place,
            );
        }
    }
}

/// Whether an affinity to nodes, somewhere in it, names a label with this value.
fn names(affinity: Node<'_>, label: &str, value: &str) -> bool {
    let mut open = vec![affinity];
    while let Some(node) = open.pop() {
        let is_it = node.text("key") == Some(label)
            && node.text("operator") == Some("In")
            && node.list("values").any(|it| it.scalar().is_some_and(|it| it == value));
        if is_it {
            return true;
        }
        open.extend(node.items());
        open.extend(node.pairs().map(|it| it.1));
    }
    false
}

fn tolerations(it: &mut Compared<'_, '_>) {
    let Some(list) = it.stated(&["tolerates"]) else { return };
    for statement in list.items().collect::<Vec<_>>() {
        let Some(text) = statement.scalar() else { continue };
        let (taint, effect) = match text.rsplit_once(':') {
            Some((taint, effect)) => (taint, Some(effect)),
            None => (&*text, None),
        };
        let key = taint.split('=').next().unwrap_or(taint);
        let key = if key == "control-plane" { CONTROL_PLANE } else { key };
        let tolerated = it.workload.pod.list("tolerations").any(|it| {
            let its_key = it.text("key");
            let is_key =
                its_key == Some(key) || its_key.is_none() && it.text("operator") == Some("Exists");
            let is_effect =
                it.text("effect").is_none_or(|it| effect.is_none_or(|effect| effect == it));
            is_key && is_effect
        });
        if !tolerated {
            let place = at(it, "tolerations");
            it.differs("tolerates", statement, (text, "no such toleration"), place);
        }
    }
}

fn security(it: &mut Compared<'_, '_>) {
    let containers: Vec<Node<'_>> = it.workload.containers().collect();
    let flags =
        [("nonRoot", "runAsNonRoot", true), ("readOnlyRoot", "readOnlyRootFilesystem", false)];
    for (key, field, is_of_pod) in flags {
        let Some(statement) = it.stated(&["security", key]).filter(|it| it.bool() == Some(true))
        else {
            continue;
        };
        let of_pod = it.workload.pod.at(&["securityContext", field]).filter(|_| is_of_pod);
        let of_pod = of_pod.and_then(Node::bool);
        let lacks = containers.iter().find(|container| {
            let own = container.at(&["securityContext", field]).and_then(Node::bool);
            own.or(of_pod) != Some(true)
        });
        if let Some(container) = lacks {
            let name = container.text("name").unwrap_or_default();
            let place = it.object_of(*container).unwrap_or_else(|| it.whole());
            let what = format!("security.{key}");
            it.differs(&what, statement, ("true", format!("not so of container `{name}`")), place);
        }
    }
    images(it, &containers);
}

fn images<'d>(it: &mut Compared<'_, 'd>, containers: &[Node<'d>]) {
    let Some(promise) = it.component.security.as_ref().map(|it| it.image.clone()) else { return };
    for image in containers.iter().filter_map(|it| it.get("image")) {
        let Some(name) = image.str() else { continue };
        let place = it.object_of(image).unwrap_or_else(|| it.whole());
        if let (Some(registry), Some(statement)) =
            (&promise.registry, it.stated(&["security", "image", "registry"]))
            && !name.starts_with(&format!("{}/", registry.0.trim_end_matches('/')))
        {
            let what = "security.image.registry";
            it.differs(what, statement, (registry.0.clone(), name), place.clone());
        }
        let tag = name.rsplit('/').next().and_then(|it| it.split_once(':')).map(|it| it.1);
        let is_pinned = match promise.pinned {
            None => true,
            Some(Pinned::Digest) => name.contains("@sha256:"),
            Some(Pinned::Tag) => {
                name.contains("@sha256:") || tag.is_some_and(|it| !same(it, "latest"))
            }
        };
        if let Some(statement) = it.stated(&["security", "image", "pinned"]).filter(|_| !is_pinned)
        {
            let promised = statement.scalar().unwrap_or_default();
            it.differs("security.image.pinned", statement, (promised, name), place);
        }
    }
}
