//! The webhook is killed and `failurePolicy` is `Fail`: what goes on all the same, and how to repair it. Before that it
//! runs with the rights of `deploy/base` and no others.

use super::manifests::file;
use super::requests::{base64, get, send, until};
use crate::apiserver::ApiServer;
use crate::serve::program::{Program, Start};
use serde_json::{Value as Json, json};

const WEBHOOK: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/purlin";
const DEFAULT: &str = "/apis/apps/v1/namespaces/default/deployments";

#[test]
fn a_dead_webhook_that_fails_closed_locks_nobody_out() {
    let Some(server) = ApiServer::start() else { return };
    let names = ["namespace", "service-account", "cluster-role", "roles"];
    let (_, refused) =
        server.apply(&names.map(|it| file(&format!("base/{it}.yaml"))).join("---\n"));
    assert!(refused.is_empty(), "{refused:?}");
    for namespace in ["kube-node-lease", "kube-public"] {
        let body =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
        let made = send(&server, None, ("POST", "/api/v1/namespaces"), &body);
        assert!(matches!(made, Ok(_) | Err((409, _))), "{made:?}");
    }
    send(&server, None, ("POST", DEFAULT), &deployment("web")).unwrap();
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "old" } });
    send(&server, None, ("POST", "/api/v1/namespaces/default/configmaps"), &map).unwrap();

    kill_the_webhook(&server);
    users_are_locked_out(&server);
    the_cluster_can_start_again(&server);
    the_control_plane_goes_on(&server);

    // The repair: `kubectl delete validatingwebhookconfiguration purlin`.
    send(&server, None, ("DELETE", WEBHOOK), &Json::Null).unwrap();
    until("users write again", || send(&server, None, ("POST", DEFAULT), &deployment("api")).ok());
}

/// Starts it with its own rights, sees that it is asked, and kills it.
fn kill_the_webhook(server: &ApiServer) {
    let certificate = server.issue("webhook");
    let mut program = Program::start(&Start {
        log: server.folder().join("webhook.log"),
        kubeconfig: &server.kubeconfig_of("system:serviceaccount:purlin-system:purlin"),
        certificate: Some((certificate.0.as_path(), certificate.1.as_path())),
        authority: &server.ca(),
        more: &[],
    });
    program.wait_until_ready();
    let forbidden: Vec<_> = program
        .log()
        .into_iter()
        .filter(|it| it["message"].as_str().is_some_and(|it| it.contains("may not list or watch")))
        .filter_map(|it| it["kind"].as_str().map(String::from))
        .collect();
    assert_eq!(forbidden, ["Secret"], "what it may not see");
    let (_, refused) = server.apply(&configuration(&program, server));
    assert!(refused.is_empty(), "{refused:?}");
    until("the webhook is asked", || {
        let path = format!("{DEFAULT}?dryRun=All");
        send(server, None, ("POST", &path), &deployment("asked")).unwrap();
        (program.metric("purlin_review_seconds_count") > 0.0).then_some(())
    });
    program.signal("KILL");
    program.wait_for_end();
}

/// The configuration as it is shipped, but that it fails closed and calls loopback.
pub(crate) fn configuration(program: &Program, server: &ApiServer) -> String {
    let bundle = base64(&std::fs::read(server.ca()).unwrap());
    let text = file("base/webhook.yaml")
        .replace("failurePolicy: Ignore", "failurePolicy: Fail")
        .replace("timeoutSeconds: 3\n", "timeoutSeconds: 30\n");
    let (before, rest) = text.split_once("      # `caBundle` is").unwrap();
    let (_, after) = rest.split_once("        port: 443\n").unwrap();
    let address = program.reviews;
    format!("{before}      url: https://{address}/validate\n      caBundle: {bundle}\n{after}")
}

/// They are refused, by `scale` and deletions too; or all that follows would show nothing.
fn users_are_locked_out(server: &ApiServer) {
    let why = send(server, None, ("POST", DEFAULT), &deployment("api")).unwrap_err();
    assert!(why.1.contains("failed calling webhook \"validate.purlin.dev\""), "{why:?}");
    let scale = json!({ "spec": { "replicas": 3 } });
    let scaled = send(server, None, ("PATCH", &format!("{DEFAULT}/web/scale")), &scale);
    assert_eq!(scaled.map_err(|it| it.0), Err(500));
    let map = "/api/v1/namespaces/default/configmaps/old";
    assert_eq!(send(server, None, ("DELETE", map), &Json::Null).map_err(|it| it.0), Err(500));
}

/// Excluded namespaces, nodes, leases and pods.
fn the_cluster_can_start_again(server: &ApiServer) {
    for namespace in ["kube-system", "kube-public", "kube-node-lease", "purlin-system"] {
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
        send(server, None, ("POST", &path), &deployment("repair")).unwrap();
    }
    let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "new" } });
    send(server, None, ("POST", "/api/v1/nodes"), &node).unwrap();
    for namespace in ["kube-node-lease", "default"] {
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": "new" },
        });
        send(server, None, ("POST", &path), &lease).unwrap();
    }
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "it" },
        "spec": { "containers": [{ "name": "it", "image": "it:1" }] },
    });
    send(server, None, ("POST", "/api/v1/namespaces/default/pods"), &pod).unwrap();
}

/// An autoscaler scales, a rollout goes on, what is left over is collected.
fn the_control_plane_goes_on(server: &ApiServer) {
    let web = format!("{DEFAULT}/web");
    let path = format!("{web}/scale");
    let mut scale = get(server, &path).unwrap();
    scale["spec"]["replicas"] = 4.into();
    let autoscaler = controller("horizontal-pod-autoscaler");
    send(server, Some(&autoscaler), ("PUT", &path), &scale).unwrap();
    let mut object = get(server, &web).unwrap();
    assert_eq!(object["spec"]["replicas"], 4);
    object["metadata"]["annotations"] = json!({ "deployment.kubernetes.io/revision": "2" });
    let rollout = controller("deployment-controller");
    send(server, Some(&rollout), ("PUT", &web), &object).unwrap();
    let collector = controller("namespace-controller");
    let map = "/api/v1/namespaces/default/configmaps/old";
    send(server, Some(&collector), ("DELETE", map), &Json::Null).unwrap();
}

/// Who a controller of the control plane is to the API server.
fn controller(name: &str) -> String {
    format!("system:serviceaccount:kube-system:{name}")
}

fn deployment(name: &str) -> Json {
    let labels = json!({ "app": name });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
        "spec": { "selector": { "matchLabels": labels }, "template": {
            "metadata": { "labels": labels },
            "spec": { "containers": [{ "name": "it", "image": "it:1" }] },
        }},
    })
}
