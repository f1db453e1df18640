//! The media type of a file, by its name, and whether a browser can display it.

use mime_guess::Mime;

/// The media type of unknown content.
pub(crate) const UNKNOWN: &str = "application/octet-stream";

/// The media type of a file, by its extension.
pub(crate) fn of_name(name: &str) -> &'static str {
    mime_guess::from_path(name).first_raw().unwrap_or(UNKNOWN)
}

/// How a browser displays a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// As plain text, because browsers download many text types instead of displaying them.
    Text,
    /// With its own media type.
    Page,
    /// In the browser's PDF viewer, which some browsers do not open in a sandbox.
    Pdf,
}

impl View {
    /// `None` for types that browsers can only download.
    pub(crate) fn of(media_type: &str) -> Option<Self> {
        let mime: Mime = media_type.parse().ok()?;
        let suffix = mime.suffix().map(|suffix| suffix.as_str());
        match (mime.type_().as_str(), mime.subtype().as_str()) {
            ("text", "html") | ("application", "xhtml") => Some(Self::Page),
            ("image", "avif" | "bmp" | "gif" | "jpeg" | "png" | "svg" | "webp" | "x-icon") => {
                Some(Self::Page)
            }
            ("application", "pdf") => Some(Self::Pdf),
            ("text", _) | ("application", "json" | "xml" | "x-sh" | "x-sql") => Some(Self::Text),
            ("application", _) if matches!(suffix, Some("json" | "xml")) => Some(Self::Text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn view_follows_media_type() {
        let of = |name: &str| View::of(of_name(name));
        for name in ["report.html", "A.HTM", "a.xhtml", "plan.svg", "photo.jpg", "photo.png", "icon.ico"] {
            assert_eq!(of(name), Some(View::Page), "{name}");
        }
        for name in
            ["a.txt", "a.log", "a.csv", "a.json", "a.geojson", "a.xml", "a.js", "a.md", "a.sql", "a.ics"]
        {
            assert_eq!(of(name), Some(View::Text), "{name}");
        }
        assert_eq!(of("a.pdf"), Some(View::Pdf));
        for name in ["a.zip", "a.xlsx", "a.docx", "a.exe", "a", "a.swf", "a.mhtml", "a.tiff", "html"] {
            assert_eq!(of(name), None, "{name}");
        }
        for media_type in ["", "text", "text/html, text/plain", "image/svg+xml+html", "application/x-html"] {
            assert!(
                View::of(media_type) != Some(View::Page) || media_type.starts_with("image/svg"),
                "{media_type}"
            );
        }
    }
}
