//! A tenant's keys, as what looks after a tenant's life sees them.

use redis::{RedisError, cmd};
use tenantry_core::{Amount, BoxFuture, Copying, Plane, PlaneError, Tenant, TenantId};

use super::{RedisServer, server::Repeat};

/// All keys of tenants on a server: what is cached for them, and what the application keeps there by itself.
///
/// The server has no list of a tenant's keys, so each count and each erasure looks at all keys that it has.
#[derive(Clone, Debug)]
pub struct RedisKeys(RedisServer);

impl RedisKeys {
    /// Those on this server.
    pub const fn new(server: RedisServer) -> Self {
        Self(server)
    }

    /// Does something with the tenant's keys, a page at a time, and says how many there were.
    async fn each_page(&self, tenant: TenantId, erase: bool) -> Result<Amount, RedisError> {
        let pattern = self.0.prefix().pattern(tenant);
        let (mut found, mut cursor) = (Amount::default(), 0_u64);
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(LOOKED_AT);
            let scan = &scan;
            let page = self.0.run(Repeat::Harmless, |mut redis| async move { scan.query_async(&mut redis).await });
            let (next, keys): (u64, Vec<Vec<u8>>) = page.await?;
            if erase && !keys.is_empty() {
                let mut unlink = cmd("UNLINK");
                unlink.arg(&keys);
                let unlink = &unlink;
                let sent = self.0.run(Repeat::Harmless, |mut redis| async move { unlink.exec_async(&mut redis).await });
                sent.await?;
            }
            found.items += keys.len() as u64;
            cursor = next;
            if cursor == 0 {
                return Ok(found);
            }
        }
    }
}

impl Plane for RedisKeys {
    fn name(&self) -> &'static str {
        "cache"
    }

    fn count<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            self.each_page(tenant.id, false).await.map_err(|error| PlaneError::new(self.name(), tenant, error))
        })
    }

    fn erase<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            self.each_page(tenant.id, true).await.map_err(|error| PlaneError::new(self.name(), tenant, error))
        })
    }

    /// A cache begins empty.
    fn copy<'a>(&'a self, _: &'a Tenant, to: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move { self.erase(to).await.map(|_| Amount::default()) })
    }

    fn copying(&self) -> Copying {
        Copying::Nothing
    }
}

/// How many keys the server looks at before it answers others.
const LOOKED_AT: u32 = 1000;
