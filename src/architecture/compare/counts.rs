//! How many pods there are, what scales and protects them, and how they are replaced.

use super::{Compared, same};
use crate::analyze::capacity::replicas::Bound;
use crate::api::kind::Kind;
use crate::architecture::statements::{Rate, Replicas};
use crate::architecture::time::Duration;
use crate::model::{Object, Place};
use crate::text::tree::Node;

pub(super) fn compare(it: &mut Compared<'_, '_>) {
    replicas(it);
    budget(it);
    rollout(it);
    metrics(it);
    rates(it);
    vertical(it);
}

fn replicas(it: &mut Compared<'_, '_>) {
    let (Some(promised), Some(statement)) = (it.component.replicas, it.stated(&["replicas"]))
    else {
        return;
    };
    let Some(envelope) = it.facts.envelope(it.workload.id).copied() else { return };
    let mut tell = |what: &str,
                    at: Option<Node<'_>>,
                    (promised, word): (u32, &str),
                    bound: Bound| {
        if bound.count != u64::from(promised) {
            let place = bound.place(it.model);
            let found = format!("{word}{}", bound.count);
            it.differs(what, at.unwrap_or(statement), (format!("{word}{promised}"), found), place);
        }
    };
    match promised {
        Replicas::Count(count) => {
            tell("replicas", None, (count, ""), envelope.floor);
            if envelope.peak.count != envelope.floor.count {
                tell("replicas", None, (count, "at most "), envelope.peak);
            }
        }
        Replicas::Between(bounds) => {
            tell("replicas.min", statement.get("min"), (bounds.min, "at least "), envelope.floor);
            tell("replicas.max", statement.get("max"), (bounds.max, "at most "), envelope.peak);
        }
    }
}

fn budget(it: &mut Compared<'_, '_>) {
    let budget = it.facts.budgets().of_workload(it.workload.id).next().map(|it| it.object);
    for field in ["minAvailable", "maxUnavailable"] {
        let Some(statement) = it.stated(&["disruption", field]) else { continue };
        let promised = statement.scalar().unwrap_or_default();
        let what = format!("disruption.{field}");
        let Some(object) = budget.map(|object| it.model.object(object)) else {
            let place = it.whole();
            it.differs(&what, statement, (promised, "no budget"), place);
            continue;
        };
        match object.field(&["spec", field]) {
            Some(found) if found.scalar().is_some_and(|it| same(&it, &promised)) => {}
            Some(found) => {
                let there = found.scalar().unwrap_or_default().into_owned();
                it.differs(&what, statement, (promised, there), object.place(found));
            }
            None => it.differs(&what, statement, (promised, "another bound"), object.at("spec")),
        }
    }
}

fn rollout(it: &mut Compared<'_, '_>) {
    let object = it.model.object(it.workload.controller);
    let field = match it.workload.kind {
        Kind::StatefulSet | Kind::DaemonSet => "updateStrategy",
        _ => "strategy",
    };
    let strategy = object.field(&["spec", field]);
    let place = |path: &str| object.at(path);
    for (name, filled_in) in [("maxSurge", "25%"), ("maxUnavailable", "25%")] {
        let Some(statement) = it.stated(&["rollout", name]) else { continue };
        let promised = statement.scalar().unwrap_or_default();
        let found = strategy.and_then(|it| it.at(&["rollingUpdate", name]));
        let there = found.and_then(Node::scalar);
        let there = there.as_deref().unwrap_or(match it.workload.kind {
            Kind::StatefulSet => "1",
            _ => filled_in,
        });
        if !same(there, &promised) {
            let place =
                found.map_or_else(|| place(&format!("spec.{field}")), |it| object.place(it));
            it.differs(&format!("rollout.{name}"), statement, (promised, there), place);
        }
    }
    if let Some(statement) = it.stated(&["rollout", "strategy"]) {
        let found = strategy.and_then(|it| it.text("type")).unwrap_or("RollingUpdate");
        if statement.str() != Some(found) {
            let promised = statement.scalar().unwrap_or_default();
            let place = place(&format!("spec.{field}.type"));
            it.differs("rollout.strategy", statement, (promised, found), place);
        }
    }
}

/// The autoscaler of the workload.
fn scaler<'c, 'd>(it: &Compared<'c, 'd>) -> Option<&'c Object<'d>> {
    it.facts.replicas().scalers_of(it.workload.id).next().map(|found| it.model.object(found.object))
}

