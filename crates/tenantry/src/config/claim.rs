//! `[resolve.claim]`: the tenant's name in a signed token.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, de};

use super::value;

/// `[resolve.claim]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
#[non_exhaustive]
pub struct ClaimSection {
    /// The claim that has the tenant's name.
    pub claim: String,
    /// The algorithms that are accepted; all of them take the same kind of key.
    pub algorithms: Vec<TokenAlgorithm>,
    /// What the signature is checked with.
    #[serde(flatten)]
    pub keys: TokenKeys,
    /// The issuer that a token has to name.
    pub issuer: Option<String>,
    /// The audience that a token has to name.
    pub audience: Option<String>,
    /// The cookie that has the token, where it does not come in the `Authorization` header.
    pub cookie: Option<String>,
    /// How far clocks may be apart.
    #[serde(with = "value::duration")]
    pub leeway: Duration,
}

impl ClaimSection {
    /// A claim `tenant` in tokens of this algorithm, checked with these keys.
    pub fn new(algorithm: TokenAlgorithm, keys: TokenKeys) -> Self {
        Self {
            claim: "tenant".to_owned(),
            algorithms: vec![algorithm],
            keys,
            issuer: None,
            audience: None,
            cookie: None,
            leeway: LEEWAY,
        }
    }
}

/// How a token is signed (RFC 7518 §3.1, RFC 8037). `none` is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the RFCs")]
#[non_exhaustive]
pub enum TokenAlgorithm {
    ES256,
    ES384,
    EdDSA,
    HS256,
    HS384,
    HS512,
    PS256,
    PS384,
    PS512,
    RS256,
    RS384,
    RS512,
}

impl TokenAlgorithm {
    /// Its name in a token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
        }
    }

    /// Whether its key is a secret that is shared with the issuer.
    pub(crate) const fn takes_secret(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }

    /// The kind of key that it takes.
    pub(super) const fn family(self) -> &'static str {
        match self {
            Self::ES256 | Self::ES384 => "elliptic curve",
            Self::EdDSA => "Edwards curve",
            Self::HS256 | Self::HS384 | Self::HS512 => "secret",
            Self::PS256 | Self::PS384 | Self::PS512 | Self::RS256 | Self::RS384 | Self::RS512 => "RSA",
        }
    }
}

/// What signatures are checked with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TokenKeys {
    /// A file with a set of keys (RFC 7517 §5).
    Jwks(PathBuf),
    /// One key.
    Key(KeySource),
}

impl TokenKeys {
    pub(super) const fn path_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::Jwks(path) | Self::Key(KeySource::File(path)) => Some(path),
            Self::Key(KeySource::Env(_)) => None,
        }
    }
}

/// Where a key is. Never in the configuration itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum KeySource {
    /// In an environment variable.
    Env(String),
    /// In a file: PEM for a public key, the bytes themselves for a secret.
    File(PathBuf),
}

impl<'de> Deserialize<'de> for KeySource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// One of both keys.
        #[derive(Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[derive(Default)]
        struct Raw {
            env: Option<String>,
            file: Option<PathBuf>,
        }

        // The parser's own message would repeat a key that was written in place.
        const WRONG: &str = "a key is not written into the configuration: use { file = \"…\" } or { env = \"…\" }";
        match Raw::deserialize(deserializer).map_err(|_| de::Error::custom(WRONG))? {
            Raw { env: Some(name), file: None } => Ok(Self::Env(name)),
            Raw { env: None, file: Some(path) } => Ok(Self::File(path)),
            _ => Err(de::Error::custom(WRONG)),
        }
    }
}

/// The keys as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default = "claim")]
    claim: String,
    algorithms: Vec<TokenAlgorithm>,
    key: Option<KeySource>,
    jwks: Option<PathBuf>,
    issuer: Option<String>,
    audience: Option<String>,
    cookie: Option<String>,
    #[serde(default = "leeway", with = "value::duration")]
    leeway: Duration,
}

impl TryFrom<Raw> for ClaimSection {
    type Error = &'static str;

    fn try_from(raw: Raw) -> Result<Self, &'static str> {
        let Raw { claim, algorithms, key, jwks, issuer, audience, cookie, leeway } = raw;
        let keys = match (key, jwks) {
            (Some(key), None) => TokenKeys::Key(key),
            (None, Some(jwks)) => TokenKeys::Jwks(jwks),
            _ => return Err("a token is checked with a key or with jwks: one of them is needed"),
        };
        Ok(Self { claim, algorithms, keys, issuer, audience, cookie, leeway })
    }
}

fn claim() -> String {
    "tenant".to_owned()
}

const fn leeway() -> Duration {
    LEEWAY
}

const LEEWAY: Duration = Duration::from_secs(60);
