//! Owns the style sheet and the script: their bytes, and names that change with them.
//! Refuses to know what they do.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::respond::{Context, Problem};

struct Asset {
    name: String,
    content_type: &'static str,
    text: &'static str,
}

static CSS: LazyLock<Asset> =
    LazyLock::new(|| named(include_str!("../../assets/page.css"), "css", "text/css; charset=utf-8"));
/// One script: what stands in the first files is used in the last.
const SCRIPT: &str = concat!(
    include_str!("../../assets/stream.js"),
    include_str!("../../assets/words.js"),
    include_str!("../../assets/bars.js"),
    include_str!("../../assets/form.js"),
    include_str!("../../assets/page.js"),
);
static JS: LazyLock<Asset> = LazyLock::new(|| named(SCRIPT, "js", "text/javascript; charset=utf-8"));

fn named(text: &'static str, extension: &str, content_type: &'static str) -> Asset {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    Asset { name: format!("{:016x}.{extension}", hasher.finish()), content_type, text }
}

/// The style sheet's file name.
pub(super) fn css() -> &'static str {
    &CSS.name
}

/// The script's file name.
pub(super) fn js() -> &'static str {
    &JS.name
}

/// `GET /assets/{name}`: what has this name never changes.
pub(super) async fn asset(Path(name): Path<String>, context: Context) -> Response {
    let Some(asset) = [&*CSS, &*JS].into_iter().find(|asset| asset.name == name) else {
        return Problem::not_found().respond(&context);
    };
    let headers =
        [(CONTENT_TYPE, asset.content_type), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.text).into_response()
}
