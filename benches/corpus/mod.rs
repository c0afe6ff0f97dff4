//! A corpus like the repositories of large installations, written the same every time: applications of twenty documents
//! in one file, of about 5 KB each, that refer to each other and so give few findings.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

/// The documents of one application, which is one file.
const PER_FILE: usize = 20;
const APPLICATIONS_PER_NAMESPACE: usize = 10;
const APPLICATIONS_PER_DEFINITION: usize = 5;

/// Writes about this many documents below `folder` and says how many bytes they have.
pub(crate) fn write(folder: &Path, documents: usize) -> io::Result<u64> {
    let mut bytes = 0;
    for number in 0..documents.div_ceil(PER_FILE) {
        let text = application(number);
        bytes += text.len() as u64;
        let namespace = folder.join(format!("team-{:05}", number / APPLICATIONS_PER_NAMESPACE));
        fs::create_dir_all(&namespace)?;
        fs::write(namespace.join(format!("app-{number:05}.yaml")), text)?;
    }
    Ok(bytes)
}

/// The application of this number.
fn application(number: usize) -> String {
    let app = format!("app-{number:05}");
    let namespace = format!("team-{:05}", number / APPLICATIONS_PER_NAMESPACE);
    let mut out = String::with_capacity(120_000);
    if number.is_multiple_of(APPLICATIONS_PER_NAMESPACE) {
        push(&mut out, &namespace_object(&namespace));
    } else {
        push(&mut out, &config_map(&format!("{app}-extra"), &namespace, 8 << 10, number));
    }
    if number.is_multiple_of(APPLICATIONS_PER_DEFINITION) {
        push(&mut out, &definition(number));
    } else {
        push(&mut out, &config_map(&format!("{app}-scripts"), &namespace, 12 << 10, number));
    }
    let web = format!("{app}-web");
    let worker = format!("{app}-worker");
    let db = format!("{app}-db");
    for (name, port) in [(&web, 8080), (&worker, 9090)] {
        push(&mut out, &workload("Deployment", name, &namespace, &app, port));
        push(&mut out, &service(name, &namespace, port, "ClusterIP"));
        push(&mut out, &budget(name, &namespace));
        push(&mut out, &autoscaler(name, &namespace));
        push(&mut out, &network_policy(name, &namespace, port, &web));
    }
    push(&mut out, &workload("StatefulSet", &db, &namespace, &app, 5432));
    push(&mut out, &service(&db, &namespace, 5432, "None"));
    push(&mut out, &budget(&db, &namespace));
    push(&mut out, &ingress(&web, &namespace));
    push(&mut out, &access(&app, &namespace));
    push(&mut out, &config_map(&format!("{app}-config"), &namespace, 24 << 10, number));
    out
}

fn push(out: &mut String, document: &str) {
    out.push_str("---\n");
    out.push_str(document.trim_start());
}

fn metadata(name: &str, namespace: &str, labelled: &str) -> String {
    format!(
        "metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app.kubernetes.io/name: {labelled}
    app.kubernetes.io/instance: {labelled}-production
    app.kubernetes.io/managed-by: argocd
    example.com/team: \"{namespace}\"
  annotations:
    example.com/description: 'what {labelled} is for, who runs it and whom to call when it does not run'
"
    )
}

fn namespace_object(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels:\n    kubernetes.io/metadata.name: {name}\n"
    )
}

