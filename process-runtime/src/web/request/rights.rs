//! The permissions of a visitor for a run and its process, as data.

/// What a visitor may do with a run that they can view, and with its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) struct Rights {
    /// View the page of its process.
    pub(in crate::web) process: bool,
    /// Start another run.
    pub(in crate::web) start: bool,
    pub(in crate::web) control: bool,
    pub(in crate::web) download: bool,
    /// Create a share link.
    pub(in crate::web) share: bool,
}

impl Rights {
    /// Everything, if there is no `authorize` hook.
    pub(in crate::web) const ALL: Self =
        Self { process: true, start: true, control: true, download: true, share: false };

    /// Distinct for each combination of permissions.
    pub(in crate::web) fn bits(self) -> u8 {
        let Self { process, start, control, download, share } = self;
        [process, start, control, download, share]
            .into_iter()
            .fold(0, |bits, right| bits << 1 | u8::from(right))
    }
}
