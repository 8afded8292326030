//! What comes out of a master key: the key of one tenant for one purpose, and the name of the master key.

use std::fmt;

use zeroize::Zeroize;

/// What a derived key is for. Keys for different purposes have nothing in common.
///
/// ```
/// use tenantry_resource::Purpose;
///
/// const INVITATIONS: Purpose = Purpose::new("acme.example invitations");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Purpose(&'static str);

impl Purpose {
    /// Sealing the cookies of a tenant's application.
    pub const COOKIES: Self = Self::new("tenantry cookies");

    /// The purpose with this name. Choose one that nobody else does, and never change it.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The name as bytes.
    pub(super) const fn as_bytes(self) -> &'static [u8] {
        self.0.as_bytes()
    }
}

/// Who uses a key. Purposes are named by applications, and one name for two uses must not make one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Whoever asks the master keys for it.
    Any,
    /// The application, which signs by itself.
    Signing,
    /// Tokens.
    Tokens,
}

impl Use {
    pub(super) const fn label(self) -> &'static [u8; 6] {
        match self {
            Self::Any => b"tenant",
            Self::Signing => b"signer",
            Self::Tokens => b"tokens",
        }
    }
}

/// The public name of a master key: 8 characters of `A`–`Z`, `a`–`z`, `0`–`9`, `-` and `_`.
///
/// It goes with whatever was made, so that the key to check it with is found at once. It is derived from the key and
/// says nothing about it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; Self::LEN]);

impl KeyId {
    /// How many characters a name has.
    pub const LEN: usize = 8;

    /// The name of the key that gave these bytes: 6 bits of each make a character (RFC 4648 §5).
    pub(super) fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes.map(|byte| ALPHABET[usize::from(byte & 0x3f)]))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        // All characters come from the alphabet, so there always is a text.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The name as bytes, to compare with.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A secret of 32 bytes for one purpose and one tenant. It is wiped when it is dropped.
pub struct DerivedKey {
    id: KeyId,
    secret: [u8; Self::LEN],
}

impl DerivedKey {
    /// How many bytes a key has.
    pub const LEN: usize = 32;

    pub(super) const fn new(id: KeyId, secret: [u8; Self::LEN]) -> Self {
        Self { id, secret }
    }

    /// The master key that it comes from.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The secret itself. Do not copy it to where it outlives the key.
    pub const fn secret(&self) -> &[u8; Self::LEN] {
        &self.secret
    }
}

impl Drop for DerivedKey {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DerivedKey({})", self.id)
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
