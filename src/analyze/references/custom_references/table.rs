//! Which fields of which kinds name another object.
//!
//! By the definitions that the projects publish: cert-manager (`pkg/apis/certmanager/v1`), External Secrets
//! (`apis/externalsecrets/v1`), KEDA (`apis/keda/v1alpha1`), Argo Rollouts (`pkg/apis/rollouts/v1alpha1`), Flux, Traefik,
//! the Secrets Store CSI driver, snapshots, and the annotations of ingress-nginx.

/// One reference of a kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The group and kind of the object that names something.
    pub(super) from: (&'static str, &'static str),
    /// Where: plain keys, `key[]` for every item of a list; `None` for an annotation.
    pub(super) path: Option<&'static str>,
    /// How.
    pub(super) form: Form,
    /// Whether it may name a namespace.
    pub(super) crosses: bool,
    /// What does not happen without what is named.
    pub(super) consequence: &'static str,
}

/// How a field names an object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// By its name alone.
    Name(KindNamed),
    /// By name and kind.
    Kinded {
        /// The group that is meant where none is written.
        group: &'static str,
        /// The kind that is meant where none is written.
        default: &'static str,
        /// The kinds that it may be.
        kinds: &'static [KindNamed],
    },
    /// By the name in one field, of a kind that another field decides.
    Flagged {
        /// The field with the name.
        name: &'static str,
        /// The field that decides.
        flag: &'static str,
        /// What is meant unless it is true.
        off: KindNamed,
        /// What is meant if it is.
        on: KindNamed,
    },
    /// By an annotation of this key.
    Annotation(&'static str, KindNamed),
}

/// What may be named.
#[derive(Clone, Copy, Debug)]
pub(super) struct KindNamed {
    /// Its group.
    pub(super) group: &'static str,
    /// Its kind.
    pub(super) kind: &'static str,
    /// Whether it has no namespace.
    pub(super) is_cluster_wide: bool,
}

const fn namespaced(group: &'static str, kind: &'static str) -> KindNamed {
    KindNamed { group, kind, is_cluster_wide: false }
}

const fn cluster(group: &'static str, kind: &'static str) -> KindNamed {
    KindNamed { group, kind, is_cluster_wide: true }
}

const fn entry(
    group: &'static str,
    kind: &'static str,
    path: &'static str,
    form: Form,
    consequence: &'static str,
) -> Entry {
    Entry { from: (group, kind), path: Some(path), form, crosses: false, consequence }
}

const fn crossing(
    group: &'static str,
    kind: &'static str,
    path: &'static str,
    form: Form,
    consequence: &'static str,
) -> Entry {
    Entry { crosses: true, ..entry(group, kind, path, form, consequence) }
}

const fn annotation(
    group: &'static str,
    kind: &'static str,
    key: &'static str,
    named: KindNamed,
    consequence: &'static str,
) -> Entry {
    let form = Form::Annotation(key, named);
    Entry { from: (group, kind), path: None, form, crosses: true, consequence }
}

const CERT_MANAGER: &str = "cert-manager.io";
const EXTERNAL_SECRETS: &str = "external-secrets.io";
const KEDA: &str = "keda.sh";
const ARGO: &str = "argoproj.io";
const NETWORKING: &str = "networking.k8s.io";
const GATEWAY_API: &str = "gateway.networking.k8s.io";
const TRAEFIK: &str = "traefik.io";
const ISTIO: &str = "networking.istio.io";
const FLUX: &str = "source.toolkit.fluxcd.io";
const SNAPSHOTS: &str = "snapshot.storage.k8s.io";

const ISSUER: Form = Form::Kinded {
    group: CERT_MANAGER,
    default: "Issuer",
    kinds: &[namespaced(CERT_MANAGER, "Issuer"), cluster(CERT_MANAGER, "ClusterIssuer")],
};
const STORE: Form = Form::Kinded {
    group: EXTERNAL_SECRETS,
    default: "SecretStore",
    kinds: &[
        namespaced(EXTERNAL_SECRETS, "SecretStore"),
        cluster(EXTERNAL_SECRETS, "ClusterSecretStore"),
    ],
};
const AUTHENTICATION: Form = Form::Kinded {
    group: KEDA,
    default: "TriggerAuthentication",
    kinds: &[
        namespaced(KEDA, "TriggerAuthentication"),
        cluster(KEDA, "ClusterTriggerAuthentication"),
    ],
};
const SERVICE: Form = Form::Name(namespaced("", "Service"));
const INGRESS: Form = Form::Name(namespaced(NETWORKING, "Ingress"));
const ANALYSIS: Form = Form::Flagged {
    name: "templateName",
    flag: "clusterScope",
    off: namespaced(ARGO, "AnalysisTemplate"),
    on: cluster(ARGO, "ClusterAnalysisTemplate"),
};
const FLUX_SOURCE: Form = Form::Kinded {
    group: FLUX,
    default: "",
    kinds: &[
        namespaced(FLUX, "Bucket"),
        namespaced(FLUX, "GitRepository"),
        namespaced(FLUX, "HelmChart"),
        namespaced(FLUX, "HelmRepository"),
        namespaced(FLUX, "OCIRepository"),
    ],
};

