//! What is known of the cluster's network: the plugin, and where pods get their addresses.

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;

/// What enforces network policies, where that makes a difference to what they mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename = "network plugin", rename_all = "kebab-case")]
#[serde(expecting = "a network plugin is a name")]
#[schemars(rename = "Plugin")]
pub enum Plugin {
    /// None in particular: what differs between them is undefined.
    #[default]
    Generic,
    /// Project Calico.
    Calico,
    /// Cilium.
    Cilium,
    /// Antrea.
    Antrea,
    /// OVN-Kubernetes.
    OvnKubernetes,
    /// The Amazon VPC plugin with its policy agent.
    AwsVpc,
}

impl Plugin {
    /// All of them.
    pub const ALL: [Plugin; 6] = [
        Plugin::Generic,
        Plugin::Calico,
        Plugin::Cilium,
        Plugin::Antrea,
        Plugin::OvnKubernetes,
        Plugin::AwsVpc,
    ];

    /// As the policy writes it.
    pub fn name(self) -> &'static str {
        match self {
            Plugin::Generic => "generic",
            Plugin::Calico => "calico",
            Plugin::Cilium => "cilium",
            Plugin::Antrea => "antrea",
            Plugin::OvnKubernetes => "ovn-kubernetes",
            Plugin::AwsVpc => "aws-vpc",
        }
    }

    /// The plugin of this name.
    pub fn parse(name: &str) -> Option<Plugin> {
        Plugin::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// What `network` of the policy file says.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// What enforces network policies.
    pub plugin: Plugin,
    /// The blocks that pods get their addresses from; empty where nobody said.
    pub pod_cidrs: Vec<IpNet>,
}
