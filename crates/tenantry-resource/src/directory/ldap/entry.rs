//! A person from an entry, roles from groups.

use std::collections::BTreeSet;

use ldap3::SearchEntry;

use super::filter::same_dn;
use crate::directory::{Person, settings::DirectorySettings};

/// The attributes that a person is made of.
pub(super) fn attributes(settings: &DirectorySettings) -> Vec<&str> {
    let named = [&settings.name_attribute, &settings.display_name_attribute, &settings.mail_attribute];
    let mut named: Vec<_> = named.into_iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    if named.is_empty() {
        // Without a list, a server sends them all.
        named.push(NONE);
    }
    named
}

/// The person whose entry it is, without roles. `typed` is the name that found it.
pub(super) fn person(settings: &DirectorySettings, entry: &SearchEntry, typed: &str) -> Person {
    let names = values(entry, &settings.name_attribute);
    let name = names.iter().find(|name| name.to_lowercase() == typed.to_lowercase()).or(names.first());
    let mut person = Person::new(name.map_or(typed, String::as_str));
    let filled = |attribute: &str| values(entry, attribute).iter().find(|value| !value.is_empty()).cloned();
    if let Some(display_name) = filled(&settings.display_name_attribute) {
        person.display_name = display_name;
    }
    person.mail = filled(&settings.mail_attribute);
    person
}

/// What somebody in these groups may do.
pub(super) fn roles(settings: &DirectorySettings, groups: &[SearchEntry]) -> Vec<String> {
    let gives = |group: &SearchEntry, named: &str| {
        same_dn(named, &group.dn)
            || values(group, GROUP_NAME).iter().any(|cn| cn.to_lowercase() == named.to_lowercase())
    };
    let roles = settings.roles.iter().filter(|(named, _)| groups.iter().any(|group| gives(group, named)));
    roles.map(|(_, role)| role.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The values of an attribute, whose name a server may write in another case.
fn values<'a>(entry: &'a SearchEntry, attribute: &str) -> &'a [String] {
    let found = entry.attrs.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute));
    found.map_or(&[], |(_, values)| values)
}

pub(super) const GROUP_NAME: &str = "cn";

/// No attributes at all (RFC 4511 §4.5.1.8).
const NONE: &str = "1.1";

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn entry(dn: &str, attributes: &[(&str, &[&str])]) -> SearchEntry {
        let strings = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
        let attrs = attributes.iter().map(|(name, values)| ((*name).to_owned(), strings(values))).collect();
        SearchEntry { dn: dn.to_owned(), attrs, bin_attrs: HashMap::new() }
    }

    #[test]
    fn a_person_is_called_as_the_directory_says() {
        let settings = DirectorySettings::default();
        let ann = entry("uid=ann", &[("UID", &["other", "Ann"]), ("cn", &["", "Ann B."]), ("Mail", &["a@acme.test"])]);
        let person = person(&settings, &ann, "ANN");
        assert_eq!((person.name.as_str(), person.display_name.as_str()), ("Ann", "Ann B."));
        assert_eq!(person.mail.as_deref(), Some("a@acme.test"));
        let bare = super::person(&settings, &entry("uid=x", &[]), "typed");
        assert_eq!((bare.name, bare.display_name, bare.mail), ("typed".to_owned(), "typed".to_owned(), None));
    }

    #[test]
    fn groups_give_roles_by_name_or_by_dn_and_others_give_none() {
        let mut settings = DirectorySettings::default();
        for (group, role) in
            [("Staff", "writer"), ("cn=boss, dc=acme", "admin"), ("cn=boss,dc=globex", "root"), ("x", "y")]
        {
            settings.roles.insert(group.to_owned(), role.to_owned());
        }
        let groups = [entry("cn=staff,dc=acme", &[("cn", &["staff"])]), entry("CN=Boss,dc=acme", &[("cn", &["Boss"])])];
        assert_eq!(roles(&settings, &groups), ["admin", "writer"]);
        assert_eq!(roles(&settings, &[]), Vec::<String>::new());
    }
}
