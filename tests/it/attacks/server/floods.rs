//! Whoever only reaches the port takes neither the places nor the memory of those whom the API server asks for.

use super::write;
use crate::apiserver::ApiServer;
use crate::serve::client::{Connection, get, head};
use crate::serve::cluster::{namespace, register, serve};
use crate::serve::program::Program;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tokio::net::TcpSocket;

/// How long an answer may take on a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(10);

/// The most that the shipped manifests let it take.
const LIMIT: u64 = 512 * 1024 * 1024;

/// A connection from another address of loopback than that of the API server.
fn from_elsewhere(to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 2], 0))).unwrap();
        let stream = socket.connect(to).await.unwrap().into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream
    })
}

fn hostile(program: &Program) -> Connection {
    Connection::over(from_elsewhere(program.reviews), &program.tls).unwrap()
}

fn assert_answered(api: &ApiServer, program: &Program) {
    for _ in 0..10 {
        let took = write(api, "shop");
        assert!(took < SOON, "{took:?}");
        assert_eq!(program.get("/healthz").status, 200);
    }
}

#[test]
fn the_api_server_is_answered_whoever_else_calls() {
    let Some(api) = ApiServer::start() else { return };
    let program = serve(&api, "serve", &["--max-connections=32", "--max-reviews=16"]);
    register(&api, &program);
    namespace(&api, "shop");

    // Idle connections, with TLS and without a word, far more than there are places, at both ports.
    let mut idle: Vec<Connection> = (0..64).map(|_| hostile(&program)).collect();
    let silent: Vec<TcpStream> =
        (0..64).flat_map(|_| [program.reviews, program.operations].map(from_elsewhere)).collect();
    assert_answered(&api, &program);
    assert!(program.metric("purlin_connections_refused_total") > 0.0);
    assert_eq!(get(program.operations, "/readyz").unwrap().status, 200);
    drop((idle.drain(..), silent));

    // Reviews that never end, more than there may be under way.
    let unfinished: Vec<Connection> = (0..24)
        .map(|_| {
            let mut it = hostile(&program);
            it.send(head("/validate?timeout=30s", 100).as_bytes()).unwrap();
            it
        })
        .collect();
    assert_answered(&api, &program);
    drop(unfinished);
}

#[test]
fn bodies_that_never_end_take_no_more_memory_than_there_is() {
    let Some(api) = ApiServer::start() else { return };
    let program = serve(&api, "serve", &[]);
    register(&api, &program);
    namespace(&api, "shop");
    let mut unfinished: Vec<Connection> = (0..100)
        .map(|_| {
            let mut it = hostile(&program);
            it.send(head("/validate?timeout=30s", 7 * 1024 * 1024).as_bytes()).unwrap();
            it.stream.get_ref().sock.set_nonblocking(true).unwrap();
            it
        })
        .collect();
    let chunk = vec![b' '; 256 * 1024];
    let mut most = 0;
    for _ in 0..24 {
        for it in &mut unfinished {
            // What is not taken, or of one that was hung up on, is kept to ourselves.
            let _ = it.stream.get_mut().write(&chunk);
        }
        most = most.max(program.resident());
    }
    eprintln!("{:.0} MB at most", most as f64 / 1e6);
    assert_answered(&api, &program);
    assert!(most < LIMIT / 2, "{most}");
    // Who is too slow is let go.
    let mut first = unfinished.swap_remove(0);
    first.stream.get_ref().sock.set_nonblocking(false).unwrap();
    first.stream.get_ref().sock.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut left = Vec::new();
    let _ = first.stream.read_to_end(&mut left);
}
