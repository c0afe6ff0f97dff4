//! NetworkPolicies row by row: SEMANTICS, section 1, as far as one policy is concerned.

use crate::support::{facts_of, load_texts, only, with_loaded};
use purlin::analyze::network::policies::{
    Direction, NetworkPolicy, PeerKind, PolicyId, PortRange, TrafficRule, read,
};
use purlin::api::kind::Kind;
use purlin::policy_file;

/// Reads a policy with this `spec`, in flow style or as lines that are indented by two.
fn with_policy<T>(spec: &str, then: impl FnOnce(&NetworkPolicy<'_>) -> T) -> T {
    let text = format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: it, namespace: shop}}\nspec: {spec}\n"
    );
    facts_of(&text, |model, _| {
        then(&read(PolicyId(0), model.of_kind(Kind::NetworkPolicy).next().unwrap()))
    })
}

/// Whether it isolates for ingress and for egress, and how many rules it has there.
fn shape(spec: &str) -> (Option<usize>, Option<usize>) {
    with_policy(spec, |it| (it.ingress.as_ref().map(Vec::len), it.egress.as_ref().map(Vec::len)))
}

#[test]
fn directions_follow_types_and_rules() {
    let cases = [
        // Row 6: no rules deny all, one empty rule allows all.
        ("{policyTypes: [Ingress], ingress: []}", (Some(0), None)),
        ("{policyTypes: [Ingress], ingress: null}", (Some(0), None)),
        ("{policyTypes: [Ingress], ingress: [{}]}", (Some(1), None)),
        // Row 7: without types ingress always, egress with a rule for it; an empty list of types is no list.
        ("{}", (Some(0), None)),
        ("null", (Some(0), None)),
        ("{policyTypes: []}", (Some(0), None)),
        ("{policyTypes: null, egress: [{}]}", (Some(0), Some(1))),
        ("{egress: [{}]}", (Some(0), Some(1))),
        // Row 8: rules of a direction that is not among the types are ignored.
        ("{policyTypes: [Ingress], egress: [{}]}", (Some(0), None)),
        ("{policyTypes: [Egress], ingress: [{}]}", (None, Some(0))),
        // Row 9: egress without rules denies all of it.
        ("{policyTypes: [Egress]}", (None, Some(0))),
        // Row 10: an empty list is no rule.
        ("{egress: []}", (Some(0), None)),
        ("{policyTypes: [Egress, Ingress]}", (Some(0), Some(0))),
    ];
    for (spec, expected) in cases {
        assert_eq!(shape(spec), expected, "{spec}");
    }
}

#[test]
fn an_empty_rule_allows_everything_and_an_empty_list_is_none() {
    // Rows 5, 6 and 15; a null entry is an empty one.
    for rule in ["{}", "{from: []}", "{from: null, ports: null}", "{from: [], ports: []}", "null"] {
        let spec = format!("{{ingress: [{rule}]}}");
        with_policy(&spec, |it| assert!(it.allow_all(Direction::Ingress).is_some(), "{rule}"));
    }
    for rule in [
        "{from: [{podSelector: {}}]}",
        "{ports: [{protocol: TCP}]}",
        "{ports: [{}]}",
        "{from: [{}]}",
    ] {
        let spec = format!("{{ingress: [{rule}]}}");
        with_policy(&spec, |it| assert!(it.allow_all(Direction::Ingress).is_none(), "{rule}"));
    }
}

#[test]
fn peers_mean_pods_or_addresses() {
    // Rows 2, 3 and 4: which selectors are there decides whose pods are meant.
    let cases = [
        ("{podSelector: {}}", (false, true)),
        ("{namespaceSelector: {}}", (true, false)),
        ("{namespaceSelector: {}, podSelector: {}}", (true, true)),
        ("{namespaceSelector: null, podSelector: {}}", (false, true)),
    ];
    for (peer, expected) in cases {
        with_peer(peer, |kind| match kind {
            PeerKind::Pods { namespaces, pods } => {
                assert_eq!((namespaces.is_some(), pods.is_some()), expected, "{peer}");
            }
            it => panic!("{peer}: {it:?}"),
        });
    }
    let refused = [
        "{}",
        "{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}",
        "{podSelector: {matchExpressions: [{key: a, operator: In}]}}",
    ];
    for peer in refused {
        with_peer(peer, |kind| assert!(matches!(kind, PeerKind::Invalid), "{peer}: {kind:?}"));
    }
}

