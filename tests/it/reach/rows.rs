//! SEMANTICS, section 1: a test for each row that a verdict can show.

use super::{endpoint, namespace, pod, policy, verdicts};
use crate::support::model_of;
use purlin::analyze::Facts;
use purlin::analyze::network::reach::{Reason, Verdict};
use purlin::api::network::Plugin;
use purlin::api::network::Plugin::{Antrea, AwsVpc, Calico, Cilium, Generic, OvnKubernetes};
use purlin::api::ports::Protocol;

/// Two namespaces with an `api` and a `web` each.
fn base() -> String {
    ["a", "b"]
        .map(|at| {
            let labels = if at == "a" { "{team: red}" } else { "{team: blue}" };
            namespace(at, labels)
                + &pod(at, "api", "{app: api}", "")
                + &pod(at, "web", "{app: web}", "")
        })
        .concat()
}

/// The world above with the policies of a row, and what is judged there.
fn judge(plugin: Plugin, more: &[String], flows: &[(&str, &str, &str, &str)]) {
    let world = base() + &more.concat();
    let asked: Vec<_> = flows.iter().map(|it| (it.0, it.1, it.2)).collect();
    let expected: Vec<_> = flows.iter().map(|it| it.3).collect();
    assert_eq!(verdicts(&world, plugin, &asked), expected, "{plugin:?}\n{world}");
}

/// A policy for the pods `app: api` of namespace `a`.
fn on_api(rest: &str) -> String {
    policy("a", "it", &format!("{{podSelector: {{matchLabels: {{app: api}}}}, {rest}}}"))
}

fn cluster(kind: &str, name: &str, spec: &str) -> String {
    let version = if kind == "ClusterNetworkPolicy" { "v1alpha2" } else { "v1alpha1" };
    format!(
        "apiVersion: policy.networking.k8s.io/{version}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n---\n"
    )
}

macro_rules! rows {
    ($($name:ident: $plugin:expr, [$($policy:expr),* $(,)?], [$($flow:expr),* $(,)?];)*) => {
        $(#[test]
        fn $name() {
            for plugin in $plugin {
                judge(plugin, &[$($policy),*], &[$($flow),*]);
            }
        })*
    };
}

/// Those that mean pods by their addresses, too.
const BY_ADDRESS: [Plugin; 4] = [Calico, Antrea, OvnKubernetes, AwsVpc];
const ALL: [Plugin; 6] = Plugin::ALL;

