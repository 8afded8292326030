//! Connecting, binding, searching, each in bounded time.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchEntry, SearchOptions,
    adapters::EntriesOnly,
};
use rustls::ClientConfig;

use super::{
    fault::{
        CONSTRAINT_VIOLATION, Fault, INAPPROPRIATE_AUTHENTICATION, INSUFFICIENT_ACCESS, INVALID_CREDENTIALS,
        SIZE_LIMIT_EXCEEDED, SUCCESS, UNWILLING_TO_PERFORM,
    },
    target::Target,
};
use crate::directory::settings::DirectorySettings;

/// A connection to a server. Dropping it closes it.
pub(super) struct Connection {
    ldap: Ldap,
    /// Whether it is bound as the account that searches.
    bound: bool,
}

/// A connection that is bound as the account that searches.
pub(super) struct Searcher<'a> {
    ldap: &'a mut Ldap,
    settings: &'a DirectorySettings,
}

/// What a search found.
pub(super) struct Found {
    pub(super) entries: Vec<SearchEntry>,
    /// Whether there are more than were asked for.
    pub(super) more: bool,
}

impl Connection {
    /// A new connection, encrypted if that is wanted. Nothing has been said on it.
    #[expect(clippy::disallowed_methods, reason = "it moves bytes, for one tenant's server")]
    pub(super) async fn open(
        target: &Target,
        encryption: Option<Arc<ClientConfig>>,
        settings: &DirectorySettings,
    ) -> Result<Self, Fault> {
        let connect_timeout = Duration::from_millis(settings.connect_timeout_ms);
        let mut how = LdapConnSettings::new().set_starttls(target.starttls);
        if let Some(encryption) = encryption {
            how = how.set_config(encryption);
        }
        let opening = LdapConnAsync::from_url_with_settings(how, &target.url);
        let opened = tokio::time::timeout(connect_timeout, opening).await;
        let (connection, ldap) =
            opened.map_err(|_| Fault::slow("connecting", "connect_timeout_ms", settings.connect_timeout_ms))??;
        tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a connection to a directory ended");
            }
        });
        Ok(Self { ldap, bound: false })
    }

    pub(super) fn is_closed(&mut self) -> bool {
        self.ldap.is_closed()
    }

    /// Binds as the account that searches, if it is not bound so.
    pub(super) async fn searcher<'a>(&'a mut self, settings: &'a DirectorySettings) -> Result<Searcher<'a>, Fault> {
        if !self.bound {
            let (dn, password) = (&settings.bind_dn, settings.bind_password.expose());
            let result = in_time(settings, "binding as bind_dn", self.ldap.simple_bind(dn, password)).await?;
            match result.rc {
                SUCCESS => self.bound = true,
                INVALID_CREDENTIALS => {
                    return Err(Fault::Refused("the server refuses bind_dn with bind_password".to_owned()));
                }
                _ => return Err(Fault::unexpected("binding as bind_dn", &result)),
            }
        }
        Ok(Searcher { ldap: &mut self.ldap, settings })
    }

    /// Binds as somebody, and says whether the password is right. Whoever it was, they are nobody's from now on.
    pub(super) async fn is_password(
        &mut self,
        settings: &DirectorySettings,
        dn: &str,
        password: &str,
    ) -> Result<bool, Fault> {
        self.bound = false;
        // Such a bind succeeds, as nobody (RFC 4513 §5.1.2).
        if dn.is_empty() || password.is_empty() {
            return Ok(false);
        }
        let result = in_time(settings, "checking a password", self.ldap.simple_bind(dn, password)).await?;
        match result.rc {
            SUCCESS => Ok(true),
            // Some servers say so of accounts that are locked, or that have no password.
            INVALID_CREDENTIALS
            | INAPPROPRIATE_AUTHENTICATION
            | INSUFFICIENT_ACCESS
            | UNWILLING_TO_PERFORM
            | CONSTRAINT_VIOLATION => Ok(false),
            _ => Err(Fault::unexpected("checking a password", &result)),
        }
    }
}

impl Searcher<'_> {
    /// At most `limit` entries below `base`. References to other servers are not followed.
    pub(super) async fn search(
        &mut self,
        base: &str,
        filter: &str,
        attributes: &[&str],
        limit: u32,
    ) -> Result<Found, Fault> {
        let Self { ldap, settings } = self;
        let what = format!("searching {base}");
        let (entries, result) = in_time(settings, &what, entries(ldap, base, filter, attributes, limit)).await?;
        match result {
            None => Ok(Found { entries, more: true }),
            Some(result) if result.rc == SUCCESS => Ok(Found { entries, more: false }),
            Some(result) if result.rc == SIZE_LIMIT_EXCEEDED => Ok(Found { entries, more: true }),
            Some(result) => Err(Fault::unexpected(&what, &result)),
        }
    }
}

/// Entries one by one, since not every server minds the limit. Without a result, there are more.
async fn entries(
    ldap: &mut Ldap,
    base: &str,
    filter: &str,
    attributes: &[&str],
    limit: u32,
) -> Result<(Vec<SearchEntry>, Option<LdapResult>), LdapError> {
    let options = SearchOptions::new().sizelimit(i32::try_from(limit).unwrap_or(i32::MAX));
    ldap.with_search_options(options);
    let attributes: Vec<_> = attributes.iter().map(|&name| name.to_owned()).collect();
    let mut stream = ldap.streaming_search_with(EntriesOnly::new(), base, Scope::Subtree, filter, attributes).await?;
    let (mut entries, limit) = (Vec::new(), usize::try_from(limit).unwrap_or(usize::MAX));
    while let Some(entry) = stream.next().await? {
        if entries.len() >= limit {
            return Ok((entries, None));
        }
        entries.push(SearchEntry::construct(entry));
    }
    Ok((entries, Some(stream.finish().await)))
}

async fn in_time<T>(
    settings: &DirectorySettings,
    what: &str,
    operation: impl Future<Output = Result<T, LdapError>>,
) -> Result<T, Fault> {
    let millis = settings.operation_timeout_ms;
    let done = tokio::time::timeout(Duration::from_millis(millis), operation).await;
    Ok(done.map_err(|_| Fault::slow(what, "operation_timeout_ms", millis))??)
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("bound", &self.bound).finish_non_exhaustive()
    }
}
