//! Whether policies let pods ask the cluster's DNS, by the network plugin and by what the input holds of the DNS.

use crate::support::{load_texts, only, with_loaded};
use purlin::policy_file;
use std::sync::Arc;

const POD: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n\
    apiVersion: v1\nkind: Pod\nmetadata: {name: api, namespace: shop}\nspec: {containers: [{name: c, image: i}]}\n---\n";

const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: kube-dns, namespace: kube-system}\n\
    spec: {clusterIP: 10.96.0.10, selector: {k8s-app: kube-dns}, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53}]}\n---\n";

/// NodeLocal DNSCache with these arguments, and with more of its pods' spec.
fn cache(arguments: &str, spec: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: node-local-dns, namespace: kube-system}}\n\
         spec:\n  selector: {{matchLabels: {{k8s-app: node-local-dns}}}}\n  template:\n    metadata: {{labels: {{k8s-app: node-local-dns}}}}\n    \
         spec: {{containers: [{{name: node-cache, image: i, args: {arguments}}}]{spec}}}\n---\n"
    )
}

/// The cache as its manifest has it, for kube-proxy in iptables mode.
fn in_place() -> String {
    let arguments = "[\"-localip\", \"169.254.20.10,10.96.0.10\", \"-conf\", /etc/Corefile, \"-upstreamsvc\", kube-dns-upstream]";
    cache(arguments, ", hostNetwork: true") + SERVICE
}

/// A rule to the DNS pods.
const PODS: &str = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}";

/// A rule to the pods of the cache.
const CACHE_PODS: &str = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: node-local-dns}}}";

fn block(cidr: &str) -> String {
    format!("{{ipBlock: {{cidr: {cidr}}}}}")
}

/// What the rule says of pods that may send to these peers on this port: `open`, `closed`, or what would settle it.
fn judged(network: &str, world: &str, peers: &str, port: u16) -> String {
    let policy =
        Arc::from(format!("apiVersion: purlin.dev/v1alpha1\nkind: Policy\nnetwork: {network}\n"));
    let policy = policy_file::read(&policy, purlin::rules::built_in()).unwrap().value;
    let ports = format!("[{{port: {port}, protocol: UDP}}, {{port: {port}}}]");
    let world = format!(
        "{world}{POD}apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: api, namespace: shop}}\n\
         spec: {{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{peers}], ports: {ports}}}]}}\n"
    );
    let loaded = load_texts(&[("it.yaml", &world)]);
    assert!(loaded.broken.is_empty(), "{world}");
    with_loaded(&loaded, &policy, &only("egress-without-dns"), |_, outcome| {
        match (outcome.findings.as_slice(), outcome.unknown.as_slice()) {
            ([], []) => "open".into(),
            ([_], []) => "closed".into(),
            ([], [it]) => it.missing.rsplit_once("DNS: ").unwrap().1.to_string(),
            it => panic!("{it:?}"),
        }
    })
}

const PLUGINS: [&str; 6] = ["generic", "calico", "cilium", "antrea", "ovn-kubernetes", "aws-vpc"];

/// The verdicts under each plugin; of what cannot be told it has to say something with these words in it.
fn under_each(world: &str, peers: &str, expected: [&str; 6]) {
    for (plugin, expected) in PLUGINS.iter().zip(expected) {
        let found = judged(&format!("{{plugin: {plugin}}}"), world, peers, 53);
        let is_verdict = ["open", "closed"].contains(&expected);
        let fits = if is_verdict { found == expected } else { found.contains(expected) };
        assert!(fits, "{plugin}, {peers}: {found}, expected {expected}");
    }
}

const LIES: &str = "lie in the block";
const OF_SERVICE: &str = "the address of its Service";
const NODES_RUN: &str = "whether the nodes run NodeLocal DNSCache";

