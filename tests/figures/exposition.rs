//! A strict reader of the text that Prometheus reads, in no code of the writer's.

use std::collections::{BTreeMap, HashSet};

pub(crate) type Labels = BTreeMap<String, String>;

#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: Labels,
    pub(crate) value: f64,
}

/// The parsed metrics.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    /// By name.
    pub(crate) kinds: BTreeMap<String, String>,
    pub(crate) samples: Vec<Sample>,
}

impl Exposition {
    /// Reads a text; panics at the first thing that is not as the format has it.
    pub(crate) fn read(text: &str) -> Self {
        assert!(text.is_empty() || text.ends_with('\n'), "the last line has no end");
        let mut read = Self::default();
        let (mut family, mut left, mut seen) = (String::new(), HashSet::new(), HashSet::new());
        for line in text.lines().filter(|line| !line.is_empty()) {
            assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
            if let Some(said) = line.strip_prefix("# ") {
                let (word, rest) = said.split_once(' ').unwrap();
                let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                assert!(is_name(name), "{line}");
                if name != family {
                    assert!(
                        left.insert(std::mem::replace(&mut family, name.to_owned())),
                        "{name} comes twice"
                    );
                    assert!(!left.contains(name), "{name} comes twice");
                }
                match word {
                    "HELP" => assert!(!rest.is_empty(), "{line}"),
                    "TYPE" => {
                        assert!(["counter", "gauge", "histogram"].contains(&rest), "{line}");
                        assert!(read.kinds.insert(name.to_owned(), rest.to_owned()).is_none(), "{line}");
                    }
                    _ => panic!("{line}"),
                }
                continue;
            }
            let sample = sample(line);
            let kind = read.kinds.get(&family).unwrap_or_else(|| panic!("{line} has no type"));
            let suffix =
                sample.name.strip_prefix(&family).unwrap_or_else(|| panic!("{line} is not of {family}"));
            match kind.as_str() {
                "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{line}"),
                "counter" => assert!(suffix.is_empty() && family.ends_with("_total"), "{line}"),
                _ => assert!(suffix.is_empty() && !family.ends_with("_total"), "{line}"),
            }
            assert!(kind == "gauge" || sample.value >= 0.0, "{line}");
            assert!(seen.insert((sample.name.clone(), sample.labels.clone())), "{line} comes twice");
            read.samples.push(sample);
        }
        read.check_histograms();
        read
    }

    /// Each has its buckets in order, and the last holds all.
    fn check_histograms(&self) {
        for name in self.kinds.iter().filter(|(_, kind)| *kind == "histogram").map(|(name, _)| name) {
            let mut series: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
            for one in self.samples.iter().filter(|one| one.name == format!("{name}_bucket")) {
                let mut labels = one.labels.clone();
                let le = labels.remove("le").unwrap().parse().unwrap();
                series.entry(labels).or_default().push((le, one.value));
            }
            for (labels, buckets) in series {
                let rise = buckets.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 <= two[1].1);
                assert!(rise, "{name} {labels:?}: {buckets:?}");
                let (le, all) = *buckets.last().unwrap();
                let count = self.value(&format!("{name}_count"), &labels);
                assert!(le == f64::INFINITY && Some(all) == count, "{name} {labels:?}: {count:?}");
            }
        }
    }

    fn value(&self, name: &str, labels: &Labels) -> Option<f64> {
        self.samples.iter().find(|one| one.name == name && one.labels == *labels).map(|one| one.value)
    }

    /// The value of the metric with exactly this name and these labels; 0 if it is missing.
    pub(crate) fn get(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.value(name, &labels).unwrap_or(0.0)
    }

    /// Every value of a label.
    pub(crate) fn values_of(&self, name: &str, label: &str) -> HashSet<String> {
        self.samples.iter().filter(|one| one.name == name).map(|one| one.labels[label].clone()).collect()
    }
}

fn is_name(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit())
}

fn sample(line: &str) -> Sample {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, quoted) = rest.split_once("=\"").unwrap();
            assert!(is_name(label), "{line}");
            let (value, after) = value(quoted);
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            rest = after.strip_prefix(',').unwrap_or(after);
            assert!(after.starts_with([',', '}']), "{line}");
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    assert!(!value.contains(' '), "{line}: a time stamp");
    Sample { name: name.to_owned(), labels, value: value.parse().unwrap() }
}

/// The value of a label, and what comes after its closing quote.
fn value(quoted: &str) -> (String, &str) {
    let (mut value, mut chars) = (String::new(), quoted.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, c @ ('\\' | '"'))) => value.push(c),
                other => panic!("\\{other:?} in {quoted}"),
            },
            c => value.push(c),
        }
    }
    panic!("no end: {quoted}")
}

#[test]
fn parser_rejects_malformed_exposition() {
    let read = Exposition::read(
        "# HELP a_total b\n# TYPE a_total counter\na_total{b=\"c\\\"\\\\\\n,}\",d=\"\"} 1\n",
    );
    assert_eq!(read.get("a_total", &[("b", "c\"\\\n,}"), ("d", "")]), 1.0);
    for wrong in [
        "a 1",
        "a 1\n",
        "# TYPE a gauge\na\n",
        "# TYPE a gauge\na{b=c} 1\n",
        "# TYPE a gauge\na{b=\"c\"}1\n",
        "# TYPE a gauge\na x\n",
        "# TYPE a gauge\na 1\na 2\n",
        "# TYPE a counter\na 1\n",
        "# TYPE a_total gauge\na_total 1\n",
        "# TYPE a gauge\nb 1\n",
        "# TYPE a gauge\na{b=\"\\x\"} 1\n",
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n",
        "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
        "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\na{c=\"d\"} 1\n",
        "# TYPE a summary\n",
        "# TYPE a gauge\na 1 17000\n",
    ] {
        assert!(std::panic::catch_unwind(|| Exposition::read(wrong)).is_err(), "{wrong:?}");
    }
}
