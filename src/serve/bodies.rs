//! The bodies of reviews on their way: together they take no more memory than there is, and nobody takes all of it.
//!
//! What is large has to have its room before it is read, and waits for it. Callers without a certificate, all that come
//! from one address together, may have as much as is free then: so one of them gets half of the room, two get a third
//! each, and for somebody else there is always as much again.

use super::peers::Peer;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The room for large bodies. What is read of one may take ten times as much, and the pod has 512 MiB.
const ROOM: usize = 32 * 1024 * 1024;

/// Up to how many bytes a body needs no room of its own: the number of connections bounds these.
pub(super) const SMALL: usize = 32 * 1024;

/// The bodies that have their room.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    held: Mutex<Vec<(Arc<Peer>, usize)>>,
    freed: Notify,
}

/// Room for a body, until this is dropped.
#[derive(Debug)]
pub(super) struct Room<'b> {
    bodies: &'b Bodies,
    peer: Arc<Peer>,
}

impl Bodies {
    fn held(&self) -> MutexGuard<'_, Vec<(Arc<Peer>, usize)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room for a body of this size.
    pub(super) async fn room(&self, peer: &Arc<Peer>, bytes: usize) -> Room<'_> {
        loop {
            let freed = self.freed.notified();
            if let Some(room) = self.take(peer, bytes) {
                return room;
            }
            freed.await;
        }
    }

    fn take(&self, peer: &Arc<Peer>, bytes: usize) -> Option<Room<'_>> {
        let mut held = self.held();
        let all: usize = held.iter().map(|it| it.1).sum();
        let free = ROOM.checked_sub(all + bytes)?;
        let own = held.iter().filter(|it| it.0.address == peer.address).map(|it| it.1);
        if own.sum::<usize>() + bytes > free && !peer.is_certified() {
            return None;
        }
        held.push((peer.clone(), bytes));
        Some(Room { bodies: self, peer: peer.clone() })
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.bodies.held().retain(|it| !Arc::ptr_eq(&it.0, &self.peer));
        self.bodies.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    const LARGE: usize = 7 * 1024 * 1024;

    fn peer(last: u8) -> Arc<Peer> {
        Arc::new(Peer::new(IpAddr::from([10, 0, 0, last])))
    }

    #[tokio::test]
    async fn whoever_takes_what_is_there_leaves_as_much() {
        let bodies = Bodies::default();
        let mut hostile = Vec::new();
        for address in [1, 1, 1, 2, 2, 3, 3] {
            hostile.extend(bodies.take(&peer(address), LARGE));
        }
        assert_eq!(hostile.len(), 3, "two of the first address, and one of the second");
        assert!(bodies.take(&peer(9), 4 * 1024 * 1024).is_some());
        let server = peer(9);
        server.certify();
        assert!(bodies.take(&server, LARGE).is_some(), "all of the rest");
        assert!(bodies.take(&peer(1), LARGE).is_none());
        drop(hostile);
        let room = bodies.room(&peer(1), LARGE).await;
        drop(room);
        assert!(bodies.held().is_empty());
    }
}
