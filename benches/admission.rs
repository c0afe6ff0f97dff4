//! Verdicts in worlds of several sizes: `cargo bench --bench admission`.
//!
//! What counts is that the time of a verdict follows the namespace and not the cluster, so the ratio of the largest
//! world to the smallest; and how many bytes of memory an object takes. `-- 1000 10000 update` says how many objects,
//! and which requests.

use purlin::api::kind::KINDS;
use purlin::load::cluster::live;
use purlin::policy::Policy;
use purlin::rules::built_in;
use purlin::run::Run;
use purlin::text::source::SourceId;
use purlin::webhook::context::Context;
use purlin::webhook::review::Review;
use purlin::webhook::rulebook::Rulebook;
use purlin::webhook::state::State;
use purlin::webhook::verdict::judge;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use std::{env, fs};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 3] = [1_000, 10_000, 60_000];

/// Of each kind of request, in each world.
const ROUNDS: usize = 2_000;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let sizes: Vec<usize> = args.iter().filter_map(|it| it.parse().ok()).collect();
    let sizes = if sizes.is_empty() { SIZES.to_vec() } else { sizes };
    let named = |it: &&(&str, Request)| args.iter().any(|arg| arg == it.0);
    let requests: Vec<_> = REQUESTS.iter().filter(named).copied().collect();
    let requests = if requests.is_empty() { REQUESTS.to_vec() } else { requests };
    println!(
        "{:>8} {:>8} {:>10} {:>10} {:>10} {:>10} {:>10} {:>9} {:>9}",
        "objects",
        "request",
        "parse p50",
        "judge p50",
        "p99",
        "commit p50",
        "view",
        "bytes/obj",
        "RSS/obj"
    );
    for size in sizes {
        measure(size, &requests);
    }
}

fn measure(size: usize, requests: &[(&str, Request)]) {
    let before = resident();
    let rules = Rulebook::new(built_in());
    let mut state = State::new(&rules);
    let mut namespaces = 0;
    while state.snapshot().len() < size {
        for object in namespace(namespaces) {
            state.observe(live::document(SourceId(0), &object, "", ""), 7);
        }
        namespaces += 1;
    }
    KINDS.iter().for_each(|it| state.set_complete(it.kind, true));
    let snapshot = state.snapshot();
    let bytes: usize = snapshot.iter().map(|it| it.bytes()).sum();
    let held = resident().saturating_sub(before);
    let count = snapshot.len();
    drop(snapshot);
    let policy = Policy::default();
    let now = "2026-06-01T12:00:00Z".parse().expect("a time");
    let run = Run::default();
    let context = Context { rules: &rules, policy: &policy, run: &run, own_account: None, now };
    for (name, request) in requests {
        let mut times = [const { Vec::new() }; 4];
        let mut denied = 0;
        for round in 0..ROUNDS {
            // All over the cluster, so that no cache helps.
            let body = request(round * 7919 % namespaces, round);
            let start = Instant::now();
            let review = Review::parse(&body).expect("a review");
            times[0].push(start.elapsed());
            let start = Instant::now();
            let view = state.snapshot();
            times[3].push(start.elapsed());
            let start = Instant::now();
            let verdict = judge(&view, &review, &context);
            times[1].push(start.elapsed());
            denied += usize::from(verdict.is_denied());
            let start = Instant::now();
            assert!(state.commit(&view, &review, &verdict.change, start));
            times[2].push(start.elapsed());
            state.forget(&review.key);
        }
        assert!(denied == 0 || denied == ROUNDS, "{name}: {denied} of {ROUNDS} were denied");
        let [parse, judge, commit, view] = times.map(sorted);
        println!(
            "{count:>8} {name:>8} {:>10.1?} {:>10.1?} {:>10.1?} {:>10.1?} {:>10.1?} {:>9} {:>9}",
            parse[ROUNDS / 2],
            judge[ROUNDS / 2],
            judge[ROUNDS * 99 / 100],
            commit[ROUNDS / 2],
            view[ROUNDS / 2],
            bytes / count,
            held / count,
        );
    }
}

