//! Which pictures can be a logo.

pub(super) const SVG: &str = "image/svg+xml";
const PNG: &str = "image/png";
/// What every PNG file begins with.
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A picture for the header.
#[derive(Debug, Clone)]
pub(crate) struct Logo {
    pub(super) media_type: String,
    pub(crate) bytes: Vec<u8>,
}

impl Logo {
    /// How the name of its file ends, and its type.
    pub(crate) fn kind(&self) -> (&'static str, &'static str) {
        if self.media_type == SVG { ("svg", SVG) } else { ("png", PNG) }
    }

    /// Returns why the logo cannot be shown.
    pub(super) fn check(&self) -> Result<(), String> {
        let (fits, looks) = match self.media_type.as_str() {
            SVG => {
                let has_root = std::str::from_utf8(&self.bytes).is_ok_and(|text| text.contains("<svg"));
                (has_root, "contains no <svg>, or is not UTF-8")
            }
            PNG => (self.bytes.starts_with(PNG_SIGNATURE), "has no PNG signature"),
            other => return Err(format!("a logo cannot be {other:?}: use \"{SVG}\" or \"{PNG}\"")),
        };
        if fits {
            Ok(())
        } else {
            Err(format!("the media type of the logo is {}, but the file {looks}", self.media_type))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(media_type: &str, bytes: &[u8]) -> Result<(), String> {
        Logo { media_type: media_type.to_owned(), bytes: bytes.to_owned() }.check()
    }

    #[test]
    fn only_svg_or_png_logo_accepted() {
        assert_eq!(check(SVG, b"<?xml version='1.0'?>\n<svg/>"), Ok(()));
        assert_eq!(check(PNG, b"\x89PNG\r\n\x1a\nand so on"), Ok(()));
        let says = "a logo cannot be \"image/jpeg\": use \"image/svg+xml\" or \"image/png\"";
        assert_eq!(check("image/jpeg", b"\xff\xd8\xff").unwrap_err(), says);
        assert!(check(PNG, b"<svg/>").unwrap_err().contains("no PNG signature"));
        assert!(check(SVG, b"\x89PNG\r\n\x1a\n").unwrap_err().contains("contains no <svg>"));
        assert!(check(SVG, b"<html>").is_err());
    }
}
