//! The flows of the reference architectures: what the repaired policies prove, and which arrows the documented ones lack.
//!
//! `purlin.yaml` of a system declares its flows; `surroundings.yaml` adds whom its policies name, and pods that nobody
//! meant, in the system's own namespace and in another.

use super::texts;
use crate::support::{fixture, load_paths, policy, with_loaded};
use purlin::analyze::Facts;
use purlin::analyze::network::reach::ask::Party;
use purlin::analyze::network::reach::verdict::Verdict;
use purlin::analyze::network::reach::{Endpoint, EndpointId};
use purlin::api::ports::PortSet;
use purlin::check::Selection;
use purlin::intended_flows::{Flow, flows, missing};
use purlin::load::load_texts;
use purlin::model::Model;
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

/// Runs over the world of a system, its surroundings and more manifests.
fn with_flows<T>(world: &str, more: &str, then: impl FnOnce(&Facts<'_>, &[Flow<'_>]) -> T) -> T {
    let system = world.split('/').next().unwrap();
    let policy = policy(&fixture(&format!("systems/{system}/purlin.yaml")));
    let mut all = texts(world);
    let around = fs::read_to_string(fixture(&format!("systems/{system}/surroundings.yaml")));
    all.push(("surroundings.yaml".into(), Arc::from(around.unwrap())));
    all.push(("more.yaml".into(), Arc::from(more)));
    let loaded = load_texts(all);
    assert!(loaded.broken.is_empty());
    let model = Model::new(&loaded, "default");
    let facts = Facts::new(&model).with_network(&policy.network);
    let known = flows(&model, &facts, &policy);
    assert_eq!(known.len(), policy.flows.len(), "{world}: a flow names nothing");
    then(&facts, &known)
}

/// Whether somebody belongs to the system, which isolates its namespaces, and not to what surrounds it.
fn is_of_system(facts: &Facts<'_>, id: EndpointId) -> bool {
    let pods = facts.reach().get(id).pods();
    pods.is_some_and(|it| facts.policies().in_namespace(it.namespace).next().is_some())
}

/// Every port of every pair, from and to the system, against what is declared for it.
fn differences(facts: &Facts<'_>, flows: &[Flow<'_>]) -> Vec<String> {
    let reach = facts.reach();
    let mut declared: BTreeMap<(EndpointId, EndpointId), PortSet> = BTreeMap::new();
    for flow in flows {
        for from in reach.of_party(facts, &flow.from) {
            for to in reach.of_party(facts, &flow.to) {
                declared.entry((from, to)).or_default().extend(flow.ports.iter());
            }
        }
    }
    let name = |id| match reach.get(id) {
        Endpoint::Pods(it) => {
            let names = it.workloads.iter().map(|it| facts.workloads().get(*it).name);
            names.collect::<Vec<_>>().join("+")
        }
        Endpoint::Addresses(it) => it.block.to_string(),
        Endpoint::Nodes => "nodes".into(),
    };
    let ends: Vec<EndpointId> =
        reach.endpoints().filter(|(_, it)| !matches!(it, Endpoint::Nodes)).map(|it| it.0).collect();
    let mut differ = Vec::new();
    for (from, to) in ends.iter().flat_map(|from| ends.iter().map(|to| (*from, *to))) {
        if !is_of_system(facts, from) && !is_of_system(facts, to) {
            continue;
        }
        // A pod alone has nobody of its own to talk to.
        let is_one = reach.get(from).pods().is_some_and(|it| {
            let count = |it| facts.envelope(it).map_or(1, |it| it.peak.count);
            it.workloads.iter().map(|it| count(*it)).sum::<u64>() == 1
        });
        if from == to && is_one {
            continue;
        }
        let judged = reach.judge(from, to);
        let allowed = judged.ports(|it| it == Verdict::Allow);
        let undefined = judged.ports(|it| matches!(it, Verdict::Undefined(_)));
        let none = PortSet::default();
        let wanted = declared.get(&(from, to)).unwrap_or(&none);
        for (ports, what) in [
            (allowed.without(wanted), "allowed and not declared"),
            (wanted.without(&allowed), "declared and not allowed"),
            (undefined, "undefined"),
        ] {
            differ.extend(
                ports.iter().map(|it| format!("{} > {} {it}: {what}", name(from), name(to))),
            );
        }
    }
    differ
}

#[test]
fn repaired_systems_prove_their_flows_and_no_more() {
    for world in [
        "driveline/repaired",
        "feastflow/repaired",
        "healthcare-cloud/repaired.rendered/local",
        "healthcare-cloud/repaired.rendered/staging",
        "healthcare-cloud/repaired.rendered/production",
        "healthcare-onprem/repaired",
        "yt-video-creator/repaired",
    ] {
        let differ = with_flows(world, "", differences);
        assert!(differ.is_empty(), "{world}:\n{}", differ.join("\n"));
    }
}

