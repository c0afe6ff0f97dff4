//! What would take too long, or never happens, where only the program can be seen: the same parts over real TLS, with
//! other limits and a rule that panics.

use super::authority;
use super::certificates::{Identity, Pems, configure};
use super::disclosure::Disclosure;
use super::endpoints::Endpoints;
use super::knowledge::Knowledge;
use super::metrics::Metrics;
use super::peers::{Limits, Peer};
use super::policy_source::{Current, InForce};
use super::pool::Pool;
use super::race::Races;
use super::reviewer::Reviewer;
use super::server::{Server, Stage};
use crate::api::kind::{Kind, Kinds};
use crate::check;
use crate::load::cluster::live;
use crate::model::Model;
use crate::rule::{Admission, Check, Group, Preset, Rule, Severity};
use crate::rules::built_in;
use crate::text::source::SourceId;
use crate::webhook::rulebook::Rulebook;
use crate::webhook::snapshot::Entry;
use crate::webhook::verdict;
use crate::webhook::world::worlds;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use kube::{Client, Config};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A server that shows a certificate of its own making.
struct Running {
    address: SocketAddr,
    tls: TlsConnector,
    metrics: Arc<Metrics>,
    /// Whoever drops it lets connections end.
    _stage: watch::Sender<Stage>,
}

impl Running {
    async fn start<A, F>(limits: Limits, metrics: Arc<Metrics>, answer: A) -> Running
    where
        A: Fn(Request<Incoming>, Arc<Peer>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        let now = jiff::Timestamp::now().as_second();
        let made = authority::renew(None, &["localhost".into()], "", now).unwrap().unwrap();
        let (certificate, key) = (made.certificate.into_bytes(), made.key.into_bytes());
        let pems = Pems { certificate, key, client_authorities: None };
        let identity = Identity::new(configure(&pems).unwrap().0);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(made.authorities.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stage, stages) = watch::channel(Stage::Serving);
        let server = Server {
            identity: Some(identity),
            most_connections: 16,
            limits,
            stage: stages,
            metrics: metrics.clone(),
        };
        tokio::spawn(server.serve(listener, answer));
        Running { address, tls: TlsConnector::from(Arc::new(tls)), metrics, _stage: stage }
    }

    async fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        Connection(self.tls.connect(name, stream).await.unwrap())
    }
}

struct Connection(TlsStream<TcpStream>);

impl Connection {
    /// The status and the body of the answer.
    async fn post(&mut self, path: &str, body: &str) -> (u16, String) {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.write_all(request.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        loop {
            let text = String::from_utf8(read.clone()).unwrap();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_ascii_lowercase();
                let length = head.split("content-length: ").nth(1).unwrap();
                if body.len() == length.lines().next().unwrap().parse::<usize>().unwrap() {
                    return (head[9..12].parse().unwrap(), body.to_string());
                }
            }
            assert!(self.0.read_buf(&mut read).await.unwrap() > 0, "it hung up: {text}");
        }
    }

    /// Waits until the server hangs up.
    async fn wait_for_end(&mut self) {
        // A connection that is cut off ends without a word.
        let left = tokio::time::timeout(Duration::from_secs(60), self.0.read_u8()).await;
        assert!(left.expect("it stays open").is_err());
    }
}

