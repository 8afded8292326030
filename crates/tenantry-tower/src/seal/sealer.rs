//! The sealing itself: one value, for one tenant, under one name.

use std::{fmt, sync::Arc};

use tenantry_resource::{KeyHolder, MasterKeys, Purpose, Seals};

/// Seals and opens the cookies of one tenant, with keys derived once. Clones share them.
#[derive(Clone)]
pub(super) struct Sealer {
    holder: KeyHolder,
    seals: Arc<Seals>,
}

impl Sealer {
    pub(super) fn new(keys: &MasterKeys, holder: KeyHolder) -> Self {
        let current = keys.current(Purpose::COOKIES, holder);
        let seals = Seals::new(&current, keys.derive(Purpose::COOKIES, holder));
        Self { holder, seals: Arc::new(seals) }
    }

    pub(super) const fn holder(&self) -> KeyHolder {
        self.holder
    }

    /// What the client gets to keep in the place of `value`.
    pub(super) fn seal(&self, name: &[u8], value: &[u8]) -> Vec<u8> {
        [VERSION, &self.seals.seal(name, value), b".", value].concat()
    }

    /// The value that was sealed, or nothing when it was not sealed for this tenant and this name.
    pub(super) fn open<'c>(&self, name: &[u8], sealed: &'c [u8]) -> Option<&'c [u8]> {
        let (seal, value) = sealed.strip_prefix(VERSION)?.split_at_checked(Seals::LEN)?;
        let value = value.strip_prefix(b".")?;
        self.seals.is_seal(seal, name, value).then_some(value)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("holder", &self.holder).finish_non_exhaustive()
    }
}

/// Whether a value has the beginning of a sealed one.
pub(super) fn is_like_sealed(value: &[u8]) -> bool {
    value.starts_with(VERSION)
}

/// What every sealed value begins with; another format gets another number.
const VERSION: &[u8] = b"t1.";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tenantry_core::{Tenant, TenantId};

    use super::*;

    fn keys() -> MasterKeys {
        MasterKeys::parse("3gHv1pdkzTTBfVmyS+0+hj1Ikc0hTpXqhZJqRUVYRqI=").unwrap()
    }

    fn holder(tenant: i64, epoch: u32) -> KeyHolder {
        let mut tenant = Tenant::new(TenantId::new(tenant), "acme".parse().unwrap());
        tenant.epoch = epoch;
        (&tenant).into()
    }

    fn acme(keys: &MasterKeys) -> Sealer {
        Sealer::new(keys, holder(1, 0))
    }

    #[test]
    fn the_length_is_what_the_docs_say() {
        let keys = keys();
        for len in [0, 3, 300] {
            assert_eq!(acme(&keys).seal(b"sid", &vec![b'x'; len]).len(), 35 + len);
        }
    }

    #[test]
    fn another_master_key_opens_it_only_if_it_is_on_the_list() {
        let (old, new) = (keys(), "bA9AqZ1fI8lpbv0iP3CwF0OQy2yHmvO3d0rTj5JvJ9k=");
        let both = MasterKeys::parse(&format!("{new},3gHv1pdkzTTBfVmyS+0+hj1Ikc0hTpXqhZJqRUVYRqI=")).unwrap();
        let new = MasterKeys::parse(new).unwrap();
        let sealed = String::from_utf8(acme(&old).seal(b"sid", b"1")).unwrap();
        assert_eq!(acme(&both).open(b"sid", sealed.as_bytes()), Some(b"1".as_slice()));
        assert_eq!(acme(&new).open(b"sid", sealed.as_bytes()), None);
        let (old_id, new_id) = (old.ids().next().unwrap(), new.ids().next().unwrap());
        let swapped = sealed.replace(old_id.as_str(), new_id.as_str());
        assert_eq!(acme(&both).open(b"sid", swapped.as_bytes()), None, "under the id of another known key");
    }

    #[test]
    fn what_was_sealed_before_a_reset_is_not_opened() {
        let keys = keys();
        let sealed = acme(&keys).seal(b"sid", b"1");
        assert_eq!(Sealer::new(&keys, holder(1, 1)).open(b"sid", &sealed), None);
        assert_eq!(Sealer::new(&keys, holder(1, 0)).open(b"sid", &sealed), Some(b"1".as_slice()));
    }

    #[test]
    fn what_was_never_sealed_is_not_opened() {
        let keys = keys();
        let id = keys.ids().next().unwrap();
        let with_id = ["", ".", ".AAAA", ".\u{fc}"].map(|end| format!("t1.{id}{end}"));
        for text in ["", "1", "t1.", "t1..", "t1.\u{fc}"].into_iter().chain(with_id.iter().map(String::as_str)) {
            assert_eq!(acme(&keys).open(b"sid", text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_byte_cannot_move_from_the_name_to_the_value() {
        let keys = keys();
        let sealed = String::from_utf8(acme(&keys).seal(b"a", b"bc")).unwrap();
        let moved = sealed.replace(".bc", ".c");
        assert_eq!(acme(&keys).open(b"ab", moved.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_for_the_same_tenant_and_name(
            name in any::<Vec<u8>>(), value in any::<Vec<u8>>(), tenant in any::<i64>(),
        ) {
            let keys = keys();
            let sealer = Sealer::new(&keys, holder(tenant, 0));
            let sealed = sealer.seal(&name, &value);
            prop_assert_eq!(sealer.open(&name, &sealed), Some(value.as_slice()));
        }

        #[test]
        fn and_for_nobody_else(name in "[ab]{1,2}", other in "[ab]{1,2}", tenant in 0..3_i64, value in any::<Vec<u8>>()) {
            let keys = keys();
            let sealed = acme(&keys).seal(name.as_bytes(), &value);
            let opened = Sealer::new(&keys, holder(tenant, 0)).open(other.as_bytes(), &sealed);
            prop_assert_eq!(opened.is_some(), tenant == 1 && name == other);
        }

        #[test]
        fn a_changed_byte_or_a_cut_spoils_it(
            value in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let keys = keys();
            let sealed = acme(&keys).seal(b"sid", &value);
            let at = at.index(sealed.len());
            prop_assert_eq!(acme(&keys).open(b"sid", &sealed[..at]), None);
            let mut changed = sealed.clone();
            changed[at] = byte;
            prop_assert_eq!(acme(&keys).open(b"sid", &changed).is_some(), changed == sealed);
        }
    }
}
