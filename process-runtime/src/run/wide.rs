//! JSON for integers beyond 2^53: written as text, since JavaScript and many other readers would silently round them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const EXACT: u64 = 1 << 53;

/// An integer that survives JSON.
pub(super) struct Wide(pub(super) u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u64),
    Text(String),
}

impl Serialize for Wide {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        if self.0 <= EXACT { out.serialize_u64(self.0) } else { out.collect_str(&self.0) }
    }
}

impl<'de> Deserialize<'de> for Wide {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match NumberOrText::deserialize(from)? {
            NumberOrText::Number(number) => Ok(Self(number)),
            NumberOrText::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

// The two functions that `#[serde(with = "wide")]` calls.

pub(super) fn serialize<S: Serializer>(value: &Option<u64>, out: S) -> Result<S::Ok, S::Error> {
    value.map(Wide).serialize(out)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<Wide>::deserialize(from)?.map(|Wide(number)| number))
}
