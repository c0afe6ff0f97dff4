//! The rights that are shipped are enough, and no more than it needs.

use super::manifests::file;
use super::requests::{get, send, until};
use crate::apiserver::ApiServer;
use crate::serve::program::{Program, Start};
use serde_json::{Value as Json, json};

const ACCOUNT: &str = "system:serviceaccount:purlin-system:purlin";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/purlin-system/leases";
const WEBHOOK: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/purlin";

#[test]
fn it_may_keep_its_own_certificate_and_nothing_else() {
    let Some(server) = ApiServer::start() else { return };
    let names = ["namespace", "service-account", "cluster-role", "roles", "webhook"];
    let (_, refused) =
        server.apply(&names.map(|it| file(&format!("base/{it}.yaml"))).join("---\n"));
    assert!(refused.is_empty(), "{refused:?}");
    let _program = Program::start(&Start {
        log: server.folder().join("webhook.log"),
        kubeconfig: &server.kubeconfig_of(ACCOUNT),
        certificate: None,
        authority: &server.ca(),
        more: &["--certificate-secret=purlin-system/purlin-tls"],
    });
    let secret = get(&server, "/api/v1/namespaces/purlin-system/secrets/purlin-tls").unwrap();
    let bundle = until("the authority in the configuration", || {
        let webhook = get(&server, WEBHOOK)?;
        webhook.pointer("/webhooks/0/clientConfig/caBundle").cloned()
    });
    assert_eq!(bundle, secret["data"]["ca.crt"]);
    let own = format!("{LEASES}/purlin-tls");
    let lease = get(&server, &own).unwrap();
    assert!(lease["spec"]["holderIdentity"].as_str().unwrap().starts_with("purlin_"), "{lease}");

    let mut other = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": { "namespace": "purlin-system", "name": "other" },
    });
    send(&server, None, ("POST", LEASES), &other).unwrap();
    let path = format!("{LEASES}/other");
    other = get(&server, &path).unwrap();
    let elsewhere = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
    for (request, body) in [
        (("GET", path.as_str()), &Json::Null),
        (("PUT", path.as_str()), &other),
        (("GET", LEASES), &Json::Null),
        (("DELETE", own.as_str()), &Json::Null),
        (("POST", elsewhere), &other),
    ] {
        let answer = send(&server, Some(ACCOUNT), request, body);
        assert_eq!(answer.map_err(|it| it.0), Err(403), "{request:?}");
    }
}
