//! A rule that never returns: its thread is lost, and nothing else.

use super::{attack, write};
use crate::apiserver::ApiServer;
use crate::serve::cluster::{kubeconfig, namespace, register};
use crate::serve::program::Program;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use purlin::rules::built_in;
use purlin::serve::certificates::Files;
use purlin::serve::policy_source::PolicySource;
use purlin::serve::{CertificateSource, Options, logs, run_judging};
use purlin::webhook::verdict::judge;
use serde_json::json;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// Where the test tells its other self, which serves, what to serve with.
const KUBECONFIG: &str = "PURLIN_IT_KUBECONFIG";
const FOLDER: &str = "PURLIN_IT_FOLDER";

/// How long an answer may take on a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn a_rule_that_never_returns_holds_up_nobody() {
    if let Some(kubeconfig) = std::env::var_os(KUBECONFIG) {
        return serve(kubeconfig.into(), std::env::var_os(FOLDER).unwrap().into());
    }
    let Some(api) = ApiServer::start() else { return };
    api.issue("webhook");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "attacks::server::endless::a_rule_that_never_returns_holds_up_nobody"])
        .arg("--nocapture")
        .env(KUBECONFIG, kubeconfig(&api))
        .env(FOLDER, api.folder());
    let mut program = Program::begin(command, &api.folder().join("endless.log"), &api.ca());
    program.wait_until_ready();
    register(&api, &program);
    namespace(&api, "shop");
    let endless: Vec<_> = (0..6)
        .map(|at| {
            json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"namespace": "shop", "name": format!("endless-{at}")},
            })
        })
        .collect();
    std::thread::scope(|scope| {
        let hostile = scope.spawn(|| attack(&api, &endless));
        program.wait("work without end", |it| it.metric("purlin_reviews_slow") > 0.0);
        for _ in 0..20 {
            let took = write(&api, "shop");
            assert!(took < SOON, "{took:?}");
            let since = Instant::now();
            assert_eq!(program.get("/healthz").status, 200);
            assert_eq!(program.get("/readyz").status, 200);
            assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
        }
        // Each is a failed call, in time.
        for answer in hostile.join().unwrap() {
            let why = answer.unwrap_err();
            assert!(why.contains("failed calling webhook"), "{why}");
        }
    });
    // One user has not taken all threads; what there is goes on, and so does everybody else.
    program.wait("an end of what only the machine made slow", |it| {
        (1.0..=2.0).contains(&it.metric("purlin_reviews_slow"))
    });
    assert!(program.metric("purlin_requests_total{verdict=\"late\"}") >= 6.0);
    assert!(write(&api, "shop") < SOON);
    program.signal("TERM");
    let since = Instant::now();
    assert!(program.wait_for_end().success());
    assert!(since.elapsed() < Duration::from_secs(60), "{:?}", since.elapsed());
}

/// Serves with a judgement that never comes of what is called endless.
fn serve(kubeconfig: PathBuf, folder: PathBuf) {
    logs::begin("info").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let served = runtime.block_on(async {
        let config = Kubeconfig::read_from(kubeconfig).unwrap();
        let context = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(config, &context).await.unwrap();
        let options = Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            operations: "127.0.0.1:0".parse().unwrap(),
            certificate: CertificateSource::Files(Files {
                certificate: folder.join("webhook.crt"),
                key: folder.join("webhook.key"),
                client_authorities: None,
            }),
            rules: built_in().clone(),
            policy: PolicySource::None,
            mode: None,
            past: None,
            stale_after: Duration::from_secs(30),
            most_connections: 64,
            most_reviews: 64,
            threads: 2,
            drain: Duration::from_secs(1),
        };
        run_judging(options, config, |snapshot, review, context| {
            while review.key.name.starts_with("endless") {
                std::hint::spin_loop();
            }
            judge(snapshot, review, context)
        })
        .await
    });
    served.unwrap();
}
