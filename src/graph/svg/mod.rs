//! The picture as SVG: no scripts, no fonts to load, colours for light and dark.

mod legend;
mod style;

use super::layout;
use super::layout::{Layout, MARGIN, Placed, Point, Rect, Route, RowKind, layout};
use super::phrases;
use super::scene::{ComponentKind, Flow, Scene, State};
use super::text::{Weight, fit, width};
use std::fmt::Write;

/// The length of an arrow's head.
const HEAD_LENGTH: f64 = 7.0;
/// The size of letters in the title.
const TITLE: f64 = 18.0;

/// Draws a scene.
pub fn render(scene: &Scene) -> String {
    draw(scene, &layout(scene))
}

fn draw(scene: &Scene, layout: &Layout) -> String {
    let wide = legend::width(scene).max(width(&scene.title, TITLE, Weight::Bold)).min(1100.0);
    let full = layout.width.max(wide + 2.0 * MARGIN).ceil();
    let (legend, below) = legend::draw(scene, full, layout.height);
    let mut out = String::new();
    let title = text(&scene.title);
    put(
        &mut out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {full} {below}\" width=\"{full}\" height=\"{below}\" role=\"img\" aria-labelledby=\"title description\">\n\
         <title id=\"title\">{title}</title>\n<desc id=\"description\">{}</desc>\n<style>\n{}</style>\n\
         <rect class=\"page\" width=\"{full}\" height=\"{below}\"/>\n",
            text(&summary(scene)),
            style::of(scene),
        ),
    );
    let heading = text(&fit(&scene.title, full - 2.0 * MARGIN, TITLE, Weight::Bold));
    put(
        &mut out,
        format_args!(
            "<text class=\"title\" x=\"{MARGIN}\" y=\"32\">{heading}</text>\n<text class=\"small\" x=\"{MARGIN}\" y=\"50\">{}</text>\n",
            text(&summary(scene)),
        ),
    );
    for rect in layout.namespaces.iter().flatten() {
        put(&mut out, format_args!("<rect class=\"namespace\" {} rx=\"10\"/>\n", attributes(rect)));
    }
    // What is as it should be lies below what is not.
    for state in State::ALL {
        let flows = scene.flows.iter().zip(&layout.routes).filter(|(flow, _)| flow.state == state);
        for (flow, route) in flows {
            draw_flow(&mut out, scene, flow, route);
        }
    }
    for (namespace, rect) in layout.namespaces.iter().enumerate() {
        if let Some(rect) = rect {
            draw_heading(&mut out, scene, namespace, rect);
        }
    }
    for (at, placed) in layout.components.iter().enumerate() {
        draw_component(&mut out, scene, at, placed);
    }
    out.push_str(&legend);
    out.push_str("</svg>\n");
    out
}

