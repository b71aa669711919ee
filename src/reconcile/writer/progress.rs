//! How far a writer has come.

/// How far a writer has come; each is further than those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// Something is still to be told, to be looked up or to be written, or a call is under way.
    Working,
    /// What was told is written, but for what was refused; the zone is still to be read.
    Reading,
    /// All is done that can be done now: what is left was refused.
    Stuck,
    /// The zone is as desired, and has yet to say that every name server answers so.
    Confirming,
    /// The zone is as desired.
    Settled,
}

impl Progress {
    /// Whether what was told at the start is written, as far as it can be.
    pub fn has_written(self) -> bool {
        self >= Self::Reading
    }

    /// Whether nothing is left that can be done now.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Stuck | Self::Settled)
    }

    /// Whether the zone is as desired, and all is known of it.
    pub fn is_as_desired(self) -> bool {
        self >= Self::Confirming
    }
}
