//! Filters and names, escaped.

use std::borrow::Cow;

/// The filter that finds a login name.
pub(super) fn for_user(template: &str, user: &str) -> String {
    filled(template, &[(USER, user)])
}

/// The filter that finds the groups of a person.
pub(super) fn for_groups(template: &str, user: &str, dn: &str) -> String {
    filled(template, &[(USER, user), (DN, dn)])
}

/// Whether it is a filter, once something stands for the placeholders.
pub(super) fn is_valid(template: &str) -> bool {
    ldap3::parse_filter(for_groups(template, "x", "cn=x")).is_ok()
}

pub(super) const USER: &str = "{user}";
pub(super) const DN: &str = "{dn}";

/// Puts values in the place of their names, escaped as RFC 4515 §3 says. Goes over the template once: a value that looks
/// like a placeholder is a value.
fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let mut filter = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((at, (name, value))) = first(rest, values) {
        filter.push_str(&rest[..at]);
        filter.push_str(&escaped(value));
        rest = &rest[at + name.len()..];
    }
    filter.push_str(rest);
    filter
}

fn first<'a>(text: &str, values: &'a [(&'a str, &'a str)]) -> Option<(usize, &'a (&'a str, &'a str))> {
    values.iter().filter_map(|value| Some((text.find(value.0)?, value))).min_by_key(|(at, _)| *at)
}

fn escaped(value: &str) -> Cow<'_, str> {
    ldap3::ldap_escape(value)
}

/// Whether two names of an entry are the same to people: case and spaces beside commas do not matter.
pub(super) fn same_dn(one: &str, other: &str) -> bool {
    let parts = |dn: &str| dn.to_lowercase().split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
    parts(one) == parts(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_a_value_and_no_filter() {
        let filter = |user| for_user("(&(objectClass=person)(uid={user}))", user);
        assert_eq!(filter("ann"), "(&(objectClass=person)(uid=ann))");
        assert_eq!(filter("*"), r"(&(objectClass=person)(uid=\2a))");
        assert_eq!(filter(")(uid=*"), r"(&(objectClass=person)(uid=\29\28uid=\2a))");
        assert_eq!(filter("\0\\"), r"(&(objectClass=person)(uid=\00\5c))");
        for user in ["*", ")(uid=*", "a)(|(uid=*))", "\0", "\\2a", "zoë", "&|!", "{user}", "{dn}"] {
            assert!(ldap3::parse_filter(filter(user)).is_ok(), "{user:?}");
        }
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_stays_a_value() {
        assert_eq!(
            for_groups("(|(member={dn})(memberUid={user}))", "{dn}", "cn={user}"),
            "(|(member=cn={user})(memberUid={dn}))"
        );
    }

    #[test]
    fn names_are_compared_as_people_do() {
        assert!(same_dn("cn=Admins, ou=groups,dc=acme", "CN=admins,ou=groups,dc=acme"));
        assert!(!same_dn("cn=admins,dc=acme", "cn=admins,dc=globex"));
    }

    #[test]
    fn what_is_no_filter_is_noticed() {
        assert!(is_valid("(uid={user})") && is_valid("(member={dn})"));
        assert!(!is_valid("(uid={user}") && !is_valid("") && !is_valid("(&(uid={user})"));
    }
}
