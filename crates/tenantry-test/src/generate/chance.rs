//! Chance: which of several.

use proptest::{prelude::Rng, test_runner::TestRng};

/// Where everything random comes from.
pub(crate) struct Chance<'a> {
    rng: &'a mut TestRng,
}

impl<'a> Chance<'a> {
    pub(crate) const fn new(rng: &'a mut TestRng) -> Self {
        Self { rng }
    }

    /// Any number.
    pub(crate) fn number(&mut self) -> u32 {
        self.rng.next_u32()
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let number = usize::try_from(self.number()).unwrap_or_default();
        if bound == 0 { 0 } else { number % bound }
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these; there is at least one.
    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// The place of one of these weights, as often as it is heavy.
    pub(crate) fn weighted(&mut self, weights: &[usize]) -> usize {
        let mut at = self.below(weights.iter().sum());
        weights.iter().position(|weight| at.checked_sub(*weight).map(|rest| at = rest).is_none()).unwrap_or_default()
    }
}
