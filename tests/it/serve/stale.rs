//! What is known of the cluster grows old when nothing comes any more, and is not judged on for ever.

use super::relay::Relay;
use super::requests::{budget, creation, deployment};
use super::setup::Setup;

#[test]
fn a_connection_that_dies_without_a_word_is_noticed() {
    let setup = Setup::new(vec![deployment("shop", "api", 2)]);
    let way = Relay::to(&[setup.pretence.address()]);
    let setup = setup.through(&way);
    let mut program = setup.serve(&["--stale-after=1"]);
    let review = creation(&budget("shop", "api", 1));
    assert_eq!(program.review(&review).status, 200);
    way.hold();
    let staleness = "purlin_watch_staleness_seconds{kind=\"Deployment\"}";
    program.wait("an age of what is known", |it| it.metric(staleness) > 0.0);
    // It is as old as what came last, not as the discovery that nothing comes.
    assert!(program.metric(staleness) > 20.0, "{}", program.metric(staleness));
    let answer = program.review(&review);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.body.contains("nothing was heard of"), "{answer:?}");
    way.release();
    program.wait("a verdict", |it| it.review(&review).status == 200);
}

#[test]
fn a_refusal_of_everything_is_not_believed() {
    let setup = Setup::new(vec![deployment("shop", "api", 2)]);
    let way = Relay::to(&[setup.pretence.address()]);
    let setup = setup.through(&way);
    let mut program = setup.serve(&[]);
    let staleness = "purlin_watch_staleness_seconds{kind=\"Deployment\"}";
    setup.pretence.refuse(true);
    way.cut();
    program.wait("an age of what is known", |it| it.metric(staleness) > 0.0);
    // What may not be seen is infinitely old, and nothing is judged on it.
    assert!(program.metric(staleness).is_finite(), "{}", program.metric(staleness));
    setup.pretence.refuse(false);
    program.wait("fresh knowledge", |it| it.metric(staleness) == 0.0);
    let mut review = creation(&budget("shop", "api", 2));
    review["request"]["dryRun"] = true.into();
    assert_eq!(program.review(&review).json()["response"]["allowed"], false);
}

#[test]
fn a_denial_that_cannot_be_confirmed_is_none() {
    let setup = Setup::new(vec![deployment("shop", "api", 2)]);
    let way = Relay::to(&[setup.pretence.address()]);
    let setup = setup.through(&way);
    let program = setup.serve(&[]);
    way.lead_to(&[]);
    way.cut();
    let answer = program.review(&creation(&budget("shop", "api", 2)));
    assert_eq!(answer.status, 500, "{answer:?}");
    assert!(answer.body.contains("cannot confirm a denial"), "{answer:?}");
    assert_eq!(program.review(&creation(&budget("shop", "api", 1))).status, 200);
}
