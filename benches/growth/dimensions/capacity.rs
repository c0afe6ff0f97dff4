//! Replicas, resources and quotas.

use super::{Dimension, dimension, root};
use crate::input::{
    Workload, autoscaler, budget, documents, namespace, object, quota, repeated, workload,
};

pub(super) const ALL: &[Dimension] = &[
    dimension("autoscalers-with-workloads", |n| documents(scaled(n))),
    dimension("autoscalers-under-a-quota", |n| {
        let quota = quota("q", "requests.cpu: '1', pods: '10'");
        documents([namespace("a", ""), quota].into_iter().chain(scaled(n)))
    }),
    dimension("autoscalers-of-a-workload", |n| {
        let scalers = (0..n).map(|i| autoscaler(format!("h{i}"), "w"));
        documents([namespace("a", ""), workload("w").to_string()].into_iter().chain(scalers))
    }),
    dimension("autoscalers-without-workloads", |n| {
        let scalers = (0..n).map(|i| autoscaler(format!("h{i}"), format!("gone{i}")));
        documents([namespace("a", ""), workload("w").to_string()].into_iter().chain(scalers))
    }),
    dimension("daemon-sets-under-a-quota", |n| {
        let quota = quota("q", "requests.cpu: '1000000', pods: '1000000'");
        let sets =
            (0..n).map(|i| Workload { kind: "DaemonSet", ..workload(format!("w{i}")) }.to_string());
        documents([namespace("a", ""), quota].into_iter().chain(sets))
    }),
    dimension("quotas-times-workloads-root", |n| {
        let n = root(n);
        documents(workloads(n).chain(quotas(n)))
    }),
    dimension("quotas-times-workloads", |n| documents(workloads(n).chain(quotas(n)))),
    dimension("limit-ranges-times-workloads", |n| {
        let ranges = (0..n).map(|i| {
            object(
                "v1",
                "LimitRange",
                format!("q{i}"),
                "spec: {limits: [{type: Container, max: {cpu: '4'}}]}",
            )
        });
        documents(workloads(n).chain(ranges))
    }),
    dimension("lines-of-a-quota-and-workloads", |n| {
        let hard = repeated(n, |i| format!("    count/r{i}.x.example: '1'\n"));
        let quota = object("v1", "ResourceQuota", "q", format!("spec:\n  hard:\n{hard}"));
        documents([quota].into_iter().chain(workloads(n)))
    }),
    dimension("containers-under-a-limit-range", |n| {
        let containers = repeated(n, |i| {
            format!("        - name: c{i}\n          image: registry.example/x:1.4.2\n")
        });
        let range = object(
            "v1",
            "LimitRange",
            "l",
            "spec: {limits: [{type: Container, min: {cpu: 100m}, max: {cpu: '1'}}]}",
        );
        documents([Workload { containers, ..workload("w") }.to_string(), range])
    }),
    dimension("everything-of-an-application", |n| {
        documents((0..n).flat_map(|i| {
            let (name, selector) = (format!("w{i}"), format!("app: w{i}"));
            [workload(&name).to_string(), autoscaler(&name, &name), budget(&name, selector)]
        }))
    }),
];

fn workloads(count: usize) -> impl Iterator<Item = String> {
    [namespace("a", "")]
        .into_iter()
        .chain((0..count).map(|i| workload(format!("w{i}")).to_string()))
}

fn scaled(count: usize) -> impl Iterator<Item = String> {
    (0..count).flat_map(|i| {
        [workload(format!("w{i}")).to_string(), autoscaler(format!("h{i}"), format!("w{i}"))]
    })
}

fn quotas(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|i| quota(format!("q{i}"), "requests.cpu: '1000', pods: '100000'"))
}
