//! A relay of connections, so that a test can lead them elsewhere, cut them, and hold them up without a word.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// Hands each connection to the next of some servers, as a Service does. Its threads end with the test binary.
pub(crate) struct Relay {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    servers: Mutex<Vec<SocketAddr>>,
    open: Mutex<Vec<TcpStream>>,
    taken: AtomicUsize,
    is_held: Mutex<bool>,
    released: Condvar,
}

impl Relay {
    /// To these servers, in turn.
    pub(crate) fn to(servers: &[SocketAddr]) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let relay = Relay { port, shared: shared.clone() };
        relay.lead_to(servers);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                shared.pass_on(near);
            }
        });
        relay
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Hands new connections to other servers; those that are open stay where they are.
    pub(crate) fn lead_to(&self, servers: &[SocketAddr]) {
        *self.shared.servers.lock().unwrap() = servers.to_vec();
    }

    /// Breaks off every connection.
    pub(crate) fn cut(&self) {
        for it in self.shared.open.lock().unwrap().drain(..) {
            // One that has ended by itself cannot be shut down.
            let _ = it.shutdown(Shutdown::Both);
        }
    }

    /// Passes nothing on any more, and says nothing of it.
    pub(crate) fn hold(&self) {
        *self.shared.is_held.lock().unwrap() = true;
    }

    /// Passes on what was held up.
    pub(crate) fn release(&self) {
        *self.shared.is_held.lock().unwrap() = false;
        self.shared.released.notify_all();
    }

    /// How many connections it has taken.
    pub(crate) fn taken(&self) -> usize {
        self.shared.taken.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn pass_on(self: &Arc<Shared>, near: TcpStream) {
        self.wait_while_held();
        let servers = self.servers.lock().unwrap().clone();
        let turn = self.taken.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..servers.len()).map(|it| servers[(turn + it) % servers.len()]);
        // Where nobody listens, the next one is asked; where none is left, the connection ends here.
        let Some(far) = in_turn.filter_map(|it| TcpStream::connect(it).ok()).next() else { return };
        for it in [&near, &far] {
            it.set_nodelay(true).unwrap();
        }
        let copy = |it: &TcpStream| it.try_clone().unwrap();
        self.open.lock().unwrap().extend([copy(&near), copy(&far)]);
        for (mut from, mut to) in [(copy(&near), copy(&far)), (far, near)] {
            let shared = self.clone();
            std::thread::spawn(move || {
                if shared.copy(&mut from, &mut to).is_err() {
                    let _ = from.shutdown(Shutdown::Both);
                }
                let _ = to.shutdown(Shutdown::Write);
            });
        }
    }

    fn copy(&self, from: &mut TcpStream, to: &mut TcpStream) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = from.read(&mut buffer)?;
            if length == 0 {
                return Ok(());
            }
            self.wait_while_held();
            to.write_all(&buffer[..length])?;
        }
    }

    fn wait_while_held(&self) {
        let held = self.is_held.lock().unwrap();
        drop(self.released.wait_while(held, |it| *it).unwrap());
    }
}