const NO_CERTIFICATE: &str = "without its issuer the certificate is never issued";
const NO_SECRET: &str =
    "without its store the Secret is never made, and pods that need it do not start";
const NO_AUTOSCALER: &str =
    "without its authentication KEDA makes no autoscaler, and nothing is scaled";
const NO_ROLLOUT: &str = "without it the Rollout is invalid (InvalidSpec) and goes no further: no new version is rolled out";
const NO_ACCESS: &str = "without its Secret ingress-nginx answers every request with 503";
const NO_SOURCE: &str = "without its source nothing is applied";

/// All of them, kind by kind.
pub(super) const TABLE: &[Entry] = &[
    entry(CERT_MANAGER, "Certificate", "spec.issuerRef", ISSUER, NO_CERTIFICATE),
    entry(CERT_MANAGER, "CertificateRequest", "spec.issuerRef", ISSUER, NO_CERTIFICATE),
    annotation(
        NETWORKING,
        "Ingress",
        "cert-manager.io/cluster-issuer",
        cluster(CERT_MANAGER, "ClusterIssuer"),
        NO_CERTIFICATE,
    ),
    annotation(
        NETWORKING,
        "Ingress",
        "cert-manager.io/issuer",
        namespaced(CERT_MANAGER, "Issuer"),
        NO_CERTIFICATE,
    ),
    annotation(
        GATEWAY_API,
        "Gateway",
        "cert-manager.io/cluster-issuer",
        cluster(CERT_MANAGER, "ClusterIssuer"),
        NO_CERTIFICATE,
    ),
    annotation(
        GATEWAY_API,
        "Gateway",
        "cert-manager.io/issuer",
        namespaced(CERT_MANAGER, "Issuer"),
        NO_CERTIFICATE,
    ),
    entry(EXTERNAL_SECRETS, "ExternalSecret", "spec.secretStoreRef", STORE, NO_SECRET),
    entry(EXTERNAL_SECRETS, "ExternalSecret", "spec.data[].sourceRef.storeRef", STORE, NO_SECRET),
    entry(
        EXTERNAL_SECRETS,
        "ExternalSecret",
        "spec.dataFrom[].sourceRef.storeRef",
        STORE,
        NO_SECRET,
    ),
    entry(
        EXTERNAL_SECRETS,
        "PushSecret",
        "spec.secretStoreRefs[]",
        STORE,
        "without its store the Secret is never pushed",
    ),
    entry(KEDA, "ScaledObject", "spec.triggers[].authenticationRef", AUTHENTICATION, NO_AUTOSCALER),
    entry(KEDA, "ScaledJob", "spec.triggers[].authenticationRef", AUTHENTICATION, NO_AUTOSCALER),
    entry(ARGO, "Rollout", "spec.strategy.canary.canaryService", SERVICE, NO_ROLLOUT),
    entry(ARGO, "Rollout", "spec.strategy.canary.stableService", SERVICE, NO_ROLLOUT),
    entry(ARGO, "Rollout", "spec.strategy.canary.pingPong.pingService", SERVICE, NO_ROLLOUT),
    entry(ARGO, "Rollout", "spec.strategy.canary.pingPong.pongService", SERVICE, NO_ROLLOUT),
    entry(ARGO, "Rollout", "spec.strategy.blueGreen.activeService", SERVICE, NO_ROLLOUT),
    entry(ARGO, "Rollout", "spec.strategy.blueGreen.previewService", SERVICE, NO_ROLLOUT),
    entry(ARGO, "Rollout", "spec.strategy.canary.analysis.templates[]", ANALYSIS, NO_ROLLOUT),
    entry(
        ARGO,
        "Rollout",
        "spec.strategy.canary.steps[].analysis.templates[]",
        ANALYSIS,
        NO_ROLLOUT,
    ),
    entry(
        ARGO,
        "Rollout",
        "spec.strategy.canary.steps[].experiment.analyses[]",
        ANALYSIS,
        NO_ROLLOUT,
    ),
    entry(
        ARGO,
        "Rollout",
        "spec.strategy.blueGreen.prePromotionAnalysis.templates[]",
        ANALYSIS,
        NO_ROLLOUT,
    ),
    entry(
        ARGO,
        "Rollout",
        "spec.strategy.blueGreen.postPromotionAnalysis.templates[]",
        ANALYSIS,
        NO_ROLLOUT,
    ),
    entry(
        ARGO,
        "Rollout",
        "spec.strategy.canary.trafficRouting.nginx.stableIngress",
        INGRESS,
        NO_ROLLOUT,
    ),
    entry(
        ARGO,
        "Rollout",
        "spec.strategy.canary.trafficRouting.nginx.stableIngresses[]",
        INGRESS,
        NO_ROLLOUT,
    ),
    entry(ARGO, "Rollout", "spec.strategy.canary.trafficRouting.alb.ingress", INGRESS, NO_ROLLOUT),
    entry(
        ARGO,
        "Rollout",
        "spec.strategy.canary.trafficRouting.istio.virtualService.name",
        Form::Name(namespaced(ISTIO, "VirtualService")),
        NO_ROLLOUT,
    ),
    entry(
        ARGO,
        "Rollout",
        "spec.strategy.canary.trafficRouting.istio.destinationRule.name",
        Form::Name(namespaced(ISTIO, "DestinationRule")),
        NO_ROLLOUT,
    ),
    annotation(
        NETWORKING,
        "Ingress",
        "nginx.ingress.kubernetes.io/auth-secret",
        namespaced("", "Secret"),
        NO_ACCESS,
    ),
    annotation(
        NETWORKING,
        "Ingress",
        "nginx.ingress.kubernetes.io/auth-tls-secret",
        namespaced("", "Secret"),
        "without its Secret ingress-nginx answers every request with 403",
    ),
    annotation(
        NETWORKING,
        "Ingress",
        "nginx.ingress.kubernetes.io/proxy-ssl-secret",
        namespaced("", "Secret"),
        "without its Secret ingress-nginx answers every request with 503",
    ),
    crossing(
        TRAEFIK,
        "IngressRoute",
        "spec.routes[].middlewares[]",
        Form::Kinded {
            group: TRAEFIK,
            default: "Middleware",
            kinds: &[namespaced(TRAEFIK, "Middleware")],
        },
        "without its middleware Traefik leaves the route out, and answers 404",
    ),
    crossing(
        TRAEFIK,
        "IngressRoute",
        "spec.routes[].services[]",
        Form::Kinded {
            group: "",
            default: "Service",
            kinds: &[namespaced("", "Service"), namespaced(TRAEFIK, "TraefikService")],
        },
        "without its Service Traefik leaves the route out, and answers 404",
    ),
    entry(
        TRAEFIK,
        "IngressRoute",
        "spec.tls.secretName",
        Form::Name(namespaced("", "Secret")),
        "without its Secret Traefik answers with a certificate of its own",
    ),
    crossing(
        "kustomize.toolkit.fluxcd.io",
        "Kustomization",
        "spec.sourceRef",
        FLUX_SOURCE,
        NO_SOURCE,
    ),
    crossing(
        "helm.toolkit.fluxcd.io",
        "HelmRelease",
        "spec.chart.spec.sourceRef",
        FLUX_SOURCE,
        NO_SOURCE,
    ),
    crossing("helm.toolkit.fluxcd.io", "HelmRelease", "spec.chartRef", FLUX_SOURCE, NO_SOURCE),
    entry(
        GATEWAY_API,
        "Gateway",
        "spec.gatewayClassName",
        Form::Name(cluster(GATEWAY_API, "GatewayClass")),
        "without its class no controller takes the Gateway, and nothing listens",
    ),
    entry(
        SNAPSHOTS,
        "VolumeSnapshot",
        "spec.source.persistentVolumeClaimName",
        Form::Name(namespaced("", "PersistentVolumeClaim")),
        "without its claim no snapshot is made",
    ),
    entry(
        SNAPSHOTS,
        "VolumeSnapshot",
        "spec.volumeSnapshotClassName",
        Form::Name(cluster(SNAPSHOTS, "VolumeSnapshotClass")),
        "without its class no snapshot is made",
    ),
    entry(
        "",
        "PersistentVolumeClaim",
        "spec.dataSource",
        Form::Kinded {
            group: SNAPSHOTS,
            default: "",
            kinds: &[namespaced(SNAPSHOTS, "VolumeSnapshot")],
        },
        "without its snapshot no volume is made, and the claim stays Pending",
    ),
];