rows! {
    row_02_a_pod_selector_means_the_namespace_of_the_policy: ALL,
        [on_api("ingress: [{from: [{podSelector: {}}]}]")],
        [("a/web", "a/api", "80/TCP", "allow"), ("b/web", "a/api", "80/TCP", "deny")];
    row_03_an_empty_namespace_selector_means_all_pods_and_nobody_outside: ALL,
        [on_api("ingress: [{from: [{namespaceSelector: {}}]}]")],
        [("b/web", "a/api", "80/TCP", "allow"), ("internet", "a/api", "80/TCP", "deny")];
    row_04_both_selectors_in_one_peer_have_to_fit: ALL,
        [on_api("ingress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}, podSelector: {matchLabels: {app: web}}}]}]")],
        [("b/web", "a/api", "80/TCP", "allow"), ("b/api", "a/api", "80/TCP", "deny"), ("a/web", "a/api", "80/TCP", "deny")];
    row_04_of_two_peers_one_has_to_fit: ALL,
        [on_api("ingress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}}, {podSelector: {matchLabels: {app: web}}}]}]")],
        [("b/web", "a/api", "80/TCP", "allow"), ("b/api", "a/api", "80/TCP", "allow"), ("a/web", "a/api", "80/TCP", "allow")];
    row_05_no_peers_are_everybody: ALL,
        [on_api("ingress: [{from: []}]")],
        [("b/web", "a/api", "80/TCP", "allow"), ("internet", "a/api", "80/TCP", "allow"), ("nodes", "a/api", "80/TCP", "allow")];
    row_06_no_rules_deny_all: ALL,
        [on_api("policyTypes: [Ingress], ingress: []")],
        [("a/web", "a/api", "80/TCP", "deny"), ("internet", "a/api", "80/TCP", "deny")];
    row_06_an_empty_rule_allows_all: ALL,
        [on_api("policyTypes: [Ingress], ingress: [{}]")],
        [("a/web", "a/api", "80/TCP", "allow"), ("internet", "a/api", "80/TCP", "allow")];
    row_07_without_types_egress_counts_where_there_is_a_rule: ALL,
        [on_api("egress: [{ports: [{port: 443}]}]")],
        [("a/api", "b/web", "443/TCP", "allow"), ("a/api", "b/web", "80/TCP", "deny"), ("b/web", "a/api", "80/TCP", "deny")];
    row_08_rules_of_a_direction_that_is_not_among_the_types_are_ignored: ALL,
        [on_api("policyTypes: [Ingress], egress: [{ports: [{port: 443}]}]")],
        [("a/api", "b/web", "80/TCP", "allow"), ("b/web", "a/api", "80/TCP", "deny")];
    row_09_egress_without_rules_denies_dns_too: ALL,
        [on_api("policyTypes: [Egress]")],
        [("a/api", "b/web", "53/UDP", "deny"), ("b/web", "a/api", "80/TCP", "allow")];
    row_10_an_empty_egress_alone_is_about_ingress: ALL,
        [on_api("egress: []")],
        [("a/api", "b/web", "80/TCP", "allow"), ("b/web", "a/api", "80/TCP", "deny")];
    row_11_isolation_is_per_direction: ALL,
        [on_api("policyTypes: [Egress], egress: []")],
        [("b/web", "a/api", "80/TCP", "allow")];
    row_11_a_baseline_for_the_other_direction_is_undefined: [Generic, Cilium, AwsVpc],
        [on_api("policyTypes: [Egress], egress: []"), cluster("BaselineAdminNetworkPolicy", "default",
            "{subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}")],
        [("b/web", "a/api", "80/TCP", "undefined"), ("b/web", "a/web", "80/TCP", "deny")];
    row_11_a_baseline_by_direction: [Calico, Antrea, OvnKubernetes],
        [on_api("policyTypes: [Egress], egress: []"), cluster("BaselineAdminNetworkPolicy", "default",
            "{subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}")],
        [("b/web", "a/api", "80/TCP", "deny")];
    row_12_both_ends_have_to_allow: ALL,
        [on_api("ingress: [{from: [{namespaceSelector: {}}]}]"), policy("b", "deny", "{podSelector: {}, policyTypes: [Egress]}")],
        [("b/web", "a/api", "80/TCP", "deny"), ("a/web", "a/api", "80/TCP", "allow")];
    row_13_policies_add_up: ALL,
        [policy("a", "deny", "{podSelector: {}}"), policy("a", "open", "{podSelector: {}, ingress: [{}]}")],
        [("b/web", "a/api", "80/TCP", "allow")];
    row_14_replies_need_no_rule: ALL,
        [policy("b", "deny", "{podSelector: {}, policyTypes: [Ingress]}")],
        [("b/web", "a/api", "80/TCP", "allow"), ("a/api", "b/web", "80/TCP", "deny")];
    row_15_no_ports_are_all_ports: ALL,
        [on_api("ingress: [{from: [{podSelector: {}}], ports: []}]")],
        [("a/web", "a/api", "1/TCP", "allow"), ("a/web", "a/api", "65535/SCTP", "allow")];
    row_16_a_protocol_alone_is_every_port_of_it: ALL,
        [on_api("ingress: [{ports: [{protocol: UDP}]}]")],
        [("a/web", "a/api", "80/UDP", "allow"), ("a/web", "a/api", "80/TCP", "deny")];
    row_17_the_protocol_is_tcp_unless_written: ALL,
        [on_api("policyTypes: [Egress], egress: [{ports: [{port: 53}]}]")],
        [("a/api", "b/web", "53/TCP", "allow"), ("a/api", "b/web", "53/UDP", "deny")];
    row_18_sctp_is_a_protocol_of_its_own: ALL,
        [on_api("ingress: [{ports: [{port: 80, protocol: SCTP}]}]")],
        [("a/web", "a/api", "80/SCTP", "allow"), ("a/web", "a/api", "80/TCP", "deny")];
    row_25_the_end_of_a_range_is_part_of_it: ALL,
        [on_api("ingress: [{ports: [{port: 8000, endPort: 8080}]}]")],
        [("a/web", "a/api", "8000/TCP", "allow"), ("a/web", "a/api", "8080/TCP", "allow"), ("a/web", "a/api", "8081/TCP", "deny")];
    row_26_a_range_of_one_port_is_refused_in_a_cluster_wide_policy: ALL,
        [cluster("ClusterNetworkPolicy", "it", "{tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {range: {start: 80, end: 80}}}}, {tcp: {destinationPort: {range: {start: 90, end: 91}}}}]}]}")],
        [("a/web", "a/api", "80/TCP", "allow"), ("a/web", "a/api", "91/TCP", "allow")];
    row_29_a_block_and_the_addresses_of_pods: [Generic],
        [on_api("policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]")],
        [("a/api", "b/web", "80/TCP", "undefined"), ("a/api", "10.1.2.3", "80/TCP", "allow")];
    row_29_cilium_means_nobody_in_the_cluster: [Cilium],
        [on_api("policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]")],
        [("a/api", "b/web", "80/TCP", "deny"), ("a/api", "internet", "80/TCP", "allow")];
    row_30_everything_opens_pods_too: BY_ADDRESS,
        [on_api("policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]")],
        [("a/api", "b/web", "80/TCP", "allow")];
    row_30_everything_may_open_pods: [Generic],
        [on_api("policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]")],
        [("a/api", "b/web", "80/TCP", "undefined"), ("a/api", "internet", "80/TCP", "allow")];
    row_30_the_internet_alone_opens_no_pods: ALL,
        [on_api("policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10]}}]}]")],
        [("a/api", "b/web", "80/TCP", "deny"), ("a/api", "8.8.8.8", "80/TCP", "allow")];
    row_31_an_exception_is_no_deny: ALL,
        [on_api("policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 8.0.0.0/8, except: [8.8.0.0/16]}}]}, {to: [{ipBlock: {cidr: 8.8.8.0/24}}]}]")],
        [("a/api", "8.8.8.8", "80/TCP", "allow"), ("a/api", "8.8.9.9", "80/TCP", "deny"), ("a/api", "8.1.1.1", "80/TCP", "allow")];
    row_32_an_exception_as_large_as_its_block_is_refused: ALL,
        [on_api("policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 8.0.0.0/8, except: [8.0.0.0/8]}}]}, {to: [{ipBlock: {cidr: 9.0.0.0/8}}]}]")],
        [("a/api", "9.1.1.1", "80/TCP", "allow"), ("a/api", "8.1.1.1", "80/TCP", "allow")];
    row_33_a_block_is_cut_to_its_length: ALL,
        [on_api("policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 8.8.008.1/24}}]}]")],
        [("a/api", "8.8.8.200", "80/TCP", "allow"), ("a/api", "8.8.9.1", "80/TCP", "deny")];
    row_34_behind_a_node_port_the_source_may_be_a_node: ALL,
        [on_api("ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]"),
            "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: a}\nspec: {type: NodePort, selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}\n---\n".into()],
        [("203.0.113.7", "a/api", "8080/TCP", "undefined"), ("203.0.113.7", "a/api", "9090/TCP", "allow")];
    row_34_unless_the_source_is_kept: ALL,
        [on_api("ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]"),
            "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: a}\nspec: {type: NodePort, externalTrafficPolicy: Local, selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}\n---\n".into()],
        [("203.0.113.7", "a/api", "8080/TCP", "allow"), ("8.8.8.8", "a/api", "8080/TCP", "deny")];
    row_35_pods_in_the_hosts_network_are_nobodys_subject: ALL,
        [pod("a", "host", "{app: host}", ", hostNetwork: true"), policy("a", "deny", "{podSelector: {}, policyTypes: [Ingress, Egress]}"),
            policy("b", "open", "{podSelector: {}, ingress: [{}]}")],
        [("b/web", "a/host", "80/TCP", "allow"), ("a/host", "b/web", "80/TCP", "allow")];
    row_35_pods_in_the_hosts_network_as_peers: [Generic],
        [pod("a", "host", "{app: host}", ", hostNetwork: true"), on_api("policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: host}}}]}]")],
        [("a/api", "a/host", "80/TCP", "undefined")];
    row_35_no_profile_means_them_by_labels: [Calico, Cilium, Antrea, OvnKubernetes, AwsVpc],
        [pod("a", "host", "{app: host}", ", hostNetwork: true"), on_api("policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: host}}}]}]")],
        [("a/api", "a/host", "80/TCP", "deny")];
    row_36_the_own_node_is_let_in: ALL,
        [on_api("policyTypes: [Ingress]")],
        [("nodes", "a/api", "80/TCP", "undefined"), ("a/api", "nodes", "80/TCP", "allow")];
    row_40_every_namespace_has_the_label_of_its_name: ALL,
        [on_api("ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [b]}]}}]}]")],
        [("b/web", "a/api", "80/TCP", "deny"), ("a/web", "a/api", "80/TCP", "allow")];
    row_40_of_a_namespace_without_manifest_only_the_name_is_known: ALL,
        [pod("other", "web", "{app: web}", ""), on_api("ingress: [{ports: [{port: 1}], from: [{namespaceSelector: {matchLabels: {team: red}}}]}, {ports: [{port: 2}], from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}}]}]")],
        [("other/web", "a/api", "1/TCP", "undefined"), ("other/web", "a/api", "2/TCP", "allow"), ("b/web", "a/api", "1/TCP", "deny")];
    row_41_an_absent_key_is_none_of_the_values: ALL,
        [pod("a", "bare", "{}", ""), on_api("ingress: [{from: [{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}}]}]")],
        [("a/bare", "a/api", "80/TCP", "allow"), ("a/web", "a/api", "80/TCP", "deny")];
    row_42_labels_of_controllers_differ_from_pod_to_pod: ALL,
        ["apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db, namespace: a}\nspec: {template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: i}]}}}\n---\n".into(),
            on_api("ingress: [{ports: [{port: 1}], from: [{podSelector: {matchLabels: {statefulset.kubernetes.io/pod-name: db-0}}}]}, {ports: [{port: 2}], from: [{podSelector: {matchExpressions: [{key: apps.kubernetes.io/pod-index, operator: Exists}]}}]}]")],
        [("a/db", "a/api", "1/TCP", "undefined"), ("a/db", "a/api", "2/TCP", "allow"), ("a/web", "a/api", "1/TCP", "deny")];
    row_44_the_first_rule_of_the_first_tier_decides: ALL,
        [cluster("ClusterNetworkPolicy", "later", "{tier: Admin, priority: 2, subject: {namespaces: {}}, ingress: [{action: Accept, from: [{namespaces: {}}]}]}"),
            cluster("ClusterNetworkPolicy", "first", "{tier: Admin, priority: 1, subject: {namespaces: {matchLabels: {team: red}}}, ingress: [{action: Pass, from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}]}, {action: Deny, from: [{namespaces: {}}]}]}"),
            policy("a", "deny", "{podSelector: {}}")],
        [("b/api", "a/api", "80/TCP", "deny"), ("b/web", "a/api", "80/TCP", "deny"), ("b/web", "b/api", "80/TCP", "allow")];
    row_44_egress_that_is_accepted_still_needs_the_other_end: ALL,
        [cluster("AdminNetworkPolicy", "it", "{priority: 1, subject: {namespaces: {}}, egress: [{action: Allow, to: [{namespaces: {}}]}]}"), on_api("policyTypes: [Ingress]")],
        [("b/web", "a/api", "80/TCP", "deny"), ("b/web", "a/web", "80/TCP", "allow")];
    row_44_one_priority_twice_is_undefined_where_both_fit: ALL,
        [cluster("AdminNetworkPolicy", "one", "{priority: 1, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}], ports: [{portRange: {start: 1, end: 80}}]}]}"),
            cluster("AdminNetworkPolicy", "two", "{priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}], ports: [{portRange: {start: 80, end: 99}}]}]}")],
        [("b/web", "a/api", "79/TCP", "allow"), ("b/web", "a/api", "80/TCP", "undefined"), ("b/web", "a/api", "81/TCP", "deny")];
    row_45_networks_mean_pods_too: ALL,
        [cluster("ClusterNetworkPolicy", "it", "{tier: Admin, priority: 1, subject: {namespaces: {}}, egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]}")],
        [("a/web", "b/web", "80/TCP", "deny"), ("a/web", "internet", "80/TCP", "deny")];
    row_45_a_peer_that_nobody_knows_fails_closed: ALL,
        [cluster("ClusterNetworkPolicy", "it", "{tier: Admin, priority: 1, subject: {namespaces: {matchLabels: {team: red}}}, egress: [{action: Accept, to: [{clouds: {}}]}, {action: Pass, to: [{clouds: {}}], protocols: [{tcp: {destinationPort: {number: 1}}}]}]}")],
        [("a/web", "b/web", "80/TCP", "deny"), ("b/web", "a/web", "80/TCP", "allow")];
    row_45_ingress_rules_never_mean_the_outside: ALL,
        [cluster("ClusterNetworkPolicy", "it", "{tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}")],
        [("internet", "a/web", "80/TCP", "allow"), ("b/web", "a/web", "80/TCP", "deny")];
    row_45_a_domain_name_stands_for_addresses_that_nobody_knows: ALL,
        [cluster("AdminNetworkPolicy", "it", "{priority: 1, subject: {namespaces: {}}, egress: [{action: Allow, to: [{domainNames: ['*.example.com']}]}]}"), on_api("policyTypes: [Egress]")],
        [("a/api", "internet", "443/TCP", "undefined"), ("a/api", "b/web", "443/TCP", "deny")];
}

