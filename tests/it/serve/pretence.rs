//! What `serve` asks of an API server, answered from a list of objects: enough to test how it speaks HTTPS where there
//! is no real one. What it makes of a real one, `cluster` tests.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// An API server in name only. Its threads end with the test binary.
pub(crate) struct Pretence {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    objects: Mutex<Vec<Value>>,
    /// The open watches, by path.
    watches: Mutex<Vec<(String, TcpStream)>>,
    is_refusing: AtomicBool,
    /// The path of watches that show this and end, and what they show.
    garbled: Mutex<Option<(String, String)>>,
}

/// `apiVersion`, kind and resource of what it serves.
const SERVED: &[(&str, &str, &str)] = &[
    ("v1", "ConfigMap", "configmaps"),
    ("v1", "Namespace", "namespaces"),
    ("v1", "Pod", "pods"),
    ("v1", "Service", "services"),
    ("apps/v1", "Deployment", "deployments"),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
];

impl Pretence {
    /// One that holds these objects.
    pub(crate) fn start(objects: Vec<Value>) -> Pretence {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { objects: Mutex::new(objects), ..Shared::default() });
        let pretence = Pretence { address, shared: shared.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        pretence
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Replaces what it holds. Watches are not told.
    pub(crate) fn hold(&self, objects: Vec<Value>) {
        *self.shared.objects.lock().unwrap() = objects;
    }

    /// Holds an object as well, in this version, and tells the watches.
    pub(crate) fn show(&self, mut object: Value, version: u64) {
        object["metadata"]["resourceVersion"] = version.to_string().into();
        let served = SERVED.iter().find(|it| object["kind"] == it.1).unwrap();
        let path = format!("{}/{}", root(served.0), served.2);
        let event = json!({"type": "MODIFIED", "object": object}).to_string();
        self.shared.objects.lock().unwrap().push(object);
        for (_, stream) in self.shared.watches.lock().unwrap().iter().filter(|it| it.0 == path) {
            // A watch that was closed is told nothing.
            let _ =
                { stream }.write_all(format!("{:x}\r\n{event}\n\r\n", event.len() + 1).as_bytes());
        }
    }

    /// Whether it refuses everything, as an API server does before it has read the roles.
    pub(crate) fn refuse(&self, is_refusing: bool) {
        self.shared.is_refusing.store(is_refusing, Ordering::Relaxed);
    }

    /// Has watches of a path show this and end, at once and whenever they are opened again.
    pub(crate) fn garble(&self, path: &str, line: Option<&str>) {
        *self.shared.garbled.lock().unwrap() = line.map(|it| (path.to_string(), it.to_string()));
        // Those that are open are ended.
        for (_, stream) in self.shared.watches.lock().unwrap().iter().filter(|it| it.0 == path) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }

    /// A kubeconfig for it.
    pub(crate) fn kubeconfig(&self, folder: &Path) -> PathBuf {
        let path = folder.join("kubeconfig");
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [{"name": "it", "cluster": {"server": format!("http://{}", self.address)}}],
            "users": [{"name": "it", "user": {}}],
        });
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }
}

fn serve(stream: TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                break;
            }
            if let Some(it) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = it.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        if std::io::Read::read_exact(&mut reader, &mut body).is_err() {
            return;
        }
        let target = first.split(' ').nth(1).unwrap_or("/").to_string();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let is_refused = shared.is_refusing.load(Ordering::Relaxed);
        let written = if query.contains("watch=1") && !is_refused {
            let watch = (path.to_string(), stream.try_clone().unwrap());
            shared.watches.lock().unwrap().push(watch);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
            let garbled = shared.garbled.lock().unwrap().clone();
            let line = garbled.filter(|it| it.0 == path).map(|it| it.1);
            match line {
                None => stream.write_all(head.as_bytes()),
                Some(line) => {
                    let chunk = format!("{head}{:x}\r\n{line}\n\r\n0\r\n\r\n", line.len() + 1);
                    stream.write_all(chunk.as_bytes())
                }
            }
        } else {
            let (status, body) = match is_refused {
                true => (403, status(403, "Forbidden")),
                false => answer(path, &shared.objects.lock().unwrap()),
            };
            let body = body.to_string();
            stream.write_all(
                format!(
                    "HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
                .as_bytes(),
            )
        };
        if written.is_err() {
            return;
        }
    }
}

fn answer(path: &str, objects: &[Value]) -> (u16, Value) {
    let groups = ["apps", "policy"];
    if path == "/api" {
        return (
            200,
            json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}),
        );
    }
    if path == "/apis" {
        let group = |name: &&str| {
            let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
            json!({"name": name, "versions": [version], "preferredVersion": version})
        };
        let groups: Vec<_> = groups.iter().map(group).collect();
        return (200, json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}));
    }
    for (version, kind, plural) in SERVED {
        let root = root(version);
        if path == root {
            let of_version = SERVED.iter().filter(|it| it.0 == *version);
            let resources: Vec<_> = of_version
                .map(|(_, kind, plural)| {
                    json!({"name": plural, "singularName": "", "namespaced": *kind != "Namespace",
                           "kind": kind, "verbs": ["list", "watch", "get"]})
                })
                .collect();
            let list =
                json!({"kind": "APIResourceList", "groupVersion": version, "resources": resources});
            return (200, list);
        }
        if path == format!("{root}/{plural}") {
            let items: Vec<_> = objects.iter().filter(|it| it["kind"] == *kind).collect();
            let list = json!({"kind": format!("{kind}List"), "apiVersion": version,
                              "metadata": {"resourceVersion": "1"}, "items": items});
            return (200, list);
        }
    }
    // Of two versions the one that came last.
    let found = objects.iter().rfind(|it| {
        let text = |field: &str| it["metadata"][field].as_str().unwrap_or_default();
        let plural = SERVED.iter().find(|served| it["kind"] == served.1).map_or("", |it| it.2);
        path.ends_with(&format!("/namespaces/{}/{plural}/{}", text("namespace"), text("name")))
    });
    match found {
        Some(it) => (200, it.clone()),
        None => (404, status(404, "NotFound")),
    }
}

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
           "reason": reason, "message": reason, "metadata": {}})
}

fn root(version: &str) -> String {
    let root = if version.contains('/') { "apis" } else { "api" };
    format!("/{root}/{version}")
}
