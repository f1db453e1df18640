//! Which texts are a colour, and how light it is: so much of CSS that nothing else gets into a style sheet.

/// The names that HTML began with, and what they stand for.
const NAMES: [(&str, &str); 16] = [
    ("black", "000000"),
    ("silver", "c0c0c0"),
    ("gray", "808080"),
    ("white", "ffffff"),
    ("maroon", "800000"),
    ("red", "ff0000"),
    ("purple", "800080"),
    ("fuchsia", "ff00ff"),
    ("green", "008000"),
    ("lime", "00ff00"),
    ("olive", "808000"),
    ("yellow", "ffff00"),
    ("navy", "000080"),
    ("blue", "0000ff"),
    ("teal", "008080"),
    ("aqua", "00ffff"),
];

/// A colour that covers what is below it.
#[derive(Debug)]
pub(super) struct Colour {
    css: String,
    /// As WCAG counts it, from 0 to 1.
    luminance: f64,
}

impl Colour {
    /// Reads a colour, or says that it is none and what would be one.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let css = text.trim().to_ascii_lowercase();
        let named = NAMES.iter().find(|(name, _)| *name == css).and_then(|(_, digits)| hex(digits));
        let luminance = named.or_else(|| hex(css.strip_prefix('#')?)).map(luminance);
        let found =
            luminance.map(|luminance| Self { css: css.clone(), luminance }).or_else(|| function(&css));
        found.ok_or_else(|| {
            let names = NAMES.map(|(name, _)| name).join(", ");
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
fn contrast(one: f64, other: f64) -> f64 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The luminance of red, green and blue from 0 to 1.
fn luminance(rgb: [f64; 3]) -> f64 {
    of_light(rgb.map(|part| if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }))
}

/// The same of amounts of light.
fn of_light([red, green, blue]: [f64; 3]) -> f64 {
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// Three or six digits.
fn hex(digits: &str) -> Option<[f64; 3]> {
    let digits: Vec<u32> = digits.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let part = |high: u32, low: u32| f64::from(high * 16 + low) / 255.0;
    match digits[..] {
        [r, g, b] => Some([part(r, r), part(g, g), part(b, b)]),
        [r, s, g, h, b, c] => Some([part(r, s), part(g, h), part(b, c)]),
        _ => None,
    }
}

/// One of the functions, with three values between which are spaces or commas. What comes of it is put together anew.
fn function(css: &str) -> Option<Colour> {
    let (name, values) = css.strip_suffix(')')?.split_once('(')?;
    let values: Vec<&str> = match values.contains(',') {
        true => values.split(',').map(str::trim).collect(),
        false => values.split_whitespace().collect(),
    };
    let [a, b, c] = values[..] else { return None };
    let luminance = match name {
        "rgb" => luminance([number(a, 255.0)? / 255.0, number(b, 255.0)? / 255.0, number(c, 255.0)? / 255.0]),
        "hsl" => luminance(of_hsl(angle(a)?, percent(b)?, percent(c)?)),
        "oklch" => of_oklch(percent(a).or_else(|| number(a, 1.0))?, number(b, 0.5)?, angle(c)?),
        _ => return None,
    };
    Some(Colour { css: format!("{name}({a} {b} {c})"), luminance })
}

/// Digits, with a point among them.
fn number(text: &str, most: f64) -> Option<f64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && !text.ends_with('.');
    text.parse().ok().filter(|number| is_plain && *number <= most)
}

fn percent(text: &str) -> Option<f64> {
    number(text.strip_suffix('%')?, 100.0).map(|percent| percent / 100.0)
}

fn angle(text: &str) -> Option<f64> {
    number(text.strip_suffix("deg").unwrap_or(text), 360.0)
}

/// As CSS Color 4 has it.
fn of_hsl(hue: f64, saturation: f64, lightness: f64) -> [f64; 3] {
    [0.0, 8.0, 4.0].map(|part| {
        let place = (part + hue / 30.0) % 12.0;
        let reach = saturation * lightness.min(1.0 - lightness);
        lightness - reach * (place - 3.0).min(9.0 - place).clamp(-1.0, 1.0)
    })
}

/// By the matrices of Oklab. What no screen shows is cut off.
fn of_oklch(lightness: f64, chroma: f64, hue: f64) -> f64 {
    let (sin, cos) = hue.to_radians().sin_cos();
    let (a, b) = (chroma * cos, chroma * sin);
    let cube = |root: f64| root * root * root;
    let l = cube(lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b);
    let m = cube(lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b);
    let s = cube(lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b);
    let light = [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ];
    of_light(light.map(|part| part.clamp(0.0, 1.0)))
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
