//! Whom a binding names.

use crate::text::tree::Node;

/// A subject of a binding.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'d> {
    /// The place in the binding.
    pub node: Node<'d>,
    /// Who it is.
    pub who: Who<'d>,
}

/// Who a subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who<'d> {
    /// A ServiceAccount, by namespace and name.
    Account(&'d str, &'d str),
    /// Every ServiceAccount of a namespace.
    AccountsOf(&'d str),
    /// Every ServiceAccount there is.
    AllAccounts,
    /// Everybody who shows a credential.
    Authenticated,
    /// Everybody, without a credential too.
    Anonymous,
    /// The group that the API server refuses nothing.
    Masters,
    /// A part of the control plane or a node.
    ControlPlane(&'d str),
    /// A user.
    User(&'d str),
    /// A group of users.
    Group(&'d str),
}

impl<'d> Subject<'d> {
    /// Reads a subject of a binding of this namespace; `None` where it stands for nobody.
    pub(super) fn parse(node: Node<'d>, namespace: &'d str) -> Option<Subject<'d>> {
        Who::parse(node, namespace).map(|who| Subject { node, who })
    }
}

impl<'d> Who<'d> {
    /// Reads a subject of a binding of this namespace (empty for a ClusterRoleBinding). `None` where it stands for nobody.
    ///
    /// `pkg/registry/rbac/validation/rule.go`, appliesToUser: an account without a namespace is one of the binding's own.
    pub fn parse(node: Node<'d>, namespace: &'d str) -> Option<Who<'d>> {
        let name = node.text("name")?;
        Some(match node.text("kind")? {
            "ServiceAccount" => {
                let named = node.text("namespace").filter(|it| !it.is_empty());
                let namespace = named.unwrap_or(namespace);
                (!namespace.is_empty()).then_some(Who::Account(namespace, name))?
            }
            "User" => user(name),
            "Group" => group(name),
            _ => return None,
        })
    }
}

/// `k8s.io/apiserver`, pkg/authentication/user/user.go and pkg/authentication/serviceaccount/util.go.
fn user(name: &str) -> Who<'_> {
    let account = name.strip_prefix("system:serviceaccount:").and_then(|it| it.split_once(':'));
    match (account, name) {
        (Some((namespace, name)), _) => Who::Account(namespace, name),
        (None, "system:anonymous") => Who::Anonymous,
        (None, _) if name.starts_with("system:") => Who::ControlPlane(name),
        (None, _) => Who::User(name),
    }
}

fn group(name: &str) -> Who<'_> {
    match name {
        "system:unauthenticated" => Who::Anonymous,
        "system:authenticated" => Who::Authenticated,
        "system:masters" => Who::Masters,
        "system:serviceaccounts" => Who::AllAccounts,
        _ => match name.strip_prefix("system:serviceaccounts:") {
            Some(namespace) => Who::AccountsOf(namespace),
            None if name.starts_with("system:") => Who::ControlPlane(name),
            None => Who::Group(name),
        },
    }
}

impl std::fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Who::Account(namespace, name) => write!(f, "`ServiceAccount/{namespace}/{name}`"),
            Who::AccountsOf(namespace) => write!(f, "every ServiceAccount of `{namespace}`"),
            Who::AllAccounts => f.write_str("every ServiceAccount"),
            Who::Authenticated => f.write_str("everybody with a credential"),
            Who::Anonymous => f.write_str("everybody"),
            Who::Masters => f.write_str("group `system:masters`"),
            Who::ControlPlane(name) => write!(f, "`{name}`"),
            Who::User(name) => write!(f, "user `{name}`"),
            Who::Group(name) => write!(f, "group `{name}`"),
        }
    }
}
