//! `[entrance]`: links that let somebody into a tenant.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenantry_core::Slug;

use super::{Config, HostSection, PathSection, value};

/// `[entrance]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EntranceSection {
    /// The path of a tenant's own application at which links are answered.
    pub path: String,
    /// What a tenant's address begins with; `{tenant}` in it is the tenant's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// How long a link is good.
    #[serde(with = "value::duration")]
    pub valid_for: Duration,
}

impl Default for EntranceSection {
    fn default() -> Self {
        Self { path: "/_enter".to_owned(), address: None, valid_for: Duration::from_secs(60) }
    }
}

impl Config {
    /// What a tenant's address begins with, without a slash at the end: as `entrance.address` says, or else as requests name
    /// their tenant by `[resolve]`. Then it is a path, or begins with two slashes and a host, which has `port`.
    ///
    /// Nothing where only a header or a token names the tenant.
    pub(crate) fn address_of(&self, tenant: &Slug, port: Option<u16>) -> Option<String> {
        if let Some(address) = &self.entrance.address {
            return Some(address.trim_end_matches('/').replace(TENANT, tenant.as_str()));
        }
        let by_path = self.resolve.path.as_ref().and_then(|path| by_path(path, tenant));
        by_path.or_else(|| by_host(self.resolve.host.as_ref()?, tenant, port))
    }
}

fn by_path(section: &PathSection, tenant: &Slug) -> Option<String> {
    let own = section.exact.iter().find(|(_, slug)| *slug == tenant).map(|(path, _)| path.clone());
    own.or_else(|| section.under.first().map(|under| format!("{}/{tenant}", under.trim_end_matches('/'))))
}

fn by_host(section: &HostSection, tenant: &Slug, port: Option<u16>) -> Option<String> {
    let own = section.exact.iter().find(|(_, slug)| *slug == tenant).map(|(host, _)| host.clone());
    let host = own.or_else(|| section.suffixes.first().map(|suffix| format!("{tenant}.{suffix}")))?;
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("//{host}{port}"))
}

/// Every problem of the section.
pub(super) fn check(section: &EntranceSection, unless: &mut impl FnMut(bool, &str)) {
    if let Some(address) = &section.address {
        let fine = address.contains(TENANT) && ["http://", "https://"].iter().any(|scheme| address.starts_with(scheme));
        unless(fine, "entrance.address: it begins with http:// or https://, and has {tenant} where the name belongs");
    }
    let fine = !section.valid_for.is_zero() && section.valid_for <= VALID_MAX;
    unless(fine, "entrance.valid_for: it has to be longer than nothing, and no longer than an hour");
}

/// What stands for the tenant's name.
const TENANT: &str = "{tenant}";

/// Whoever finds a link in a log or a history later must not get in.
const VALID_MAX: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn address(text: &str, port: Option<u16>) -> Option<String> {
        Config::parse(text, Path::new("")).unwrap().address_of(&"acme".parse().unwrap(), port)
    }

    #[test]
    fn a_tenants_address_is_as_requests_name_it() {
        for (text, expected) in [
            ("", "/t/acme"),
            ("[resolve.path]\nunder = [\"/\"]", "/acme"),
            ("[resolve.path]\nunder = [\"/t\"]\nexact = { \"/shop\" = \"acme\" }", "/shop"),
            ("[resolve.host]\nsuffixes = [\"example.com\"]", "//acme.example.com:81"),
            ("[resolve.host]\nexact = { \"acme.example\" = \"acme\" }", "//acme.example:81"),
            ("[entrance]\naddress = \"https://{tenant}.example.com/\"", "https://acme.example.com"),
        ] {
            assert_eq!(address(text, Some(81)).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(
            address("[resolve.host]\nsuffixes = [\"example.com\"]", None).as_deref(),
            Some("//acme.example.com")
        );
        assert_eq!(address("[resolve.header]\n[proxies]\ntrusted = [\"::1/128\"]", None), None);
    }

    #[test]
    fn an_address_without_a_tenant_is_refused() {
        for (text, problem) in [
            ("address = \"https://example.com\"", "entrance.address: "),
            ("address = \"{tenant}.example.com\"", "entrance.address: "),
            ("path = \"enter\"", "entrance.path: "),
            ("valid_for = \"0s\"", "entrance.valid_for: "),
            ("valid_for = \"2h\"", "entrance.valid_for: "),
        ] {
            let error = Config::parse(&format!("[entrance]\n{text}"), Path::new("")).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
