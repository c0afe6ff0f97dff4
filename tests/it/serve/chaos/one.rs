//! One replica knows all that it has allowed, so each of its verdicts is right, whatever becomes of its connections.

use super::super::cluster::send;
use super::super::relay::Relay;
use super::super::replaced::{project, volume};
use super::*;
use crate::apiserver::certificates::Authority;
use serde_json::Value;
use std::fs;

const CONFIGURATION: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/purlin";

#[test]
fn one_replica_is_right_whatever_becomes_of_its_watches() {
    let Some(mut api) = ApiServer::start() else { return };
    let way = relay_to(&api);
    let (certificate, key) = api.issue("webhook");
    let mut program = serve(&api, &way, (&certificate, &key), &api.ca(), "serve");
    let service = Relay::to(&[program.reviews]);
    register(&api, &service, &api.ca(), &[&program]);
    under_load(&api.kubeconfig(), Replicas::One, |load| {
        for round in 1..=5 {
            let broken =
                |it: &Program| it.metric("purlin_watch_failures_total{kind=\"Deployment\"}");
            let before = broken(&program);
            let tally = phase(load, "watches cut", || {
                way.cut();
                program.wait("a broken watch", |it| broken(it) > before);
                until_known(&api, &format!("cut-{round}"), &mut [&mut program]);
            });
            assert_whole("watches cut", &tally);
        }
        for round in 1..=3 {
            let tally = phase(load, "the API server killed and restarted", || {
                api.restart();
                until_known(&api, &format!("restart-{round}"), &mut [&mut program]);
            });
            assert!(tally.not_asked.is_empty(), "{:#?}", tally.not_asked);
        }
    });
}

#[test]
fn certificates_and_their_authorities_change_and_nobody_notices() {
    let Some(api) = ApiServer::start() else { return };
    let authorities: Vec<(PathBuf, Authority)> = (0..=3)
        .map(|it| {
            let folder = api.folder().join(format!("authority-{it}"));
            fs::create_dir(&folder).unwrap();
            (folder.join("ca.crt"), Authority::new(&folder))
        })
        .collect();
    let all = api.folder().join("authorities.crt");
    let pems = authorities.iter().map(|(path, _)| fs::read_to_string(path).unwrap());
    fs::write(&all, pems.collect::<String>()).unwrap();

    let (certificate, key) = authorities[0].1.issue("webhook", "webhook", &[]);
    let volume = volume(api.folder(), &certificate, &key);
    let pair = (volume.join("tls.crt"), volume.join("tls.key"));
    let mut program = serve(&api, &relay_to(&api), (&pair.0, &pair.1), &all, "serve");
    let service = Relay::to(&[program.reviews]);
    register(&api, &service, &authorities[0].0, &[&program]);
    under_load(&api.kubeconfig(), Replicas::One, |load| {
        for (round, two) in authorities.windows(2).enumerate() {
            let tally = phase(load, "a certificate of another authority", || {
                let old = program.connect().certificate();
                trust(&api, &service, load, &[&two[0].0, &two[1].0]);
                let (certificate, key) = two[1].1.issue("webhook", "webhook", &[]);
                project(&volume, &format!("{}", round + 1), &certificate, &key);
                program.wait("the certificate", |it| it.connect().certificate() != old);
                trust(&api, &service, load, &[&two[1].0]);
            });
            assert_whole("a certificate of another authority", &tally);
        }
    });
    assert_eq!(program.metric("purlin_handshake_failures_total"), 0.0);
    assert_eq!(program.metric("purlin_certificate_reloads_total"), 3.0);
}

/// Has the API server trust these authorities and no others, and waits until it has connected anew.
fn trust(api: &ApiServer, service: &Relay, load: &Load, authorities: &[&Path]) {
    let before = service.taken();
    let mut configuration = send(api, "GET", CONFIGURATION, &Value::Null).unwrap();
    let pems: String = authorities.iter().map(|it| fs::read_to_string(it).unwrap()).collect();
    configuration["webhooks"][0]["clientConfig"]["caBundle"] = base64(pems.as_bytes()).into();
    send(api, "PUT", CONFIGURATION, &configuration).unwrap();
    while service.taken() == before {
        go_on(load, 1);
    }
}
