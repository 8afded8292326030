//! What trials are called: names that nobody can guess, and by which it is seen what was made here.

use tenantry_core::{Slug, Tenant};

/// What a tenant is that was made here, as its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody tries it.
    Trial,
    /// It was made ahead, and nobody has ever had it.
    Warm,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Trial => "try-",
            Self::Warm => "warm-",
        }
    }

    /// A new name.
    pub(super) fn name(self) -> Result<Slug, NoName> {
        let mut random = u128::from(getrandom::u64()?) << 64 | u128::from(getrandom::u64()?);
        let mut name = self.prefix().to_owned();
        for _ in 0..LETTERS {
            // The last five bits, of which there are always as many letters.
            name.push(char::from(ALPHABET[(random & 31) as usize]));
            random >>= 5;
        }
        name.parse().map_err(|_| NoName::Crooked)
    }

    /// Of which kind a tenant is; of none unless it was made here, has its name from here still, and is nobody's for good.
    pub(super) fn of(tenant: &Tenant) -> Option<Self> {
        Self::of_name(&tenant.slug).filter(|_| tenant.trial)
    }

    fn of_name(slug: &Slug) -> Option<Self> {
        [Self::Trial, Self::Warm].into_iter().find(|kind| {
            let letters = slug.as_str().strip_prefix(kind.prefix());
            letters.is_some_and(|text| text.len() == LETTERS && text.bytes().all(|byte| ALPHABET.contains(&byte)))
        })
    }
}

/// Why there is no new name.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoName {
    #[error("a name that was made up is none")]
    Crooked,
    #[error("the system has no random numbers")]
    Random(#[from] getrandom::Error),
}

/// Letters and digits that nobody takes for others.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// 80 bits.
const LETTERS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_kind() {
        for kind in [Kind::Trial, Kind::Warm] {
            let (one, other) = (kind.name().unwrap(), kind.name().unwrap());
            assert_ne!(one, other);
            assert_eq!((Kind::of_name(&one), Kind::of_name(&other)), (Some(kind), Some(kind)));
        }
        for other in
            ["acme", "try-it", "try-acme-corporation", "warm-welcome", "try-bcdfghjkmnpqrst", "warmer-bcdfghjkmnpqrst2"]
        {
            assert_eq!(Kind::of_name(&other.parse().unwrap()), None, "{other}");
        }
    }
}