fn metrics(it: &mut Compared<'_, '_>) {
    let scaler = scaler(it);
    let is_keda = scaler.is_some_and(|it| it.kind == Kind::ScaledObject);
    if is_keda {
        return;
    }
    let all: Vec<Node<'_>> = scaler
        .and_then(|it| it.field(&["spec", "metrics"]))
        .into_iter()
        .flat_map(Node::items)
        .collect();
    let place =
        |it: &Compared<'_, '_>| scaler.map_or_else(|| it.whole(), |it| it.at("spec.metrics"));
    for resource in ["cpu", "memory"] {
        let Some(statement) = it.stated(&["scaling", resource]) else { continue };
        let promised = statement.scalar().unwrap_or_default();
        let metric = all.iter().filter_map(|it| it.get("resource").or(it.get("containerResource")));
        let own = metric.into_iter().find(|it| it.text("name") == Some(resource));
        let found = own.and_then(|it| it.at(&["target", "averageUtilization"]));
        // The first version of the API had CPU alone.
        let first = scaler.and_then(|it| it.field(&["spec", "targetCPUUtilizationPercentage"]));
        let found = found.or(first.filter(|_| resource == "cpu"));
        let there = found.and_then(Node::int).map(|it| format!("{it}%"));
        if there.as_deref() == Some(&*promised) {
            continue;
        }
        let place = match found.zip(scaler) {
            Some((found, object)) => object.place(found),
            None => place(it),
        };
        let there = there.unwrap_or_else(|| "nothing".into());
        it.differs(&format!("scaling.{resource}"), statement, (promised, there), place);
    }
    let stated = it.stated(&["scaling", "metrics"]).into_iter().flat_map(Node::entries);
    for (key, statement) in stated.collect::<Vec<_>>() {
        let name = key.scalar().unwrap_or_default();
        let promised = statement.scalar().unwrap_or_default();
        let own =
            all.iter().filter_map(|it| it.get("pods").or(it.get("external")).or(it.get("object")));
        let own = own
            .into_iter()
            .find(|it| it.at(&["metric", "name"]).and_then(Node::str) == Some(&*name));
        let target = own.and_then(|it| it.get("target"));
        let found = target.and_then(|it| it.get("averageValue").or(it.get("value")));
        let there = found.and_then(Node::scalar);
        if there.as_ref().is_some_and(|it| same(it, &promised)) {
            continue;
        }
        let place = match found.zip(scaler) {
            Some((found, object)) => object.place(found),
            None => place(it),
        };
        let there = there.as_deref().unwrap_or("nothing").to_string();
        it.differs(&format!("scaling.metrics.{name}"), statement, (promised, there), place);
    }
}

fn rates(it: &mut Compared<'_, '_>) {
    let Some(scaling) = it.component.scaling.clone() else { return };
    let Some(object) = scaler(it).filter(|it| it.kind == Kind::HorizontalPodAutoscaler) else {
        return;
    };
    for (way, field, rate) in [("up", "scaleUp", scaling.up), ("down", "scaleDown", scaling.down)] {
        let (Some(rate), Some(statement)) = (rate, it.stated(&["scaling", way])) else { continue };
        let rules = object.field(&["spec", "behavior", field]);
        of_rate(it, (way, &rate, statement), rules, object);
    }
}

fn of_rate<'d>(
    it: &mut Compared<'_, 'd>,
    (way, rate, statement): (&str, &Rate, Node<'_>),
    rules: Option<Node<'d>>,
    object: &Object<'d>,
) {
    let whole = || object.at("spec.behavior");
    let policies: Vec<Node<'d>> = rules.into_iter().flat_map(|it| it.list("policies")).collect();
    for (kind, key, promised) in [("Pods", "pods", rate.pods), ("Percent", "percent", rate.percent)]
    {
        let (Some(promised), Some(at)) = (promised, statement.get(key)) else { continue };
        let own = policies.iter().find(|it| it.text("type") == Some(kind));
        let found = own.and_then(|it| it.get("value"));
        let there = found.and_then(Node::int);
        if there != Some(i64::from(promised)) {
            let place = found.map_or_else(whole, |it| object.place(it));
            let there = there.map_or_else(|| "no such rate".to_string(), |it| it.to_string());
            it.differs(&format!("scaling.{way}.{key}"), at, (promised.to_string(), there), place);
        }
    }
    let times = [
        ("every", rate.every, policies.first().and_then(|it| it.get("periodSeconds"))),
        ("after", rate.after, rules.and_then(|it| it.get("stabilizationWindowSeconds"))),
    ];
    for (key, promised, found) in times {
        let (Some(promised), Some(at)) = (promised, statement.get(key)) else { continue };
        // `pkg/apis/autoscaling/v2/defaults.go`: five minutes on the way down, none on the way up.
        let filled_in = match (key, way) {
            ("after", "down") => Some(300),
            ("after", _) => Some(0),
            _ => None,
        };
        let there = found.and_then(Node::int).or(filled_in).and_then(|it| u64::try_from(it).ok());
        let there = there.map(|it| Duration(it * 1000));
        if there != Some(promised) {
            let place = found.map_or_else(whole, |it| object.place(it));
            let shown = there.map_or_else(|| "not set".to_string(), |it| it.to_string());
            it.differs(&format!("scaling.{way}.{key}"), at, (promised.to_string(), shown), place);
        }
    }
}

fn vertical(it: &mut Compared<'_, '_>) {
    let Some(statement) = it.stated(&["scaling", "vertical"]) else { return };
    let own = it.facts.verticals().iter().find(|own| own.target == Some(it.workload.id));
    let Some(object) = own.map(|own| it.model.object(own.object)) else {
        let place: Place = it.whole();
        it.differs("scaling.vertical", statement, ("a vertical autoscaler", "none"), place);
        return;
    };
    let Some(mode) = statement.get("mode") else { return };
    let found = object.field(&["spec", "updatePolicy", "updateMode"]);
    let there = found.and_then(Node::scalar).unwrap_or("Auto".into());
    let promised = mode.scalar().unwrap_or_default();
    if there != promised {
        let place = object.at("spec.updatePolicy.updateMode");
        it.differs("scaling.vertical.mode", mode, (promised, there), place);
    }
}
