//! How the parts of the SVG look. Viewers that know no dark mode pass over the second half.

use crate::graph::scene::{Scene, State};

/// The style sheet of a picture: with components that an architecture does not have, or that it alone has, where there
/// are any.
pub(super) fn of(scene: &Scene) -> String {
    let is_marked = scene.components.iter().any(|it| it.state != State::Allowed);
    if is_marked { format!("{STYLE}{MARKED}") } else { STYLE.to_string() }
}

/// Of components that are marked.
const MARKED: &str = "\
.box.undeclared rect, .box.undeclared path { stroke: #c2570c; stroke-width: 2.2; }
.box.missing rect, .box.missing path { stroke: #c81e3a; stroke-width: 2.2; stroke-dasharray: 7 4; }
";

/// The style sheet.
const STYLE: &str = "\
text { font-family: 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif; fill: #1f2933; }
.title { font-size: 18px; font-weight: 700; }
.name { font-size: 13px; font-weight: 700; }
.small, .row { font-size: 11px; }
.small { fill: #52606d; }
.page { fill: #ffffff; }
.namespace { fill: #f4f6f9; stroke: #9aa5b1; stroke-width: 1; }
.halo { paint-order: stroke; stroke: #f4f6f9; stroke-width: 4px; stroke-linejoin: round; }
.box rect, .box path { fill: #ffffff; stroke: #52606d; stroke-width: 1.2; }
.internet rect, .external rect { fill: #eef2f6; stroke: #7b8794; }
.external rect { stroke-dasharray: 5 3; }
.ingress rect { fill: #e6effc; stroke: #2f6fc4; }
.every-pod rect { fill: none; fill: #f4f6f9; stroke-dasharray: 3 3; }
.data-store path { fill: #e3f4f1; stroke: #2c7a70; }
.data-store path.lid { fill: none; }
.flow path { fill: none; stroke-width: 1.5; }
.flow.allowed path { stroke: #6b7a8c; }
.flow.undeclared path { stroke: #c2570c; stroke-width: 2.2; }
.flow.missing path { stroke: #c81e3a; stroke-width: 2.2; stroke-dasharray: 7 4; }
.flow.undefined path { stroke: #7c3aad; stroke-width: 1.8; stroke-dasharray: 2 3; }
.flow path.head { stroke: none; }
.flow.allowed path.head { fill: #6b7a8c; }
.flow.undeclared path.head { fill: #c2570c; }
.flow.allowed.from1 path { stroke: #2f6fc4; }
.flow.allowed.from1 path.head { fill: #2f6fc4; stroke: none; }
.flow.allowed.from2 path { stroke: #2c7a70; }
.flow.allowed.from2 path.head { fill: #2c7a70; stroke: none; }
.flow.allowed.from3 path { stroke: #8a6d1f; }
.flow.allowed.from3 path.head { fill: #8a6d1f; stroke: none; }
.flow.allowed.from4 path { stroke: #4d7c2a; }
.flow.allowed.from4 path.head { fill: #4d7c2a; stroke: none; }
.flow.allowed.from5 path { stroke: #5b5fc7; }
.flow.allowed.from5 path.head { fill: #5b5fc7; stroke: none; }
.flow.allowed.from6 path { stroke: #0e7490; }
.flow.allowed.from6 path.head { fill: #0e7490; stroke: none; }
.flow.allowed.from7 path { stroke: #7a5c48; }
.flow.allowed.from7 path.head { fill: #7a5c48; stroke: none; }
.flow.missing path.head { fill: #c81e3a; }
.flow.undefined path.head { fill: #7c3aad; }
.row.undeclared, .open-text { fill: #a64508; }
.row.missing { fill: #b01030; }
.row.undefined { fill: #6d2c9c; }
.box path.sign, .sign { stroke: none; fill: #6b7a8c; }
.box path.sign.undeclared { fill: #c2570c; }
.box path.cross, .cross { fill: none; stroke: #c81e3a; stroke-width: 1.8; }
.ring { fill: none; stroke-width: 1.5; }
.ring.undefined { stroke: #7c3aad; }
.ring.open-text { fill: none; stroke: #c2570c; }
.lock { fill: #3e7d4c; }
.lock-bow { fill: none; stroke: #3e7d4c; stroke-width: 1.3; }
@media (prefers-color-scheme: dark) {
text { fill: #e4e7eb; }
.small { fill: #a9b5c1; }
.page { fill: #11161d; }
.namespace { fill: #1a212b; stroke: #52606d; }
.halo { stroke: #1a212b; }
.box rect, .box path { fill: #242d39; stroke: #9aa5b1; }
.internet rect, .external rect { fill: #1f2730; stroke: #7b8794; }
.ingress rect { fill: #1b2f4c; stroke: #6aa5f5; }
.every-pod rect { fill: #1a212b; }
.data-store path { fill: #14352f; stroke: #5cbfb0; }
.flow.allowed path { stroke: #8e9cab; }
.flow.allowed path.head, .sign { fill: #8e9cab; }
.flow.allowed.from1 path { stroke: #6aa5f5; }
.flow.allowed.from1 path.head { fill: #6aa5f5; stroke: none; }
.flow.allowed.from2 path { stroke: #5cbfb0; }
.flow.allowed.from2 path.head { fill: #5cbfb0; stroke: none; }
.flow.allowed.from3 path { stroke: #d4b45a; }
.flow.allowed.from3 path.head { fill: #d4b45a; stroke: none; }
.flow.allowed.from4 path { stroke: #94c46a; }
.flow.allowed.from4 path.head { fill: #94c46a; stroke: none; }
.flow.allowed.from5 path { stroke: #a3a6f5; }
.flow.allowed.from5 path.head { fill: #a3a6f5; stroke: none; }
.flow.allowed.from6 path { stroke: #5cc8e0; }
.flow.allowed.from6 path.head { fill: #5cc8e0; stroke: none; }
.flow.allowed.from7 path { stroke: #c9a78f; }
.flow.allowed.from7 path.head { fill: #c9a78f; stroke: none; }
.flow.undeclared path { stroke: #f59242; }
.flow.undeclared path.head, .box path.sign.undeclared { fill: #f59242; }
.flow.missing path, .box path.cross, .cross { stroke: #ff6b81; }
.flow.missing path.head { fill: #ff6b81; }
.flow.undefined path, .ring.undefined { stroke: #c792ea; }
.flow.undefined path.head { fill: #c792ea; }
.flow path.head, .box path.sign { stroke: none; }
.data-store path.lid, .flow path, .box path.cross { fill: none; }
.row.undeclared, .open-text { fill: #f5a35c; }
.ring.open-text { fill: none; stroke: #f59242; }
.row.missing { fill: #ff8fa0; }
.row.undefined { fill: #d3a8f0; }
.lock { fill: #7bc48b; }
.lock-bow { stroke: #7bc48b; }
}
";
