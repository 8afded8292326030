//! Sessions, kept in a signed cookie, and the form tokens that belong to them.

use anyhow::Context;
use argon2::password_hash::rand_core::{OsRng, RngCore};
use axum_extra::extract::SignedCookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::config::Secret;
use crate::models::user::Account;

const COOKIE: &str = "notes_session";
const LIFETIME: TimeDelta = TimeDelta::days(14);

/// Who is visiting since when. Visitors without an account have a session too,
/// so that the forms to sign up and to sign in are protected like all others.
///
/// The session of an account ends when its password becomes another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) user_id: Option<i64>,
    /// Tells the password that the account had from others.
    password: u64,
    issued: i64,
    nonce: u64,
}

impl Session {
    pub(crate) fn of_stranger() -> Self {
        Self::new(None, 0)
    }

    pub(crate) fn of(account: &Account) -> Self {
        Self::new(Some(account.user.id), digest(&account.password_hash))
    }

    fn new(user_id: Option<i64>, password: u64) -> Self {
        Self { user_id, password, issued: Utc::now().timestamp(), nonce: OsRng.next_u64() }
    }

    /// Whether the account is the same, and has the password that it had.
    pub(crate) fn is_of(&self, account: &Account) -> bool {
        self.user_id == Some(account.user.id) && self.password == digest(&account.password_hash)
    }

    /// The session in the visitor's cookies, unless there is none, its
    /// signature is wrong or it is too old.
    pub(crate) fn read(jar: &SignedCookieJar) -> Option<Self> {
        let session = Self::parse(jar.get(COOKIE)?.value())?;
        let issued = DateTime::from_timestamp(session.issued, 0)?;
        (Utc::now() - issued < LIFETIME).then_some(session)
    }

    pub(crate) fn write(&self, jar: SignedCookieJar) -> SignedCookieJar {
        let cookie = Cookie::build((COOKIE, self.value())).path("/").http_only(true).same_site(SameSite::Lax);
        jar.add(cookie)
    }

    pub(crate) fn erase(jar: SignedCookieJar) -> SignedCookieJar {
        jar.remove(Cookie::build(COOKIE).path("/"))
    }

    fn value(&self) -> String {
        // No account has the number zero.
        let user_id = self.user_id.unwrap_or(0);
        format!("{user_id}.{:016x}.{}.{:016x}", self.password, self.issued, self.nonce)
    }

    fn parse(value: &str) -> Option<Self> {
        let mut parts = value.split('.');
        let user_id = parts.next()?.parse().ok()?;
        let password = u64::from_str_radix(parts.next()?, 16).ok()?;
        let issued = parts.next()?.parse().ok()?;
        let nonce = u64::from_str_radix(parts.next()?, 16).ok()?;
        let user_id = (user_id != 0).then_some(user_id);
        parts.next().is_none().then_some(Self { user_id, password, issued, nonce })
    }
}

/// Some bits of a digest of a hash, which tell nothing of the password: a cookie
/// can be read by whoever has it.
fn digest(password_hash: &str) -> u64 {
    let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = Sha256::digest(password_hash).into();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Makes and checks the tokens that prove a form came from our own page.
#[derive(Clone)]
pub(crate) struct Tokens(Hmac<Sha256>);

impl Tokens {
    pub(crate) fn new(secret: &Secret) -> anyhow::Result<Self> {
        let mac = Hmac::new_from_slice(secret.as_bytes()).context("cannot sign form tokens")?;
        Ok(Self(mac))
    }

    /// The token for the forms shown in a session.
    pub(crate) fn issue(&self, session: &Session) -> String {
        let tag = self.mac(session).finalize().into_bytes();
        tag.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn is_valid(&self, session: &Session, token: &str) -> bool {
        decode_hex(token).is_some_and(|tag| self.mac(session).verify_slice(&tag).is_ok())
    }

    fn mac(&self, session: &Session) -> Hmac<Sha256> {
        self.0.clone().chain_update("form token for session ").chain_update(session.value())
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::user::User;

    #[test]
    fn a_session_survives_its_cookie() {
        for session in [Session::of_stranger(), Session::of(&account(7, "hash"))] {
            assert_eq!(Session::parse(&session.value()), Some(session));
        }
        for broken in ["", "7", "7.1", "7.1.1", "7.1.1.x", "7.x.1.1", "7.1.1.00.9"] {
            assert_eq!(Session::parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_session_ends_with_the_password() {
        let session = Session::of(&account(7, "hash"));
        assert!(session.is_of(&account(7, "hash")));
        for other in [account(7, "another"), account(7, ""), account(8, "hash")] {
            assert!(!session.is_of(&other), "{other:?}");
        }
        assert!(!Session::of_stranger().is_of(&account(0, "")));
        assert!(!session.value().contains("hash"));
    }

    #[test]
    fn a_token_belongs_to_one_session() {
        let tokens = Tokens::new(&Secret::random()).unwrap();
        let session = Session::of(&account(7, "hash"));
        let token = tokens.issue(&session);
        assert!(tokens.is_valid(&session, &token));
        assert!(!tokens.is_valid(&Session::of(&account(7, "hash")), &token));
        assert!(!tokens.is_valid(&session, ""));
        assert!(!tokens.is_valid(&session, &token[1..]));
    }

    fn account(id: i64, password_hash: &str) -> Account {
        let (email, name) = (String::new(), String::new());
        let user = User { id, email, name, is_admin: false, created_at: DateTime::UNIX_EPOCH };
        Account { user, password_hash: password_hash.to_owned() }
    }
}