/// `purlin check repaired surroundings.yaml --policy purlin.yaml --only flow-missing,flow-undeclared`.
#[test]
fn a_check_of_the_declared_flows_alone_is_clean() {
    for world in super::REPAIRED {
        let system = world.split('/').next().unwrap();
        let folder = format!("systems/{system}");
        let policy = policy(&fixture(&format!("{folder}/purlin.yaml")));
        let paths = [format!("systems/{world}"), format!("{folder}/surroundings.yaml")];
        let loaded = load_paths(&paths.map(|it| fixture(&it)));
        let only = Selection {
            only: vec!["flow-missing".into(), "flow-undeclared".into()],
            ..Selection::default()
        };
        let found = with_loaded(&loaded, &policy, &only, |_, outcome| {
            outcome.findings.iter().map(|it| it.message.clone()).collect::<Vec<_>>()
        });
        assert!(found.is_empty(), "{world}:\n{}", found.join("\n"));
    }
}

/// The declared flows that do not get through, and at which ends they are closed.
fn lacking(world: &str, more: &str) -> Vec<String> {
    with_flows(world, more, |facts, flows| {
        let name = |it: &Party| match it {
            Party::Workload(it) => facts.workloads().get(*it).name.to_string(),
            other => format!("{other:?}"),
        };
        let all = missing(facts, flows).into_iter().map(|it| {
            let ports: Vec<_> = it.ports.iter().map(ToString::to_string).collect();
            let mut ends: Vec<_> = it.because.iter().map(|it| it.direction.to_string()).collect();
            ends.dedup();
            let (from, to) = (name(&it.flow.from), name(&it.flow.to));
            format!("{from} > {to} {}: {}", ports.join(","), ends.join(" and "))
        });
        all.collect()
    })
}

/// DNS is closed to a pod by its egress.
fn without_names(pods: &[&str]) -> Vec<String> {
    let of_pod =
        |it: &&str| ["TCP", "UDP"].map(|protocol| format!("{it} > kube-dns 53/{protocol}: egress"));
    pods.iter().flat_map(of_pod).collect()
}

const DRIVELINE: [&str; 4] =
    ["driveline-api", "driveline-grpc", "driveline-webhook", "driveline-worker"];

#[test]
fn driveline_resolves_no_names_and_leaves_its_data_stores_open() {
    assert_eq!(lacking("driveline/as-documented", ""), without_names(&DRIVELINE));
    let open = with_flows("driveline/as-documented", "", |facts, flows| {
        let found = differences(facts, flows).into_iter();
        let tcp = found.filter(|it| it.starts_with("bystander > ") && it.contains("/TCP"));
        tcp.filter_map(|it| Some(it.split(' ').nth(2)?.to_string())).collect::<Vec<_>>()
    });
    // The worker's policy is for egress alone, and nothing selects what comes next.
    let expected = ["clickhouse", "mongodb", "rabbitmq", "redis", "driveline-worker", "stray"];
    assert_eq!(open, expected);
}

#[test]
fn a_default_deny_alone_cuts_every_arrow_into_drivelines_data_stores() {
    const DENY: &str = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: default-deny, namespace: driveline}\nspec: {podSelector: {}, policyTypes: [Ingress, Egress]}";
    let mut expected: Vec<String> = [
        "driveline-api > mongodb 27017/TCP: ingress",
        "driveline-api > redis 6379/TCP: ingress",
        "driveline-api > rabbitmq 5672/TCP: ingress",
        "driveline-api > clickhouse 8123/TCP: ingress",
        "driveline-grpc > mongodb 27017/TCP: ingress",
        "driveline-grpc > redis 6379/TCP: ingress",
        "driveline-webhook > mongodb 27017/TCP: ingress",
        "driveline-webhook > rabbitmq 5672/TCP: ingress",
        "driveline-worker > mongodb 27017/TCP: ingress",
        "driveline-worker > rabbitmq 5672/TCP: ingress",
    ]
    .map(String::from)
    .into();
    expected.extend(without_names(&DRIVELINE));
    expected.extend(without_names(&["mongodb", "redis", "rabbitmq", "clickhouse", "stray"]));
    assert_eq!(lacking("driveline/as-documented", DENY), expected);
}

#[test]
fn healthcare_cloud_lacks_its_controller_its_members_and_its_names() {
    let mut expected: Vec<String> = [
        "controller > healthcare-api 8080/TCP: ingress",
        "redis > redis 6379/TCP: ingress",
        "redis > redis 16379/TCP: ingress",
    ]
    .map(String::from)
    .into();
    expected.extend(without_names(&["healthcare-api"]));
    for overlay in ["staging", "production"] {
        let world = format!("healthcare-cloud/as-documented.rendered/{overlay}");
        assert_eq!(lacking(&world, ""), expected, "{world}");
    }
}

#[test]
fn yt_video_creator_resolves_no_names_and_lets_no_prometheus_in() {
    let mut expected = vec!["prometheus > api 8000/TCP: ingress".to_string()];
    expected.extend(without_names(&[
        "api",
        "frontend",
        "admin",
        "worker",
        "scheduler",
        "background-jobs",
        "postgres",
    ]));
    assert_eq!(lacking("yt-video-creator/as-documented", ""), expected);
}

#[test]
fn the_others_lack_nothing() {
    assert_eq!(lacking("healthcare-onprem/as-documented", ""), [""; 0]);
    assert_eq!(lacking("feastflow/as-documented", ""), [""; 0]);
}
