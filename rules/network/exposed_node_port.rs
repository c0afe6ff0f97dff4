//! Services that open a data store or a management port on every node or by a load balancer.

use crate::analyze::network::policies::is_in_host_network;
use crate::analyze::selection::services::{Exposure, Service, ServicePort, Target};
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Parameter, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "exposed-node-port",
    title: "a data store or management port is opened to the outside",
    severity: Severity::Warning,
    group: Group::Network,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::Service],
    like: &["kube-linter:exposed-services", "kube-linter:ssh-port", "kube-score:service-type"],
    parameters: &[PORTS, TYPES],
    page: include_str!("exposed_node_port.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// What listens on these ports by custom, and how it is called: others may listen there as well.
const KNOWN: &[(&str, &str, &[&str])] = &[
    ("22", "SSH", &["ssh", "sftp", "bastion"]),
    ("1433", "SQL Server", &["mssql", "sqlserver", "sql-server"]),
    ("1521", "Oracle", &["oracle"]),
    ("2181", "ZooKeeper", &["zookeeper", "zk"]),
    ("2375", "Docker, without TLS", &["docker", "dind"]),
    ("2379", "etcd", &["etcd"]),
    ("2380", "etcd peers", &["etcd"]),
    ("3306", "MySQL", &["mysql", "mariadb", "percona"]),
    ("3389", "Remote Desktop", &["rdp", "remote-desktop", "guacd"]),
    (
        "5432",
        "PostgreSQL",
        &[
            "postgres",
            "pgsql",
            "pg-",
            "-pg",
            "timescale",
            "postgis",
            "pgvector",
            "cloudnative",
            "patroni",
        ],
    ),
    ("5672", "AMQP", &["rabbit", "amqp", "activemq", "artemis"]),
    ("6379", "Redis", &["redis", "valkey", "keydb", "dragonfly"]),
    ("8123", "ClickHouse", &["clickhouse"]),
    ("8500", "Consul", &["consul"]),
    ("9042", "Cassandra", &["cassandra", "scylla"]),
    ("9092", "Kafka", &["kafka", "redpanda"]),
    ("9200", "Elasticsearch", &["elastic", "opensearch"]),
    ("9300", "Elasticsearch peers", &["elastic", "opensearch"]),
    ("10250", "the kubelet", &["kubelet"]),
    ("10255", "the kubelet, without authentication", &["kubelet"]),
    ("11211", "Memcached", &["memcache"]),
    ("15672", "RabbitMQ management", &["rabbit"]),
    ("26257", "CockroachDB", &["cockroach"]),
    ("27017", "MongoDB", &["mongo"]),
];

/// What data stores are called, whichever they are.
const STORES: [&str; 8] =
    ["broker", "cache", "database", "datastore", "db", "management", "queue", "sql"];

const PORTS: Parameter = Parameter {
    name: "ports",
    about: "the ports, as the pods serve them, that are nobody's business outside",
    default: &[
        "22", "1433", "1521", "2181", "2375", "2379", "2380", "3306", "3389", "5432", "5672",
        "6379", "8123", "8500", "9042", "9092", "9200", "9300", "10250", "10255", "11211", "15672",
        "26257", "27017",
    ],
};

const TYPES: Parameter = Parameter {
    name: "types",
    about: "what no Service is to be, whatever its ports: NodePort, LoadBalancer, ExternalIPs",
    default: &["ExternalIPs"],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let (ports, types) = (cx.parameter(PORTS.name), cx.parameter(TYPES.name));
    for service in cx.facts.services().iter() {
        if !is_exposed(cx, service) {
            continue;
        }
        out.findings.extend(of_type(cx.object(service.object), service, &types));
        for port in &service.ports {
            let served = served(cx, service, port);
            let mut numbers = served.iter().map(ToString::to_string);
            let is_it =
                |it: &String| ports.contains(&it.as_str()) && is_product(cx, it, service, port);
            if let Some(number) = numbers.find(is_it) {
                out.find(finding(cx, service, port, &number));
            }
        }
    }
    for workload in cx.facts.workloads().iter() {
        host_ports(cx, workload, &ports, out);
    }
}

/// Whether a Service opens its ports to the outside: on every node, by a load balancer, or by addresses that lead there.
fn is_exposed(cx: &Cx<'_, '_>, service: &Service<'_>) -> bool {
    matches!(service.exposure, Exposure::NodePort | Exposure::LoadBalancer)
        || external_ips(cx.object(service.object)).is_some()
}

fn external_ips<'d>(object: &Object<'d>) -> Option<Node<'d>> {
    object.field(&["spec", "externalIPs"]).filter(|it| it.count() > 0)
}

