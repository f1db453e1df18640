//! Nothing: this crate is there for its tests, which compile programs.
