//! The list of master keys: where it comes from, and what is derived from it.

use std::{fmt, path::Path, sync::Arc};

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hkdf::Hkdf;
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{DerivedKey, KeyFileError, KeyHolder, KeyId, Purpose, derived::Use, file};

/// The master keys of a deployment: the first one makes things, all of them recognise things.
///
/// A key is 32 random bytes, written in base64; `openssl rand -base64 32` prints one. Cloning is cheap: the keys are
/// shared.
///
/// ```
/// use tenantry_core::TenantId;
/// use tenantry_resource::{MasterKeys, Purpose};
///
/// let keys = MasterKeys::parse("3gHv1pdkzTTBfVmyS+0+hj1Ikc0hTpXqhZJqRUVYRqI=")?;
/// let acme = keys.current(Purpose::COOKIES, TenantId::new(1));
/// let globex = keys.current(Purpose::COOKIES, TenantId::new(2));
/// assert_ne!(acme.secret(), globex.secret());
/// # Ok::<(), tenantry_resource::MasterKeysError>(())
/// ```
#[derive(Clone)]
pub struct MasterKeys {
    first: MasterKey,
    rest: Arc<[MasterKey]>,
}

impl MasterKeys {
    /// Keys from a text such as the value of `TENANTRY_MASTER_KEY`: base64, separated by commas, the current one first.
    ///
    /// # Errors
    ///
    /// When there is no key, or when an entry is no key. The error tells which one, never what it says.
    pub fn parse(text: &str) -> Result<Self, MasterKeysError> {
        let entries = text.split(',').map(str::trim).enumerate();
        Self::from_entries(entries.filter(|(_, entry)| !entry.is_empty()).map(|(i, entry)| (i + 1, entry)))
    }

    /// One new key, for tests and for deployments that keep keys in a place of their own.
    ///
    /// # Errors
    ///
    /// When the operating system gives no random bytes.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut secret = Zeroizing::new([0; KEY_LEN]);
        fill(secret.as_mut_slice())?;
        Ok(Self { first: MasterKey::new(&secret), rest: Arc::default() })
    }

    /// Keys from a file: one in base64 per line, the current one first, `#` for comments. A file that is not there is
    /// created with one new key, readable by its owner only.
    ///
    /// A file that exists is never written to. Processes that start at the same time end with the same key.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or created, when others may read it, or when it is damaged.
    pub fn load_or_create(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        file::load_or_create(path.as_ref())
    }

    /// Puts a new key on top of a file, and returns what the file has then. From their next start on, processes make
    /// things with the new key and still recognise what the old ones made.
    ///
    /// Every process should know the new key before one of them uses it: where several run, restart them twice (once
    /// with the new key as the second line), or accept that for a moment some drop what others have made.
    ///
    /// # Errors
    ///
    /// As for [`MasterKeys::load_or_create`], and when there is no file.
    pub fn rotate_file(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        file::rotate(path.as_ref())
    }

    /// Keeps only the first key of a file, and returns what the file has then. What the other keys made is no longer
    /// recognised: sessions end, links expire.
    ///
    /// # Errors
    ///
    /// As for [`MasterKeys::rotate_file`].
    pub fn retire_file(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        file::retire(path.as_ref())
    }

    /// The names of the keys, the current one first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.all().map(|key| key.id)
    }

    /// The key to make things with.
    pub fn current(&self, purpose: Purpose, holder: impl Into<KeyHolder>) -> DerivedKey {
        self.derive_current(Use::Any, purpose, holder.into())
    }

    /// The keys to recognise things with, the current one first. Each is derived when it is asked for.
    pub fn derive<H: Into<KeyHolder>>(
        &self,
        purpose: Purpose,
        holder: H,
    ) -> impl Iterator<Item = DerivedKey> + use<'_, H> {
        self.derive_all(Use::Any, purpose, holder.into())
    }

    pub(super) fn derive_current(&self, used: Use, purpose: Purpose, holder: KeyHolder) -> DerivedKey {
        self.first.derive(used, purpose, holder)
    }

    pub(super) fn derive_all(
        &self,
        used: Use,
        purpose: Purpose,
        holder: KeyHolder,
    ) -> impl Iterator<Item = DerivedKey> {
        self.all().map(move |key| key.derive(used, purpose, holder))
    }

    fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.first).chain(self.rest.iter())
    }

    /// Keys from numbered entries; the number is what an error names.
    pub(super) fn from_entries<'a>(
        entries: impl IntoIterator<Item = (usize, &'a str)>,
    ) -> Result<Self, MasterKeysError> {
        let mut keys = entries.into_iter().map(|(entry, text)| read_key(entry, text));
        let first = keys.next().ok_or(MasterKeysError::Empty)??;
        Ok(Self { first, rest: keys.collect::<Result<_, _>>()? })
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MasterKeys").field(&self.ids().collect::<Vec<_>>()).finish()
    }
}

