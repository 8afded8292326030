//! Which peers may say something about a request that they pass on.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::extract::ConnectInfo;
use http::{HeaderName, header::FORWARDED, request::Parts};
use ipnet::IpNet;

/// The addresses of proxies whose `X-Forwarded-…` and tenant headers are believed. By default there are none.
///
/// What counts is the address at the other end of the connection, as [`ConnectInfo`] has it. A request without one
/// (a Unix socket, a server that does not record it) is trusted by nobody.
///
/// ```
/// use tenantry_tower::TrustedProxies;
///
/// let proxies = TrustedProxies::new(["10.0.0.0/8".parse()?, "::1/128".parse()?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Trusts peers in these networks, and no others.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().collect())
    }

    /// Whether the peer that sent `request` is one of them.
    pub fn trusts(&self, request: &Parts) -> bool {
        if self.0.is_empty() {
            return false;
        }
        peer(request).is_some_and(|peer| self.contain(peer))
    }

    /// The address of the client that sent `request`: the peer, or, where that is one of them, whoever it says it passes on.
    /// Nothing where the connection has no address.
    ///
    /// Each proxy adds the address of its own peer at the end of the header. So the list is read from there, for as long as who
    /// has added an entry is trusted; what a client has written itself is in front of that, and is not believed.
    pub fn client(&self, request: &Parts, told_by: ToldBy) -> Option<IpAddr> {
        let mut client = peer(request)?;
        let values: Vec<&str> =
            request.headers.get_all(told_by.header()).iter().map(|value| value.to_str().unwrap_or_default()).collect();
        for hop in values.iter().rev().flat_map(|value| value.rsplit(',')) {
            if !self.contain(client) {
                break;
            }
            match told_by.address(hop.trim()) {
                Some(address) => client = address,
                // What cannot be read is not guessed: it is the client of this proxy, whoever that was.
                None => break,
            }
        }
        Some(client)
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// In which header trusted proxies say whom a request is from. It has to be the one that they write: another one passes
/// through them as a client has written it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToldBy {
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
}

impl ToldBy {
    const fn header(self) -> HeaderName {
        match self {
            Self::Forwarded => FORWARDED,
            Self::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
        }
    }

    /// The address in one entry of the header.
    fn address(self, hop: &str) -> Option<IpAddr> {
        match self {
            Self::Forwarded => hop.split(';').find_map(|pair| {
                let (name, value) = pair.trim().split_once('=')?;
                name.eq_ignore_ascii_case("for").then(|| node(value.trim().trim_matches('"'))).flatten()
            }),
            Self::XForwardedFor => node(hop),
        }
    }
}

/// An address that may have a port, and, for IPv6, brackets.
fn node(text: &str) -> Option<IpAddr> {
    let ip = text.parse::<IpAddr>().ok();
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    // A dual-stack listener shows IPv4 peers as ::ffff:a.b.c.d.
    ip.or_else(in_brackets).or_else(with_port).map(|ip| ip.to_canonical())
}

fn peer(request: &Parts) -> Option<IpAddr> {
    let ConnectInfo(peer) = request.extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(peer.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(networks: &[&str], peer: Option<&str>) -> bool {
        let mut request = http::Request::new(()).into_parts().0;
        if let Some(peer) = peer {
            request.extensions.insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        }
        TrustedProxies::new(networks.iter().map(|network| network.parse().unwrap())).trusts(&request)
    }

    #[test]
    fn only_a_known_peer_in_a_listed_network_is_trusted() {
        assert!(trusts(&["10.0.0.0/8"], Some("10.1.2.3:80")));
        assert!(trusts(&["10.0.0.0/8"], Some("[::ffff:10.1.2.3]:80")));
        assert!(!trusts(&["10.0.0.0/8"], Some("11.0.0.1:80")));
        assert!(!trusts(&["10.0.0.0/8"], None));
        assert!(!trusts(&[], Some("127.0.0.1:80")));
    }

    fn client(peer: &str, told_by: ToldBy, values: &[&str]) -> String {
        let mut request = http::Request::new(()).into_parts().0;
        request.extensions.insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        for value in values {
            request.headers.append(told_by.header(), value.parse().unwrap());
        }
        let proxies = TrustedProxies::new(["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap()));
        proxies.client(&request, told_by).unwrap().to_string()
    }

    #[test]
    fn a_client_is_whoever_a_trusted_proxy_has_seen() {
        for (peer, values, expected) in [
            ("192.0.2.1:80", &["198.51.100.7"][..], "192.0.2.1"),
            ("10.0.0.1:80", &[], "10.0.0.1"),
            ("10.0.0.1:80", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1:80", &["203.0.113.9, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1:80", &["203.0.113.9", "198.51.100.7", "10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1:80", &["10.0.0.9, 10.0.0.8"], "10.0.0.9"),
            ("10.0.0.1:80", &["198.51.100.7:4711"], "198.51.100.7"),
            ("[fd00::1]:80", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("[::ffff:10.0.0.1]:80", &["2001:db8::7"], "2001:db8::7"),
            ("10.0.0.1:80", &["203.0.113.9, unknown"], "10.0.0.1"),
            ("10.0.0.1:80", &["203.0.113.9, nonsense, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1:80", &[""], "10.0.0.1"),
        ] {
            assert_eq!(client(peer, ToldBy::XForwardedFor, values), expected, "{peer} {values:?}");
        }
    }

    #[test]
    fn so_it_is_in_the_other_header() {
        for (values, expected) in [
            (&["for=192.0.2.60;proto=http;by=203.0.113.43"][..], "192.0.2.60"),
            (&["for=203.0.113.9, For=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17"),
            (&["for=203.0.113.9", "proto=https;for=10.0.0.2"], "203.0.113.9"),
            (&["for=203.0.113.9, for=_hidden"], "10.0.0.1"),
            (&["for=203.0.113.9, proto=https"], "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1:80", ToldBy::Forwarded, values), expected, "{values:?}");
        }
    }

    #[test]
    fn who_has_no_address_is_nobody() {
        let request = http::Request::new(()).into_parts().0;
        assert_eq!(TrustedProxies::default().client(&request, ToldBy::XForwardedFor), None);
    }
}