fn sorted(mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort();
    times
}

/// The bytes of memory that the process has, which only Linux tells.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    line.and_then(|it| it.trim().strip_suffix(" kB")?.parse().ok()).map_or(0, |it: usize| it << 10)
}

type Request = fn(usize, usize) -> Vec<u8>;

/// An update that is allowed, a scaling, a budget that is denied, and an autoscaler.
const REQUESTS: [(&str, Request); 5] = [
    ("update", |at, round| {
        let old = deployment(at, 0);
        let mut new = old.clone();
        new["spec"]["template"]["spec"]["containers"][0]["image"] =
            format!("registry.example.com/app-0:2.{round}.0").into();
        body("UPDATE", "apps", "deployments", "", Some(old), Some(new))
    }),
    ("scale", |at, _| {
        let scale = |replicas: u64| {
            json!({"apiVersion": "autoscaling/v1", "kind": "Scale",
                "metadata": metadata(at, "app-1"), "spec": {"replicas": replicas}})
        };
        body("UPDATE", "apps", "deployments", "scale", Some(scale(3)), Some(scale(4)))
    }),
    ("denied", |at, _| {
        let mut budget = budget(at, 2);
        budget["spec"]["minAvailable"] = 3.into();
        body("CREATE", "policy", "poddisruptionbudgets", "", None, Some(budget))
    }),
    ("budget", |at, _| {
        body("CREATE", "policy", "poddisruptionbudgets", "", None, Some(budget(at, 2)))
    }),
    ("hpa", |at, _| {
        let scaler = autoscaler(at, 2);
        body("CREATE", "autoscaling", "horizontalpodautoscalers", "", None, Some(scaler))
    }),
];

fn body(
    operation: &str,
    group: &str,
    resource: &str,
    subresource: &str,
    old: Option<Value>,
    new: Option<Value>,
) -> Vec<u8> {
    let metadata = &new.as_ref().or(old.as_ref()).expect("an object")["metadata"];
    let request = json!({
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": group, "version": "v1", "kind": "Any"},
        "resource": {"group": group, "version": "v1", "resource": resource},
        "subResource": subresource,
        "name": metadata["name"], "namespace": metadata["namespace"],
        "operation": operation, "userInfo": {"username": "kubernetes-admin"},
        "object": new, "oldObject": old, "dryRun": false,
    });
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
        .to_string()
        .into_bytes()
}

/// The objects of one team: what a chart of three services leaves in a cluster.
fn namespace(at: usize) -> Vec<Value> {
    let object = |version: &str, kind: &str, name: &str, rest: Value| {
        let mut object =
            json!({"apiVersion": version, "kind": kind, "metadata": metadata(at, name)});
        for (key, value) in rest.as_object().into_iter().flatten() {
            object[key] = value.clone();
        }
        object
    };
    let mut namespace = object("v1", "Namespace", &format!("team-{at}"), json!({}));
    namespace["metadata"]["namespace"] = Value::Null;
    let mut objects = vec![
        namespace,
        object("v1", "ServiceAccount", "default", json!({})),
        object(
            "v1",
            "ConfigMap",
            "kube-root-ca.crt",
            json!({"data": {"ca.crt": "-".repeat(1100)}}),
        ),
        object("v1", "ConfigMap", "settings", json!({"data": {"LEVEL": "info", "REGION": "eu"}})),
        object(
            "v1",
            "Secret",
            "credentials",
            json!({"type": "Opaque", "data": {"password": "aGlk"}}),
        ),
        object("v1", "ResourceQuota", "compute", json!({"spec": {"hard": {"requests.cpu": "40"}}})),
        object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "deny",
            json!({"spec": {
            "podSelector": {}, "policyTypes": ["Ingress"]}}),
        ),
        object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "allow",
            json!({"spec": {
            "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [
                {"podSelector": {}},
                {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "team-0"}}}]}]}}),
        ),
        object(
            "networking.k8s.io/v1",
            "Ingress",
            "web",
            json!({"spec": {
            "ingressClassName": "nginx",
            "rules": [{"host": format!("team-{at}.example.com"), "http": {"paths": [
                {"path": "/", "pathType": "Prefix",
                    "backend": {"service": {"name": "app-0", "port": {"number": 80}}}}]}}]}}),
        ),
        budget(at, 0),
        budget(at, 1),
        autoscaler(at, 0),
    ];
    for app in 0..3 {
        let name = format!("app-{app}");
        objects.push(deployment(at, app));
        objects.push(object(
            "v1",
            "Service",
            &name,
            json!({"spec": {
            "selector": {"app": name}, "type": "ClusterIP", "clusterIP": "10.0.0.1",
            "clusterIPs": ["10.0.0.1"], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
            "sessionAffinity": "None", "internalTrafficPolicy": "Cluster",
            "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]},
            "status": {"loadBalancer": {}}}),
        ));
    }
    objects
}