/// A text or a file holds something else than master keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MasterKeysError {
    /// There is no key.
    #[error("there is no key; `openssl rand -base64 32` prints one")]
    Empty,
    /// The key has another length.
    #[error("entry {entry} has {len} bytes, and a key has {KEY_LEN}")]
    Length {
        /// Which entry of the list, or which line of the file.
        entry: usize,
        /// How many bytes it has.
        len: usize,
    },
    /// The text is not base64.
    #[error("entry {entry} is not base64")]
    NotBase64 {
        /// Which entry of the list, or which line of the file.
        entry: usize,
    },
    /// The key is one byte over and over: a placeholder that nobody replaced.
    #[error("entry {entry} is a placeholder; `openssl rand -base64 32` prints a key")]
    Placeholder {
        /// Which entry of the list, or which line of the file.
        entry: usize,
    },
}

/// The operating system gives no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the operating system gives no random bytes")]
pub struct NoRandomness(#[source] getrandom::Error);

/// One new key as it stands in a file.
pub(super) fn new_key_text() -> Result<Zeroizing<String>, NoRandomness> {
    let mut secret = Zeroizing::new([0; KEY_LEN]);
    fill(secret.as_mut_slice())?;
    Ok(Zeroizing::new(BASE64.encode(secret.as_slice())))
}

#[derive(Clone)]
struct MasterKey {
    id: KeyId,
    /// The key after HKDF-Extract (RFC 5869 §2.2), so that deriving is left with HKDF-Expand.
    expand: Hkdf<Sha256>,
}

impl MasterKey {
    fn new(secret: &[u8; KEY_LEN]) -> Self {
        let expand = Hkdf::new(Some(SALT), secret);
        let mut id = [0; KeyId::LEN];
        expand_into(&expand, &[b"key id"], &mut id);
        Self { id: KeyId::new(id), expand }
    }

    /// Derives with `info` (RFC 5869 §3.2) of parts that have fixed lengths and the purpose at the end, so that no two keys
    /// are told the same bytes.
    fn derive(&self, used: Use, purpose: Purpose, holder: KeyHolder) -> DerivedKey {
        let (kind, tenant, epoch) = holder.info();
        let epoch = epoch.as_ref().map_or(&[][..], |epoch| epoch);
        let mut secret = Zeroizing::new([0; DerivedKey::LEN]);
        let info = [kind, used.label(), &tenant, epoch, purpose.as_bytes()];
        expand_into(&self.expand, &info, secret.as_mut_slice());
        DerivedKey::new(self.id, *secret)
    }
}

#[expect(clippy::expect_used, reason = "HKDF-SHA256 gives up to 255 times 32 bytes, and nobody asks for more than 32")]
fn expand_into(expand: &Hkdf<Sha256>, info: &[&[u8]], out: &mut [u8]) {
    expand.expand_multi_info(info, out).expect("at most 32 bytes");
}

fn read_key(entry: usize, text: &str) -> Result<MasterKey, MasterKeysError> {
    let bytes = Zeroizing::new(BASE64.decode(text).map_err(|_| MasterKeysError::NotBase64 { entry })?);
    let secret: &[u8; KEY_LEN] =
        bytes.as_slice().try_into().map_err(|_| MasterKeysError::Length { entry, len: bytes.len() })?;
    if secret.iter().all(|byte| *byte == secret[0]) {
        return Err(MasterKeysError::Placeholder { entry });
    }
    Ok(MasterKey::new(secret))
}

/// Random bytes of the operating system.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    getrandom::fill(bytes).map_err(NoRandomness)
}

