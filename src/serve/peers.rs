//! Who is connected, and whose connection goes where there is no room for another.
//!
//! The API server keeps its connections and asks again and again; whoever opens many and asks nothing has most of them
//! at one address and fewest requests on each. So when all places are taken the newest caller gets one, and it is the
//! address with the most connections that loses one, of these the one that asked least and has been silent longest. A
//! caller that has shown a certificate goes before all that have not.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// From its first byte to the end of a request's head, handshake included.
    pub(super) head: Duration,
    /// From an answer to its next request.
    pub(super) idle: Duration,
    /// For the body of a request, and on top of that a second for each of so many bytes that have come.
    pub(super) body: (Duration, u64),
}

impl Default for Limits {
    fn default() -> Limits {
        let seconds = Duration::from_secs;
        Limits { head: seconds(10), idle: seconds(120), body: (seconds(3), 512 * 1024) }
    }
}

/// For how long a client keeps its place whatever it does.
const GRACE: Duration = Duration::from_millis(500);

/// What a client does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// It sends the head of a request, or greets.
    Sending,
    /// It sends the body of a request.
    Body,
    /// It waits for room for the body of a request.
    Queued,
    /// It waits for us.
    Waiting,
    /// Nothing.
    Nothing,
}

/// A client, by its connection.
#[derive(Debug)]
pub(super) struct Peer {
    /// Its address; of IPv6 the network, of which one client has all addresses.
    pub(super) address: IpAddr,
    is_certified: AtomicBool,
    /// How many reviews of its address are under way.
    reviews: OnceLock<Arc<AtomicUsize>>,
    state: Mutex<State>,
    end: Notify,
}

/// A review that is under way, until this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay<'p>(&'p AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct State {
    doing: Doing,
    since: Instant,
    /// How many bytes came of a body.
    received: u64,
    /// How many requests were answered.
    answered: u64,
}

impl Peer {
    pub(super) fn new(address: IpAddr) -> Peer {
        let address = match address.to_canonical() {
            IpAddr::V6(it) => Ipv6Addr::from_bits(it.to_bits() & (u128::MAX << 64)).into(),
            address => address,
        };
        let doing = Doing::Sending;
        let state = State { doing, since: Instant::now(), received: 0, answered: 0 };
        let (state, end) = (Mutex::new(state), Notify::new());
        let (is_certified, reviews) = (AtomicBool::new(false), OnceLock::new());
        Peer { address, is_certified, reviews, state, end }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what it does from now on.
    pub(super) fn now(&self, doing: Doing) {
        let mut it = self.state();
        it.answered += u64::from(doing == Doing::Nothing);
        (it.doing, it.since, it.received) = (doing, Instant::now(), 0);
    }

    /// Says that bytes came.
    pub(super) fn received(&self, bytes: usize) {
        let mut it = self.state();
        match it.doing {
            Doing::Nothing => (it.doing, it.since) = (Doing::Sending, Instant::now()),
            Doing::Body => it.received += bytes as u64,
            Doing::Sending | Doing::Queued | Doing::Waiting => {}
        }
    }

    /// Says that it has shown a certificate that we ask for.
    pub(super) fn certify(&self) {
        self.is_certified.store(true, Ordering::Relaxed);
    }

    /// Whether it has.
    pub(super) fn is_certified(&self) -> bool {
        self.is_certified.load(Ordering::Relaxed)
    }

    /// Takes up a review where so many places are free, unless those that come from its address have three times as many
    /// already: who is many leaves places for others. Who has shown a certificate may always.
    pub(super) fn review(&self, free: usize) -> Option<UnderWay<'_>> {
        let reviews = self.reviews.get_or_init(Arc::default);
        let before = reviews.fetch_add(1, Ordering::Relaxed);
        let under_way = UnderWay(reviews);
        (before < 3 * free || self.is_certified()).then_some(under_way)
    }

    /// Whether it takes longer than it may.
    pub(super) fn is_too_slow(&self, limits: &Limits) -> bool {
        let it = self.state();
        let age = it.since.elapsed();
        match it.doing {
            Doing::Sending => age > limits.head,
            Doing::Body => {
                let (grace, rate) = limits.body;
                age > grace + Duration::from_secs_f64(it.received as f64 / rate as f64)
            }
            Doing::Queued | Doing::Waiting => false,
            Doing::Nothing => age > limits.idle,
        }
    }

    /// Has its connection end.
    pub(super) fn end(&self) {
        self.end.notify_one();
    }

    /// Waits until its connection is to end.
    pub(super) async fn ended(&self) {
        self.end.notified().await;
    }
}

/// Those who are connected.
#[derive(Debug)]
pub(super) struct Peers {
    most: usize,
    open: Mutex<Vec<Arc<Peer>>>,
}

impl Peers {
    /// At most so many.
    pub(super) fn new(most: usize) -> Peers {
        Peers { most, open: Mutex::default() }
    }

