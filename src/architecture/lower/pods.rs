//! The pods of a component, as their template.

use super::components::{labels, taken};
use crate::architecture::objects::Field::{self, List, Map, Number, Stated, Text};
use crate::architecture::objects::Name;
use crate::architecture::statements::{Component, Storage};
use crate::architecture::text::{WorkloadKind, WorkloadName};
use crate::architecture::time::{How, Probe};
use crate::text::tree::Node;

type Fields<'d> = Vec<(Name, Field<'d>)>;

/// The label of a node's name.
const HOSTNAME: &str = "kubernetes.io/hostname";

/// The label of a node's zone.
const ZONE: &str = "topology.kubernetes.io/zone";

/// What keeps workloads away from control planes.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

/// The template of a component's pods, and the claims that each has of its own.
pub(super) fn template<'d>(
    name: &str,
    (component, workload): (&Component, &WorkloadName),
    said: Node<'d>,
) -> Fields<'d> {
    let mut pod: Fields<'d> =
        vec![("containers".into(), List(vec![Map(container(name, component, said), said)], said))];
    let affinity = affinity(name, said);
    if !affinity.is_empty() {
        pod.push(("affinity".into(), Map(affinity, said)));
    }
    if let Some(it) = zone_spread(name, said) {
        pod.push(("topologySpreadConstraints".into(), it));
    }
    if let Some(list) = said.get("tolerates").filter(|it| it.count() > 0) {
        let each = list.items().filter_map(toleration);
        pod.push(("tolerations".into(), List(each.collect(), list)));
    }
    let (volumes, claims) = volumes(component, workload, said);
    if !volumes.is_empty() {
        pod.push(("volumes".into(), List(volumes, said)));
    }
    let metadata = Map(vec![("labels".into(), labels(name, said))], said);
    let template = Map(vec![("metadata".into(), metadata), ("spec".into(), Map(pod, said))], said);
    let mut fields: Fields<'d> = vec![("template".into(), template)];
    if !claims.is_empty() {
        fields.push(("volumeClaimTemplates".into(), List(claims, said)));
    }
    fields
}

fn container<'d>(name: &str, component: &Component, said: Node<'d>) -> Fields<'d> {
    let image = format!("registry.example/{}:stated", name.to_ascii_lowercase());
    let mut container: Fields<'d> =
        vec![("name".into(), Text("main".into(), said)), ("image".into(), Text(image, said))];
    container.extend(taken(said, &["resources"]));
    if let Some(ports) = said.get("ports").filter(|it| it.count() > 0) {
        let each = component.ports.iter().zip(ports.items()).map(|(port, node)| {
            let number = Number(u32::from(port.first), node);
            let protocol = Text(port.protocol.name().into(), node);
            Map(vec![("containerPort".into(), number), ("protocol".into(), protocol)], node)
        });
        container.push(("ports".into(), List(each.collect(), ports)));
    }
    if let Some(probes) = &component.probes {
        let all = [
            ("livenessProbe", "liveness", &probes.liveness),
            ("readinessProbe", "readiness", &probes.readiness),
            ("startupProbe", "startup", &probes.startup),
        ];
        for (field, key, it) in all {
            let Some((it, node)) = it.as_ref().zip(said.at(&["probes", key])) else { continue };
            container.push((field.into(), probe(it, component, node)));
        }
    }
    container
}

fn probe<'d>(probe: &Probe, component: &Component, node: Node<'d>) -> Field<'d> {
    let port = || {
        let stated = probe.port.as_ref().and_then(|it| it.parse::<u32>().ok());
        let first = component.ports.first().map(|it| u32::from(it.first));
        Number(stated.or(first).unwrap_or(80), node)
    };
    let mut fields: Fields<'d> = match &probe.how {
        How::Get(path) => {
            let get = vec![("path".into(), Text(path.clone(), node)), ("port".into(), port())];
            vec![("httpGet".into(), Map(get, node))]
        }
        How::Tcp => vec![("tcpSocket".into(), Map(vec![("port".into(), port())], node))],
        How::Grpc => vec![("grpc".into(), Map(vec![("port".into(), port())], node))],
        How::Exec => {
            let command = List(vec![Text("stated".into(), node)], node);
            vec![("exec".into(), Map(vec![("command".into(), command)], node))]
        }
    };
    let times = [("initialDelaySeconds", probe.after), ("periodSeconds", probe.every)];
    for (field, time) in times {
        let seconds = time.and_then(|it| u32::try_from(it.0 / 1000).ok());
        fields.extend(seconds.map(|it| (field.into(), Number(it, node))));
    }
    Map(fields, node)
}

