//! The scenarios of the documents, with numbers worked out by hand.

use crate::cli::{folder, purlin};
use crate::support::{fixture, root};
use serde_json::Value;

/// What is said of a system on nodes, at its floor or peak.
fn simulate(system: &str, nodes: &str, args: &[&str]) -> (Value, i32) {
    let written = folder(&[("nodes.yaml", nodes)]);
    let file = written.path().join("nodes.yaml");
    let path = fixture("systems").join(system);
    let (path, file) = (path.to_str().unwrap(), file.to_str().unwrap());
    let mut all = vec!["simulate", path, "--nodes", file, "--format", "json"];
    all.extend(args);
    let run = purlin(root(), &all);
    let value: Value =
        serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}{}", run.out, run.err));
    (value["scenarios"][0].clone(), run.status)
}

fn proof(scenario: &Value) -> &str {
    scenario["proof"].as_str().unwrap_or_else(|| panic!("no proof: {scenario:#}"))
}

/// A c5.xlarge of EKS has 3920m of CPU for pods, a t3.large 1930m: three workers of one CPU, and one.
const COMPUTE: &str = "{cpu: 3920m, memory: 6584Mi}";
const GENERAL: &str = "{cpu: 1930m, memory: 7134Mi}";

#[test]
fn ten_nodes_hold_thirty_of_fifty_workers() {
    let worker = "yt-video-creator/as-documented/worker.yaml";
    let nodes = format!("nodes: {{compute: {{count: 10, allocatable: {COMPUTE}}}}}");
    let (scenario, status) = simulate(worker, &nodes, &["--at", "peak"]);
    assert_eq!(status, 1);
    assert!(proof(&scenario).contains("worker fits 30 of 50 on 10 nodes"), "{}", proof(&scenario));
}

#[test]
fn with_two_general_nodes_each_takes_one_worker() {
    let worker = "yt-video-creator/as-documented/worker.yaml";
    let nodes = |taints: &str| {
        format!(
            "nodes: {{general: {{count: 2, allocatable: {GENERAL}{taints}}}, compute: {{count: 8, allocatable: {COMPUTE}}}}}"
        )
    };
    let (scenario, _) = simulate(worker, &nodes(""), &["--at", "peak"]);
    assert!(proof(&scenario).contains("worker fits 26 of 50"), "{}", proof(&scenario));
    let (scenario, _) =
        simulate(worker, &nodes(", taints: ['general:NoSchedule']"), &["--at", "peak"]);
    assert!(proof(&scenario).contains("worker fits 24 of 50"), "{}", proof(&scenario));
}

#[test]
fn the_database_goes_down_with_the_zone_of_its_volume() {
    let system = "yt-video-creator/as-documented";
    let nodes =
        "nodes: {general: {count: 3, allocatable: {cpu: '16', memory: 64Gi}, zones: [a, b, c]}}";
    let (before, _) = simulate(system, nodes, &["--at", "floor"]);
    let holds = |it: &&Value| it["pods"].get("StatefulSet/production/postgres").is_some();
    let zone = before["nodes"].as_array().unwrap().iter().find(holds).unwrap()["zone"].clone();
    for name in ["a", "b", "c"] {
        let (scenario, _) =
            simulate(system, nodes, &["--at", "floor", "--fail", &format!("zone/{name}")]);
        let components = scenario["components"].as_array().unwrap();
        let postgres = components.iter().find(|it| it["object"]["name"] == "postgres").unwrap();
        let expected = if zone == name { "down" } else { "unaffected" };
        assert_eq!(postgres["state"], expected, "zone {name}: {postgres:#}");
    }
}

