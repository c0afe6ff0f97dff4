//! Which objects come out of documents, and what runs pods.

use purlin::analyze::Facts;
use purlin::analyze::selection::selector::{LabelValue, Selector, Selects};
use purlin::api::kind::Kind;
use purlin::load::{Loaded, load_texts};
use purlin::model::Model;
use std::sync::Arc;

fn load(text: &str) -> Loaded {
    let loaded = load_texts(vec![("world.yaml".into(), Arc::from(text))]);
    assert!(loaded.broken.is_empty(), "{:?}", loaded.broken);
    loaded
}

fn names(text: &str) -> Vec<String> {
    Model::new(&load(text), "default").objects().map(ToString::to_string).collect()
}

const POD: &str = "{metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: 'x:1'}]}}";

#[test]
fn lists_are_their_items() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: a}}\n\
                - {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Service, metadata: {name: b}}]}\n";
    assert_eq!(names(list), ["Secret/default/a", "Service/default/b"]);
}

#[test]
fn items_of_typed_lists_need_no_kind() {
    let list = "apiVersion: apps/v1\nkind: DeploymentList\nitems: [{metadata: {name: a, namespace: shop}}]\n";
    let loaded = load(list);
    let model = Model::new(&loaded, "default");
    let object = model.find(Kind::Deployment, "shop", "a").unwrap();
    assert_eq!((object.api_version, object.kind_name), ("apps/v1", "Deployment"));
}

#[test]
fn a_list_that_holds_no_items_is_an_object() {
    // A kind may be called List-something without being one.
    let text = "apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: a}\nspec: {}\n";
    assert_eq!(names(text), ["AllowList/a"]);
}

#[test]
fn kyaml_and_json_are_read_like_yaml() {
    let kyaml = "---\n{\n  apiVersion: \"v1\",\n  kind: \"ConfigMap\",\n  metadata: {\n    name: \"a\",\n  },\n}\n";
    assert_eq!(names(kyaml), ["ConfigMap/default/a"]);
    let json = "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"}}";
    assert_eq!(names(json), ["ConfigMap/default/a"]);
}

#[test]
fn an_absent_namespace_is_default_for_namespaced_kinds_only() {
    let text = "{apiVersion: v1, kind: Service, metadata: {name: a}}\n---\n\
                {apiVersion: v1, kind: Service, metadata: {name: b, namespace: default}}\n---\n\
                {apiVersion: v1, kind: Namespace, metadata: {name: c, namespace: ignored}}\n";
    assert_eq!(names(text), ["Service/default/a", "Service/default/b", "Namespace/c"]);
    let loaded = load(text);
    let told = Model::new(&loaded, "shop");
    assert!(told.find(Kind::Service, "shop", "a").is_some());
}

#[test]
fn one_kind_has_many_versions_and_groups() {
    let text = "{apiVersion: extensions/v1beta1, kind: Deployment, metadata: {name: a}, spec: {selector: {}}}\n---\n\
                {apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 2, selector: {}}}\n---\n\
                {apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: a}}\n";
    let loaded = load(text);
    let model = Model::new(&loaded, "default");
    assert_eq!(model.duplicates().count(), 1);
    let last = model.find(Kind::Deployment, "default", "a").unwrap();
    assert_eq!(last.api_version, "apps/v1", "the last one is what an apply leaves");
    assert_eq!(model.of_kind(Kind::Deployment).count(), 1);
    assert_eq!(model.of_kind(Kind::Service).count(), 0, "another group's Service is another kind");
}

#[test]
fn workloads_are_known_by_kind_or_by_shape() {
    let text = format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: a}}, spec: {{template: {POD}}}}}\n---\n\
         {{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {{name: b}}, spec: {{template: {POD}}}}}\n---\n\
         {{apiVersion: example.com/v1, kind: Fleet, metadata: {{name: c}}, spec: {{template: {POD}}}}}\n---\n\
         {{apiVersion: batch/v1, kind: CronJob, metadata: {{name: d}}, spec: {{jobTemplate: {{spec: {{template: {POD}}}}}}}}}\n---\n\
         {{apiVersion: v1, kind: Pod, metadata: {{name: e, labels: {{app: a}}}}, spec: {{containers: [{{name: c}}]}}}}\n---\n\
         {{apiVersion: v1, kind: Pod, metadata: {{name: owned, ownerReferences: [{{controller: true, kind: ReplicaSet}}]}}, spec: {{containers: []}}}}\n---\n\
         {{apiVersion: example.com/v1, kind: Settings, metadata: {{name: f}}, spec: {{template: {{spec: {{size: 2}}}}}}}}\n---\n\
         {{apiVersion: apps/v1, kind: Deployment, metadata: {{name: without-template}}, spec: {{}}}}\n"
    );
    let loaded = load(&text);
    let model = Model::new(&loaded, "default");
    let facts = Facts::new(&model);
    let found: Vec<_> = facts.workloads().iter().map(|it| it.name).collect();
    assert_eq!(found, ["a", "b", "c", "d", "e"]);
    let selector = Selector::default();
    assert_eq!(facts.workloads().select("default", &selector).len(), 5);
    assert_eq!(facts.workloads().select("elsewhere", &selector).len(), 0);
}

