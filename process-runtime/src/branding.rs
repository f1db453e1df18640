//! Branding of an application's pages: name, logo, colours and style, and the check of these values.

mod colour;
mod logo;

use self::colour::Colour;
pub(crate) use self::logo::Logo;

/// The branding of your application's pages: name, logo and colours.
///
/// ```
/// use process_runtime::Branding;
///
/// let logo = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 1"><path d="M0 1 1 0l1 1z"/></svg>"#;
/// let branding = Branding::new()
///     .title("Shop")
///     .logo_svg(logo)
///     .home("/")
///     .accent("#0a7d55")
///     .dark_accent("#5fd3a4")
///     .css(":root { --round: 0 }");
/// let builder = process_runtime::builder().branding(branding);
/// ```
///
/// [`Builder::build`](crate::Builder::build) returns an error for an invalid colour or logo. The message states
/// what is valid.
#[derive(Debug, Clone, Default)]
#[must_use = "a branding does nothing until it is passed to the builder"]
pub struct Branding {
    title: Option<String>,
    home: Option<String>,
    logo: Option<Logo>,
    accent: Option<String>,
    dark_accent: Option<String>,
    css: String,
}

impl Branding {
    /// Creates a branding without changes: the default look of the pages.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name in the header. The name also follows each page's title in the browser's title bar, except on
    /// pages of runs, whose title begins with the state of the run.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the address to which the name and the logo in the header lead. Default: the list of processes. If you
    /// set another address, the header has a separate link to the list.
    pub fn home(mut self, address: impl Into<String>) -> Self {
        self.home = Some(address.into());
        self
    }

    /// Sets the image before the name and in the browser's tab. The media type is `image/svg+xml` or `image/png`.
    /// In the header, the image is as high as a line; the width follows from its aspect ratio.
    pub fn logo(mut self, media_type: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.logo = Some(Logo { media_type: media_type.into(), bytes: bytes.into() });
        self
    }

    /// Sets the logo from the text of an SVG file. Browsers do not execute scripts in it.
    pub fn logo_svg(self, svg: impl Into<String>) -> Self {
        self.logo(logo::SVG, svg.into())
    }

    /// Sets the colour of links, of the start button and of progress bars: `#rgb`, `#rrggbb`, `rgb(10 125 85)`,
    /// `hsl(158 85% 26%)`, `oklch(0.52 0.12 160)`, or one of the sixteen original HTML colour names, such as
    /// `teal`.
    ///
    /// Text on this colour is black or white, whichever is easier to read. You must check that the colour itself is
    /// legible, on white cards and on the light background `#f6f7f8`: WCAG requires a contrast of 4.5.
    pub fn accent(mut self, colour: impl Into<String>) -> Self {
        self.accent = Some(colour.into());
        self
    }

    /// Sets the accent colour for visitors whose system uses a dark colour scheme, where cards are `#171b21`.
    /// Default: a version of [`accent`](Self::accent) that is light enough to be legible there.
    pub fn dark_accent(mut self, colour: impl Into<String>) -> Self {
        self.dark_accent = Some(colour.into());
        self
    }

    /// Adds rules to the end of the pages' style sheet. Several calls add up.
    ///
    /// The pages' own rules are in a cascade layer, so your rules override them whatever their selectors are.
    /// Colours and corners are custom properties of `:root`: `--page`, `--card`, `--ink`, `--soft`, `--line`,
    /// `--accent`, `--round` and others, which are listed at the beginning of the style sheet. An `@import` has no
    /// effect, and browsers refuse to load files from other sites.
    pub fn css(mut self, rules: impl AsRef<str>) -> Self {
        self.css.push_str(rules.as_ref());
        self.css.push('\n');
        self
    }

    /// The branding as pages use it, or the reason why a value is invalid.
    pub(crate) fn checked(self) -> Result<Brand, String> {
        if self.title.as_ref().is_some_and(|title| title.trim().is_empty()) {
            return Err("the title is empty: set a name for the header, or leave it out".to_owned());
        }
        if self.home.as_ref().is_some_and(|home| home.trim().is_empty()) {
            return Err("the address of `home` is empty: set one, such as \"/\", or leave it out".to_owned());
        }
        if let Some(logo) = &self.logo {
            logo.check()?;
        }
        let read = |name: &str, colour: Option<String>| {
            let colour = colour.map(|text| Colour::parse(&text).map_err(|why| format!("the {name} {why}")));
            colour.transpose()
        };
        let accent = read("accent", self.accent)?;
        let dark = read("dark accent", self.dark_accent)?.or_else(|| accent.as_ref().map(Colour::lightened));
        let mut css = String::new();
        if let Some(accent) = accent {
            css += &format!("{}\n", rule(&accent));
        }
        if let Some(dark) = dark {
            css += &format!("@media (prefers-color-scheme: dark) {{ {} }}\n", rule(&dark));
        }
        Ok(Brand { title: self.title, home: self.home, logo: self.logo, css: css + &self.css })
    }
}

fn rule(accent: &Colour) -> String {
    format!(":root {{ --accent: {}; --accent-ink: {}; }}", accent.css(), accent.ink())
}

/// The branding as pages use it.
#[derive(Debug, Default)]
pub(crate) struct Brand {
    pub(crate) title: Option<String>,
    /// `None` leads to the list of processes.
    pub(crate) home: Option<String>,
    pub(crate) logo: Option<Logo>,
    /// The end of the style sheet.
    pub(crate) css: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn css(branding: Branding) -> String {
        branding.checked().unwrap().css
    }

    #[test]
    fn default_branding_changes_nothing() {
        let brand = Branding::new().checked().unwrap();
        assert_eq!((brand.title, brand.home, brand.css.as_str()), (None, None, ""));
        assert!(brand.logo.is_none());
    }

    #[test]
    fn accent_text_has_readable_contrast() {
        let css = css(Branding::new().accent("#0a7d55").dark_accent("#5FD3A4"));
        let dark =
            "@media (prefers-color-scheme: dark) { :root { --accent: #5fd3a4; --accent-ink: #000; } }\n";
        assert_eq!(css, format!(":root {{ --accent: #0a7d55; --accent-ink: #fff; }}\n{dark}"));
    }

    #[test]
    fn missing_dark_accent_is_derived() {
        let light = css(Branding::new().accent("navy"));
        assert!(
            light.contains("--accent: color-mix(in oklab, navy 40%, white); --accent-ink: #000;"),
            "{light}"
        );
        let dark = css(Branding::new().dark_accent("teal"));
        assert!(dark.starts_with("@media (prefers-color-scheme: dark) {"), "{dark}");
    }

    #[test]
    fn custom_css_comes_last_unchanged() {
        let rules = "a::before { content: \"/*\" }";
        let css = css(Branding::new().css(rules).accent("red").css("b{}"));
        assert!(css.ends_with("} }\na::before { content: \"/*\" }\nb{}\n"), "{css}");
    }

    #[test]
    fn empty_branding_values_are_refused() {
        for branding in [Branding::new().title(" "), Branding::new().home("")] {
            assert!(branding.checked().unwrap_err().contains("is empty"));
        }
    }
}
