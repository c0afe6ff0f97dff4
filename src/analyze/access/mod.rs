//! Who may do what to the API: roles, bindings, and the workloads whose ServiceAccounts they name.

mod built_in;
pub mod relabelling;
pub mod roles;
pub mod rule;
pub mod subjects;
pub mod tokens;

use crate::analyze::selection::workloads::{Workload, WorkloadId, Workloads};
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use roles::Name;
use rustc_hash::{FxHashMap, FxHashSet};
use subjects::{Subject, Who};

/// A RoleBinding or ClusterRoleBinding.
#[derive(Debug)]
pub struct Binding<'d> {
    /// The object.
    pub object: ObjId,
    /// Where it allows what its role allows; empty for the whole cluster.
    pub namespace: &'d str,
    /// Whom.
    pub subjects: Vec<Subject<'d>>,
    /// The name of its role.
    pub role_name: &'d str,
    role: Option<Name<'d>>,
}

/// All bindings, and who runs as which ServiceAccount.
#[derive(Debug)]
pub struct Access<'d> {
    bindings: Vec<Binding<'d>>,
    /// By namespace and name of the account.
    by_account: FxHashMap<(&'d str, &'d str), Vec<WorkloadId>>,
    by_namespace: FxHashMap<&'d str, Vec<WorkloadId>>,
    all: Vec<WorkloadId>,
    /// Whom some binding gives more than everybody has.
    bound: FxHashSet<Who<'d>>,
}

/// What Kubernetes itself gives everybody, or all accounts
/// (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata/cluster-role-bindings.yaml`).
pub const FOR_EVERYONE: &[&str] = &[
    "system:basic-user",
    "system:cluster-trust-bundle-discovery",
    "system:discovery",
    "system:public-info-viewer",
    "system:service-account-issuer-discovery",
];

impl<'d> Access<'d> {
    pub(in crate::analyze) fn new(model: &Model<'d>, workloads: &Workloads<'d>) -> Access<'d> {
        let bindings = [Kind::RoleBinding, Kind::ClusterRoleBinding].into_iter();
        let bindings = bindings.flat_map(|kind| model.of_kind(kind));
        let bindings: Vec<_> = bindings.map(Binding::new).collect();
        let more = bindings.iter().filter(|it| !FOR_EVERYONE.contains(&it.role_name));
        let bound = more.flat_map(|it| &it.subjects).map(|it| it.who).collect();
        let mut by_account: FxHashMap<_, Vec<_>> = FxHashMap::default();
        let mut by_namespace: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for it in workloads.iter() {
            by_account.entry((it.namespace, account(it))).or_default().push(it.id);
            by_namespace.entry(it.namespace).or_default().push(it.id);
        }
        let all = workloads.iter().map(|it| it.id).collect();
        Access { bindings, by_account, by_namespace, all, bound }
    }

    /// Every binding, those of namespaces first.
    pub fn bindings(&self) -> impl Iterator<Item = &Binding<'d>> {
        self.bindings.iter()
    }

    /// Whether a binding gives rights to a ServiceAccount, or to all that it is one of.
    pub fn is_bound(&self, namespace: &str, name: &str) -> bool {
        let all = [Who::Account(namespace, name), Who::AccountsOf(namespace)];
        let everybody = [Who::AllAccounts, Who::Authenticated];
        all.iter().chain(&everybody).any(|it| self.bound.contains(it))
    }

    /// The workloads whose pods a subject stands for.
    pub fn workloads<'a>(&'a self, who: Who<'a>) -> &'a [WorkloadId] {
        let found = match who {
            Who::Account(namespace, name) => self.by_account.get(&(namespace, name)),
            Who::AccountsOf(namespace) => self.by_namespace.get(namespace),
            Who::AllAccounts | Who::Authenticated | Who::Anonymous => Some(&self.all),
            Who::Masters | Who::ControlPlane(_) | Who::User(_) | Who::Group(_) => None,
        };
        found.map_or(&[], Vec::as_slice)
    }
}

impl<'d> Binding<'d> {
    fn new(object: &Object<'d>) -> Binding<'d> {
        let role = roles::named(object);
        let namespace = object.namespace;
        let subjects = object.root.list("subjects");
        Binding {
            object: object.id,
            namespace,
            subjects: subjects.filter_map(|it| Subject::parse(it, namespace)).collect(),
            role_name: role.map_or("", |it| it.2),
            role,
        }
    }
}

/// The name of the ServiceAccount that the pods of a workload run as.
///
/// `serviceAccount` is the old name of the field, read where the new one is not there (`pkg/apis/core/v1/conversion.go`,
/// Convert_v1_PodSpec_To_core_PodSpec).
pub fn account<'d>(workload: &Workload<'d>) -> &'d str {
    let names = ["serviceAccountName", "serviceAccount"].map(|it| workload.pod.text(it));
    names.into_iter().flatten().find(|it| !it.is_empty()).unwrap_or("default")
}
