//! Objects to attack with.

use serde_json::{Value, json};

pub(super) fn deployment(name: &str, replicas: u64) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": {}, "annotations": {}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [
                {"name": "app", "image": "registry.example.com/app:1",
                    "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}}]}}}})
}

pub(super) fn budget(name: &str, of: &str, min_available: u64) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "shop", "labels": {}, "annotations": {}},
        "spec": {"minAvailable": min_available, "selector": {"matchLabels": {"app": of}}}})
}

pub(super) fn autoscaler(name: &str, of: &str, min: u64, max: u64) -> Value {
    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": "shop", "labels": {}, "annotations": {}},
        "spec": {"minReplicas": min, "maxReplicas": max,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": of},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 70}}}]}})
}

pub(super) fn quota(cpu: u64) -> Value {
    json!({"apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": "compute", "namespace": "shop"},
        "spec": {"hard": {"requests.cpu": cpu.to_string()}}})
}

pub(super) fn ingress(namespace: &str, name: &str, service: &str) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": name, "namespace": namespace, "annotations": {}},
        "spec": {"rules": [{"host": "shop.example.com", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend":
                {"service": {"name": service, "port": {"number": 80}}}}]}}]}})
}

/// The same object with an entry under `metadata.labels` or `metadata.annotations`.
pub(super) fn with(mut object: Value, field: &str, key: &str, value: &str) -> Value {
    object["metadata"][field][key] = value.into();
    object
}

/// The same in another namespace.
pub(super) fn within(mut object: Value, namespace: &str) -> Value {
    object["metadata"]["namespace"] = namespace.into();
    object
}

/// The `scale` subresource of a workload, as a request.
pub(super) fn scale(object: &Value, replicas: u64) -> Value {
    let name = &object["metadata"]["name"];
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "kind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
        "resource": {"group": "apps", "version": "v1", "resource": "deployments"},
        "subResource": "scale", "name": name, "namespace": "shop", "operation": "UPDATE",
        "userInfo": {"username": "downscaler"},
        "object": {"apiVersion": "autoscaling/v1", "kind": "Scale",
            "metadata": {"name": name, "namespace": "shop"}, "spec": {"replicas": replicas}},
        "oldObject": {"apiVersion": "autoscaling/v1", "kind": "Scale",
            "metadata": {"name": name, "namespace": "shop"}, "spec": {}}}})
}
