//! What ties the entries of the log together.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{Act, AuditEntry, Deed};
use crate::TenantId;

/// The hash of an entry and of the link before it, by which it vouches for all entries before: none of them can be changed,
/// removed or put in without all links after it being different. Who can write the store can write a whole new chain, or cut
/// its end off; a link that was noted elsewhere tells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Link([u8; 32]);

impl Link {
    /// What the first entry is tied to.
    pub const START: Self = Self([0; 32]);

    /// The link with these bytes, as it was stored. `None` when they are no link.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, to be stored.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The link of the entry that comes after this one.
    #[must_use]
    pub fn to(&self, number: i64, at: SystemTime, act: &Act, deed: &Deed) -> Self {
        let mut hash = Sha256::new_with_prefix(b"tenantry audit 1");
        hash.update(self.0);
        hash.update(number.to_be_bytes());
        let millis = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        hash.update(millis.to_be_bytes());
        hash.update(deed.tenant.map_or(i64::MIN, TenantId::get).to_be_bytes());
        let slug = deed.slug.as_ref().map(|slug| slug.as_str());
        let texts =
            [Some(&*act.who), Some(&*act.from), act.why.as_deref(), Some(&*deed.verb), slug, Some(&*deed.detail)];
        // The length in front, so that no text can pass for the end of one and the beginning of another.
        for text in texts {
            let length = text.map_or(u64::MAX, |text| u64::try_from(text.len()).unwrap_or(u64::MAX));
            hash.update(length.to_be_bytes());
            hash.update(text.unwrap_or_default());
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({self})")
    }
}

impl AuditEntry {
    /// Whether the entry comes after one with this number and link.
    ///
    /// # Errors
    ///
    /// [`Broken`] when it does not, or is not what was written.
    pub fn follows(&self, number: i64, link: &Link) -> Result<(), Broken> {
        let expected = number.saturating_add(1);
        if self.number != expected {
            return Err(Broken { number: expected });
        }
        let Self { number, at, act, deed, link: written } = self;
        if link.to(*number, *at, act, deed) == *written { Ok(()) } else { Err(Broken { number: *number }) }
    }
}

/// The log is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("entry {number} of the audit log is missing or was changed after it was written, or one before it was")]
pub struct Broken {
    /// The first entry at which that shows.
    pub number: i64,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn chain() -> Vec<AuditEntry> {
        let mut link = Link::START;
        let entries = (1..=4).map(|number| {
            let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(number).unwrap());
            let act = Act::of("alice", "here").because("billing");
            let slug = Some("acme".parse().unwrap());
            let deed = Deed { verb: "amended".into(), tenant: Some(TenantId::new(number)), slug, detail: "{}".into() };
            link = link.to(number, at, &act, &deed);
            AuditEntry { number, at, act, deed, link }
        });
        entries.collect()
    }

    fn check(entries: &[AuditEntry]) -> Result<(), Broken> {
        let (mut number, mut link) = (0, Link::START);
        for entry in entries {
            entry.follows(number, &link)?;
            (number, link) = (entry.number, entry.link);
        }
        Ok(())
    }

    #[test]
    fn what_was_written_follows() {
        assert_eq!(check(&chain()), Ok(()));
    }

    #[test]
    fn whatever_is_changed_shows() {
        let changes: [fn(&mut AuditEntry); 8] = [
            |entry| entry.at += Duration::from_millis(1),
            |entry| entry.act.who.push('x'),
            |entry| entry.act.from.clear(),
            |entry| entry.act.why = None,
            |entry| entry.deed.verb = "removed".into(),
            |entry| entry.deed.tenant = None,
            |entry| entry.deed.slug = None,
            |entry| entry.deed.detail.push(' '),
        ];
        for change in changes {
            let mut entries = chain();
            change(&mut entries[2]);
            assert_eq!(check(&entries), Err(Broken { number: 3 }));
        }
        let mut entries = chain();
        entries.remove(1);
        assert_eq!(check(&entries), Err(Broken { number: 2 }));
        let mut entries = chain();
        entries.swap(1, 2);
        assert_eq!(check(&entries), Err(Broken { number: 2 }));
    }

    #[test]
    fn a_text_cannot_move_into_the_next_one() {
        let of = |who: &str, from: &str| {
            let deed = Deed { verb: String::new(), tenant: None, slug: None, detail: String::new() };
            Link::START.to(1, UNIX_EPOCH, &Act::of(who, from), &deed)
        };
        assert_ne!(of("ab", "c"), of("a", "bc"));
    }
}
