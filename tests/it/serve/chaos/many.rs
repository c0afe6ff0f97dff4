//! Ten thousand objects at speed, some of which contradict others.

use super::super::cluster::path;
use super::super::relay::Relay;
use super::load::client;
use super::*;
use futures_util::StreamExt;
use futures_util::stream;
use kube::Client;
use serde_json::{Value, json};

const SHOPS: usize = 100;
/// Each of them makes four objects.
const OF_A_SHOP: usize = 25;
/// How many shops are opened at a time.
const AT_A_TIME: usize = 16;

#[test]
fn ten_thousand_objects_at_speed_are_judged_one_by_one() {
    let Some(api) = ApiServer::start() else { return };
    let (certificate, key) = api.issue("webhook");
    let mut program = serve(&api, &relay_to(&api), (&certificate, &key), &api.ca(), "serve");
    let service = Relay::to(&[program.reviews]);
    register(&api, &service, &api.ca(), &[&program]);
    (0..SHOPS).for_each(|it| namespace(&api, &format!("shop-{it}")));
    under_load(&api.kubeconfig(), Replicas::One, |load| {
        let tally = phase(load, "ten thousand objects", || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let wrong = runtime.unwrap().block_on(async {
                let client = client(&api.kubeconfig()).await;
                let shops = (0..SHOPS).map(|it| open(&client, format!("shop-{it}")));
                let wrong = stream::iter(shops).buffer_unordered(AT_A_TIME);
                wrong.concat().await
            });
            assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
            until_known(&api, "many", &mut [&mut program]);
        });
        assert_whole("ten thousand objects", &tally);
    });
    let made = (SHOPS * OF_A_SHOP * 4) as f64;
    program.wait("the end of what is pending", |it| it.metric("purlin_overlay_entries") == 0.0);
    assert!(program.metric("purlin_objects") >= made, "{}", program.metric("purlin_objects"));
}

/// Makes the objects of a shop, and says which answers are wrong.
async fn open(client: &Client, shop: String) -> Vec<String> {
    let mut wrong = Vec::new();
    for at in 0..OF_A_SHOP {
        let name = format!("api-{at}");
        let (workload, guard) = (deployment(&shop, &name, 2), budget(&shop, &name, 1));
        let [map, service] = others(&shop, &name);
        // Either comes first, and now and then what contradicts it is tried before what fits.
        let objects = match at % 10 {
            0 => vec![(workload, true), (budget(&shop, &name, 2), false), (guard, true)],
            5 => vec![
                (budget(&shop, &name, 2), true),
                (workload, false),
                (deployment(&shop, &name, 3), true),
            ],
            it if it % 2 == 0 => vec![(workload, true), (guard, true)],
            _ => vec![(guard, true), (workload, true)],
        };
        for (object, is_right) in objects.into_iter().chain([(map, true), (service, true)]) {
            let request = http::Request::post(path(&object, false))
                .header("Content-Type", "application/json")
                .body(object.to_string().into_bytes())
                .unwrap();
            let answer = client.request::<Value>(request).await.map_err(|it| it.to_string());
            let is_as_expected = match &answer {
                Ok(_) => is_right,
                Err(why) => !is_right && why.contains("pdb-blocks-drain"),
            };
            if !is_as_expected {
                wrong.push(format!("{object}: {answer:?}"));
            }
        }
    }
    wrong
}

fn others(shop: &str, name: &str) -> [Value; 2] {
    let metadata = json!({"namespace": shop, "name": name});
    [
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata,
               "spec": {"selector": {"app": name}, "ports": [{"port": 80}]}}),
    ]
}
