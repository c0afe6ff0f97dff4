//! Network policies, and what they are asked about.

use super::{Dimension, dimension, root};
use crate::input::{
    Input, Workload, container_with_env, documents, ingress_policy, namespace, object, object_in,
    service, workload,
};

const PORT: &str = "ports: [{port: 8080}]";

pub(super) const ALL: &[Dimension] = &[
    dimension("policies-with-workloads", |n| {
        documents((0..n).flat_map(|i| {
            let rule = format!("{{from: [{{podSelector: {{matchLabels: {{app: w0}}}}}}], {PORT}}}");
            [
                workload(format!("w{i}")).to_string(),
                ingress_policy(
                    "a",
                    format!("p{i}"),
                    format!("{{matchLabels: {{app: w{i}}}}}"),
                    rule,
                ),
            ]
        }))
    }),
    dimension("policies-of-a-workload", |n| {
        let policies = (0..n).map(|i| {
            let port = 1 + i % 60_000;
            let rule =
                format!("{{from: [{{podSelector: {{matchLabels: {{app: w}}}}}}], ports: [{{port: {port}}}]}}");
            ingress_policy("a", format!("p{i}"), "{matchLabels: {app: w}}", rule)
        });
        documents([workload("w").to_string()].into_iter().chain(policies))
    }),
    dimension("policies-of-all-pods", |n| documents(workloads(10).chain(policies(n, "{}", "x")))),
    dimension("policies-times-workloads-root", |n| {
        documents(workloads(root(n)).chain(policies(root(n), "{}", "w")))
    }),
    dimension("policies-times-workloads", |n| {
        let pods =
            (0..n).map(|i| Workload { labels: "tier: x".into(), ..workload(format!("w{i}")) });
        let policies = policies(n, "{matchLabels: {tier: x}}", "w");
        documents(pods.map(|it| it.to_string()).chain(policies))
    }),
    dimension("rules-of-a-policy", |n| {
        let rules: Vec<_> = (0..n)
            .map(|i| {
                let address = format!("10.{}.{}.{}/32", i >> 16 & 255, i >> 8 & 255, i & 255);
                format!("{{from: [{{ipBlock: {{cidr: {address}}}}}], {PORT}}}")
            })
            .collect();
        let policy = ingress_policy("a", "p", "{}", rules.join(", "));
        let question = vec!["--from", "internet", "--to", "w"];
        Input { question, ..documents([namespace("a", ""), workload("w").to_string(), policy]) }
    }),
    dimension("rules-towards-the-internet", |n| {
        let rules: Vec<_> = (0..n)
            .map(|i| {
                let address = format!("20.{}.{}.{}/32", i >> 16 & 255, i >> 8 & 255, i & 255);
                format!("{{to: [{{ipBlock: {{cidr: {address}}}}}], {PORT}}}")
            })
            .collect();
        let rest = format!(
            "spec: {{podSelector: {{}}, policyTypes: [Egress], egress: [{}]}}",
            rules.join(", ")
        );
        let policy = object("networking.k8s.io/v1", "NetworkPolicy", "p", rest);
        let question = vec!["--from", "w", "--to", "internet"];
        Input { question, ..documents([namespace("a", ""), workload("w").to_string(), policy]) }
    }),
    dimension("blocks-with-a-hole", |n| {
        let rule = |i: usize| {
            let hole = format!("20.{}.{}.0/24", i >> 8 & 255, i & 255);
            format!("{{from: [{{ipBlock: {{cidr: 0.0.0.0/0, except: [{hole}]}}}}], {PORT}}}")
        };
        let rules: Vec<_> = (0..n).map(rule).collect();
        let policy = ingress_policy("a", "p", "{}", rules.join(", "));
        documents([namespace("a", ""), workload("w").to_string(), policy])
    }),
    dimension("peers-of-a-policy", |n| {
        let peers: Vec<_> =
            (0..n).map(|i| format!("{{podSelector: {{matchLabels: {{app: w{i}}}}}}}")).collect();
        let policy =
            ingress_policy("a", "p", "{}", format!("{{from: [{}], {PORT}}}", peers.join(", ")));
        documents(workloads(n).chain([policy]))
    }),
    dimension("peers-times-namespaces-root", |n| {
        let n = root(n);
        let peers: Vec<_> = (0..n)
            .map(|i| {
                format!(
                    "{{namespaceSelector: {{}}, podSelector: {{matchLabels: {{app: gone{i}}}}}}}"
                )
            })
            .collect();
        let rule = format!("{{from: [{}], {PORT}}}", peers.join(", "));
        documents(
            [ingress_policy("n0", "p", "{}", rule)]
                .into_iter()
                .chain((0..n).flat_map(|i| own_namespace(i, ""))),
        )
    }),
    dimension("namespaces-that-let-in-the-next-by-name", |n| {
        documents((0..n).flat_map(|i| {
            let next = (i + 1) % n;
            let peer = format!(
                "{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: n{next}}}}}, podSelector: {{matchLabels: {{app: w}}}}}}"
            );
            own_namespace(i, "").into_iter().chain([lets_in(i, &peer)])
        }))
    }),
    dimension("namespaces-that-let-in-the-next-by-label", |n| {
        documents((0..n).flat_map(|i| {
            let peer =
                format!("{{namespaceSelector: {{matchLabels: {{team: t{}}}}}}}", (i + 1) % n);
            own_namespace(i, &format!("team: t{i}")).into_iter().chain([lets_in(i, &peer)])
        }))
    }),
    dimension("cluster-wide-policies-and-namespaces", |n| {
        documents((0..n).flat_map(|i| {
            let next = (i + 1) % n;
            let rest = format!(
                "spec:\n  priority: {}\n  subject: {{namespaces: {{matchLabels: {{kubernetes.io/metadata.name: n{i}}}}}}}\n  ingress: [{{name: x, action: Deny, from: [{{namespaces: {{matchLabels: {{kubernetes.io/metadata.name: n{next}}}}}}}]}}]",
                i % 900
            );
            let version = "policy.networking.k8s.io/v1alpha1";
            let policy = object_in("", version, "AdminNetworkPolicy", format!("p{i}"), rest);
            own_namespace(i, "").into_iter().chain([policy])
        }))
    }),
    dimension("clients-of-a-closed-service", |n| {
        let first = [
            workload("s").to_string(),
            service("s", "app: s"),
            ingress_policy("a", "deny", "{matchLabels: {app: s}}", ""),
        ];
        let containers = container_with_env(
            "registry.example/x:1.4.2",
            "{name: S_URL, value: 'http://s.a.svc:80'}",
        );
        let clients = (0..n).map(|i| {
            let containers = containers.clone();
            Workload { containers, ..workload(format!("w{i}")) }.to_string()
        });
        documents(first.into_iter().chain(clients))
    }),
    dimension("flows-declared", |n| {
        declared(n, workloads(n).chain(services(n)).chain([ingress_policy("a", "p", "{}", "")]))
    }),
    dimension("flows-declared-over-an-open-namespace", |n| {
        declared(n, workloads(n).chain(services(n)))
    }),
    dimension("routes-and-grants", |n| {
        let first = [
            workload("w").to_string(),
            service("s", "app: w"),
            object(
                "gateway.networking.k8s.io/v1",
                "Gateway",
                "g",
                "spec: {gatewayClassName: x, listeners: [{name: l, port: 80, protocol: HTTP}]}",
            ),
        ];
        let routes = (0..n).map(|i| {
            object(
                "gateway.networking.k8s.io/v1",
                "HTTPRoute",
                format!("r{i}"),
                "spec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: s, port: 80, namespace: b}]}]}",
            )
        });
        let grants = (0..n).map(|i| {
            let rest = format!(
                "spec: {{from: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: x{i}}}], to: [{{group: '', kind: Service}}]}}"
            );
            object_in("b", "gateway.networking.k8s.io/v1beta1", "ReferenceGrant", format!("g{i}"), rest)
        });
        documents(
            [namespace("a", ""), namespace("b", "")]
                .into_iter()
                .chain(first)
                .chain(routes)
                .chain(grants),
        )
    }),
    dimension("ingresses", |n| ingresses(n, |i| format!("h{i}.example"))),
    dimension("ingresses-of-a-host", |n| ingresses(n, |_| "h.example".into())),
];

