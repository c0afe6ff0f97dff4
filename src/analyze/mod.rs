//! Objects to facts across objects: each computed once, on first use, whichever rules ask.
//!
//! Nothing here uses rayon: a fact that waits for another while its thread works on a third would wait for itself.

pub mod access;
pub mod capacity;
pub mod disruption;
pub mod network;
pub mod placement;
pub mod references;
pub mod security;
pub mod selection;
pub mod world;

use crate::api::network::Network;
use crate::api::version::KubernetesVersion;
use crate::model::{Model, ObjId};
use access::relabelling::Relabelling;
use access::roles::Roles;
use access::{Access, Binding};
use capacity::effective_resources::PodDemand;
use capacity::limit_ranges::LimitRanges;
use capacity::quotas::Quota;
use capacity::replicas::{Envelope, Replicas};
use capacity::vertical::Vertical;
use disruption::budgets::Budgets;
use disruption::claims::Claims;
use disruption::evictions::AllEvictions;
use network::dns::Dns;
use network::monitors::Monitors;
use network::other_policies::OtherPolicies;
use network::policies::Policies;
use network::policy_ports::Unserved;
use network::reach::Reach;
use network::reach::party::Parties;
use network::reach::stranger::Stranger;
use network::service_addresses::Contact;
use network::service_clients::Clients;
use placement::planned::{AllNodes, Planned, Stages};
use placement::world::{At, TooMany};
use references::backends::Backend;
use references::generated_secrets::MadeSecrets;
use references::named::References;
use references::terraform::Terraform;
use selection::controller_made::Makers;
use selection::experiments::Experiments;
use selection::namespaces::Namespaces;
use selection::operated::Operated;
use selection::ports::PodPorts;
use selection::services::Services;
use selection::unreadable::Unreadable;
use selection::workloads::{Workload, WorkloadId, Workloads};
use std::sync::OnceLock;

/// What follows from the objects together.
#[derive(Debug)]
pub struct Facts<'d> {
    model: &'d Model<'d>,
    network: Network,
    version: KubernetesVersion,
    all_nodes: Option<AllNodes>,
    stages: OnceLock<Stages>,
    strangers: OnceLock<Vec<Stranger<'d>>>,
    parties: OnceLock<Parties<'d>>,
    reach: OnceLock<Reach<'d>>,
    workloads: OnceLock<Workloads<'d>>,
    replicas: OnceLock<Replicas<'d>>,
    limit_ranges: OnceLock<LimitRanges<'d>>,
    demands: OnceLock<Vec<PodDemand<'d>>>,
    budgets: OnceLock<Budgets<'d>>,
    evictions: OnceLock<AllEvictions>,
    claims: OnceLock<Claims<'d>>,
    services: OnceLock<Services<'d>>,
    ports: OnceLock<Vec<PodPorts<'d>>>,
    quotas: OnceLock<Vec<Quota<'d>>>,
    verticals: OnceLock<Vec<Vertical<'d>>>,
    namespaces: OnceLock<Namespaces<'d>>,
    policies: OnceLock<Policies<'d>>,
    other_policies: OnceLock<OtherPolicies<'d>>,
    unserved: OnceLock<Vec<Unserved<'d>>>,
    dns: OnceLock<Dns>,
    makers: OnceLock<Makers<'d>>,
    terraform: OnceLock<Terraform<'d>>,
    unreadable: OnceLock<Unreadable<'d>>,
    operated: OnceLock<Operated<'d>>,
    experiments: OnceLock<Experiments<'d>>,
    access: OnceLock<Access<'d>>,
    roles: OnceLock<Roles<'d>>,
    relabelling: OnceLock<Relabelling<'d>>,
    backends: OnceLock<Vec<Backend<'d>>>,
    contacts: OnceLock<Vec<Contact<'d>>>,
    clients: OnceLock<Clients<'d>>,
    references: OnceLock<References<'d>>,
    made_secrets: OnceLock<MadeSecrets<'d>>,
    monitors: OnceLock<Monitors<'d>>,
}

