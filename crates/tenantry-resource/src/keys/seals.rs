//! Seals: what shows that a value was made with a tenant's key, and for what.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{DerivedKey, KeyId};

/// The keys of one tenant for one purpose, ready to seal values and to recognise seals.
///
/// A seal is the id of the master key + `.` + half of an HMAC-SHA256 (RFC 2104) in base64: 31 characters that can stand
/// in a cookie or a URL. It is made over a value and a name that the value goes under, so it is good for no other name.
pub struct Seals {
    current: (KeyId, Hmac<Sha256>),
    /// All that a value may have been sealed with, the current one among them.
    known: Vec<(KeyId, Hmac<Sha256>)>,
}

impl Seals {
    /// How many bytes a seal has.
    pub const LEN: usize = KeyId::LEN + 1 + SEAL_TEXT_LEN;

    /// Seals with `current`, and recognises what any of `known` has sealed.
    pub fn new(current: &DerivedKey, known: impl IntoIterator<Item = DerivedKey>) -> Self {
        Self { current: keyed(current), known: known.into_iter().map(|key| keyed(&key)).collect() }
    }

    /// The seal of `value` under `name`.
    pub fn seal(&self, name: &[u8], value: &[u8]) -> [u8; Self::LEN] {
        let (id, key) = &self.current;
        let hash = mac(key, name, value).finalize().into_bytes();
        let text = URL_SAFE_NO_PAD.encode(&hash[..SEAL_LEN]);
        let mut seal = [b'.'; Self::LEN];
        seal[..KeyId::LEN].copy_from_slice(id.as_bytes());
        seal[KeyId::LEN + 1..].copy_from_slice(text.as_bytes());
        seal
    }

    /// Whether `seal` is the seal of `value` under `name`. It takes as long for one that is nearly right.
    pub fn is_seal(&self, seal: &[u8], name: &[u8], value: &[u8]) -> bool {
        let Some((id, text)) = seal.split_at_checked(KeyId::LEN) else { return false };
        let Some(text) = text.strip_prefix(b".").filter(|text| text.len() == SEAL_TEXT_LEN) else { return false };
        let Some((_, key)) = self.known.iter().find(|(known, _)| known.as_bytes() == id) else { return false };
        let mut hash = [0; SEAL_LEN];
        let whole = URL_SAFE_NO_PAD.decode_slice(text, &mut hash) == Ok(SEAL_LEN);
        // Compares in constant time.
        whole && mac(key, name, value).verify_truncated_left(&hash).is_ok()
    }
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Seals").field(&self.current.0).finish()
    }
}

/// The HMAC of name and value. The name's length comes first, so that no two pairs of name and value look alike.
fn mac(key: &Hmac<Sha256>, name: &[u8], value: &[u8]) -> Hmac<Sha256> {
    let mut mac = key.clone();
    mac.update(&u64::try_from(name.len()).unwrap_or(u64::MAX).to_be_bytes());
    mac.update(name);
    mac.update(value);
    mac
}

fn keyed(key: &DerivedKey) -> (KeyId, Hmac<Sha256>) {
    // The secret filled up with zeros to a block, as HMAC does itself (RFC 2104 §2): a type that cannot be too long.
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    block[..DerivedKey::LEN].copy_from_slice(key.secret());
    (key.id(), Hmac::<Sha256>::new(&block))
}

/// Half of the hash, the least that RFC 2104 §5 recommends: 128 bits cannot be guessed.
const SEAL_LEN: usize = 16;
const SEAL_TEXT_LEN: usize = 22;
