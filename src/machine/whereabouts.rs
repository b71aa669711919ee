//! Where clients reach this host while it runs: off EC2 the address of its route out may change.
//!
//! Owns when a change is believed. How the address is read is for [`crate::edge::host`], what of it stands in the zone
//! for the [Registrar](super::registrar).
//!
//! | read | what follows |
//! |---|---|
//! | the address that is published | nothing is in doubt |
//! | none, or one that is no target | doubt: all stays as it is |
//! | another | doubt; read so often in a row, it is the host's address from then on |

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::record::is_target;

/// How often the address is read.
pub const PERIOD: Duration = Duration::from_secs(5);
/// So many readings in a row are believed: while a link comes up, another one may be the way out for a moment.
const BELIEVED: u32 = 3;

/// Where clients reach this host, and whether that is still so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    published: Ipv4Addr,
    doubt: Option<Doubt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Doubt {
    /// What was read last.
    read: Option<Ipv4Addr>,
    /// How often in a row.
    times: u32,
}

/// What a reading changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The address may be another.
    Doubted,
    /// It is not.
    Certain,
    /// It is.
    Moved {
        /// The address until now.
        from: Ipv4Addr,
        /// The address from now on.
        to: Ipv4Addr,
    },
}

impl Whereabouts {
    /// Of a host that is published at this address.
    pub fn new(published: Ipv4Addr) -> Self {
        Self { published, doubt: None }
    }

    /// The address was read; `None` where the host has none.
    pub fn on_read(&mut self, read: Option<Ipv4Addr>) -> Option<News> {
        let read = read.filter(|address| is_target(*address));
        if read == Some(self.published) {
            return self.doubt.take().map(|_| News::Certain);
        }
        let before = self.doubt;
        let times = before.filter(|doubt| doubt.read == read).map_or(1, |doubt| doubt.times + 1);
        if let Some(to) = read
            && times >= BELIEVED
        {
            self.doubt = None;
            return Some(News::Moved { from: std::mem::replace(&mut self.published, to), to });
        }
        self.doubt = Some(Doubt { read, times });
        before.is_none().then_some(News::Doubted)
    }

    /// What is in doubt, if anything is.
    pub fn doubt(&self) -> Option<String> {
        let published = self.published;
        Some(match self.doubt?.read {
            Some(other) => {
                format!("this host may have the address {other} now; its records lead to {published}")
            }
            None => format!("no route out tells this host's address; its records lead to {published}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: [u8; 4] = [10, 0, 0, 7];
    const THERE: [u8; 4] = [10, 0, 0, 8];
    const ELSEWHERE: [u8; 4] = [10, 0, 0, 9];

    /// What is made of these readings in turn, and of what remains in doubt.
    fn told(readings: &[Option<[u8; 4]>]) -> (Vec<Option<News>>, Option<String>) {
        let mut whereabouts = Whereabouts::new(HERE.into());
        let news = readings.iter().map(|read| whereabouts.on_read(read.map(Into::into))).collect();
        (news, whereabouts.doubt())
    }

    fn moved(from: [u8; 4], to: [u8; 4]) -> Option<News> {
        Some(News::Moved { from: from.into(), to: to.into() })
    }

    #[test]
    fn three_readings_in_a_row_are_believed_and_no_fewer() {
        let (news, doubt) = told(&[Some(HERE), Some(THERE), Some(THERE), Some(THERE), Some(THERE)]);
        assert_eq!(news, [None, Some(News::Doubted), None, moved(HERE, THERE), None]);
        assert_eq!(doubt, None);
        let (news, doubt) = told(&[Some(THERE), Some(THERE), Some(HERE), Some(THERE), Some(THERE)]);
        assert_eq!(news, [Some(News::Doubted), None, Some(News::Certain), Some(News::Doubted), None]);
        let text = "this host may have the address 10.0.0.8 now; its records lead to 10.0.0.7";
        assert_eq!(doubt.as_deref(), Some(text));
        let (news, _) = told(&[Some(THERE), Some(ELSEWHERE), Some(THERE), Some(ELSEWHERE), Some(ELSEWHERE)]);
        assert_eq!(news, [Some(News::Doubted), None, None, None, None]);
        let (news, _) = told(&[Some(THERE), None, Some(THERE), Some(THERE), Some(THERE)]);
        assert_eq!(news, [Some(News::Doubted), None, None, None, moved(HERE, THERE)]);
    }

    #[test]
    fn an_address_that_changed_may_change_again() {
        let (news, _) = told(&[Some(THERE), Some(THERE), Some(THERE), Some(HERE), Some(HERE), Some(HERE)]);
        let doubted = Some(News::Doubted);
        assert_eq!(news, [doubted, None, moved(HERE, THERE), doubted, None, moved(THERE, HERE)]);
    }

    #[test]
    fn no_address_or_one_that_is_no_target_is_never_believed() {
        for read in [None, Some([169, 254, 3, 4]), Some([127, 0, 0, 1]), Some([0, 0, 0, 0])] {
            let (news, doubt) = told(&[read; 10]);
            assert_eq!(news.iter().flatten().collect::<Vec<_>>(), [&News::Doubted], "{read:?}");
            let text = "no route out tells this host's address; its records lead to 10.0.0.7";
            assert_eq!(doubt.as_deref(), Some(text));
        }
    }
}