impl<'d> Facts<'d> {
    /// Nothing is computed yet.
    pub fn new(model: &'d Model<'d>) -> Facts<'d> {
        Facts {
            model,
            network: Network::default(),
            version: KubernetesVersion::NEWEST,
            all_nodes: None,
            stages: OnceLock::new(),
            strangers: OnceLock::new(),
            parties: OnceLock::new(),
            reach: OnceLock::new(),
            workloads: OnceLock::new(),
            replicas: OnceLock::new(),
            limit_ranges: OnceLock::new(),
            demands: OnceLock::new(),
            budgets: OnceLock::new(),
            evictions: OnceLock::new(),
            claims: OnceLock::new(),
            services: OnceLock::new(),
            ports: OnceLock::new(),
            quotas: OnceLock::new(),
            verticals: OnceLock::new(),
            namespaces: OnceLock::new(),
            policies: OnceLock::new(),
            other_policies: OnceLock::new(),
            unserved: OnceLock::new(),
            dns: OnceLock::new(),
            makers: OnceLock::new(),
            terraform: OnceLock::new(),
            unreadable: OnceLock::new(),
            operated: OnceLock::new(),
            experiments: OnceLock::new(),
            access: OnceLock::new(),
            roles: OnceLock::new(),
            relabelling: OnceLock::new(),
            backends: OnceLock::new(),
            contacts: OnceLock::new(),
            clients: OnceLock::new(),
            references: OnceLock::new(),
            made_secrets: OnceLock::new(),
            monitors: OnceLock::new(),
        }
    }

    /// The same where more is known of the cluster's network.
    pub fn with_network(mut self, network: &Network) -> Facts<'d> {
        self.network = network.clone();
        self
    }

    /// The same for another version of Kubernetes than the newest.
    pub fn with_version(mut self, version: KubernetesVersion) -> Facts<'d> {
        self.version = version;
        self
    }

    /// The same where all nodes of the cluster are known.
    pub fn with_nodes(mut self, nodes: Option<AllNodes>) -> Facts<'d> {
        self.all_nodes = nodes;
        self
    }

    /// Where the pods stand; `None` where not all nodes are known, or there are too many pods.
    pub fn planned(&self, at: At) -> Option<&Planned> {
        self.stages()?.at(at)
    }

    /// Whether there are more pods than any cluster holds, so that none are placed.
    pub fn too_many_pods(&self) -> Option<TooMany> {
        self.stages()?.too_many
    }

    fn stages(&self) -> Option<&Stages> {
        let all = self.all_nodes.as_ref()?;
        Some(self.stages.get_or_init(|| Stages::new(self.model, self, all)))
    }

    /// Tells pods that the input does not hold apart, for who asks about them; before anybody asks who may talk to whom.
    pub fn tell_apart(&self, strangers: Vec<Stranger<'d>>) {
        let is_first = self.strangers.set(strangers).is_ok();
        debug_assert!(is_first && self.reach.get().is_none(), "nobody asked before");
    }

    /// The pods that the input does not hold and that are told apart.
    pub fn strangers(&self) -> &[Stranger<'d>] {
        self.strangers.get().map_or(&[], Vec::as_slice)
    }

    /// Everybody who has a name.
    pub(in crate::analyze) fn parties(&self) -> &Parties<'d> {
        self.parties.get_or_init(|| Parties::new(self))
    }

    /// Who may talk to whom.
    pub fn reach(&self) -> &Reach<'d> {
        self.reach.get_or_init(|| Reach::new(self.model, self, &self.network))
    }

    /// What runs pods.
    pub fn workloads(&self) -> &Workloads<'d> {
        self.workloads.get_or_init(|| Workloads::new(self.model))
    }

    /// Autoscalers and envelopes.
    pub fn replicas(&self) -> &Replicas<'d> {
        self.replicas.get_or_init(|| Replicas::new(self.model, self.workloads()))
    }

    /// From how many to how many pods a workload has; `None` where that follows the nodes (DaemonSet).
    pub fn envelope(&self, workload: WorkloadId) -> Option<&Envelope> {
        self.replicas().envelope(workload)
    }

    /// The LimitRanges.
    pub fn limit_ranges(&self) -> &LimitRanges<'d> {
        self.limit_ranges.get_or_init(|| LimitRanges::new(self.model))
    }

    /// What one pod of a workload asks for.
    pub fn demand(&self, workload: &Workload<'_>) -> &PodDemand<'d> {
        let demands = self.demands.get_or_init(|| {
            let limit_ranges = self.limit_ranges();
            self.workloads()
                .iter()
                .map(|it| PodDemand::new(self.model, it, limit_ranges, self.version))
                .collect()
        });
        &demands[workload.id.0 as usize]
    }

    /// The disruption budgets and what they cover.
    pub fn budgets(&self) -> &Budgets<'d> {
        self.budgets.get_or_init(|| Budgets::new(self.model, self.workloads()))
    }

    /// The volume claims and who uses them.
    pub fn claims(&self) -> &Claims<'d> {
        self.claims.get_or_init(|| Claims::new(self.model, self.workloads()))
    }

    /// The Services and what they select.
    pub fn services(&self) -> &Services<'d> {
        self.services.get_or_init(|| Services::new(self.model, self.workloads()))
    }

    /// The ports that each pod of a workload declares.
    pub fn ports(&self, workload: WorkloadId) -> &PodPorts<'d> {
        let ports = self.ports.get_or_init(|| self.workloads().iter().map(PodPorts::new).collect());
        &ports[workload.0 as usize]
    }

    /// The resource quotas and what is asked of them.
    pub fn quotas(&self) -> &[Quota<'d>] {
        self.quotas.get_or_init(|| capacity::quotas::quotas(self.model, self))
    }

    /// The quota that is this object; they are kept in the order of objects.
    pub fn quota(&self, object: ObjId) -> Option<&Quota<'d>> {
        let quotas = self.quotas();
        quotas.binary_search_by_key(&object, |it| it.object).ok().map(|at| &quotas[at])
    }

    /// The namespaces that the input defines or runs pods in.
    pub fn namespaces(&self) -> &Namespaces<'d> {
        self.namespaces.get_or_init(|| Namespaces::new(self.model, self.workloads()))
    }

    /// The network policies and what they select.
    pub fn policies(&self) -> &Policies<'d> {
        self.policies.get_or_init(|| Policies::new(self.model, self))
    }

    /// Policies of kinds that are not judged, and whom they select.
    pub fn other_policies(&self) -> &OtherPolicies<'d> {
        self.other_policies.get_or_init(|| OtherPolicies::new(self.model, self))
    }

    /// The ports of network policies that no pod serves.
    pub fn unserved(&self) -> &[Unserved<'d>] {
        self.unserved.get_or_init(|| network::policy_ports::unserved(self))
    }

    /// Who answers DNS in the cluster.
    pub fn dns(&self) -> &Dns {
        self.dns.get_or_init(|| Dns::new(self))
    }

    /// Custom objects that may make what no manifest holds.
    pub fn makers(&self) -> &Makers<'d> {
        self.makers.get_or_init(|| Makers::new(self.model))
    }

    /// What Terraform makes beside the manifests.
    pub fn terraform(&self) -> &Terraform<'d> {
        self.terraform.get_or_init(|| Terraform::new(&self.model.loaded.terraform))
    }

    /// What documents that do not parse may hold.
    pub fn unreadable(&self) -> &Unreadable<'d> {
        self.unreadable.get_or_init(|| Unreadable::new(self.model))
    }

    /// Pods that well-known operators make.
    pub fn operated(&self) -> &Operated<'d> {
        self.operated.get_or_init(|| Operated::new(self.model))
    }

    /// Pods that Argo Rollouts runs for a time.
    pub fn experiments(&self) -> &Experiments<'d> {
        self.experiments.get_or_init(|| Experiments::new(self.model, self.workloads()))
    }

    /// Roles with what they allow.
    pub fn roles(&self) -> &Roles<'d> {
        self.roles.get_or_init(|| Roles::new(self.model))
    }

    /// Bindings and the workloads that they are for.
    pub fn access(&self) -> &Access<'d> {
        self.access.get_or_init(|| Access::new(self.model, self.workloads()))
    }

    /// Pods that may change their own labels.
    pub fn relabelling(&self) -> &Relabelling<'d> {
        self.relabelling.get_or_init(|| {
            let role = |binding: &Binding<'d>| self.roles().of(binding);
            Relabelling::new(self.access(), role, self.workloads())
        })
    }

    /// References by name to configuration.
    pub fn references(&self) -> &References<'d> {
        self.references.get_or_init(|| References::new(self.model, self.workloads()))
    }

    /// Secrets that controllers make.
    pub fn made_secrets(&self) -> &MadeSecrets<'d> {
        self.made_secrets.get_or_init(|| MadeSecrets::new(self.model))
    }

    /// What monitors find and scrape.
    pub fn monitors(&self) -> &Monitors<'d> {
        self.monitors.get_or_init(|| Monitors::new(self.model, self))
    }

    /// The VerticalPodAutoscalers and what they set.
    pub fn verticals(&self) -> &[Vertical<'d>] {
        self.verticals.get_or_init(|| capacity::vertical::verticals(self.model, self))
    }

    /// The Services that Ingresses and routes name.
    pub fn backends(&self) -> &[Backend<'d>] {
        self.backends.get_or_init(|| references::backends::backends(self.model))
    }

    /// The addresses of the cluster that workloads and ConfigMaps give.
    pub fn contacts(&self) -> &[Contact<'d>] {
        self.contacts.get_or_init(|| network::service_addresses::contacts(self.model, self))
    }

    /// Who is given the address of which Service.
    pub fn clients(&self) -> &Clients<'d> {
        self.clients.get_or_init(|| Clients::new(self.model, self))
    }
}
