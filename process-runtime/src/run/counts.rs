//! Named counts of outcomes: in order of first use, and limited to as many names as a page can show.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::wide::Wide;

/// How many names a process can use.
const MAX_NAMES: usize = 20;
/// The maximum length of a name, in characters.
const MAX_NAME: usize = 80;

/// Named counts of outcomes, such as 9,840 `imported` and 120 `skipped`, in order of first use.
///
/// Names are cut at 80 characters. After 20 different names, further names count under `other`; `failed` always has
/// its own entry. In JSON it is an object.
///
/// ```
/// # let progress = process_runtime::Progress::detached();
/// progress.tally("imported");
/// progress.tally_of("skipped", 3);
/// progress.tally("imported");
/// let counts = progress.state().counts;
/// assert_eq!(counts.get("imported"), 2);
/// assert_eq!(counts.iter().collect::<Vec<_>>(), [("imported", 2), ("skipped", 3)]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(Vec<(String, u64)>);

impl Counts {
    /// The name that counts failed items: see [`item_failed`](crate::item_failed).
    pub const FAILED: &'static str = "failed";
    /// The name that counts everything beyond the maximum number of names.
    pub const OTHER: &'static str = "other";

    /// Returns the count of this outcome, 0 if it was never counted.
    pub fn get(&self, name: &str) -> u64 {
        self.iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| count)
    }

    /// Returns every name with its count, in order of first use.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }

    /// Returns true if nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds `n` to a count. A known name allocates nothing.
    pub(crate) fn add(&mut self, name: &str, n: u64) {
        let end = name.char_indices().nth(MAX_NAME).map_or(name.len(), |(end, _)| end);
        let name = &name[..end];
        if self.raise(name, n) {
            return;
        }
        let own = |name: &str| name != Self::FAILED && name != Self::OTHER;
        if own(name) && self.iter().filter(|(known, _)| own(known)).count() >= MAX_NAMES {
            return self.add(Self::OTHER, n);
        }
        self.0.push((name.to_owned(), n));
    }

    /// Copies the counts for a later [`as_of`](Self::as_of). The names are not needed, since they are only ever
    /// appended.
    pub(crate) fn numbers(&self, into: &mut Vec<u64>) {
        into.clear();
        into.extend(self.0.iter().map(|(_, count)| *count));
    }

    /// The counts at the time when these were the numbers.
    pub(crate) fn as_of(&self, numbers: &[u64]) -> Self {
        Self(self.0.iter().zip(numbers).map(|((name, _), count)| (name.clone(), *count)).collect())
    }

    fn raise(&mut self, name: &str, n: u64) -> bool {
        let known = self.0.iter_mut().find(|(known, _)| known == name);
        known.map(|(_, count)| *count = count.saturating_add(n)).is_some()
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_map(self.iter().map(|(name, count)| (name, Wide(count))))
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Counts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counts, A::Error> {
                let mut counts = Vec::new();
                while let Some((name, Wide(count))) = map.next_entry()? {
                    counts.push((name, count));
                }
                Ok(Counts(counts))
            }
        }
        from.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_keep_order_through_json() {
        let mut counts = Counts::default();
        counts.add("zebra", u64::MAX - 1);
        counts.add("ant", 0);
        counts.add("zebra", 7);
        let json = serde_json::to_string(&counts).unwrap();
        assert_eq!(json, r#"{"zebra":"18446744073709551615","ant":0}"#);
        assert_eq!(serde_json::from_str::<Counts>(&json).unwrap(), counts);
    }

    #[test]
    fn counts_beyond_twenty_share_other() {
        let mut counts = Counts::default();
        (0..30).for_each(|n| counts.add(&format!("outcome {n}"), 2));
        counts.add(Counts::FAILED, 1);
        counts.add("outcome 3", 1);
        assert_eq!((counts.get("outcome 3"), counts.get("outcome 20")), (3, 0));
        assert_eq!((counts.get("other"), counts.get("failed")), (20, 1));
        assert_eq!(counts.iter().len(), 22);
    }

    #[test]
    fn long_name_is_cut_at_character() {
        let mut counts = Counts::default();
        counts.add(&"é".repeat(1_000), 1);
        counts.add(&"é".repeat(81), 1);
        assert_eq!(counts.iter().collect::<Vec<_>>(), [("é".repeat(80).as_str(), 2)]);
    }
}
