//! A signed token names the tenant.

use std::{collections::HashMap, fmt, time::Duration};

use http::{HeaderMap, header::AUTHORIZATION, request::Parts};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, Validation, crypto::rust_crypto, decode, decode_header, jwk::JwkSet,
};
use serde_json::{Map, Value};
use tenantry_core::{Candidate, Malformed, Resolution, Resolver};
use thiserror::Error;

use crate::cookie;

/// Reads the tenant from a claim of a signed token (JWT, RFC 7519): of the `Authorization: Bearer` header, and of a
/// cookie.
///
/// 1. The key decides which algorithms are believed, the token does not.
/// 2. A token must have an expiry, and issuer and audience where they are asked for.
/// 3. A token that is there and does not verify is refused with 401.
/// 4. Header and cookie are both read, and must name the same tenant: the application may prefer either.
/// 5. Where the application might read something else than this does, the request is refused with 401: with two
///    `Authorization` headers, two cookies of the name, or a cookie that is neither empty nor plainly a token. Only a
///    bearer that plainly is something else than a JWT is ignored, as somebody else's.
///
/// The application still checks its tokens by itself; this resolver only makes sure that one issued for a tenant is of
/// no use with another.
pub struct Claim {
    name: String,
    keys: ClaimKeys,
    cookie: Option<String>,
    validation: Validation,
}

impl Claim {
    /// Reads the claim `name` of tokens that are signed with one of `keys`.
    pub fn new(name: impl Into<String>, keys: ClaimKeys) -> Self {
        // Where an application switches on the token crate's other provider too, it panics unless it is told which to
        // use. One that the application has chosen stays.
        rust_crypto::DEFAULT_PROVIDER.install_default().ok();
        let validation = Validation { leeway: DEFAULT_LEEWAY.as_secs(), validate_nbf: true, ..Validation::default() };
        Self { name: name.into(), keys, cookie: None, validation }
    }

    /// Reads the token from this cookie as well. It must be one that is not sealed, since it is read before anybody knows
    /// the tenant, and one that is used for nothing else.
    #[must_use]
    pub fn cookie(mut self, name: impl Into<String>) -> Self {
        self.cookie = Some(name.into());
        self
    }

    /// Believes tokens of this issuer only.
    #[must_use]
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.validation.set_issuer(&[issuer]);
        self.validation.required_spec_claims.insert("iss".to_owned());
        self
    }

    /// Believes tokens for this audience only. Without this, tokens that name an audience are refused.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        self.validation.set_audience(&[audience]);
        self.validation.required_spec_claims.insert("aud".to_owned());
        self
    }

    /// How far clocks may be apart. Default 30 seconds.
    #[must_use]
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.validation.leeway = leeway.as_secs();
        self
    }

    fn read(&self, token: &str) -> Result<Candidate, Malformed> {
        // The reasons are for the client, who sent the token; none of them repeats it.
        let invalid = |_| Malformed::token("it is expired, or not signed by a known key, or not for this service");
        let header = decode_header(token).map_err(invalid)?;
        let key = self.keys.find(header.kid.as_deref());
        let key = key.ok_or_else(|| Malformed::token("it is signed by an unknown key"))?;
        let mut validation = self.validation.clone();
        validation.algorithms.clone_from(&key.algorithms);
        let claims = decode::<Map<String, Value>>(token, &key.key, &validation).map_err(invalid)?.claims;
        let slug = claims.get(&self.name).and_then(Value::as_str).and_then(|name| name.parse().ok());
        slug.map(Candidate::new).ok_or_else(|| Malformed::token("it does not name a tenant"))
    }
}

impl Resolver for Claim {
    fn resolve(&self, request: &Parts) -> Resolution {
        let tokens = bearer(&request.headers).and_then(|bearer| {
            let cookie = self.cookie.as_deref().map(|name| cookie_token(&request.headers, name));
            Ok([bearer, cookie.transpose()?.flatten()])
        });
        let candidates = tokens.and_then(|tokens| {
            tokens.into_iter().flatten().map(|token| self.read(token)).collect::<Result<Vec<_>, _>>()
        });
        match candidates {
            Ok(candidates) => {
                candidates.into_iter().reduce(Candidate::and).map_or(Resolution::NotMine, Resolution::Candidate)
            }
            Err(malformed) => Resolution::Malformed(malformed),
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("name", &self.name).field("cookie", &self.cookie).finish_non_exhaustive()
    }
}

/// The keys that tokens may be signed with.
#[derive(Clone)]
pub struct ClaimKeys {
    by_id: HashMap<String, Key>,
    /// For tokens that do not name a key.
    only: Option<Key>,
}

#[derive(Clone)]
struct Key {
    key: DecodingKey,
    algorithms: Vec<Algorithm>,
}

impl ClaimKeys {
    /// A secret that is shared with the issuer, for HS256, HS384 and HS512. At least 32 bytes (RFC 7518 §3.2).
    ///
    /// # Errors
    ///
    /// [`ClaimKeysError`] when the secret is too short.
    pub fn from_secret(secret: &[u8]) -> Result<Self, ClaimKeysError> {
        if secret.len() < SECRET_LEN_MIN {
            return Err(ClaimKeysError::ShortSecret { len: secret.len() });
        }
        Ok(Self::only(DecodingKey::from_secret(secret), AlgorithmFamily::Hmac.algorithms().to_vec()))
    }

