//! A trusted proxy names the tenant in a header.

use http::{HeaderName, request::Parts};
use tenantry_core::{Candidate, Malformed, Resolution, Resolver, Slug};

use crate::TrustedProxies;

/// Reads the tenant from a header, and believes it only from trusted peers.
///
/// From any other peer the header is ignored, as if it were not there.
#[derive(Clone, Debug)]
pub struct Header {
    name: HeaderName,
    trusted: TrustedProxies,
}

impl Header {
    /// Reads the header `name` of requests that come from `trusted` proxies.
    pub const fn new(name: HeaderName, trusted: TrustedProxies) -> Self {
        Self { name, trusted }
    }
}

impl Resolver for Header {
    fn resolve(&self, request: &Parts) -> Resolution {
        let mut values = request.headers.get_all(&self.name).iter();
        let Some(value) = values.next() else { return Resolution::NotMine };
        if !self.trusted.trusts(request) {
            return Resolution::NotMine;
        }
        let slug = value.to_str().ok().and_then(|value| value.parse::<Slug>().ok());
        match (slug, values.next()) {
            (Some(slug), None) => Resolution::Candidate(Candidate::new(slug)),
            (None, None) => Resolution::Malformed(Malformed::new("the tenant's header does not have a tenant's name")),
            (_, Some(_)) => Resolution::Malformed(Malformed::new("the tenant's header is there more than once")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::extract::ConnectInfo;

    use super::*;

    fn resolve(peer: &str, values: &[&str]) -> Resolution {
        let trusted = TrustedProxies::new(["10.0.0.0/8".parse().unwrap()]);
        let mut request = http::Request::new(()).into_parts().0;
        request.extensions.insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        for value in values {
            request.headers.append("x-tenant", value.parse().unwrap());
        }
        Header::new(HeaderName::from_static("x-tenant"), trusted).resolve(&request)
    }

    #[test]
    fn is_believed_from_trusted_peers_alone() {
        let acme = Resolution::Candidate(Candidate::new("acme".parse().unwrap()));
        assert_eq!(resolve("10.0.0.1:1", &["acme"]), acme);
        assert_eq!(resolve("192.0.2.1:1", &["acme"]), Resolution::NotMine);
        assert_eq!(resolve("192.0.2.1:1", &["../globex", "acme"]), Resolution::NotMine);
        assert_eq!(resolve("10.0.0.1:1", &[]), Resolution::NotMine);
        assert!(matches!(resolve("10.0.0.1:1", &["acme", "acme"]), Resolution::Malformed(_)));
        assert!(matches!(resolve("10.0.0.1:1", &["acme,globex"]), Resolution::Malformed(_)));
        assert!(matches!(resolve("10.0.0.1:1", &[""]), Resolution::Malformed(_)));
    }
}
