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

/// Exit status and what was printed, on both streams, where a file changes policies.
fn change(text: &str, args: &[&str]) -> (i32, String) {
    let folder = folder(&[("it.yaml", WORLD), ("change.yaml", text)]);
    let all = ["reach", "it.yaml", "--change", "change.yaml"];
    let all: Vec<&str> = all.into_iter().chain(args.iter().copied()).collect();
    let it = purlin(folder.path(), &all);
    (it.status, it.out + &it.err)
}

/// Another way in to the API, a closed `other`, and an egress of the API that depends on the plugin.
const CHANGE: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 8443}]
    - from: [{namespaceSelector: {matchLabels: {team: red}}}]
      ports: [{port: 9090}]
  egress:
    - to: [{ipBlock: {cidr: 10.0.0.0/8}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: elsewhere}
spec: {podSelector: {}, policyTypes: [Ingress]}
";

#[test]
fn a_change_is_told_before_it_is_made() {
    let (status, text) = change(CHANGE, &["--from", "shop/web"]);
    let expected = "\
opened
  Pod/shop/web
    -> Pod/shop/api
       8443/TCP

closed
  Pod/shop/web
    -> Pod/shop/api
       8080/TCP
";
    assert_eq!((status, text.as_str()), (1, expected));
    let (status, text) = change(CHANGE, &["--format", "json", "--from", "api"]);
    let found: Value = serde_json::from_str(&text).unwrap();
    let every = |verdict: &str| -> Value {
        let of = |it| json!({"protocol": it, "first": 1, "last": 65535, "verdict": verdict});
        json!(["TCP", "UDP", "SCTP"].map(of))
    };
    let closed: Vec<_> = found["closed"].as_array().unwrap().iter().collect();
    assert_eq!((status, &found["opened"]), (1, &json!([])));
    let to_other = closed.iter().find(|it| it["to"][0] == "Pod/elsewhere/other").unwrap();
    assert_eq!((&to_other["from"], &to_other["ports"]), (&json!(["Pod/shop/api"]), &every("deny")));
    let nodes = &found["undefined"][0];
    assert_eq!(
        (&nodes["to"], &nodes["ports"][0]["verdict"]),
        (&json!(["nodes"]), &json!("undefined"))
    );
    assert!(nodes["ports"][0]["reason"].as_str().unwrap().contains("of the nodes"), "{found:#}");
    // Both ends and a port narrow it, and a part that does not change is none.
    let (status, text) = change(CHANGE, &["--from", "web", "--to", "api:8443", "--format", "json"]);
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, found["closed"].as_array().unwrap().len()), (1, 0), "{found}");
    for format in ["human", "json"] {
        let (status, text) =
            change(CHANGE, &["--from", "web", "--to", "api:9999", "--format", format]);
        let nothing = json!({"opened": [], "closed": [], "undefined": []});
        let is_nothing = match format {
            "human" => text == "no flow changes\n",
            _ => serde_json::from_str::<Value>(&text).unwrap() == nothing,
        };
        assert!(status == 0 && is_nothing, "{status} {text}");
    }
}

/// A policy as it is, and one that says the same in other words.
#[test]
fn what_is_said_anew_changes_nothing() {
    let web = WORLD.rsplit("---\n").next().unwrap();
    assert_eq!(change(web, &[]), (0, "no flow changes\n".into()));
    let words = web.replace(
        "{matchLabels: {app: web}}",
        "{matchExpressions: [{key: app, operator: In, values: [web]}]}",
    );
    assert_ne!(words, web);
    assert_eq!(change(&words, &[]), (0, "no flow changes\n".into()));
    // Without a namespace it is the one of `--namespace`.
    let bare = web.replace(", namespace: shop", "");
    assert_eq!(change(&bare, &["-n", "shop"]), (0, "no flow changes\n".into()));
    assert_eq!(change(&bare, &[]), (0, "no flow changes\n".into()), "nobody there");
}

#[test]
fn a_change_is_of_network_policies_alone() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: new, namespace: shop}\nspec: {containers: [{name: c, image: i}]}\n";
    for (text, expected) in [
        (format!("{CHANGE}---\n{pod}"), "`Pod/shop/new` in change.yaml is no network policy"),
        ("a: b\n".into(), "no network policy in what `--change` names"),
        (format!("{CHANGE}---\napiVersion: v1\nkind: [\n"), "change.yaml:"),
    ] {
        let (status, said) = change(&text, &[]);
        assert!(status == 2 && said.contains(expected), "{expected}: {status} {said}");
    }
    let folder = folder(&[("it.yaml", WORLD), ("change.yaml", CHANGE)]);
    for (args, expected) in [
        (["reach", ".", "--change", "change.yaml"], "change.yaml is part of what it is compared"),
        (["reach", "it.yaml", "--change", "gone.yaml"], "cannot read gone.yaml"),
    ] {
        let it = purlin(folder.path(), &args);
        assert!(it.status == 2 && it.err.contains(expected), "{}", it.err);
    }
}

/// An administrator's policy is asked before the NetworkPolicies, and one of its name is replaced.
#[test]
fn a_change_of_the_whole_cluster_is_told_too() {
    let admin = |action: &str| {
        format!(
            "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {{name: it}}\n\
             spec: {{priority: 1, subject: {{namespaces: {{}}}}, ingress: [{{action: {action}, from: [{{pods: {{namespaceSelector: {{}}, podSelector: {{matchLabels: {{app: web}}}}}}}}], ports: [{{portNumber: {{protocol: TCP, port: 8080}}}}]}}]}}\n"
        )
    };
    let closed = "closed\n  Pod/shop/web\n    -> Pod/shop/api\n       8080/TCP\n";
    let asked = ["--from", "web", "--to", "api"];
    assert_eq!(change(&admin("Deny"), &asked), (1, closed.into()));
    let folder = folder(&[
        ("it.yaml", &format!("{WORLD}---\n{}", admin("Deny"))),
        ("change.yaml", &admin("Pass")),
    ]);
    let args = [&["reach", "it.yaml", "--change", "change.yaml"], &asked[..]].concat();
    let it = purlin(folder.path(), &args);
    assert_eq!((it.status, it.out), (1, closed.replace("closed", "opened")));
}