/// SEMANTICS, section 1, row 42: controllers add labels to the pods they make.
#[test]
fn controllers_add_labels() {
    let text = format!(
        "{{apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: db}}, spec: {{template: {POD}}}}}\n---\n\
         {{apiVersion: apps/v1, kind: Deployment, metadata: {{name: api}}, spec: {{template: {POD}}}}}\n"
    );
    let loaded = load(&text);
    let model = Model::new(&loaded, "default");
    let facts = Facts::new(&model);
    let selects = |yaml: &str| {
        let selector = load(&format!("apiVersion: v1\nkind: S\nspec: {yaml}\n"));
        let selector = Selector::parse(selector.documents[0].tree.root().get("spec").unwrap());
        facts.workloads().iter().map(|it| selector.selects(&it.labels)).collect::<Vec<_>>()
    };
    let (all, some, none) = (Selects::All, Selects::Some, Selects::None);
    assert_eq!(selects("{matchLabels: {statefulset.kubernetes.io/pod-name: db-0}}"), [some, none]);
    assert_eq!(
        selects("{matchLabels: {statefulset.kubernetes.io/pod-name: other-0}}"),
        [none, none]
    );
    assert_eq!(
        selects("{matchExpressions: [{key: pod-template-hash, operator: Exists}]}"),
        [none, all]
    );
    assert_eq!(
        selects("{matchExpressions: [{key: pod-template-hash, operator: DoesNotExist}]}"),
        [all, none]
    );
    assert_eq!(selects("{matchLabels: {pod-template-hash: abc}}"), [none, some]);
    let labels = &facts.workloads().iter().next().unwrap().labels;
    assert_eq!(labels.get("apps.kubernetes.io/pod-index"), LabelValue::Varies);
}

const SERVICES: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api, tier: back}}
    spec:
      containers:
        - {name: api, ports: [{name: http, containerPort: 8080}, {name: metrics, containerPort: 9090}]}
        - {name: dns, ports: [{name: dns, containerPort: 5353, protocol: UDP}]}
        - {name: proxy, ports: [{name: http, containerPort: 8081}]}
      initContainers:
        - {name: migrate, ports: [{name: once, containerPort: 7000}]}
        - {name: mesh, restartPolicy: Always, ports: [{name: admin, containerPort: 15000}]}
---
{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {selector: {app: api}, ports: [
  {name: a, port: 80, targetPort: http}, {name: b, port: 53, targetPort: dns, protocol: UDP}, {name: c, port: 54, targetPort: dns},
  {name: d, port: 81, targetPort: admin}, {name: e, port: 82, targetPort: once}, {name: f, port: 83}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: api, namespace: other}, spec: {selector: {app: api}, clusterIP: None}}
---
{apiVersion: v1, kind: Service, metadata: {name: by-hand, namespace: shop}, spec: {selector: {}}}
---
{apiVersion: v1, kind: Service, metadata: {name: other-name, namespace: shop}, spec: {selector: {app: api}, type: ExternalName, externalName: api.example}}
";

#[test]
fn services_select_pods_of_their_namespace() {
    let loaded = load(SERVICES);
    let model = Model::new(&loaded, "default");
    let facts = Facts::new(&model);
    let selected = |namespace, name| facts.services().find(namespace, name).unwrap().selects.len();
    assert_eq!(selected("shop", "api"), 1);
    assert_eq!(selected("other", "api"), 0);
    assert_eq!(selected("shop", "by-hand"), 0);
    assert_eq!(selected("shop", "other-name"), 0);
    assert!(facts.services().find("other", "api").unwrap().is_headless);
    let api = facts.workloads().iter().next().unwrap();
    let services: Vec<_> = facts.services().of_workload(api.id).map(|it| it.name).collect();
    assert_eq!(services, ["api"]);
}

#[test]
fn target_ports_are_found_by_name_and_protocol() {
    let loaded = load(SERVICES);
    let model = Model::new(&loaded, "default");
    let facts = Facts::new(&model);
    let api = facts.services().find("shop", "api").unwrap();
    let ports = facts.ports(api.selects[0].0);
    let found: Vec<_> = api.ports.iter().map(|it| it.on(ports)).collect();
    assert_eq!(found, [Some(8080), Some(5353), None, Some(15000), None, Some(83)]);
    assert!(ports.declares("UDP") && !ports.declares("SCTP"));
}

#[test]
fn controllers_make_secrets() {
    let loaded = load("
{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: c, namespace: shop}, spec: {secretName: of-certificate}}
---
{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: by-name, namespace: shop}, spec: {}}
---
{apiVersion: external-secrets.io/v1beta1, kind: ExternalSecret, metadata: {name: e, namespace: shop}, spec: {target: {name: by-target}}}
---
{apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, metadata: {name: sealed, namespace: shop}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, namespace: shop, annotations: {cert-manager.io/issuer: letsencrypt}}
spec: {tls: [{secretName: of-ingress}]}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: j, namespace: shop}, spec: {tls: [{secretName: of-nobody}]}}
");
    let model = Model::new(&loaded, "default");
    let facts = Facts::new(&model);
    let is_made = |name| facts.made_secrets().find("shop", name).is_some();
    for name in ["of-certificate", "by-name", "by-target", "sealed", "of-ingress"] {
        assert!(is_made(name), "{name}");
    }
    assert!(!is_made("e") && !is_made("of-nobody"));
    assert!(facts.made_secrets().find("other", "sealed").is_none());
}
