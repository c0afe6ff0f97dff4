//! What network policies allow, as flows, and what Ingresses serve, as routes.

use super::components::Names;
use super::write::{Map, Value, scalar};
use crate::analyze::Facts;
use crate::analyze::network::access::{Caller, callers, is_let_in_by_name};
use crate::analyze::network::policies::Direction;
use crate::analyze::network::reach::Verdict;
use crate::analyze::network::reach::ask::{Party, Question};
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::ports::{PortSet, Ports, Protocol};
use crate::architecture::served::served;
use crate::intended_flows::{End, Flow, undeclared};
use crate::model::Model;
use crate::policy::DeclaredFlow;
use std::collections::{BTreeMap, BTreeSet};

/// By caller and callee, on which ports.
type ByCaller = BTreeMap<String, BTreeMap<String, BTreeSet<Ports>>>;

/// Who may call whom, by the caller. Where no policy isolates anybody, everybody may, and that is not worth a list.
pub(super) fn flows(facts: &Facts<'_>, names: &Names) -> Map {
    let mut map = Map::default();
    let reach = facts.reach();
    let is_isolated = |id: &WorkloadId| {
        let end = reach.of_workload(*id);
        end.is_some_and(|end| {
            [Direction::Ingress, Direction::Egress].iter().any(|way| reach.is_decided(*way, end))
        })
    };
    if !names.ids().any(|it| is_isolated(&it)) {
        return map;
    }
    // What runs beside the components has ends as well.
    let is_near = |it: &&Workload<'_>| names.namespaces().any(|own| own == it.namespace);
    let own = facts.workloads().iter().filter(is_near).map(|it| it.id);
    let own: Vec<WorkloadId> = own.collect();
    // What would be undeclared if each only had itself to call is all that there is.
    let declared = DeclaredFlow::default();
    let alone = own.iter().map(|id| {
        let party = Party::Workload(*id);
        Flow { declared: &declared, from: party, to: party, ports: PortSet::default() }
    });
    let alone: Vec<_> = alone.collect();
    let mut by_caller: ByCaller = BTreeMap::new();
    for it in undeclared(facts, &alone, |_| false).undeclared {
        if it.to.is_some_and(|to| facts.dns().is_server(to)) {
            continue;
        }
        let (from, to) = (called(facts, names, it.from), called(facts, names, it.to));
        let ports = it.ports.iter().filter(|it| !is_any(it));
        by_caller.entry(from).or_default().entry(to).or_default().extend(ports);
    }
    from_elsewhere(facts, names, &mut by_caller);
    let asks: Vec<_> = names.ids().filter(|it| asks_names(facts, *it)).collect();
    if asks.len() == names.ids().count() {
        by_caller.entry("*".into()).or_default().entry("dns".into()).or_default();
    } else {
        for id in asks {
            let from = called(facts, names, Some(id));
            by_caller.entry(from).or_default().entry("dns".into()).or_default();
        }
    }
    for (from, to) in by_caller {
        let entries = to.into_iter().map(|(to, ports)| {
            let mut entry = Map::default();
            entry.add("to", scalar(&to));
            if !ports.is_empty() {
                let ports = ports.iter().map(|it| it.to_string().replace("/TCP", ""));
                entry.add("ports", Value::Items(ports.collect()));
            }
            entry.add("observed", Value::True);
            entry
        });
        map.add(&from, Value::List(entries.collect()));
    }
    map
}

/// What serves routes and what scrapes, where the input does not hold them and policies let them in by their namespaces.
fn from_elsewhere(facts: &Facts<'_>, names: &Names, by_caller: &mut ByCaller) {
    for (caller, from) in [(Caller::Controller, "ingress"), (Caller::Prometheus, "monitoring")] {
        if !callers(facts, caller).is_empty() {
            continue;
        }
        for id in names.ids() {
            let own = facts.ports(id).iter().filter(|it| it.protocol == "TCP");
            let own = own.filter_map(|it| u16::try_from(it.number).ok());
            let open = own.filter(|it| is_let_in_by_name(facts, caller, id, (Protocol::Tcp, *it)));
            let open = open.map(|it| Ports::one(Protocol::Tcp, it));
            let to = called(facts, names, Some(id));
            // What is open to everybody is open to them.
            let of_all = by_caller.get("internet").and_then(|it| it.get(&to));
            let open = open.filter(|it| of_all.is_none_or(|all| !all.contains(it)));
            let open: BTreeSet<Ports> = open.collect();
            if !open.is_empty() {
                by_caller.entry(from.into()).or_default().entry(to).or_default().extend(open);
            }
        }
    }
}

/// Whether ports are all that a protocol has.
fn is_any(ports: &Ports) -> bool {
    ports.first <= 1 && ports.last == u16::MAX
}

/// Whether a workload may ask the name service, as far as its pods are in the input.
fn asks_names(facts: &Facts<'_>, from: WorkloadId) -> bool {
    let mut servers = facts.workloads().iter().filter(|it| facts.dns().is_server(it.id)).peekable();
    if servers.peek().is_none() {
        return true;
    }
    let ports: PortSet = [Ports::one(Protocol::Udp, 53)].into_iter().collect();
    servers.any(|it| {
        let (from, to) = (Party::Workload(from), Party::Workload(it.id));
        let question = Question { from, to, ports: ports.clone() };
        facts.reach().ask(facts, &question).verdict() == Verdict::Allow
    })
}

/// A component by its name, anybody else by namespace and name.
fn called(facts: &Facts<'_>, names: &Names, end: End) -> String {
    let Some(id) = end else { return "internet".into() };
    match names.of(id) {
        Some(name) => name.to_string(),
        None => {
            let workload = facts.workloads().get(id);
            format!("{}/{}", workload.namespace, workload.name)
        }
    }
}

/// What Ingresses and HTTPRoutes serve of the components.
pub(super) fn routes<'d>(model: &Model<'d>, facts: &Facts<'d>, names: &Names) -> Vec<Map> {
    let mut all: BTreeMap<(String, String), (String, Option<i64>)> = BTreeMap::new();
    for it in served(model, facts) {
        let to = it.to.iter().find_map(|(id, port)| Some((names.of(*id)?.to_string(), *port)));
        let Some(to) = to else { continue };
        all.entry((it.host.to_string(), it.path.to_string())).or_insert(to);
    }
    let routes = all.into_iter().map(|((host, path), (to, port))| {
        let mut route = Map::default();
        if !host.is_empty() {
            route.add("host", scalar(&host));
        }
        route.add("path", scalar(&path));
        route.add("to", scalar(&to));
        if let Some(port) = port {
            route.add("port", scalar(&port.to_string()));
        }
        route.add("observed", Value::True);
        route
    });
    routes.collect()
}