#[test]
fn blocks_mean_pods_as_the_plugin_sees_them() {
    under_each("", &block("10.0.0.0/8"), [LIES, LIES, "closed", LIES, LIES, LIES]);
    under_each("", &block("8.8.8.0/24"), ["closed"; 6]);
    under_each("", PODS, ["open"; 6]);
    // All that pods may have for an address; Cilium counts none of it.
    under_each("", &block("0.0.0.0/0"), [LIES, "open", "closed", "open", "open", "open"]);
    // Where the addresses of pods are known, others are those of Services at most.
    for (plugin, inside, outside) in [
        ("generic", LIES, OF_SERVICE),
        ("calico", "open", "closed"),
        ("cilium", "closed", "closed"),
        ("antrea", "open", "closed"),
        ("ovn-kubernetes", "open", "closed"),
        ("aws-vpc", "open", OF_SERVICE),
    ] {
        let network = format!("{{plugin: {plugin}, podCIDRs: [10.244.0.0/16]}}");
        for (cidr, expected) in [("10.244.0.0/15", inside), ("10.96.0.0/12", outside)] {
            let found = judged(&network, "", &block(cidr), 53);
            assert!(found.contains(expected), "{plugin} {cidr}: {found}");
        }
    }
}

#[test]
fn a_known_address_of_the_service_settles_what_it_can() {
    for (plugin, cidr, expected) in [
        ("aws-vpc", "10.96.0.10/32", OF_SERVICE),
        ("aws-vpc", "10.100.0.0/16", "closed"),
        ("calico", "10.96.0.10/32", "closed"),
    ] {
        let network = format!("{{plugin: {plugin}, podCIDRs: [10.244.0.0/16]}}");
        let found = judged(&network, SERVICE, &block(cidr), 53);
        assert!(found.contains(expected), "{plugin} {cidr}: {found}");
    }
}

#[test]
fn the_port_is_that_of_the_pods() {
    let pods = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: coredns, namespace: kube-system}\n\
        spec:\n  selector: {matchLabels: {k8s-app: kube-dns}}\n  template:\n    metadata: {labels: {k8s-app: kube-dns}}\n    \
        spec: {containers: [{name: c, image: i, ports: [{name: dns, containerPort: 5353, protocol: UDP}, {name: dns-tcp, containerPort: 5353}]}]}\n---\n";
    let calico = "{plugin: calico}";
    assert_eq!(judged(calico, pods, &block("0.0.0.0/0"), 5353), "open");
    assert!(judged(calico, pods, &block("0.0.0.0/0"), 53).contains(NODES_RUN));
    assert_eq!(judged(calico, pods, &block("10.0.0.0/8"), 53), "closed");
    // A block with another port does not say that the cluster is one where the DNS pods listen there.
    assert!(judged(calico, "", &block("0.0.0.0/0"), 5353).contains("on which port"));
}

#[test]
fn without_the_cache_in_the_input_its_address_settles_nothing() {
    under_each("", &block("169.254.20.10/32"), [NODES_RUN; 6]);
    under_each("", &block("169.254.25.10/32"), [NODES_RUN; 6]);
    // Metadata of the machine.
    under_each("", &block("169.254.169.254/32"), ["closed"; 6]);
}

#[test]
fn a_cache_that_takes_over_the_address_of_the_service() {
    let world = in_place();
    let translates = "is the first to take up";
    let both = format!("{PODS}, {}", block("10.96.0.10/32"));
    under_each(&world, &both, ["open"; 6]);
    under_each(&world, PODS, [translates, translates, "open", "open", "open", "open"]);
    // Of the ones that translate by themselves, Cilium knows the pods behind by no address.
    let by_address = block("10.96.0.10/32");
    under_each(&world, &by_address, [translates, "open", "closed", LIES, LIES, "open"]);
    // Nobody says that the kubelets name this one.
    let which = "`clusterDNS`";
    let other = block("169.254.20.10/32");
    under_each(&world, &other, [which; 6]);
    under_each(&world, &block("198.51.100.0/24"), ["closed"; 6]);
}