/// Which nodes a pod looks for, and which pods it keeps away from.
fn affinity<'d>(name: &str, said: Node<'d>) -> Fields<'d> {
    let mut affinity: Fields<'d> = Vec::new();
    let mut node: Fields<'d> = Vec::new();
    if let Some(at) = said.at(&["placement", "requires"]).filter(|it| it.is_map()) {
        let terms = Map(vec![("nodeSelectorTerms".into(), List(vec![node_term(at)], at))], at);
        node.push(("requiredDuringSchedulingIgnoredDuringExecution".into(), terms));
    }
    if let Some(at) = said.at(&["placement", "prefers"]).filter(|it| it.is_map()) {
        let term = vec![("weight".into(), Number(100, at)), ("preference".into(), node_term(at))];
        let terms = List(vec![Map(term, at)], at);
        node.push(("preferredDuringSchedulingIgnoredDuringExecution".into(), terms));
    }
    if !node.is_empty() {
        affinity.push(("nodeAffinity".into(), Map(node, said)));
    }
    let Some(how) = said.at(&["spread", "node"]) else { return affinity };
    let selector = Map(vec![("matchLabels".into(), labels(name, how))], how);
    let term = Map(
        vec![
            ("labelSelector".into(), selector),
            ("topologyKey".into(), Text(HOSTNAME.into(), how)),
        ],
        how,
    );
    let (field, item) = if how.str() == Some("required") {
        ("requiredDuringSchedulingIgnoredDuringExecution", term)
    } else {
        let weighted = vec![("weight".into(), Number(100, how)), ("podAffinityTerm".into(), term)];
        ("preferredDuringSchedulingIgnoredDuringExecution", Map(weighted, how))
    };
    let anti = Map(vec![(field.into(), List(vec![item], how))], how);
    affinity.push(("podAntiAffinity".into(), anti));
    affinity
}

/// Nodes by name, zone and labels.
fn node_term(at: Node<'_>) -> Field<'_> {
    let expression = |key: &str, value: Node<'_>| -> Option<(String, String)> {
        Some((key.to_string(), value.scalar()?.into_owned()))
    };
    let mut wanted: Vec<(String, String)> = Vec::new();
    wanted.extend(at.get("node").and_then(|it| expression(HOSTNAME, it)));
    wanted.extend(at.get("zone").and_then(|it| expression(ZONE, it)));
    let labels = at.get("labels").into_iter().flat_map(Node::entries);
    wanted.extend(labels.filter_map(|(key, it)| expression(&key.scalar()?, it)));
    let each = wanted.into_iter().map(|(key, value)| {
        let values = List(vec![Text(value, at)], at);
        let fields =
            [("key", Text(key, at)), ("operator", Text("In".into(), at)), ("values", values)];
        Map(fields.map(|(key, it)| (key.into(), it)).into(), at)
    });
    Map(vec![("matchExpressions".into(), List(each.collect(), at))], at)
}

fn zone_spread<'d>(name: &str, said: Node<'d>) -> Option<Field<'d>> {
    let how = said.at(&["spread", "zone"])?;
    let otherwise = match how.str() {
        Some("required") => "DoNotSchedule",
        _ => "ScheduleAnyway",
    };
    let selector = Map(vec![("matchLabels".into(), labels(name, how))], how);
    let fields = [
        ("maxSkew", Number(1, how)),
        ("topologyKey", Text(ZONE.into(), how)),
        ("whenUnsatisfiable", Text(otherwise.into(), how)),
        ("labelSelector", selector),
    ];
    let constraint = Map(fields.map(|(key, it)| (key.into(), it)).into(), how);
    Some(List(vec![constraint], how))
}

/// `control-plane`, `key`, `key:Effect`, `key=value:Effect`.
fn toleration(node: Node<'_>) -> Option<Field<'_>> {
    let text = node.scalar()?;
    let (taint, effect) = match text.rsplit_once(':') {
        Some((taint, effect)) => (taint, Some(effect)),
        None => (&*text, None),
    };
    let (key, value) = match taint.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (taint, None),
    };
    let key = if key == "control-plane" { CONTROL_PLANE } else { key };
    let operator = if value.is_some() { "Equal" } else { "Exists" };
    let mut fields: Fields<'_> = vec![
        ("key".into(), Text(key.into(), node)),
        ("operator".into(), Text(operator.into(), node)),
    ];
    fields.extend(value.map(|it| ("value".into(), Text(it.into(), node))));
    fields.extend(effect.map(|it| ("effect".into(), Text(it.into(), node))));
    Some(Map(fields, node))
}

/// The volumes of a pod, and the claims that it has of its own.
fn volumes<'d>(
    component: &Component,
    workload: &WorkloadName,
    said: Node<'d>,
) -> (Vec<Field<'d>>, Vec<Field<'d>>) {
    let (mut volumes, mut claims) = (Vec::new(), Vec::new());
    for (name, storage) in &component.storage {
        let Some(at) = said.at(&["storage", name]) else { continue };
        match (&storage.claim, workload.kind) {
            (None, WorkloadKind::StatefulSet) => claims.push(claim(name, storage, at)),
            (claim, _) => {
                let claim = claim.as_ref().map_or(name, |it| &it.0);
                let source = vec![("claimName".into(), Text(claim.clone(), at))];
                let volume = vec![
                    ("name".into(), Text(name.clone(), at)),
                    ("persistentVolumeClaim".into(), Map(source, at)),
                ];
                volumes.push(Map(volume, at));
            }
        }
    }
    (volumes, claims)
}

fn claim<'d>(name: &str, storage: &Storage, at: Node<'d>) -> Field<'d> {
    let mode = storage.access.map_or("ReadWriteOnce", |it| it.name());
    let mode = List(vec![Text(mode.into(), at)], at);
    let mut spec: Fields<'d> = vec![("accessModes".into(), mode)];
    spec.extend(at.get("class").map(|it| ("storageClassName".into(), Stated(it))));
    if let Some(size) = at.get("size") {
        let requests = Map(vec![("storage".into(), Stated(size))], at);
        spec.push(("resources".into(), Map(vec![("requests".into(), requests)], at)));
    }
    let metadata = Map(vec![("name".into(), Text(name.into(), at))], at);
    Map(vec![("metadata".into(), metadata), ("spec".into(), Map(spec, at))], at)
}
