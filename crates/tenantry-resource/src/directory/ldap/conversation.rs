//! What is said.

use ldap3::SearchEntry;

use super::{
    connection::Connection,
    entry::{self, GROUP_NAME},
    fault::Fault,
    filter,
};
use crate::directory::{Person, settings::DirectorySettings};

/// The one entry that a login name means.
pub(super) async fn look_up(
    connection: &mut Connection,
    settings: &DirectorySettings,
    user: &str,
) -> Result<Option<SearchEntry>, Fault> {
    let filter = filter::for_user(&settings.user_filter, user);
    let mut searcher = connection.searcher(settings).await?;
    let mut found = searcher.search(&settings.base_dn, &filter, &entry::attributes(settings), 2).await?;
    if found.more || found.entries.len() > 1 {
        return Err(Fault::ForThisPerson("user_filter finds several entries for one login name".to_owned()));
    }
    Ok(found.entries.pop().filter(|entry| !entry.dn.is_empty()))
}

/// Whether the password is that of the entry. Without an entry as much is said, and the answer is no.
pub(super) async fn check(
    connection: &mut Connection,
    settings: &DirectorySettings,
    entry: Option<&SearchEntry>,
    password: &str,
) -> Result<bool, Fault> {
    if let Some(entry) = entry {
        return connection.is_password(settings, &entry.dn, password).await;
    }
    let nobody = format!("cn=nobody,{}", settings.base_dn);
    // Whoever they are, they are not the person who was asked for; and what the server says of the name does not matter.
    match connection.is_password(settings, &nobody, password).await {
        Err(Fault::Away(reason)) => Err(Fault::Away(reason)),
        _ => Ok(false),
    }
}

/// The person whose entry it is, with the roles that their groups give.
pub(super) async fn describe(
    connection: &mut Connection,
    settings: &DirectorySettings,
    entry: &SearchEntry,
    user: &str,
) -> Result<Person, Fault> {
    let mut person = entry::person(settings, entry, user);
    if !settings.group_base_dn.is_empty() {
        let filter = filter::for_groups(&settings.group_filter, &person.name, &entry.dn);
        let mut searcher = connection.searcher(settings).await?;
        let groups = searcher.search(&settings.group_base_dn, &filter, &[GROUP_NAME], settings.groups_max).await?;
        if groups.more {
            let max = settings.groups_max;
            return Err(Fault::ForThisPerson(format!("somebody is in more groups than groups_max allows, {max}")));
        }
        person.roles = entry::roles(settings, &groups.entries);
    }
    Ok(person)
}
