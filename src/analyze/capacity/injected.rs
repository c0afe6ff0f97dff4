//! Sidecars that an injector adds at admission, and what annotations say of their requests.
//!
//! Which containers an injector adds, and with which requests, is in its own configuration and not in the input; the
//! marks that ask for it are, and so are the annotations that size what it adds.

use crate::analyze::Facts;
use crate::analyze::selection::namespaces::Namespaces;
use crate::analyze::selection::workloads::Workload;
use crate::model::Model;
use crate::text::tree::Node;

/// Where a mark stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Annotations,
    Labels,
}

/// What one injector goes by.
struct Injector {
    /// What it is called.
    name: &'static str,
    /// The key that asks for it, on a pod; where in the metadata; and the values that do.
    pod: &'static [(Holder, &'static str)],
    /// The same on a namespace.
    namespace: &'static [(Holder, &'static str)],
    /// The values of these keys that ask for it.
    on: &'static [&'static str],
    /// The annotations of a pod that give the sidecar a request of CPU, or a limit that becomes its request.
    cpu: &'static [&'static str],
    /// The same of memory.
    memory: &'static [&'static str],
}

/// docs.dapr.io, "Dapr arguments and annotations"; linkerd.io, "Proxy configuration"; istio.io, "Resource annotations";
/// developer.hashicorp.com, "Annotations and labels" of Consul.
const INJECTORS: &[Injector] = &[
    Injector {
        name: "Dapr",
        pod: &[(Holder::Annotations, "dapr.io/enabled")],
        namespace: &[],
        on: &["true", "1", "yes", "y", "on"],
        cpu: &["dapr.io/sidecar-cpu-request", "dapr.io/sidecar-cpu-limit"],
        memory: &["dapr.io/sidecar-memory-request", "dapr.io/sidecar-memory-limit"],
    },
    Injector {
        name: "Linkerd",
        pod: &[(Holder::Annotations, "linkerd.io/inject")],
        namespace: &[(Holder::Annotations, "linkerd.io/inject")],
        on: &["enabled", "ingress"],
        cpu: &["config.linkerd.io/proxy-cpu-request", "config.linkerd.io/proxy-cpu-limit"],
        memory: &["config.linkerd.io/proxy-memory-request", "config.linkerd.io/proxy-memory-limit"],
    },
    Injector {
        name: "Istio",
        pod: &[
            (Holder::Labels, "sidecar.istio.io/inject"),
            (Holder::Annotations, "sidecar.istio.io/inject"),
        ],
        namespace: &[(Holder::Labels, "istio-injection")],
        on: &["true", "enabled"],
        cpu: &["sidecar.istio.io/proxyCPU", "sidecar.istio.io/proxyCPULimit"],
        memory: &["sidecar.istio.io/proxyMemory", "sidecar.istio.io/proxyMemoryLimit"],
    },
    Injector {
        name: "Consul",
        pod: &[(Holder::Annotations, "consul.hashicorp.com/connect-inject")],
        namespace: &[],
        on: &["true"],
        cpu: &[
            "consul.hashicorp.com/sidecar-proxy-cpu-request",
            "consul.hashicorp.com/sidecar-proxy-cpu-limit",
        ],
        memory: &[
            "consul.hashicorp.com/sidecar-proxy-memory-request",
            "consul.hashicorp.com/sidecar-proxy-memory-limit",
        ],
    },
];

/// The injector, by name, that adds a sidecar to the pods of a workload of which no annotation tells the request for a
/// resource.
pub fn unsized_sidecar(
    facts: &Facts<'_>,
    workload: &Workload<'_>,
    resource: &str,
) -> Option<&'static str> {
    let has = |key: &str| annotation(workload, key).is_some();
    let mut asked =
        INJECTORS.iter().filter(|it| it.is_asked_for(facts.model, facts.namespaces(), workload));
    let unsized_by = asked.find(|it| {
        let sizes = match resource {
            "cpu" => it.cpu,
            "memory" => it.memory,
            _ => return false,
        };
        !sizes.iter().any(|key| has(key))
    });
    unsized_by.map(|it| it.name)
}

impl Injector {
    /// What a pod says goes before what its namespace says.
    fn is_asked_for(
        &self,
        model: &Model<'_>,
        namespaces: &Namespaces<'_>,
        workload: &Workload<'_>,
    ) -> bool {
        let metadata = workload.template.get("metadata");
        if let Some(value) = self.pod.iter().find_map(|it| mark(metadata, *it)) {
            return self.on.contains(&value);
        }
        // Injectors leave pods in a node's own network alone.
        if workload.pod.get("hostNetwork").and_then(Node::bool) == Some(true) {
            return false;
        }
        let namespace = namespaces.get(workload.namespace).and_then(|it| it.object);
        let metadata = namespace.and_then(|it| model.object(it).root.get("metadata"));
        self.namespace.iter().any(|it| mark(metadata, *it).is_some_and(|it| self.on.contains(&it)))
    }
}

fn mark<'d>(metadata: Option<Node<'d>>, (holder, key): (Holder, &str)) -> Option<&'d str> {
    let holder = match holder {
        Holder::Annotations => "annotations",
        Holder::Labels => "labels",
    };
    metadata?.get(holder)?.text(key)
}

fn annotation<'d>(workload: &Workload<'d>, key: &str) -> Option<&'d str> {
    mark(workload.template.get("metadata"), (Holder::Annotations, key))
}
