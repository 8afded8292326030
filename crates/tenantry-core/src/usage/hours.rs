//! What tenants have used in which hour.

use std::{
    ops::AddAssign,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::Count;
use crate::TenantId;

/// An hour: how many have passed since the beginning of 1970, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(i64);

impl Hour {
    /// This one.
    pub const fn new(hour: i64) -> Self {
        Self(hour)
    }

    /// The hour of a time; the first one, for a time before it.
    pub fn of(time: SystemTime) -> Self {
        let hours = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 3600;
        Self(i64::try_from(hours).unwrap_or(i64::MAX))
    }

    /// The current one.
    pub fn now() -> Self {
        Self::of(SystemTime::now())
    }

    /// Its number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// When it begins.
    pub fn start(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.max(0).unsigned_abs().saturating_mul(3600))
    }

    /// The hour so long before, or the first one.
    pub fn before(self, time: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(time.as_secs().div_ceil(3600)).max(0))
    }
}

/// How much of everything that is counted.
///
/// ```
/// use tenantry_core::{Amounts, Count};
///
/// let mut amounts = Amounts::default();
/// amounts.set(Count::Requests, 2);
/// amounts += amounts.clone();
/// assert_eq!((amounts.get(Count::Requests), amounts.is_nothing()), (4, false));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts([u64; Count::ALL.len()]);

impl Amounts {
    /// How much of this.
    pub fn get(&self, what: Count) -> u64 {
        self.0[what as usize]
    }

    /// It is this much.
    pub fn set(&mut self, what: Count, amount: u64) {
        self.0[what as usize] = amount;
    }

    /// Whether there is nothing of anything.
    pub fn is_nothing(&self) -> bool {
        self.0.iter().all(|amount| *amount == 0)
    }
}

impl AddAssign for Amounts {
    fn add_assign(&mut self, more: Self) {
        for (amount, more) in self.0.iter_mut().zip(more.0) {
            *amount = amount.saturating_add(more);
        }
    }
}

/// What a tenant has used in an hour, or in the time that begins with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// The tenant.
    pub tenant: TenantId,
    /// The hour.
    pub hour: Hour,
    /// How much.
    pub amounts: Amounts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_begin_with_1970() {
        assert_eq!(Hour::of(UNIX_EPOCH + Duration::from_secs(7199)), Hour::new(1));
        assert_eq!(Hour::new(2).start(), UNIX_EPOCH + Duration::from_secs(7200));
        assert_eq!(Hour::new(10).before(Duration::from_secs(3601)), Hour::new(8));
        assert_eq!(Hour::new(1).before(Duration::from_secs(36_000)), Hour::new(0));
    }
}
