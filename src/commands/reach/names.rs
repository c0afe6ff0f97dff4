//! Names on the command line: `Kind/namespace/name`, shorter where that is enough, `internet`, `nodes`, or addresses.

use super::output;
use super::strangers::Strangers;
use purlin::analyze::Facts;
use purlin::analyze::network::reach::ask::Party;
use purlin::analyze::network::reach::party;
use purlin::analyze::network::reach::party::{Named, block};
use purlin::analyze::network::reach::stranger::Stranger;
use purlin::analyze::selection::services::Service;
use purlin::api::kind::{Kind, WORKLOADS};
use purlin::api::ports::{PortSet, Ports, Protocol};
use purlin::model::Model;
use purlin::policy::closest;
use std::cell::RefCell;

/// Who is meant by names.
pub(super) struct Names<'f, 'd> {
    pub(super) model: &'f Model<'d>,
    pub(super) facts: &'f Facts<'d>,
    pub(super) strangers: Strangers<'d>,
    /// What is to be said of who was taken.
    said: RefCell<Vec<String>>,
}

impl<'f, 'd> Names<'f, 'd> {
    pub(super) fn new(model: &'f Model<'d>, facts: &'f Facts<'d>) -> Names<'f, 'd> {
        let said = RefCell::default();
        Names { model, facts, strangers: Strangers::new(facts), said }
    }

    /// What is to be said of who was taken, and whom nobody of the input is.
    pub(super) fn finish(self) -> (Vec<Stranger<'d>>, Vec<String>) {
        (self.strangers.into_all(), self.said.into_inner())
    }

    /// Who is meant by a name.
    pub(super) fn find(&self, name: &'d str) -> Result<Party, String> {
        self.one(name, party::named(self.model, self.facts, name))
    }

    /// Who is called by a name on some port.
    fn called(&self, name: &'d str, port: Option<&str>) -> Result<Party, String> {
        let number = port.and_then(|it| it.parse::<i64>().ok());
        let has_port = |service: &Service<'_>, _| {
            port.is_some()
                && service.ports.iter().any(|it| Some(it.port) == number || it.name == port)
        };
        let (named, other) = party::called(self.model, self.facts, name, has_port);
        let party = self.one(name, named)?;
        if let Some(other) = other {
            let of = |it: &Party| output::party(self.model, self.facts, it);
            let (taken, other) = (of(&party), of(&other));
            self.said
                .borrow_mut()
                .push(format!("`{name}` is taken for {taken}; there is {other}, too"));
        }
        Ok(party)
    }

    fn one(&self, name: &'d str, named: Named) -> Result<Party, String> {
        match named {
            Named::One(it) => Ok(it),
            Named::Nobody => match self.strangers.find(self.facts, name)? {
                Some(it) => Ok(Party::Stranger(it)),
                None => Err(self.unknown(name)),
            },
            Named::Several(all) => {
                let names = all.iter().take(6).map(|it| self.model.object(*it).to_string());
                let names: Vec<_> = names.collect();
                Err(format!("`{name}` may be any of {}", names.join(", ")))
            }
        }
    }

    fn unknown(&self, name: &str) -> String {
        let last = name.rsplit('/').next().unwrap_or(name);
        let all: Vec<_> = party::everybody(self.facts).collect();
        let near = closest(last, all.iter().map(|it| it.2));
        let near = near.and_then(|near| all.iter().find(|it| it.2 == near));
        let hint = match near {
            Some(it) => format!("; did you mean `{}`?", self.model.object(it.0)),
            None => "; a name is `Kind/namespace/name`, `Namespace/name`, `namespace/label=value`, `internet`, `nodes`, an address or a block of addresses".into(),
        };
        // Whoever may not list a kind does not see its objects.
        let coverage = self.model.loaded.coverage.as_ref();
        let mut kinds = WORKLOADS.iter().chain([&Kind::Service]);
        let lack = coverage.and_then(|it| kinds.find_map(|kind| it.lack_of(kind.name())));
        let hint = lack.map_or(hint, |it| format!("; it cannot be told {it}"));
        format!("no workload or Service of the input is called `{name}`{hint}")
    }

    /// Who is meant, and which of the ports: `name:port/protocol`, the last two left out at will.
    pub(super) fn destination(&self, text: &'d str) -> Result<(Party, PortSet), String> {
        let mut rest = text;
        let mut protocol = None;
        if let Some((before, last)) = rest.rsplit_once('/')
            && let Some(found) = Protocol::parse(&last.to_ascii_uppercase())
        {
            protocol = Some(found);
            rest = before;
        }
        let (name, port) = match rest.rsplit_once(':') {
            // Addresses of version 6 have colons of their own.
            Some((name, port)) if block(rest).is_none() => (name, Some(port)),
            _ => (rest, None),
        };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let party = self.called(name, port)?;
        let Some(port) = port else {
            let every = protocol.map(|it| [Ports::every(it)].into_iter().collect());
            return Ok((party, every.unwrap_or_else(PortSet::all)));
        };
        let ports = match port.parse::<u16>() {
            Ok(0) => return Err("port 0 is none: ports go from 1 to 65535".into()),
            Ok(number) => {
                [Ports::one(protocol.unwrap_or(Protocol::Tcp), number)].into_iter().collect()
            }
            Err(_) if port.bytes().all(|it| it.is_ascii_digit()) => {
                return Err(format!("port {port} is none: ports go from 1 to 65535"));
            }
            Err(_) if port.contains('/') => {
                return Err(format!("`{port}` is no port: a protocol is TCP, UDP or SCTP"));
            }
            Err(_) => self.named(&party, port, protocol)?,
        };
        Ok((party, ports))
    }

    /// The ports of this name.
    fn named(
        &self,
        party: &Party,
        name: &str,
        protocol: Option<Protocol>,
    ) -> Result<PortSet, String> {
        let all: Vec<(Option<&str>, i64, &str)> = match party {
            Party::Workload(it) => {
                self.facts.ports(*it).iter().map(|it| (it.name, it.number, it.protocol)).collect()
            }
            Party::Service(it) => {
                let ports = self.facts.services().get(*it).ports.iter();
                ports.map(|it| (it.name, it.port, it.protocol)).collect()
            }
            _ => Vec::new(),
        };
        let found: PortSet = all
            .iter()
            .filter(|it| it.0 == Some(name))
            .filter_map(|it| Some(Ports::one(Protocol::parse(it.2)?, u16::try_from(it.1).ok()?)))
            .filter(|it| protocol.is_none_or(|protocol| it.protocol == protocol))
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let hint = closest(name, all.iter().filter_map(|it| it.0));
        let hint = hint.map(|it| format!("; did you mean `{it}`?")).unwrap_or_default();
        Err(format!("no port there is called `{name}`{hint}"))
    }
}
