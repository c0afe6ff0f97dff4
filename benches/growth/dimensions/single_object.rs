//! What one object may hold much of, and texts that take long to read.

use super::{Dimension, dimension};
use crate::input::{
    Input, Workload, config_map, container_with_env, documents, namespace, object, repeated,
    service, workload,
};

const IMAGE: &str = "registry.example/x:1.4.2";

pub(super) const ALL: &[Dimension] = &[
    dimension("containers", |n| {
        let containers = repeated(n, |i| {
            format!(
                "        - name: c{i}\n          image: {IMAGE}\n          resources: {{requests: {{cpu: 1m, memory: 64Mi}}, limits: {{memory: 64Mi}}}}\n          ports: [{{name: p{i}, containerPort: {}}}]\n          env: [{{name: A, value: 'http://s:80'}}]\n",
                1 + i % 60_000
            )
        });
        let pods = Workload { containers, ..workload("w") };
        documents([namespace("a", ""), pods.to_string(), service("s", "app: w")])
    }),
    dimension("findings-in-containers", |n| {
        let containers = repeated(n, |i| {
            format!("        - name: c{i}\n          image: registry.example/x:latest\n")
        });
        documents([namespace("a", ""), Workload { containers, ..workload("w") }.to_string()])
    }),
    dimension("findings-in-variables", |n| {
        of_variables(&repeated(n, |i| {
            format!("{{name: DB_PASSWORD_{i}, value: 'hunter2-{i}-Xy9'}}\n")
        }))
    }),
    dimension("findings-in-keys", |n| {
        let data = repeated(n, |i| format!("  K{i}_PASSWORD: hunter2-{i}-Xy9\n"));
        documents([namespace("a", ""), config_map("c", data)])
    }),
    dimension("variables-with-addresses", |n| {
        of_variables(&repeated(n, |i| format!("{{name: V{i}, value: 'http://s{i}:80/x'}}\n")))
    }),
    dimension("ports-of-a-pod-and-a-service", |n| {
        let ports =
            repeated(n, |i| format!("            - {{name: p{i}, containerPort: {}}}\n", 1 + i));
        let containers =
            format!("        - name: c\n          image: {IMAGE}\n          ports:\n{ports}");
        let ports =
            repeated(n, |i| format!("    - {{name: p{i}, port: {}, targetPort: p{i}}}\n", 1 + i));
        let service = object(
            "v1",
            "Service",
            "s",
            format!("spec:\n  selector: {{app: w}}\n  ports:\n{ports}"),
        );
        documents([
            namespace("a", ""),
            Workload { containers, ..workload("w") }.to_string(),
            service,
        ])
    }),
    dimension("lines-of-a-text", |n| {
        let line = "    upstream server http://api.shop.svc:8080/path?x=y # some comment here with words\n";
        with_text(format!("  nginx.conf: |\n{}", line.repeat(n)))
    }),
    dimension("words-of-a-line", |n| {
        with_text(format!("  x: '{}'\n", "word some text api.shop.svc: ".repeat(n)))
    }),
    dimension("marks-of-access-keys", |n| with_text(format!("  x: '{}'\n", "AKIA-".repeat(8 * n)))),
    dimension("beginnings-of-private-keys", |n| {
        with_text(format!("  x: '{}'\n", "-----BEGIN ".repeat(8 * n)))
    }),
    dimension("marks-of-tokens", |n| {
        let marks = "ghp_ xoxb- eyJ sk_live_ AIza npm_ glpat- password= https://a:";
        with_text(format!("  x: '{}'\n", marks.replace(' ', "").repeat(n)))
    }),
    dimension("annotations", |n| {
        let annotations: Vec<_> = (0..n).map(|i| format!("k{i}: v")).collect();
        documents([Workload { annotations: annotations.join(", "), ..workload("w") }])
    }),
    dimension("labels-and-a-selector", |n| {
        let labels: Vec<_> = (0..n).map(|i| format!("k{i}: v")).collect();
        let labels = labels.join(", ");
        let pods = Workload { labels: labels.clone(), ..workload("w") };
        documents([namespace("a", ""), pods.to_string(), service("s", labels)])
    }),
    dimension("anchors-and-keys", |n| {
        let aliases = vec!["*a"; 90].join(", ");
        let data = repeated(n, |i| format!("  k{i}: x\n"));
        documents([object(
            "v1",
            "ConfigMap",
            "c",
            format!("x: &a {{k: v}}\ndata:\n{data}list: [{aliases}]"),
        )])
    }),
    dimension("objects-with-a-finding", |n| {
        documents(
            (0..n).map(|i| Workload {
                image: "registry.example/x:latest",
                ..workload(format!("w{i}"))
            }),
        )
    }),
];

fn of_variables(env: &str) -> Input {
    let pods = Workload { containers: container_with_env(IMAGE, env), ..workload("w") };
    documents([namespace("a", ""), pods.to_string(), service("s0", "app: w")])
}

fn with_text(data: String) -> Input {
    documents([namespace("a", ""), workload("w").to_string(), config_map("c", data)])
}