fn with_peer<T>(peer: &str, then: impl FnOnce(&PeerKind<'_>) -> T) -> T {
    with_policy(&format!("{{ingress: [{{from: [{peer}]}}]}}"), |it| {
        let kind = &it.ingress.as_ref().unwrap()[0].peers.as_ref().unwrap()[0].kind;
        then(kind)
    })
}

#[test]
fn blocks_are_read_as_the_api_server_reads_them() {
    // Rows 32 and 33.
    let cases = [
        ("{cidr: 10.0.0.0/8}", Some("10.0.0.0/8")),
        ("{cidr: 10.0.0.1/24}", Some("10.0.0.0/24")),
        ("{cidr: 010.001.0.1/24}", Some("10.1.0.0/24")),
        ("{cidr: 0.0.0.0/0, except: [10.0.0.0/8]}", Some("0.0.0.0/0")),
        ("{cidr: '2001:db8::1/64'}", Some("2001:db8::/64")),
        ("{cidr: 10.0.0.0/8, except: [10.0.0.0/8]}", None),
        ("{cidr: 10.0.0.0/8, except: [11.0.0.0/16]}", None),
        ("{cidr: 10.0.0.0/8, except: [0.0.0.0/0]}", None),
        ("{cidr: 10.0.0.0/8, except: ['2001:db8::/64']}", None),
        ("{cidr: 10.0.0.0}", None),
        ("{cidr: 10.0.0.0/33}", None),
        ("{cidr: 10.0.0.0/+8}", None),
        ("{cidr: 10.0.0/8}", None),
        ("{cidr: 256.0.0.0/8}", None),
        ("{cidr: example.org}", None),
        ("{}", None),
    ];
    for (block, expected) in cases {
        with_peer(&format!("{{ipBlock: {block}}}"), |kind| {
            let found = match kind {
                PeerKind::Block { cidr, .. } => Some(cidr.to_string()),
                _ => None,
            };
            assert_eq!(found.as_deref(), expected, "{block}");
        });
    }
}

#[test]
fn ports_open_their_protocol_alone() {
    let tcp = |port| ("TCP", port, None);
    let udp = |port| ("UDP", port, None);
    let cases = [
        // Row 15: no ports, all of them.
        ("[]", vec![tcp(1), udp(65535), ("SCTP", 9, None)], vec![]),
        // Row 16: a protocol without a port is all of this protocol.
        ("[{protocol: UDP}]", vec![udp(53), udp(1)], vec![tcp(53)]),
        // Row 17: without a protocol it is TCP.
        ("[{port: 53}]", vec![tcp(53)], vec![udp(53), tcp(54)]),
        ("[{}]", vec![tcp(1), tcp(65535)], vec![udp(1)]),
        // Row 18: SCTP is no TCP.
        ("[{protocol: SCTP, port: 80}]", vec![("SCTP", 80, None)], vec![tcp(80)]),
        // Rows 19 and 20: a name is that of the pod's port, of the same protocol.
        (
            "[{port: web}]",
            vec![("TCP", 8080, Some("web"))],
            vec![("UDP", 8080, Some("web")), tcp(8080), ("TCP", 8080, Some("api"))],
        ),
        // Row 25: both ends of a range are in it.
        ("[{port: 10, endPort: 12}]", vec![tcp(10), tcp(11), tcp(12)], vec![tcp(9), tcp(13)]),
        ("[{port: 10, endPort: 10}]", vec![tcp(10)], vec![tcp(11)]),
    ];
    for (ports, open, closed) in cases {
        with_ports(ports, |rule| {
            for (protocol, number, name) in open {
                assert!(rule.opens(protocol, number, name), "{ports} opens {protocol} {number}");
            }
            for (protocol, number, name) in closed {
                assert!(!rule.opens(protocol, number, name), "{ports} closes {protocol} {number}");
            }
        });
    }
}

#[test]
fn ports_that_the_api_server_refuses_open_nothing() {
    // Rows 20 and 25, and what the validation of a port says.
    let cases = [
        "{port: web, endPort: 90}",
        "{port: 80, endPort: 79}",
        "{endPort: 90}",
        "{port: '80'}",
        "{port: 0}",
        "{port: 65536}",
        "{port: Web}",
        "{port: a-name-that-is-too-long}",
        "{protocol: tcp, port: 80}",
        "{port: 80.5}",
        "{port: [80]}",
    ];
    for port in cases {
        with_ports(&format!("[{port}]"), |rule| {
            let ports = rule.ports.as_ref().unwrap();
            assert_eq!(ports[0].ports, PortRange::Invalid, "{port}");
            assert!(!rule.opens("TCP", 80, Some("web")), "{port}");
        });
    }
}

fn with_ports(ports: &str, then: impl FnOnce(&TrafficRule<'_>)) {
    with_policy(&format!("{{ingress: [{{ports: {ports}}}]}}"), |it| {
        then(&it.ingress.as_ref().unwrap()[0]);
    });
}

const PODS: &str = "---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {hostNetwork: true, containers: [{name: agent}]}
---
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: other, labels: {app: api}}
spec: {containers: [{name: other}]}
";

#[test]
fn a_policy_selects_pods_of_its_namespace_that_have_a_network_of_their_own() {
    // Rows 1, 35, 41 and 42.
    let cases = [
        ("{}", vec!["api"]),
        ("{podSelector: {}}", vec!["api"]),
        ("{podSelector: null}", vec!["api"]),
        ("{podSelector: {matchLabels: {app: api}}}", vec!["api"]),
        ("{podSelector: {matchLabels: {app: web}}}", vec![]),
        (
            "{podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [a]}]}}",
            vec!["api"],
        ),
        ("{podSelector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}}", vec!["api"]),
        (
            "{podSelector: {matchExpressions: [{key: pod-template-hash, operator: Exists}]}}",
            vec!["api"],
        ),
        ("{podSelector: {matchExpressions: [{key: app, operator: In}]}}", vec![]),
    ];
    for (spec, expected) in cases {
        let text = format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: it, namespace: shop}}\nspec: {spec}\n{PODS}"
        );
        facts_of(&text, |_, facts| {
            // What the API server refuses selects nobody.
            let found = facts.policies().iter().flat_map(|it| it.selects.iter());
            let found = found.map(|(it, _)| facts.workloads().get(*it).name);
            assert_eq!(found.collect::<Vec<_>>(), expected, "{spec}");
        });
    }
}

