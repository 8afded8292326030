//! What can go wrong on the way to a server.

use ldap3::{LdapError, LdapResult};

/// What went wrong, before it is known whose server it is.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection is of no use any more, or never was.
    Broken(String),
    /// The server takes too long.
    Late(&'static str),
    /// It has failed before, and is left alone: this is why.
    LeftAlone(String),
    /// A setting is wrong, or the server does not like it.
    Misconfigured(String),
    /// Too many want something at once.
    Busy {
        /// The limit that says so.
        limit: &'static str,
        /// What it allows.
        max: u64,
    },
}

impl Failure {
    /// What the server answered, which is no success.
    pub(super) fn answered(what: &str, result: &LdapResult) -> Self {
        // The server's own text is left out: some repeat what they were sent.
        let text = format!("{what}: the server answered with the code {}", result.rc);
        if matches!(result.rc, BUSY | UNAVAILABLE | OTHER | OPERATIONS_ERROR | TIME_LIMIT | ADMIN_LIMIT) {
            Self::Broken(text)
        } else {
            Self::Misconfigured(text)
        }
    }

    /// What happened, in words.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Broken(reason) | Self::LeftAlone(reason) | Self::Misconfigured(reason) => reason.clone(),
            Self::Late(limit) => format!("it takes longer than {limit} allows"),
            Self::Busy { limit, max } => format!("{limit} allows {max}"),
        }
    }

    /// Whether the server is to be left alone for a while.
    pub(super) const fn is_down(&self) -> bool {
        matches!(self, Self::Broken(_) | Self::Late(_))
    }
}

impl From<LdapError> for Failure {
    fn from(error: LdapError) -> Self {
        match error {
            // These can have what was to be sent in them, passwords included.
            LdapError::OpSend { .. } | LdapError::ResultRecv { .. } | LdapError::IdScrubSend { .. } => {
                Self::Broken("the connection was closed".to_owned())
            }
            LdapError::EndOfStream => Self::Broken("the connection was closed".to_owned()),
            LdapError::FilterParsing => Self::Misconfigured("user_filter or group_filter is no filter".to_owned()),
            LdapError::Timeout { .. } => Self::Late("operation_timeout_ms"),
            LdapError::LdapResult { result } => Self::answered("StartTLS", &result),
            error => Self::Broken(error.to_string()),
        }
    }
}

// Codes of RFC 4511 §A.1.
const OPERATIONS_ERROR: u32 = 1;
const TIME_LIMIT: u32 = 3;
const ADMIN_LIMIT: u32 = 11;
const BUSY: u32 = 51;
const UNAVAILABLE: u32 = 52;
const OTHER: u32 = 80;
