//! How many trials an address may ask for.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// When which address has asked, as long as that counts.
#[derive(Debug)]
pub(super) struct Rates {
    max: usize,
    within: Duration,
    asked: Mutex<HashMap<Address, VecDeque<Instant>>>,
}

/// Whoever is taken for one: an address of IPv4, a /64 of IPv6, which is what one customer of a provider has at least, or all
/// of those together whose connections have no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Address(Option<IpAddr>);

impl From<Option<IpAddr>> for Address {
    fn from(address: Option<IpAddr>) -> Self {
        Self(address.map(|address| match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
            v4 => v4,
        }))
    }
}

impl Rates {
    pub(super) fn new(max: NonZeroU32, within: Duration) -> Self {
        Self { max: usize::try_from(max.get()).unwrap_or(usize::MAX), within, asked: Mutex::default() }
    }

    /// Counts that an address asks now; or else says how long it has to wait.
    pub(super) fn take(&self, address: Address, now: Instant) -> Result<(), Duration> {
        let mut asked = self.asked();
        if !asked.contains_key(&address) && asked.len() >= ADDRESSES_MAX {
            asked.retain(|_, times| times.back().is_some_and(|last| now.duration_since(*last) < self.within));
            if asked.len() >= ADDRESSES_MAX {
                return Err(self.within);
            }
        }
        let times = asked.entry(address).or_default();
        while times.front().is_some_and(|first| now.duration_since(*first) >= self.within) {
            times.pop_front();
        }
        match times.front() {
            Some(first) if times.len() >= self.max => Err(self.within.saturating_sub(now.duration_since(*first))),
            _ => {
                times.push_back(now);
                Ok(())
            }
        }
    }

    /// What was counted last for an address does not count: it got nothing.
    pub(super) fn give_back(&self, address: Address) {
        let mut asked = self.asked();
        if let Some(times) = asked.get_mut(&address) {
            times.pop_back();
            if times.is_empty() {
                asked.remove(&address);
            }
        }
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<Address, VecDeque<Instant>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Addresses that are remembered. When there are more, no new one gets anything before one of them is forgotten.
const ADDRESSES_MAX: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Some(text.parse().unwrap()).into()
    }

    fn rates() -> Rates {
        Rates::new(NonZeroU32::new(2).unwrap(), Duration::from_secs(60))
    }

    #[test]
    fn an_address_has_to_wait_for_the_first_to_be_over() {
        let (rates, begin) = (rates(), Instant::now());
        let at = |secs| begin + Duration::from_secs(secs);
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        assert_eq!(rates.take(one, at(0)), Ok(()));
        assert_eq!(rates.take(one, at(10)), Ok(()));
        assert_eq!(rates.take(one, at(20)), Err(Duration::from_secs(40)));
        assert_eq!(rates.take(other, at(20)), Ok(()));
        assert_eq!(rates.take(one, at(60)), Ok(()), "the first is over");
        assert_eq!(rates.take(one, at(69)), Err(Duration::from_secs(1)));
        rates.give_back(one);
        assert_eq!(rates.take(one, at(69)), Ok(()));
    }

    #[test]
    fn one_who_has_many_addresses_is_one() {
        let (rates, now) = (rates(), Instant::now());
        for ours in ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2"] {
            assert_eq!(rates.take(address(ours), now), Ok(()));
        }
        assert!(rates.take(address("2001:db8:0:1::3"), now).is_err());
        assert_eq!(rates.take(address("2001:db8:0:2::1"), now), Ok(()));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        for _ in 0..2 {
            assert_eq!(rates.take(None.into(), now), Ok(()));
        }
        assert!(rates.take(None.into(), now).is_err(), "who has no address is one with all others that have none");
    }

    #[test]
    fn there_are_no_more_addresses_than_can_be_remembered() {
        let (rates, now) = (rates(), Instant::now());
        for n in 0..u32::try_from(ADDRESSES_MAX).unwrap() {
            assert_eq!(rates.take(Some(IpAddr::from(n.to_be_bytes())).into(), now), Ok(()));
        }
        let new = address("2001:db8::1");
        assert_eq!(rates.take(new, now), Err(Duration::from_secs(60)));
        assert_eq!(rates.take(new, now + Duration::from_secs(60)), Ok(()));
        assert_eq!(rates.asked().len(), 1);
    }
}
