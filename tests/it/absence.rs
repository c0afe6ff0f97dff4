//! What is not in the input: where it is missing, where that is a question, and where it is known to be there.

use crate::support::{only, with_texts};

/// A namespace that the input defines and fills.
const SHOP: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: front, namespace: shop}
spec:
  selector: {matchLabels: {app: front}}
  template:
    metadata: {labels: {app: front}}
    spec:
      serviceAccountName: front
      containers: [{name: front, image: registry.example/front@sha256:0000}]
";

/// How many findings and how many questions a rule has about some texts.
fn judge(rule: &str, texts: &[&str]) -> (usize, usize) {
    let texts: Vec<_> = texts.iter().map(|it| ("world.yaml", *it)).collect();
    with_texts(&texts, &only(rule), |_, outcome| (outcome.findings.len(), outcome.unknown.len()))
}

const MISSING: (usize, usize) = (1, 0);
const ASKED: (usize, usize) = (0, 1);
const SILENT: (usize, usize) = (0, 0);

fn service(selector: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: back, namespace: shop}}\n\
         spec: {{selector: {{{selector}}}, ports: [{{port: 80}}]}}\n"
    )
}

fn role(rules: &str) -> String {
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: front, namespace: shop}}\n\
         rules: [{rules}]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n\
         metadata: {{name: front, namespace: shop}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: front}}\n\
         subjects: [{{kind: ServiceAccount, name: front, namespace: shop}}]\n"
    )
}

#[test]
fn accounts_that_may_label_or_start_pods_leave_it_open() {
    let wanted = service("role: leader");
    for (rules, expected) in [
        ("{apiGroups: [''], resources: [pods], verbs: [get, list, watch]}", MISSING),
        ("{apiGroups: [''], resources: [pods], verbs: [patch]}", ASKED),
        ("{apiGroups: [''], resources: [pods/log], verbs: ['*']}", MISSING),
        ("{apiGroups: [apps], resources: [deployments], verbs: [create]}", ASKED),
        ("{apiGroups: [apps], resources: [deployments], verbs: [patch]}", MISSING),
        ("{apiGroups: [batch], resources: [jobs], verbs: ['*']}", ASKED),
        ("{apiGroups: ['*'], resources: ['*'], verbs: ['*']}", ASKED),
        // A name that is not there yet cannot be granted.
        (
            "{apiGroups: [apps], resources: [deployments], verbs: [create], resourceNames: [a]}",
            MISSING,
        ),
    ] {
        let found = judge("dangling-service", &[SHOP, &wanted, &role(rules)]);
        assert_eq!(found, expected, "{rules}");
    }
}

#[test]
fn roles_that_are_put_together_by_labels_count_as_what_they_hold() {
    let roles = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {into: all}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: part, labels: {into: all}}
rules: [{apiGroups: [''], resources: [pods], verbs: [update]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: all}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: 'system:serviceaccounts:shop'}]
";
    assert_eq!(judge("dangling-service", &[SHOP, &service("role: leader"), roles]), ASKED);
    let apart = roles.replace("into: all}}]", "into: other}}]");
    assert_eq!(judge("dangling-service", &[SHOP, &service("role: leader"), &apart]), MISSING);
}

#[test]
fn what_operators_label_their_pods_is_known() {
    let prometheus = "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\n\
                      metadata: {name: watch, namespace: shop}\nspec: {podMetadata: {labels: {team: ops}}}\n";
    let kafka = "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\n\
                 metadata: {name: log, namespace: shop}\nspec: {kafka: {replicas: 3}}\n";
    let database = "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\n\
                    metadata: {name: orders, namespace: shop}\nspec: {instances: 3}\n";
    for (object, selector, expected) in [
        (prometheus, "app.kubernetes.io/name: prometheus, team: ops", SILENT),
        (prometheus, "prometheus: watch", SILENT),
        (prometheus, "prometheus: other", MISSING),
        // All that the operator labels is known, so a name alone is no sign.
        (prometheus, "app: watch", MISSING),
        (kafka, "strimzi.io/name: log-kafka", ASKED),
        (kafka, "strimzi.io/name: other-kafka", MISSING),
        (database, "role: primary", ASKED),
        (database, "cnpg.io/cluster: order", MISSING),
    ] {
        let found = judge("dangling-service", &[SHOP, object, &service(selector)]);
        assert_eq!(found, expected, "{selector}");
    }
}

#[test]
fn experiments_and_previews_come_and_go() {
    let rollout = "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: registry.example/web@sha256:0000}]}
  strategy: {blueGreen: {activeService: web, previewMetadata: {labels: {colour: preview}}}}
";
    let found = |selector: &str| judge("dangling-service", &[SHOP, rollout, &service(selector)]);
    assert_eq!(found("app: web"), SILENT);
    assert_eq!(found("app: web, colour: preview"), ASKED);
    assert_eq!(found("app: web, colour: prewiev"), MISSING);
}

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: NAME
  namespace: shop
  labels: {db: orders, role: ROLE}
  ownerReferences: [{apiVersion: db.example/v1, kind: Database, name: orders, uid: u, controller: true}]
spec: {containers: [{name: db, image: registry.example/db@sha256:0000}]}
---
";