/// That a Service is of a type that is not wanted.
fn of_type(object: &Object<'_>, service: &Service<'_>, types: &[&str]) -> Option<Finding> {
    let name = match service.exposure {
        Exposure::NodePort => "NodePort",
        Exposure::LoadBalancer => "LoadBalancer",
        Exposure::ClusterIp | Exposure::ExternalName => "",
    };
    if types.contains(&name) {
        let message = format!("`{object}` is of type {name}, which purlin.yaml does not allow");
        let finding = Finding::new(message, object.at("spec.type"), "opened to the outside");
        return Some(
            finding.help("make it `type: ClusterIP`, and let an Ingress or a Gateway lead to it"),
        );
    }
    let external = external_ips(object).filter(|_| types.contains(&"ExternalIPs"))?;
    let message = format!("`{object}` takes traffic to addresses that it names itself");
    Some(
        Finding::new(message, object.place(external), "any address, another's too")
            .note("whoever writes `externalIPs` gets what others in the cluster send there (CVE-2020-8554); the field is deprecated since Kubernetes 1.36")
            .help("use a load balancer, a Gateway or an Ingress"),
    )
}

/// Whether something calls itself what listens on a port by custom: the number alone tells nothing. Of ports that the user
/// lists and nobody has a custom for, the number is enough.
fn is_product(
    cx: &Cx<'_, '_>,
    number: &str,
    service: &Service<'_>,
    port: &ServicePort<'_>,
) -> bool {
    let pods = service.selects.iter().map(|it| cx.facts.workloads().get(it.0));
    let selector = cx.object(service.object).field(&["spec", "selector"]);
    let selected = selector.into_iter().flat_map(Node::pairs).filter_map(|it| it.1.str());
    let names = pods.flat_map(names).chain([service.name]).chain(port.name).chain(selected);
    is_called(cx, number, names)
}

/// What pods call themselves.
fn names<'d>(workload: &Workload<'d>) -> Vec<&'d str> {
    let containers = workload.containers();
    let own = containers.flat_map(|it| [it.text("image"), it.text("name")]).flatten();
    own.chain([workload.name]).chain(workload.labels.written.iter().map(|it| it.1)).collect()
}

fn is_called<'n>(cx: &Cx<'_, '_>, number: &str, mut names: impl Iterator<Item = &'n str>) -> bool {
    let is_listed = cx.policy.parameter(RULE.id, PORTS.name).is_some();
    let known = KNOWN.iter().find(|it| it.0 == number).filter(|_| !is_listed);
    known.is_none_or(|(_, _, words)| {
        names.any(|name| {
            let name = name.to_ascii_lowercase();
            let mut parts = name.split(|it: char| !it.is_ascii_alphanumeric());
            words.iter().any(|it| name.contains(it)) || parts.any(|it| STORES.contains(&it))
        })
    })
}

/// Ports of containers that are opened on the node that runs them. In the node's network each is: the API server writes
/// its number as `hostPort` (`pkg/apis/core/v1/defaults.go`, `defaultHostNetworkPorts`).
fn host_ports(cx: &Cx<'_, '_>, workload: &Workload<'_>, ports: &[&str], out: &mut Out) {
    let declared = workload.containers().flat_map(|it| it.list("ports"));
    for port in declared.filter(|it| !is_local(*it)) {
        let is_on_host = is_in_host_network(workload);
        let field = if is_on_host { "containerPort" } else { "hostPort" };
        let Some(node) = port.get(field).filter(|it| it.int().is_some_and(|it| it > 0)) else {
            continue;
        };
        let number = port.get("containerPort").and_then(Node::int).unwrap_or_default().to_string();
        if !ports.contains(&number.as_str()) || !is_called(cx, &number, names(workload).into_iter())
        {
            continue;
        }
        let object = cx.object(workload.object);
        let host = node.int().unwrap_or_default();
        let what = product(&number);
        let message =
            format!("`{object}` opens port {number}{what} on port {host} of the node that runs it");
        let finding = Finding::new(message, object.place(node), format!("leads to port {number}"));
        out.find(finding.note("whoever reaches the node reaches it, and most network policies see a node as the sender").help(match is_on_host {
            true => "drop `hostNetwork`, and let others come by a Service",
            false => "drop `hostPort`, and let others come by a Service",
        }));
    }
}

/// Whether only the node itself reaches a port.
fn is_local(port: Node<'_>) -> bool {
    port.text("hostIP").is_some_and(|it| it.starts_with("127.") || it == "::1")
}

fn product(number: &str) -> String {
    let known = KNOWN.iter().find(|it| it.0 == number);
    known.map_or(String::new(), |(_, name, _)| format!(" ({name})"))
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
    let what = product(number);
    let external = external_ips(object);
    let (opens, kind) = match (service.exposure, port.node_port) {
        (Exposure::ClusterIp, _) => ("by `externalIPs`".to_string(), "ClusterIP"),
        (Exposure::LoadBalancer, _) => ("by a load balancer".to_string(), "LoadBalancer"),
        (_, Some(node_port)) => (format!("on port {node_port} of every node"), "NodePort"),
        (_, None) => ("on a port of every node".to_string(), "NodePort"),
    };
    let message = format!("`{object}` opens port {number}{what} {opens}");
    let place = port.node.get("nodePort").or(port.node.get("port")).unwrap_or(port.node);
    let mut finding = Finding::new(message, object.place(place), format!("leads to port {number}"));
    finding = match external {
        Some(node) => finding.label(object.place(node), "whoever reaches these reaches it"),
        None => finding.label(object.at("spec.type"), kind),
    };
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
