//! What goes wrong, and whose fault it is.

use ldap3::{LdapError, LdapResult};

/// Why a conversation has no answer.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// The server was not heard, or says that it cannot.
    Away(String),
    /// The settings are wrong, as far as the server is concerned: it is left alone as if it were away, so that the account
    /// that searches is not locked for trying too often.
    Refused(String),
    /// The settings are wrong for this person; others may sign in.
    ForThisPerson(String),
}

impl Fault {
    pub(super) fn slow(what: &str, limit: &str, millis: u64) -> Self {
        Self::Away(format!("{what} took longer than {millis} ms, which is {limit}"))
    }

    /// A result that is none of those which were provided for.
    pub(super) fn unexpected(what: &str, result: &LdapResult) -> Self {
        match result.rc {
            CONFIDENTIALITY_REQUIRED | STRONGER_AUTH_REQUIRED => {
                Self::Refused(format!("{what}: the server wants an encrypted connection; use starttls or ldaps://"))
            }
            REFERRAL => {
                Self::Refused(format!("{what}: the server refers to another one, and referrals are not followed"))
            }
            NO_SUCH_OBJECT => Self::Refused(format!("{what}: there is no such entry, or bind_dn may not see it")),
            INSUFFICIENT_ACCESS | OPERATIONS_ERROR => {
                Self::Refused(format!("{what}: bind_dn may not do that (result {})", result.rc))
            }
            code => Self::Away(format!("{what}: result {code}")),
        }
    }
}

/// The text of these names no credentials: it is about sockets, certificates and the protocol.
impl From<LdapError> for Fault {
    fn from(error: LdapError) -> Self {
        match error {
            LdapError::FilterParsing => Self::Refused("user_filter or group_filter is no filter".to_owned()),
            error => Self::Away(error.to_string()),
        }
    }
}

// Results of RFC 4511 §4.1.9.
pub(super) const SUCCESS: u32 = 0;
const OPERATIONS_ERROR: u32 = 1;
pub(super) const SIZE_LIMIT_EXCEEDED: u32 = 4;
const STRONGER_AUTH_REQUIRED: u32 = 8;
const REFERRAL: u32 = 10;
const CONFIDENTIALITY_REQUIRED: u32 = 13;
pub(super) const CONSTRAINT_VIOLATION: u32 = 19;
const NO_SUCH_OBJECT: u32 = 32;
pub(super) const INAPPROPRIATE_AUTHENTICATION: u32 = 48;
pub(super) const INVALID_CREDENTIALS: u32 = 49;
pub(super) const INSUFFICIENT_ACCESS: u32 = 50;
pub(super) const UNWILLING_TO_PERFORM: u32 = 53;
