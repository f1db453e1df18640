//! The list that a cursor refers to: what is stored of it, and whether the current list is still the same.

use std::io;

use serde::Serialize;

use crate::run::SavedList;

/// How the items of a list are identified.
#[doc(hidden)]
pub trait Identity<T> {
    /// False if items cannot be distinguished.
    const KNOWS: bool;

    /// Adds the next item.
    fn add(&mut self, item: &T);

    /// The checksum of all items so far.
    fn digest(&self) -> Option<u32>;
}

/// Identifies items by their number alone.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct ByNumber;

impl<T> Identity<T> for ByNumber {
    const KNOWS: bool = false;

    fn add(&mut self, _: &T) {}

    fn digest(&self) -> Option<u32> {
        None
    }
}

/// Identifies items by a key: a CRC-32 of the keys of all items so far, each as a line of JSON.
#[doc(hidden)]
pub struct ByKey<F> {
    key: F,
    digest: crc32fast::Hasher,
}

impl<F> ByKey<F> {
    pub(super) fn new(key: F) -> Self {
        Self { key, digest: crc32fast::Hasher::new() }
    }
}

impl<T, K: Serialize, F: FnMut(&T) -> K> Identity<T> for ByKey<F> {
    const KNOWS: bool = true;

    fn add(&mut self, item: &T) {
        struct Digest<'a>(&'a mut crc32fast::Hasher);
        impl io::Write for Digest<'_> {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.update(bytes);
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        // A key that cannot be written completely still contributes what was written.
        let _ = serde_json::to_writer(Digest(&mut self.digest), &(self.key)(item));
        self.digest.update(b"\n");
    }

    fn digest(&self) -> Option<u32> {
        Some(self.digest.clone().finalize())
    }
}

impl<F> std::fmt::Debug for ByKey<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ByKey")
    }
}

/// Whether a run can resume in a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Same {
    /// The list appears to be the same.
    Yes,
    /// It may be another list: the run resumes, with this warning.
    Unclear(String),
    /// It is another list.
    No(String),
}

/// Compares the current list with the list whose first `done` items are done. `before` is what the cursor stored of
/// it; cursors of earlier versions stored nothing.
pub(super) fn same(done: u64, before: Option<SavedList>, now: SavedList) -> Same {
    if let (Some(before), Some(now)) = (before.and_then(|before| before.digest), now.digest) {
        return if before == now { Same::Yes } else { Same::No(others(done)) };
    }
    match (before.map(|before| before.total), now.total) {
        (Some(Some(before)), Some(now)) if now < before => Same::No(fewer(done, Some(before), Some(now))),
        (Some(Some(before)), Some(now)) if now > before => Same::Unclear(format!(
            "{done} of {before} items were done, and there are {now} items now: the run continues after the first {done}, \
             which is correct if items were added at the end, and wrong if their batches or their order changed; \
             `resume_from_keyed` can tell the difference"
        )),
        _ => Same::Yes,
    }
}

/// The list ended before all the done items.
pub(super) fn ended_early(done: u64, before: Option<SavedList>, now: Option<u64>) -> Same {
    let why = fewer(done, before.and_then(|before| before.total), now);
    if before.is_some() { Same::No(why) } else { Same::Unclear(why) }
}

const HOW: &str = "the run can only resume with the original list, or start over";

fn fewer(done: u64, before: Option<u64>, now: Option<u64>) -> String {
    let of = before.map_or_else(String::new, |before| format!(" of {before}"));
    let now = now.map_or_else(|| "fewer items".into(), |now| format!("{now} items"));
    format!(
        "{done}{of} items were done, and there are {now} now: the list or the size of its batches has changed, so \
         which items are done is unknown; {HOW}"
    )
}

fn others(done: u64) -> String {
    format!("{done} items were done, but the first {done} items have other keys now; {HOW}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(total: impl Into<Option<u64>>, digest: impl Into<Option<u32>>) -> SavedList {
        SavedList { total: total.into(), digest: digest.into() }
    }

    fn digest(keys: &[&str]) -> Option<u32> {
        let mut by_key = ByKey::new(|key: &&str| key.to_string());
        keys.iter().for_each(|key| by_key.add(key));
        Identity::<&str>::digest(&by_key)
    }

    #[test]
    fn digests_are_machine_independent() {
        assert_eq!(digest(&[]), Some(0));
        assert_eq!(digest(&["a", "b"]), Some(crc32fast::hash(b"\"a\"\n\"b\"\n")));
        assert_ne!(digest(&["ab"]), digest(&["a", "b"]));
        assert_ne!(digest(&["b", "a"]), digest(&["a", "b"]));
    }

    #[test]
    fn keyed_list_compares_done_items() {
        let before = Some(list(40, 7));
        for total in [None, Some(34), Some(40), Some(80)] {
            assert_eq!(same(34, before, list(total, 7)), Same::Yes);
            assert!(matches!(same(34, before, list(total, 8)), Same::No(_)));
        }
    }

    #[test]
    fn unkeyed_list_compares_totals() {
        let before = Some(list(40, None));
        assert_eq!(same(34, before, list(40, None)), Same::Yes);
        assert_eq!(same(34, before, list(None, 7)), Same::Yes);
        let Same::No(why) = same(34, before, list(39, None)) else { panic!("it is another list") };
        assert!(why.starts_with("34 of 40 items were done, and there are 39 items now"), "{why}");
        let Same::Unclear(why) = same(34, before, list(80, None)) else { panic!("nobody knows") };
        assert!(why.contains("34 of 40") && why.contains("80 items"), "{why}");
        let Same::No(why) = ended_early(34, Some(list(None, None)), Some(20)) else {
            panic!("it is another list")
        };
        assert!(why.starts_with("34 items were done, and there are 20 items now"), "{why}");
    }

    #[test]
    fn old_cursor_without_list_resumes() {
        assert_eq!(same(34, None, list(40, 7)), Same::Yes);
        assert!(matches!(ended_early(34, None, Some(20)), Same::Unclear(_)));
    }
}
