//! Setters for structs with public members that may grow, and that other crates therefore cannot write as literals.

/// Writes a method for each member, which sets it and has its name.
macro_rules! setters {
    ($type:ident { $($name:ident: $given:ty),* $(,)? }) => {
        impl $type {
            $(
                /// Sets the member of the same name.
                #[must_use]
                pub fn $name(mut self, value: $given) -> Self {
                    self.$name = value.into();
                    self
                }
            )*
        }
    };
}

pub(super) use setters;