#[tokio::test]
async fn who_lies_idle_is_let_go_and_who_waits_is_not() {
    let idle = Duration::from_secs(1);
    let limits = Limits { idle, ..Limits::default() };
    let answer = async |request: Request<Incoming>, _| {
        if request.uri().path() == "/slow" {
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
        Response::new(Full::from("ok"))
    };
    let server = Running::start(limits, Arc::default(), answer).await;
    let silent = async {
        let mut connection = server.connect().await;
        assert_eq!(connection.post("/", "").await.0, 200);
        let since = Instant::now();
        connection.wait_for_end().await;
        assert!(since.elapsed() >= idle, "{:?}", since.elapsed());
    };
    let busy = async {
        let mut connection = server.connect().await;
        for _ in 0..20 {
            assert_eq!(connection.post("/", "").await.0, 200);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let patient = async { assert_eq!(server.connect().await.post("/slow", "").await.0, 200) };
    tokio::join!(silent, busy, patient);
}

/// A rule that panics at this name.
static PANICS: Rule = Rule {
    id: "panics",
    title: "it panics",
    severity: Severity::Error,
    group: Group::Object,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::ConfigMap],
    like: &[],
    parameters: &[],
    page: "",
    reads_images: None,
    checks: &[Check::Object(|_, object, _| assert!(object.name != "bad", "of the rule"))],
};

fn config_map(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": namespace, "name": name},
    })
}

fn creation(namespace: &str, name: &str) -> String {
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u", "operation": "CREATE", "namespace": namespace, "name": name,
            "kind": {"group": "", "version": "v1", "kind": "ConfigMap"},
            "resource": {"group": "", "version": "v1", "resource": "configmaps"},
            "userInfo": {"username": "someone"}, "object": config_map(namespace, name),
        },
    });
    review.to_string()
}

#[tokio::test]
async fn a_rule_that_panics_gives_no_verdict_and_the_server_goes_on() {
    let metrics = Arc::new(Metrics::default());
    let rules = Arc::new(Rulebook::new(built_in()));
    let knowledge = Arc::new(Knowledge::new(&rules, [], metrics.clone()));
    for at in 0..300 {
        let map = config_map("large", &format!("it-{at}"));
        knowledge.state().observe(live::document(SourceId(0), &map, "", ""), 1);
    }
    let reviewer = Reviewer {
        judge: |snapshot, review, context| {
            let object = review.object.clone().and_then(|it| Entry::new(it, 0)).map(Arc::new);
            let worlds = worlds(snapshot, &review.key, None, object, Kinds::ALL);
            let object = worlds.after.as_deref().map(|it| (it, None));
            let documents = worlds.others.iter().copied().chain(object);
            let after = Model::of_read(&worlds.loaded, documents, "default");
            check::findings(&after, context.policy, context.run, &[&PANICS]);
            verdict::judge(snapshot, review, context)
        },
        knowledge: knowledge.clone(),
        policy: Current::new(InForce::new(rules)),
        pool: Pool::start(1).unwrap(),
        client: Client::try_from(Config::new("http://127.0.0.1:1".parse().unwrap())).unwrap(),
        races: Arc::new(Races::new()),
        metrics: metrics.clone(),
        stale_after: Duration::from_secs(30),
        own_account: None,
        disclosure: Disclosure::default(),
    };
    let (_stage, stages) = watch::channel(Stage::Serving);
    let endpoints = Arc::new(Endpoints::new(Arc::new(reviewer), 4, stages, metrics.clone()));
    let answer = move |request, peer| {
        let endpoints = endpoints.clone();
        async move { endpoints.admission(request, peer).await }
    };
    let server = Running::start(Limits::default(), metrics, answer).await;
    let mut connection = server.connect().await;
    for namespace in ["small", "large"] {
        for _ in 0..3 {
            let path = "/validate?timeout=30s";
            let (status, body) = connection.post(path, &creation(namespace, "bad")).await;
            assert_eq!(status, 500, "{body}");
            assert!(body.contains("a panic at src/serve/tests.rs:"), "{body}");
            assert!(!body.contains("of the rule"), "what it says may quote an object: {body}");
            assert!(!body.contains("allowed"), "{body}");
            // On the same connection.
            let (status, body) = connection.post(path, &creation(namespace, "good")).await;
            assert_eq!(status, 200, "{body}");
            assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["response"]["allowed"], true);
        }
    }
    let text = server.metrics.text().unwrap();
    assert!(text.contains("purlin_requests_total{verdict=\"failed\"} 6\n"), "{text}");
}
