//! Replicas that make their certificate themselves: the one that holds the Lease, and the others.

use super::client::{self, Connection};
use super::cluster::{
    assert_denied, configure, create, kubeconfig, namespace, send, wait_until_asked,
};
use super::program::{Program, Start};
use super::requests::{budget, deployment};
use crate::apiserver::ApiServer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, Issuer, KeyPair};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases/purlin-tls";
const SECRET: &str = "/api/v1/namespaces/default/secrets/purlin-tls";

/// A replica that listens, and so has a certificate.
fn replica(api: &ApiServer, kubeconfig: &Path, name: &str) -> Program {
    Program::start(&Start {
        log: api.folder().join(format!("{name}.log")),
        kubeconfig,
        certificate: None,
        authority: &api.ca(),
        more: &[
            "--certificate-secret=default/purlin-tls",
            "--server-name=localhost,127.0.0.1",
            "--drain=0",
        ],
    })
}

/// Two of them, started at the same time; the one that holds the Lease first.
fn two_replicas(api: &ApiServer) -> [Program; 2] {
    let kubeconfig = kubeconfig(api);
    let [a, b] = std::thread::scope(|scope| {
        ["a", "b"]
            .map(|name| scope.spawn(|| replica(api, &kubeconfig, name)))
            .map(|it| it.join().unwrap())
    });
    let holder = holder(api);
    if is_identity(&a, &holder) { [a, b] } else { [b, a] }
}

/// Whether it has taken the Lease by this name.
fn is_identity(program: &Program, identity: &str) -> bool {
    let took = |it: &Value| it["message"] == "took the Lease" && it["identity"] == identity;
    program.log().iter().any(took)
}

fn get(api: &ApiServer, path: &str) -> Value {
    send(api, "GET", path, &Value::Null).unwrap()
}

fn holder(api: &ApiServer) -> String {
    get(api, LEASE)["spec"]["holderIdentity"].as_str().unwrap().into()
}

/// A field of the Secret, as PEM.
fn made(api: &ApiServer, field: &str) -> String {
    let secret = get(api, SECRET);
    String::from_utf8(STANDARD.decode(secret["data"][field].as_str().unwrap()).unwrap()).unwrap()
}

/// The certificate that a replica shows to whoever trusts this authority.
fn shown(program: &Program, authority: &Path) -> Vec<u8> {
    let tls = client::trusting(authority, None);
    Connection::open(program.reviews, &tls).unwrap().certificate()
}

/// The authority that was made, in a file.
fn authority(api: &ApiServer) -> std::path::PathBuf {
    let path = api.folder().join("made.crt");
    std::fs::write(&path, made(api, "ca.crt")).unwrap();
    path
}

/// Puts a certificate into the Secret that has only a day left.
fn let_the_certificate_run_out(api: &ApiServer) -> String {
    let key = KeyPair::from_pem(&made(api, "ca.key")).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&made(api, "ca.crt"), key).unwrap();
    let names = vec!["127.0.0.1".to_string(), "localhost".to_string()];
    let mut params = CertificateParams::new(names).unwrap();
    let now = jiff::Timestamp::now().as_second().unsigned_abs();
    let start = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = start + Duration::from_secs(now - 60);
    params.not_after = start + Duration::from_secs(now + 86_400);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    let data = json!({
        "tls.crt": STANDARD.encode(&certificate), "tls.key": STANDARD.encode(key.serialize_pem()),
    });
    send(api, "PATCH", SECRET, &json!({ "data": data })).unwrap();
    certificate
}

