//! The layout keeps its promises, whatever the scene.

use super::scenes::{add, any_scene, flow, scene, shop};
use proptest::prelude::*;
use purlin::graph::layout::{Layout, Point, Rect, Route, layout};
use purlin::graph::scene::{ComponentKind, Scene, State};
use purlin::graph::{condense, svg};

fn overlap(a: &Rect, b: &Rect) -> bool {
    a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom()
}

fn holds(outer: &Rect, inner: &Rect) -> bool {
    outer.x <= inner.x
        && outer.y <= inner.y
        && inner.right() <= outer.right()
        && inner.bottom() <= outer.bottom()
}

/// Says what is wrong with a layout.
fn wrong(scene: &Scene, layout: &Layout) -> Vec<String> {
    let mut wrong = Vec::new();
    let boxes: Vec<_> = layout.components.iter().map(|it| it.rect).collect();
    for (at, a) in boxes.iter().enumerate() {
        for (other, b) in boxes.iter().enumerate().skip(at + 1) {
            if overlap(a, b) {
                wrong.push(format!("component {at} {a:?} lies on {other} {b:?}"));
            }
        }
        for (namespace, area) in layout.namespaces.iter().enumerate() {
            let Some(area) = area else { continue };
            let is_home = scene.components[at].namespace == Some(namespace);
            if is_home && !holds(area, a) || !is_home && overlap(area, a) {
                wrong.push(format!("component {at} {a:?} and namespace {namespace} {area:?}"));
            }
        }
    }
    let areas: Vec<_> = layout.namespaces.iter().flatten().collect();
    for (at, a) in areas.iter().enumerate() {
        for b in &areas[at + 1..] {
            if overlap(a, b) {
                wrong.push(format!("namespace {a:?} lies on {b:?}"));
            }
        }
    }
    let picture = Rect { x: 0.0, y: 0.0, width: layout.width, height: layout.height };
    for it in boxes.iter().chain(areas) {
        if !holds(&picture, it) {
            wrong.push(format!("{it:?} lies outside"));
        }
    }
    for (flow, route) in scene.flows.iter().zip(&layout.routes) {
        let (from, to) = (boxes[flow.from], boxes[flow.to]);
        let touches = |rect: &Rect, point: &Point| {
            (point.x == rect.x || point.x == rect.right())
                && (rect.y..=rect.bottom()).contains(&point.y)
        };
        match route {
            Route::Loop(point) => {
                if flow.from != flow.to || !touches(&to, point) {
                    wrong.push(format!("{flow:?} ends at {point:?}"));
                }
            }
            Route::Bow(start, end) => {
                if !touches(&from, start) || !touches(&to, end) || start.x != end.x {
                    wrong.push(format!("{flow:?} goes from {start:?} to {end:?}"));
                }
            }
            Route::Stations(points) => {
                if !touches(&from, &points[0]) || !touches(&to, &points[points.len() - 1]) {
                    wrong.push(format!("{flow:?} goes {points:?}, not from {from:?} to {to:?}"));
                }
                // A bow stays between the columns, so only what is straight could meet a box.
                for pair in points.windows(2) {
                    let (a, b) = (pair[0], pair[1]);
                    let (left, right) = (a.x.min(b.x), a.x.max(b.x));
                    let (top, bottom) = (a.y.min(b.y), a.y.max(b.y));
                    for it in &boxes {
                        let is_beside = right <= it.x || it.right() <= left;
                        if !is_beside && it.y < bottom && top < it.bottom()
                            || !is_beside && a.y == b.y && it.y < a.y && a.y < it.bottom()
                        {
                            wrong.push(format!("{flow:?} passes through {it:?}: {a:?} to {b:?}"));
                        }
                    }
                }
            }
        }
    }
    wrong
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_lies_on_anything_else(scene in any_scene(24)) {
        for scene in [scene.clone(), condense(scene)] {
            let layout = layout(&scene);
            prop_assert_eq!(wrong(&scene, &layout), Vec::<String>::new());
        }
    }
}

#[test]
fn the_shop_has_room() {
    let scene = condense(shop());
    assert_eq!(wrong(&scene, &layout(&scene)), Vec::<String>::new());
}

/// Two hundred components in ten namespaces, each with two or three peers anywhere.
fn large() -> Scene {
    let names: Vec<String> = (0..10).map(|it| format!("namespace-{it}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut it = scene("large", &names);
    let mut seed = 42_u32;
    let mut next = |limit: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % limit
    };
    for at in 0..200 {
        add(
            &mut it,
            Some(at % 10),
            ComponentKind::Workload,
            &format!("component-{at}"),
            "Deployment",
        );
    }
    for from in 0..200 {
        for _ in 0..2 + from % 2 {
            flow(&mut it, from, next(200), &[8080], State::Allowed);
        }
    }
    it
}

#[test]
fn two_hundred_components_have_room_and_stay_where_they_are() {
    let scene = large();
    let placed = layout(&scene);
    assert_eq!(wrong(&scene, &placed), Vec::<String>::new());
    assert_eq!(placed.routes, layout(&large()).routes);
    assert!(svg::render(&condense(scene.clone())).len() > 1000);
    assert_eq!(condense(scene).components.len(), 10);
}
