//! What goes wrong in a cluster, done on purpose before a real API server and under a steady load: whatever it is, no
//! verdict is wrong, and no request fails but those under way when a replica is killed.
//!
//! How old the oldest verdict was that did not know of a change is printed: time is no property of the program alone.

mod cell;
mod load;
mod many;
mod one;
mod several;

use super::cluster::{self, configure, create, namespace};
use super::program::{PATIENCE, Program, Start};
use super::relay::Relay;
use super::requests::{budget, creation, deployment};
use crate::apiserver::ApiServer;
use base64::Engine;
use load::{Load, Replicas, Tally};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the load is.
const NAMESPACES: [&str; 2] = ["shop", "store"];

/// A kubeconfig of the webhook that leads through a relay.
fn kubeconfig_through(api: &ApiServer, relay: &Relay) -> PathBuf {
    let config = std::fs::read_to_string(cluster::kubeconfig(api)).unwrap();
    let config = config.replace(&api.url(), &format!("https://127.0.0.1:{}", relay.port()));
    let path = api.folder().join(format!("through-{}.kubeconfig", relay.port()));
    std::fs::write(&path, config).unwrap();
    path
}

/// A relay to the API server.
fn relay_to(api: &ApiServer) -> Relay {
    Relay::to(&[api.url().trim_start_matches("https://").parse().unwrap()])
}

/// A server that is ready; a client of it trusts the authorities in this file.
fn serve(
    api: &ApiServer,
    way: &Relay,
    certificate: (&Path, &Path),
    authority: &Path,
    log: &str,
) -> Program {
    let mut program = Program::start(&Start {
        log: api.folder().join(format!("{log}.log")),
        kubeconfig: &kubeconfig_through(api, way),
        certificate: Some(certificate),
        authority,
        more: &["--drain=2"],
    });
    program.wait_until_ready();
    program
}

/// Has the API server ask at a relay, and makes the namespaces of the load.
fn register(api: &ApiServer, service: &Relay, authority: &Path, programs: &[&Program]) {
    configure(api, service.port(), &base64(&std::fs::read(authority).unwrap()));
    cluster::wait_until_asked(api, programs);
    NAMESPACES.iter().for_each(|it| namespace(api, it));
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Disturbs while a load runs.
fn under_load(kubeconfig: &Path, replicas: Replicas, disturb: impl FnOnce(&Load)) {
    let load = Load::new(replicas);
    std::thread::scope(|scope| {
        scope.spawn(|| load.run(kubeconfig, &NAMESPACES));
        let _over = Over(&load);
        go_on(&load, 100);
        disturb(&load);
    });
}

/// Ends the load, also when an assertion fails.
struct Over<'l>(&'l Load);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Waits until so many more requests had a verdict, and what was lost is known again.
fn go_on(load: &Load, more: usize) {
    let (before, end) = (load.answered(), Instant::now() + PATIENCE);
    while load.answered() < before + more || !load.is_sure() {
        assert!(!load.is_over(), "the load failed");
        assert!(Instant::now() < end, "no right verdicts any more: {:#?}", load.take());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Disturbs once, and says how the requests came out meanwhile and for a while after.
fn phase(load: &Load, name: &str, disturb: impl FnOnce()) -> Tally {
    let _ = load.take();
    let began = Instant::now();
    disturb();
    let took = began.elapsed();
    go_on(load, 100);
    let tally = load.take();
    eprintln!(
        "{name} ({took:.1?}): {} verdicts, {} of them denials; {} not asked, {} lost; {} stale, by {:.0?} at most",
        tally.answered,
        tally.denied,
        tally.not_asked.len(),
        tally.lost.len(),
        tally.stale,
        tally.oldest,
    );
    assert!(tally.wrong.is_empty(), "{name}: {:#?}", tally.wrong);
    tally
}

/// Nothing failed.
fn assert_whole(name: &str, tally: &Tally) {
    assert!(tally.not_asked.is_empty(), "{name}: {:#?}", tally.not_asked);
    assert!(tally.lost.is_empty(), "{name}: {:#?}", tally.lost);
}

/// Waits until each server knows of an object that the API server asked nobody about.
fn until_known(api: &ApiServer, name: &str, programs: &mut [&mut Program]) {
    // The webhook is not asked about this namespace.
    create(api, &deployment("kube-system", name, 2)).unwrap();
    let written = Instant::now();
    let mut review = creation(&budget("kube-system", name, 2));
    review["request"]["dryRun"] = true.into();
    for program in programs {
        program.wait("knowledge of an object", |it| {
            let answer = it.review(&review);
            answer.status == 200 && answer.json()["response"]["allowed"] == false
        });
    }
    eprintln!("{name}: what is new is known after {:.0?}", written.elapsed());
}
