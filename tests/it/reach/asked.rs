//! SEMANTICS, section 1, where a Service stands between: rows 27, 28 and 37; and names.

use super::{pod, policy};
use crate::support::model_of;
use purlin::analyze::Facts;
use purlin::analyze::network::reach::ask::Question;
use purlin::analyze::network::reach::party::{Named, named};
use purlin::analyze::network::reach::{Reason, Verdict};
use purlin::api::network::{Network, Plugin};
use purlin::api::ports::{Ports, Protocol};

/// The verdict on a TCP port between two who are called by name.
fn asked(world: &str, plugin: Plugin, from: &str, to: &str, port: u16) -> String {
    judged(world, plugin, from, to, port).name().to_string()
}

fn judged(world: &str, plugin: Plugin, from: &str, to: &str, port: u16) -> Verdict {
    let network = Network { plugin, ..Network::default() };
    model_of(world, |model| {
        let facts = Facts::new(model).with_network(&network);
        let party = |name: &str| match named(model, &facts, name) {
            Named::One(it) => it,
            other => panic!("{name}: {other:?}"),
        };
        let ports = [Ports::one(Protocol::Tcp, port)].into_iter().collect();
        let question = Question { from: party(from), to: party(to), ports };
        facts.reach().ask(&facts, &question).verdict()
    })
}

fn serving(name: &str, port: u16) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: a, labels: {{app: api}}}}\nspec: {{containers: [{{name: c, image: i, ports: [{{name: http, containerPort: {port}}}]}}]}}\n---\n"
    )
}

fn service(target: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: front, namespace: a}}\nspec: {{selector: {{app: api}}, ports: [{{port: 80, targetPort: {target}}}]}}\n---\n"
    )
}

fn on_api(rest: &str) -> String {
    policy("a", "it", &format!("{{podSelector: {{matchLabels: {{app: api}}}}, {rest}}}"))
}

#[test]
fn row_27_a_policy_names_the_port_of_the_pod() {
    let world = |port: u16| {
        pod("a", "web", "{app: web}", "")
            + &serving("one", 8080)
            + &service("8080")
            + &on_api(&format!("ingress: [{{ports: [{{port: {port}}}]}}]"))
    };
    for plugin in Plugin::ALL {
        assert_eq!(asked(&world(8080), plugin, "web", "Service/a/front", 80), "allow");
        assert_eq!(asked(&world(80), plugin, "web", "Service/a/front", 80), "deny");
    }
}

#[test]
fn row_27_a_block_may_mean_the_address_of_the_service() {
    let egress = "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.96.0.0/12}}], ports: [{port: 80}]}]}";
    let world = pod("a", "web", "{app: web}", "")
        + &serving("one", 8080)
        + &service("8080")
        + &policy("a", "out", egress);
    for (plugin, expected) in [
        (Plugin::Generic, "undefined"),
        (Plugin::AwsVpc, "undefined"),
        (Plugin::Calico, "deny"),
        (Plugin::Cilium, "deny"),
    ] {
        assert_eq!(asked(&world, plugin, "web", "Service/a/front", 80), expected, "{plugin:?}");
    }
}

#[test]
fn what_is_undefined_of_a_service_has_its_reason() {
    let pods = pod("a", "web", "{app: web}", "") + &serving("one", 8080) + &service("8080");
    let out = "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.96.0.0/12}}], ports: [{port: 80}]}]}";
    let before = pods.clone() + &policy("a", "out", out);
    let found = judged(&before, Plugin::Generic, "web", "Service/a/front", 80);
    assert_eq!(found, Verdict::Undefined(Reason::ServiceAddress), "row 27");
    let own = pods + &on_api("policyTypes: [Ingress, Egress]");
    let found = judged(&own, Plugin::Generic, "one", "Service/a/front", 80);
    assert_eq!(found, Verdict::Undefined(Reason::Hairpin), "row 37");
}

