//! Pods that well-known operators make of custom objects: what labels they carry is known, though no manifest holds them.
//!
//! What an operator copies from a part of the object that is not read here, and what it is told by its own configuration,
//! is not known; so of most it can be told which pods a selector may mean, and of the Prometheus operator also which it
//! cannot.

use super::selector::{Operator, Requirement, Selector};
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// The pods that operators make, by namespace.
#[derive(Debug, Default)]
pub struct Operated<'d> {
    by_namespace: FxHashMap<&'d str, Vec<Pods<'d>>>,
}

/// The pods of one custom object.
#[derive(Debug)]
pub struct Pods<'d> {
    /// The object that they are made of.
    pub object: ObjId,
    /// Whether nothing else is among their labels.
    pub is_known: bool,
    labels: FxHashMap<&'d str, Label<'d>>,
}

/// The value of a label.
#[derive(Clone, Copy, Debug)]
enum Label<'d> {
    Is(&'d str),
    /// The object's name and these letters.
    Named(&'d str, &'static str),
    /// One that the operator chooses.
    Any,
}

/// A label as the table has it.
type Row = (&'static str, Value);

#[derive(Clone, Copy)]
enum Value {
    Is(&'static str),
    /// The object's name, and these letters.
    Name(&'static str),
    Any,
}

/// What an operator does with objects of a kind.
struct Kinds {
    group: &'static str,
    kind: &'static str,
    /// The field without which there are no such pods.
    needs: &'static [&'static str],
    labels: &'static [Row],
    /// Where the object says what else they are labelled.
    more: &'static [&'static [&'static str]],
    is_known: bool,
}

use Value::{Any, Is, Name};

const POD_METADATA: &[&[&str]] = &[&["spec", "podMetadata", "labels"]];
const STRIMZI: &str = "strimzi-cluster-operator";

/// `prometheus-operator/prometheus-operator`, pkg/prometheus, pkg/alertmanager and pkg/thanos (makeStatefulSetSpec);
/// `cloudnative-pg/cloudnative-pg`, pkg/utils/labels_annotations.go; `strimzi/strimzi-kafka-operator`, operator-common,
/// model/Labels.java; and the label constants of the other operators.
const OPERATORS: &[Kinds] = &[
    Kinds {
        group: "monitoring.coreos.com",
        kind: "Prometheus",
        needs: &[],
        labels: &[
            ("app.kubernetes.io/name", Is("prometheus")),
            ("app.kubernetes.io/instance", Name("")),
            ("app.kubernetes.io/managed-by", Is("prometheus-operator")),
            ("app.kubernetes.io/version", Any),
            ("operator.prometheus.io/name", Name("")),
            ("operator.prometheus.io/mode", Is("server")),
            ("operator.prometheus.io/shard", Any),
            ("prometheus", Name("")),
        ],
        more: POD_METADATA,
        is_known: true,
    },
    Kinds {
        group: "monitoring.coreos.com",
        kind: "PrometheusAgent",
        needs: &[],
        labels: &[
            ("app.kubernetes.io/name", Is("prometheus-agent")),
            ("app.kubernetes.io/instance", Name("")),
            ("app.kubernetes.io/managed-by", Is("prometheus-operator")),
            ("app.kubernetes.io/version", Any),
            ("operator.prometheus.io/name", Name("")),
            ("operator.prometheus.io/mode", Is("agent")),
            ("operator.prometheus.io/shard", Any),
        ],
        more: POD_METADATA,
        is_known: true,
    },
    Kinds {
        group: "monitoring.coreos.com",
        kind: "Alertmanager",
        needs: &[],
        labels: &[
            ("app.kubernetes.io/name", Is("alertmanager")),
            ("app.kubernetes.io/instance", Name("")),
            ("app.kubernetes.io/managed-by", Is("prometheus-operator")),
            ("app.kubernetes.io/version", Any),
            ("alertmanager", Name("")),
        ],
        more: POD_METADATA,
        is_known: true,
    },
    Kinds {
        group: "monitoring.coreos.com",
        kind: "ThanosRuler",
        needs: &[],
        labels: &[
            ("app.kubernetes.io/name", Is("thanos-ruler")),
            ("app.kubernetes.io/instance", Name("")),
            ("app.kubernetes.io/managed-by", Is("prometheus-operator")),
            ("app.kubernetes.io/version", Any),
            ("thanos-ruler", Name("")),
        ],
        more: POD_METADATA,
        is_known: true,
    },
    Kinds {
        group: "postgresql.cnpg.io",
        kind: "Cluster",
        needs: &[],
        labels: &[
            ("cnpg.io/cluster", Name("")),
            ("cnpg.io/instanceName", Any),
            ("cnpg.io/instanceRole", Any),
            ("cnpg.io/podRole", Is("instance")),
            ("role", Any),
            ("app.kubernetes.io/name", Is("postgresql")),
            ("app.kubernetes.io/instance", Name("")),
            ("app.kubernetes.io/component", Is("database")),
            ("app.kubernetes.io/managed-by", Is("cloudnative-pg")),
            ("app.kubernetes.io/version", Any),
        ],
        more: &[&["spec", "inheritedMetadata", "labels"]],
        is_known: false,
    },
    strimzi(
        "Kafka",
        &["spec", "kafka"],
        KAFKA,
        &[&["spec", "kafka", "template", "pod", "metadata", "labels"], LABELS],
    ),
    strimzi(
        "Kafka",
        &["spec", "zookeeper"],
        ZOOKEEPER,
        &[&["spec", "zookeeper", "template", "pod", "metadata", "labels"], LABELS],
    ),
    strimzi(
        "Kafka",
        &["spec", "entityOperator"],
        ENTITY_OPERATOR,
        &[&["spec", "entityOperator", "template", "pod", "metadata", "labels"], LABELS],
    ),
    strimzi(
        "Kafka",
        &["spec", "kafkaExporter"],
        EXPORTER,
        &[&["spec", "kafkaExporter", "template", "pod", "metadata", "labels"], LABELS],
    ),
    strimzi(
        "Kafka",
        &["spec", "cruiseControl"],
        CRUISE_CONTROL,
        &[&["spec", "cruiseControl", "template", "pod", "metadata", "labels"], LABELS],
    ),
    strimzi(
        "KafkaConnect",
        &[],
        CONNECT,
        &[&["spec", "template", "pod", "metadata", "labels"], LABELS],
    ),
    strimzi(
        "KafkaMirrorMaker2",
        &[],
        MIRROR_MAKER,
        &[&["spec", "template", "pod", "metadata", "labels"], LABELS],
    ),
    strimzi(
        "KafkaBridge",
        &[],
        BRIDGE,
        &[&["spec", "template", "pod", "metadata", "labels"], LABELS],
    ),
    other(
        "acid.zalan.do",
        "postgresql",
        &[
            ("application", Is("spilo")),
            ("cluster-name", Name("")),
            ("spilo-role", Any),
            ("team", Any),
        ],
    ),
    other(
        "elasticsearch.k8s.elastic.co",
        "Elasticsearch",
        &[
            ("common.k8s.elastic.co/type", Is("elasticsearch")),
            ("elasticsearch.k8s.elastic.co/cluster-name", Name("")),
            ("elasticsearch.k8s.elastic.co/statefulset-name", Any),
            ("elasticsearch.k8s.elastic.co/node-master", Any),
            ("elasticsearch.k8s.elastic.co/node-data", Any),
            ("elasticsearch.k8s.elastic.co/node-ingest", Any),
        ],
    ),
    other(
        "kibana.k8s.elastic.co",
        "Kibana",
        &[("common.k8s.elastic.co/type", Is("kibana")), ("kibana.k8s.elastic.co/name", Name(""))],
    ),
    other("minio.min.io", "Tenant", &[("v1.min.io/tenant", Name("")), ("v1.min.io/pool", Any)]),
    other("mongodbcommunity.mongodb.com", "MongoDBCommunity", &[("app", Name("-svc"))]),
    other(
        "mysql.oracle.com",
        "InnoDBCluster",
        &[
            ("mysql.oracle.com/cluster", Name("")),
            ("mysql.oracle.com/cluster-role", Any),
            ("component", Any),
            ("tier", Is("mysql")),
        ],
    ),
    other(
        "opentelemetry.io",
        "OpenTelemetryCollector",
        &[
            ("app.kubernetes.io/component", Is("opentelemetry-collector")),
            ("app.kubernetes.io/instance", Any),
            ("app.kubernetes.io/managed-by", Is("opentelemetry-operator")),
            ("app.kubernetes.io/name", Name("-collector")),
            ("app.kubernetes.io/part-of", Is("opentelemetry")),
        ],
    ),
    other(
        "postgres-operator.crunchydata.com",
        "PostgresCluster",
        &[
            ("postgres-operator.crunchydata.com/cluster", Name("")),
            ("postgres-operator.crunchydata.com/role", Any),
            ("postgres-operator.crunchydata.com/instance", Any),
            ("postgres-operator.crunchydata.com/instance-set", Any),
            ("postgres-operator.crunchydata.com/data", Is("postgres")),
        ],
    ),
    other(
        "rabbitmq.com",
        "RabbitmqCluster",
        &[
            ("app.kubernetes.io/name", Name("")),
            ("app.kubernetes.io/component", Is("rabbitmq")),
            ("app.kubernetes.io/part-of", Is("rabbitmq")),
        ],
    ),
    other(
        "serving.knative.dev",
        "Service",
        &[
            ("serving.knative.dev/service", Name("")),
            ("serving.knative.dev/configuration", Name("")),
            ("serving.knative.dev/revision", Any),
            ("app", Any),
        ],
    ),
];

/// The labels of the object itself, where the operator copies them.
const LABELS: &[&str] = &["metadata", "labels"];

const fn strimzi(
    kind: &'static str,
    needs: &'static [&'static str],
    labels: &'static [Row],
    more: &'static [&'static [&'static str]],
) -> Kinds {
    Kinds { group: "kafka.strimzi.io", kind, needs, labels, more, is_known: false }
}

const fn other(group: &'static str, kind: &'static str, labels: &'static [Row]) -> Kinds {
    Kinds { group, kind, needs: &[], labels, more: &[], is_known: false }
}

/// The labels of a component of Strimzi: its kind, the end of its name, and what it is called.
macro_rules! strimzi_labels {
    ($kind:literal, $suffix:literal, $component:literal) => {
        &[
            ("strimzi.io/cluster", Name("")),
            ("strimzi.io/kind", Is($kind)),
            ("strimzi.io/name", Name($suffix)),
            ("strimzi.io/component-type", Is($component)),
            ("strimzi.io/pool-name", Any),
            ("strimzi.io/broker-role", Any),
            ("strimzi.io/controller-role", Any),
            ("strimzi.io/controller-name", Any),
            ("strimzi.io/controller", Any),
            ("strimzi.io/pod-name", Any),
            ("app.kubernetes.io/name", Is($component)),
            ("app.kubernetes.io/instance", Name("")),
            ("app.kubernetes.io/part-of", Any),
            ("app.kubernetes.io/managed-by", Is(STRIMZI)),
        ]
    };
}

const KAFKA: &[Row] = strimzi_labels!("Kafka", "-kafka", "kafka");
const ZOOKEEPER: &[Row] = strimzi_labels!("Kafka", "-zookeeper", "zookeeper");
const ENTITY_OPERATOR: &[Row] = strimzi_labels!("Kafka", "-entity-operator", "entity-operator");
const EXPORTER: &[Row] = strimzi_labels!("Kafka", "-kafka-exporter", "kafka-exporter");
const CRUISE_CONTROL: &[Row] = strimzi_labels!("Kafka", "-cruise-control", "cruise-control");
const CONNECT: &[Row] = strimzi_labels!("KafkaConnect", "-connect", "kafka-connect");
const MIRROR_MAKER: &[Row] =
    strimzi_labels!("KafkaMirrorMaker2", "-mirrormaker2", "kafka-mirror-maker-2");
const BRIDGE: &[Row] = strimzi_labels!("KafkaBridge", "-bridge", "kafka-bridge");

/// The labels that a StatefulSet gives its pods, whoever made it.
const OF_STATEFUL_SET: [&str; 3] = [
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "controller-revision-hash",
];

/// Whether all labels that an operator gives the pods of this kind are known.
pub(in crate::analyze) fn is_known(object: &Object<'_>) -> bool {
    of(object).any(|it| it.is_known)
}

fn of(object: &Object<'_>) -> impl Iterator<Item = &'static Kinds> {
    let (group, kind) = (object.group(), object.kind_name);
    OPERATORS.iter().filter(move |it| it.group == group && it.kind == kind)
}

impl<'d> Operated<'d> {
    /// Finds them in a model.
    pub fn new(model: &Model<'d>) -> Operated<'d> {
        let mut operated = Operated::default();
        for object in model.of_kind(Kind::Custom).chain(model.of_kind(Kind::Prometheus)) {
            let replicas = object.field(&["spec", "replicas"]).and_then(Node::int);
            for kinds in of(object).filter(|_| replicas != Some(0)) {
                if kinds.needs.is_empty() || object.field(kinds.needs).is_some() {
                    let pods = Pods::new(object, kinds);
                    operated.by_namespace.entry(object.namespace).or_default().push(pods);
                }
            }
        }
        operated
    }

    /// The pods of a namespace that a selector may select, those first of which all is known.
    pub fn select(&self, namespace: &str, selector: &Selector<'_>) -> Option<&Pods<'d>> {
        let found = self.by_namespace.get(namespace).into_iter().flatten();
        let found = found.filter(|it| it.may_be_selected(selector));
        found.min_by_key(|it| !it.is_known)
    }
}

impl<'d> Pods<'d> {
    fn new(object: &Object<'d>, kinds: &'static Kinds) -> Pods<'d> {
        let mut labels: FxHashMap<&'d str, Label<'d>> =
            OF_STATEFUL_SET.iter().map(|it| (*it, Label::Any)).collect();
        for path in kinds.more {
            let more = object.field(path).into_iter().flat_map(Node::pairs);
            labels.extend(more.filter_map(|(key, it)| Some((key, Label::Is(it.str()?)))));
        }
        labels.extend(kinds.labels.iter().map(|(key, value)| {
            let label = match value {
                Is(it) => Label::Is(it),
                Name(suffix) => Label::Named(object.name, suffix),
                Any => Label::Any,
            };
            (*key, label)
        }));
        Pods { object: object.id, is_known: kinds.is_known, labels }
    }

    fn may_be_selected(&self, selector: &Selector<'_>) -> bool {
        !selector.invalid && selector.requirements.iter().all(|it| self.may_meet(it))
    }

    fn may_meet(&self, requirement: &Requirement<'_>) -> bool {
        let label = self.labels.get(requirement.key);
        match (&requirement.operator, label) {
            (Operator::In(values), Some(label)) => values.iter().any(|it| label.may_be(it)),
            (Operator::In(_) | Operator::Exists, None) => false,
            (Operator::NotIn(values), Some(label)) => !values.iter().any(|it| label.is(it)),
            (Operator::NotIn(_) | Operator::DoesNotExist, None) => true,
            (Operator::Exists, Some(_)) => true,
            (Operator::DoesNotExist, Some(_)) => false,
        }
    }
}

impl Label<'_> {
    fn is(self, value: &str) -> bool {
        match self {
            Label::Is(it) => it == value,
            Label::Named(name, suffix) => value.strip_suffix(suffix) == Some(name),
            Label::Any => false,
        }
    }

    fn may_be(self, value: &str) -> bool {
        matches!(self, Label::Any) || self.is(value)
    }
}