#[test]
fn four_cores_hold_the_rollout_of_all_services_and_not_their_peaks() {
    let system = "driveline/as-documented";
    let nodes = "nodes: {node: {allocatable: {cpu: '4', memory: 8Gi}}}";
    // 2 × 0.3 + 2 × 0.3 + 2 × 0.2 + 3 × 0.3, and one more of each: 3.6.
    let (scenario, status) = simulate(system, nodes, &["--at", "floor", "--rollout", "all"]);
    assert_eq!((status, &scenario["verdict"]), (0, &"holds".into()), "{scenario:#}");
    let less = "nodes: {node: {allocatable: {cpu: 2700m, memory: 8Gi}}}";
    let (scenario, status) = simulate(system, less, &["--at", "floor", "--rollout", "all"]);
    assert_eq!((status, &scenario["verdict"]), (1, &"breaks".into()), "{scenario:#}");
    let (scenario, _) = simulate(system, nodes, &["--at", "peak"]);
    assert!(proof(&scenario).contains("= 9.6, more than the 4 of 1 node"), "{}", proof(&scenario));
}

#[test]
fn nine_members_that_keep_apart_need_nine_nodes() {
    let system = "healthcare-cloud/as-documented.rendered/production";
    let nodes = |count: usize, cpu: usize| {
        format!("nodes: {{node: {{count: {count}, allocatable: {{cpu: '{cpu}', memory: 256Gi}}}}}}")
    };
    for count in [3, 6] {
        let (scenario, status) = simulate(system, &nodes(count, 96), &["--at", "peak"]);
        assert_eq!(status, 1);
        let told = format!("are {count} such places");
        assert!(
            proof(&scenario).contains("9 pods") && proof(&scenario).contains(&told),
            "{}",
            proof(&scenario)
        );
    }
    let (scenario, status) = simulate(system, &nodes(9, 96), &["--at", "peak"]);
    assert_eq!((status, &scenario["verdict"]), (0, &"holds".into()), "{scenario:#}");
    // 100 × 2 + 9 × 0.5 + 2.
    let (scenario, _) = simulate(system, &nodes(9, 16), &["--at", "peak"]);
    assert!(
        proof(&scenario).contains("= 206.5, more than the 144 of 9 nodes"),
        "{}",
        proof(&scenario)
    );
}

#[test]
fn the_peaks_of_all_are_more_than_ten_nodes_of_two_pools_have() {
    let system = "yt-video-creator/as-documented";
    let nodes = "nodes:
  general: {count: 2, instanceType: t3.large}
  compute: {count: 8, instanceType: c5.xlarge}
";
    let (scenario, status) = simulate(system, nodes, &["--at", "peak"]);
    assert_eq!(status, 1);
    // 10 × 0.5 + 50 × 1 + 1 and what the others request, of 2 × 1.93 + 8 × 3.92.
    for part in ["50 × 1 (", "10 × 0.5 (", "more than the 35.22 of 10 nodes"] {
        assert!(proof(&scenario).contains(part), "{part}: {}", proof(&scenario));
    }
}

#[test]
fn of_four_cores_on_five_nodes_each_takes_two_pods() {
    let nodes = "nodes: {node: {count: 5, allocatable: {cpu: 800m, memory: 1638Mi}}}";
    // 0.8 holds two of 0.3: ten on five nodes, of the twenty-eight of api, grpc and worker at their peaks.
    let (scenario, status) = simulate("driveline/as-documented", nodes, &["--at", "peak"]);
    assert_eq!((status, &scenario["verdict"]), (1, &"breaks".into()));
    for node in scenario["nodes"].as_array().unwrap() {
        let pods = node["pods"].as_object().unwrap();
        let of = |name: &str| {
            pods.get(&format!("Deployment/driveline/driveline-{name}")).and_then(Value::as_u64)
        };
        let large: u64 = ["api", "grpc", "worker"].iter().filter_map(|it| of(it)).sum();
        assert!(large <= 2, "{node}");
    }
}

#[test]
fn the_first_three_pods_of_redis_and_each_more_need_a_node() {
    let system = "healthcare-cloud/as-documented.rendered/production";
    let nodes = "nodes: {node: {count: 6, allocatable: {cpu: '96', memory: 256Gi}}}";
    let (scenario, _) = simulate(system, nodes, &["--at", "peak"]);
    assert!(proof(&scenario).contains("redis fits 6 of 9 on 6 nodes"), "{}", proof(&scenario));
}
