//! Objects that take long to judge, of anybody who may create a ConfigMap.

use super::{attack, write};
use crate::apiserver::ApiServer;
use crate::serve::cluster::{namespace, register, serve};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// As large as an object may be.
const SIZE: usize = 960 * 1024;

/// How long an answer may take on a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(5);

fn map(name: &str, text: String) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": "shop", "name": name}, "data": {"text": text},
    })
}

/// Texts that look like the beginning of something on and on, and addresses of thousands of Services.
fn hostile() -> Vec<Value> {
    let addresses = (0..).map(|it| format!("http://service-{it}.namespace-{it}.svc:80\n"));
    let mut text = String::new();
    for it in addresses {
        if text.len() + it.len() > SIZE {
            break;
        }
        text.push_str(&it);
    }
    let looks = ["AKIA-", "AKIA_", "-----BEGIN ", "ghp_", "eyJ."];
    let maps = looks
        .iter()
        .enumerate()
        .map(|(at, it)| map(&format!("looks-{at}"), it.repeat(SIZE / it.len())));
    let thrice = (0..3).map(|at| map(&format!("akia-{at}"), "AKIA-".repeat(SIZE / 5)));
    maps.chain(thrice).chain([map("addresses", text)]).collect()
}

#[test]
fn who_may_create_a_config_map_stops_nobody_else() {
    let Some(api) = ApiServer::start() else { return };
    let mut program = serve(&api, "serve", &["--drain=1"]);
    register(&api, &program);
    namespace(&api, "shop");
    namespace(&api, "other");
    let objects = hostile();
    let slowest = std::thread::scope(|scope| {
        let attacked = scope.spawn(|| attack(&api, &objects));
        let mut slowest = Duration::ZERO;
        let mut written = 0;
        while written < 20 || !attacked.is_finished() {
            for namespace in ["shop", "other"] {
                slowest = slowest.max(write(&api, namespace));
            }
            let since = Instant::now();
            for path in ["/healthz", "/readyz", "/metrics"] {
                assert_eq!(program.get(path).status, 200);
            }
            assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
            written += 1;
        }
        attacked.join().unwrap();
        slowest
    });
    eprintln!("the slowest write beside hostile ones took {slowest:.0?}");
    assert!(slowest < SOON, "{slowest:?}");
    // In the middle of it, it ends as it is told.
    std::thread::scope(|scope| {
        let attacked = scope.spawn(|| attack(&api, &objects));
        program.wait("reviews", |it| it.metric("purlin_reviews_waiting") > 0.0);
        program.signal("TERM");
        assert!(program.wait_for_end().success());
        attacked.join().unwrap();
    });
}
