//! What purlin must say of each system as documented: by hand, from the architecture and `expected.md` beside it.

use super::{describe, is_bad, is_of_one_object, objects, texts, with_world};
use purlin::rules;

/// A rule, an object that the finding names, and what its message, labels, notes and help must hold together.
type Row = (&'static str, &'static str, &'static [&'static str]);

#[test]
fn driveline() {
    let mut rows: Vec<Row> = vec![
        ("egress-without-dns", "NetworkPolicy/driveline/driveline-api", &["53", "UDP", "TCP"]),
        ("egress-without-dns", "NetworkPolicy/driveline/driveline-grpc", &["53", "UDP", "TCP"]),
        ("egress-without-dns", "NetworkPolicy/driveline/driveline-webhook", &["53", "UDP", "TCP"]),
        ("egress-without-dns", "NetworkPolicy/driveline/driveline-worker", &["53", "UDP", "TCP"]),
        ("exposed-node-port", "Service/driveline/rabbitmq-management", &["30672", "15672"]),
        ("secret-in-repository", "StatefulSet/driveline/rabbitmq", &["RABBITMQ_DEFAULT_PASS"]),
        ("default-deny-missing", "Namespace/driveline", &["ingress", "egress"]),
    ];
    const STORES: [&str; 4] = [
        "StatefulSet/driveline/mongodb",
        "StatefulSet/driveline/rabbitmq",
        "StatefulSet/driveline/redis",
        "StatefulSet/driveline/clickhouse",
    ];
    for store in STORES {
        rows.push(("quota-rejects-pod", store, QUOTA_LINES));
        rows.push(("single-replica", store, &["1"]));
    }
    finds_just("driveline/as-documented", &rows);
}

#[test]
fn driveline_with_the_credentials_of_the_image() {
    let rabbitmq = "StatefulSet/driveline/rabbitmq";
    finds_just(
        "driveline/variants/credentials-of-the-image",
        &[
            ("secret-in-repository", rabbitmq, &["guest", "RABBITMQ_DEFAULT_PASS"]),
            ("exposed-node-port", "Service/driveline/rabbitmq-management", &["30672", "15672"]),
            ("single-replica", rabbitmq, &["1"]),
            ("default-deny-missing", "Namespace/driveline", &["ingress", "egress"]),
        ],
    );
}

