//! Services that open a data store or a management port on every node or by a load balancer.

use crate::analyze::selection::services::{Exposure, Service, ServicePort, Target};
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Parameter, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "exposed-node-port",
    title: "a data store or management port is opened to the outside",
    severity: Severity::Warning,
    group: Group::Network,
    admission: Admission::Deny,
    reads: &[Kind::Service],
    like: &["kube-linter:exposed-services", "kube-score:service-type"],
    parameters: &[PORTS],
    page: include_str!("exposed_node_port.md"),
    reads_images: false,
    checks: &[Check::World(check)],
};

/// What listens on these ports by custom.
const KNOWN: &[(&str, &str)] = &[
    ("1433", "SQL Server"),
    ("1521", "Oracle"),
    ("2181", "ZooKeeper"),
    ("2375", "Docker, without TLS"),
    ("2379", "etcd"),
    ("2380", "etcd peers"),
    ("3306", "MySQL"),
    ("5432", "PostgreSQL"),
    ("5672", "AMQP"),
    ("6379", "Redis"),
    ("8123", "ClickHouse"),
    ("8500", "Consul"),
    ("9042", "Cassandra"),
    ("9092", "Kafka"),
    ("9200", "Elasticsearch"),
    ("9300", "Elasticsearch peers"),
    ("11211", "Memcached"),
    ("15672", "RabbitMQ management"),
    ("26257", "CockroachDB"),
    ("27017", "MongoDB"),
];

const PORTS: Parameter = Parameter {
    name: "ports",
    about: "the ports, as the pods serve them, that are nobody's business outside",
    default: &[
        "1433", "1521", "2181", "2375", "2379", "2380", "3306", "5432", "5672", "6379", "8123",
        "8500", "9042", "9092", "9200", "9300", "11211", "15672", "26257", "27017",
    ],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let ports = cx.parameter(PORTS.name);
    for service in cx.facts.services().iter() {
        if !matches!(service.exposure, Exposure::NodePort | Exposure::LoadBalancer) {
            continue;
        }
        for port in &service.ports {
            let served = served(cx, service, port);
            if let Some(number) =
                served.iter().map(ToString::to_string).find(|it| ports.contains(&it.as_str()))
            {
                out.find(finding(cx, service, port, &number));
            }
        }
    }
}

/// The ports of the pods that a port of the Service leads to; its own number where no pod is known.
fn served(cx: &Cx<'_, '_>, service: &Service<'_>, port: &ServicePort<'_>) -> Vec<i64> {
    if let Target::Number(number) = port.target {
        return vec![number];
    }
    let mut served: Vec<_> =
        service.selects.iter().filter_map(|(id, _)| port.on(cx.facts.ports(*id))).collect();
    if served.is_empty() {
        served.push(port.port);
    }
    served
}

fn finding(
    cx: &Cx<'_, '_>,
    service: &Service<'_>,
    port: &ServicePort<'_>,
    number: &str,
) -> Finding {
    let object = cx.object(service.object);
    let what = KNOWN
        .iter()
        .find(|(it, _)| *it == number)
        .map_or(String::new(), |(_, name)| format!(" ({name})"));
    let (opens, kind) = match (service.exposure, port.node_port) {
        (Exposure::LoadBalancer, _) => ("by a load balancer".to_string(), "LoadBalancer"),
        (_, Some(node_port)) => (format!("on port {node_port} of every node"), "NodePort"),
        (_, None) => ("on a port of every node".to_string(), "NodePort"),
    };
    let message = format!("`{object}` opens port {number}{what} {opens}");
    let place = port.node.get("nodePort").or(port.node.get("port")).unwrap_or(port.node);
    let mut finding = Finding::new(message, object.place(place), format!("leads to port {number}"))
        .label(object.at("spec.type"), kind);
    for (workload, _) in service.selects.iter().take(4) {
        let workload = cx.object(cx.facts.workloads().get(*workload).object);
        finding = finding.label(workload.whole(), "answers there");
    }
    let finding = finding.help("make it `type: ClusterIP`; for people, `kubectl port-forward` or an Ingress with authentication");
    match narrowed(object) {
        Some(by) => finding.severity(Severity::Note).note(by),
        None => finding.note("whoever reaches a node reaches it: NodePorts pass by Ingresses, and most network policies see a node as the sender"),
    }
}

/// What keeps a load balancer from the Internet.
fn narrowed(object: &Object<'_>) -> Option<&'static str> {
    let annotations = object.field(&["metadata", "annotations"]);
    let is_internal = annotations.into_iter().flat_map(|it| it.pairs()).any(|(key, value)| {
        let value = value.scalar().unwrap_or_default().to_lowercase();
        let about = key.contains("load-balancer") || key.contains("load-balancer-scheme");
        about
            && (key.contains("internal") && value != "false"
                || key.ends_with("scheme") && value == "internal"
                || key.ends_with("type") && value == "internal")
    });
    if is_internal {
        return Some(
            "the load balancer is internal by annotation: the networks behind it reach the port",
        );
    }
    let ranges = object.field(&["spec", "loadBalancerSourceRanges"])?;
    (ranges.count() > 0 && ranges.items().all(|it| it.str() != Some("0.0.0.0/0")))
        .then_some("`loadBalancerSourceRanges` narrows who may come")
}
