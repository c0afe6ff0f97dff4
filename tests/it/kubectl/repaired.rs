//! A repaired world, applied in the order of its files.

use super::Stand;
use crate::cluster::same::compare_system;
use crate::support::fixture;
use crate::systems::texts;
use crate::webhook::support::objects;
use purlin::load::load_texts;

/// Nothing is denied, a second time nothing is even warned of, and a check of the cluster says what one of the files says.
pub(super) fn is_taken(stand: &Stand, world: &str) {
    let folder = fixture(&format!("systems/{world}"));
    let all = objects(&load_texts(texts(world)));
    let namespaces: Vec<_> = all.iter().filter(|it| it["kind"] == "Namespace").collect();
    let mut said = stand.kubectl.on(&namespaces, &["apply"]);
    let apply = ["apply", "-R", "-f", folder.to_str().unwrap()];
    said.and(stand.kubectl.run(&apply, ""));
    assert!(said.is_done(), "{world}: {said:#?}");
    println!("{world}: {} objects taken, {} warnings on the way", all.len(), said.warnings.len());
    let again = stand.kubectl.run(&apply, "");
    assert!(again.is_done() && again.warnings.is_empty(), "{world} again: {again:#?}");
    compare_system(&stand.api, world).unwrap();
}
