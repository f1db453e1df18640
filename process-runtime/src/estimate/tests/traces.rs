//! The runs that estimators are compared on: generated ones, each from a seed, and recorded ones.

/// A run: when it had which count and total, in seconds.
pub(super) struct Trace {
    pub(super) class: &'static str,
    pub(super) name: &'static str,
    /// What an earlier attempt had reached, and when.
    pub(super) resumed: Option<(u64, f64)>,
    pub(super) points: Vec<(f64, u64, u64)>,
}

impl Trace {
    pub(super) fn begin(&self) -> f64 {
        self.resumed.map_or(0.0, |(_, at)| at)
    }

    pub(super) fn end(&self) -> f64 {
        self.points.last().unwrap().0
    }
}

/// Numbers from a seed (SplitMix64).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to 1.
    pub(super) fn part(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Around 1, by up to this much.
    pub(super) fn about_one(&mut self, spread: f64) -> f64 {
        1.0 + spread * (self.part() * 2.0 - 1.0)
    }
}

/// A run of so many items in about so many seconds, from what each item costs, relative to the others. The cost is that of
/// an item at this part of the run, from 0 to 1, and with this index.
fn run(
    class: &'static str,
    name: &'static str,
    (items, seconds): (u64, f64),
    mut cost: impl FnMut(f64, u64) -> f64,
) -> Trace {
    let costs: Vec<_> = (0..items).map(|item| cost(item as f64 / items as f64, item)).collect();
    let factor = seconds / costs.iter().sum::<f64>();
    let mut at = 0.0;
    let points = (1..).zip(costs).map(|(count, cost)| {
        at += cost * factor;
        (at, count, items)
    });
    Trace { class, name, resumed: None, points: points.collect() }
}

/// The part of a run that is left from 60 %.
fn resumed(mut trace: Trace) -> Trace {
    let from = trace.points.len() * 3 / 5;
    let (at, count, _) = trace.points[from - 1];
    trace.points.drain(..from);
    Trace { resumed: Some((count, at)), ..trace }
}

/// A run whose total grows.
fn growing(mut trace: Trace, total: impl Fn(f64, u64) -> u64) -> Trace {
    let (end, all) = (trace.end(), trace.points.len() as u64);
    for (at, count, of) in &mut trace.points {
        *of = total(*at / end, *count).clamp(*count, all);
    }
    trace
}

const SHORT: (u64, f64) = (300, 60.0);
const USUAL: (u64, f64) = (3_000, 300.0);
const SLOW: (u64, f64) = (60, 1_800.0);
const FAST: (u64, f64) = (100_000, 60.0);
const LONG: (u64, f64) = (5_000, 7_200.0);

/// The generated runs.
pub(super) fn generated(seed: u64) -> Vec<Trace> {
    let chance = &mut Chance(seed);
    let mut all = vec![
        run("constant", "like items", USUAL, |_, _| 1.0),
        run("constant", "100,000 items in a minute", FAST, |_, _| chance.about_one(0.5)),
        run("constant", "60 items in 30 min", SLOW, |_, _| chance.about_one(0.5)),
        run("constant", "items at random, 5 min", USUAL, |_, _| -(1.0 - chance.part()).ln()),
        run("constant", "items at random, 2 h", LONG, |_, _| -(1.0 - chance.part()).ln()),
    ];
    all.extend([
        run("slowing", "to 2 times, 1 min", SHORT, |part, _| (1.0 + part) * chance.about_one(0.3)),
        run("slowing", "to 4 times, 5 min", USUAL, |part, _| (1.0 + 3.0 * part) * chance.about_one(0.3)),
        run("slowing", "to 10 times, 2 h", LONG, |part, _| (1.0 + 9.0 * part) * chance.about_one(0.3)),
        run("slowing", "quadratic, 5 min", USUAL, |part, _| (0.2 + part * part) * chance.about_one(0.3)),
        run("slowing", "logarithmic, 1 min", FAST, |_, item| (1.5 + item as f64).ln()),
    ]);
    // One item of each batch takes all its time: the last where items are reported as they are read, the first where they
    // are reported when they are stored.
    let mut batch = |batches: u64, size: (u64, f64), heavy_last: bool, light: f64| {
        let items = size.0 / batches;
        let mut spread = Chance(chance.number());
        move |_: f64, item: u64| {
            let heavy = if heavy_last { items - 1 } else { 0 };
            let own = if item % items == heavy { items as f64 } else { light };
            own * spread.about_one(0.3)
        }
    };
    all.extend([
        run("bursty", "20 batches, read first", USUAL, batch(20, USUAL, true, 0.001)),
        run("bursty", "20 batches, stored first", USUAL, batch(20, USUAL, false, 0.001)),
        run("bursty", "100 batches, read first", LONG, batch(100, LONG, true, 0.001)),
        run("bursty", "30 batches, half of the time", USUAL, batch(30, USUAL, true, 1.0)),
        run("bursty", "100 batches, half of the time", LONG, batch(100, LONG, true, 1.0)),
    ]);
    all.extend([
        resumed(run("resumed", "bursty", USUAL, batch(100, USUAL, true, 0.001))),
        resumed(run("resumed", "constant, 5 min", USUAL, |_, _| chance.about_one(0.5))),
        resumed(run("resumed", "items at random, 2 h", LONG, |_, _| -(1.0 - chance.part()).ln())),
        resumed(run("resumed", "to 3 times, 5 min", USUAL, |part, _| {
            (1.0 + 2.0 * part) * chance.about_one(0.3)
        })),
        resumed(run("resumed", "60 items in 30 min", SLOW, |_, _| chance.about_one(0.3))),
    ]);
    let pause =
        |at: u64, part: f64| move |_: f64, item: u64| if item == at { part * USUAL.0 as f64 } else { 0.0 };
    let (one, early, first) = (pause(1_200, 0.2), pause(500, 0.1), pause(0, 0.1));
    all.extend([
        run("pauses", "a sixth at 40 %", USUAL, |part, item| one(part, item) + chance.about_one(0.3)),
        run("pauses", "a tenth at 17 %", USUAL, |part, item| early(part, item) + chance.about_one(0.3)),
        run("pauses", "a tenth before the first item", USUAL, |part, item| {
            first(part, item) + chance.about_one(0.3)
        }),
    ]);
    all.extend([
        growing(run("growing total", "found until 50 %", USUAL, |_, _| chance.about_one(0.3)), |part, _| {
            (3_000.0 * (0.02 + 2.0 * part)) as u64
        }),
        growing(run("growing total", "page by page", USUAL, |_, _| chance.about_one(0.3)), |_, count| {
            (count + 150).div_ceil(300) * 300
        }),
    ]);
    all
}

/// The recorded runs.
pub(super) fn recorded() -> Vec<Trace> {
    let files = [
        ("import of a CSV file", include_str!("../traces/csv_import.txt")),
        ("hashing a folder", include_str!("../traces/directory_walk.txt")),
        ("compilation", include_str!("../traces/compilation.txt")),
    ];
    let number = |text: Option<&str>| text.unwrap().parse::<u64>().unwrap();
    let trace = |(name, text): (&'static str, &str)| {
        let points = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let mut columns = line.split(' ');
            (number(columns.next()) as f64 / 1_000.0, number(columns.next()), number(columns.next()))
        });
        Trace { class: "recorded", name, resumed: None, points: points.collect() }
    };
    files.into_iter().map(trace).collect()
}
