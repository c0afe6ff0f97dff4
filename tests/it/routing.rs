//! Rules of routing where the input is broken or odd: what no fixture of one world can hold.

use crate::support::{only, with_texts};

const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: shop}\n\
                       spec: {selector: {app: api}, ports: [{port: 80}]}\n";
const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n\
                         apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: other, namespace: shop}\n\
                         spec: {selector: {}, template: {spec: {containers: [{name: other}]}}}\n";
const INGRESS: &str = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\n\
                       spec: {defaultBackend: {service: {name: api, port: {number: 80}}}}\n";
const ADDRESS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\n\
                       data: {API_URL: 'http://api'}\n";
const STATEFUL_SET: &str = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: api, namespace: shop}\n\
                            spec: {serviceName: api, selector: {}, template: {spec: {containers: [{name: api}]}}}\n";

/// How many findings and how many open questions a rule has.
fn judge(rule: &str, texts: &[&str]) -> (usize, usize) {
    let texts: Vec<_> = texts.iter().map(|it| ("world.yaml", *it)).collect();
    with_texts(&texts, &only(rule), |_, outcome| (outcome.findings.len(), outcome.unknown.len()))
}

#[test]
fn a_document_that_does_not_parse_makes_nothing_dangle() {
    let workload = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: shop\n\
                    spec:\n  template:\n    metadata:\n      labels: {app: api}\n";
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: shop\n";
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: shop\n";
    for (rule, object, lost) in [
        ("dangling-service", SERVICE, workload),
        ("dangling-ingress", INGRESS, service),
        ("unresolvable-address", ADDRESS, service),
        ("stateful-set-service-missing", STATEFUL_SET, service),
    ] {
        assert_eq!(judge(rule, &[NAMESPACE, object]), (1, 0), "{rule}: the namespace is all there");
        assert_eq!(
            judge(rule, &[NAMESPACE, object, lost]),
            (0, 1),
            "{rule}: it may have been lost"
        );
        let found = judge(rule, &[NAMESPACE, object, config]);
        assert_eq!(found, (1, 0), "{rule}: what was lost was something else");
    }
}

#[test]
fn an_incomplete_namespace_leaves_it_open() {
    for (rule, object) in [
        ("dangling-service", SERVICE),
        ("dangling-ingress", INGRESS),
        ("unresolvable-address", ADDRESS),
        ("stateful-set-service-missing", STATEFUL_SET),
    ] {
        assert_eq!(judge(rule, &[object]), (0, 1), "{rule}");
    }
}

#[test]
fn fields_of_the_wrong_type_are_absent() {
    const RULES: [&str; 9] = [
        "dangling-ingress",
        "dangling-service",
        "gateway-reference-denied",
        "ingress-collision",
        "ingress-tls-missing",
        "service-port-unserved",
        "service-spans-workloads",
        "stateful-set-service-missing",
        "unresolvable-address",
    ];
    let odd = [
        "{apiVersion: v1, kind: Service, metadata: {name: a, namespace: shop}, spec: {selector: [app], ports: {port: 80}}}",
        "{apiVersion: v1, kind: Service, metadata: {name: b, namespace: shop}, spec: {selector: {app: 1}, ports: [80, {port: x}, {port: 80, targetPort: [1]}]}}",
        "{apiVersion: v1, kind: Service, metadata: {name: c, namespace: shop}, spec: none}",
        "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: d, namespace: shop}, spec: {tls: [1, {hosts: a, secretName: []}], rules: [{host: 1, http: [2]}, {http: {paths: [3, {path: 4, backend: {service: {name: 5, port: 6}}}]}}]}}",
        "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: e, namespace: shop}, spec: {rules: [{backendRefs: [1, {name: 2}, {name: f, port: x}]}]}}",
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: g, namespace: shop}, spec: {serviceName: 1, template: {spec: {containers: [{ports: [1, {containerPort: x}], env: [1, {name: 2, value: 3}], args: {a: b}}]}}}}",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: h, namespace: shop}, data: [1]}",
    ];
    for rule in RULES {
        for text in odd {
            judge(rule, &[text]);
        }
        judge(rule, &odd);
    }
}

#[test]
fn the_order_of_documents_makes_no_other_sentence() {
    let workload = |name: &str| {
        format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}, namespace: shop}}, spec: {{selector: {{matchLabels: {{app: {name}}}}}, \
             template: {{metadata: {{labels: {{app: {name}, part-of: shop}}}}, spec: {{containers: [{{name: it, image: '{name}:1', ports: [{{containerPort: 80}}]}}]}}}}}}}}"
        )
    };
    let policy = |name: &str, port: u16| {
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: {name}, namespace: shop}}, \
             spec: {{podSelector: {{}}, policyTypes: [Egress], egress: [{{ports: [{{port: {port}}}]}}]}}}}"
        )
    };
    let service = SERVICE.replace("name: api", "name: shop").replace("app: api", "part-of: shop");
    let mut texts = vec![NAMESPACE.to_string(), service, policy("a", 443), policy("b", 5432)];
    texts.extend(["web", "api", "worker", "batch"].map(workload));
    for rule in ["service-spans-workloads", "egress-without-dns"] {
        let said = |texts: Vec<(&str, &str)>| {
            with_texts(&texts, &only(rule), |_, outcome| {
                let [finding] = outcome.findings.as_slice() else { panic!("{rule}: {outcome:#?}") };
                finding.message.clone()
            })
        };
        let forwards = said(texts.iter().map(|it| ("world.yaml", it.as_str())).collect());
        let backwards = said(texts.iter().rev().map(|it| ("world.yaml", it.as_str())).collect());
        assert_eq!(forwards, backwards);
    }
}