#[test]
fn replicas_share_a_certificate_of_their_own_making() {
    let Some(api) = ApiServer::start() else { return };
    let [mut first, second] = two_replicas(&api);
    let lease = get(&api, LEASE);
    // Who waited for a Lease to run out would have taken it.
    assert_eq!(lease["spec"]["leaseTransitions"], 0, "{lease}");
    assert_eq!(lease["spec"]["leaseDurationSeconds"], 15, "{lease}");
    assert_eq!(first.metric("purlin_certificate_lease_held"), 1.0);
    assert_eq!(second.metric("purlin_certificate_lease_held"), 0.0);
    let authority = authority(&api);
    assert_eq!(made(&api, "ca.crt").matches("BEGIN CERTIFICATE").count(), 1);
    assert_eq!(shown(&first, &authority), shown(&second, &authority));
    first.wait_until_ready();

    // Installed without an authority, which is filled in.
    configure(&api, first.reviews.port(), "");
    let configuration =
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/purlin";
    let bundle = STANDARD.encode(made(&api, "ca.crt"));
    first.wait("the authority in the configuration", |_| {
        get(&api, configuration)["webhooks"][0]["clientConfig"]["caBundle"] == bundle.as_str()
    });
    wait_until_asked(&api, &[&first]);
    namespace(&api, "shop");
    create(&api, &deployment("shop", "api", 2)).unwrap();
    assert_denied(create(&api, &budget("shop", "api", 2)), &["Deployment/shop/api"]);

    // Who goes lets the other go on at once.
    first.signal("TERM");
    assert!(first.wait_for_end().success());
    let left = holder(&api);
    assert!(!is_identity(&first, &left), "{left} is gone");
    let mut second = second;
    second.wait("the other to take over", |it| is_identity(it, &holder(&api)));
    assert_eq!(get(&api, LEASE)["spec"]["leaseTransitions"], 1);
    assert_eq!(made(&api, "ca.crt"), std::fs::read_to_string(&authority).unwrap());
}

#[test]
fn who_is_stopped_or_killed_is_taken_over_from_when_its_lease_has_run_out() {
    let Some(api) = ApiServer::start() else { return };
    let [mut first, mut second] = two_replicas(&api);
    let authority = authority(&api);
    let old = get(&api, LEASE);
    first.signal("STOP");
    let since = Instant::now();
    let due = let_the_certificate_run_out(&api);
    second.wait("another certificate", |_| made(&api, "tls.crt") != due);
    // It was renewed two seconds before, or on a busy machine some more.
    assert!(since.elapsed() > Duration::from_secs(5), "{:?}", since.elapsed());
    let new = get(&api, LEASE);
    assert!(is_identity(&second, &holder(&api)), "{new}");
    assert_eq!(new["spec"]["leaseTransitions"], 1, "{old} {new}");
    assert!(new["spec"]["acquireTime"].as_str() > old["spec"]["acquireTime"].as_str());
    assert_eq!(made(&api, "ca.crt"), std::fs::read_to_string(&authority).unwrap());

    // It wakes up, sees that it is late, and shows what the other has made.
    first.signal("CONT");
    let renewed = shown(&second, &authority);
    first.wait("the other certificate", |it| shown(it, &authority) == renewed);
    assert!(first.log().iter().any(|it| it["message"] == "lost the Lease"));
    assert_eq!(first.metric("purlin_certificate_lease_held"), 0.0);
    assert!(is_identity(&second, &holder(&api)));

    second.signal("KILL");
    second.wait_for_end();
    first.wait("the first to take over again", |_| {
        get(&api, LEASE)["spec"]["leaseTransitions"] == 2
    });
    assert!(is_identity(&first, &holder(&api)));
    let due = let_the_certificate_run_out(&api);
    first.wait("another certificate", |_| made(&api, "tls.crt") != due);
}

#[test]
fn a_lease_that_somebody_else_renews_is_not_taken() {
    let Some(api) = ApiServer::start() else { return };
    let kubeconfig = kubeconfig(&api);
    // The clock of its machine is years behind, and what it made is gone.
    let lease = |second: u64| {
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"namespace": "default", "name": "purlin-tls"},
            "spec": {
                "holderIdentity": "somebody else", "leaseDurationSeconds": 7, "leaseTransitions": 7,
                "renewTime": format!("2001-01-01T00:00:{second:02}.000000Z"),
            },
        })
    };
    create(&api, &lease(0)).unwrap();
    let mut program = std::thread::scope(|scope| {
        let program = scope.spawn(|| replica(&api, &kubeconfig, "serve"));
        let since = Instant::now();
        for second in 1.. {
            if since.elapsed() > Duration::from_secs(15) {
                break;
            }
            std::thread::sleep(Duration::from_secs(1));
            assert_eq!(holder(&api), "somebody else");
            assert!(send(&api, "GET", SECRET, &Value::Null).is_err(), "who has made this?");
            send(&api, "PATCH", LEASE, &lease(second)).unwrap();
        }
        assert!(!program.is_finished(), "it has no certificate");
        program.join().unwrap()
    });
    assert!(is_identity(&program, &holder(&api)));
    assert_eq!(get(&api, LEASE)["spec"]["leaseTransitions"], 8);
    let why = program.wait_for_log(|it| it["message"] == "the API server does not help yet");
    let why = why["why"].as_str().unwrap();
    assert!(why.contains("somebody else holds Lease default/purlin-tls"), "{why}");
}