#[test]
fn row_28_a_named_target_differs_from_pod_to_pod() {
    let world = |ports: &str| {
        pod("a", "web", "{app: web}", "")
            + &serving("one", 8080)
            + &serving("two", 9090)
            + &service("http")
            + &on_api(&format!("ingress: [{{ports: [{ports}]}}]"))
    };
    let front = "Service/a/front";
    assert_eq!(asked(&world("{port: http}"), Plugin::Calico, "web", front, 80), "allow");
    assert_eq!(asked(&world("{port: 8080}"), Plugin::Calico, "web", front, 80), "undefined");
    assert_eq!(asked(&world("{port: 80}"), Plugin::Calico, "web", front, 80), "deny");
}

#[test]
fn row_37_a_pod_and_itself() {
    let world = serving("one", 8080) + &service("8080") + &on_api("policyTypes: [Ingress, Egress]");
    for plugin in Plugin::ALL {
        assert_eq!(asked(&world, plugin, "one", "one", 8080), "allow", "{plugin:?}");
    }
    for (plugin, expected) in [
        (Plugin::Generic, "undefined"),
        (Plugin::Calico, "deny"),
        (Plugin::Antrea, "deny"),
        (Plugin::Cilium, "allow"),
    ] {
        assert_eq!(asked(&world, plugin, "one", "Service/a/front", 80), expected, "{plugin:?}");
    }
}

#[test]
fn row_39_a_controller_is_known_by_its_own_labels() {
    let world = pod("ingress", "controller", "{app: traefik}", "")
        + &serving("one", 8080)
        + &on_api(
            "ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress}}, podSelector: {matchLabels: {app: nginx}}}]}]",
        );
    assert_eq!(asked(&world, Plugin::Calico, "controller", "one", 8080), "deny");
}

#[test]
fn row_38_dns_is_asked_on_the_pods_own_port() {
    let world = "apiVersion: v1\nkind: Pod\nmetadata: {name: dns, namespace: kube-system, labels: {k8s-app: kube-dns}}\nspec: {containers: [{name: c, image: i, ports: [{name: dns-tcp, containerPort: 1053}]}]}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: kube-dns, namespace: kube-system}\nspec: {selector: {k8s-app: kube-dns}, ports: [{port: 53, targetPort: dns-tcp}]}\n---\n".to_string()
        + &pod("a", "web", "{app: web}", "");
    let egress = |port: &str| {
        format!(
            "{{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{{namespaceSelector: {{}}}}], ports: [{{port: {port}}}]}}]}}"
        )
    };
    let dns = "Service/kube-system/kube-dns";
    let by = |port: &str| world.clone() + &policy("a", "out", &egress(port));
    assert_eq!(asked(&by("53"), Plugin::Calico, "web", dns, 53), "deny");
    assert_eq!(asked(&by("1053"), Plugin::Calico, "web", dns, 53), "allow");
    assert_eq!(asked(&by("dns-tcp"), Plugin::Calico, "web", dns, 53), "allow");
}

#[test]
fn addresses_of_one_link_are_not_on_the_internet() {
    let egress = "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 169.254.169.254/32]}}]}]}";
    let world = pod("a", "web", "{app: web}", "") + &policy("a", "out", egress);
    assert_eq!(asked(&world, Plugin::Calico, "web", "internet", 443), "allow");
    assert_eq!(asked(&world, Plugin::Calico, "web", "169.254.169.254", 443), "deny");
}

#[test]
fn a_short_name_has_to_mean_one() {
    let world = pod("a", "web", "{app: web}", "") + &pod("b", "web", "{app: web}", "");
    model_of(&world, |model| {
        let facts = Facts::new(model);
        assert!(matches!(named(model, &facts, "web"), Named::Several(it) if it.len() == 2));
        assert!(matches!(named(model, &facts, "b/web"), Named::One(_)));
        assert!(matches!(named(model, &facts, "pod/b/web"), Named::One(_)));
        assert_eq!(named(model, &facts, "wbe"), Named::Nobody);
    });
}
