//! Writes that were allowed and do not come about, or not at once, and what is found at the second look.

use super::program::Program;
use super::requests::{budget, creation, deployment};
use super::setup::Setup;
use purlin::webhook::overlay::DOUBT;
use serde_json::Value;
use std::time::Instant;

fn is_allowed(program: &Program, review: &Value) -> bool {
    let answer = program.review(review);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["response"]["allowed"] == true
}

/// The objects of the races that were reported so far.
fn races(program: &Program) -> Vec<String> {
    let log = program.log().into_iter().filter(|it| it["message"] == "a race was admitted");
    log.map(|it| it["object"].as_str().unwrap().to_string()).collect()
}

#[test]
fn a_write_that_does_not_come_about_is_taken_back_and_a_late_one_is_a_race() {
    let setup = Setup::new(Vec::new());
    let mut program = setup.serve(&[]);
    let (workload, guard) = (deployment("shop", "api", 2), budget("shop", "api", 2));
    assert!(is_allowed(&program, &creation(&workload)));
    // The workload may be under way, so the answer waits until no read has shown it for long enough.
    let asked = Instant::now();
    assert!(is_allowed(&program, &creation(&guard)), "nothing shows the workload");
    assert!(asked.elapsed() >= DOUBT / 2, "{:?}", asked.elapsed());

    // It was under way after all: another webhook took its time.
    setup.pretence.show(guard, 5);
    setup.pretence.show(workload, 6);
    program.wait("a report of the race", |it| !races(it).is_empty());
    assert!(program.metric("purlin_race_admitted_total{rule=\"pdb-blocks-drain\"}") >= 1.0);
}

#[test]
fn what_was_changed_since_is_no_race() {
    let setup = Setup::new(Vec::new());
    let mut program = setup.serve(&[]);
    // Another replica has allowed all that nobody asks of here.
    assert!(is_allowed(&program, &creation(&budget("shop", "first", 2))));
    setup.pretence.show(budget("shop", "first", 2), 5);
    setup.pretence.show(budget("shop", "first", 1), 6);
    setup.pretence.show(deployment("shop", "first", 2), 7);

    assert!(is_allowed(&program, &creation(&budget("shop", "second", 2))));
    setup.pretence.show(budget("shop", "second", 2), 8);
    setup.pretence.show(deployment("shop", "second", 2), 9);
    program.wait("a report of the race", |it| !races(it).is_empty());
    assert_eq!(races(&program), ["PodDisruptionBudget/shop/second"]);
}
