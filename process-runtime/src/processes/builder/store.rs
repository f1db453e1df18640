//! The store of a program that sets none: the one that `PROCESS_STORE` names, or the embedded one.

use std::path::Path;
use std::sync::Arc;

use super::BuildError;
use crate::store::Store;

/// The variable with the address of the store.
const STORE: &str = "PROCESS_STORE";
/// The variable with the address of the same database without a pooler, for notifications.
#[cfg(feature = "postgres")]
const LISTEN: &str = "PROCESS_STORE_LISTEN";

/// The store that `PROCESS_STORE` names, or else the embedded one.
pub(super) fn of_environment(data: &Path) -> Result<Arc<dyn Store>, BuildError> {
    match std::env::var(STORE) {
        Err(_) => default_store(data),
        Ok(text) if text.is_empty() || text == "sqlite" => default_store(data),
        #[cfg(feature = "postgres")]
        Ok(url) if ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) => {
            let options = crate::store::postgres::PgOptions::new(url);
            let opened = match std::env::var(LISTEN) {
                Ok(direct) if !direct.is_empty() => options.listen_to(direct).open(),
                _ => options.open(),
            };
            match opened {
                Ok(store) => Ok(Arc::new(store)),
                Err(error) => Err(BuildError::Store(error.to_string())),
            }
        }
        // The value may contain a password.
        Ok(_) if cfg!(feature = "postgres") => Err(BuildError::Store(
            "write sqlite, or an address such as postgres://user:password@host:5432/database".to_owned(),
        )),
        Ok(_) => Err(BuildError::Store(
            "this program was built with the embedded store only: write sqlite, or enable the feature postgres of \
             process-runtime"
                .to_owned(),
        )),
    }
}

#[cfg(feature = "sqlite")]
fn default_store(data: &Path) -> Result<Arc<dyn Store>, BuildError> {
    use crate::store::sqlite::{SqliteStore, Synchronous};
    match SqliteStore::open(data, Synchronous::Full) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(BuildError::Data(error.into())),
    }
}

#[cfg(not(feature = "sqlite"))]
fn default_store(_: &Path) -> Result<Arc<dyn Store>, BuildError> {
    Err(BuildError::NoStore)
}
