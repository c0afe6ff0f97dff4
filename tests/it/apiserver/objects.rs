//! Objects on the server: applied and deleted as kubectl would.

use super::ApiServer;
use super::process::Process;
use crate::support::load_texts;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::discovery::{Discovery, Scope};
use kube::{Client, Config, config::KubeConfigOptions, config::Kubeconfig};
use purlin::load::Loaded;
use purlin::model::{Model, Object};
use purlin::text::tree::{Node, Number, Value};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// What an object is called on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) group_version_kind: GroupVersionKind,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// What the server did not take: the object, and its words.
pub(crate) type Refused = Vec<(String, String)>;

pub(super) fn client(runtime: &Runtime, kubeconfig: &Path) -> Client {
    runtime.block_on(async {
        let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
        Client::try_from(config).unwrap()
    })
}

/// Waits until the server is ready; gives nothing if it stops instead.
pub(super) fn ready(
    runtime: &Runtime,
    client: &Client,
    mut server: Process,
    patience: Duration,
) -> Option<Process> {
    let end = Instant::now() + patience;
    while Instant::now() < end && server.is_running() {
        let request = http::Request::get("/readyz").body(Vec::new()).unwrap();
        let answer = runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(5), client.request_text(request)).await
        });
        if matches!(answer, Ok(Ok(text)) if text == "ok") {
            return Some(server);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    None
}

impl ApiServer {
    /// Applies manifests, Namespaces and definitions of kinds first, as a strict server-side apply.
    pub(crate) fn apply(&self, manifests: &str) -> (Vec<Name>, Refused) {
        self.apply_loaded(&load_texts(&[("it.yaml", manifests)]))
    }

    /// Applies what was loaded; says what there is now and what the server refused.
    pub(crate) fn apply_loaded(&self, loaded: &Loaded) -> (Vec<Name>, Refused) {
        let model = Model::new(loaded, "default");
        let mut objects: Vec<_> = model.objects().collect();
        objects.sort_by_key(|it| match it.kind_name {
            "CustomResourceDefinition" => 0,
            "Namespace" => 1,
            "PriorityClass" | "RuntimeClass" => 2,
            _ => 3,
        });
        let (mut applied, mut refused) = (Vec::new(), Vec::new());
        self.runtime.block_on(async {
            let kinds = Discovery::new(self.client.clone()).run_aggregated().await.unwrap();
            for object in objects {
                match self.apply_object(&kinds, object).await {
                    Ok(name) => applied.push(name),
                    Err(why) => refused.push((object.to_string(), why)),
                }
            }
        });
        (applied, refused)
    }

    async fn apply_object(&self, kinds: &Discovery, object: &Object<'_>) -> Result<Name, String> {
        let (group, version) =
            object.api_version.rsplit_once('/').unwrap_or(("", object.api_version));
        let kind = GroupVersionKind::gvk(group, version, object.kind_name);
        let api = self.api(kinds, &kind, object.namespace)?;
        let body: DynamicObject =
            serde_json::from_value(json_of(object.root)).map_err(|it| it.to_string())?;
        let written = if object.name.is_empty() {
            let params = PostParams { field_manager: Some("it".into()), ..PostParams::default() };
            api.create(&params, &body).await
        } else {
            let params = PatchParams::apply("it").force().validation_strict();
            api.patch(object.name, &params, &Patch::Apply(&body)).await
        };
        let written = written.map_err(|it| it.to_string())?;
        let namespace = written.metadata.namespace.unwrap_or_default();
        let name = written.metadata.name.unwrap_or_default();
        Ok(Name { group_version_kind: kind, namespace, name })
    }

    fn api(
        &self,
        kinds: &Discovery,
        kind: &GroupVersionKind,
        namespace: &str,
    ) -> Result<Api<DynamicObject>, String> {
        let (resource, can) =
            kinds.resolve_gvk(kind).ok_or(format!("the server has no {kind:?}"))?;
        let namespace = if namespace.is_empty() { "default" } else { namespace };
        Ok(match can.scope {
            Scope::Cluster => Api::all_with(self.client.clone(), &resource),
            Scope::Namespaced => Api::namespaced_with(self.client.clone(), namespace, &resource),
        })
    }

