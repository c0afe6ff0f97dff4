//! What a cluster tells of versions of its API: in which its objects were written, and the schemas of its custom kinds.

use super::{apply, findings, report};
use crate::apiserver::ApiServer;
use std::fs;

/// A budget that somebody applied when `policy/v1beta1` was served, and one of today.
const APPLIED: &str = r#"
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: api
  namespace: default
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"apiVersion":"policy/v1beta1","kind":"PodDisruptionBudget"}'
spec: {maxUnavailable: 1, selector: {matchLabels: {app: api}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: today
  namespace: default
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"apiVersion":"policy/v1","kind":"PodDisruptionBudget"}'
spec: {maxUnavailable: 1, selector: {matchLabels: {app: today}}}
"#;

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example.com}
spec:
  group: shop.example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [size]
              properties: {size: {type: integer, minimum: 1}, color: {type: string, enum: [red, blue]}}
";

const WIDGETS: &str = "
apiVersion: shop.example.com/v1
kind: Widget
metadata: {name: good, namespace: default}
spec: {size: 3, color: red}
---
apiVersion: shop.example.com/v1
kind: Widget
metadata: {name: bad, namespace: default}
spec: {size: 0, colour: red}
";

#[test]
fn versions_and_schemas_are_those_of_the_cluster() {
    let Some(server) = ApiServer::start() else { return };
    apply(&server, APPLIED);
    apply(&server, DEFINITION);
    let all = findings(&report(&server.kubeconfig(), &[]));
    let of = |rule: &str| all.iter().filter(|it| it.starts_with(rule)).collect::<Vec<_>>();
    assert_eq!(
        of("removed-api"),
        [
            "removed-api: `PodDisruptionBudget/default/api` was last written as a PodDisruptionBudget of `policy/v1beta1`, which Kubernetes 1.25 serves no more"
        ]
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("widgets.yaml");
    fs::write(&path, WIDGETS).unwrap();
    let args = ["--only", "invalid-schema", path.to_str().unwrap()];
    let found = findings(&report(&server.kubeconfig(), &args));
    assert_eq!(
        found,
        [
            "invalid-schema: `spec.size` of `Widget/default/bad` is 0, and has to be 1 at least",
            "invalid-schema: `spec.colour` of `Widget/default/bad` is a field that there is not",
        ]
    );
}
