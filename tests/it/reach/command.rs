//! `purlin reach` as its users run it.

use crate::cli::{folder, purlin};
use crate::support::root;
use serde_json::{Value, json};

const WORLD: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: shop}
spec: {selector: {app: api}, ports: [{name: main, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: elsewhere}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 8080}]
    - from: [{namespaceSelector: {matchLabels: {team: red}}}]
      ports: [{port: 9090}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]
  egress:
    - to: [{podSelector: {matchLabels: {app: api}}}]
";

/// Exit status and what was printed, on both streams.
fn reach(args: &[&str]) -> (i32, String) {
    let folder = folder(&[("it.yaml", WORLD)]);
    let all: Vec<&str> = ["reach", "it.yaml"].into_iter().chain(args.iter().copied()).collect();
    let it = purlin(folder.path(), &all);
    (it.status, it.out + &it.err)
}

/// Exit status and answer, as JSON.
fn answer(from: &str, to: &str) -> (i32, Value) {
    let (status, text) = reach(&["--from", from, "--to", to, "--format", "json"]);
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")))
}

#[test]
fn the_status_is_the_verdict() {
    for (from, to, status) in [
        ("web", "api:8080", 0),
        ("web", "api:9090", 1),
        ("other", "api:8080", 1),
        // Which labels its namespace has, nobody says.
        ("other", "api:9090", 3),
        ("web", "api:http", 0),
        ("web", "front:80", 0),
        ("web", "Service/shop/front:main", 0),
        ("web", "front:80/TCP", 0),
        ("web", "api:8080/udp", 1),
        ("Pod/shop/web", "shop/api:8080", 0),
        ("pod/web", "Pod/shop/api:8080", 0),
        ("internet", "web:8080", 3),
        ("203.0.113.7", "web:8080", 0),
        ("203.0.113.0/25", "web:8080", 0),
        ("198.51.100.0/24", "web:8080", 1),
        ("api", "internet:443", 0),
        ("api", "2001:db8::1", 0),
        ("api", "[2001:db8::1]:443", 0),
        ("nodes", "web:1", 3),
    ] {
        assert_eq!(answer(from, to).0, status, "{from} {to}");
    }
}

#[test]
fn the_answer_says_which_policies_decide_and_where() {
    let (status, found) = answer("web", "Service/shop/front:80");
    let because = |policy: &str, direction: &str, line: u32| {
        json!({
            "policy": policy, "kind": "NetworkPolicy", "direction": direction,
            "effect": "opens", "file": "it.yaml", "line": line,
        })
    };
    let expected = json!({
        "verdict": "allow",
        "from": "Pod/shop/web",
        "to": "Service/shop/front",
        "ports": [{"protocol": "TCP", "first": 80, "last": 80, "verdict": "allow"}],
        "because": [because("shop/web", "egress", 45), because("shop/api", "ingress", 32)],
    });
    assert_eq!((status, found), (0, expected));
    let (status, found) = answer("other", "api:9090");
    assert_eq!(
        (status, &found["verdict"], &found["ports"][0]["verdict"]),
        (3, &json!("undefined"), &json!("undefined"))
    );
    assert!(found["reason"].as_str().unwrap().contains("labels of a namespace"), "{found}");
    assert_eq!(found["because"][0]["effect"], "may decide");
    let (status, text) = reach(&["--from", "other", "--to", "api:8080"]);
    let expected = "\
Pod/elsewhere/other -> Pod/shop/api: deny
  8080/TCP         deny
  ingress closes NetworkPolicy/shop/api  it.yaml:27
";
    assert_eq!((status, text.as_str()), (1, expected));
}

#[test]
fn what_cannot_be_answered_is_said() {
    for (args, expected) in [
        (&["--from", "webb", "--to", "api"][..], "did you mean `Pod/shop/web`?"),
        (&["--from", "web", "--to", "api:htp"], "did you mean `http`?"),
        (&["--from", "web", "--to", "api:0"], "ports go from 1 to 65535"),
        (&["--from", "web", "--to", "api:65536"], "ports go from 1 to 65535"),
        (&["--from", "web", "--to", "api:80/HTTP"], "a protocol is TCP, UDP or SCTP"),
        (&["--from", "web", "--to", "front:81"], "leads to no pod on 81/TCP; it has 80/TCP"),
        (&["--from", "internet", "--to", "nodes"], "one of both has to be pods"),
    ] {
        let (status, said) = reach(args);
        assert!(status == 2 && said.contains(expected), "{args:?}: {status} {said}");
    }
    let two = WORLD.replace("name: other, namespace: elsewhere", "name: web, namespace: elsewhere");
    let folder = folder(&[("it.yaml", &two)]);
    let it = purlin(folder.path(), &["reach", "it.yaml", "--from", "web", "--to", "api"]);
    assert!(
        it.status == 2 && it.err.contains("any of Pod/shop/web, Pod/elsewhere/web"),
        "{}",
        it.err
    );
    let it = purlin(folder.path(), &["reach", "it.yaml", "--from", "shop/web", "--to", "api:8080"]);
    assert_eq!(it.status, 0, "{}", it.err);
}

/// Without both ends: everything that passes, those alike together.
#[test]
fn the_table_is_for_people_and_for_machines() {
    let (status, text) = reach(&["--to", "api"]);
    let expected = "\
Pod/shop/web
  -> Pod/shop/api
     8080/TCP
Pod/elsewhere/other
  -> Pod/shop/api
     9090/TCP: undefined: a policy asks for labels of a namespace that the input does not define
nodes
  -> Pod/shop/api
     every port: undefined: traffic from a pod's own node is always let in, from other nodes it is not
";
    assert_eq!((status, text.as_str()), (0, expected));
    let (status, text) = reach(&["--format", "json", "--from", "web"]);
    let found: Value = serde_json::from_str(&text).unwrap();
    let port = json!({"protocol": "TCP", "first": 8080, "last": 8080, "verdict": "allow"});
    let expected =
        json!({"flows": [{"from": ["Pod/shop/web"], "to": ["Pod/shop/api"], "ports": [port]}]});
    assert_eq!((status, found), (0, expected));
    let (_, text) = reach(&["--format", "json"]);
    let all: Value = serde_json::from_str(&text).unwrap();
    assert!(all["flows"].as_array().unwrap().len() > 3, "{all}");
}

#[test]
fn a_table_of_a_closed_namespace_names_it_once() {
    let it = purlin(root(), &["reach", "fixtures/systems/driveline/repaired", "--from", "nodes"]);
    let expected = "nodes\n  -> all 8 workloads of namespace driveline\n";
    assert!(it.out.starts_with(expected), "{}", it.out);
}
