//! Policies of kinds that are not judged: whose verdicts they leave open, and whose not.

use crate::support::facts_of;
use purlin::analyze::network::reach::Verdict;

/// Pods `web`, `db` and `job` in `shop`, `web` in `other`; `shop` denies everything, `other` nothing.
const PODS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: blue}}
---
apiVersion: v1
kind: Namespace
metadata: {name: other, labels: {team: red}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web, tier: front}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db, tier: back-end}}
spec: {serviceAccountName: db, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: other, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: other, labels: {app: db}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}], egress: [{to: [{podSelector: {}}]}]}
---
";

/// What is said of `web` to `db` in `shop` on port 80, which the NetworkPolicy opens at both ends, on port 81, which it closes
/// at `db`, and of `web` to `db` in `other`, where no NetworkPolicy is.
fn verdicts(policy: &str) -> [&'static str; 3] {
    facts_of(&format!("{PODS}{policy}"), |_, facts| {
        let reach = facts.reach();
        let judge = |namespace: &str, port| {
            let ends = ["web", "db"].map(|name| {
                let mut all = facts.workloads().iter();
                let found = all.find(|it| (it.namespace, it.name) == (namespace, name)).unwrap();
                reach.of_workload(found.id).unwrap()
            });
            let verdict: Verdict =
                reach.judge(ends[0], ends[1]).get(purlin::api::ports::Protocol::Tcp, port);
            verdict.name()
        };
        [judge("shop", 80), judge("shop", 81), judge("other", 80)]
    })
}

const NOTHING: [&str; 3] = ["allow", "deny", "allow"];

