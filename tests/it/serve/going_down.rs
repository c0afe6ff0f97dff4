//! A rolling update: who goes down answers to the last, and nobody notices.

use super::client::{self, Connection};
use super::program::Program;
use super::requests::{budget, creation};
use super::setup::Setup;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Sends reviews to the first server that is ready, as a Service does, on a connection that is kept until the server
/// asks to close it. Any request that fails is a failure.
fn load(replicas: &[&Mutex<Program>], is_over: &AtomicBool, answered: &AtomicUsize) {
    let _over = Over(is_over);
    let review = creation(&budget("shop", "api", 1)).to_string();
    let mut open: Option<Connection> = None;
    while !is_over.load(Ordering::Relaxed) {
        let mut connection = open.take().unwrap_or_else(|| {
            let ready = replicas.iter().find_map(|it| {
                let program = it.lock().unwrap();
                let is_ready =
                    client::get(program.operations, "/readyz").is_ok_and(|it| it.status == 200);
                is_ready.then(|| program.connect())
            });
            ready.expect("one is ready at any time")
        });
        let answer = connection.post("/validate?timeout=30s", review.as_bytes()).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answered.fetch_add(1, Ordering::Relaxed);
        if answer.header("connection") != Some("close") {
            open = Some(connection);
        }
    }
}

/// Ends the load, also when an assertion fails.
pub(super) struct Over<'f>(pub(super) &'f AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn replicas_are_replaced_one_by_one_without_a_failed_request() {
    let setup = Setup::new(Vec::new());
    let start = |name: &str| {
        let mut program = setup.begin(name, &["--drain=2"]);
        program.wait_until_ready();
        program
    };
    let replicas = [Mutex::new(start("a0")), Mutex::new(start("b0"))];
    let (is_over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| load(&replicas.each_ref(), &is_over, &answered));
        }
        let _over = Over(&is_over);
        for (at, name) in ["a1", "b1"].iter().enumerate() {
            let before = answered.load(Ordering::Relaxed);
            let next = start(name);
            let mut old = {
                let mut place = replicas[at].lock().unwrap();
                place.signal("TERM");
                std::mem::replace(&mut *place, next)
            };
            let status = old.wait_for_end();
            assert!(status.success(), "{status}: {:?}", old.log().last());
            let is_whole =
                |it: &serde_json::Value| it["message"] != "some requests were still open";
            assert!(old.log().iter().all(is_whole), "{:?}", old.log());
            while answered.load(Ordering::Relaxed) < before + 100 {
                assert!(!is_over.load(Ordering::Relaxed), "the load failed");
                std::thread::yield_now();
            }
        }
    });
}

#[test]
fn a_request_under_way_is_answered_and_readiness_goes_first() {
    let setup = Setup::new(Vec::new());
    let mut program = setup.serve(&["--drain=2"]);
    let review = creation(&budget("shop", "api", 1)).to_string();
    let mut slow = program.connect();
    slow.send(client::head("/validate?timeout=30s", review.len()).as_bytes()).unwrap();
    program.signal("TERM");
    program.wait("an end of readiness", |it| it.get("/readyz").status == 503);
    assert_eq!(program.get("/healthz").status, 200);
    slow.send(review.as_bytes()).unwrap();
    let answer = slow.answer().unwrap();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")), "{answer:?}");
    assert!(program.wait_for_end().success());
}
