//! Configuration, roles, and those who name them.

use super::{Dimension, dimension, root};
use crate::input::{
    Input, Workload, config_map, container_with_env, documents, joined, namespace, object,
    object_in, repeated, service, workload,
};

const IMAGE: &str = "registry.example/x:1.4.2";

pub(super) const ALL: &[Dimension] = &[
    dimension("keys-read-one-by-one", |n| {
        let env = repeated(n, |i| {
            format!("{{name: V{i}, valueFrom: {{configMapKeyRef: {{name: c, key: K{i}_URL}}}}}}\n")
        });
        let reader = Workload { containers: container_with_env(IMAGE, &env), ..workload("w") };
        documents([namespace("a", ""), service("s", "app: w"), reader.to_string(), addresses(n)])
    }),
    dimension("keys-read-together", |n| {
        let containers = format!(
            "        - name: c\n          image: {IMAGE}\n          envFrom: [{{configMapRef: {{name: c}}}}]\n"
        );
        let reader = Workload { containers, ..workload("w") };
        documents([namespace("a", ""), service("s", "app: w"), reader.to_string(), addresses(n)])
    }),
    dimension("readers-of-each-key", |n| {
        let n = root(n) / 4;
        let env = repeated(n, |i| {
            format!("{{name: V{i}, valueFrom: {{configMapKeyRef: {{name: c, key: K{i}_URL}}}}}}\n")
        });
        let containers = container_with_env(IMAGE, &env);
        let readers = (0..n).map(|i| {
            let containers = containers.clone();
            Workload { containers, ..workload(format!("w{i}")) }.to_string()
        });
        documents(
            [namespace("a", ""), service("s", "app: w0"), addresses(n)].into_iter().chain(readers),
        )
    }),
    dimension("missing-keys", |n| {
        let env = repeated(n, |i| {
            format!("{{name: V{i}, valueFrom: {{configMapKeyRef: {{name: c, key: M{i}}}}}}}\n")
        });
        let reader = Workload { containers: container_with_env(IMAGE, &env), ..workload("w") };
        let map = config_map("c", repeated(n, |i| format!("  K{i}: x\n")));
        documents([namespace("a", ""), reader.to_string(), map])
    }),
    dimension("references-found", |n| {
        let maps = (0..n).map(|i| config_map(format!("c{i}"), "  a: b\n"));
        documents([namespace("a", "")].into_iter().chain(mounting(n)).chain(maps))
    }),
    dimension("references-missing", |n| {
        documents([namespace("a", "")].into_iter().chain(mounting(n)))
    }),
    dimension("missing-secrets-and-custom-objects-root", |n| {
        documents((0..root(n)).flat_map(|i| {
            let name = format!("n{i}");
            let pod = "imagePullSecrets: [{name: regcred}]".into();
            let pods = Workload { namespace: name.clone(), pod, ..workload("w") };
            let custom =
                object_in("", "x.example/v1", "Copy", format!("c{i}"), "spec: {secret: regcred}");
            [namespace(&name, ""), pods.to_string(), custom]
        }))
    }),
    dimension("config-maps-unused", |n| {
        let maps = (0..n).map(|i| config_map(format!("c{i}"), "  a: b\n"));
        documents([namespace("a", ""), workload("w").to_string()].into_iter().chain(maps))
    }),
    dimension("documents-that-do-not-parse-root", |n| {
        let n = root(n);
        documents([namespace("a", "")].into_iter().chain(broken(n)).chain(mounting(n)))
    }),
    dimension("documents-that-do-not-parse", |n| {
        let rest = joined([namespace("a", "")].into_iter().chain(mounting(n)));
        let input = Input { paths: vec!["."], ..Input::default() };
        input.with("broken.yaml", joined(broken(n))).with("all.yaml", rest)
    }),
    dimension("claims-of-a-volume", |n| {
        let claim = object(
            "v1",
            "PersistentVolumeClaim",
            "d",
            "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}",
        );
        let pod = "volumes: [{name: v, persistentVolumeClaim: {claimName: d}}]";
        let users =
            (0..n).map(|i| Workload { pod: pod.into(), ..workload(format!("w{i}")) }.to_string());
        documents([namespace("a", ""), claim].into_iter().chain(users))
    }),
    dimension("role-bindings-without-roles", |n| {
        documents([namespace("a", "")].into_iter().chain((0..n).map(binding)))
    }),
    dimension("role-bindings-with-all", |n| {
        let each = (0..n).flat_map(|i| {
            let pod = format!("serviceAccountName: s{i}");
            let rules = "rules: [{apiGroups: [''], resources: [pods], verbs: [get, patch]}]";
            [
                Workload { pod, ..workload(format!("w{i}")) }.to_string(),
                object("v1", "ServiceAccount", format!("s{i}"), ""),
                object("rbac.authorization.k8s.io/v1", "Role", format!("r{i}"), rules),
                binding(i),
                service(format!("x{i}"), format!("app: w{i}, z: q")),
            ]
        });
        documents([namespace("a", "")].into_iter().chain(each))
    }),
];

fn addresses(count: usize) -> String {
    config_map("c", repeated(count, |i| format!("  K{i}_URL: http://s.a.svc:80\n")))
}

fn mounting(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|i| {
        let pod = format!("volumes: [{{name: v, configMap: {{name: c{i}}}}}]");
        Workload { pod, ..workload(format!("w{i}")) }.to_string()
    })
}

fn broken(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|i| format!("apiVersion: v1\nkind: Event\nmetadata: {{name: e{i}\n"))
}

fn binding(at: usize) -> String {
    let rest = format!(
        "roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: r{at}}}\nsubjects: [{{kind: ServiceAccount, name: s{at}, namespace: a}}]"
    );
    object("rbac.authorization.k8s.io/v1", "RoleBinding", format!("b{at}"), rest)
}
