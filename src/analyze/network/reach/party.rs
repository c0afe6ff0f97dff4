//! Who is meant by a name: `Kind/namespace/name`, shorter where that is enough, `internet`, `nodes`, or addresses.

use super::ask::Party;
use crate::analyze::Facts;
use crate::analyze::network::policies::parse_cidr;
use crate::analyze::selection::services::Service;
use crate::analyze::selection::workloads::WorkloadId;
use crate::model::{Model, ObjId};
use ipnet::IpNet;
use rustc_hash::FxHashMap;
use std::net::IpAddr;

/// What a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// This.
    One(Party),
    /// Nobody of the input.
    Nobody,
    /// One of these.
    Several(Vec<ObjId>),
}

/// Everybody of the input who has a name.
pub fn everybody<'d>(facts: &Facts<'d>) -> impl Iterator<Item = (ObjId, &'d str, &'d str, Party)> {
    let workloads = facts.workloads().iter();
    let workloads = workloads.map(|it| (it.object, it.namespace, it.name, Party::Workload(it.id)));
    let services = facts.services().iter();
    let services = services.map(|it| (it.object, it.namespace, it.name, Party::Service(it.id)));
    workloads.chain(services).collect::<Vec<_>>().into_iter()
}

/// Everybody of the input by the last part of the name, workloads first.
#[derive(Debug, Default)]
pub(in crate::analyze) struct Parties<'d> {
    by_name: FxHashMap<&'d str, Vec<(ObjId, &'d str, &'d str, Party)>>,
}

impl<'d> Parties<'d> {
    /// Files them all.
    pub(in crate::analyze) fn new(facts: &Facts<'d>) -> Parties<'d> {
        let mut parties = Parties::default();
        for it in everybody(facts) {
            parties.by_name.entry(it.2).or_default().push(it);
        }
        parties
    }
}

/// Who is meant. A Service is often called as the workload behind it: the workload is meant, unless it is said otherwise.
pub fn named(model: &Model<'_>, facts: &Facts<'_>, name: &str) -> Named {
    match name.to_ascii_lowercase().as_str() {
        "internet" => return Named::One(Party::Internet),
        "nodes" => return Named::One(Party::Nodes),
        _ => {}
    }
    if let Some(block) = block(name) {
        return Named::One(Party::Block(block));
    }
    let parts: Vec<&str> = name.split('/').collect();
    let fits = |(object, namespace, own, _): &(ObjId, &str, &str, Party)| {
        let is_kind = |kind: &str| kind.eq_ignore_ascii_case(model.object(*object).kind_name);
        match parts.as_slice() {
            [one] => own == one,
            [first, last] => own == last && (is_kind(first) || namespace == first),
            [a, b, c] => is_kind(a) && namespace == b && own == c,
            _ => false,
        }
    };
    let last = parts.last().copied().unwrap_or_default();
    let of_name = facts.parties().by_name.get(last).into_iter().flatten().copied();
    let found: Vec<_> = of_name.filter(fits).collect();
    let workloads = found.iter().filter(|it| matches!(it.3, Party::Workload(_)));
    match (workloads.collect::<Vec<_>>().as_slice(), found.as_slice()) {
        ([one], _) => Named::One(one.3),
        ([], [one]) => Named::One(one.3),
        ([], []) => Named::Nobody,
        (_, several) => Named::Several(several.iter().map(|it| it.0).collect()),
    }
}

/// Who is called by a name and a port: where a Service and the workload behind it have one name, the Service if the port
/// is its, and the workload otherwise. With it comes the other one.
pub fn called(
    model: &Model<'_>,
    facts: &Facts<'_>,
    name: &str,
    is_of_service: impl Fn(&Service<'_>, WorkloadId) -> bool,
) -> (Named, Option<Party>) {
    let named = named(model, facts, name);
    let Named::One(Party::Workload(id)) = named else { return (named, None) };
    let workload = facts.workloads().get(id);
    let kind = model.object(workload.object).kind_name;
    // Whoever says the kind, means it.
    if name.split('/').next().is_some_and(|it| name.contains('/') && it.eq_ignore_ascii_case(kind))
    {
        return (named, None);
    }
    let Some(service) = facts.services().find(workload.namespace, workload.name) else {
        return (named, None);
    };
    match is_of_service(service, id) {
        true => (Named::One(Party::Service(service.id)), Some(Party::Workload(id))),
        false => (named, Some(Party::Service(service.id))),
    }
}

/// A block of addresses, or one address.
pub fn block(text: &str) -> Option<IpNet> {
    parse_cidr(text).or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
