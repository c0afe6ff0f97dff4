//! Parameters of rules that the fixtures leave at their defaults.

use crate::support::load_texts;
use purlin::check::{Selection, check};
use purlin::model::Model;
use purlin::policy_file;
use purlin::run::Run;
use std::sync::Arc;

/// The messages of a rule about a manifest, where the policy sets this of the rule.
fn found(rule: &str, set: &str, manifest: &str) -> Vec<String> {
    let text = format!(
        "apiVersion: purlin.dev/v1alpha1\nkind: Policy\nrules: {{{rule}: {{severity: warning, {set}}}}}\n"
    );
    let policy =
        policy_file::read(&Arc::from(text.as_str()), purlin::rules::built_in()).unwrap().value;
    let loaded = load_texts(&[("a.yaml", manifest)]);
    let model = Model::new(&loaded, "default");
    let only = Selection { only: vec![rule.into()], ..Selection::default() };
    let outcome = check(&model, &policy, &Run::default(), &only);
    outcome.findings.into_iter().map(|it| it.message).collect()
}

fn deployment(replicas: u32) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api, namespace: shop}}\nspec:\n  replicas: {replicas}\n  selector: {{matchLabels: {{app: api}}}}\n  template:\n    metadata: {{labels: {{app: api}}}}\n    spec: {{containers: [{{name: api, image: \"registry.example/api:1.4.0\"}}]}}\n"
    )
}

fn service(spec: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: api, namespace: shop}}\nspec: {{selector: {{app: api}}, ports: [{{port: 80}}]{spec}}}\n"
    )
}

#[test]
fn how_many_replicas_are_enough_is_the_users_choice() {
    let served = |replicas| format!("{}---\n{}", deployment(replicas), service(""));
    let few = "`Deployment/shop/api` may run 2 pods alone, and `Service/shop/api` depends on them";
    assert_eq!(found("single-replica", "minimum: 3", &served(2)), [few]);
    assert_eq!(found("single-replica", "minimum: 3", &served(3)), [""; 0]);
    assert_eq!(found("single-replica", "minimum: 2", &served(2)), [""; 0]);
    assert_eq!(found("single-replica", "minimum: 3", &served(0)), [""; 0]);
    let single = "`Deployment/shop/api` may run a single pod";
    assert_eq!(found("single-replica", "without-service: true", &deployment(1)), [single]);
    assert_eq!(found("single-replica", "without-service: false", &deployment(1)), [""; 0]);
}

#[test]
fn types_of_services_may_be_forbidden() {
    let rule = "exposed-node-port";
    let message = "`Service/shop/api` is of type NodePort, which purlin.yaml does not allow";
    assert_eq!(found(rule, "types: [NodePort]", &service(", type: NodePort")), [message]);
    assert_eq!(found(rule, "types: [LoadBalancer]", &service(", type: NodePort")), [""; 0]);
    let addressed = service(", externalIPs: [203.0.113.7]");
    assert_eq!(found(rule, "types: []", &addressed), [""; 0]);
    assert_eq!(found(rule, "types: [ExternalIPs]", &addressed).len(), 1);
}

#[test]
fn wildcard_hosts_count_where_they_are_asked_for() {
    let ingress = |name: &str, host: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{rules: [{{host: \"{host}\"}}]}}\n"
        )
    };
    let two =
        format!("{}---\n{}", ingress("any", "*.shop.example"), ingress("one", "one.shop.example"));
    let rule = "ingress-catches-all";
    assert_eq!(found(rule, "wildcards: false", &two), [""; 0]);
    let message = "`Ingress/shop/any` answers for hosts that it does not name";
    assert_eq!(found(rule, "wildcards: true", &two), [message]);
}

#[test]
fn the_range_of_node_ports_is_that_of_the_api_server() {
    let of = |port: u32, set: &str| {
        let spec = format!(", type: NodePort, ports: [{{port: 80, nodePort: {port}}}]");
        let service = service("").replace(", ports: [{port: 80}]", &spec);
        found("invalid-field", set, &service).len()
    };
    let range = "node-ports: [30000, 32767]";
    assert_eq!(
        [of(29_999, range), of(30_000, range), of(32_767, range), of(32_768, range)],
        [1, 0, 0, 1]
    );
    // Where nobody says which it is, all that may be one is let through.
    assert_eq!([of(0x1_0000, "node-ports: []"), of(8080, "node-ports: []")], [1, 0]);
}

#[test]
fn namespaces_may_be_left_to_others() {
    let binding = |namespace: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: it}}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}\nsubjects: [{{kind: ServiceAccount, name: it, namespace: {namespace}}}]\n"
        )
    };
    let rule = "access-as-cluster-admin";
    assert_eq!(found(rule, "namespaces: [platform]", &binding("platform")), [""; 0]);
    assert_eq!(found(rule, "namespaces: [platform]", &binding("kube-system")).len(), 1);
}

#[test]
fn what_metadata_has_to_hold_is_read_with_care() {
    let mistake = |set: &str| {
        let text = format!(
            "apiVersion: purlin.dev/v1alpha1\nkind: Policy\nrules: {{metadata-missing: {{{set}}}}}\n"
        );
        policy_file::read(&Arc::from(text.as_str()), purlin::rules::built_in()).unwrap_err()[0]
            .message
            .clone()
    };
    assert_eq!(
        mistake("required: [{label: a, annotation: b}]"),
        "this names a label and an annotation; name one"
    );
    assert_eq!(
        mistake("required: [{kinds: [Pod]}]"),
        "this names neither a label nor an annotation"
    );
    assert_eq!(mistake("required: [{label: a, matches: \"(\"}]"), "`(` is no regular expression");
    assert_eq!(mistake("required: [owner]"), "`metadata-missing` takes mappings here");
}
