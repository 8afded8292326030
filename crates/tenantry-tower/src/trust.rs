//! Which peers may say something about a request that they pass on.

use std::{net::SocketAddr, sync::Arc};

use axum::extract::ConnectInfo;
use http::request::Parts;
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
        let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
        // A dual-stack listener shows IPv4 peers as ::ffff:a.b.c.d.
        peer.is_some_and(|ConnectInfo(addr)| {
            let ip = addr.ip().to_canonical();
            self.0.iter().any(|network| network.contains(&ip))
        })
    }
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
}
