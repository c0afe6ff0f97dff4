//! Which addresses the kubelets tell pods to ask.
//!
//! kubeadm keeps the kubelets' configuration in the ConfigMap `kubelet-config` (with the version in its name before 1.24),
//! from which nodes take it as they join (`cmd/kubeadm/app/constants`, KubeletBaseConfigurationConfigMap).

use super::SYSTEM;
use crate::analyze::Facts;
use crate::api::kind::Kind;
use crate::load::read::yaml;
use crate::load::read::yaml::Syntax;
use crate::text::tree::Node;
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

/// Whether a ConfigMap of this namespace and name holds it.
pub(crate) fn is_kubelet_config(namespace: &str, name: &str) -> bool {
    namespace == SYSTEM && name.starts_with("kubelet-config")
}

/// `clusterDNS`; empty where the input does not tell it, or tells several.
pub(super) fn cluster_dns(facts: &Facts<'_>) -> Vec<IpNet> {
    let maps = facts.model.of_kind(Kind::ConfigMap);
    let maps = maps.filter(|it| is_kubelet_config(it.namespace, it.name));
    let told = maps.filter_map(|it| addresses(it.field(&["data", "kubelet"])?.str()?));
    let mut told: Vec<Vec<IpNet>> = told.collect();
    told.dedup();
    match told.as_mut_slice() {
        [one] => std::mem::take(one),
        _ => Vec::new(),
    }
}

fn addresses(configuration: &str) -> Option<Vec<IpNet>> {
    let text = Arc::from(configuration);
    let parsed = yaml::parse(&text, 0..text.len(), Syntax::Yaml).ok()??;
    let listed = parsed.tree.root().list("clusterDNS").filter_map(Node::str);
    let addresses: Vec<_> =
        listed.filter_map(|it| it.parse::<IpAddr>().ok()).map(IpNet::from).collect();
    Some(addresses).filter(|it| !it.is_empty())
}