#[test]
fn isolation_is_per_direction_and_policies_add_up() {
    // Rows 11 and 13.
    let policy = |name: &str, spec: &str| {
        format!(
            "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n"
        )
    };
    let text = [
        PODS,
        &policy("one", "{policyTypes: [Egress]}"),
        &policy(
            "two",
            "{podSelector: {matchLabels: {app: api}}, egress: [{}], policyTypes: [Egress]}",
        ),
        &policy("three", "{podSelector: {matchLabels: {app: web}}}"),
    ];
    facts_of(&text.concat(), |model, facts| {
        let api = facts.workloads().iter().find(|it| it.name == "api").unwrap();
        let isolating = |direction| {
            let found = facts.policies().isolating(api.id, direction);
            found.map(|(it, _)| model.object(it.object).name).collect::<Vec<_>>()
        };
        assert_eq!(isolating(Direction::Ingress), [""; 0]);
        assert_eq!(isolating(Direction::Egress), ["one", "two"]);
    });
}

#[test]
fn policies_from_elsewhere_are_not_missed() {
    let loaded = load_texts(&[("it.yaml", PODS)]);
    let findings = |policy: &str, rule: &str| {
        let policy = format!("apiVersion: purlin.dev/v1alpha1\nkind: Policy\n{policy}\n");
        let policy = policy_file::read(&policy.into(), purlin::rules::built_in()).unwrap().value;
        with_loaded(&loaded, &policy, &only(rule), |_, outcome| outcome.findings.len())
    };
    for rule in ["default-deny-missing", "pod-not-isolated"] {
        assert_eq!(findings("", rule), 2, "{rule}");
        assert_eq!(findings("external: [NetworkPolicy/*]", rule), 0, "{rule}");
        assert_eq!(findings("external: [NetworkPolicy/shop/*]", rule), 1, "{rule}");
    }
}

/// However many mistakes and idle entries a policy has, the first of each kind are told, and that there are more.
#[test]
fn a_policy_of_thousands_of_rules_is_told_in_few_words() {
    let text = |block: &str| {
        let mut text = String::from(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, labels: {app: web}}\nspec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: it, namespace: shop}\nspec:\n  podSelector: {matchLabels: {app: web}}\n  ingress:\n",
        );
        for at in 0..5_000 {
            text.push_str(&format!(
                "  - {{from: [{{podSelector: {{matchLabels: {{app: gone-{at}}}}}}}, {{ipBlock: {{cidr: {block}}}}}], ports: [{{port: {}}}]}}\n",
                81 + at
            ));
        }
        load_texts(&[("it.yaml", &text)])
    };
    // For a block that is none the API server refuses the whole policy, and nobody asks for its other entries.
    let (refused, taken) = (text("10.0.0.0/33"), text("10.0.0.0/8"));
    for rule in ["policy-peer-matches-nothing", "policy-port-unused", "invalid-network-policy"] {
        let loaded = if rule == "invalid-network-policy" { &refused } else { &taken };
        with_loaded(loaded, &Default::default(), &only(rule), |_, outcome| {
            assert_eq!(outcome.findings.len(), 20, "{rule}");
            let notes = outcome.findings.iter().flat_map(|it| &it.notes);
            assert_eq!(notes.filter(|it| it.contains("only the first 20")).count(), 20, "{rule}");
        });
    }
}
