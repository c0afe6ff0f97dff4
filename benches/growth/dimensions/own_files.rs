//! Targets, kustomizations, and what stands in `purlin.yaml`.

use super::{Dimension, dimension};
use crate::input::{
    Input, Workload, autoscaler, autoscaler_in, documents, joined, namespace, repeated, service,
    service_in, workload,
};

const LATEST: &str = "registry.example/x:latest";

pub(super) const ALL: &[Dimension] = &[
    dimension("worlds", |n| {
        worlds(n, |i| {
            let name = format!("n{i}");
            let pods = Workload { namespace: name.clone(), ..workload("w") };
            [namespace(&name, ""), pods.to_string(), service_in(&name, "s", "app: w")]
        })
    }),
    dimension("worlds-that-ask-each-other", |n| {
        worlds(n, |i| {
            let name = format!("n{i}");
            let pods = Workload { namespace: name.clone(), pod: volume("gone"), ..workload("w") };
            [
                namespace(&name, ""),
                pods.to_string(),
                service_in(&name, "s", "app: gone"),
                autoscaler_in(&name, "h", "gone"),
            ]
        })
    }),
    dimension("worlds-that-ask-about-a-namespace", |n| {
        worlds(n, |i| {
            let pods = Workload { pod: volume(&format!("gone{i}")), ..workload(format!("w{i}")) };
            let scaler = autoscaler(format!("h{i}"), format!("gone{i}"));
            [pods.to_string(), service(format!("s{i}"), format!("app: gone{i}")), scaler]
        })
    }),
    dimension("worlds-with-a-file-in-common", |n| {
        let base = joined((0..10).map(|i| Workload { image: LATEST, ..workload(format!("w{i}")) }));
        let targets = repeated(n, |i| {
            format!("  - {{name: w{i}, path: base}}\n  - {{name: w{i}, path: w{i}}}\n")
        });
        let input =
            Input::default().policy(format!("targets:\n{targets}")).with("base/a.yaml", base);
        (0..n).fold(input, |input, i| {
            input.with(format!("w{i}/a.yaml"), workload(format!("o{i}")).to_string())
        })
    }),
    dimension("exceptions", |n| {
        let each = repeated(n, |i| {
            format!("  - {{rule: image-tag-latest, object: Deployment/a/w{i}, reason: x}}\n")
        });
        latest(n).policy(format!("exceptions:\n{each}"))
    }),
    dimension("exceptions-of-one-name", |n| {
        let each = repeated(n, |i| {
            format!("  - {{rule: image-tag-latest, object: Deployment/n{i}/w, reason: x}}\n")
        });
        let workloads =
            (0..n).map(|i| Workload { namespace: format!("n{i}"), image: LATEST, ..workload("w") });
        documents(workloads).policy(format!("exceptions:\n{each}"))
    }),
    dimension("exceptions-of-one-object", |n| {
        let each = "  - {rule: image-tag-latest, object: Deployment/a/w, reason: x}\n".repeat(n);
        let containers =
            repeated(n, |i| format!("        - name: c{i}\n          image: {LATEST}\n"));
        documents([Workload { containers, ..workload("w") }]).policy(format!("exceptions:\n{each}"))
    }),
    dimension("exceptions-with-wildcards", |n| {
        latest(n).policy(format!("exceptions:\n{}", repeated(n, wildcard)))
    }),
    dimension("findings-under-500-exceptions", |n| {
        latest(n).policy(format!("exceptions:\n{}", repeated(500, wildcard)))
    }),
    dimension("externals", |n| {
        let external = repeated(n, |i| format!("  - ConfigMap/a/x{i}*\n"));
        let each = (0..n).map(|i| {
            Workload { pod: volume(&format!("c{i}")), ..workload(format!("w{i}")) }.to_string()
        });
        documents([namespace("a", "")].into_iter().chain(each))
            .policy(format!("external:\n{external}"))
    }),
    dimension("complete-namespaces", |n| {
        let complete = repeated(n, |i| format!("  - x{i}\n"));
        let each = (0..n).map(|i| Workload {
            namespace: format!("n{i}"),
            pod: volume(&format!("c{i}")),
            ..workload("w")
        });
        documents(each).policy(format!("complete:\n{complete}"))
    }),
    dimension("findings-of-a-baseline", |n| {
        let write = vec!["check", ".", "--baseline", "known.json", "--write-baseline"];
        Input { before: Some(write), options: vec!["--baseline", "known.json"], ..latest(n) }
    }),
    dimension("objects-of-a-kustomized-file", |n| {
        kustomized(
            joined((0..n).map(|i| Workload { image: LATEST, ..workload(format!("w{i}")) })),
            "namePrefix: p-\n",
        )
    }),
    // Kustomize looks through all objects for each patch, and takes minutes for as many of both as elsewhere.
    dimension("patches-of-a-kustomization", |n| {
        let n = n / 6;
        let patches = repeated(n, |i| {
            format!(
                "  - target: {{kind: Deployment, name: w{i}}}\n    patch: |\n      - {{op: replace, path: /spec/template/spec/containers/0/image, value: '{LATEST}'}}\n"
            )
        });
        kustomized(
            joined((0..n).map(|i| workload(format!("w{i}")))),
            &format!("patches:\n{patches}"),
        )
    }),
];

fn volume(name: &str) -> String {
    format!("volumes: [{{name: v, configMap: {{name: {name}}}}}]")
}

/// Workloads that `image-tag-latest` is about.
fn latest(count: usize) -> Input {
    documents((0..count).map(|i| Workload { image: LATEST, ..workload(format!("w{i}")) }))
}

/// An exception that matches nothing, and begins and ends with what stands for anything.
fn wildcard(at: usize) -> String {
    format!("  - {{rule: '*', object: '*/a/w{at}-*', reason: x}}\n")
}

/// Targets, each a folder with these documents.
fn worlds<const COUNT: usize>(count: usize, documents: impl Fn(usize) -> [String; COUNT]) -> Input {
    let targets = repeated(count, |i| format!("  - {{name: w{i}, path: w{i}}}\n"));
    let input = Input::default().policy(format!("targets:\n{targets}"));
    (0..count).fold(input, |input, i| input.with(format!("w{i}/a.yaml"), joined(documents(i))))
}

/// A kustomization of one file; it is built before, since that is not purlin's work.
fn kustomized(file: String, rest: &str) -> Input {
    let input = Input {
        paths: vec!["base"],
        needs: Some("kubectl"),
        before: Some(vec!["check", "base"]),
        ..Input::default()
    };
    let kustomization = format!("resources: [all.yaml]\n{rest}");
    input.with("base/all.yaml", file).with("base/kustomization.yaml", kustomization)
}
