//! The sample data: the same products, users and files on every machine.

mod users;

use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng;

#[cfg(test)]
pub(crate) use users::Flaw;
pub(crate) use users::users_file;

/// The number of products in a new catalog.
pub(crate) const PRODUCTS: usize = 12_000;
/// The number of files in a new site.
pub(crate) const SITE_FILES: usize = 320;

/// A product as a shop would list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SampleProduct {
    pub(crate) name: String,
    pub(crate) price_cents: i64,
    pub(crate) stock: i64,
}

/// A file of the site: its path below the site's folder, with `/` between the parts, and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SampleFile {
    pub(crate) path: String,
    pub(crate) content: Vec<u8>,
}

/// Random numbers that are the same in every run.
///
/// The constructor and the output of PCG are fixed by its definition, so an update of a crate cannot
/// change the data.
struct Dice(Pcg32);

impl Dice {
    /// Every kind of data has a stream of its own: changing one does not change the others.
    fn new(stream: u64) -> Self {
        Self(Pcg32::new(0x5eed_0f5a_3e11_7e57, stream))
    }

    /// A number from `low` up to, but not including, `high`.
    fn between(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high.saturating_sub(low));
        // The top bits of the product: free of a division, and even enough for sample data.
        low + ((u64::from(self.0.next_u32()) * span) >> 32) as u32
    }

    fn index(&mut self, length: usize) -> usize {
        self.between(0, length as u32) as usize
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.index(words.len())]
    }

    fn one_in(&mut self, chance: u32) -> bool {
        self.between(0, chance) == 0
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

/// The products of a furniture and hardware shop.
pub(crate) fn products() -> impl Iterator<Item = SampleProduct> {
    const STYLES: [&str; 10] = [
        "Classic", "Slim", "Nordic", "Rustic", "Compact", "Garden", "Studio", "Family", "Folding", "Outdoor",
    ];
    const MATERIALS: [&str; 9] =
        ["Oak", "Walnut", "Birch", "Steel", "Brass", "Bamboo", "Glass", "Linen", "Leather"];
    // What it is, and its lowest and highest price in cents.
    const THINGS: [(&str, u32, u32); 14] = [
        ("Chair", 2_900, 24_900),
        ("Dining Table", 14_900, 129_900),
        ("Desk Lamp", 1_490, 18_900),
        ("Bookshelf", 5_900, 59_900),
        ("Sofa", 39_900, 349_900),
        ("Mirror", 1_990, 29_900),
        ("Coat Hook", 290, 2_490),
        ("Drawer Handle", 190, 1_990),
        ("Plant Pot", 490, 6_900),
        ("Picture Frame", 350, 4_990),
        ("Hinge", 65, 890),
        ("Screw", 1, 40),
        ("Washer", 1, 15),
        ("Wall Plug", 2, 30),
    ];
    let mut dice = Dice::new(1);
    (0..PRODUCTS).map(move |_| {
        let (thing, low, high) = THINGS[dice.index(THINGS.len())];
        let style = dice.pick(&STYLES);
        let material = dice.pick(&MATERIALS);
        let size = dice.between(1, 60) * 5;
        SampleProduct {
            name: format!("{style} {material} {thing}, {size} mm"),
            price_cents: i64::from(dice.between(low, high)),
            stock: if dice.one_in(12) { 0 } else { i64::from(dice.between(1, 500)) },
        }
    })
}

/// The files of a small web site: pages and data that compress well, and pictures that do not.
pub(crate) fn site() -> impl Iterator<Item = SampleFile> {
    let mut dice = Dice::new(2);
    (0..SITE_FILES).map(move |index| match index {
        0 => SampleFile { path: "index.html".to_owned(), content: page(&mut dice, "Home") },
        _ if index % 5 < 2 => {
            let size = dice.between(12_000, 64_000) as usize;
            SampleFile { path: format!("images/photo-{index:03}.jpg"), content: dice.bytes(size) }
        }
        _ if index % 5 == 2 => {
            SampleFile { path: format!("data/orders-{index:03}.json"), content: orders(&mut dice) }
        }
        _ => {
            let path = format!("articles/{}/article-{index:03}.html", 2020 + index % 6);
            SampleFile { path, content: page(&mut dice, &format!("Article {index}")) }
        }
    })
}

fn page(dice: &mut Dice, title: &str) -> Vec<u8> {
    const WORDS: [&str; 24] = [
        "a", "and", "the", "of", "with", "table", "light", "room", "wood", "garden", "morning", "colour",
        "shelf", "window", "simple", "quiet", "kitchen", "evening", "material", "shape", "old", "new",
        "warm", "space",
    ];
    let mut html = format!("<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n");
    for _ in 0..dice.between(8, 40) {
        html.push_str("<p>");
        for _ in 0..dice.between(30, 120) {
            html.push_str(dice.pick(&WORDS));
            html.push(' ');
        }
        html.push_str("</p>\n");
    }
    html.into_bytes()
}

fn orders(dice: &mut Dice) -> Vec<u8> {
    let mut json = String::from("[\n");
    for number in 0..dice.between(100, 600) {
        let comma = if number == 0 { ' ' } else { ',' };
        let product = dice.between(1, PRODUCTS as u32 + 1);
        let pieces = dice.between(1, 12);
        json.push_str(&format!(
            "{comma}{{\"order\": {number}, \"product\": {product}, \"pieces\": {pieces}}}\n"
        ));
    }
    json.push_str("]\n");
    json.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_deterministic_and_plausible() {
        assert!(products().eq(products()));
        assert_eq!(products().count(), PRODUCTS);
        assert!(products().all(|product| product.price_cents > 0 && product.stock >= 0));
        // The sample data must not change by accident.
        let mut hasher = crc32fast::Hasher::new();
        products().for_each(|product| hasher.update(format!("{product:?}").as_bytes()));
        assert_eq!(hasher.finalize(), 612_594_341);
    }

    #[test]
    fn site_is_deterministic_and_large() {
        assert!(site().eq(site()));
        assert_eq!(site().count(), SITE_FILES);
        let bytes: usize = site().map(|file| file.content.len()).sum();
        assert!((4_000_000..16_000_000).contains(&bytes), "{bytes}");
        let mut hasher = crc32fast::Hasher::new();
        site().for_each(|file| hasher.update(&file.content));
        assert_eq!(hasher.finalize(), 2_377_639_732);
    }
}