#[test]
fn pods_of_one_owner_are_one_workload() {
    let pod = |name: &str, role: &str| POD.replace("NAME", name).replace("ROLE", role);
    let pods = [pod("orders-1", "primary"), pod("orders-2", "replica"), pod("orders-3", "replica")];
    let pods = pods.concat();
    let budget = |spec: &str| {
        format!(
            "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: db, namespace: shop}}\n\
             spec: {{{spec}}}\n"
        )
    };
    for (spec, expected) in [
        ("minAvailable: 2, selector: {matchLabels: {db: orders}}", SILENT),
        ("minAvailable: 3, selector: {matchLabels: {db: orders}}", MISSING),
        ("minAvailable: 1, selector: {matchLabels: {role: primary}}", MISSING),
        ("minAvailable: 1, selector: {matchLabels: {role: replica}}", SILENT),
        // Whether a Database can be asked for its scale nobody says.
        ("maxUnavailable: 1, selector: {matchLabels: {db: orders}}", ASKED),
    ] {
        assert_eq!(judge("pdb-blocks-drain", &[SHOP, &pods, &budget(spec)]), expected, "{spec}");
    }
    let found = |selector: &str| judge("dangling-service", &[SHOP, &pods, &service(selector)]);
    assert_eq!((found("role: primary"), found("role: arbiter")), (SILENT, MISSING));
    // What has run to its end is replaced by the next.
    let ended = pods.replace("spec: {containers", "status: {phase: Succeeded}\nspec: {containers");
    assert_eq!(judge("dangling-service", &[SHOP, &ended, &service("db: orders")]), MISSING);
}

#[test]
fn a_replica_set_without_its_deployment_stands_for_it() {
    let replica_set = "\
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web-5d4f8c7b9
  namespace: shop
  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: u, controller: true}]
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: registry.example/web@sha256:0000}]}
";
    assert_eq!(judge("dangling-service", &[SHOP, replica_set, &service("app: web")]), SILENT);
}

#[test]
fn a_namespace_object_alone_completes_nothing() {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
    let binding = "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n\
                   metadata: {name: ci, namespace: shop}\n\
                   roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}\n\
                   subjects: [{kind: ServiceAccount, name: ci, namespace: shop}]\n";
    assert_eq!(judge("dangling-role-binding", &[namespace, binding]), ASKED);
    assert_eq!(judge("dangling-role-binding", &[SHOP, binding]), MISSING);
    assert_eq!(judge("dangling-service", &[namespace, &service("app: web")]), ASKED);
    // One of the input that says no namespace goes where it is applied to.
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ci}\n";
    assert_eq!(judge("dangling-role-binding", &[SHOP, binding, account]), ASKED);
    // What a controller makes bears the name of its object, in its namespace.
    let maker = |namespace: &str| {
        format!(
            "apiVersion: ci.example/v1\nkind: Runner\nmetadata: {{name: ci, namespace: {namespace}}}\nspec: {{}}\n"
        )
    };
    assert_eq!(judge("dangling-role-binding", &[SHOP, binding, &maker("shop")]), ASKED);
    assert_eq!(judge("dangling-role-binding", &[SHOP, binding, &maker("other")]), MISSING);
}

#[test]
fn a_document_that_does_not_parse_hides_only_what_it_may_hold() {
    let found = |lost: &str| judge("dangling-service", &[SHOP, &service("app: web"), lost]);
    let deployment = |labels: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  template:\n    metadata:\n\
             \x20     labels: {{{labels}}}\n    spec: [\n"
        )
    };
    assert_eq!(found(&deployment("app: web")), ASKED);
    assert_eq!(found(&deployment("app: other")), MISSING);
    assert_eq!(found(&deployment("app: {{ .Name }}")), ASKED);
    assert_eq!(found(&deployment("app: web").replace("Deployment", "Job")), MISSING);
    assert_eq!(found(&deployment("app: web").replace("Deployment", "CloneSet")), ASKED);
    assert_eq!(found(&deployment("app: web").replace("Deployment", "{{ .Kind }}")), ASKED);
}

#[test]
fn what_is_filled_in_before_the_apply_is_no_value() {
    let autoscaled = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: ${REPLICAS:=1}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: registry.example/web@sha256:0000, resources: {requests: {cpu: '${CPU}'}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: shop}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
";
    assert_eq!(judge("invalid-quantity", &[autoscaled]), SILENT);
    assert_eq!(judge("pdb-blocks-drain", &[autoscaled]), ASKED);
    let written = autoscaled.replace("${REPLICAS:=1}", "1");
    assert_eq!(judge("pdb-blocks-drain", &[&written]), MISSING);
    assert_eq!(judge("dangling-service", &[SHOP, &service("app: '${APP}'")]), ASKED);
}

#[test]
fn fragments_of_objects_are_skipped() {
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: front, namespace: shop}\n\
                 spec: {template: {metadata: {labels: {app: back}}}}\n";
    assert_eq!(judge("duplicate-object", &[SHOP, patch]), SILENT);
    assert_eq!(judge("dangling-service", &[SHOP, patch, &service("app: back")]), MISSING);
    let deleted = format!("$patch: delete\n{}", &SHOP[SHOP.find("apiVersion: apps/v1").unwrap()..]);
    assert_eq!(judge("duplicate-object", &[SHOP, &deleted]), SILENT);
    // With an image it is an object, and one that the API server refuses.
    let refused = patch.replace(
        "app: back}}",
        "app: back}}, spec: {containers: [{name: front, image: registry.example/front}]}",
    );
    assert_eq!(judge("selector-mismatch", &[&refused]), MISSING);
}
