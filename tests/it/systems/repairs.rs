//! A repair can be applied over what is there: it changes no field that the API server keeps as it is, and leaves no
//! object behind that goes on as documented.

use super::texts;
#[cfg(feature = "cluster")]
use crate::apiserver::ApiServer;
use purlin::load::load_texts;
use purlin::model::Model;
use purlin::text::tree::Node;
use std::collections::BTreeMap;

const SYSTEMS: [(&str, &str); 7] = [
    ("driveline/as-documented", "driveline/repaired"),
    ("feastflow/as-documented", "feastflow/repaired"),
    ("healthcare-cloud/as-documented.rendered/local", "healthcare-cloud/repaired.rendered/local"),
    (
        "healthcare-cloud/as-documented.rendered/production",
        "healthcare-cloud/repaired.rendered/production",
    ),
    (
        "healthcare-cloud/as-documented.rendered/staging",
        "healthcare-cloud/repaired.rendered/staging",
    ),
    ("healthcare-onprem/as-documented", "healthcare-onprem/repaired"),
    ("yt-video-creator/as-documented", "yt-video-creator/repaired"),
];

/// What has to be deleted by hand before a repair holds: nothing else may be gone, as `kubectl apply` deletes nothing.
const DELETED: [&str; 2] = [
    // The operator of external secrets makes it anew, under the same name.
    "Secret/feastflow/feastflow-secrets",
    "HorizontalPodAutoscaler/healthcare-backend/redis",
];

/// Fields that may not change, by kind (`pkg/apis/*/validation`, `Validate…Update`).
const FIXED: [(&str, &[&[&str]]); 8] = [
    ("Deployment", &[&["spec", "selector"]]),
    (
        "StatefulSet",
        &[
            &["spec", "selector"],
            &["spec", "serviceName"],
            &["spec", "podManagementPolicy"],
            &["spec", "volumeClaimTemplates"],
        ],
    ),
    ("Service", &[&["spec", "clusterIP"]]),
    ("PersistentVolumeClaim", &[&["spec", "accessModes"], &["spec", "storageClassName"]]),
    ("RoleBinding", &[&["roleRef"]]),
    ("ClusterRoleBinding", &[&["roleRef"]]),
    ("StorageClass", &[&["provisioner"], &["parameters"], &["reclaimPolicy"]]),
    ("IngressClass", &[&["spec", "controller"]]),
];

#[test]
fn repairs_can_be_applied_over_what_is_there() {
    let mut wrong = Vec::new();
    for (documented, repaired) in SYSTEMS {
        let (before, after) = (fixed(documented), fixed(repaired));
        for (object, fields) in &before {
            match after.get(object) {
                None if DELETED.contains(&object.as_str()) => {}
                None => wrong.push(format!("{repaired}: {object} stays as documented")),
                Some(it) if it != fields => {
                    wrong.push(format!("{repaired}: {object}\n  {fields:?}\n  {it:?}"));
                }
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same on a real API server, of all but two of the three overlays.
#[cfg(feature = "cluster")]
#[test]
fn an_api_server_takes_repairs_over_what_is_there() {
    let servers = [&SYSTEMS[..2], &SYSTEMS[3..4], &SYSTEMS[5..]];
    for worlds in servers {
        let Some(server) = ApiServer::start() else { return };
        for world in worlds.iter().flat_map(|it| [it.0, it.1]) {
            let all: Vec<_> = texts(world).into_iter().map(|it| it.1.to_string()).collect();
            let (_, refused) = server.apply(&all.join("\n---\n"));
            assert!(refused.is_empty(), "{world}: {refused:#?}");
        }
    }
}

/// The fixed fields of every object of a world.
fn fixed(world: &str) -> BTreeMap<String, Vec<String>> {
    let loaded = load_texts(texts(world));
    let model = Model::new(&loaded, "default");
    let all = model.objects().map(|object| {
        let kind = object.kind.name();
        let paths = FIXED.iter().find(|it| it.0 == kind).map_or(&[][..], |it| it.1);
        let fields = paths.iter().map(|path| object.field(path).map_or(String::new(), written));
        (object.to_string(), fields.collect())
    });
    all.collect()
}

fn written(node: Node<'_>) -> String {
    if let Some(text) = node.scalar() {
        return text.into_owned();
    }
    let items: Vec<_> = node.items().map(written).collect();
    let pairs: Vec<_> = node.pairs().map(|(key, it)| format!("{key}: {}", written(it))).collect();
    format!("[{}]{{{}}}", items.join(", "), pairs.join(", "))
}
