//! Finds the numbers in a result that JSON cannot express and silently writes as null: NaN and the infinities.

use std::fmt::Display;

use serde::de::value::Error;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde::{Serialize, Serializer};

/// A warning with the number of such values and the position of the first, if there are any.
pub(super) fn numbers(data: &impl Serialize) -> Option<String> {
    let mut search = Search { at: Vec::new(), found: 0, first: String::new() };
    // The caller has already left out a result that cannot be written.
    let _ = data.serialize(&mut search);
    let Search { found, first, .. } = search;
    let place = if first.is_empty() { String::new() } else { format!("; the first is {first}") };
    let why = "JSON has no NaN and no infinity";
    match found {
        0 => None,
        1 => Some(format!("1 number of the result is null: {why}{place}")),
        _ => Some(format!("{found} numbers of the result are null: {why}{place}")),
    }
}

/// A serializer that traverses a value and writes nothing.
struct Search {
    /// The names and indexes on the path to the current value.
    at: Vec<String>,
    found: u64,
    first: String,
}

impl Search {
    fn number(&mut self, is_json: bool) -> Result<(), Error> {
        if !is_json {
            self.found += 1;
            if self.found == 1 {
                self.first = self.at.join(".");
            }
        }
        Ok(())
    }

    fn within<T: Serialize + ?Sized>(&mut self, name: impl Display, value: &T) -> Result<(), Error> {
        self.at.push(name.to_string());
        let searched = value.serialize(&mut *self);
        self.at.pop();
        searched
    }
}

/// A list, a map or a struct, and the position in it.
struct Inside<'a> {
    search: &'a mut Search,
    index: usize,
    key: String,
    /// True inside an enum variant, whose name is on the path.
    in_variant: bool,
}

impl<'a> Inside<'a> {
    fn of(search: &'a mut Search, variant: Option<&str>) -> Result<Self, Error> {
        search.at.extend(variant.map(str::to_owned));
        Ok(Self { search, index: 0, key: String::new(), in_variant: variant.is_some() })
    }

    fn entry<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.index += 1;
        self.search.within(self.index - 1, value)
    }

    fn left(self) -> Result<(), Error> {
        if self.in_variant {
            self.search.at.pop();
        }
        Ok(())
    }
}

macro_rules! no_float {
    ($($name:ident($($type:ty),*);)*) => {$(
        fn $name(self, $(_: $type),*) -> Result<(), Error> {
            Ok(())
        }
    )*};
}

impl<'a> Serializer for &'a mut Search {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Inside<'a>;
    type SerializeTuple = Inside<'a>;
    type SerializeTupleStruct = Inside<'a>;
    type SerializeTupleVariant = Inside<'a>;
    type SerializeMap = Inside<'a>;
    type SerializeStruct = Inside<'a>;
    type SerializeStructVariant = Inside<'a>;

    no_float! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    fn serialize_f32(self, number: f32) -> Result<(), Error> {
        self.number(number.is_finite())
    }

    fn serialize_f64(self, number: f64) -> Result<(), Error> {
        self.number(number.is_finite())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.within(variant, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Inside<'a>, Error> {
        Inside::of(self, None)
    }

    fn serialize_tuple(self, _: usize) -> Result<Inside<'a>, Error> {
        Inside::of(self, None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Inside<'a>, Error> {
        Inside::of(self, None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Inside<'a>, Error> {
        Inside::of(self, Some(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Inside<'a>, Error> {
        Inside::of(self, None)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Inside<'a>, Error> {
        Inside::of(self, None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Inside<'a>, Error> {
        Inside::of(self, Some(variant))
    }
}

macro_rules! lists {
    ($($of:ident, $add:ident;)*) => {$(
        impl $of for Inside<'_> {
            type Ok = ();
            type Error = Error;

            fn $add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.entry(value)
            }

            fn end(self) -> Result<(), Error> {
                self.left()
            }
        }
    )*};
}

lists! {
    SerializeSeq, serialize_element;
    SerializeTuple, serialize_element;
    SerializeTupleStruct, serialize_field;
    SerializeTupleVariant, serialize_field;
}

macro_rules! structs {
    ($($of:ident;)*) => {$(
        impl $of for Inside<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
                self.search.within(name, value)
            }

            fn end(self) -> Result<(), Error> {
                self.left()
            }
        }
    )*};
}

structs! {
    SerializeStruct;
    SerializeStructVariant;
}

impl SerializeMap for Inside<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let key = serde_json::to_value(key).unwrap_or_default();
        self.key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = std::mem::take(&mut self.key);
        self.search.within(key, value)
    }

    fn end(self) -> Result<(), Error> {
        self.left()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Serialize)]
    enum Shape {
        Point(f64),
        Line(f32, f32),
        Named { width: f64 },
    }

    #[derive(Serialize)]
    struct Prices {
        mean: f64,
        none: Option<f64>,
        by_name: BTreeMap<&'static str, Vec<f64>>,
        shapes: Vec<Shape>,
    }

    #[test]
    fn non_finite_numbers_are_counted() {
        let mut prices = Prices {
            mean: 1.5,
            none: None,
            by_name: BTreeMap::from([("a", vec![0.0]), ("b", vec![1.0, 2.0])]),
            shapes: vec![Shape::Point(0.0), Shape::Line(1.0, 2.0), Shape::Named { width: 1.0 }],
        };
        assert_eq!(numbers(&prices), None, "an absent number is null by intention");
        prices.shapes[2] = Shape::Named { width: f64::NEG_INFINITY };
        let one = "1 number of the result is null: JSON has no NaN and no infinity; the first is shapes.2.Named.width";
        assert_eq!(numbers(&prices).as_deref(), Some(one));
        prices.shapes[1] = Shape::Line(0.0, f32::NAN);
        prices.shapes[0] = Shape::Point(f64::NAN);
        prices.by_name.insert("b", vec![1.0, f64::INFINITY]);
        let all = numbers(&prices).unwrap();
        assert!(all.starts_with("4 numbers") && all.ends_with("the first is by_name.b.1"), "{all}");
        prices.mean = f64::NAN;
        assert!(numbers(&prices).unwrap().ends_with("the first is mean"));
        assert!(numbers(&f64::NAN).unwrap().ends_with("no infinity"));
    }
}
