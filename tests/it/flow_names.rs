//! What the names of declared flows may be, and what they may not.

use crate::support::{load_texts, only, with_loaded};
use purlin::policy_file;

const WORLD: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 5432}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: other, labels: {app: db}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 5432}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{ports: [{port: 8080}]}]}
";

/// How many findings and questions of a rule a declared flow gives.
fn counts(rule: &str, flow: &str, more: &str) -> (usize, usize) {
    let policy =
        format!("apiVersion: purlin.dev/v1alpha1\nkind: Policy\n{more}\nflows: [{flow}]\n");
    let policy = policy_file::read(&policy.into(), purlin::rules::built_in()).unwrap().value;
    let loaded = load_texts(&[("it.yaml", WORLD)]);
    with_loaded(&loaded, &policy, &only(rule), |_, outcome| {
        (outcome.findings.len(), outcome.unknown.len())
    })
}

#[test]
fn names_are_judged_where_the_input_tells() {
    let (right, wrong, question) = ((0, 0), (1, 0), (0, 1));
    for (flow, expected) in [
        ("{from: shop/db, to: web, ports: [8080]}", right),
        ("{from: Pod/shop/db, to: Service/shop/web, ports: [80]}", right),
        ("{from: internet, to: front, ports: [80]}", right),
        ("{from: 192.0.2.0/24, to: web, ports: [8080]}", right),
        ("{from: nodes, to: web}", right),
        // Nobody's, in a namespace whose workloads are here, and in any.
        ("{from: shop/wbe, to: web, ports: [8080]}", wrong),
        ("{from: Deployment/shop/web, to: shop/db}", wrong),
        ("{from: elsewhere/api, to: web, ports: [8080]}", question),
        ("{from: wbe, to: web, ports: [8080]}", question),
        // Several are.
        ("{from: db, to: web, ports: [8080]}", wrong),
        ("{from: Pod/db, to: web, ports: [8080]}", wrong),
        // No name at all.
        ("{from: 'web:8080', to: shop/db}", wrong),
        ("{from: 192.0.2.300, to: web}", wrong),
        ("{from: 10.0.0.0/33, to: web}", wrong),
        ("{from: Pod/shop/web/8080, to: shop/db}", wrong),
        ("{from: 'shop/', to: web}", wrong),
        // No policy is about these, and no pods answer there.
        ("{from: internet, to: 192.0.2.1}", wrong),
        ("{from: shop/db, to: Service/shop/front, ports: [81]}", wrong),
        ("{from: shop/db, to: Service/shop/front, ports: [80/UDP]}", wrong),
    ] {
        assert_eq!(counts("flow-names-nothing", flow, ""), expected, "{flow}");
    }
    let flow = "{from: wbe, to: web, ports: [8080]}";
    assert_eq!(counts("flow-names-nothing", flow, "complete: ['*']"), wrong);
}

/// A name that Service and pods share means the pods, unless the port is the Service's alone.
#[test]
fn a_shared_name_is_who_has_the_port() {
    assert_eq!(counts("flow-missing", "{from: shop/db, to: web, ports: [80]}", ""), (0, 0));
    assert_eq!(counts("flow-missing", "{from: shop/db, to: web, ports: [8080]}", ""), (0, 0));
    assert_eq!(counts("flow-missing", "{from: shop/db, to: web, ports: [81]}", ""), (1, 0));
    assert_eq!(
        counts("flow-missing", "{from: shop/db, to: Pod/shop/web, ports: [80]}", ""),
        (1, 0)
    );
}