/// What there is to see, in a line.
fn summary(scene: &Scene) -> String {
    let real = scene.components.iter().filter(|it| it.kind != ComponentKind::EveryPod).count();
    let mut parts = vec![counted(real, "component"), counted(scene.flows.len(), "flow")];
    for state in [State::Undeclared, State::Missing, State::Undefined] {
        let count = scene.flows.iter().filter(|it| it.state == state).count();
        if count > 0 {
            parts.push(format!("{count} {}", state.name()));
        }
    }
    parts.join(", ")
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn draw_heading(out: &mut String, scene: &Scene, namespace: usize, rect: &Rect) {
    let (name, posture) = layout::heading(scene, namespace);
    let x = rect.x + layout::INSET;
    put(
        out,
        format_args!(
            "<text class=\"name halo\" x=\"{x}\" y=\"{}\">{}</text>\n",
            rect.y + 18.0,
            text(&name)
        ),
    );
    if posture.is_empty() {
        return;
    }
    let y = rect.y + 33.0;
    let is_denied = posture.starts_with("denied");
    let (sign, class) =
        if is_denied { (lock(x, y), "small halo") } else { (ring(x, y), "small halo open-text") };
    out.push_str(&sign);
    put(
        out,
        format_args!(
            "<text class=\"{class}\" x=\"{}\" y=\"{y}\">{}</text>\n",
            x + layout::SIGN,
            text(&posture)
        ),
    );
}

fn draw_component(out: &mut String, scene: &Scene, at: usize, placed: &Placed) {
    let component = &scene.components[at];
    let Rect { x, y, width, height } = placed.rect;
    let class = match component.kind {
        ComponentKind::Internet => "box internet",
        ComponentKind::Ingress => "box ingress",
        ComponentKind::Workload => "box workload",
        ComponentKind::EveryPod => "box every-pod",
        ComponentKind::DataStore => "box data-store",
        ComponentKind::External => "box external",
    };
    let namespace = component.namespace.map(|it| format!("{}/", scene.namespaces[it].name));
    let full = format!("{}{}", namespace.unwrap_or_default(), component.name);
    let full =
        if component.caption.is_empty() { full } else { format!("{full}: {}", component.caption) };
    let state = match component.state {
        State::Allowed => String::new(),
        it => format!(" {}", it.name()),
    };
    put(out, format_args!("<g class=\"{class}{state}\"><title>{}</title>\n", text(&full)));
    match component.kind {
        ComponentKind::DataStore => {
            let (lid, half) = (layout::LID, width / 2.0);
            let (top, side) = (y + lid, height - 2.0 * lid);
            put(
                out,
                format_args!(
                    "<path d=\"M{x} {top}a{half} {lid} 0 0 1 {width} 0v{side}a{half} {lid} 0 0 1 -{width} 0z\"/>\n\
                 <path class=\"lid\" d=\"M{x} {top}a{half} {lid} 0 0 0 {width} 0\"/>\n",
                ),
            );
        }
        ComponentKind::Internet | ComponentKind::External => {
            put(out, format_args!("<rect {} rx=\"16\"/>\n", attributes(&placed.rect)));
        }
        _ => put(out, format_args!("<rect {} rx=\"5\"/>\n", attributes(&placed.rect))),
    }
    let shape = &placed.shape;
    let left = x + layout::INSET;
    put(
        out,
        format_args!(
            "<text class=\"name\" x=\"{left}\" y=\"{}\">{}</text>\n",
            y + shape.name_y,
            text(&shape.name)
        ),
    );
    if !shape.caption.is_empty() {
        put(
            out,
            format_args!(
                "<text class=\"small\" x=\"{left}\" y=\"{}\">{}</text>\n",
                y + shape.caption_y,
                text(&shape.caption)
            ),
        );
    }
    for row in &shape.rows {
        let middle = y + row.y;
        let base = middle + 4.0;
        let (sign, class) = match row.kind {
            RowKind::Ports(state) => (sign(state, left + 3.0, middle), state.name()),
            RowKind::Open => (ring(left, base), "open-text"),
        };
        out.push_str(&sign);
        put(
            out,
            format_args!(
                "<text class=\"row {class}\" x=\"{}\" y=\"{base}\">{}</text>\n",
                left + layout::SIGN,
                text(&row.text)
            ),
        );
    }
    out.push_str("</g>\n");
}

fn draw_flow(out: &mut String, scene: &Scene, flow: &Flow, route: &Route) {
    let mut line = String::new();
    let head = match route {
        Route::Loop(Point { x, y }) => {
            let start = y + 4.0;
            put(&mut line, format_args!("M{x} {start}h9a4.5 4.5 0 0 0 0 -9h-3"));
            format!("M{x} {}l{HEAD_LENGTH} -3.5v7z", y - 5.0)
        }
        Route::Bow(from, to) => {
            // The middle of a cubic is three quarters of the way to its handles.
            let handle = from.x + layout::BOW / 0.75;
            let end = to.x + HEAD_LENGTH;
            put(
                &mut line,
                format_args!(
                    "M{} {}C{handle} {} {handle} {} {end} {}",
                    from.x, from.y, from.y, to.y, to.y
                ),
            );
            format!("M{} {}l{HEAD_LENGTH} -3.5v7z", to.x, to.y)
        }
        Route::Stations(stations) => {
            let (first, last) = (stations[0], stations[stations.len() - 1]);
            let ahead = if last.x > first.x { -HEAD_LENGTH } else { HEAD_LENGTH };
            put(&mut line, format_args!("M{} {}", first.x, first.y));
            for (at, pair) in stations.windows(2).enumerate() {
                let (a, b) = (pair[0], pair[1]);
                let x = if at + 2 == stations.len() { b.x + ahead } else { b.x };
                if at % 2 == 1 || a.y == b.y {
                    put(&mut line, format_args!("L{x} {}", b.y));
                } else {
                    let bow = f64::midpoint(a.x, x);
                    put(&mut line, format_args!("C{bow} {} {bow} {} {x} {}", a.y, b.y, b.y));
                }
            }
            format!("M{} {}l{ahead} -3.5v7z", last.x, last.y)
        }
    };
    // What is as it should be has the colour of its sender, so that lines can be followed.
    let sender = match (flow.state, phrases::colour(scene, flow)) {
        (State::Allowed, 1..) => format!(" from{}", phrases::colour(scene, flow)),
        _ => String::new(),
    };
    put(
        out,
        format_args!(
            "<g class=\"flow {}{sender}\"><title>{}</title><path d=\"{line}\"/><path class=\"head\" d=\"{head}\"/></g>\n",
            flow.state.name(),
            text(&phrases::sentence(scene, flow)),
        ),
    );
}

/// The sign before the ports that arrows of a state lead to.
fn sign(state: State, x: f64, y: f64) -> String {
    match state {
        State::Allowed => {
            format!("<circle class=\"sign allowed\" cx=\"{x}\" cy=\"{y}\" r=\"2.5\"/>\n")
        }
        State::Undeclared => {
            format!("<path class=\"sign undeclared\" d=\"M{x} {}l4 7h-8z\"/>\n", y - 4.0)
        }
        State::Missing => {
            format!(
                "<path class=\"cross missing\" d=\"M{} {}l6 6m0 -6l-6 6\"/>\n",
                x - 3.0,
                y - 3.0
            )
        }
        State::Undefined => {
            format!("<circle class=\"ring undefined\" cx=\"{x}\" cy=\"{y}\" r=\"2.5\"/>\n")
        }
    }
}

/// Closed: what no arrow shows is denied. `y` is the base line of the text beside it.
fn lock(x: f64, y: f64) -> String {
    let (left, top, bow) = (x, y - 5.0, x + 1.5);
    format!(
        "<path class=\"lock\" d=\"M{left} {top}h7v5h-7z\"/><path class=\"lock-bow\" d=\"M{bow} {top}v-1.5a2 2 0 0 1 4 0v1.5\"/>\n"
    )
}

/// Open to everything.
fn ring(x: f64, y: f64) -> String {
    format!("<circle class=\"ring open-text\" cx=\"{}\" cy=\"{}\" r=\"3\"/>\n", x + 3.0, y - 4.0)
}

/// Whether anything in the scene is denied by default.
fn has_denied(scene: &Scene) -> bool {
    phrases::says_denied(scene)
}

/// Whether anything in the scene is open to all.
fn has_open(scene: &Scene) -> bool {
    phrases::says_open(scene)
}

fn attributes(rect: &Rect) -> String {
    format!("x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", rect.x, rect.y, rect.width, rect.height)
}

/// Text as XML has it; characters that XML 1.0 forbids are shown as their replacement.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            it if it.is_control() => out.push('\u{fffd}'),
            it => out.push(it),
        }
    }
    out
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("a string takes what is written to it");
}
