//! Workloads, and what selects them: Services, budgets, monitors, affinity.

use super::{Dimension, dimension, root};
use crate::input::{
    Workload, budget, container_with_env, documents, ingress_policy, namespace, object, object_in,
    service, service_in, workload,
};

pub(super) const ALL: &[Dimension] = &[
    dimension("workloads-of-a-namespace", |n| {
        documents(
            [namespace("a", "")]
                .into_iter()
                .chain((0..n).map(|i| workload(format!("w{i}")).to_string())),
        )
    }),
    dimension("namespaces", |n| {
        documents((0..n).flat_map(|i| {
            let name = format!("n{i}");
            let pods = Workload { namespace: name.clone(), ..workload("w") };
            [namespace(&name, ""), pods.to_string(), service_in(&name, "w", "app: w")]
        }))
    }),
    dimension("services-with-workloads", |n| {
        documents((0..n).flat_map(|i| {
            [workload(format!("w{i}")).to_string(), service(format!("s{i}"), format!("app: w{i}"))]
        }))
    }),
    dimension("services-of-a-workload", |n| {
        let services = (0..n).map(|i| service(format!("s{i}"), "app: w"));
        documents([workload("w").to_string()].into_iter().chain(services))
    }),
    dimension("services-without-pods", |n| {
        let services = (0..n).map(|i| service(format!("s{i}"), format!("app: gone{i}")));
        documents([workload("w").to_string()].into_iter().chain(services))
    }),
    dimension("workloads-of-a-service", |n| {
        documents([service("s", "tier: web")].into_iter().chain(tier(n, 2)))
    }),
    dimension("services-times-workloads-root", |n| {
        let n = root(n) / 4;
        documents(services_of_tier(n).chain(tier(n, 2)))
    }),
    dimension("services-times-workloads-of-one-replica", |n| {
        documents([namespace("a", "")].into_iter().chain(services_of_tier(n)).chain(tier(n, 1)))
    }),
    dimension("budgets-with-workloads", |n| {
        documents((0..n).flat_map(|i| {
            [workload(format!("w{i}")).to_string(), budget(format!("p{i}"), format!("app: w{i}"))]
        }))
    }),
    dimension("budgets-of-a-workload", |n| {
        let budgets = (0..n).map(|i| budget(format!("p{i}"), "app: w"));
        documents([workload("w").to_string()].into_iter().chain(budgets))
    }),
    dimension("budgets-times-workloads-root", |n| {
        documents(tier(root(n), 2).chain(budgets_of_tier(root(n))))
    }),
    dimension("budgets-times-workloads", |n| {
        documents([namespace("a", "")].into_iter().chain(tier(n, 2)).chain(budgets_of_tier(n)))
    }),
    dimension("anti-affinity-to-the-next", |n| {
        documents((0..n).map(|i| Workload {
            pod: anti_affinity("", &format!("w{}", (i + 1) % n)),
            ..workload(format!("w{i}"))
        }))
    }),
    dimension("anti-affinity-of-all-namespaces", |n| {
        documents((0..n).flat_map(|i| {
            let name = format!("n{i}");
            let pod = anti_affinity("namespaceSelector: {}, ", &format!("gone{i}"));
            let pods = Workload { namespace: name.clone(), pod, ..workload("w") };
            [namespace(&name, ""), pods.to_string()]
        }))
    }),
    dimension("prometheus-and-monitors-root", |n| scraped(root(n) / 2)),
    dimension("prometheus-and-monitors", scraped),
    dimension("monitors-with-services", |n| {
        documents((0..n).flat_map(|i| {
            [
                workload(format!("w{i}")).to_string(),
                format!(
                    "apiVersion: v1\nkind: Service\nmetadata: {{name: s{i}, namespace: a, labels: {{app: w{i}}}}}\nspec: {{selector: {{app: w{i}}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}\n"
                ),
                monitor(i, &format!("app: w{i}")),
            ]
        }))
    }),
    dimension("monitors-of-all-namespaces", |n| {
        documents((0..n).flat_map(|i| {
            let name = format!("n{i}");
            let pods = Workload { namespace: name.clone(), ..workload("w") };
            let rest = format!(
                "spec: {{namespaceSelector: {{any: true}}, selector: {{matchLabels: {{app: gone{i}}}}}, podMetricsEndpoints: [{{port: http}}]}}"
            );
            let monitor = object_in(&name, "monitoring.coreos.com/v1", "PodMonitor", "m", rest);
            [namespace(&name, ""), pods.to_string(), monitor]
        }))
    }),
    dimension("duplicates-of-a-workload", |n| documents((0..n).map(|_| workload("w")))),
    dimension("custom-objects", |n| {
        let customs = (0..n).map(|i| {
            object("x.example/v1", "Thing", format!("t{i}"), "spec: {a: b, list: [x, y, z]}")
        });
        documents([workload("w").to_string()].into_iter().chain(customs))
    }),
];

/// Workloads with a label in common.
fn tier(count: usize, replicas: usize) -> impl Iterator<Item = String> {
    let of =
        move |i| Workload { labels: "tier: web".into(), replicas, ..workload(format!("w{i}")) };
    (0..count).map(move |i| of(i).to_string())
}

fn services_of_tier(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|i| service(format!("s{i}"), "tier: web"))
}

fn budgets_of_tier(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|i| budget(format!("p{i}"), "tier: web"))
}

fn anti_affinity(namespaces: &str, app: &str) -> String {
    format!(
        "affinity: {{podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: kubernetes.io/hostname, {namespaces}labelSelector: {{matchLabels: {{app: {app}}}}}}}]}}}}"
    )
}

fn monitor(at: usize, labels: &str) -> String {
    let rest =
        format!("spec: {{selector: {{matchLabels: {{{labels}}}}}, endpoints: [{{port: http}}]}}");
    object("monitoring.coreos.com/v1", "ServiceMonitor", format!("m{at}"), rest)
}

/// A Prometheus that is given the addresses of closed Services, and monitors that are for none of them.
fn scraped(count: usize) -> crate::input::Input {
    let env = crate::input::repeated(count, |i| {
        format!("{{name: V{i}_URL, value: 'http://s{i}.a.svc:80'}}\n")
    });
    let prometheus = Workload {
        labels: "app.kubernetes.io/name: prometheus".into(),
        containers: container_with_env("quay.io/prometheus/prometheus:v2.50.0", &env),
        ..workload("prometheus")
    };
    let first = [namespace("a", ""), prometheus.to_string(), ingress_policy("a", "deny", "{}", "")];
    let each = (0..count).flat_map(|i| {
        [
            workload(format!("w{i}")).to_string(),
            service(format!("s{i}"), format!("app: w{i}")),
            monitor(i, &format!("x: y{i}")),
        ]
    });
    documents(first.into_iter().chain(each))
}
