//! The causes of the error that a process returned. `E: Display` is all that a process promises, so the expansion of
//! `#[process]` chooses the best of these traits for the error's type, by the depth of a reference (autoref
//! specialization): an error with a `source`, a report such as `anyhow::Error`, or a text.

use std::error::Error;
use std::fmt::Display;
use std::ops::Deref;

use super::ending::caught;

/// How many causes are kept.
const MAX_CAUSES: usize = 20;

/// What a process returned.
#[derive(Debug)]
pub struct Returned<'a, R>(pub &'a R);

/// An error with a `source`.
pub trait CausesOfError {
    fn causes(&self) -> Vec<String>;
}

impl<T, E: Error> CausesOfError for &&&Returned<'_, Result<T, E>> {
    fn causes(&self) -> Vec<String> {
        of(self.0, |error| chain(&error.to_string(), error.source()))
    }
}

/// A pointer to an error, which is none itself: `anyhow::Error`, `eyre::Report`, `Box<dyn Error>`.
pub trait CausesOfReport {
    fn causes(&self) -> Vec<String>;
}

impl<T, E: Deref<Target: Dynamic>> CausesOfReport for &&Returned<'_, Result<T, E>> {
    fn causes(&self) -> Vec<String> {
        of(self.0, |error| chain(&error.error().to_string(), error.error().source()))
    }
}

/// An error of unknown type.
pub trait Dynamic {
    fn error(&self) -> &(dyn Error + 'static);
}

impl Dynamic for dyn Error {
    fn error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl Dynamic for dyn Error + Send {
    fn error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl Dynamic for dyn Error + Send + Sync {
    fn error(&self) -> &(dyn Error + 'static) {
        self
    }
}

/// A text. By convention, `{:#}` adds the causes of a report to its message.
pub trait CausesOfText {
    fn causes(&self) -> Vec<String>;
}

impl<T, E: Display> CausesOfText for &Returned<'_, Result<T, E>> {
    fn causes(&self) -> Vec<String> {
        of(self.0, |error| {
            let (plain, full) = (error.to_string(), format!("{error:#}"));
            let rest = full.strip_prefix(&plain).and_then(|rest| rest.strip_prefix(": "));
            rest.map(str::to_owned).into_iter().collect()
        })
    }
}

/// Nothing that can fail.
pub trait NoCauses {
    fn causes(&self) -> Vec<String>;
}

impl<R> NoCauses for Returned<'_, R> {
    fn causes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The error is the author's code: it may panic.
fn of<T, E>(returned: &Result<T, E>, causes: impl FnOnce(&E) -> Vec<String>) -> Vec<String> {
    let error = returned.as_ref().err();
    error.and_then(|error| caught("the error", || causes(error))).unwrap_or_default()
}

/// The sources of an error. One that the text before it ends with adds nothing: many errors repeat their source.
fn chain(message: &str, source: Option<&(dyn Error + 'static)>) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut next = source;
    for _ in 0..MAX_CAUSES {
        let Some(source) = next else { break };
        let text = source.to_string();
        next = source.source();
        if !causes.last().map_or(message, String::as_str).ends_with(&text) {
            causes.push(text);
        }
    }
    causes
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Import {
        #[error("the file was not read")]
        File(#[source] Parse),
        #[error("line 3: {0}")]
        Line(#[from] Parse),
        #[error(transparent)]
        Disk(#[from] io::Error),
    }

    #[derive(Debug, thiserror::Error)]
    #[error("no number")]
    struct Parse(#[from] std::num::ParseIntError);

    fn parse() -> Parse {
        Parse("x".parse::<u8>().unwrap_err())
    }

    macro_rules! causes {
        ($error:expr) => {
            (&&&&Returned(&Err::<(), _>($error))).causes()
        };
    }

    #[test]
    fn error_has_its_sources() {
        assert_eq!(causes!(Import::File(parse())), ["no number", "invalid digit found in string"]);
        assert_eq!(causes!(Import::Line(parse())), ["invalid digit found in string"], "it is not repeated");
        assert_eq!(causes!(Import::Disk(io::Error::other("full"))), [""; 0]);
        assert_eq!(causes!(Box::new(Import::File(parse()))).len(), 2);
    }

    #[test]
    fn report_has_the_sources_of_its_error() {
        let expected = ["no number", "invalid digit found in string"];
        assert_eq!(causes!(Box::<dyn Error>::from(Import::File(parse()))), expected);
        assert_eq!(causes!(Box::new(Import::File(parse())) as Box<dyn Error + Send>), expected);
        assert_eq!(causes!(Box::<dyn Error + Send + Sync>::from(Import::File(parse()))), expected);
    }

    #[test]
    fn text_has_causes_by_alternate_form() {
        struct Report;
        impl fmt::Display for Report {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(if f.alternate() { "not sent: refused: by the host" } else { "not sent" })
            }
        }
        assert_eq!(causes!(Report), ["refused: by the host"]);
        assert_eq!(causes!("no"), [""; 0]);
        assert_eq!(causes!(String::from("no")), [""; 0]);
        struct Panics;
        impl fmt::Display for Panics {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("it was to panic")
            }
        }
        assert_eq!(causes!(Panics), [""; 0]);
    }

    #[test]
    fn success_has_no_causes() {
        assert_eq!(Returned(&()).causes(), [""; 0]);
        assert_eq!((&&&&Returned(&Ok::<_, io::Error>(1))).causes(), [""; 0]);
    }

    #[test]
    fn endless_chain_is_cut() {
        #[derive(Debug)]
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(if f.alternate() { "" } else { "again" })
            }
        }
        impl Error for Endless {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&Endless)
            }
        }
        assert_eq!(causes!(Endless).len(), 0, "each repeats the one before it");
    }
}