fn workload(kind: &str, name: &str, namespace: &str, app: &str, port: u16) -> String {
    let own = match kind {
        "StatefulSet" => format!(
            "  serviceName: {name}
  podManagementPolicy: Parallel
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: [\"ReadWriteOnce\"]
        resources:
          requests:
            storage: 20Gi
"
        ),
        _ => "  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 25%
      maxUnavailable: 0
"
        .into(),
    };
    let mount = if kind == "StatefulSet" {
        "            - name: data\n              mountPath: /var/lib/data\n"
    } else {
        ""
    };
    let replicas = if kind == "StatefulSet" { "  replicas: 3\n" } else { "" };
    let metadata = metadata(name, namespace, name);
    let environment: String = (0..20)
        .map(|it| format!("            - name: SETTING_{it:02}\n              value: \"value {it} of {name}\"\n"))
        .collect();
    format!(
        "apiVersion: apps/v1
kind: {kind}
{metadata}spec:
{replicas}{own}  revisionHistoryLimit: 5
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
        app.kubernetes.io/part-of: {app}
      annotations:
        prometheus.io/scrape: \"true\"
        prometheus.io/port: \"{port}\"
    spec:
      serviceAccountName: {app}
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 60
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        fsGroup: 10001
        seccompProfile:
          type: RuntimeDefault
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels:
                    app.kubernetes.io/name: {name}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: topology.kubernetes.io/zone
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              app.kubernetes.io/name: {name}
      containers:
        - name: main
          image: registry.example.com/{app}/{name}:1.14.{port}
          imagePullPolicy: IfNotPresent
          args: [\"--config=/etc/config/settings.yaml\", \"--listen=:{port}\", \"--log-format=json\"]
          ports:
            - name: main
              containerPort: {port}
              protocol: TCP
          env:
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
{environment}          envFrom:
            - configMapRef:
                name: {app}-config
          resources:
            requests:
              cpu: 250m
              memory: 512Mi
            limits:
              cpu: \"1\"
              memory: 512Mi
          livenessProbe:
            httpGet:
              path: /healthz
              port: main
            periodSeconds: 20
            failureThreshold: 3
          readinessProbe:
            httpGet:
              path: /readyz
              port: main
            periodSeconds: 5
          lifecycle:
            preStop:
              exec:
                command: [\"/bin/sleep\", \"10\"]
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [\"ALL\"]
          volumeMounts:
            - name: config
              mountPath: /etc/config
              readOnly: true
            - name: scratch
              mountPath: /tmp
{mount}      volumes:
        - name: config
          configMap:
            name: {app}-config
        - name: scratch
          emptyDir: {{}}
"
    )
}

fn service(name: &str, namespace: &str, port: u16, address: &str) -> String {
    let address = if address == "None" { "  clusterIP: None\n" } else { "  type: ClusterIP\n" };
    let metadata = metadata(name, namespace, name);
    format!(
        "apiVersion: v1
kind: Service
{metadata}spec:
{address}  selector:
    app.kubernetes.io/name: {name}
  ports:
    - name: main
      port: {port}
      targetPort: main
      protocol: TCP
"
    )
}

fn budget(name: &str, namespace: &str) -> String {
    let metadata = metadata(name, namespace, name);
    format!(
        "apiVersion: policy/v1
kind: PodDisruptionBudget
{metadata}spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
"
    )
}

fn autoscaler(name: &str, namespace: &str) -> String {
    let metadata = metadata(name, namespace, name);
    format!(
        "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
{metadata}spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {name}
  minReplicas: 3
  maxReplicas: 12
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: 70
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 300
      policies:
        - {{type: Pods, value: 1, periodSeconds: 60}}
"
    )
}

fn network_policy(name: &str, namespace: &str, port: u16, from: &str) -> String {
    let metadata = metadata(name, namespace, name);
    format!(
        "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{metadata}spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: {name}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: {from}
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: ingress-nginx
      ports:
        - protocol: TCP
          port: {port}
"
    )
}

fn ingress(name: &str, namespace: &str) -> String {
    let metadata = metadata(name, namespace, name);
    format!(
        "apiVersion: networking.k8s.io/v1
kind: Ingress
{metadata}spec:
  ingressClassName: nginx
  rules:
    - host: {name}.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {name}
                port:
                  name: main
"
    )
}

/// Three documents: an account, what it may do, and that it may.
fn access(app: &str, namespace: &str) -> String {
    let metadata = metadata(app, namespace, app);
    format!(
        "apiVersion: v1
kind: ServiceAccount
{metadata}automountServiceAccountToken: false
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
{metadata}rules:
  - apiGroups: [\"\"]
    resources: [configmaps]
    resourceNames: [{app}-config]
    verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
{metadata}roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {app}
subjects:
  - kind: ServiceAccount
    name: {app}
    namespace: {namespace}
"
    )
}

/// Settings and a script, as long block scalars.
fn config_map(name: &str, namespace: &str, bytes: usize, seed: usize) -> String {
    let mut out =
        format!("apiVersion: v1\nkind: ConfigMap\n{}data:\n", metadata(name, namespace, name));
    out.push_str("  LOG_LEVEL: info\n  WORKERS: \"8\"\n  settings.yaml: |\n");
    let mut state = seed as u64;
    let mut line = 0;
    while out.len() < bytes {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if line == 200 {
            out.push_str("  start.sh: |\n    #!/bin/sh\n    set -eu\n");
        }
        let value = state >> 40;
        let _ = match line % 4 {
            0 => writeln!(out, "    section_{line}:"),
            1 => writeln!(out, "      timeout: {value}ms  # how long to wait"),
            2 => writeln!(
                out,
                "      endpoints: [\"https://{value}.example.com:8443/api/v1\", \"fallback\"]"
            ),
            _ => writeln!(
                out,
                "      description: when {value} is reached, {{ retry }} and \"report\" it"
            ),
        };
        line += 1;
    }
    out
}

/// A CustomResourceDefinition: deep, and mostly descriptions.
fn definition(number: usize) -> String {
    let mut out = format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things{number}.example.com
spec:
  group: example.com
  scope: Namespaced
  names: {{kind: Thing{number}, plural: things{number}, singular: thing{number}, listKind: Thing{number}List}}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
"
    );
    for field in 0..250 {
        let _ = write!(
            out,
            "                field{field}:
                  description: |-
                    What field {field} of the thing is for, in the words of the people who
                    made it. It may be left out, and then it is what the server thinks best.
                    Cannot be changed once the thing is there.
                  type: object
                  properties:
                    name:
                      description: The name of what it refers to.
                      type: string
                      maxLength: 253
                    count:
                      type: integer
                      format: int32
                      minimum: 0
                  required: [name]
"
        );
    }
    out
}