    /// Objects as they are stored.
    pub(crate) fn read(&self, names: &[Name]) -> Vec<Json> {
        self.runtime.block_on(async {
            let kinds = Discovery::new(self.client.clone()).run_aggregated().await.unwrap();
            let mut objects = Vec::new();
            for it in names {
                let api = self.api(&kinds, &it.group_version_kind, &it.namespace).unwrap();
                objects.push(serde_json::to_value(api.get(&it.name).await.unwrap()).unwrap());
            }
            objects
        })
    }

    /// Deletes objects, the last one first. No controller runs, so Namespaces are finished here.
    pub(crate) fn delete(&self, names: &[Name]) {
        self.runtime.block_on(async {
            let kinds = Discovery::new(self.client.clone()).run_aggregated().await.unwrap();
            for it in names.iter().rev() {
                self.delete_object(&kinds, it).await;
            }
        });
    }

    async fn delete_object(&self, kinds: &Discovery, it: &Name) {
        let is_namespace = it.group_version_kind.kind == "Namespace";
        let api = self.api(kinds, &it.group_version_kind, &it.namespace).unwrap();
        if is_namespace && (it.name == "default" || it.name.starts_with("kube-")) {
            // These stay, without what was applied to them.
            let bare =
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": it.name}});
            let params = PatchParams::apply("it").force();
            api.patch(&it.name, &params, &Patch::Apply(&bare)).await.unwrap();
            return;
        }
        let params = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::background() };
        // What is gone already was deleted as a part of something else.
        let _ = api.delete(&it.name, &params).await;
        if is_namespace {
            let path = format!("/api/v1/namespaces/{}/finalize", it.name);
            let body = json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": it.name}, "spec": {"finalizers": []},
            });
            let body = serde_json::to_vec(&body).unwrap();
            let request = http::Request::put(path)
                .header("Content-Type", "application/json")
                .body(body)
                .unwrap();
            self.client.request::<Json>(request).await.unwrap();
        } else if let Ok(Some(_)) = api.get_opt(&it.name).await {
            let bare = json!({"metadata": {"finalizers": null}});
            let _ = api.patch(&it.name, &PatchParams::default(), &Patch::Merge(&bare)).await;
        }
    }

    /// A new kind is served a moment after its definition is taken.
    pub(super) fn wait_for_custom_kinds(&self) {
        let is_served = || {
            self.runtime.block_on(async {
                let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
                let request = http::Request::get(path).body(Vec::new()).unwrap();
                let list: Json = self.client.request(request).await.unwrap();
                let kinds = Discovery::new(self.client.clone()).run_aggregated().await.unwrap();
                list["items"].as_array().unwrap().iter().all(|it| {
                    let spec = &it["spec"];
                    let text = |it: &Json| it.as_str().unwrap().to_string();
                    let version = text(&spec["versions"][0]["name"]);
                    let kind = text(&spec["names"]["kind"]);
                    let kind = GroupVersionKind::gvk(&text(&spec["group"]), &version, &kind);
                    kinds.resolve_gvk(&kind).is_some()
                })
            })
        };
        let end = Instant::now() + super::READY;
        while !is_served() {
            assert!(Instant::now() < end, "custom kinds are not served");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// What a manifest says, as it is sent.
pub(crate) fn json_of(node: Node<'_>) -> Json {
    match node.value() {
        Value::Null => Json::Null,
        Value::Bool(it) => it.into(),
        Value::Number(Number::Int(it)) => it.into(),
        Value::Number(Number::Float(it)) => it.into(),
        Value::Str(it) => it.into(),
        Value::Seq => node.items().map(json_of).collect(),
        Value::Map => {
            let entries =
                node.entries().map(|(key, it)| (key.str().unwrap().to_string(), json_of(it)));
            Json::Object(entries.collect())
        }
    }
}