    /// A public key as PEM: RSA, elliptic curve (P-256, P-384) or Ed25519.
    ///
    /// # Errors
    ///
    /// [`ClaimKeysError`] when it is none of these.
    pub fn from_pem(pem: &[u8]) -> Result<Self, ClaimKeysError> {
        let rsa = DecodingKey::from_rsa_pem(pem).map(|key| (key, AlgorithmFamily::Rsa));
        let ec = || DecodingKey::from_ec_pem(pem).map(|key| (key, AlgorithmFamily::Ec));
        let ed = || DecodingKey::from_ed_pem(pem).map(|key| (key, AlgorithmFamily::Ed));
        let (key, family) = rsa.or_else(|_| ec()).or_else(|_| ed()).map_err(|_| ClaimKeysError::Pem)?;
        Ok(Self::only(key, family.algorithms().to_vec()))
    }

    /// A key set as JSON (JWKS, RFC 7517 §5). Every key must have a `kid`; keys that are not for signing are left out.
    ///
    /// # Errors
    ///
    /// [`ClaimKeysError`] when it is no key set, or has no key that can be used.
    pub fn from_jwks(json: &[u8]) -> Result<Self, ClaimKeysError> {
        let set: JwkSet = serde_json::from_slice(json).map_err(ClaimKeysError::Jwks)?;
        let usable = set.keys.iter().filter_map(|jwk| {
            let id = jwk.common.key_id.clone()?;
            let key = DecodingKey::from_jwk(jwk).ok()?;
            let algorithms = match jwk.common.key_algorithm {
                Some(named) => vec![named.to_string().parse().ok()?],
                None => key.family().algorithms().to_vec(),
            };
            Some((id, Key { key, algorithms }))
        });
        let by_id: HashMap<_, _> = usable.collect();
        if by_id.is_empty() { Err(ClaimKeysError::NoUsableKey) } else { Ok(Self { by_id, only: None }) }
    }

    /// Believes these algorithms only, of those that the keys allow: `RS256`, `ES256`, `EdDSA` and so on (RFC 7518 §3.1).
    ///
    /// # Errors
    ///
    /// [`ClaimKeysError::Algorithms`] when a name is unknown, or when a key is left with none.
    pub fn only_algorithms<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Result<Self, ClaimKeysError> {
        let named: Result<Vec<Algorithm>, _> = names.into_iter().map(str::parse).collect();
        let named = named.map_err(|_| ClaimKeysError::Algorithms)?;
        for key in self.only.iter_mut().chain(self.by_id.values_mut()) {
            key.algorithms.retain(|algorithm| named.contains(algorithm));
            if key.algorithms.is_empty() {
                return Err(ClaimKeysError::Algorithms);
            }
        }
        Ok(self)
    }

    fn only(key: DecodingKey, algorithms: Vec<Algorithm>) -> Self {
        Self { by_id: HashMap::new(), only: Some(Key { key, algorithms }) }
    }

    fn find(&self, id: Option<&str>) -> Option<&Key> {
        self.only.as_ref().or_else(|| self.by_id.get(id?))
    }
}

impl fmt::Debug for ClaimKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimKeys").field("ids", &self.by_id.keys()).finish_non_exhaustive()
    }
}

/// Why keys for tokens cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClaimKeysError {
    /// An algorithm is unknown, or a key cannot be used with any that is listed.
    #[error("the algorithms listed and the keys do not go together")]
    Algorithms,
    /// The text is no key set.
    #[error("this is no JSON Web Key Set")]
    Jwks(#[source] serde_json::Error),
    /// The key set has no key for signatures with a `kid`.
    #[error("the key set has no key with a kid that signatures can be checked with")]
    NoUsableKey,
    /// The text is no public key.
    #[error("this is no RSA, EC or Ed25519 public key in PEM")]
    Pem,
    /// The secret is shorter than 32 bytes.
    #[error("a shared secret has at least {SECRET_LEN_MIN} bytes, and this one has {len}")]
    ShortSecret {
        /// Its length in bytes.
        len: usize,
    },
}

const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);
const SECRET_LEN_MIN: usize = 32;

/// The token of the `Authorization` header; nothing when there is none, or one that is no JWT.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Malformed> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.as_bytes().trim_ascii(),
        (Some(_), Some(_)) => return Err(Malformed::token("there is more than one `Authorization` header")),
    };
    let scheme_len = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
    let (scheme, token) = value.split_at(scheme_len);
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Ok(None);
    }
    let token = plain(token.trim_ascii()).ok_or_else(|| Malformed::token("it is not plainly a token"))?;
    Ok(looks_like_jwt(token).then_some(token))
}

/// The token of the cookie; nothing when there is none, or an empty one.
fn cookie_token<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Malformed> {
    let mut values = cookie::pairs(headers).filter(|pair| pair.name == name.as_bytes()).map(|pair| pair.value);
    let value = match (values.next(), values.next()) {
        (None | Some(b""), None) => return Ok(None),
        (Some(value), None) => value,
        _ => return Err(Malformed::token("there is more than one cookie for it")),
    };
    let token = plain(value).filter(|token| looks_like_jwt(token));
    token.map(Some).ok_or_else(|| Malformed::token("the cookie is not plainly a token"))
}

/// The text, if it has only characters of a token (`b64token`, RFC 6750 §2.1).
fn plain(text: &[u8]) -> Option<&str> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    text.iter().all(is_plain).then(|| str::from_utf8(text).ok()).flatten()
}

/// Three parts, the first of which is a JSON object: `{"` is `eyJ` in base64.
fn looks_like_jwt(token: &str) -> bool {
    token.starts_with("eyJ") && token.bytes().filter(|&b| b == b'.').count() == 2
}
