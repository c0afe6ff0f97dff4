//! The volumes of a component, and the Service that it is called by.

use super::Compared;
use crate::analyze::selection::services::Exposure;
use crate::api::kind::Kind;
use crate::model::{Object, Place};
use crate::text::tree::Node;

pub(super) fn compare(it: &mut Compared<'_, '_>) {
    volumes(it);
    service(it);
}

/// A claim that is there, with the object that it stands in.
struct Claim<'c, 'd> {
    name: String,
    object: &'c Object<'d>,
    spec: Option<Node<'d>>,
}

/// The claims of a workload's pods.
fn claims<'c, 'd>(it: &Compared<'c, 'd>) -> Vec<Claim<'c, 'd>> {
    let own = it.object();
    let templates = own.field(&["spec", "volumeClaimTemplates"]).into_iter().flat_map(Node::items);
    let mut claims: Vec<Claim<'c, 'd>> = templates
        .map(|template| {
            let name = template.at(&["metadata", "name"]).and_then(Node::str).unwrap_or_default();
            Claim { name: name.into(), object: own, spec: template.get("spec") }
        })
        .collect();
    for volume in it.workload.pod.list("volumes") {
        let Some(name) = volume.at(&["persistentVolumeClaim", "claimName"]).and_then(Node::str)
        else {
            continue;
        };
        let kind = Kind::PersistentVolumeClaim;
        if let Some(object) = it.model.find(kind, it.workload.namespace, name) {
            let name = volume.text("name").unwrap_or(name).to_string();
            claims.push(Claim { name, object, spec: object.field(&["spec"]) });
        }
    }
    claims
}

fn volumes(it: &mut Compared<'_, '_>) {
    let claims = claims(it);
    let stated = it.stated(&["storage"]).into_iter().flat_map(Node::entries);
    let stated: Vec<_> = stated.collect();
    for (key, statement) in &stated {
        let name = key.scalar().unwrap_or_default();
        let own = claims.iter().find(|it| it.name == name);
        // A single volume is meant, whatever it is called.
        let only = || (stated.len() == 1 && claims.len() == 1).then(|| &claims[0]);
        let what = format!("storage.{name}");
        let Some(claim) = own.or_else(only) else {
            let place = it.whole();
            it.differs(&what, *key, ("a volume", "none of that name"), place);
            continue;
        };
        let spec = claim.spec;
        let place = |node: Option<Node<'_>>| -> Place {
            node.map_or_else(|| claim.object.at("spec"), |it| claim.object.place(it))
        };
        let size = spec.and_then(|it| it.at(&["resources", "requests", "storage"]));
        let class = spec.and_then(|it| it.get("storageClassName"));
        for (field, found) in [("size", size), ("class", class)] {
            let Some(statement) = statement.get(field) else { continue };
            let promised = statement.scalar().unwrap_or_default();
            let there = found.and_then(Node::scalar);
            if there.as_ref().is_some_and(|it| super::same(it, &promised)) {
                continue;
            }
            // Without a class the cluster's default is meant, which may be this one.
            let Some(there) = there else { continue };
            it.differs(&format!("{what}.{field}"), statement, (promised, there), place(found));
        }
        let modes = spec.and_then(|it| it.get("accessModes"));
        if let Some(statement) = statement.get("access") {
            let promised = statement.scalar().unwrap_or_default();
            let there: Vec<_> =
                modes.into_iter().flat_map(Node::items).filter_map(Node::str).collect();
            if !there.contains(&&*promised) {
                let shown = if there.is_empty() { "nothing".into() } else { there.join(", ") };
                it.differs(&format!("{what}.access"), statement, (promised, shown), place(modes));
            }
        }
    }
}

fn service(it: &mut Compared<'_, '_>) {
    let Some(stated) = it.component.service.clone() else { return };
    let name = stated.name.as_ref().map(|it| it.0.as_str());
    let mut of_workload = it.facts.services().of_workload(it.workload.id);
    let found = of_workload.find(|it| name.is_none_or(|name| it.name == name));
    let Some(statement) = it.stated(&["service"]) else { return };
    let Some(service) = found else {
        let place = it.whole();
        let promised = name.unwrap_or("a Service").to_string();
        let at = statement.get("name").unwrap_or(statement);
        it.differs("service", at, (promised, "no such Service leads here"), place);
        return;
    };
    let object = it.model.object(service.object);
    if let (Some(kind), Some(at)) = (stated.kind, statement.get("type")) {
        let there = match service.exposure {
            Exposure::ClusterIp => "ClusterIP",
            Exposure::NodePort => "NodePort",
            Exposure::LoadBalancer => "LoadBalancer",
            Exposure::ExternalName => "ExternalName",
        };
        if there != kind.name() {
            it.differs("service.type", at, (kind.name(), there), object.at("spec.type"));
        }
    }
    if let (Some(port), Some(at)) = (stated.node_port, statement.get("nodePort")) {
        let is_there = service.ports.iter().any(|it| it.node_port == Some(i64::from(port.first)));
        if !is_there {
            let place = object.at("spec.ports");
            it.differs("service.nodePort", at, (port.first.to_string(), "another port"), place);
        }
    }
}
