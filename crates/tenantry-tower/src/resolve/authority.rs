//! The host that a request was sent to.

use http::{header::HOST, request::Parts, uri::Authority};

/// What a request says about the host it was sent to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SentTo {
    /// This one; lower case, without port and without the dot of an absolute name.
    Host(String),
    /// Nothing.
    Nothing,
    /// Two different things, or something that is no host.
    Unclear,
}

/// Reads the host from the request's target and from its `Host` header.
///
/// RFC 9112 §3.2.2 lets the target win over the header. Software in front may have let the header win, so a request in
/// which they differ is unclear here.
pub(super) fn sent_to(request: &Parts) -> SentTo {
    let mut headers = request.headers.get_all(HOST).iter();
    let header = match (headers.next(), headers.next()) {
        (_, Some(_)) => return SentTo::Unclear,
        (Some(value), None) => match Authority::try_from(value.as_bytes()) {
            Ok(authority) => Some(authority),
            Err(_) => return SentTo::Unclear,
        },
        (None, None) => None,
    };
    let (host, other) = match (request.uri.authority(), &header) {
        (Some(target), header) => (target, header.as_ref()),
        (None, Some(header)) => (header, None),
        (None, None) => return SentTo::Nothing,
    };
    let names_a_user = [Some(host), other].into_iter().flatten().any(|authority| authority.as_str().contains('@'));
    if names_a_user || other.is_some_and(|other| !other.as_str().eq_ignore_ascii_case(host.as_str())) {
        return SentTo::Unclear;
    }
    let host = host.host();
    SentTo::Host(host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn check(target: &str, hosts: &[&str], expected: &SentTo) {
        let mut request = Request::builder().uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        assert_eq!(&sent_to(&request.body(()).unwrap().into_parts().0), expected, "{target} {hosts:?}");
    }

    #[test]
    fn reads_one_host_and_refuses_two() {
        let host = |name: &str| SentTo::Host(name.to_owned());
        check("/", &["Acme.Example.com:8080"], &host("acme.example.com"));
        check("/", &["acme.example.com."], &host("acme.example.com"));
        check("/", &["[::1]:80"], &host("[::1]"));
        check("http://acme.example.com/", &[], &host("acme.example.com"));
        check("http://acme.example.com/", &["acme.example.com"], &host("acme.example.com"));
        check("/", &[], &SentTo::Nothing);
        check("http://acme.example.com/", &["globex.example.com"], &SentTo::Unclear);
        check("/", &["acme.example.com", "acme.example.com"], &SentTo::Unclear);
        check("/", &["acme.example.com@globex.example.com"], &SentTo::Unclear);
        check("/", &["acme/../globex"], &SentTo::Unclear);
    }
}
