//! A pod as Pod Security looks at it: its containers in order, and the fields that stand at both levels.

use crate::model::{Object, Place};
use crate::text::tree::Node;

/// A pod, or the template of one.
#[derive(Clone, Copy, Debug)]
pub struct SecuredPod<'d> {
    /// Its `metadata`, whose annotations count.
    pub metadata: Option<Node<'d>>,
    /// Its `spec`.
    pub spec: Node<'d>,
}

/// A field that a control refuses.
#[derive(Clone, Debug)]
pub struct Fault<'d> {
    /// The container that it belongs to; `None` where it is the pod's.
    pub container: Option<Node<'d>>,
    /// The innermost node on its path that is there.
    pub node: Node<'d>,
    /// The rest of its path, where it is not there.
    pub missing: &'static str,
    /// What is wrong with it, in a few words.
    pub text: String,
}

/// The names of the lists of containers, in the order of `policy/visitor.go`, visitContainers.
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

impl<'d> SecuredPod<'d> {
    /// The pod of a template, or a Pod itself.
    pub fn new(template: Node<'d>) -> SecuredPod<'d> {
        let spec = template.get("spec").unwrap_or(template);
        SecuredPod { metadata: template.get("metadata"), spec }
    }

    /// Every container: init containers, containers, ephemeral containers.
    pub fn containers(self) -> impl Iterator<Item = Node<'d>> {
        CONTAINERS.into_iter().flat_map(move |it| self.spec.list(it))
    }

    /// A field of the pod's security context.
    pub fn own(self, field: &str) -> Option<Node<'d>> {
        self.spec.at(&["securityContext", field])
    }

    /// A field that both levels have: the container's if it says something, else the pod's.
    pub fn effective(self, container: Node<'d>, field: &str) -> Option<Node<'d>> {
        own(container, field).or_else(|| self.own(field))
    }

    /// The annotations of the pod.
    pub fn annotations(self) -> impl Iterator<Item = (&'d str, Node<'d>)> {
        let annotations = self.metadata.and_then(|it| it.get("annotations"));
        annotations.into_iter().flat_map(Node::pairs)
    }

    /// Whether it says that it runs on Windows. A node selector does not count.
    pub fn is_windows(self) -> bool {
        self.spec.at(&["os", "name"]).and_then(Node::str) == Some("windows")
    }

    /// Whether its users are not those of the node, so that its root is nobody there.
    pub fn has_user_namespace(self) -> bool {
        self.spec.get("hostUsers").and_then(Node::bool) == Some(false)
    }

    /// A fault of the pod's security context for a node that is there.
    pub(super) fn fault(self, node: Node<'d>, text: impl Into<String>) -> Fault<'d> {
        Fault { container: None, node, missing: "", text: text.into() }
    }
}

/// A field of a container's own security context.
pub fn own<'d>(container: Node<'d>, field: &str) -> Option<Node<'d>> {
    container.at(&["securityContext", field])
}

impl<'d> Fault<'d> {
    /// A field of a container that is there.
    pub fn of(container: Node<'d>, node: Node<'d>, text: impl Into<String>) -> Fault<'d> {
        Fault { container: Some(container), node, missing: "", text: text.into() }
    }

    /// A field of a container that is not there.
    pub fn lack(container: Node<'d>, missing: &'static str, text: impl Into<String>) -> Fault<'d> {
        Fault { container: Some(container), node: container, missing, text: text.into() }
    }

    /// Where it is in its object.
    pub fn place(&self, object: &Object<'_>) -> Place {
        object.below(self.node, self.missing)
    }

    /// The name of its container.
    pub fn name(&self) -> Option<&'d str> {
        self.container.map(|it| it.text("name").unwrap_or("?"))
    }
}
