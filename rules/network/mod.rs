//! Who may talk to whom.

pub(super) mod default_allow_cancels_deny;
pub(super) mod default_deny_missing;
pub(super) mod egress_without_dns;
pub(super) mod exposed_node_port;
pub(super) mod flow_missing;
pub(super) mod flow_names_nothing;
pub(super) mod flow_undeclared;
pub(super) mod ingress_cut_off;
pub(super) mod invalid_network_policy;
pub(super) mod pod_not_isolated;
pub(super) mod policy_peer_matches_nothing;
pub(super) mod policy_port_is_service_port;
pub(super) mod policy_port_unused;
pub(super) mod policy_selects_nothing;
pub(super) mod scrape_cut_off;
pub(super) mod service_cut_off;