const QUOTA_LINES: &[&str] = &["requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

const FEASTFLOW: [Row; 7] = [
    ("rollout-deadlock", "Deployment/feastflow/postgres", &["postgres-pvc", "ReadWriteOnce"]),
    ("single-replica", "Deployment/feastflow/postgres", &["1", "Service/feastflow/postgres"]),
    ("image-tag-latest", "Deployment/feastflow/feastflow-backend", &["feastflow-backend:latest"]),
    ("pdb-missing", "Deployment/feastflow/feastflow-backend", &["3"]),
    ("pdb-missing", "Deployment/feastflow/feastflow-frontend", &["2"]),
    ("default-deny-missing", "Namespace/feastflow", &["ingress", "egress"]),
    ("secret-in-repository", "Secret/feastflow/feastflow-secrets", &["DB_PASSWORD", "JWT_SECRET"]),
];

#[test]
fn feastflow() {
    finds_just("feastflow/as-documented", &FEASTFLOW);
}

#[test]
fn feastflow_with_addresses_of_the_default_namespace() {
    let mut rows = FEASTFLOW.to_vec();
    rows.push((
        "unresolvable-address",
        "ConfigMap/feastflow/feastflow-config",
        &["feastflow-frontend.default.svc.cluster.local"],
    ));
    rows.push((
        "unresolvable-address",
        "Deployment/feastflow/feastflow-frontend",
        &["feastflow-backend.default.svc.cluster.local"],
    ));
    finds_just("feastflow/variants/default-addresses", &rows);
}

#[test]
fn feastflow_with_the_ingress_as_drawn() {
    let mut rows = FEASTFLOW.to_vec();
    rows.push(("dangling-ingress", INGRESS, &["backend-service"]));
    rows.push(("dangling-ingress", INGRESS, &["frontend-service"]));
    finds_just("feastflow/variants/drawn-ingress", &rows);
}

const INGRESS: &str = "Ingress/feastflow/feastflow-ingress";

#[test]
fn feastflow_with_the_databases_as_drawn() {
    let postgres = "Deployment/feastflow/postgres";
    let mut rows = FEASTFLOW.to_vec();
    // Two of them are no single one any more, and one claim holds both of them and every rollout.
    rows.retain(|it| it.0 != "single-replica" && it.0 != "pdb-missing");
    rows.push(("shared-read-write-once-volume", postgres, &["postgres-pvc", "ReadWriteOnce", "2"]));
    rows.push(("pdb-missing", "Deployment/feastflow/feastflow-backend", &["4"]));
    rows.push(("pdb-missing", "Deployment/feastflow/feastflow-frontend", &["2"]));
    rows.push(("pdb-missing", postgres, &["2"]));
    finds_just("feastflow/variants/drawn-databases", &rows);
}

/// What every overlay of healthcare-cloud has.
const HEALTHCARE_CLOUD: [Row; 7] = [
    (
        "hpa-vpa-conflict",
        "VerticalPodAutoscaler/healthcare-backend/healthcare-api-vpa",
        &["cpu", "memory", "HorizontalPodAutoscaler/healthcare-backend/healthcare-api"],
    ),
    ("pdb-blocks-drain", "PodDisruptionBudget/healthcare-backend/postgres", &["1"]),
    ("vpa-cannot-evict", "VerticalPodAutoscaler/healthcare-backend/postgres-vpa", &["Auto", "1"]),
    ("single-replica", "StatefulSet/healthcare-backend/postgres", &["1"]),
    (
        "egress-without-dns",
        "NetworkPolicy/healthcare-backend/api-to-data-stores",
        &["53", "UDP", "TCP"],
    ),
    ("ingress-cut-off", "Ingress/healthcare-backend/healthcare-api", &["8080"]),
    ("default-deny-missing", "Namespace/healthcare-backend", &["egress"]),
];

/// What they have where redis is autoscaled, and so has members.
const SCALED_REDIS: [Row; 2] = [
    (
        "hpa-vpa-conflict",
        "VerticalPodAutoscaler/healthcare-backend/redis-vpa",
        &["cpu", "memory", "HorizontalPodAutoscaler/healthcare-backend/redis"],
    ),
    (
        "members-cut-off",
        "StatefulSet/healthcare-backend/redis",
        &["6379", "16379", "NetworkPolicy/healthcare-backend/redis-from-api"],
    ),
];

/// What the single API pod of overlay `local` brings.
const LOCAL_API: [Row; 3] = [
    ("pdb-blocks-drain", "PodDisruptionBudget/healthcare-backend/healthcare-api", &["2", "1"]),
    (
        "vpa-cannot-evict",
        "VerticalPodAutoscaler/healthcare-backend/healthcare-api-vpa",
        &["Auto", "1"],
    ),
    ("single-replica", "Deployment/healthcare-backend/healthcare-api", &["1"]),
];

const REDIS_BUDGET: &str = "PodDisruptionBudget/healthcare-backend/redis";

#[test]
fn healthcare_cloud_in_production() {
    let mut rows = HEALTHCARE_CLOUD.to_vec();
    rows.extend(SCALED_REDIS);
    rows.push(("pdb-breaks-quorum", REDIS_BUDGET, &["1", "4", "6"]));
    finds_just("healthcare-cloud/as-documented.rendered/production", &rows);
}

#[test]
fn healthcare_cloud_in_staging() {
    let mut rows = HEALTHCARE_CLOUD.to_vec();
    rows.extend(SCALED_REDIS);
    rows.push(("pdb-breaks-quorum", REDIS_BUDGET, &["1", "2", "3"]));
    finds_just("healthcare-cloud/as-documented.rendered/staging", &rows);
}

#[test]
fn healthcare_cloud_local() {
    let mut rows = HEALTHCARE_CLOUD.to_vec();
    rows.extend(SCALED_REDIS);
    rows.extend(LOCAL_API);
    rows.push(("pdb-breaks-quorum", REDIS_BUDGET, &["1", "2", "3"]));
    let redis = "StatefulSet/healthcare-backend/redis";
    rows.push(("hpa-bounds", redis, &["1", "3", "9"]));
    rows.push(("hpa-fights-replicas", redis, &["1"]));
    finds_just("healthcare-cloud/as-documented.rendered/local", &rows);
}

#[test]
fn healthcare_cloud_local_with_one_redis() {
    let mut rows = HEALTHCARE_CLOUD.to_vec();
    rows.extend(LOCAL_API);
    rows.push(("pdb-blocks-drain", REDIS_BUDGET, &["1"]));
    rows.push((
        "vpa-cannot-evict",
        "VerticalPodAutoscaler/healthcare-backend/redis-vpa",
        &["Auto", "1"],
    ));
    rows.push(("single-replica", "StatefulSet/healthcare-backend/redis", &["1"]));
    finds_just("healthcare-cloud/variants.rendered/local-one-redis", &rows);
}

#[test]
fn healthcare_cloud_with_health_checks_on_the_port_of_the_api() {
    let mut rows = HEALTHCARE_CLOUD.to_vec();
    // Open to all, it is open to the ingress controller too.
    rows.retain(|it| it.0 != "ingress-cut-off");
    rows.extend(SCALED_REDIS);
    rows.push(("pdb-breaks-quorum", REDIS_BUDGET, &["1", "4", "6"]));
    rows.push((
        "health-check-opens-port",
        "NetworkPolicy/healthcare-backend/health-checks",
        &["8080", "Ingress/healthcare-backend/healthcare-api"],
    ));
    finds_just("healthcare-cloud/variants.rendered/health-checks-on-the-api-port", &rows);
}

#[test]
fn healthcare_cloud_local_never_runs_its_database_as_written() {
    let of = |overlay: &str| {
        let world = format!("healthcare-cloud/as-documented.rendered/{overlay}");
        with_world(&texts(&world), |_, outcome| {
            let all = outcome.findings.iter().filter(|it| it.rule == "vpa-floor-above-request");
            all.map(|it| it.message.clone()).collect::<Vec<_>>()
        })
    };
    let [message] = &*of("local") else { panic!("one finding") };
    for text in ["postgres", "500m cpu", "1Gi memory"] {
        assert!(message.contains(text), "{message}");
    }
    assert_eq!(of("production"), [""; 0]);
    assert_eq!(of("staging"), [""; 0]);
}

const HEALTHCARE_ONPREM: [Row; 3] = [
    ("pdb-blocks-drain", "PodDisruptionBudget/healthcare-backend/postgres", &["minAvailable 1"]),
    (
        "single-replica",
        "StatefulSet/healthcare-backend/postgres",
        &["1", "Service/healthcare-backend/postgres"],
    ),
    (
        "single-replica",
        "Deployment/healthcare-backend/pgbouncer",
        &["1", "Service/healthcare-backend/pgbouncer"],
    ),
];

#[test]
fn healthcare_onprem() {
    finds_just("healthcare-onprem/as-documented", &HEALTHCARE_ONPREM);
    finds_just("healthcare-onprem/variants/without-toleration", &HEALTHCARE_ONPREM);
}

/// What restricts the egress of every pod of `production`, and opens no DNS.
const INTERNET: &str = "NetworkPolicy/production/allow-egress-to-internet";

#[test]
fn yt_video_creator() {
    let quota = "ResourceQuota/production/production";
    finds_just(
        "yt-video-creator/as-documented",
        &[
            ("quota-below-hpa-max", quota, &["requests.cpu", "10 × 500m", "50 × 1", "56", "20"]),
            ("quota-below-hpa-max", quota, &["requests.memory", "50 × 2Gi", "114Gi", "40Gi"]),
            ("quota-below-hpa-max", quota, &["limits.cpu", "50 × 4", "222", "40"]),
            ("quota-below-hpa-max", quota, &["limits.memory", "50 × 8Gi", "448Gi", "80Gi"]),
            // What fits, and what still does once the other workloads state the limits that the quota demands.
            ("quota-below-hpa-max", quota, &["maxReplicas: 4", "3 times at most"]),
            ("quota-rejects-pod", "Deployment/production/frontend", QUOTA_LINES),
            ("quota-rejects-pod", "Deployment/production/admin", QUOTA_LINES),
            ("quota-rejects-pod", "Deployment/production/scheduler", QUOTA_LINES),
            ("quota-rejects-pod", "CronJob/production/background-jobs", QUOTA_LINES),
            ("pdb-blocks-drain", "PodDisruptionBudget/production/worker", &["2"]),
            ("pdb-blocks-drain", "PodDisruptionBudget/production/postgres", &["2", "1"]),
            ("single-replica", "StatefulSet/production/postgres", &["1"]),
            ("scrape-cut-off", "ServiceMonitor/monitoring/api", &["8000"]),
            ("half-open-flow", "NetworkPolicy/monitoring/prometheus", &["ingress"]),
            ("egress-without-dns", INTERNET, &["53", "UDP", "TCP"]),
        ],
    );
}

#[test]
fn yt_video_creator_with_fifty_api_pods() {
    let quota = "ResourceQuota/production/production";
    finds_just(
        "yt-video-creator/variants/api-max-50",
        &[
            ("quota-below-hpa-max", quota, &["requests.cpu", "50 × 500m", "25", "20"]),
            ("quota-below-hpa-max", quota, &["requests.memory", "50 × 1Gi", "50Gi", "40Gi"]),
            ("quota-below-hpa-max", quota, &["limits.cpu", "50 × 2", "100", "40"]),
            ("quota-below-hpa-max", quota, &["limits.memory", "50 × 4Gi", "200Gi", "80Gi"]),
            ("pdb-blocks-drain", "PodDisruptionBudget/production/api", &["2"]),
            ("egress-without-dns", INTERNET, &["53", "UDP", "TCP"]),
        ],
    );
}

/// Each row is found, and nothing else is an error or a warning, the rules of one object left out of account. Rows of
/// rules that purlin does not have are printed.
fn finds_just(world: &str, rows: &[Row]) {
    with_world(&texts(world), |model, outcome| {
        let mut wrong = Vec::new();
        let told: Vec<_> = outcome.told().collect();
        let mut explained = vec![false; told.len()];
        for (rule, object, texts) in rows {
            if rules::built_in().find(rule).is_none() {
                println!("{world}: left out, as there is no rule {rule}: {object}");
                continue;
            }
            let mut is_found = false;
            for (at, finding) in told.iter().enumerate() {
                let text = everything(finding, &objects(model, finding));
                let is_it = finding.rule == *rule
                    && is_bad(finding)
                    && objects(model, finding).iter().any(|it| it == object)
                    && texts.iter().all(|it| text.contains(it));
                explained[at] |= is_it;
                is_found |= is_it;
            }
            if !is_found {
                wrong.push(format!("missing: {rule} {object} {texts:?}"));
            }
        }
        for (finding, is_explained) in told.iter().zip(explained) {
            if is_bad(finding) && !is_explained && !is_of_one_object(finding) {
                wrong.push(format!("not expected: {}", describe(model, finding)));
            }
        }
        assert!(wrong.is_empty(), "{world}:\n{}", wrong.join("\n"));
    });
}

fn everything(finding: &purlin::rule::Finding, objects: &[String]) -> String {
    let mut text = vec![finding.message.clone()];
    text.extend(finding.labels.iter().map(|it| it.text.clone()));
    text.extend(finding.notes.iter().cloned());
    text.extend(finding.help.clone());
    text.extend(objects.iter().cloned());
    text.join("\n")
}
