//! Which texts are a colour, and how light it is: so much of CSS that nothing else gets into a style sheet.

use color::{ColorSpaceTag, Srgb, parse_color};

/// The names that HTML began with.
const NAMES: [&str; 16] = [
    "black", "silver", "gray", "white", "maroon", "red", "purple", "fuchsia", "green", "lime", "olive",
    "yellow", "navy", "blue", "teal", "aqua",
];

/// A colour that covers what is below it.
#[derive(Debug)]
pub(super) struct Colour {
    css: String,
    /// As WCAG counts it, from 0 to 1.
    luminance: f32,
}

impl Colour {
    /// Reads a colour, or says that it is none and what would be one.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let css = text.trim().to_ascii_lowercase();
        let css = if NAMES.contains(&css.as_str()) || is_hex(&css) { Some(css) } else { function(&css) };
        let found = css.and_then(|css| luminance(&css).map(|luminance| Self { css, luminance }));
        found.ok_or_else(|| {
            let names = NAMES.join(", ");
            format!(
                "{text:?} is not a colour that can be used: write #rgb, #rrggbb, rgb(10 125 85), hsl(158 85% 26%), \
                 oklch(0.52 0.12 160), or one of {names}"
            )
        })
    }

    pub(super) fn css(&self) -> &str {
        &self.css
    }

    /// Black or white, whichever has more contrast to it.
    pub(super) fn ink(&self) -> &'static str {
        let (black, white) = (0.0, 1.0);
        if contrast(self.luminance, white) >= contrast(self.luminance, black) { "#fff" } else { "#000" }
    }

    /// The same colour for a dark ground. Even black becomes a grey with a luminance of 0.6³, and a contrast of 4.4
    /// to our dark cards; text on it is black.
    pub(super) fn lightened(&self) -> Self {
        Self { css: format!("color-mix(in oklab, {} 40%, white)", self.css), luminance: 0.6 * 0.6 * 0.6 }
    }
}

/// The contrast of two luminances, by WCAG.
fn contrast(one: f32, other: f32) -> f32 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The luminance of a colour. What no screen shows is cut off.
fn luminance(css: &str) -> Option<f32> {
    let colour = parse_color(css).ok()?.convert(ColorSpaceTag::Srgb).clip();
    Some(colour.to_alpha_color::<Srgb>().discard_alpha().relative_luminance())
}

/// Three or six digits: with four or eight, it would let something through.
fn is_hex(css: &str) -> bool {
    let digits = css.strip_prefix('#').unwrap_or_default();
    matches!(digits.len(), 3 | 6) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// One of the functions, with three values between which are spaces or commas. What comes of it is put together anew.
fn function(css: &str) -> Option<String> {
    let (name, values) = css.strip_suffix(')')?.split_once('(')?;
    let values: Vec<&str> = match values.contains(',') {
        true => values.split(',').map(str::trim).collect(),
        false => values.split_whitespace().collect(),
    };
    let [a, b, c] = values[..] else { return None };
    let fits = match name {
        "rgb" => [a, b, c].iter().all(|part| is_number(part, 255.0)),
        "hsl" => is_angle(a) && is_percent(b) && is_percent(c),
        "oklch" => (is_percent(a) || is_number(a, 1.0)) && is_number(b, 0.5) && is_angle(c),
        _ => false,
    };
    fits.then(|| format!("{name}({a} {b} {c})"))
}

/// Digits, with a point among them, and no more than `most`: CSS would cut it down to that.
fn is_number(text: &str, most: f32) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && !text.ends_with('.');
    is_plain && text.parse().is_ok_and(|number: f32| number <= most)
}

fn is_percent(text: &str) -> bool {
    text.strip_suffix('%').is_some_and(|number| is_number(number, 100.0))
}

fn is_angle(text: &str) -> bool {
    is_number(text.strip_suffix("deg").unwrap_or(text), 360.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn color_notations_have_equal_luminance() {
        // #0a7d55, as a browser counts it in the other ways.
        let same = ["#0a7d55", "rgb(10 125 85)", "rgb(10, 125, 85)", "hsl(159.13 85.19% 26.47%)"];
        for text in same.into_iter().chain(["HSL(159.13deg, 85.19%, 26.47%)", "oklch(0.5198 0.1180 161.2)"]) {
            let colour = Colour::parse(text).unwrap();
            assert!((colour.luminance - 0.154).abs() < 0.004, "{text}: {}", colour.luminance);
            assert_eq!(colour.ink(), "#fff", "{text}");
        }
        for (text, luminance) in
            [("#fff", 1.0), ("black", 0.0), ("red", 0.2126), ("oklch(100% 0 0)", 1.0), ("lime", 0.7152)]
        {
            assert!((Colour::parse(text).unwrap().luminance - luminance).abs() < 0.001, "{text}");
        }
    }

    #[test]
    fn text_color_is_chosen_by_contrast() {
        let ink = |text: &str| Colour::parse(text).unwrap().ink();
        for dark in ["#000", "#00f", "maroon", "#757575", "hsl(270 100% 30%)"] {
            assert_eq!(ink(dark), "#fff", "{dark}");
        }
        for light in ["#fff", "yellow", "#5fd3a4", "rgb(255 140 0)", "oklch(0.8 0.1 200)", "#808080"] {
            assert_eq!(ink(light), "#000", "{light}");
        }
        assert_eq!(Colour::parse("#000").unwrap().lightened().ink(), "#000");
    }

    #[test]
    fn color_cannot_escape_css_rule() {
        let hostile = [
            "",
            "red;",
            "red } body { display: none",
            "#fff;}",
            "#ffff",
            "#ff\u{ff11}",
            "red/*",
            "r\\65 d",
            "rgb(1 2 3); --x: (4)",
            "rgb(1 2 3) url(http://x)",
            "rgb(1 2 var(--x))",
            "rgb(1 2 3 / 50%)",
            "rgb(1,,2,3)",
            "rgb(1 2)",
            "rgb(256 0 0)",
            "rgb(-1 0 0)",
            "rgb(1e1 0 0)",
            "rgb(1. 0 0)",
            "rgb(NaN inf 0)",
            "rgb(1 2 3\n)}",
            "hsl(10 20 30)",
            "hsl(361 1% 1%)",
            "oklch(1.1 0 0)",
            "oklch(0.5 0.6 0)",
            "url(javascript:x)",
            "expression(1 2 3)",
            "transparent",
            "currentcolor",
            "crimson",
            "red\0",
            "</style>",
        ];
        for text in hostile {
            let refused = Colour::parse(text).unwrap_err();
            assert!(refused.starts_with(&format!("{text:?} is not a colour")), "{refused}");
            assert!(refused.contains("write #rgb, #rrggbb"), "{refused}");
        }
        let kept = Colour::parse(" RGB( 1 ,\n2\t,3 ) ").unwrap();
        assert_eq!(kept.css(), "rgb(1 2 3)");
    }
}
