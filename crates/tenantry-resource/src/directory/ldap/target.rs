//! What the settings say, checked.

use std::{net::IpAddr, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use url::Url;

use super::filter;
use crate::directory::settings::DirectorySettings;

/// Where a server is, and how it is spoken to.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) starttls: bool,
}

impl Target {
    /// Reads what the settings say, or says which of them is wrong.
    pub(super) fn read(settings: &DirectorySettings) -> Result<Self, String> {
        let url = Url::parse(&settings.url).map_err(|_| "url is no URL".to_owned())?;
        let encrypted = match url.scheme() {
            "ldap" => settings.starttls,
            "ldaps" => true,
            _ => return Err("url begins with neither ldap:// nor ldaps://".to_owned()),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("url has an account in it, which belongs into bind_dn and bind_password".to_owned());
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("url names no host")?;
        if !encrypted && !settings.insecure && !is_here(host) {
            return Err(
                "passwords would go over a connection that is not encrypted; use starttls or ldaps://, or allow it \
                        with insecure"
                    .to_owned(),
            );
        }
        check(settings)?;
        let starttls = url.scheme() == "ldap" && settings.starttls;
        Ok(Self { url, starttls })
    }
}

/// Where a server is, for a message. What is no URL may be anything, and is not repeated.
pub(super) fn host(settings: &DirectorySettings) -> String {
    let url = Url::parse(&settings.url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or("url");
    url.as_ref().and_then(Url::port).map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// How connections are encrypted. Reads files.
pub(super) fn encryption(settings: &DirectorySettings) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    if settings.ca.is_empty() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        let read: Result<Vec<_>, _> = if settings.ca.contains("-----BEGIN") {
            CertificateDer::pem_slice_iter(settings.ca.as_bytes()).collect()
        } else {
            CertificateDer::pem_file_iter(&settings.ca).and_then(Iterator::collect)
        };
        for certificate in read.map_err(|_| "ca is neither PEM nor the path of a PEM file".to_owned())? {
            roots.add(certificate).map_err(|_| "ca has a certificate that cannot be used".to_owned())?;
        }
    }
    if roots.is_empty() {
        return Err("there is no authority to trust: neither in ca nor of the operating system".to_owned());
    }
    // Named, since a program may have several, and ldap3's own choice depends on that.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

fn check(settings: &DirectorySettings) -> Result<(), String> {
    let DirectorySettings { user_filter, group_filter, bind_dn, bind_password, .. } = settings;
    let wrong = |wrong: bool, why: &str| if wrong { Err(why.to_owned()) } else { Ok(()) };
    wrong(settings.base_dn.is_empty(), "base_dn is empty")?;
    wrong(!user_filter.contains(filter::USER), "user_filter does not say where {user} is")?;
    wrong(!filter::is_valid(user_filter), "user_filter is no filter")?;
    // A bind with a name and no password succeeds as nobody.
    wrong(!bind_dn.is_empty() && bind_password.expose().is_empty(), "bind_dn has no bind_password")?;
    if !settings.group_base_dn.is_empty() {
        let says = [filter::USER, filter::DN].iter().any(|name| group_filter.contains(name));
        wrong(!says, "group_filter does not say where {dn} or {user} is")?;
        wrong(!filter::is_valid(group_filter), "group_filter is no filter")?;
    }
    wrong(settings.connections_max == 0, "connections_max is 0")
}

fn is_here(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Secret;

    fn settings(url: &str) -> DirectorySettings {
        DirectorySettings { url: url.to_owned(), base_dn: "dc=acme".to_owned(), ..DirectorySettings::default() }
    }

    #[test]
    fn passwords_leave_the_machine_encrypted_or_by_leave() {
        let plain = |url: &str, insecure| {
            let settings = DirectorySettings { starttls: false, insecure, ..settings(url) };
            Target::read(&settings).map(|target| target.starttls)
        };
        for here in ["ldap://localhost", "ldap://127.0.0.1:389", "ldap://[::1]", "ldaps://directory.acme.test"] {
            assert_eq!(plain(here, false), Ok(false), "{here}");
        }
        for there in
            ["ldap://directory.acme.test", "ldap://10.0.0.1", "ldap://localhost.acme.test", "ldap://127.evil.test"]
        {
            assert!(plain(there, false).unwrap_err().contains("insecure"), "{there}");
            assert_eq!(plain(there, true), Ok(false), "{there}");
            assert!(Target::read(&settings(there)).unwrap().starttls, "{there}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_name() {
        let wrong = |change: fn(&mut DirectorySettings)| {
            let mut settings = settings("ldaps://directory.acme.test");
            change(&mut settings);
            Target::read(&settings).unwrap_err()
        };
        assert!(wrong(|it| it.url = "http://x".to_owned()).contains("url"));
        assert!(wrong(|it| it.url = "ldap://ann:hush@x".to_owned()).contains("bind_password"));
        assert!(wrong(|it| it.base_dn.clear()).contains("base_dn"));
        assert!(wrong(|it| it.user_filter = "(uid=ann)".to_owned()).contains("{user}"));
        assert!(wrong(|it| it.user_filter = "(uid={user}".to_owned()).contains("user_filter"));
        assert!(wrong(|it| it.bind_dn = "cn=search".to_owned()).contains("bind_password"));
        assert!(wrong(|it| it.connections_max = 0).contains("connections_max"));
        let groups = |it: &mut DirectorySettings| {
            it.group_base_dn = "ou=groups".to_owned();
            it.group_filter = "(cn=all)".to_owned();
        };
        assert!(wrong(groups).contains("group_filter"));
        let hush =
            DirectorySettings { ca: "hush".to_owned(), bind_password: Secret::new("hush".to_owned()), ..settings("x") };
        assert!(!encryption(&hush).unwrap_err().contains("hush"));
        assert_eq!(host(&DirectorySettings { url: "hush".to_owned(), ..settings("") }), "url");
    }
}
