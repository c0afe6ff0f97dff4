//! What the API server may count on: a verdict is 200, and whatever is none is a failed call.

use super::client::{self, Connection, head};
use super::requests::{budget, creation, deployment};
use super::setup::Setup;
use serde_json::{Value, json};
use std::io::Read;

#[test]
fn reviews_are_answered_one_after_the_other_on_one_connection() {
    let setup = Setup::new(vec![deployment("shop", "api", 2)]);
    let program = setup.serve(&[]);
    let mut connection = program.connect();
    let mut post = |review: &Value| {
        let answer = connection.post("/validate?timeout=30s", review.to_string().as_bytes());
        let answer = answer.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        answer.json()
    };
    for (uid, min_available, allowed) in [("a", 1, true), ("b", 2, false), ("c", 1, true)] {
        let mut review = creation(&budget("shop", "api", min_available));
        review["request"]["uid"] = uid.into();
        review["request"]["dryRun"] = true.into();
        let answer = post(&review);
        assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
        assert_eq!(answer["kind"], "AdmissionReview");
        assert_eq!(answer["response"]["uid"], uid);
        assert_eq!(answer["response"]["allowed"], allowed, "{answer:#}");
        assert_eq!(answer["response"].get("patch"), None);
        assert_eq!(answer["response"].get("patchType"), None);
        if !allowed {
            let message = answer["response"]["status"]["message"].as_str().unwrap();
            for part in ["PodDisruptionBudget/shop/api", "Deployment/shop/api", "2 − 2"] {
                assert!(message.contains(part), "{part}: {message}");
            }
        }
    }
    assert_eq!(program.metric("purlin_requests_total{verdict=\"deny\"}"), 1.0);
    assert_eq!(
        program.metric("purlin_findings_total{rule=\"pdb-blocks-drain\",verdict=\"deny\"}"),
        1.0
    );
    assert_eq!(program.metric("purlin_review_seconds_count"), 3.0);
}

#[test]
fn it_speaks_the_version_of_http_that_the_api_server_speaks() {
    let setup = Setup::new(Vec::new());
    let program = setup.serve(&[]);
    let mut tls = (*program.tls).clone();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let connection = Connection::open(program.reviews, &tls.into()).unwrap();
    assert_eq!(connection.stream.get_ref().conn.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[test]
fn what_is_no_review_gets_no_verdict() {
    let setup = Setup::new(Vec::new());
    let program = setup.serve(&[]);
    let mut connection = program.connect();
    let review = creation(&budget("shop", "api", 1)).to_string();
    let old = review.replace("admission.k8s.io/v1", "admission.k8s.io/v1beta1");
    let response = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "response": {"uid": "a", "allowed": true},
    });
    let bodies: [&[u8]; 8] = [
        b"",
        b"{",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        old.as_bytes(),
        &response.to_string().into_bytes(),
    ];
    let check = |answer: client::Answer, status: u16| {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("retry-after"), None);
        assert!(!answer.body.contains("allowed"), "{answer:?}");
    };
    for body in bodies {
        check(connection.post("/validate?timeout=30s", body).unwrap(), 400);
    }
    for timeout in ["0s", "soon", "-3s"] {
        let answer = connection.post(&format!("/validate?timeout={timeout}"), review.as_bytes());
        check(answer.unwrap(), 400);
    }
    let mut ask = |request: &str, status: u16| {
        connection.send(request.as_bytes()).unwrap();
        check(connection.answer().unwrap(), status);
    };
    let text = "POST /validate HTTP/1.1\r\nHost: it\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n";
    ask(text, 415);
    ask("GET /validate HTTP/1.1\r\nHost: it\r\n\r\n", 405);
    ask("GET /metrics HTTP/1.1\r\nHost: it\r\n\r\n", 404);
    ask("GET /healthz HTTP/1.1\r\nHost: it\r\n\r\n", 404);
    // The connection is as good as before.
    assert_eq!(connection.post("/validate?timeout=30s", review.as_bytes()).unwrap().status, 200);
    assert_eq!(program.metric("purlin_requests_total{verdict=\"malformed\"}"), 12.0);
}

#[test]
fn a_review_may_have_seven_mebibytes() {
    let setup = Setup::new(Vec::new());
    let program = setup.serve(&[]);
    let of_length = |length: usize| {
        let map = |filler: usize| {
            let map = json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"namespace": "shop", "name": "large"},
                "data": {"filler": "x".repeat(filler)},
            });
            creation(&map).to_string()
        };
        let envelope = map(0).len();
        let review = map(length - envelope);
        assert_eq!(review.len(), length);
        review
    };
    const MOST: usize = 7 * 1024 * 1024;
    let answer =
        program.connect().post("/validate?timeout=30s", of_length(MOST).as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    // It is told before it is sent, so nobody sends it in vain.
    let mut connection = program.connect();
    connection.send(head("/validate?timeout=30s", MOST + 1).as_bytes()).unwrap();
    assert_eq!(connection.answer().unwrap().status, 413);
    // Where the length is not told, it is noticed on the way.
    let mut connection = program.connect();
    let head = "POST /validate?timeout=30s HTTP/1.1\r\nHost: it\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    connection.send(head.as_bytes()).unwrap();
    let chunk = format!("100000\r\n{}\r\n", " ".repeat(0x10_0000));
    for _ in 0..7 {
        connection.send(chunk.as_bytes()).unwrap();
    }
    connection.send(b"1\r\n \r\n").unwrap();
    assert_eq!(connection.answer().unwrap().status, 413);
}

