//! Why the database cannot be used, and why an operation on it failed.

use std::error::Error as _;

use super::super::{Cause, StoreError};

/// Why a store could not be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL of the database is not one.
    #[error(
        "the URL of the database is invalid: {0}; it has the form postgres://user:password@host:5432/database"
    )]
    Url(#[source] Cause),
    /// The server cannot be reached at the moment.
    #[error("the database is not reachable: {0}")]
    Unreachable(#[source] Cause),
    /// The server refused the user, the password or the database.
    #[error("the database refused the connection: {0}")]
    Refused(#[source] Cause),
    /// The server could lose what it has confirmed, or is too old.
    #[error("the database is not usable: {0}")]
    Unsafe(#[source] Cause),
    /// A newer version of this crate has migrated the tables.
    #[error("{0}")]
    Newer(#[source] Cause),
}

impl ConnectError {
    pub(super) fn newer(name: &str, format: i32, own: i32) -> Self {
        Self::Newer(
            format!(
                "{name} has format {format}, and this version of the program reads format {own}: start a newer version"
            )
            .into(),
        )
    }

    /// Returns true if it may be possible later without any change of the configuration.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }
}

impl From<ConnectError> for StoreError {
    fn from(error: ConnectError) -> Self {
        Self::Unavailable(Cause::of(error))
    }
}

/// Why an operation failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The store refused it.
    Refused(StoreError),
    /// PostgreSQL, or the connection, returned an error.
    Postgres(tokio_postgres::Error),
}

impl Failure {
    /// What the caller of an operation on this server gets.
    pub(super) fn answer(self, name: &str) -> StoreError {
        match self {
            Self::Refused(error) => error,
            Self::Postgres(error) => StoreError::Unavailable(named(name, error)),
        }
    }
}

/// An error with the name of its server. PostgreSQL's own errors have a message for people; those of a connection have
/// their reason in their source.
pub(super) fn named(name: &str, error: tokio_postgres::Error) -> Cause {
    let what = match (error.as_db_error(), error.source()) {
        (Some(error), _) => error.message().to_owned(),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    };
    Cause::new(format!("{name}: {what}"), error)
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}