/// Where a verdict is undefined under the generic profile, it says why, and the rows say of which reason.
#[test]
fn what_is_undefined_has_its_reason() {
    let egress = |rest: &str| on_api(&format!("policyTypes: [Egress], egress: [{{to: [{rest}]}}]"));
    let host = pod("a", "host", "{app: host}", ", hostNetwork: true");
    let exposed = "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: a}\nspec: {type: NodePort, selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}\n---\n";
    let baseline = cluster(
        "BaselineAdminNetworkPolicy",
        "default",
        "{subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}",
    );
    for (row, more, from, to, expected) in [
        (11, vec![on_api("policyTypes: [Egress]"), baseline], "b/web", "a/api", Reason::Baseline),
        (29, vec![egress("{ipBlock: {cidr: 10.0.0.0/8}}")], "a/api", "b/web", Reason::PodAddress),
        (30, vec![egress("{ipBlock: {cidr: 0.0.0.0/0}}")], "a/api", "b/web", Reason::PodAddress),
        (
            34,
            vec![on_api("ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]"), exposed.into()],
            "203.0.113.7",
            "a/api",
            Reason::SourceAddress,
        ),
        (
            35,
            vec![host, egress("{podSelector: {matchLabels: {app: host}}}")],
            "a/api",
            "a/host",
            Reason::HostNetwork,
        ),
        (36, vec![on_api("policyTypes: [Ingress]")], "nodes", "a/api", Reason::OwnNode),
    ] {
        model_of(&(base() + &more.concat()), |model| {
            let facts = Facts::new(model);
            let reach = facts.reach();
            let [from, to] = [from, to].map(|it| endpoint(&facts, reach, it).unwrap());
            let found = reach.judge(from, to).get(Protocol::Tcp, 8080);
            assert_eq!(found, Verdict::Undefined(expected), "row {row}");
        });
    }
}

