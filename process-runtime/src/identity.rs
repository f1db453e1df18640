//! The ids of nodes and claims, by which a store tells its holders apart.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Creates a new, unique id.
            #[expect(clippy::new_without_default, reason = "two defaults would not be equal")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// Returns the 16 bytes of the id, as a store keeps them.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Creates the id from 16 stored bytes.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

random_id! {
    /// Identifies one start of a program that executes runs. It is random, so that a store never confuses a program
    /// that was started again on the same machine with its predecessor.
    ///
    /// ```
    /// use process_runtime::store::NodeId;
    ///
    /// let node = NodeId::new();
    /// assert_eq!(NodeId::from_bytes(*node.as_bytes()), node);
    /// assert_ne!(NodeId::new(), node);
    /// ```
    NodeId
}

random_id! {
    /// Identifies one claim for as long as its run is held. A repeated call with the same id gives the same claim.
    ///
    /// ```
    /// use process_runtime::store::ClaimId;
    ///
    /// let claim = ClaimId::new();
    /// assert_eq!(ClaimId::from_bytes(*claim.as_bytes()), claim);
    /// assert_ne!(ClaimId::new(), claim);
    /// ```
    ClaimId
}

random_id! {
    /// Identifies the data folder of a node, for as long as the folder exists: where the files of a run are, and the
    /// secrets of its start.
    ///
    /// ```
    /// use process_runtime::store::HomeId;
    ///
    /// let home = HomeId::new();
    /// assert_eq!(HomeId::from_bytes(*home.as_bytes()), home);
    /// assert_ne!(HomeId::new(), home);
    /// ```
    HomeId
}
