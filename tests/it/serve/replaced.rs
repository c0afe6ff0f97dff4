//! What is replaced while the server runs: its certificate and its policy.

use super::client::Connection;
use super::cluster::{create, kubeconfig, send};
use super::going_down::Over;
use super::program::{Program, Start};
use super::requests::{budget, creation, deployment};
use super::setup::Setup;
use crate::apiserver::ApiServer;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Lays a pair into a volume as kubelet does: a folder by time, and a link that is swapped
/// (`k8s.io/kubernetes/pkg/volume/util/atomic_writer.go`).
pub(super) fn project(volume: &Path, name: &str, certificate: &Path, key: &Path) {
    let folder = volume.join(format!("..{name}"));
    fs::create_dir(&folder).unwrap();
    fs::copy(certificate, folder.join("tls.crt")).unwrap();
    fs::copy(key, folder.join("tls.key")).unwrap();
    let link = volume.join("..data_tmp");
    symlink(format!("..{name}"), &link).unwrap();
    fs::rename(&link, volume.join("..data")).unwrap();
}

/// A volume that holds a pair.
pub(super) fn volume(folder: &Path, certificate: &Path, key: &Path) -> PathBuf {
    let volume = folder.join("volume");
    fs::create_dir(&volume).unwrap();
    for file in ["tls.crt", "tls.key"] {
        symlink(format!("..data/{file}"), volume.join(file)).unwrap();
    }
    project(&volume, "0", certificate, key);
    volume
}

/// A server that reads its certificate from a volume.
fn serve(setup: &Setup) -> (PathBuf, Program) {
    let (certificate, key) = setup.authority.issue("first", "first", &[]);
    let volume = volume(setup.folder(), &certificate, &key);
    let pair = (volume.join("tls.crt"), volume.join("tls.key"));
    let mut program = setup.begin_with((&pair.0, &pair.1), "serve", &[]);
    program.wait_until_ready();
    (volume, program)
}

fn shown(program: &Program) -> Vec<u8> {
    program.connect().certificate()
}

#[test]
fn a_certificate_is_replaced_by_a_swapped_link_without_a_failed_handshake() {
    let setup = Setup::new(Vec::new());
    let (volume, mut program) = serve(&setup);
    let review = creation(&budget("shop", "api", 1)).to_string();
    let (is_over, handshakes) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (address, tls) = (program.reviews, program.tls.clone());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let _over = Over(&is_over);
                while !is_over.load(Ordering::Relaxed) {
                    let mut connection = Connection::open(address, &tls).unwrap();
                    let answer = connection.post("/validate?timeout=30s", review.as_bytes());
                    assert_eq!(answer.unwrap().status, 200);
                    handshakes.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let _over = Over(&is_over);
        for round in 1..=3 {
            assert!(!is_over.load(Ordering::Relaxed), "the load failed");
            let before = shown(&program);
            let name = format!("next-{round}");
            let (certificate, key) = setup.authority.issue(&name, &name, &[]);
            project(&volume, &round.to_string(), &certificate, &key);
            program.wait("another certificate", |it| shown(it) != before);
        }
    });
    assert!(handshakes.load(Ordering::Relaxed) > 0);
    assert_eq!(program.metric("purlin_handshake_failures_total"), 0.0);
    program.wait("a count", |it| it.metric("purlin_certificate_reloads_total") == 3.0);
    assert!(program.metric("purlin_certificate_expiry_timestamp_seconds") > 1.7e9);
}

#[test]
fn a_chain_is_shown_whole_and_may_be_renamed_over_or_written_again() {
    let setup = Setup::new(Vec::new());
    let folder = setup.folder().join("below");
    fs::create_dir(&folder).unwrap();
    let below = setup.authority.below(&folder);
    let pair = |name: &str| {
        let (certificate, key) = below.issue(name, name, &[]);
        let [leaf, authority] =
            [certificate, folder.join("ca.crt")].map(|it| fs::read(it).unwrap());
        ([leaf, authority].concat(), fs::read(key).unwrap())
    };
    let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
    let write = |(chain, secret): (Vec<u8>, Vec<u8>)| {
        fs::write(&certificate, chain).unwrap();
        fs::write(&key, secret).unwrap();
    };
    write(pair("first"));
    // The client knows only the authority above the one that has signed.
    let mut program = setup.begin_with((&certificate, &key), "serve", &[]);
    let mut before = shown(&program);
    let mut wait_for_another = |program: &mut Program| {
        program.wait("another certificate", |it| shown(it) != before);
        before = shown(program);
    };
    write(pair("second"));
    wait_for_another(&mut program);
    let (chain, secret) = pair("third");
    for (path, bytes) in [(&certificate, chain), (&key, secret)] {
        let next = folder.join("next");
        fs::write(&next, bytes).unwrap();
        fs::rename(&next, path).unwrap();
    }
    wait_for_another(&mut program);
}

