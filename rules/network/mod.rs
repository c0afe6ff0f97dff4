//! Who may talk to whom.

use crate::rule::Rule;

mod default_allow_cancels_deny;
mod default_deny_missing;
mod egress_without_dns;
mod exposed_node_port;
mod flow_missing;
mod flow_names_nothing;
mod flow_undeclared;
mod half_open_flow;
mod health_check_opens_port;
mod ingress_cut_off;
mod invalid_network_policy;
mod members_cut_off;
mod pod_not_isolated;
mod policy_peer_matches_nothing;
mod policy_port_is_service_port;
mod policy_port_unused;
mod policy_selects_nothing;
mod scrape_cut_off;
mod service_cut_off;

/// The rules of this group, by id.
pub(super) const RULES: &[&Rule] = &[
    &default_allow_cancels_deny::RULE,
    &default_deny_missing::RULE,
    &egress_without_dns::RULE,
    &exposed_node_port::RULE,
    &flow_missing::RULE,
    &flow_names_nothing::RULE,
    &flow_undeclared::RULE,
    &half_open_flow::RULE,
    &health_check_opens_port::RULE,
    &ingress_cut_off::RULE,
    &invalid_network_policy::RULE,
    &members_cut_off::RULE,
    &pod_not_isolated::RULE,
    &policy_peer_matches_nothing::RULE,
    &policy_port_is_service_port::RULE,
    &policy_port_unused::RULE,
    &policy_selects_nothing::RULE,
    &scrape_cut_off::RULE,
    &service_cut_off::RULE,
];