#[test]
fn who_is_too_slow_gets_no_verdict() {
    let setup = Setup::new(Vec::new());
    let program = setup.serve(&[]);
    let mut body = program.connect();
    body.send(head("/validate?timeout=1s", 100).as_bytes()).unwrap();
    body.send(b"{").unwrap();
    assert_eq!(body.answer().unwrap().status, 504);
    assert_eq!(program.metric("purlin_requests_total{verdict=\"late\"}"), 1.0);
    // Who never ends the head of a request is let go, and so is who never says anything.
    let mut half = program.connect();
    half.send(b"POST /validate HTTP/1.1\r\nHo").unwrap();
    let mut silent = std::net::TcpStream::connect(program.reviews).unwrap();
    assert_eq!(half.stream.read(&mut [0; 16]).unwrap_or(0), 0);
    assert_eq!(silent.read(&mut [0; 16]).unwrap_or(0), 0);
}

#[test]
fn more_than_can_be_done_is_turned_away() {
    let setup = Setup::new(Vec::new());
    let mut program = setup.serve(&["--max-reviews=1", "--max-connections=2"]);
    let review = creation(&budget("shop", "api", 1)).to_string();
    let mut slow = program.connect();
    slow.send(head("/validate?timeout=30s", review.len()).as_bytes()).unwrap();
    let mut quick = program.connect();
    let answer = loop {
        let answer = quick.post("/validate?timeout=30s", review.as_bytes()).unwrap();
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!((answer.status, answer.header("retry-after")), (503, None), "{answer:?}");
    slow.send(review.as_bytes()).unwrap();
    assert_eq!(slow.answer().unwrap().status, 200);
    // The third connection waits until one of the two is closed.
    let (address, tls) = (program.reviews, program.tls.clone());
    let third = std::thread::spawn(move || Connection::open(address, &tls).unwrap());
    assert_eq!(quick.post("/validate?timeout=30s", review.as_bytes()).unwrap().status, 200);
    // One of them asks for this; those that asked before may not be counted out yet.
    program.wait("three connections", |it| it.metric("purlin_connections") == 3.0);
    drop(slow);
    let mut third = third.join().unwrap();
    assert_eq!(third.post("/validate?timeout=30s", review.as_bytes()).unwrap().status, 200);
}

#[test]
fn it_may_ask_for_a_certificate() {
    let setup = Setup::new(Vec::new());
    let (certificate, key) = setup.authority.issue("api-server", "api-server", &[]);
    let ca = setup.ca();
    let mut program = setup.serve(&["--client-ca", ca.to_str().unwrap()]);
    let review = creation(&budget("shop", "api", 1)).to_string();
    let known = client::trusting(&ca, Some((&certificate, &key)));
    let mut connection = Connection::open(program.reviews, &known).unwrap();
    assert_eq!(connection.post("/validate?timeout=30s", review.as_bytes()).unwrap().status, 200);
    // In TLS 1.3 the client hears of it with its first answer.
    let unknown = Connection::open(program.reviews, &program.tls);
    let answer = unknown.and_then(|mut it| it.post("/validate", review.as_bytes()));
    assert!(answer.is_err(), "{answer:?}");
    // It is told before it is counted.
    let failures = "purlin_handshake_failures_total";
    program.wait("a count of the refusal", |it| it.metric(failures) > 0.0);
    assert_eq!(program.metric(failures), 1.0);
}

#[test]
fn a_denial_is_confirmed_by_a_look_at_the_live_objects() {
    let setup = Setup::new(vec![deployment("shop", "api", 2)]);
    let program = setup.serve(&[]);
    // The watch says nothing of it, as one that is behind would.
    setup.pretence.hold(vec![deployment("shop", "api", 3)]);
    let answer = program.review(&creation(&budget("shop", "api", 2)));
    assert_eq!(answer.json()["response"]["allowed"], true, "{answer:?}");
    assert_eq!(program.metric("purlin_denials_spared_total"), 1.0);
}

#[test]
fn nothing_is_judged_before_the_cluster_is_known() {
    let setup = Setup::new(Vec::new());
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = std::fs::read_to_string(setup.folder().join("kubeconfig")).unwrap();
    let server = config.split("http://").nth(1).unwrap().split('"').next().unwrap();
    let config = config.replace(server, &nobody.to_string());
    std::fs::write(setup.folder().join("kubeconfig"), config).unwrap();
    let program = setup.begin("serve", &[]);
    assert_eq!(program.get("/healthz").status, 200);
    let ready = program.get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("Deployment"), "{ready:?}");
    let answer = program.review(&creation(&budget("shop", "api", 1)));
    assert_eq!(answer.status, 503, "{answer:?}");
}
