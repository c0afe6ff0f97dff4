//! Several replicas before one real API server.

use super::cluster::{
    assert_denied, at_once, configure, create, namespace, register, send, serve, wait_until_asked,
};
use super::program::Program;
use super::relay::Relay;
use super::requests::{budget, deployment};
use crate::apiserver::ApiServer;
use base64::Engine;
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;

/// So many pairs, some in a namespace each, so that each is judged in a small world.
const PAIRS: usize = 1000;
const OF_A_NAMESPACE: usize = 20;

#[test]
fn what_two_replicas_admit_at_once_is_reported() {
    let Some(api) = ApiServer::start() else { return };
    let mut programs = [serve(&api, "a", &[]), serve(&api, "b", &[])];
    let service = Relay::to(&programs.each_ref().map(|it| it.reviews));
    let authority = std::fs::read(api.ca()).unwrap();
    configure(&api, service.port(), &base64::engine::general_purpose::STANDARD.encode(authority));
    wait_until_asked(&api, &programs.each_ref());
    // By the object's namespace and name, when the API server had taken both.
    let mut admitted = BTreeMap::new();
    // The last race of all comes after the pairs: when it is reported, everything before it is.
    for at in 0.. {
        let shop = format!("shop-{}", at / OF_A_NAMESPACE);
        if at % OF_A_NAMESPACE == 0 {
            namespace(&api, &shop);
        }
        let name = format!("api-{at}");
        let taken = at_once(&api, &[deployment(&shop, &name, 2), budget(&shop, &name, 2)]);
        assert!(taken.iter().any(Result::is_ok), "{name}: both were refused: {taken:?}");
        if taken.iter().all(Result::is_ok) {
            admitted.insert(format!("{shop}/{name}"), Timestamp::now());
            if at >= PAIRS {
                break;
            }
        }
    }
    let [a, b] = &mut programs;
    let mut reported = BTreeMap::new();
    a.wait("a report of every race", |a| {
        reported = races(a);
        for (name, at) in races(b) {
            let first = reported.entry(name).or_insert(at);
            *first = at.min(*first);
        }
        admitted.keys().all(|it| reported.contains_key(it))
    });
    let names: Vec<_> = reported.keys().collect();
    assert_eq!(names, Vec::from_iter(admitted.keys()), "what was not admitted is no race");
    let mut after: Vec<_> =
        admitted.iter().map(|(name, at)| reported[name].duration_since(*at).as_millis()).collect();
    after.sort();
    eprintln!(
        "{} of {PAIRS} pairs were admitted by two replicas at once; reported after {} ms, at most {} ms",
        admitted.len(),
        after[after.len() / 2],
        after[after.len() - 1],
    );
}

/// The races that a server has reported, and when first.
fn races(program: &Program) -> BTreeMap<String, Timestamp> {
    let mut first = BTreeMap::new();
    for it in program.log().iter().filter(|it| it["message"] == "a race was admitted") {
        let (_, name) = it["object"].as_str().unwrap().split_once('/').unwrap();
        let at = it["timestamp"].as_str().unwrap().parse().unwrap();
        first.entry(name.to_string()).or_insert(at);
    }
    first
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
