//! Several replicas before one real API server.

use super::cluster::{
    assert_denied, at_once, configure, create, kubeconfig, namespace, register, send, serve,
    wait_until_asked,
};
use super::program::{Program, Start};
use super::relay::Relay;
use super::requests::{budget, deployment};
use crate::apiserver::ApiServer;
use base64::Engine;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn what_two_replicas_admit_at_once_is_reported() {
    let Some(api) = ApiServer::start() else { return };
    let mut programs = [serve(&api, "a", &[]), serve(&api, "b", &[])];
    let service = Relay::to(&programs.each_ref().map(|it| it.reviews));
    let authority = std::fs::read(api.ca()).unwrap();
    configure(&api, service.port(), &base64::engine::general_purpose::STANDARD.encode(authority));
    wait_until_asked(&api, &programs.each_ref());
    namespace(&api, "shop");
    let mut admitted = BTreeSet::new();
    for at in 0..100 {
        let name = format!("api-{at}");
        let taken = at_once(&api, &[deployment("shop", &name, 2), budget("shop", &name, 2)]);
        if taken.iter().all(Result::is_ok) {
            admitted.insert(name);
        }
    }
    eprintln!("{} of 100 pairs were admitted by two replicas at once", admitted.len());
    let reported = |program: &Program| -> BTreeSet<String> {
        let log = program.log().into_iter();
        let races = log.filter(|it| it["message"] == "a race was admitted");
        races.map(|it| it["object"].as_str().unwrap().rsplit('/').next().unwrap().into()).collect()
    };
    let [a, b] = &mut programs;
    a.wait("a report of every race", |a| {
        let reported: BTreeSet<String> = reported(a).union(&reported(b)).cloned().collect();
        admitted.is_subset(&reported)
    });
    let all: BTreeSet<String> = reported(a).union(&reported(b)).cloned().collect();
    assert_eq!(all, admitted, "what was not admitted is no race");
}

#[test]
fn replicas_share_a_certificate_of_their_own_making() {
    let Some(api) = ApiServer::start() else { return };
    let more = ["--certificate-secret=default/purlin-tls", "--server-name=localhost,127.0.0.1"];
    let kubeconfig = kubeconfig(&api);
    let start = |name: &str| {
        Program::start(&Start {
            log: api.folder().join(format!("{name}.log")),
            kubeconfig: &kubeconfig,
            certificate: None,
            authority: &api.ca(),
            more: &more,
        })
    };
    // Both at once: one of them writes the Secret first.
    let [mut a, b] = std::thread::scope(|scope| {
        ["a", "b"].map(|name| scope.spawn(move || start(name))).map(|it| it.join().unwrap())
    });
    let secret = send(&api, "GET", "/api/v1/namespaces/default/secrets/purlin-tls", &Value::Null);
    let authority = secret.unwrap()["data"]["ca.crt"].as_str().unwrap().to_string();
    let pem = base64::engine::general_purpose::STANDARD.decode(&authority).unwrap();
    let path = api.folder().join("made.crt");
    std::fs::write(&path, pem).unwrap();
    let tls = super::client::trusting(&path, None);
    let shown =
        |it: &Program| super::client::Connection::open(it.reviews, &tls).unwrap().certificate();
    assert_eq!(shown(&a), shown(&b));
    a.wait_until_ready();

    // Installed without an authority, which is filled in.
    configure(&api, a.reviews.port(), "");
    let configuration =
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/purlin";
    a.wait("the authority in the configuration", |_| {
        let it = send(&api, "GET", configuration, &Value::Null).unwrap();
        it["webhooks"][0]["clientConfig"]["caBundle"] == authority.as_str()
    });
    wait_until_asked(&api, &[&a]);
    namespace(&api, "shop");
    create(&api, &deployment("shop", "api", 2)).unwrap();
    assert_denied(create(&api, &budget("shop", "api", 2)), &["Deployment/shop/api"]);
}

#[test]
fn a_restart_of_the_api_server_is_survived() {
    let Some(mut api) = ApiServer::start() else { return };
    let mut program = serve(&api, "serve", &["--stale-after=60"]);
    register(&api, &program);
    namespace(&api, "shop");
    create(&api, &deployment("shop", "api", 2)).unwrap();
    api.restart();
    let stale = "purlin_watch_staleness_seconds{kind=\"Deployment\"}";
    program.wait("fresh watches", |it| it.metric(stale) == 0.0);
    wait_until_asked(&api, &[&program]);
    assert_denied(create(&api, &budget("shop", "api", 2)), &["Deployment/shop/api"]);
    let scale = "/apis/apps/v1/namespaces/shop/deployments/api/scale";
    send(&api, "PATCH", scale, &json!({"spec": {"replicas": 3}})).unwrap();
    create(&api, &budget("shop", "api", 2)).unwrap();
}