#[test]
fn a_pair_that_does_not_fit_changes_nothing() {
    let setup = Setup::new(Vec::new());
    let (volume, mut program) = serve(&setup);
    let before = shown(&program);
    let (other, _) = setup.authority.issue("other", "other", &[]);
    project(&volume, "1", &other, &setup.folder().join("first.key"));
    program.wait("a refusal", |it| it.metric("purlin_certificate_failures_total") > 0.0);
    let told = program.wait_for_log(|it| it["level"] == "ERROR");
    assert!(told["why"].as_str().unwrap().contains("do not fit"), "{told}");
    assert_eq!(shown(&program), before);
}

/// A policy in which one rule has this level.
fn policy(level: &str) -> String {
    format!(
        "apiVersion: purlin.dev/v1alpha1\nkind: Policy\nrules:\n  pdb-blocks-drain: {level}\nadmission: {{mode: enforce}}\n"
    )
}

/// Whether what that rule finds is allowed.
fn is_allowed(program: &Program) -> bool {
    let mut review = creation(&budget("shop", "api", 2));
    review["request"]["dryRun"] = true.into();
    program.review(&review).json()["response"]["allowed"] == true
}

#[test]
fn a_policy_is_replaced_and_one_that_is_not_valid_changes_nothing() {
    let setup = Setup::new(vec![deployment("shop", "api", 2)]);
    let path = setup.folder().join("purlin.yaml");
    fs::write(&path, policy("error")).unwrap();
    let mut program = setup.serve(&["--policy", path.to_str().unwrap()]);
    assert!(!is_allowed(&program));
    fs::write(&path, policy("nonsense")).unwrap();
    program.wait("a refusal", |it| it.metric("purlin_policy_failures_total") == 1.0);
    assert!(!is_allowed(&program));
    let told = program.wait_for_log(|it| it["level"] == "ERROR");
    assert!(told["why"].as_str().unwrap().contains("purlin.yaml:4:"), "{told}");
    fs::write(&path, policy("off")).unwrap();
    program.wait("the policy", is_allowed);
    program.wait("a count", |it| it.metric("purlin_policy_reloads_total") == 1.0);
}

#[test]
fn a_policy_in_a_config_map_is_waited_for_and_followed_and_a_mistake_is_told_there() {
    let Some(api) = ApiServer::start() else { return };
    super::cluster::namespace(&api, "shop");
    create(&api, &deployment("shop", "api", 2)).unwrap();
    let map = |level: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"namespace": "default", "name": "policy"},
            "data": {"purlin.yaml": policy(level)},
        })
    };
    let (certificate, key) = api.issue("webhook");
    let (kubeconfig, authority) = (kubeconfig(&api), api.ca());
    let log = api.folder().join("serve.log");
    let start = Start {
        log: log.clone(),
        kubeconfig: &kubeconfig,
        certificate: Some((&certificate, &key)),
        authority: &authority,
        more: &["--policy-config-map=default/policy"],
    };
    let mut program = std::thread::scope(|scope| {
        let program = scope.spawn(|| Program::start(&start));
        // It may be started before its policy is there.
        while !fs::read_to_string(&log).is_ok_and(|it| it.contains("does not help yet")) {
            assert!(!program.is_finished(), "it did not wait");
            std::thread::yield_now();
        }
        create(&api, &map("error")).unwrap();
        program.join().unwrap()
    });
    program.wait_until_ready();
    assert!(!is_allowed(&program));

    let path = "/api/v1/namespaces/default/configmaps/policy";
    send(&api, "PATCH", path, &map("nonsense")).unwrap();
    program.wait("an event", |_| {
        let events = send(&api, "GET", "/api/v1/namespaces/default/events", &Value::Null).unwrap();
        let about = |it: &Value| {
            let told = it["message"].as_str().unwrap().contains("default/policy:purlin.yaml:4:");
            it["reason"] == "InvalidPolicy" && it["involvedObject"]["name"] == "policy" && told
        };
        events["items"].as_array().unwrap().iter().any(about)
    });
    assert_eq!(program.metric("purlin_policy_failures_total"), 1.0);
    assert!(!is_allowed(&program));
    send(&api, "PATCH", path, &map("off")).unwrap();
    program.wait("the policy", is_allowed);
}
