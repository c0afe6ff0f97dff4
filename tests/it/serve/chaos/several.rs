//! Two replicas behind a Service: either can go at any time, in order or not.

use super::super::relay::Relay;
use super::load::WORKERS;
use super::*;

#[test]
fn two_replicas_go_and_come_back_one_after_the_other() {
    let Some(mut api) = ApiServer::start() else { return };
    let ways = [relay_to(&api), relay_to(&api)];
    let (certificate, key) = api.issue("webhook");
    let ca = api.ca();
    let start = |api: &ApiServer, at: usize, log: &str| {
        serve(api, &ways[at], (&certificate, &key), &ca, log)
    };
    let mut programs = [start(&api, 0, "a0"), start(&api, 1, "b0")];
    let service = Relay::to(&[]);
    let lead = |programs: &[Program; 2]| service.lead_to(&programs.each_ref().map(|it| it.reviews));
    lead(&programs);
    register(&api, &service, &ca, &programs.each_ref());
    under_load(&api.kubeconfig(), Replicas::Several, |load| {
        for (at, log) in ["a1", "b1"].into_iter().enumerate() {
            let tally = phase(load, "a replica rolled", || {
                let next = start(&api, at, log);
                let mut old = std::mem::replace(&mut programs[at], next);
                lead(&programs);
                old.signal("TERM");
                assert!(old.wait_for_end().success(), "{:?}", old.log().last());
                until_known(&api, log, &mut programs.each_mut());
            });
            assert_whole("a replica rolled", &tally);
        }
        for (at, log) in ["a2", "b2"].into_iter().enumerate() {
            let tally = phase(load, "a replica killed and restarted", || {
                programs[at].signal("KILL");
                programs[at].wait_for_end();
                go_on(load, 100);
                programs[at] = start(&api, at, log);
                lead(&programs);
                until_known(&api, log, &mut programs.each_mut());
            });
            assert!(tally.lost.is_empty(), "{:#?}", tally.lost);
            // Each had one under way at the most.
            assert!(tally.not_asked.len() <= WORKERS, "{:#?}", tally.not_asked);
        }
        for (at, name) in ["cut-a", "cut-b"].into_iter().enumerate() {
            let tally = phase(load, "watches of a replica cut", || {
                ways[at].cut();
                until_known(&api, name, &mut programs.each_mut());
            });
            assert_whole("watches of a replica cut", &tally);
        }
        let tally = phase(load, "the API server killed and restarted", || {
            api.restart();
            until_known(&api, "restart", &mut programs.each_mut());
        });
        assert!(tally.not_asked.is_empty(), "{:#?}", tally.not_asked);
    });
    for it in &programs {
        assert!(it.metric("purlin_requests_total{verdict=\"deny\"}") > 0.0, "both were asked");
    }
}
