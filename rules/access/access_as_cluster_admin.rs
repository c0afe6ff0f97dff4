//! Bindings that let somebody do everything.

use crate::analyze::access::subjects::{Subject, Who};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::grants::{self, Grant};
use crate::rules::judged::NAMESPACES;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "access-as-cluster-admin",
    title: "a binding lets somebody do everything",
    severity: Severity::Error,
    group: Group::Access,
    admission: Admission::Deny,
    presets: &[Preset::Recommended],
    reads: grants::READS,
    like: &[
        "kube-linter:cluster-admin-role-binding",
        "kyverno:restrict-binding-clusteradmin",
        "polaris:clusterrolebindingClusterAdmin",
        "polaris:rolebindingClusterAdminClusterRole",
        "polaris:rolebindingClusterAdminRole",
    ],
    parameters: &[NAMESPACES],
    page: include_str!("access_as_cluster_admin.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for grant in grants::grants(cx) {
        match masters(grant) {
            Some(subject) => out.find(of_masters(grant, subject)),
            None if grant.role.allows_everything() => out.find(everything(cx, grant)),
            None => {}
        }
    }
}

fn everything(cx: &Cx<'_, '_>, grant: Grant<'_, '_>) -> Finding {
    let mut finding = grant.finding(cx, "do everything");
    let full = grant.role.rules.iter().filter(|it| it.allows_everything());
    for (object, node) in full.filter_map(|it| it.written) {
        finding = finding.label(cx.object(object).place(node), "everything");
    }
    // In one namespace it is as much as `admin` there, and the quotas and roles of the namespace besides.
    let (severity, why) = match grant.is_cluster_wide() {
        true => (
            Severity::Error,
            "nothing that runs needs every right on every object: a leak of this credential is a leak of the cluster",
        ),
        false => (
            Severity::Warning,
            "it may change the roles, the quotas and the Secrets of the namespace as well",
        ),
    };
    finding
        .severity(severity)
        .note(why)
        .help("bind a role that lists the verbs and resources that are needed")
}

fn masters<'c, 'd>(grant: Grant<'c, 'd>) -> Option<&'c Subject<'d>> {
    grant.binding.subjects.iter().find(|it| it.who == Who::Masters)
}

fn of_masters(grant: Grant<'_, '_>, subject: &Subject<'_>) -> Finding {
    let object = grant.object;
    let message = format!(
        "`{object}` names the group `system:masters`, to which the API server refuses nothing"
    );
    Finding::new(message, object.place(subject.node), "its members may do everything already")
        .note("no binding gives or takes the rights of this group: a certificate for it cannot be revoked")
        .help("bind a group of your own, and keep `system:masters` for emergencies")
}