fn metadata(at: usize, name: &str) -> Value {
    json!({
        "name": name, "namespace": format!("team-{at}"), "resourceVersion": "7", "generation": 3,
        "uid": "6f1f6b1e-7c1f-4f0e-9d7b-1a2b3c4d5e6f", "creationTimestamp": "2026-05-01T08:00:00Z",
        "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "Helm",
            "app.kubernetes.io/instance": format!("team-{at}"), "helm.sh/chart": "app-1.2.3"},
        "annotations": {"meta.helm.sh/release-name": name,
            "kubectl.kubernetes.io/last-applied-configuration": "x".repeat(900)},
        "managedFields": [{"manager": "helm", "operation": "Update", "apiVersion": "v1",
            "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {}}}}}],
    })
}

fn budget(at: usize, app: usize) -> Value {
    let name = format!("app-{app}");
    json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata(at, &name),
        "spec": {"minAvailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": {"app": name}}},
        "status": {"currentHealthy": 3, "desiredHealthy": 1, "disruptionsAllowed": 2}})
}

fn autoscaler(at: usize, app: usize) -> Value {
    let name = format!("app-{app}");
    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(at, &name),
        "spec": {"minReplicas": 3, "maxReplicas": 10,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 70}}}]},
        "status": {"currentReplicas": 3, "desiredReplicas": 3}})
}

fn deployment(at: usize, app: usize) -> Value {
    let name = format!("app-{app}");
    let probe = |path: &str| {
        json!({"httpGet": {"path": path, "port": "http", "scheme": "HTTP"}, "periodSeconds": 10,
            "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3})
    };
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(at, &name),
        "spec": {"replicas": 3, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {"metadata": {"labels": {"app": name, "tier": "web"}}, "spec": {
                "restartPolicy": "Always", "dnsPolicy": "ClusterFirst",
                "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30,
                "securityContext": {"runAsNonRoot": true, "runAsUser": 1000},
                "topologySpreadConstraints": [{"maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway",
                    "topologyKey": "kubernetes.io/hostname",
                    "labelSelector": {"matchLabels": {"app": name}}}],
                "containers": [{"name": "app", "image": format!("registry.example.com/{name}:1.4.2"),
                    "imagePullPolicy": "IfNotPresent",
                    "env": [
                        {"name": "LEVEL", "valueFrom":
                            {"configMapKeyRef": {"name": "settings", "key": "LEVEL"}}},
                        {"name": "PASSWORD", "valueFrom":
                            {"secretKeyRef": {"name": "credentials", "key": "password"}}},
                        {"name": "UPSTREAM", "value": "http://app-1:80/api"}],
                    "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                    "resources": {"requests": {"cpu": "500m", "memory": "256Mi"},
                        "limits": {"cpu": "1", "memory": "256Mi"}},
                    "readinessProbe": probe("/ready"), "livenessProbe": probe("/live"),
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File"}]}}},
        "status": {"replicas": 3, "readyReplicas": 3, "conditions": [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}]}})
}
