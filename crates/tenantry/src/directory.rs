//! Who may sign in, for each tenant.

use std::sync::{Arc, PoisonError, RwLock};

use serde::{Serialize, de::DeserializeOwned};
use tenantry_core::{Change, Status};
pub use tenantry_resource::directory::{
    Added, Directory, DirectoryError, DirectorySettings, LocalOptions, LocalUser, LocalUserError, LocalUsers,
    MemoryUsers, Person, TenantUsers, UserChange, UserStore, UserStoreError,
};
#[cfg(feature = "postgres")]
pub use tenantry_sqlx::users::PgUsers;
pub use tenantry_sqlx::users::SqliteUsers;
use tokio::sync::OnceCell;

use crate::{
    OpenError, Tenancy,
    config::{Config, DirectorySection, Place},
    settings::Settings,
};

impl Tenancy {
    /// The directory of the tenant whose scope is current: a server that speaks LDAP where the tenant's settings name one
    /// (feature `ldap`), or else the local users, as `[directory]` says where they are.
    ///
    /// `section` finds the directory's settings in the application's own. Call it once, and clone what it gives: each call
    /// makes connections of its own.
    ///
    /// ```no_run
    /// # async fn example(tenancy: tenantry::Tenancy) -> Result<(), Box<dyn std::error::Error>> {
    /// use serde::{Deserialize, Serialize};
    /// use tenantry::directory::DirectorySettings;
    ///
    /// #[derive(Default, Serialize, Deserialize)]
    /// #[serde(default)]
    /// struct Own { title: String, directory: DirectorySettings }
    ///
    /// let settings = tenancy.settings::<Own>().await?;
    /// let directory = tenancy.directory(settings, |own| &own.directory).await?;
    /// // Within a request:
    /// let somebody = directory.sign_in("ann", "what she has typed").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the store of local users cannot be used.
    pub async fn directory<T, S>(&self, settings: Settings<T>, section: S) -> Result<Directory, OpenError>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
        S: Fn(&T) -> &DirectorySettings + Send + Sync + 'static,
    {
        let local = self.local_users().await?;
        let servers_max = usize::try_from(self.config().directory.servers_max.get()).unwrap_or(usize::MAX);
        let directory = Directory::new(settings, section, local, self.shared_admission(), servers_max);
        self.directories().add(directory.clone());
        Ok(directory)
    }

    /// The local users of all tenants, for applications whose tenants have no servers. Every call gives the same; the store
    /// is opened by the first.
    ///
    /// # Errors
    ///
    /// When the store cannot be used.
    pub async fn local_users(&self) -> Result<LocalUsers, OpenError> {
        self.directories().local.get_or_try_init(|| self.config().local_users()).await.cloned()
    }
}

impl Config {
    /// The local users of all tenants, in the store that `[directory]` names; it is made when it is missing.
    ///
    /// # Errors
    ///
    /// When the store cannot be used.
    pub async fn local_users(&self) -> Result<LocalUsers, OpenError> {
        Ok(LocalUsers::new(self.user_store().await?, self.directory.local)?)
    }

    pub(crate) async fn user_store(&self) -> Result<Arc<dyn UserStore>, OpenError> {
        open(self).await
    }
}

async fn open(config: &Config) -> Result<Arc<dyn UserStore>, OpenError> {
    let DirectorySection { place, busy_timeout, .. } = &config.directory;
    match place {
        Place::File(path) => Ok(Arc::new(SqliteUsers::open(path, *busy_timeout).await.map_err(LocalUserError::Store)?)),
        #[cfg(feature = "postgres")]
        Place::Server(url) => {
            let options = crate::config::connect_options("directory.url", url)?;
            Ok(Arc::new(PgUsers::open(options, *busy_timeout).await.map_err(LocalUserError::Store)?))
        }
        #[cfg(not(feature = "postgres"))]
        Place::Server(_) => {
            // Checked before; said again for a configuration that was put together in code.
            config.check()?;
            Err(LocalUserError::Store(UserStoreError {
                place: "on a server".to_owned(),
                source: "this build has no PostgreSQL; build with the feature postgres".into(),
            }))?
        }
    }
}

/// What was made for the application, to be told of tenants that are gone.
#[derive(Debug, Default)]
pub(crate) struct Directories {
    made: RwLock<Vec<Directory>>,
    local: OnceCell<LocalUsers>,
}

impl Directories {
    fn add(&self, directory: Directory) {
        self.made.write().unwrap_or_else(PoisonError::into_inner).push(directory);
    }

    /// Gives up the connections of a tenant that is gone. Its users stay, for whoever removes a tenant to drop: a catalog that
    /// was replaced by an older copy does not know tenants either, and their passwords must not be lost by that.
    pub(crate) fn follow(&self, change: &Change) {
        if matches!(change, Change::Upserted(tenant) if tenant.status != Status::Deleting) {
            return;
        }
        for directory in &*self.made.read().unwrap_or_else(PoisonError::into_inner) {
            directory.evict(change.id());
        }
    }
}
