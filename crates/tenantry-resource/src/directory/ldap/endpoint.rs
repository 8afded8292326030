//! Where a server is, and how the connection to it is encrypted.

use std::{
    net::IpAddr,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use ldap3::LdapConnSettings;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use url::Url;

use super::failure::Failure;
use crate::directory::DirectorySettings;

/// Where a server is, and how the connection to it is encrypted.
pub(super) struct Endpoint {
    pub(super) url: Url,
    /// The host with the port, for messages.
    pub(super) host: String,
    starttls: bool,
    tls: Option<Arc<ClientConfig>>,
    connect_timeout: Duration,
}

impl Endpoint {
    /// What the settings say, if it can be used. It may read files.
    pub(super) fn new(settings: &DirectorySettings) -> Result<Self, Failure> {
        // The URL is not repeated: somebody may have written a password into it.
        let url = Url::parse(&settings.url).map_err(|_| wrong("url is no URL like ldaps://host"))?;
        let is_ldaps = match url.scheme() {
            "ldap" => false,
            "ldaps" => true,
            _ => return Err(wrong("url does not begin with ldap:// or ldaps://")),
        };
        let name = url.host_str().filter(|name| !name.is_empty()).ok_or_else(|| wrong("url names no host"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("url has a user in it; bind_dn and bind_password say who searches"));
        }
        let is_encrypted = is_ldaps || settings.starttls;
        if !is_encrypted && !settings.insecure && !is_loopback(name) {
            return Err(wrong("passwords would not be encrypted: set starttls, write ldaps://, or set insecure"));
        }
        let host = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        let tls = if is_encrypted { Some(tls(&settings.ca)?) } else { None };
        let connect_timeout = Duration::from_millis(settings.connect_timeout_ms);
        Ok(Self { host, starttls: !is_ldaps && settings.starttls, tls, connect_timeout, url })
    }

    /// How ldap3 is to connect.
    pub(super) fn connecting(&self) -> LdapConnSettings {
        let connecting = LdapConnSettings::new().set_conn_timeout(self.connect_timeout).set_starttls(self.starttls);
        match &self.tls {
            Some(tls) => connecting.set_config(Arc::clone(tls)),
            None => connecting,
        }
    }
}

/// Whether what is sent there stays on this machine.
fn is_loopback(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The provider is named: which one a program has by default depends on what else is in it.
fn tls(ca: &str) -> Result<Arc<ClientConfig>, Failure> {
    let roots = if ca.is_empty() { of_the_system()? } else { Arc::new(of_pem(ca)?) };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

fn of_pem(ca: &str) -> Result<RootCertStore, Failure> {
    let unusable =
        |error: &dyn std::fmt::Display| wrong(format!("ca is neither PEM nor the path of a PEM file: {error}"));
    let read = if ca.contains("-----BEGIN") {
        CertificateDer::pem_slice_iter(ca.as_bytes()).collect::<Result<Vec<_>, _>>()
    } else {
        CertificateDer::pem_file_iter(Path::new(ca)).and_then(Iterator::collect)
    };
    let mut roots = RootCertStore::empty();
    for certificate in read.map_err(|error| unusable(&error))? {
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() { Err(unusable(&"there is no certificate in it")) } else { Ok(roots) }
}

/// Those that the operating system trusts; read once.
fn of_the_system() -> Result<Arc<RootCertStore>, Failure> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    if roots.is_empty() {
        return Err(wrong("the operating system trusts nobody; ca names the authority of the server's certificate"));
    }
    Ok(Arc::clone(roots))
}

fn wrong(reason: impl Into<String>) -> Failure {
    Failure::Misconfigured(reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut DirectorySettings)) -> Option<String> {
        let mut settings = DirectorySettings { url: "ldap://db.test".to_owned(), ..DirectorySettings::default() };
        change(&mut settings);
        match Endpoint::new(&settings) {
            Ok(_) => None,
            Err(Failure::Misconfigured(reason)) => Some(reason),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn passwords_are_encrypted_unless_they_stay_here_or_somebody_insists() {
        let plain = |url: &str, insecure| {
            refused(|settings| {
                (settings.url, settings.starttls, settings.insecure) = (url.to_owned(), false, insecure);
            })
        };
        for away in ["ldap://db.test", "ldap://10.0.0.1:389", "ldap://localhost.db.test", "ldap://[2001:db8::1]"] {
            assert!(plain(away, false).unwrap().contains("insecure"), "{away}");
            assert_eq!(plain(away, true), None);
        }
        for here in ["ldap://localhost", "ldap://127.0.0.1:10389", "ldap://[::1]:389"] {
            assert_eq!(plain(here, false), None, "{here}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_being_repeated() {
        for url in ["db.test", "http://db.test", "ldapi://%2Frun", "ldap:", "ldap:///dc=x", "ldap://ann:hush@db.test"] {
            let reason = refused(|settings| url.clone_into(&mut settings.url)).unwrap();
            assert!(reason.starts_with("url ") && !reason.contains("hush"), "{url}: {reason}");
        }
        for ca in ["/nowhere.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "-----BEGIN"] {
            assert!(refused(|settings| ca.clone_into(&mut settings.ca)).unwrap().starts_with("ca "), "{ca}");
        }
    }
}
