//! Nothing: this crate is there for its edition, in which its tests, programs of `tests/ui/pass`, are built.
