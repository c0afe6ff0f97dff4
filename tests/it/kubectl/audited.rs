//! A world as documented, applied in audit mode.

use super::Stand;
use super::expected::{Expected, expected};
use crate::support::fixture;
use crate::systems::texts;
use crate::webhook::support::objects;
use purlin::load::load_texts;

/// Everything is taken without a word, and the log and the metrics hold all that is wrong.
pub(super) fn everything_is_taken_and_told(stand: &mut Stand, world: &str) {
    let folder = fixture(&format!("systems/{world}"));
    let texts = texts(world);
    let all = objects(&load_texts(texts.clone()));
    let namespaces: Vec<_> = all.iter().filter(|it| it["kind"] == "Namespace").collect();
    let mut said = stand.kubectl.on(&namespaces, &["apply"]);
    said.and(stand.kubectl.run(&["apply", "-R", "-f", folder.to_str().unwrap()], ""));
    assert!(said.is_done() && said.warnings.is_empty(), "{world}: {said:#?}");
    let log = stand.program.log();
    let told = |it: &Expected| {
        let of_rule =
            log.iter().filter(|line| line["verdict"] == "audit" && line["rule"] == it.rule.id);
        of_rule.filter_map(|line| line["message"].as_str()).any(|text| it.is_told_by(text))
    };
    let expected = expected(texts);
    let missing: Vec<_> = expected
        .iter()
        .filter(|it| !told(it))
        .map(|it| format!("{}: {}", it.rule.id, it.message))
        .collect();
    println!("{world}: {} objects taken, {} findings told", all.len(), expected.len());
    assert!(missing.is_empty(), "{world}: not told:\n{}", missing.join("\n"));
    let metrics = stand.program.get("/metrics").body;
    let counted: Vec<_> =
        metrics.lines().filter(|it| it.starts_with("purlin_findings_total{")).collect();
    let by_rule = |it: &Expected| format!("rule=\"{}\"", it.rule.id);
    assert!(counted.iter().all(|it| it.contains("verdict=\"audit\"")), "{world}: {counted:#?}");
    let uncounted =
        expected.iter().map(by_rule).find(|it| !counted.iter().any(|line| line.contains(it)));
    assert_eq!(uncounted, None, "{world}: {counted:#?}");
    stand.forget(world);
}
