//! What a tenant's directory is: a part of the application's settings.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::settings::Secret;

/// Where people of a tenant are looked up. A field of the application's settings, so that each tenant has its own.
///
/// A change takes effect with the next call. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectorySettings {
    /// `ldap://host:port` or `ldaps://host:port`. By default it is empty: people are in the local store.
    pub url: String,
    /// Whether a connection to `ldap://` is encrypted before anything is said on it. Default true.
    pub starttls: bool,
    /// Whether passwords may go over a connection that is not encrypted, to a host that is not this one. Default false.
    pub insecure: bool,
    /// The authority that has signed the server's certificate, as PEM or as the path of a PEM file. By default it is empty:
    /// those that the operating system trusts.
    pub ca: String,
    /// Who searches; nobody by default, if the server lets everybody search.
    pub bind_dn: String,
    /// The password of `bind_dn`.
    pub bind_password: Secret,
    /// Below which entry people are.
    pub base_dn: String,
    /// Which entry a login name means: `{user}` stands for the name. Default `(&(objectClass=person)(uid={user}))`.
    pub user_filter: String,
    /// The attribute with the login name, as the directory writes it. Default `uid`.
    pub name_attribute: String,
    /// The attribute with the name to be shown. Default `cn`.
    pub display_name_attribute: String,
    /// The attribute with the mail address. Default `mail`.
    pub mail_attribute: String,
    /// Below which entry groups are. By default it is empty: nobody looks for groups.
    pub group_base_dn: String,
    /// Which groups a person is in: `{dn}` stands for the person's entry, `{user}` for the login name. Default
    /// `(member={dn})`.
    pub group_filter: String,
    /// From groups to roles. A group is named by its DN or by its `cn`; one that is not here gives no role.
    pub roles: BTreeMap<String, String>,
    /// How many connections there may be at once. Default 4.
    pub connections_max: u32,
    /// How many calls may wait for a connection. Default 64.
    pub waiters_max: u32,
    /// How many groups a person may be in. Default 1000.
    pub groups_max: u32,
    /// How long connecting may take, encryption included. Default 5 s.
    pub connect_timeout_ms: u64,
    /// How long the server may take for each answer. Default 5 s.
    pub operation_timeout_ms: u64,
    /// How long a call may wait for a connection. Default 5 s.
    pub acquire_timeout_ms: u64,
    /// How long a connection may go unused before it is closed. Default 60 s.
    pub idle_ms: u64,
    /// How long a server that failed is left alone at first; it doubles from one failure to the next. Default 1 s.
    pub backoff_min_ms: u64,
    /// How long it is left alone at most. Default 30 s.
    pub backoff_max_ms: u64,
}

impl DirectorySettings {
    /// Whether people are in the local store.
    pub fn is_local(&self) -> bool {
        self.url.is_empty()
    }

    /// How long to leave the server alone after so many failures in a row.
    #[cfg(feature = "ldap")]
    pub(super) fn backoff(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let backoff = Duration::from_millis(self.backoff_min_ms).saturating_mul(1 << doublings);
        backoff.min(Duration::from_millis(self.backoff_max_ms))
    }
}

impl Default for DirectorySettings {
    fn default() -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            url: String::new(),
            starttls: true,
            insecure: false,
            ca: String::new(),
            bind_dn: String::new(),
            bind_password: Secret::default(),
            base_dn: String::new(),
            user_filter: "(&(objectClass=person)(uid={user}))".to_owned(),
            name_attribute: "uid".to_owned(),
            display_name_attribute: "cn".to_owned(),
            mail_attribute: "mail".to_owned(),
            group_base_dn: String::new(),
            group_filter: "(member={dn})".to_owned(),
            roles: BTreeMap::new(),
            connections_max: 4,
            waiters_max: 64,
            groups_max: 1000,
            connect_timeout_ms: millis(Duration::from_secs(5)),
            operation_timeout_ms: millis(Duration::from_secs(5)),
            acquire_timeout_ms: millis(Duration::from_secs(5)),
            idle_ms: millis(Duration::from_secs(60)),
            backoff_min_ms: millis(Duration::from_secs(1)),
            backoff_max_ms: millis(Duration::from_secs(30)),
        }
    }
}
