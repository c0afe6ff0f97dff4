//! Random pods that hold what the controls look at: hardened ones with a few slips, and plain ones.

use crate::attacks::cluster::Random;
use serde_json::{Map, Value, json};

/// So many pods of a seed.
pub(super) fn pods(seed: u64, count: usize) -> Vec<Value> {
    let mut random = Random(seed);
    (0..count).map(|at| Maker { random: &mut random }.pod(at)).collect()
}

struct Maker<'r> {
    random: &'r mut Random,
}

impl Maker<'_> {
    /// Whether something happens that happens once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.random.below(times) == 0
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.random.below(of.len())].clone()
    }

    fn pod(&mut self, at: usize) -> Value {
        let is_hardened = !self.once_in(3);
        // The rarer slips are, the more pods pass.
        let rarity = self.one(&[2, 6, 20, 60]);
        let mut spec = Map::new();
        let mut names = ["a", "b", "c", "d"].into_iter();
        for (list, least, most) in
            [("initContainers", 0, 1), ("containers", 1, 2), ("ephemeralContainers", 0, 1)]
        {
            let count = least + self.random.below(most - least + 1);
            let containers: Vec<_> = names
                .by_ref()
                .take(count)
                .map(|name| self.container(name, list, is_hardened, rarity))
                .collect();
            if !containers.is_empty() {
                spec.insert(list.into(), containers.into());
            }
        }
        self.host(&mut spec, rarity);
        let volumes: Vec<_> = (0..self.random.below(3)).map(|at| self.volume(at, rarity)).collect();
        spec.insert("volumes".into(), volumes.into());
        let context = self.pod_context(is_hardened, rarity);
        if !self.once_in(6) {
            spec.insert("securityContext".into(), context);
        }
        let mut metadata = json!({"name": format!("p{at}")});
        if let Some(annotations) = self.annotations(rarity) {
            metadata["annotations"] = annotations;
        }
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    }

    fn host(&mut self, spec: &mut Map<String, Value>, rarity: usize) {
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            if self.once_in(rarity) {
                spec.insert(field.into(), (!self.once_in(3)).into());
            }
        }
        if self.once_in(4) {
            spec.insert("hostUsers".into(), self.once_in(2).into());
        }
        if self.once_in(5) {
            let name = self.one(&["windows", "linux"]);
            spec.insert("os".into(), json!({"name": name}));
        }
    }

    fn volume(&mut self, at: usize, rarity: usize) -> Value {
        let name = format!("v{at}");
        if self.once_in(rarity) {
            return self.one(&[
                json!({"name": name, "hostPath": {"path": "/var/log"}}),
                json!({"name": name, "nfs": {"server": "nas", "path": "/"}}),
                json!({"name": name, "gitRepo": {"repository": "https://example.org/x.git"}}),
                json!({"name": name, "azureFile": {"secretName": "s", "shareName": "t"}}),
                json!({"name": name, "flexVolume": {"driver": "example.org/d"}}),
                json!({"name": name, "hostPath": null, "emptyDir": {}}),
            ]);
        }
        self.one(&[
            json!({"name": name}),
            json!({"name": name, "emptyDir": {"medium": "Memory"}}),
            json!({"name": name, "configMap": {"name": "c"}}),
            json!({"name": name, "secret": {"secretName": "s"}}),
            json!({"name": name, "persistentVolumeClaim": {"claimName": "p"}}),
            json!({"name": name, "csi": {"driver": "example.org"}}),
            json!({"name": name, "projected": {"sources": []}}),
            json!({"name": name, "image": {"reference": "registry.example/data:1"}}),
        ])
    }

    fn annotations(&mut self, rarity: usize) -> Option<Value> {
        if !self.once_in(4) {
            return None;
        }
        let keys = [
            "container.apparmor.security.beta.kubernetes.io/a",
            "container.apparmor.security.beta.kubernetes.io/z",
            "seccomp.security.alpha.kubernetes.io/pod",
            "container.seccomp.security.alpha.kubernetes.io/b",
            "container.seccomp.security.alpha.kubernetes.io/z",
        ];
        let mut annotations = Map::new();
        for _ in 0..=self.random.below(2) {
            let value = match self.once_in(rarity) {
                true => self.one(&["unconfined", "docker/other", "runtime", ""]),
                false => self.one(&["runtime/default", "localhost/x", "docker/default"]),
            };
            annotations.insert(self.one(&keys).into(), value.into());
        }
        Some(annotations.into())
    }

    fn pod_context(&mut self, is_hardened: bool, rarity: usize) -> Value {
        let mut context = self.shared_context(is_hardened, rarity);
        if self.once_in(4) {
            let sysctls: Vec<_> = (0..=self.random.below(2)).map(|_| self.sysctl(rarity)).collect();
            context.insert("sysctls".into(), sysctls.into());
        }
        context.into()
    }

    fn sysctl(&mut self, rarity: usize) -> Value {
        let name = match self.once_in(rarity) {
            true => self.one(&["kernel.msgmax", "net.core.somaxconn", "net.ipv4.tcp_syncookie"]),
            false => self.one(&[
                "kernel.shm_rmid_forced",
                "net.ipv4.ip_unprivileged_port_start",
                "net.ipv4.ip_local_reserved_ports",
                "net.ipv4.tcp_keepalive_time",
                "net.ipv4.tcp_rmem",
                "net.ipv4.tcp_notsent_lowat",
            ]),
        };
        json!({"name": name, "value": "1"})
    }

    /// The fields that pod and container both have.
    fn shared_context(&mut self, is_hardened: bool, rarity: usize) -> Map<String, Value> {
        let mut context = Map::new();
        let mut set = |key: &str, value: Value| context.insert(key.into(), value);
        if self.once_in(if is_hardened { 2 } else { 8 }) || self.once_in(rarity) {
            set("runAsNonRoot", (!self.once_in(rarity)).into());
        }
        if self.once_in(3) {
            let user = if self.once_in(rarity) { 0 } else { 1000 };
            set("runAsUser", user.into());
        }
        if self.once_in(if is_hardened { 2 } else { 8 }) {
            let profile = self.profile(rarity);
            set("seccompProfile", profile);
        }
        if self.once_in(8) {
            let profile = self.profile(rarity);
            set("appArmorProfile", profile);
        }
        if self.once_in(6) {
            let options = self.selinux(rarity);
            set("seLinuxOptions", options);
        }
        if self.once_in(8) {
            let is_set = self.once_in(rarity);
            set("windowsOptions", json!({"hostProcess": is_set}));
        }
        context
    }

    fn profile(&mut self, rarity: usize) -> Value {
        match self.once_in(rarity) {
            true => self.one(&[json!({"type": "Unconfined"}), json!({}), json!({"type": ""})]),
            false => self.one(&[
                json!({"type": "RuntimeDefault"}),
                json!({"type": "Localhost", "localhostProfile": "x"}),
            ]),
        }
    }

    fn selinux(&mut self, rarity: usize) -> Value {
        match self.once_in(rarity) {
            true => self.one(&[
                json!({"type": "spc_t"}),
                json!({"user": "u"}),
                json!({"role": "r", "type": "container_t"}),
            ]),
            false => self.one(&[
                json!({}),
                json!({"type": "container_t"}),
                json!({"type": "container_engine_t", "level": "s0"}),
                json!({"user": "", "role": null}),
            ]),
        }
    }

    fn container(&mut self, name: &str, list: &str, is_hardened: bool, rarity: usize) -> Value {
        let mut container = json!({"name": name, "image": "registry.example/a:1"});
        let context = self.container_context(is_hardened, rarity);
        if is_hardened || self.once_in(2) {
            container["securityContext"] = context;
        }
        if list == "ephemeralContainers" {
            return container;
        }
        if self.once_in(3) {
            container["ports"] = json!([self.port(rarity)]);
        }
        if list == "containers" && self.once_in(3) {
            let probe = self.one(&["livenessProbe", "readinessProbe", "startupProbe"]);
            container[probe] = self.handler(rarity);
        }
        if list == "containers" && self.once_in(6) {
            let hook = self.one(&["preStop", "postStart"]);
            container["lifecycle"] = json!({hook: self.handler(rarity)});
        }
        container
    }

    fn port(&mut self, rarity: usize) -> Value {
        match self.once_in(rarity) {
            true => json!({"containerPort": 8080, "hostPort": 8080}),
            false => self.one(&[
                json!({"containerPort": 8080}),
                json!({"containerPort": 8080, "hostPort": 0}),
            ]),
        }
    }

    fn handler(&mut self, rarity: usize) -> Value {
        let host = if self.once_in(rarity) { "169.254.169.254" } else { "" };
        self.one(&[
            json!({"httpGet": {"port": 80, "host": host}}),
            json!({"tcpSocket": {"port": 80, "host": host}}),
            json!({"exec": {"command": ["true"]}}),
        ])
    }

    fn container_context(&mut self, is_hardened: bool, rarity: usize) -> Value {
        let mut context = self.shared_context(is_hardened, rarity);
        let mut set = |key: &str, value: Value| context.insert(key.into(), value);
        if self.once_in(rarity) || self.once_in(10) {
            let is_privileged = self.once_in(rarity);
            set("privileged", is_privileged.into());
        }
        if is_hardened != self.once_in(rarity) {
            set("allowPrivilegeEscalation", self.once_in(rarity).into());
        }
        if is_hardened != self.once_in(rarity) {
            let capabilities = self.capabilities(rarity);
            set("capabilities", capabilities);
        }
        if self.once_in(8) {
            let mount = if self.once_in(rarity) { "Unmasked" } else { "Default" };
            set("procMount", mount.into());
        }
        context.into()
    }

    fn capabilities(&mut self, rarity: usize) -> Value {
        let dropped = match self.once_in(rarity) {
            true => self.one(&[json!([]), json!(["all"]), json!(["NET_RAW"])]),
            false => self.one(&[json!(["ALL"]), json!(["NET_RAW", "ALL"])]),
        };
        let added = match self.once_in(rarity) {
            true => self.one(&[
                json!(["NET_ADMIN"]),
                json!(["CAP_CHOWN"]),
                json!(["CHOWN", "KILL"]),
                json!(["NET_BIND_SERVICE", "SYS_ADMIN"]),
            ]),
            false => self.one(&[json!([]), json!(["NET_BIND_SERVICE"]), json!(null)]),
        };
        json!({"drop": dropped, "add": added})
    }
}
