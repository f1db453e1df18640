//! Rate limit of starts: a token bucket for each person, or else for each address.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::limits::Limits;

/// How many clients are remembered. Further ones share one bucket.
const MAX_REMEMBERED: usize = 10_000;
/// Higher than any real rate.
const MAX_RATE: u32 = 1_000_000;

/// The client of a start, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// A person with a name.
    Actor(Arc<str>),
    /// A client without a name, by its address.
    Address(IpAddr),
    /// A client without name and address.
    Anybody,
}

impl Who {
    /// By the actor's name, or else by the address.
    pub(crate) fn of(actor: Option<&str>, address: Option<IpAddr>) -> Self {
        match (actor, address.map(|address| address.to_canonical())) {
            (Some(actor), _) => Self::Actor(actor.into()),
            // A household has as many of these as there are in four times as many bits.
            (None, Some(IpAddr::V6(address))) => {
                Self::Address(IpAddr::from((u128::from(address) >> 64 << 64).to_be_bytes()))
            }
            (None, Some(address)) => Self::Address(address),
            (None, None) => Self::Anybody,
        }
    }
}

/// The rate limit of starts: a token bucket for each client.
pub(crate) struct Rate {
    limiter: DefaultKeyedRateLimiter<Who>,
    clock: DefaultClock,
}

impl Rate {
    pub(crate) fn new(limits: &Limits) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(limits.max_starts_per_second.min(MAX_RATE)));
        let quota = quota.allow_burst(at_least_one(limits.max_start_burst));
        Self { limiter: RateLimiter::keyed(quota), clock: DefaultClock::default() }
    }

    /// Counts a start; the error is how long to wait for the next.
    pub(crate) fn take(&self, who: Who) -> Result<(), Duration> {
        let who = if self.is_full() { Who::Anybody } else { who };
        self.limiter.check_key(&who).map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// True if no more clients can be remembered. Clients with a full bucket are forgotten.
    fn is_full(&self) -> bool {
        let is_full = || self.limiter.len() >= MAX_REMEMBERED;
        is_full() && {
            self.limiter.retain_recent();
            is_full()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn rate(start_rate: u32, start_burst: u32) -> Rate {
        Rate::new(&Limits::default().max_starts_per_second(start_rate).max_start_burst(start_burst))
    }

    #[test]
    fn rate_limit_buckets_are_separate() {
        let rate = rate(1, 2);
        let ada = || Who::Actor("ada".into());
        assert_eq!((rate.take(ada()), rate.take(ada())), (Ok(()), Ok(())));
        let wait = rate.take(ada()).unwrap_err();
        assert!(wait > Duration::from_millis(900) && wait <= Duration::from_secs(1), "{wait:?}");
        assert_eq!(rate.take(Who::Anybody), Ok(()));
    }

    #[test]
    fn rate_limit_prefers_actor_over_address() {
        let v6 = |last| Some(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 2, 3, 4, 5, last)));
        assert_eq!(Who::of(None, v6(1)), Who::of(None, v6(2)));
        assert_ne!(Who::of(None, v6(1)), Who::of(None, Some("2001:db8:1:3::1".parse().unwrap())));
        let v4 = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!(Who::of(None, Some("::ffff:127.0.0.1".parse().unwrap())), Who::Address(v4));
        assert_eq!(Who::of(Some("ada"), Some(v4)), Who::Actor("ada".into()));
        assert_eq!(Who::of(None, None), Who::Anybody);
    }

    #[test]
    fn forged_actors_keep_rate_limiter_bounded() {
        let rate = rate(1, 10);
        let name = |n: usize| Who::Actor(n.to_string().into());
        for n in 0..MAX_REMEMBERED {
            // They are forgotten after ten seconds.
            (0..10).for_each(|_| assert_eq!(rate.take(name(n)), Ok(())));
        }
        let refused = (0..100).filter(|n| rate.take(name(MAX_REMEMBERED + n)).is_err()).count();
        // All further names share one bucket.
        assert!(rate.limiter.len() <= MAX_REMEMBERED + 1, "{}", rate.limiter.len());
        assert!(refused >= 80, "{refused}");
    }
}