    fn open(&self) -> MutexGuard<'_, Vec<Arc<Peer>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a client in, and has another one go where there is no room; false if nobody can go now.
    pub(super) fn admit(&self, peer: &Arc<Peer>) -> bool {
        let mut open = self.open();
        if open.len() >= self.most {
            let Some(at) = weakest(&open) else { return false };
            open.swap_remove(at).end();
        }
        let neighbour = open.iter().find(|it| it.address == peer.address);
        let reviews = neighbour.and_then(|it| it.reviews.get().cloned()).unwrap_or_default();
        // Nobody has asked for it before it is let in.
        let _ = peer.reviews.set(reviews);
        open.push(peer.clone());
        true
    }

    /// Lets a client go.
    pub(super) fn leave(&self, peer: &Arc<Peer>) {
        let mut open = self.open();
        if let Some(at) = open.iter().position(|it| Arc::ptr_eq(it, peer)) {
            open.swap_remove(at);
        }
    }
}

/// Who has to go where somebody has to; nobody who waits for us, or has not had the time to ask yet.
fn weakest(open: &[Arc<Peer>]) -> Option<usize> {
    let mut at_address: BTreeMap<IpAddr, usize> = BTreeMap::new();
    for it in open {
        *at_address.entry(it.address).or_default() += 1;
    }
    let rank = |it: &Peer| {
        let state = it.state();
        let age = state.since.elapsed();
        let is_free = state.doing != Doing::Waiting && age >= GRACE;
        let crowd = at_address.get(&it.address).copied().unwrap_or(0);
        is_free.then_some((!it.is_certified(), crowd, Reverse(state.answered), age))
    };
    let ranked = open.iter().enumerate().filter_map(|(at, it)| Some((rank(it)?, at)));
    ranked.max().map(|(_, at)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_crowd_loses_the_one_that_asked_least() {
        let peers = Peers::new(4);
        let peer = |last: u8, answered: u64| {
            let peer = Arc::new(Peer::new(IpAddr::from([10, 0, 0, last])));
            (0..answered).for_each(|_| peer.now(Doing::Nothing));
            // It has been silent for a while.
            peer.state().since = Instant::now().checked_sub(2 * GRACE).unwrap();
            peer
        };
        let is_open = |peer: &Arc<Peer>| peers.open().iter().any(|it| Arc::ptr_eq(it, peer));
        let (server, idle, busy, asking) = (peer(1, 1), peer(2, 0), peer(2, 9), peer(2, 5));
        assert!([&server, &idle, &busy, &asking].into_iter().all(|it| peers.admit(it)));
        busy.state().doing = Doing::Waiting;
        let (next, last) = (peer(3, 0), peer(4, 0));
        assert!(peers.admit(&next));
        assert!(!is_open(&idle) && [&server, &busy, &asking, &next].into_iter().all(is_open));
        assert!(peers.admit(&last));
        assert!(!is_open(&asking) && is_open(&busy), "who waits for us stays");
        // Of clients that are alike otherwise those without a certificate go.
        [&server, &last].into_iter().for_each(|it| it.certify());
        assert!(peers.admit(&peer(5, 0)));
        assert!(!is_open(&next) && is_open(&server) && is_open(&last));
        // Who has just come keeps its place.
        for it in peers.open().iter() {
            it.state().since = Instant::now();
        }
        assert!(!peers.admit(&peer(6, 0)));
    }

    #[test]
    fn who_is_many_leaves_places() {
        let peers = Peers::new(8);
        let peer = |last: u8| {
            let peer = Arc::new(Peer::new(IpAddr::from([10, 0, 0, last])));
            assert!(peers.admit(&peer));
            peer
        };
        let (first, second, other) = (peer(1), peer(1), peer(2));
        let _three = [&first, &second, &first].map(|it| it.review(1).unwrap());
        assert!(second.review(1).is_none() && second.review(2).is_some());
        assert!(other.review(1).is_some());
        assert!(other.review(0).is_none());
    }

    #[test]
    fn a_network_is_one_client_to_us() {
        let address = |text: &str| Peer::new(text.parse().unwrap()).address;
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:2"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
    }

    #[test]
    fn a_body_has_to_come_at_some_pace() {
        let limits = Limits { body: (Duration::from_millis(20), 1000), ..Limits::default() };
        let peer = Peer::new(IpAddr::from([127, 0, 0, 1]));
        peer.now(Doing::Body);
        std::thread::sleep(Duration::from_millis(30));
        assert!(peer.is_too_slow(&limits));
        peer.received(10_000);
        assert!(!peer.is_too_slow(&limits));
        peer.now(Doing::Waiting);
        std::thread::sleep(Duration::from_millis(30));
        assert!(!peer.is_too_slow(&limits), "it waits for us");
    }
}
