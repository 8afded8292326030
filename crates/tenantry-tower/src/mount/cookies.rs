//! Keeps the cookies of an application below its script root.
//!
//! Browsers accept a name that starts with `__Host-` only for `Path=/` (RFC 6265bis §4.1.3.2), which is the path of all
//! tenants. Such a cookie is therefore called `__Secure-Tenantry-__Host-…` outside: the browser still wants it to be
//! `Secure`, and its path can be the script root. A name that starts like this by itself gets the prefix once more, so
//! that every name has one form outside, and every form one name.

use bytes::Bytes;
use http::{
    HeaderMap,
    header::{COOKIE, Entry, HeaderValue, SET_COOKIE},
};

use super::root::ScriptRoot;
use crate::cookie::{self, Attribute, Pair, attributes};

/// Gives the cookies of a request their own names back.
pub(super) fn restore_names(headers: &mut HeaderMap) {
    if !headers.get_all(COOKIE).iter().any(|header| may_be_renamed(header.as_bytes())) {
        return;
    }
    cookie::change(headers, |pair| Some(Pair { name: restored(pair.name)?, value: pair.value }));
}

/// Moves the cookies of an answer below the root, if there is one, and keeps them at this host.
pub(super) fn confine(headers: &mut HeaderMap, root: Option<&ScriptRoot>) {
    let Entry::Occupied(mut set) = headers.entry(SET_COOKIE) else { return };
    for header in set.iter_mut() {
        let confined = confined(header.as_bytes(), root).map(|set| HeaderValue::from_maybe_shared(Bytes::from(set)));
        if let Some(Ok(confined)) = confined {
            *header = confined;
        }
    }
}

fn confined(set: &[u8], root: Option<&ScriptRoot>) -> Option<Vec<u8>> {
    let (pair, rest) = set.split_at(set.iter().position(|byte| *byte == b';').unwrap_or(set.len()));
    let root = root.filter(|root| !root.is_empty());
    let has = |name: &[u8]| attributes(rest).any(|attribute| attribute.name.eq_ignore_ascii_case(name));
    let is_renamed = root.is_some() && is_renamed(pair.trim_ascii_start());
    if !is_renamed && !has(b"domain") && (root.is_none() || !has(b"path")) {
        return None;
    }
    let prefix = if is_renamed { PREFIX } else { "" };
    let mut confined = [prefix.as_bytes(), pair].concat();
    for attribute in attributes(rest).filter(|attribute| !attribute.name.eq_ignore_ascii_case(b"domain")) {
        let moved = root.filter(|_| attribute.name.eq_ignore_ascii_case(b"path"));
        push(&mut confined, attribute, moved.filter(|root| is_outside(attribute.value, root)));
    }
    Some(confined)
}

/// Adds an attribute as it came, or a path below the root.
fn push(set: &mut Vec<u8>, attribute: Attribute<'_>, root: Option<&ScriptRoot>) {
    let Some(root) = root else { return set.extend_from_slice(attribute.text) };
    set.extend_from_slice(&attribute.text[..attribute.value_at]);
    set.extend_from_slice(root.as_str().as_bytes());
    if attribute.value != b"/" {
        set.extend_from_slice(attribute.value);
    }
    set.extend_from_slice(&attribute.text[attribute.value_at + attribute.value.len()..]);
}

/// Whether a cookie's path has to move. One that does not start with a slash stands for the folder of the request's URL
/// (RFC 6265 §5.2.4), which is below the root as it is.
fn is_outside(path: &[u8], root: &ScriptRoot) -> bool {
    path.starts_with(b"/") && !root.contains(path)
}

/// The name that the application knows, or nothing for one that it cannot have set: without our prefix, `__Host-` is
/// from an application that has the host for itself.
fn restored(name: &[u8]) -> Option<&[u8]> {
    match name.strip_prefix(PREFIX.as_bytes()) {
        Some(name) => Some(name),
        None => (!is_renamed(name)).then_some(name),
    }
}

fn is_renamed(name: &[u8]) -> bool {
    name.starts_with(PREFIX.as_bytes()) || starts_with_host(name)
}

/// Browsers ignore the case of this prefix.
fn starts_with_host(name: &[u8]) -> bool {
    name.get(..HOST.len()).is_some_and(|start| start.eq_ignore_ascii_case(HOST.as_bytes()))
}

fn may_be_renamed(cookies: &[u8]) -> bool {
    cookies
        .windows(HOST.len())
        .any(|window| window.starts_with(b"__") && (is_renamed_start(window) || starts_with_host(window)))
}

