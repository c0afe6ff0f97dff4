//! What the lines of a quota count, by their names.

/// What a line counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted<'l> {
    /// What pods request of a resource.
    Request(&'l str),
    /// What pods are limited to of a resource.
    Limit(&'l str),
    /// Pods.
    Pods,
    /// Claims, of one storage class or of all.
    Claims(Option<&'l str>),
    /// The storage that claims request, of one storage class or of all.
    Storage(Option<&'l str>),
    /// Services of type LoadBalancer.
    LoadBalancers,
    /// Ports that Services open on nodes.
    NodePorts,
    /// Objects of a resource and group.
    Objects {
        /// In the plural.
        resource: &'l str,
        /// Empty for the core group.
        group: &'l str,
    },
}

impl Counted<'_> {
    /// What a line of this name counts; `None` for what nothing in Kubernetes counts.
    pub(super) fn parse(line: &str) -> Option<Counted<'_>> {
        let core = |resource| Some(Counted::Objects { resource, group: "" });
        if let Some(rest) = line.strip_prefix("count/") {
            let (resource, group) = rest.split_once('.').unwrap_or((rest, ""));
            return Some(match (resource, group) {
                ("pods", "") => Counted::Pods,
                ("persistentvolumeclaims", "") => Counted::Claims(None),
                _ => Counted::Objects { resource, group },
            });
        }
        if let Some((class, what)) = line.split_once(".storageclass.storage.k8s.io/") {
            return match what {
                "requests.storage" => Some(Counted::Storage(Some(class))),
                "persistentvolumeclaims" => Some(Counted::Claims(Some(class))),
                _ => None,
            };
        }
        if let Some(name) = line.strip_prefix("limits.") {
            return is_compute(name).then_some(Counted::Limit(name));
        }
        if let Some(name) = line.strip_prefix("requests.") {
            return match name {
                "storage" => Some(Counted::Storage(None)),
                // Extended resources have a domain; only their requests are counted.
                _ if is_compute(name) || is_huge(name) || name.contains('/') => {
                    Some(Counted::Request(name))
                }
                _ => None,
            };
        }
        match line {
            "pods" => Some(Counted::Pods),
            "persistentvolumeclaims" => Some(Counted::Claims(None)),
            "services.loadbalancers" => Some(Counted::LoadBalancers),
            "services.nodeports" => Some(Counted::NodePorts),
            "services" | "configmaps" | "secrets" | "replicationcontrollers" | "resourcequotas" => {
                core(line)
            }
            // A bare name means the requests.
            _ if is_compute(line) || is_huge(line) => Some(Counted::Request(line)),
            _ => None,
        }
    }
}

fn is_compute(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage")
}

fn is_huge(name: &str) -> bool {
    name.starts_with("hugepages-")
}
