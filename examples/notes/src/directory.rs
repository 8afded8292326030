//! The directory: people who may sign in without having signed up.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, Scope, SearchEntry, SearchOptions, ldap_escape};
use url::{Host, Url};

use crate::config::Ldap as Config;

/// The server that is asked, if there is one.
pub(crate) type Directory = Option<Arc<Server>>;

/// Somebody whom the directory knows.
pub(crate) struct Person {
    pub(crate) mail: String,
    pub(crate) name: String,
}

/// How long somebody waits for the server at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a server says, in numbers (RFC 4511, appendix A).
const SUCCESS: u32 = 0;
const SIZE_LIMIT_EXCEEDED: u32 = 4;
/// A password that is wrong, of nobody, or of somebody who may not use it.
const WRONG: [u32; 6] = [19, 32, 48, 49, 50, 53];

/// The directory that the configuration names. Nothing is said to it yet.
pub(crate) fn open(config: &Config) -> anyhow::Result<Directory> {
    if config.url.is_empty() {
        return Ok(None);
    }
    let url: Url = config.url.parse().context("NOTES_LDAP_URL is not a URL")?;
    ensure!(matches!(url.scheme(), "ldap" | "ldaps"), "NOTES_LDAP_URL has to begin with ldap:// or ldaps://");
    ensure!(!config.base.is_empty(), "NOTES_LDAP_BASE has to say below which entry people are");
    let half = config.bind_dn.is_empty() != config.bind_password.is_empty();
    ensure!(!half, "NOTES_LDAP_BIND_DN and NOTES_LDAP_BIND_PASSWORD go together");
    Ok(Some(Arc::new(Server { url, config: config.clone() })))
}

/// Whoever has this address and this password in the directory.
pub(crate) async fn sign_in(directory: &Directory, email: &str, password: &str) -> anyhow::Result<Option<Person>> {
    let Some(server) = directory else { return Ok(None) };
    // Without a password a server lets everybody in, as nobody.
    if email.is_empty() || password.is_empty() {
        return Ok(None);
    }
    let asked = tokio::time::timeout(PATIENCE, server.ask(email, password)).await;
    asked.context("the directory takes too long")?.context("the directory does not answer as it should")
}

/// A server that speaks LDAP.
pub(crate) struct Server {
    url: Url,
    config: Config,
}

impl Server {
    async fn ask(&self, email: &str, password: &str) -> anyhow::Result<Option<Person>> {
        let found = self.find(email).await?;
        // Nobody is asked about as well, so that the answer takes as long.
        let nobody = || format!("cn=nobody,{}", self.config.base);
        let dn = found.as_ref().map_or_else(nobody, |entry| entry.dn.clone());
        let is_right = self.is_password(&dn, password).await?;
        Ok(found.filter(|_| is_right).and_then(|entry| person(&entry)))
    }

    /// The one entry with this address.
    async fn find(&self, email: &str) -> anyhow::Result<Option<SearchEntry>> {
        let mut ldap = self.connect().await?;
        if !self.config.bind_dn.is_empty() {
            let bound = ldap.simple_bind(&self.config.bind_dn, &self.config.bind_password).await?;
            bound.success().context("NOTES_LDAP_BIND_DN cannot sign in")?;
        }
        let filter = format!("(mail={})", ldap_escape(email));
        // A second one is enough to know that there are several.
        ldap.with_search_options(SearchOptions::new().sizelimit(2));
        let found = ldap.search(&self.config.base, Scope::Subtree, &filter, [MAIL, NAME]).await?;
        let mut entries = found.0;
        if found.1.rc == SIZE_LIMIT_EXCEEDED || entries.len() > 1 {
            tracing::warn!("the directory has one address in several entries, none of which may sign in");
            return Ok(None);
        }
        ensure!(found.1.rc == SUCCESS, "searching {}: result {}", self.config.base, found.1.rc);
        Ok(entries.pop().map(SearchEntry::construct).filter(|entry| !entry.dn.is_empty()))
    }

    /// Binds as an entry, on a connection that is good for nothing else.
    async fn is_password(&self, dn: &str, password: &str) -> anyhow::Result<bool> {
        match self.connect().await?.simple_bind(dn, password).await?.rc {
            SUCCESS => Ok(true),
            code if WRONG.contains(&code) => Ok(false),
            code => bail!("checking a password: result {code}"),
        }
    }

    /// A connection, which is encrypted unless the server is on this machine.
    /// It ends with the handle.
    async fn connect(&self) -> anyhow::Result<Ldap> {
        let settings = LdapConnSettings::new().set_starttls(self.url.scheme() == "ldap" && !is_here(&self.url));
        let (connection, ldap) = LdapConnAsync::from_url_with_settings(settings, &self.url).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::debug!("a connection to the directory ended: {error}");
            }
        });
        Ok(ldap)
    }
}

const MAIL: &str = "mail";
const NAME: &str = "cn";

/// Who somebody is. Without an address there is no account to be had.
fn person(entry: &SearchEntry) -> Option<Person> {
    let first = |attribute: &str| {
        let mut named = entry.attrs.iter().filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
        named.find_map(|(_, values)| values.iter().find(|value| !value.trim().is_empty())).cloned()
    };
    let mail = first(MAIL)?;
    Some(Person { name: first(NAME).unwrap_or_else(|| mail.clone()), mail })
}

/// Whether a server is on this machine. To URLs of schemes that are not the
/// web's, an address is a name.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback())
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str, base: &str, bind_dn: &str) -> Config {
        Config { url: url.to_owned(), base: base.to_owned(), bind_dn: bind_dn.to_owned(), ..Config::default() }
    }

    #[test]
    fn what_cannot_be_is_refused_at_the_start() {
        assert!(open(&Config::default()).unwrap().is_none());
        assert!(open(&config("ldaps://ldap.example.org", "dc=example", "")).unwrap().is_some());
        for (url, base, bind_dn) in [
            ("ldap.example.org", "dc=example", ""),
            ("https://ldap.example.org", "dc=example", ""),
            ("ldap://ldap.example.org", "", ""),
            ("ldap://ldap.example.org", "dc=example", "cn=search"),
        ] {
            assert!(open(&config(url, base, bind_dn)).is_err(), "{url} {base} {bind_dn}");
        }
    }

    #[test]
    fn only_what_stays_on_this_machine_is_said_openly() {
        for (url, here) in [
            ("ldap://localhost:389", true),
            ("ldap://127.0.0.1", true),
            ("ldap://[::1]", true),
            ("ldap://ldap.example.org", false),
            ("ldap://192.0.2.7", false),
            ("ldap://localhost.example.org", false),
        ] {
            assert_eq!(is_here(&url.parse().unwrap()), here, "{url}");
        }
    }
}
