//! The number types that the helpers accept: integers for steps, and also floats for a percentage.

mod sealed {
    pub trait Sealed {}
}

/// A number that can be a percentage: every integer and float type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a percentage",
    label = "expected a number from 0 to 100",
    note = "write a number, such as `set_progress(42)` or `set_progress(99.5)`; \
            for steps use `set_progress_of(current, total)`"
)]
pub trait Percent: sealed::Sealed {
    #[doc(hidden)]
    fn to_percent(self) -> f64;
}

/// A number of steps: every integer type. Negative numbers count as 0.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number of steps",
    label = "expected an integer",
    note = "write integers, such as `set_progress_of(index + 1, items.len())`; \
            for a percentage use `set_progress(percent)`"
)]
pub trait Count: sealed::Sealed {
    #[doc(hidden)]
    fn to_count(self) -> u64;
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl sealed::Sealed for $type {}
        impl Percent for $type {
            #[inline]
            fn to_percent(self) -> f64 {
                self as f64
            }
        }
        impl Count for $type {
            #[inline]
            #[allow(clippy::unnecessary_fallible_conversions, reason = "one rule for every integer type")]
            #[allow(unused_comparisons, reason = "one rule for every integer type")]
            fn to_count(self) -> u64 {
                u64::try_from(self).unwrap_or(if self < 0 { 0 } else { u64::MAX })
            }
        }
    )*};
}

macro_rules! floats {
    ($($type:ty),*) => {$(
        impl sealed::Sealed for $type {}
        impl Percent for $type {
            #[inline]
            fn to_percent(self) -> f64 {
                f64::from(self)
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);
floats!(f32, f64);