const KEY_LEN: usize = 32;
/// Any fixed text does (RFC 5869 §3.1); this one keeps our keys apart from another program's with the same secret.
const SALT: &[u8] = b"tenantry master key 1";
/// What `openssl rand -base64` prints; people lose the `=` at the end, so it may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tenantry_core::{Tenant, TenantId};

    use super::*;

    const KEY_A: &str = "3gHv1pdkzTTBfVmyS+0+hj1Ikc0hTpXqhZJqRUVYRqI=";
    const KEY_B: &str = "bA9AqZ1fI8lpbv0iP3CwF0OQy2yHmvO3d0rTj5JvJ9k=";

    #[test]
    fn reads_a_list_of_keys_or_names_the_entry_that_is_none() {
        let count = |text: &str| MasterKeys::parse(text).map(|keys| keys.ids().count());
        assert_eq!(count(KEY_A), Ok(1));
        assert_eq!(count(&format!(" {KEY_A} , {KEY_B},")), Ok(2));
        assert_eq!(count(KEY_A.trim_end_matches('=')), Ok(1));
        assert_eq!(count(""), Err(MasterKeysError::Empty));
        assert_eq!(count(" , "), Err(MasterKeysError::Empty));
        assert_eq!(count(&format!("{KEY_A},hunter2!")), Err(MasterKeysError::NotBase64 { entry: 2 }));
        assert_eq!(count("AAAA"), Err(MasterKeysError::Length { entry: 1, len: 3 }));
        assert_eq!(count(&"A".repeat(43)), Err(MasterKeysError::Placeholder { entry: 1 }));
    }

    #[test]
    fn every_key_purpose_and_tenant_has_a_secret_of_its_own() {
        let mut secrets = HashSet::new();
        for keys in [MasterKeys::parse(KEY_A).unwrap(), MasterKeys::parse(KEY_B).unwrap()] {
            for purpose in [Purpose::COOKIES, Purpose::new("x"), Purpose::new("")] {
                for tenant in [-1, 0, 1, i64::from(b'x'), i64::from(b'x') << 8, i64::MIN, i64::MAX] {
                    let (once, twice) = (keys.current(purpose, TenantId::new(tenant)), keys.clone());
                    assert_eq!(once.secret(), twice.current(purpose, TenantId::new(tenant)).secret());
                    assert!(secrets.insert(*once.secret()), "{purpose:?} {tenant}");
                }
            }
        }
    }

    #[test]
    fn an_epoch_has_keys_of_its_own() {
        let keys = MasterKeys::parse(KEY_A).unwrap();
        let mut secrets = HashSet::new();
        let mut tenant = Tenant::new(TenantId::new(1), "acme".parse().unwrap());
        for purpose in [Purpose::COOKIES, Purpose::new(""), Purpose::new("\0\0\0\0")] {
            assert!(secrets.insert(*keys.current(purpose, tenant.id).secret()));
            for (epoch, used) in [0, 1, 2, u32::MAX].into_iter().flat_map(|epoch| USES.map(|used| (epoch, used))) {
                tenant.epoch = epoch;
                let key = keys.derive_current(used, purpose, KeyHolder::from(&tenant));
                assert!(secrets.insert(*key.secret()), "{purpose:?} {used:?} {epoch}");
            }
        }
    }

    #[test]
    fn derives_what_rfc_5869_says() {
        // Computed with another implementation: extract with the salt, expand with "tenant", the id and the purpose.
        let key = MasterKeys::parse(KEY_A).unwrap().current(Purpose::COOKIES, TenantId::new(1));
        assert_eq!(
            base64::engine::general_purpose::STANDARD.encode(key.secret()),
            "wyBTv9RJVuLXUJtJ583TorjhTPqywqGRozJP31PTe90="
        );
    }

    #[test]
    fn the_first_key_makes_and_all_recognise() {
        let (old, both) = (MasterKeys::parse(KEY_B).unwrap(), MasterKeys::parse(&format!("{KEY_A},{KEY_B}")).unwrap());
        let secrets = |keys: &MasterKeys| -> Vec<_> {
            keys.derive(Purpose::COOKIES, TenantId::new(7)).map(|key| (key.id(), *key.secret())).collect()
        };
        assert_eq!(secrets(&both)[1], secrets(&old)[0]);
        assert_eq!(both.current(Purpose::COOKIES, TenantId::new(7)).id(), both.ids().next().unwrap());
    }

    const USES: [Use; 3] = [Use::Any, Use::Signing, Use::Tokens];

    #[test]
    fn debug_shows_names_and_no_secrets() {
        let keys = MasterKeys::generate().unwrap();
        let shown = format!("{keys:?} {:?}", keys.current(Purpose::COOKIES, TenantId::new(1)));
        let id = keys.ids().next().unwrap();
        assert_eq!(shown, format!("MasterKeys([KeyId({id})]) DerivedKey({id})"));
        assert!(id.as_str().len() == KeyId::LEN && id.as_bytes().iter().all(u8::is_ascii_graphic));
    }
}
