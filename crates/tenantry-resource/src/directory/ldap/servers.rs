//! A server for each tenant that has one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tenantry_core::{Scope, TenantId};
use tokio::time::Instant;

use super::server::Server;
use crate::directory::{DirectoryError, settings::DirectorySettings};

/// The servers of all tenants, each as its tenant's settings said last.
///
/// They are told apart by what the settings say, not by the tenant's revision: settings are also those of its plan and its
/// template. Who is in a conversation with a server as it was ends it there.
#[derive(Debug)]
pub(in crate::directory) struct Servers {
    servers: Mutex<HashMap<TenantId, (Instant, Arc<Server>)>>,
    servers_max: usize,
}

impl Servers {
    pub(in crate::directory) fn new(servers_max: usize) -> Self {
        Self { servers: Mutex::default(), servers_max }
    }

    /// The server of the tenant of `scope`.
    pub(in crate::directory) fn of(
        &self,
        scope: &Scope,
        settings: DirectorySettings,
    ) -> Result<Arc<Server>, DirectoryError> {
        let mut servers = self.lock();
        if let Some((used_at, server)) = servers.get_mut(&scope.id())
            && server.is(scope.slug(), &settings)
        {
            *used_at = Instant::now();
            return Ok(Arc::clone(server));
        }
        let before = servers.remove(&scope.id());
        let idlest = || {
            servers
                .iter()
                .filter(|(_, (_, server))| Arc::strong_count(server) == 1)
                .min_by_key(|(_, (used_at, _))| *used_at)
        };
        if before.is_none() && servers.len() >= self.servers_max {
            let Some(idlest) = idlest().map(|(tenant, _)| *tenant) else {
                let max = u64::try_from(self.servers_max).unwrap_or(u64::MAX);
                return Err(DirectoryError::Busy { tenant: scope.slug().clone(), limit: "directory.servers_max", max });
            };
            servers.remove(&idlest);
        }
        let server = Arc::new(Server::new(scope.slug().clone(), settings));
        servers.insert(scope.id(), (Instant::now(), Arc::clone(&server)));
        Ok(server)
    }

    /// Drops the server of a tenant.
    pub(in crate::directory) fn evict(&self, tenant: TenantId) {
        self.lock().remove(&tenant);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, (Instant, Arc<Server>)>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
