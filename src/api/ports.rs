//! Ports of the three protocols as sorted, disjoint ranges on one line: a protocol's number above the port's.

use std::fmt;

/// What a policy can tell apart; it says nothing of other protocols (ICMP).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// All three.
    pub const ALL: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];

    /// As manifests write it.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Sctp => "SCTP",
        }
    }

    /// The protocol of this name.
    pub fn parse(name: &str) -> Option<Protocol> {
        Protocol::ALL.into_iter().find(|it| it.name() == name)
    }

    fn point(self, port: u16) -> u32 {
        (self as u32) << 16 | u32::from(port)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Ports of one protocol, the first and the last included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ports {
    /// Of which protocol.
    pub protocol: Protocol,
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl Ports {
    /// One port.
    pub fn one(protocol: Protocol, port: u16) -> Ports {
        Ports { protocol, first: port, last: port }
    }

    /// Every port of a protocol.
    pub fn every(protocol: Protocol) -> Ports {
        Ports { protocol, first: 1, last: u16::MAX }
    }

    /// Whether it is every port of its protocol.
    pub fn is_every(&self) -> bool {
        self.first <= 1 && self.last == u16::MAX
    }

    /// The part of a run of points that belongs to a protocol. Port 0, which nothing uses, goes with port 1, so that
    /// every port of all protocols is one run.
    fn within(protocol: Protocol, (first, last): (u32, u32)) -> Option<Ports> {
        let first = first.max(protocol.point(0));
        let last = last.min(protocol.point(u16::MAX));
        (first <= last).then_some(Ports {
            protocol,
            first: (first as u16).max(1),
            last: last as u16,
        })
    }

    fn points(self) -> (u32, u32) {
        let first = if self.first <= 1 { 0 } else { self.first };
        (self.protocol.point(first), self.protocol.point(self.last))
    }
}

/// `5432/TCP`, `8000-8080/TCP`, `every port/UDP`.
impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_every(), self.first == self.last) {
            (true, _) => write!(f, "every port/{}", self.protocol),
            (_, true) => write!(f, "{}/{}", self.first, self.protocol),
            _ => write!(f, "{}-{}/{}", self.first, self.last, self.protocol),
        }
    }
}

/// A set of ports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PortSet {
    /// Sorted, disjoint, and none next to another.
    ranges: Vec<(u32, u32)>,
}

impl PortSet {
    /// Every port of every protocol.
    pub fn all() -> PortSet {
        Protocol::ALL.into_iter().map(Ports::every).collect()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether it has every port of every protocol.
    pub fn is_all(&self) -> bool {
        self.iter().filter(Ports::is_every).count() == Protocol::ALL.len()
    }

    /// Its ranges, in order.
    pub fn iter(&self) -> impl Iterator<Item = Ports> {
        let each = Protocol::ALL.into_iter();
        each.flat_map(|protocol| {
            self.ranges.iter().filter_map(move |it| Ports::within(protocol, *it))
        })
    }

    /// Whether it has this port.
    pub fn has(&self, protocol: Protocol, port: u16) -> bool {
        let point = protocol.point(port);
        let after = self.ranges.partition_point(|(_, last)| *last < point);
        self.ranges.get(after).is_some_and(|(first, _)| *first <= point)
    }

    /// Those that are in both.
    pub fn and(&self, other: &PortSet) -> PortSet {
        let mut ranges = Vec::new();
        let (mut a, mut b) = (0, 0);
        while let (Some(x), Some(y)) = (self.ranges.get(a), other.ranges.get(b)) {
            let (first, last) = (x.0.max(y.0), x.1.min(y.1));
            if first <= last {
                ranges.push((first, last));
            }
            if x.1 < y.1 {
                a += 1;
            } else {
                b += 1;
            }
        }
        PortSet { ranges }
    }

    /// Those that are in this and not in the other.
    pub fn without(&self, other: &PortSet) -> PortSet {
        let mut ranges = Vec::new();
        let mut b = 0;
        for &(mut first, last) in &self.ranges {
            while other.ranges.get(b).is_some_and(|it| it.1 < first) {
                b += 1;
            }
            let mut at = b;
            while let Some(gone) = other.ranges.get(at).filter(|it| it.0 <= last) {
                if first < gone.0 {
                    ranges.push((first, gone.0 - 1));
                }
                first = gone.1 + 1;
                at += 1;
            }
            if first <= last {
                ranges.push((first, last));
            }
        }
        PortSet { ranges }
    }
}

impl Extend<Ports> for PortSet {
    fn extend<T: IntoIterator<Item = Ports>>(&mut self, more: T) {
        self.ranges.extend(more.into_iter().map(Ports::points));
        self.ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(self.ranges.len());
        for &(first, last) in &self.ranges {
            match merged.last_mut() {
                Some(it) if first <= it.1 + 1 => it.1 = it.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        self.ranges = merged;
    }
}

impl FromIterator<Ports> for PortSet {
    fn from_iter<T: IntoIterator<Item = Ports>>(ports: T) -> PortSet {
        let mut set = PortSet::default();
        set.extend(ports);
        set
    }
}

/// A value for every port of every protocol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortMap<V> {
    /// Where a run of one value begins, and the value; sorted, the first at the first port.
    runs: Vec<(u32, V)>,
}

/// The first point of the line, and one past the last.
const LINE: (u32, u32) = (0, 3 << 16);

impl<V: Copy + Eq> PortMap<V> {
    /// One value for all.
    pub fn of(value: V) -> PortMap<V> {
        PortMap { runs: vec![(LINE.0, value)] }
    }