fn workloads(count: usize) -> impl Iterator<Item = String> {
    [namespace("a", "")]
        .into_iter()
        .chain((0..count).map(|i| workload(format!("w{i}")).to_string()))
}

fn services(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|i| service(format!("s{i}"), format!("app: w{i}")))
}

fn policies<'a>(
    count: usize,
    selector: &'a str,
    peers: &'a str,
) -> impl Iterator<Item = String> + use<'a> {
    (0..count).map(move |i| {
        let rule =
            format!("{{from: [{{podSelector: {{matchLabels: {{app: {peers}{i}}}}}}}], {PORT}}}");
        ingress_policy("a", format!("p{i}"), selector, rule)
    })
}

fn own_namespace(at: usize, labels: &str) -> [String; 2] {
    let name = format!("n{at}");
    let pods = Workload { namespace: name.clone(), ..workload("w") };
    [namespace(&name, labels), pods.to_string()]
}

fn lets_in(at: usize, peer: &str) -> String {
    ingress_policy(&format!("n{at}"), "p", "{}", format!("{{from: [{peer}], {PORT}}}"))
}

/// Each workload is declared to call the next.
fn declared(count: usize, documents: impl Iterator<Item = String>) -> Input {
    let flows = crate::input::repeated(count, |i| {
        format!("  - {{from: w{i}, to: w{}, ports: [8080]}}\n", (i + 1) % count)
    });
    crate::input::documents(documents).policy(format!("flows:\n{flows}"))
}

fn ingresses(count: usize, host: impl Fn(usize) -> String) -> Input {
    let each = (0..count).map(|i| {
        let rest = format!(
            "spec: {{rules: [{{host: {}, http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: s, port: {{number: 80}}}}}}}}]}}}}]}}",
            host(i)
        );
        object("networking.k8s.io/v1", "Ingress", format!("i{i}"), rest)
    });
    documents([workload("w").to_string(), service("s", "app: w")].into_iter().chain(each))
}