fn all_are(cases: &[(&str, [&str; 3])]) {
    let wrong = cases.iter().filter_map(|(policy, expected)| {
        let found = verdicts(policy);
        (found != *expected).then(|| format!("{policy}\n  {found:?} in place of {expected:?}"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn cilium() {
    let policy = |spec: &str| {
        format!(
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: p, namespace: shop}}\n{spec}"
        )
    };
    let wide = |spec: &str| {
        format!(
            "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {{name: p}}\nspec: {spec}"
        )
    };
    let opens = ["allow", "undefined", "allow"];
    let denies = ["undefined", "deny", "allow"];
    let cases = [
        // What it allows is added, and what is allowed stays.
        (policy("spec: {endpointSelector: {}, ingress: [{fromEntities: [all]}]}"), opens),
        (
            policy(
                "spec: {endpointSelector: {matchLabels: {app: db}}, ingress: [{fromEntities: [all]}]}",
            ),
            opens,
        ),
        (
            policy(
                "spec: {endpointSelector: {matchLabels: {'k8s:app': db}}, ingress: [{fromEntities: [all]}]}",
            ),
            opens,
        ),
        (
            policy(
                "spec: {endpointSelector: {matchLabels: {'any:app': web}}, ingress: [{fromEntities: [all]}]}",
            ),
            NOTHING,
        ),
        // Towards the pods that it selects, and not from them.
        (
            policy(
                "spec: {endpointSelector: {matchLabels: {app: web}}, ingress: [{fromEntities: [all]}]}",
            ),
            NOTHING,
        ),
        (
            policy(
                "spec: {endpointSelector: {matchLabels: {app: db}}, egress: [{toEntities: [all]}]}",
            ),
            NOTHING,
        ),
        // A rule that names nobody lets nobody in, and the pods are isolated as it is.
        (policy("spec: {endpointSelector: {}, ingress: [{}], egress: [{}]}"), NOTHING),
        (policy("spec: {endpointSelector: {}, ingressDeny: [{fromEntities: [world]}]}"), denies),
        (
            policy(
                "spec: {endpointSelector: {matchLabels: {app: web}}, egressDeny: [{toEntities: [world]}]}",
            ),
            denies,
        ),
        (
            policy(
                "specs: [{endpointSelector: {matchLabels: {app: x}}, ingress: [{}]}, {endpointSelector: {matchExpressions: [{key: app, operator: In, values: [db]}]}, ingress: [{fromEntities: [all]}]}]",
            ),
            opens,
        ),
        (
            policy(
                "spec: {endpointSelector: {matchLabels: {'reserved:init': ''}}, ingress: [{fromEntities: [all]}]}",
            ),
            NOTHING,
        ),
        // Of the whole cluster, by labels of namespaces too.
        (wide("{endpointSelector: {}, ingress: [{}]}"), ["allow", "deny", "undefined"]),
        (
            wide("{endpointSelector: {}, enableDefaultDeny: {ingress: false}, ingress: [{}]}"),
            NOTHING,
        ),
        (
            wide(
                "{endpointSelector: {matchLabels: {'k8s:io.kubernetes.pod.namespace': other}}, ingress: [{fromEntities: [all]}]}",
            ),
            ["allow", "deny", "undefined"],
        ),
        (
            wide(
                "{endpointSelector: {matchLabels: {'k8s:io.cilium.k8s.namespace.labels.team': blue}}, ingress: [{fromEntities: [all]}]}",
            ),
            opens,
        ),
        (
            wide(
                "{endpointSelector: {matchLabels: {io.cilium.k8s.policy.serviceaccount: db}}, ingress: [{fromEntities: [all]}]}",
            ),
            opens,
        ),
        (wide("{nodeSelector: {}, ingress: [{fromEntities: [all]}]}"), NOTHING),
    ];
    all_are(&cases.iter().map(|(it, found)| (it.as_str(), *found)).collect::<Vec<_>>());
}

#[test]
fn calico() {
    let policy = |kind: &str, spec: &str| {
        let namespace = if kind == "NetworkPolicy" { ", namespace: shop" } else { "" };
        format!(
            "apiVersion: projectcalico.org/v3\nkind: {kind}\nmetadata: {{name: p{namespace}}}\nspec: {spec}"
        )
    };
    let opens = ["allow", "undefined", "allow"];
    let both = ["undefined", "undefined", "allow"];
    let selected = |selector: &str, is_it: bool| {
        let spec = format!("{{selector: \"{selector}\", ingress: [{{action: Allow}}]}}");
        (policy("NetworkPolicy", &spec), if is_it { opens } else { NOTHING })
    };
    let cases = [
        selected("all()", true),
        selected("app == 'db'", true),
        selected("app == 'web'", false),
        selected("app != 'web'", true),
        selected("app in {'db', 'cache'} && has(tier)", true),
        selected("app not in {'db', 'cache'}", false),
        selected("!(app == 'db')", false),
        selected("!has(tier) || app == 'db'", true),
        selected("!has(tier) || (app == 'x' && tier == 'back-end')", false),
        selected("tier starts with 'back'", true),
        selected("tier ends with 'front'", false),
        selected("tier contains 'k-e'", true),
        selected("global()", false),
        // What cannot be read may select everything.
        selected("app ~ 'db'", true),
        (policy("NetworkPolicy", "{order: 10, ingress: [{action: Deny}, {action: Allow}]}"), both),
        (
            policy("NetworkPolicy", "{order: 2000, ingress: [{action: Deny}, {action: Allow}]}"),
            opens,
        ),
        (policy("NetworkPolicy", "{types: [Egress], ingress: [{action: Allow}]}"), NOTHING),
        (
            policy(
                "NetworkPolicy",
                "{selector: \"app == 'web'\", order: 1, types: [Egress], egress: [{action: Deny}]}",
            ),
            ["undefined", "deny", "allow"],
        ),
        (
            policy(
                "GlobalNetworkPolicy",
                "{namespaceSelector: \"team == 'red'\", types: [Ingress]}",
            ),
            ["allow", "deny", "undefined"],
        ),
        (
            policy(
                "GlobalNetworkPolicy",
                "{namespaceSelector: \"kubernetes.io/metadata.name == 'shop'\", selector: \"app == 'db'\", ingress: [{action: Pass}]}",
            ),
            opens,
        ),
        (policy("StagedNetworkPolicy", "{ingress: [{action: Allow}]}"), NOTHING),
    ];
    all_are(&cases.iter().map(|(it, found)| (it.as_str(), *found)).collect::<Vec<_>>());
}

#[test]
fn antrea_and_meshes() {
    let object = |head: &str, spec: &str| {
        let (api, kind, namespace) = match head.split(' ').collect::<Vec<_>>()[..] {
            [api, kind, namespace] => (api, kind, format!(", namespace: {namespace}")),
            [api, kind] => (api, kind, String::new()),
            _ => panic!("{head}"),
        };
        format!("apiVersion: {api}\nkind: {kind}\nmetadata: {{name: p{namespace}}}\nspec: {spec}")
    };
    const ANTREA: &str = "crd.antrea.io/v1beta1 ClusterNetworkPolicy";
    const ISTIO: &str = "security.istio.io/v1 AuthorizationPolicy shop";
    let opens = ["allow", "undefined", "allow"];
    let closes = ["undefined", "deny", "allow"];
    let cases = [
        (
            object(
                ANTREA,
                "{appliedTo: [{podSelector: {matchLabels: {app: db}}, namespaceSelector: {matchLabels: {team: blue}}}], ingress: [{action: Allow}]}",
            ),
            opens,
        ),
        (
            object(
                ANTREA,
                "{appliedTo: [{podSelector: {matchLabels: {app: db}}, namespaceSelector: {matchLabels: {team: blue}}}], ingress: [{action: Drop}]}",
            ),
            closes,
        ),
        (
            object(
                ANTREA,
                "{tier: baseline, appliedTo: [{podSelector: {matchLabels: {app: db}}}], ingress: [{action: Drop}]}",
            ),
            ["allow", "deny", "undefined"],
        ),
        (
            object(
                ANTREA,
                "{ingress: [{action: Allow, appliedTo: [{podSelector: {matchLabels: {app: web}}}]}], egress: [{action: Reject, appliedTo: [{serviceAccount: {name: default, namespace: shop}}]}]}",
            ),
            closes,
        ),
        (object(ANTREA, "{appliedTo: [{group: g}], egress: [{action: Pass}]}"), NOTHING),
        (object(ANTREA, "{appliedTo: [{group: g}], ingress: [{action: Allow}]}"), opens),
        (
            object(
                "crd.antrea.io/v1beta1 NetworkPolicy other",
                "{appliedTo: [{podSelector: {}}], ingress: [{action: Drop}]}",
            ),
            ["allow", "deny", "undefined"],
        ),
        // A mesh refuses, and opens nothing.
        (object(ISTIO, "{rules: [{from: [{source: {namespaces: [a]}}]}]}"), closes),
        (object(ISTIO, "{}"), closes),
        (object(ISTIO, "{rules: [{}]}"), NOTHING),
        (object(ISTIO, "{action: DENY}"), NOTHING),
        (object(ISTIO, "{action: AUDIT, rules: [{}]}"), NOTHING),
        (object(ISTIO, "{selector: {matchLabels: {app: web}}}"), NOTHING),
        (object(ISTIO, "{selector: {matchLabels: {app: db}}, action: DENY, rules: [{}]}"), closes),
        (
            object("security.istio.io/v1 AuthorizationPolicy istio-system", "{}"),
            ["undefined", "deny", "undefined"],
        ),
        (
            object(
                "security.istio.io/v1 AuthorizationPolicy istio-system",
                "{selector: {matchLabels: {app: x}}}",
            ),
            NOTHING,
        ),
        (
            object("security.istio.io/v1 PeerAuthentication other", "{mtls: {mode: STRICT}}"),
            ["allow", "deny", "undefined"],
        ),
        (
            object("security.istio.io/v1 PeerAuthentication other", "{mtls: {mode: PERMISSIVE}}"),
            NOTHING,
        ),
        (
            object(
                "policy.linkerd.io/v1beta3 Server other",
                "{podSelector: {matchLabels: {app: db}}, port: 80}",
            ),
            ["allow", "deny", "undefined"],
        ),
        (
            object(
                "k8s.ovn.org/v1 EgressFirewall other",
                "{egress: [{type: Deny, to: {cidrSelector: 0.0.0.0/0}}]}",
            ),
            ["allow", "deny", "undefined"],
        ),
        (object("example.org/v1 NetworkPolicy shop", "{}"), NOTHING),
    ];
    all_are(&cases.iter().map(|(it, found)| (it.as_str(), *found)).collect::<Vec<_>>());
}

#[test]
fn generated_policies() {
    let rule = |matched: &str, generate: &str| {
        format!(
            "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {{name: p}}\nspec: {{rules: [{{name: r, match: {matched}, generate: {generate}}}]}}"
        )
    };
    const NAMESPACES: &str = "{any: [{resources: {kinds: [Namespace]}}]}";
    const DENY: &str = "data: {spec: {podSelector: {}, policyTypes: [Ingress]}}";
    let other = ["allow", "deny", "undefined"];
    let of_name = |more: &str| {
        let namespace = "'{{request.object.metadata.name}}'";
        format!("{{kind: NetworkPolicy, name: d, namespace: {namespace}, {more}}}")
    };
    let cases = [
        (rule(NAMESPACES, &of_name(DENY)), other),
        (rule("{any: [{resources: {kinds: [Namespace], names: ['sho?']}}]}", &of_name(DENY)), NOTHING),
        (rule("{all: [{resources: {kinds: [Namespace], selector: {matchLabels: {team: red}}}}]}", &of_name(DENY)), other),
        (rule("{resources: {kinds: [Namespace], name: 'oth*'}}", &of_name(DENY)), other),
        (rule(NAMESPACES, "{kind: NetworkPolicy, name: d, namespace: shop, data: {spec: {podSelector: {}}}}"), NOTHING),
        (rule(NAMESPACES, "{kind: NetworkPolicy, name: d, namespace: shop, data: {spec: {podSelector: {}, ingress: [{}]}}}"), ["allow", "undefined", "allow"]),
        (rule(NAMESPACES, &of_name("data: {spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}}")), NOTHING),
        (rule(NAMESPACES, &of_name("clone: {name: d, namespace: default}")), ["undefined", "undefined", "undefined"]),
        (rule(NAMESPACES, "{kind: ConfigMap, name: d, namespace: shop, data: {}}"), NOTHING),
        ("apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\nspec: {rules: [{name: r, match: {}, validate: {message: m}}]}".into(), NOTHING),
    ];
    all_are(&cases.iter().map(|(it, found)| (it.as_str(), *found)).collect::<Vec<_>>());
}
