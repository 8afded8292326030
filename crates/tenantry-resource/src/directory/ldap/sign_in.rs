//! From a name and a password to a person.

use ldap3::SearchEntry;

use super::{connection::Connection, failure::Failure, filter::fill};
use crate::directory::{DirectorySettings, Person};

/// What is asked of a server.
pub(super) struct Question {
    pub(super) user: String,
    /// Nothing when somebody is only looked up.
    pub(super) password: Option<crate::settings::Secret>,
}

/// Whoever has this name, and this password where there is one. The account is bound to the connection before and after;
/// after a failure, nobody knows.
pub(super) async fn ask(
    connection: &mut Connection,
    settings: &DirectorySettings,
    question: &Question,
) -> Result<Option<Person>, Failure> {
    let entry = entry(connection, settings, &question.user).await?;
    if let Some(password) = &question.password {
        // When there is nobody, the server is asked all the same, so that it takes as long.
        let nobody = || format!("cn=nobody+description=tenantry,{}", settings.base_dn);
        let dn = entry.as_ref().map_or_else(nobody, |entry| entry.dn.clone());
        let accepted = connection.accepts(&dn, password.expose()).await;
        connection.bind_account(settings).await?;
        if !accepted? {
            return Ok(None);
        }
    }
    let Some(entry) = entry else { return Ok(None) };
    let roles = roles(connection, settings, &entry.dn, &question.user).await?;
    let mut person = Person::new(&question.user);
    if let Some(display_name) = value(&entry, &settings.display_name_attribute) {
        display_name.clone_into(&mut person.display_name);
    }
    person.mail = value(&entry, &settings.mail_attribute).map(str::to_owned);
    person.roles = roles;
    Ok(Some(person))
}

/// The one entry that a login name means.
async fn entry(
    connection: &mut Connection,
    settings: &DirectorySettings,
    user: &str,
) -> Result<Option<SearchEntry>, Failure> {
    let filter = fill(&settings.user_filter, &[("{user}", user)]);
    let attributes = [settings.display_name_attribute.as_str(), settings.mail_attribute.as_str()];
    let (mut entries, more) = connection.search(&settings.base_dn, &filter, &attributes, 2).await?;
    if more || entries.len() > 1 {
        // Whose password it should be, nobody can say.
        return Err(Failure::Misconfigured("user_filter finds several entries for one login name".to_owned()));
    }
    Ok(entries.pop())
}

async fn roles(
    connection: &mut Connection,
    settings: &DirectorySettings,
    dn: &str,
    user: &str,
) -> Result<Vec<String>, Failure> {
    if settings.group_base_dn.is_empty() || settings.roles.is_empty() {
        return Ok(Vec::new());
    }
    let filter = fill(&settings.group_filter, &[("{dn}", dn), ("{user}", user)]);
    let (groups, more) = connection.search(&settings.group_base_dn, &filter, &["cn"], settings.groups_max).await?;
    if more {
        // Some roles are not all roles.
        let max = settings.groups_max;
        return Err(Failure::Misconfigured(format!("somebody is in more groups than groups_max allows, {max}")));
    }
    let is_in = |name: &str| {
        let same = |other: &String| other.eq_ignore_ascii_case(name);
        groups.iter().any(|group| same(&group.dn) || attribute(group, "cn").is_some_and(|names| names.iter().any(same)))
    };
    let mut roles: Vec<_> =
        settings.roles.iter().filter(|(name, _)| is_in(name)).map(|(_, role)| role.clone()).collect();
    roles.sort();
    roles.dedup();
    Ok(roles)
}

fn value<'a>(entry: &'a SearchEntry, name: &str) -> Option<&'a str> {
    attribute(entry, name)?.first().map(String::as_str).filter(|value| !value.is_empty())
}

/// The values of an attribute. Servers may write its name as they like.
fn attribute<'a>(entry: &'a SearchEntry, name: &str) -> Option<&'a Vec<String>> {
    entry.attrs.iter().find_map(|(found, values)| found.eq_ignore_ascii_case(name).then_some(values))
}
