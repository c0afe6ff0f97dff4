//! The ports that the pods of a workload declare: by number, name and protocol.
//!
//! `containerPort` only informs; a process may listen elsewhere. A *name*, though, exists only where a container
//! declares it. `pkg/api/v1/pod/util.go`, FindPort: name and protocol have to match, the containers come first, then the
//! sidecars (init containers that are restarted always), and the first match counts, for names may repeat across
//! containers.

use super::workloads::{Workload, is_sidecar};
use crate::text::tree::Node;
use std::fmt;

/// A port that a container declares.
#[derive(Clone, Copy, Debug)]
pub struct PodPort<'d> {
    /// The entry of `ports`.
    pub node: Node<'d>,
    /// Its name, if it has one.
    pub name: Option<&'d str>,
    /// `containerPort`.
    pub number: i64,
    /// `TCP` where none is written.
    pub protocol: &'d str,
}

/// `http 8080/TCP`.
impl fmt::Display for PodPort<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.name {
            write!(f, "{name} ")?;
        }
        write!(f, "{}/{}", self.number, self.protocol)
    }
}

/// The ports that each pod of a workload declares, in the order in which names are looked up.
#[derive(Clone, Debug, Default)]
pub struct PodPorts<'d> {
    all: Vec<PodPort<'d>>,
    silent: Option<Node<'d>>,
}

impl<'d> PodPorts<'d> {
    /// The ports of a workload's pods.
    pub fn new(workload: &Workload<'d>) -> PodPorts<'d> {
        let sidecars = workload.pod.list("initContainers").filter(|it| is_sidecar(*it));
        let containers: Vec<_> = workload.pod.list("containers").chain(sidecars).collect();
        let ports = containers.iter().flat_map(|it| it.list("ports").filter_map(port));
        let all = ports.collect();
        let silent = containers.into_iter().find(|it| it.list("ports").next().is_none());
        PodPorts { all, silent }
    }

    /// A container that declares no port at all: any number may be its.
    pub fn silent_container(&self) -> Option<Node<'d>> {
        self.silent
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &PodPort<'d>> {
        self.all.iter()
    }

    /// The declared port of this number.
    pub fn numbered(&self, number: i64, protocol: &str) -> Option<&PodPort<'d>> {
        self.all.iter().find(|it| it.number == number && it.protocol == protocol)
    }

    /// The port that this name stands for on these pods.
    pub fn named(&self, name: &str, protocol: &str) -> Option<&PodPort<'d>> {
        self.all.iter().find(|it| it.name == Some(name) && it.protocol == protocol)
    }

    /// Whether they declare any port of this protocol; where they do not, no number says anything of what is served.
    pub fn declares(&self, protocol: &str) -> bool {
        self.all.iter().any(|it| it.protocol == protocol)
    }
}

fn port(node: Node<'_>) -> Option<PodPort<'_>> {
    Some(PodPort {
        node,
        name: node.text("name").filter(|it| !it.is_empty()),
        number: node.get("containerPort")?.int()?,
        protocol: node.text("protocol").unwrap_or("TCP"),
    })
}