#[test]
fn a_cache_with_an_address_of_its_own() {
    let which = "`clusterDNS`";
    for arguments in [
        "[\"-localip\", 169.254.25.10]",
        "[\"--localip\", 169.254.25.10]",
        "[\"-localip=169.254.25.10\", -conf, x]",
        "[\"--localip=169.254.25.10\"]",
    ] {
        let world = cache(arguments, ", hostNetwork: true") + SERVICE;
        let both = format!("{PODS}, {}", block("169.254.25.10/32"));
        under_each(&world, &both, ["open", "open", which, "open", "open", "open"]);
        under_each(&world, PODS, [which; 6]);
        under_each(&world, &block("169.254.25.10/32"), [which; 6]);
        // That of another cache.
        under_each(&world, &block("169.254.20.10/32"), ["closed"; 6]);
        under_each(&world, &format!("{PODS}, {CACHE_PODS}"), [which; 6]);
    }
}

#[test]
fn a_cache_at_addresses_that_cannot_be_read() {
    for arguments in ["[\"-localip\", $(ADDRESSES)]", "[]", "[\"-localip\"]"] {
        let world = cache(arguments, ", hostNetwork: true") + SERVICE;
        under_each(&world, PODS, ["`clusterDNS`"; 6]);
        under_each(&world, &block("169.254.20.10/32"), ["`clusterDNS`"; 6]);
        under_each(&world, &block("198.51.100.0/24"), ["closed"; 6]);
        under_each(&world, "{podSelector: {}}", ["closed"; 6]);
    }
}

#[test]
fn a_cache_in_pods_of_its_own() {
    let world = cache("[\"-localip\", \"169.254.20.10,10.96.0.10\", \"-setupiptables=false\"]", "")
        + SERVICE;
    let leads = "whether the network plugin leads questions";
    under_each(&world, &format!("{PODS}, {CACHE_PODS}"), ["open"; 6]);
    under_each(&world, PODS, [leads; 6]);
    under_each(&world, CACHE_PODS, [leads; 6]);
    under_each(&world, "{podSelector: {}}", ["closed"; 6]);
}

/// What the kubelets tell pods to ask, as kubeadm keeps it.
fn kubelets(address: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: kubelet-config, namespace: kube-system}}\ndata:\n  kubelet: |\n    \
         apiVersion: kubelet.config.k8s.io/v1beta1\n    kind: KubeletConfiguration\n    clusterDNS:\n    - {address}\n    clusterDomain: cluster.local\n---\n"
    )
}

#[test]
fn what_the_kubelets_say_settles_which_address_is_asked() {
    let own = cache("[\"-localip\", 169.254.20.10]", ", hostNetwork: true") + SERVICE;
    let (cache_only, service_only) = (block("169.254.20.10/32"), block("10.96.0.10/32"));
    let cilium = "for the node's own";
    let pointed_there = own.clone() + &kubelets("169.254.20.10");
    under_each(&pointed_there, &cache_only, ["open", "open", cilium, "open", "open", "open"]);
    under_each(&pointed_there, PODS, ["closed"; 6]);
    under_each(&pointed_there, &block("8.8.8.0/24"), ["closed"; 6]);
    // Without the Service the address is no less the cache's own.
    let bare = cache("[\"-localip\", 169.254.20.10]", ", hostNetwork: true");
    under_each(&(bare + &kubelets("169.254.20.10")), PODS, ["closed"; 6]);
    // A cache that nobody is told of.
    let elsewhere = own + &kubelets("10.96.0.10");
    under_each(&elsewhere, PODS, ["open"; 6]);
    under_each(&elsewhere, &cache_only, ["closed"; 6]);
    // No cache at all that the input holds.
    let none = SERVICE.to_string() + &kubelets("10.96.0.10");
    under_each(&none, &cache_only, ["closed"; 6]);
    under_each(&none, PODS, ["open"; 6]);
    // One that takes over, and is asked by either name.
    let taken = in_place() + &kubelets("10.96.0.10");
    under_each(&taken, &cache_only, ["closed"; 6]);
    let by_service = ["is the first to take up", "open", "closed", LIES, LIES, "open"];
    under_each(&taken, &service_only, by_service);
    let by_own = in_place() + &kubelets("169.254.20.10");
    under_each(&by_own, &cache_only, ["open", "open", cilium, "open", "open", "open"]);
    under_each(&by_own, &service_only, ["closed"; 6]);
    // An address that nobody knows settles nothing.
    let strange = in_place() + &kubelets("192.0.2.53");
    under_each(&strange, &service_only, by_service);
}