fn is_renamed_start(window: &[u8]) -> bool {
    PREFIX.as_bytes().starts_with(window)
}

const HOST: &str = "__Host-";
const PREFIX: &str = "__Secure-Tenantry-";

#[cfg(test)]
mod tests {
    use super::*;

    fn confine_one(set: &str, root: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, HeaderValue::from_str(set).unwrap());
        confine(&mut headers, Some(&ScriptRoot::join("", root)));
        headers[SET_COOKIE].to_str().unwrap().to_owned()
    }

    #[test]
    fn paths_move_below_the_root() {
        let check = |set: &str, expected: &str| assert_eq!(confine_one(set, "/t/acme"), expected, "{set}");
        check("a=1", "a=1");
        check("a=1; Path=/", "a=1; Path=/t/acme");
        check("a=1; Path=/x; Secure", "a=1; Path=/t/acme/x; Secure");
        check("a=1;PATH =\t/x ;HttpOnly", "a=1;PATH =\t/t/acme/x ;HttpOnly");
        check("a=1; Path=/x; path=/", "a=1; Path=/t/acme/x; path=/t/acme");
        check("a=1; Path=/t/acme/x", "a=1; Path=/t/acme/x");
        check("a=1; Path=/t/acme", "a=1; Path=/t/acme");
        check("a=1; Path=/t/acmex", "a=1; Path=/t/acme/t/acmex");
        check("a=1; Path=/t/globex", "a=1; Path=/t/acme/t/globex");
        check("a=1; Path", "a=1; Path");
        check("a=1; Path=", "a=1; Path=");
        check("a=1; Path=x", "a=1; Path=x");
        check("a=1; Path=\"/\"", "a=1; Path=\"/\"");
        check("a=Path=/; SameSite=Lax", "a=Path=/; SameSite=Lax");
        check("=1; Path=/", "=1; Path=/t/acme");
    }

    #[test]
    fn a_domain_is_always_removed() {
        for root in ["", "/t/acme"] {
            let check = |set: &str, expected: &str| assert_eq!(confine_one(set, root), expected, "{set} {root}");
            check("a=1; Domain=example.com", "a=1");
            check("a=1; DOMAIN =x; Secure; domain=y; \tdomain\t", "a=1; Secure");
            check("a=Domain=x;Domain;Max-Age=1", "a=Domain=x;Max-Age=1");
            check("a=1; Domainx=y", "a=1; Domainx=y");
        }
    }

    #[test]
    fn host_names_change_outside_and_nowhere_else() {
        let check = |set: &str, outside: &str| {
            assert_eq!(confine_one(set, "/t/acme"), outside, "{set}");
            let sent = HeaderValue::from_str(outside.split(';').next().unwrap()).unwrap();
            let mut headers = HeaderMap::from_iter([(COOKIE, sent)]);
            restore_names(&mut headers);
            assert_eq!(headers[COOKIE].to_str().unwrap(), set.split(';').next().unwrap().trim());
        };
        check("__Host-a=1; Path=/; Secure", "__Secure-Tenantry-__Host-a=1; Path=/t/acme; Secure");
        check("__host-Http-a=1", "__Secure-Tenantry-__host-Http-a=1");
        check("__Secure-Tenantry-__Host-a=1", "__Secure-Tenantry-__Secure-Tenantry-__Host-a=1");
        check("__Secure-Tenantry-a=1", "__Secure-Tenantry-__Secure-Tenantry-a=1");
        check("__Secure-a=1; Path=/", "__Secure-a=1; Path=/t/acme");
        check("__Http-a=1", "__Http-a=1");
        check("__secure-tenantry-a=1", "__secure-tenantry-a=1");
        assert_eq!(confine_one("__Host-a=1; Path=/; Secure", ""), "__Host-a=1; Path=/; Secure");
    }

    #[test]
    fn a_host_cookie_of_somebody_else_is_dropped() {
        let check = |sent: &[&str], expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            for sent in sent {
                headers.append(COOKIE, HeaderValue::from_str(sent).unwrap());
            }
            restore_names(&mut headers);
            assert_eq!(headers.get(COOKIE).map(|header| header.to_str().unwrap()), expected, "{sent:?}");
        };
        check(&["__Host-a=1"], None);
        check(&["a=1; __HOST-a=2", "__Secure-Tenantry-__Host-a=3"], Some("a=1; __Host-a=3"));
        check(&["a=1;b=2"], Some("a=1;b=2"));
    }
}
