//! The permissions of a visitor for a run and its process, as data.

/// What a visitor may do with a run that they see, and with its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) struct Rights {
    /// See its process's page.
    pub(in crate::web) process: bool,
    /// Start another.
    pub(in crate::web) start: bool,
    pub(in crate::web) control: bool,
    pub(in crate::web) download: bool,
    /// Make a link that shows it to others.
    pub(in crate::web) share: bool,
}

impl Rights {
    /// Of everybody, where nobody is asked.
    pub(in crate::web) const ALL: Self =
        Self { process: true, start: true, control: true, download: true, share: false };

    /// Different for different rights.
    pub(in crate::web) fn bits(self) -> u8 {
        let Self { process, start, control, download, share } = self;
        [process, start, control, download, share]
            .into_iter()
            .fold(0, |bits, right| bits << 1 | u8::from(right))
    }
}
