//! The limits of a [`super::PerTenant`].

use std::time::Duration;

/// What keeps resources bounded. The knobs of the application instances are `instances.<name>` in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// How many resources may be building or live at once. Default 1000.
    pub live_max: usize,
    /// How long a resource may go unused before it is closed. Default 15 minutes.
    pub idle: Duration,
    /// How long building one may take. Default 30 seconds.
    pub build_timeout: Duration,
    /// How many may wait for one that is being built. Default 1024.
    pub waiters_max: usize,
    /// How long a failed build is left alone at first. Default 1 second.
    pub backoff_min: Duration,
    /// How long it is left alone at most. Default 60 seconds.
    pub backoff_max: Duration,
}

impl Bounds {
    /// How long to wait after the build has failed `failures` times in a row.
    pub(super) fn backoff(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.backoff_min.saturating_mul(1 << doublings).min(self.backoff_max)
    }

    /// How often to look for idle resources: four times within [`Bounds::idle`], so that none outstays it by more than
    /// a quarter.
    pub(super) fn sweep_every(&self) -> Duration {
        (self.idle / 4).clamp(Duration::from_millis(10), Duration::from_secs(60))
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            live_max: 1000,
            idle: Duration::from_secs(15 * 60),
            build_timeout: Duration::from_secs(30),
            waiters_max: 1024,
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_back_off_doubles_up_to_its_end() {
        let bounds = Bounds::default();
        let waits: Vec<_> = [1, 2, 3, 6, 7, 8, u32::MAX].map(|failures| bounds.backoff(failures).as_secs()).into();
        assert_eq!(waits, [1, 2, 4, 32, 60, 60, 60]);
    }
}
