//! Kinds that a cluster does not let be listed: what they may say is undefined, and no more than that.

use super::{endpoint, namespace, pod, policy};
use crate::support::load_texts;
use purlin::analyze::Facts;
use purlin::analyze::network::reach::{Flow, Reason, Verdict};
use purlin::api::ports::Protocol;
use purlin::load::cluster::coverage::Coverage;
use purlin::model::Model;

/// `api` lets `web` in on port 80, and nobody else; an administrator closes port 9 of everybody; a baseline closes port 7.
fn world() -> String {
    let above = |kind: &str, rest: &str, port: u16| {
        format!(
            "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: {kind}\nmetadata: {{name: default}}\n\
             spec: {{{rest}subject: {{namespaces: {{}}}}, ingress: [{{action: Deny, from: [{{namespaces: {{}}}}], ports: [{{portNumber: {{protocol: TCP, port: {port}}}}}]}}]}}\n---\n"
        )
    };
    [
        namespace("a", "{}"),
        pod("a", "web", "{app: web}", ""),
        pod("a", "api", "{app: api}", ""),
        pod("a", "host", "{app: host}", ", hostNetwork: true"),
        policy(
            "a",
            "api",
            "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}, {port: 9}]}]}",
        ),
        pod("a", "edge", "{app: edge}", ""),
        policy(
            "a",
            "edge",
            "{podSelector: {matchLabels: {app: edge}}, ingress: [{from: [{ipBlock: {cidr: 8.0.0.0/8}}]}]}",
        ),
        above("AdminNetworkPolicy", "priority: 1, ", 9),
        above("BaselineAdminNetworkPolicy", "", 7),
    ]
    .concat()
}

/// The verdicts where this kind may not be listed, and whether the table is that of all pairs.
fn verdicts(kind: &str, flows: &[(&str, &str, u16)]) -> (Vec<Verdict>, bool) {
    let mut loaded = load_texts(&[("it.yaml", &world())]);
    assert!(loaded.broken.is_empty());
    let mut coverage = Coverage::default();
    coverage.lacks(kind, "it may not be listed".into());
    loaded.coverage = Some(coverage);
    let model = Model::new(&loaded, "default");
    let facts = Facts::new(&model);
    let reach = facts.reach();
    let id = |name| endpoint(&facts, reach, name).unwrap();
    let judged = flows
        .iter()
        .map(|(from, to, port)| reach.judge(id(from), id(to)).get(Protocol::Tcp, *port))
        .collect();
    let ids: Vec<_> = reach.endpoints().map(|it| it.0).collect();
    let is_pods = |id| reach.get(id).pods().is_some();
    let pairs = ids.iter().flat_map(|from| ids.iter().map(|to| (*from, *to)));
    let all = pairs.filter(|(from, to)| is_pods(*from) || is_pods(*to));
    let all = all.map(|(from, to)| Flow { from, to, ports: reach.judge(from, to) });
    let all: Vec<_> = all.filter(|it| it.ports.uniform() != Some(Verdict::Deny)).collect();
    (judged, reach.table() == all)
}

const UNLISTED: Verdict = Verdict::Undefined(Reason::Unlisted);

#[test]
fn what_a_kind_may_say_is_undefined() {
    let flows = [
        // What the NetworkPolicy opens, and what it leaves closed.
        ("a/web", "a/api", 80),
        ("a/web", "a/api", 81),
        // What the administrator closes.
        ("a/web", "a/api", 9),
        // What the baseline closes, where no NetworkPolicy is asked.
        ("a/api", "a/web", 7),
        ("a/api", "a/web", 80),
        // Nobody's subject.
        ("a/web", "a/host", 80),
    ];
    use Verdict::{Allow, Deny};
    for (kind, expected) in [
        ("Secret", [Allow, Deny, Deny, Deny, Allow, Allow]),
        // One more may come first, and a sender's may close what is sent to a node.
        ("AdminNetworkPolicy", [UNLISTED; 6]),
        // One more only adds where pods are isolated; others it may isolate.
        ("NetworkPolicy", [UNLISTED, UNLISTED, Deny, UNLISTED, UNLISTED, UNLISTED]),
        ("BaselineAdminNetworkPolicy", [UNLISTED, Deny, Deny, UNLISTED, UNLISTED, UNLISTED]),
        ("ClusterNetworkPolicy", [UNLISTED; 6]),
    ] {
        let (found, is_whole) = verdicts(kind, &flows);
        assert_eq!(found, expected, "{kind}");
        assert!(is_whole, "{kind}");
    }
}

/// A Service may open a port to the outside by way of a node, whose address no policy lets in.
#[test]
fn a_service_that_nobody_may_see_may_change_the_source() {
    let flows = [("8.8.8.8", "a/edge", 80), ("a/web", "a/api", 80)];
    for (kind, expected) in
        [("Secret", Verdict::Allow), ("Service", Verdict::Undefined(Reason::SourceAddress))]
    {
        let (found, is_whole) = verdicts(kind, &flows);
        assert_eq!(found, [expected, Verdict::Allow], "{kind}");
        assert!(is_whole, "{kind}");
    }
}