/// A pod with these containers, in flow style.
fn serving(name: &str, containers: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: a, labels: {{app: api}}}}\nspec: {containers}\n---\n"
    )
}

rows! {
    row_19_a_named_port_differs_from_pod_to_pod: ALL,
        [serving("one", "{containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]}"),
            serving("two", "{containers: [{name: c, image: i, ports: [{name: http, containerPort: 9090}]}]}"),
            on_api("ingress: [{ports: [{port: http}]}]")],
        [("a/web", "a/one", "8080/TCP", "allow"), ("a/web", "a/one", "9090/TCP", "deny"), ("a/web", "a/two", "9090/TCP", "allow")];
    row_20_a_name_counts_with_its_protocol: ALL,
        [serving("one", "{containers: [{name: c, image: i, ports: [{name: dns, containerPort: 53, protocol: UDP}, {name: dns-tcp, containerPort: 53}]}]}"),
            on_api("ingress: [{ports: [{port: dns}]}]")],
        [("a/web", "a/one", "53/TCP", "deny"), ("a/web", "a/one", "53/UDP", "deny")];
    row_21_a_name_that_no_container_has_opens_nothing: ALL,
        [on_api("ingress: [{ports: [{port: http}]}]")],
        [("a/web", "a/api", "80/TCP", "deny")];
    row_22_sidecars_serve_ports_and_init_containers_do_not: ALL,
        [serving("one", "{containers: [{name: c, image: i}], initContainers: [{name: s, image: i, restartPolicy: Always, ports: [{name: http, containerPort: 1}]}, {name: n, image: i, ports: [{name: http, containerPort: 2}]}]}"),
            on_api("ingress: [{ports: [{port: http}]}]")],
        [("a/web", "a/one", "1/TCP", "allow"), ("a/web", "a/one", "2/TCP", "deny")];
    row_23_two_containers_may_use_one_name: ALL,
        [serving("one", "{containers: [{name: c, image: i, ports: [{name: http, containerPort: 1}]}, {name: d, image: i, ports: [{name: http, containerPort: 2}]}]}"),
            on_api("ingress: [{ports: [{port: http}]}]")],
        [("a/web", "a/one", "1/TCP", "allow"), ("a/web", "a/one", "2/TCP", "allow")];
    row_24_an_address_has_no_names: ALL,
        [on_api("policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 8.0.0.0/8}}], ports: [{port: http}]}]")],
        [("a/api", "8.8.8.8", "80/TCP", "deny")];
    row_43_a_pod_that_has_ended_is_not_on_the_network: ALL,
        ["apiVersion: v1\nkind: Pod\nmetadata: {name: done, namespace: a, labels: {app: done}}\nspec: {containers: [{name: c, image: i}]}\nstatus: {phase: Succeeded}\n---\n".into()],
        [("a/done", "a/api", "80/TCP", "absent"), ("a/web", "a/api", "80/TCP", "allow")];
    row_43_a_pod_that_waits_has_no_address_yet: ALL,
        ["apiVersion: v1\nkind: Pod\nmetadata: {name: waits, namespace: a, labels: {app: waits}}\nspec: {containers: [{name: c, image: i}]}\nstatus: {phase: Pending}\n---\n".into(),
            "apiVersion: v1\nkind: Pod\nmetadata: {name: broke, namespace: a, labels: {app: broke}}\nspec: {containers: [{name: c, image: i}]}\nstatus: {phase: Failed}\n---\n".into()],
        [("a/waits", "a/api", "80/TCP", "absent"), ("a/broke", "a/api", "80/TCP", "absent")];
}
