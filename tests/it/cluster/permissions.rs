//! What may not be listed, and the role that `purlin rbac` prints.

use super::{apply, findings, purlin, report, unknown};
use crate::apiserver::ApiServer;

const WORLD: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: api
          image: registry.example/api:1.4.2
          envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: keys}}]
";

fn bind(role: &str, user: &str) -> String {
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: {user}}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}\n\
         subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {user}}}]\n"
    )
}

#[test]
fn what_may_not_be_listed_cannot_be_told() {
    let Some(server) = ApiServer::start() else { return };
    apply(&server, WORLD);
    let output = purlin(&server.kubeconfig(), &["rbac", "--cluster"]);
    assert!(output.status.success());
    let role = String::from_utf8(output.stdout).unwrap();
    apply(&server, &role);
    apply(&server, &bind("purlin", "all"));

    // With the role a user sees what an administrator sees.
    let everything = report(&server.kubeconfig(), &[]);
    let all = report(&server.kubeconfig_of("all"), &[]);
    assert_eq!(findings(&all), findings(&everything));
    let found = findings(&all);
    for rule in ["missing-config-map", "missing-secret", "pdb-missing"] {
        assert!(found.iter().any(|it| it.starts_with(rule)), "{rule}: {found:?}");
    }

    // Without two of its lines, what they tell is a question, and the verb and the resource are named.
    let less = role.replace("      - secrets\n", "").replace("      - poddisruptionbudgets\n", "");
    let less = less.replace("name: purlin", "name: less").replace(
        "  - apiGroups: [\"policy\"]\n    resources:\n    verbs: [get, list, watch]\n",
        "",
    );
    apply(&server, &less);
    apply(&server, &bind("less", "some"));
    let some = report(&server.kubeconfig_of("some"), &[]);
    let found = findings(&some);
    for rule in ["missing-secret", "pdb-missing"] {
        assert!(!found.iter().any(|it| it.starts_with(rule)), "{rule}: {found:?}");
    }
    assert!(found.iter().any(|it| it.starts_with("missing-config-map")), "{found:?}");
    let asked = unknown(&some);
    for (rule, resource) in
        [("missing-secret", "secrets"), ("pdb-missing", "policy/poddisruptionbudgets")]
    {
        let question = format!("{rule}: what `list` on `{resource}` would show");
        assert!(asked.iter().any(|it| it.starts_with(&question)), "{question}: {asked:?}");
    }
    let output = purlin(&server.kubeconfig_of("some"), &["check", "--cluster"]);
    let said = String::from_utf8(output.stderr).unwrap();
    let warning =
        "warning: cannot tell what `list` on `policy/poddisruptionbudgets`, `secrets` would show: ";
    assert!(said.contains(warning), "{said}");

    // Whoever may list nothing learns nothing, and is not told that all is well.
    let nobody = purlin(&server.kubeconfig_of("nobody"), &["check", "--cluster"]);
    assert_eq!(nobody.status.code(), Some(2));

    without_custom_kinds(&server);
}

/// The role without custom kinds lets purlin see less, and what a controller may make is then a question.
fn without_custom_kinds(server: &ApiServer) {
    let output = purlin(&server.kubeconfig(), &["rbac"]);
    let role = String::from_utf8(output.stdout).unwrap().replace("name: purlin", "name: plain");
    apply(server, &role);
    apply(server, &bind("plain", "plain"));
    let plain =
        report(&server.kubeconfig_of("plain"), &["--only", "missing-config-map,pdb-missing"]);
    let found = findings(&plain);
    assert!(
        found.iter().all(|it| it.starts_with("pdb-missing: ")) && !found.is_empty(),
        "{found:?}"
    );
    let asked = unknown(&plain);
    assert!(asked[0].starts_with("missing-config-map: what `list` on `"), "{asked:?}");
}