    /// Another value on these ports.
    pub fn set(&mut self, ports: &PortSet, value: V) {
        if ports.is_empty() {
            return;
        }
        let mut runs = Vec::with_capacity(self.runs.len() + 2 * ports.ranges.len());
        let mut put = |first: u32, value: V| match runs.last() {
            Some((_, last)) if *last == value => {}
            _ => runs.push((first, value)),
        };
        let mut ranges = ports.ranges.iter().peekable();
        for (at, &(first, old)) in self.runs.iter().enumerate() {
            let end = self.runs.get(at + 1).map_or(LINE.1, |it| it.0);
            let mut from = first;
            while from < end {
                while ranges.next_if(|it| it.1 < from).is_some() {}
                let (until, now) = match ranges.peek() {
                    Some(it) if it.0 <= from => (it.1 + 1, value),
                    Some(it) => (it.0, old),
                    None => (end, old),
                };
                put(from, now);
                from = until.min(end);
            }
        }
        self.runs = runs;
    }

    /// What two maps give together.
    pub fn with<W: Copy + Eq, X: Copy + Eq>(
        &self,
        other: &PortMap<W>,
        both: impl Fn(V, W) -> X,
    ) -> PortMap<X> {
        let mut runs: Vec<(u32, X)> = Vec::with_capacity(self.runs.len().max(other.runs.len()));
        let (mut a, mut b, mut from) = (0, 0, LINE.0);
        loop {
            let value = both(self.runs[a].1, other.runs[b].1);
            if runs.last().is_none_or(|it| it.1 != value) {
                runs.push((from, value));
            }
            let next_a = self.runs.get(a + 1).map_or(LINE.1, |it| it.0);
            let next_b = other.runs.get(b + 1).map_or(LINE.1, |it| it.0);
            from = next_a.min(next_b);
            if from == LINE.1 {
                return PortMap { runs };
            }
            a += usize::from(next_a == from);
            b += usize::from(next_b == from);
        }
    }

    /// The value of a port.
    pub fn get(&self, protocol: Protocol, port: u16) -> V {
        let point = protocol.point(port.max(1));
        self.runs[self.runs.partition_point(|it| it.0 <= point) - 1].1
    }

    /// The value that all ports have, if it is one.
    pub fn uniform(&self) -> Option<V> {
        Some(self.runs[0].1).filter(|_| self.runs.len() == 1)
    }

    /// The ranges of each protocol with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Ports, V)> {
        Protocol::ALL.into_iter().flat_map(move |protocol| {
            let (start, stop) = Ports::every(protocol).points();
            let begin = self.runs.partition_point(|it| it.0 <= start) - 1;
            let end = self.runs.partition_point(|it| it.0 <= stop);
            (begin..end).filter_map(move |at| {
                let last = self.runs.get(at + 1).map_or(LINE.1, |it| it.0) - 1;
                let (first, value) = self.runs[at];
                Some((Ports::within(protocol, (first, last))?, value))
            })
        })
    }

    /// The ports that have a value.
    pub fn ports(&self, is_it: impl Fn(V) -> bool) -> PortSet {
        self.iter().filter(|(_, value)| is_it(*value)).map(|(ports, _)| ports).collect()
    }
}
