//! The configuration that a command works with, and the catalog it leads to.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use tenantry::{
    Act, CatalogError, CatalogStore, Deed, OpenError, OpenOptions, Tenant, Unscoped,
    config::Config,
    control::Control,
    directory::{LocalUserError, LocalUsers},
};

use crate::{failure::Failure, progress::Progress};

/// A configuration, and where it is from.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) config: Config,
    pub(crate) file: Option<PathBuf>,
    /// Why something is done.
    why: Option<String>,
}

impl Deployment {
    /// Reads the file that was named; or else the one that has the usual name, if it is there.
    pub(crate) fn load(named: Option<&Path>, why: Option<String>) -> Result<Self, Failure> {
        let usual = Path::new(Config::FILE_NAME);
        match named.or_else(|| usual.exists().then_some(usual)) {
            Some(file) => Ok(Self { config: Config::load(file)?, file: Some(file.to_owned()), why }),
            None => Ok(Self { config: Config::default(), file: None, why }),
        }
    }

    /// Opens the catalog, which has to be there.
    pub(crate) async fn catalog(&self) -> Result<CatalogStore, Failure> {
        self.open(OpenOptions::must_exist()).await
    }

    /// Opens the catalog, and makes it where there is none.
    pub(crate) async fn catalog_or_new(&self) -> Result<CatalogStore, Failure> {
        self.open(OpenOptions::create_if_missing()).await
    }

    async fn open(&self, options: OpenOptions) -> Result<CatalogStore, Failure> {
        let options = options.act(self.act());
        CatalogStore::open(&self.config.catalog, options).await.map_err(|error| self.failed(error))
    }

    /// Who is at the command line.
    pub(crate) fn act(&self) -> Act {
        let variable = |name| env::var(name).ok().filter(|text| !text.is_empty());
        let who = variable("SUDO_USER").or_else(|| variable("USER")).or_else(|| variable("LOGNAME"));
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = if host.trim().is_empty() { "this machine" } else { host.trim() };
        let act = Act::of(who.unwrap_or_else(unnamed), format!("the command line on {host}"));
        match &self.why {
            Some(why) => act.because(why),
            None => act,
        }
    }

    /// Writes to the audit log that a tenant is looked after without its scope, before that is done.
    pub(crate) async fn note(
        &self,
        catalog: &CatalogStore,
        tenant: &Tenant,
        why: Unscoped,
    ) -> Result<Unscoped, Failure> {
        let deed = Deed { slug: Some(tenant.slug.clone()), ..Deed::unscoped(&why, 1, SystemTime::now()) };
        let audit = catalog.audit();
        audit.note(audit.act(), &deed).await.map_err(|error| self.failed(error))?;
        Ok(why)
    }

    /// A failure of the catalog, with a hint where its path or URL is from.
    pub(crate) fn failed(&self, error: CatalogError) -> Failure {
        let about_place = matches!(error, CatalogError::Unavailable { .. } | CatalogError::Corrupt { .. });
        let failure = Failure::from(error);
        if about_place {
            failure.hint(self.origin(&format!("catalog.{}", self.config.catalog.place.key())))
        } else {
            failure
        }
    }

    /// What looks after the tenants of a catalog and all that they have.
    pub(crate) async fn control(&self, catalog: &CatalogStore) -> Result<Control, Failure> {
        Ok(self.config.control(catalog).await?)
    }

    /// The same, which shows how far it is.
    pub(crate) async fn control_showing(
        &self,
        catalog: &CatalogStore,
        progress: &Progress,
    ) -> Result<Control, Failure> {
        Ok(self.config.control_telling(catalog, progress.listener()).await?)
    }

    /// The same, where nothing is to be done.
    pub(crate) async fn control_for_dry_run(&self, catalog: &CatalogStore) -> Result<Control, Failure> {
        Ok(self.config.control_for_dry_runs(catalog).await?)
    }

    /// Opens the store of local users, and makes it where there is none.
    pub(crate) async fn local_users(&self) -> Result<LocalUsers, Failure> {
        self.config.local_users().await.map_err(|error| match error {
            OpenError::Users(error) => self.users_failed(error),
            other => other.into(),
        })
    }

    /// A failure with local users, with a hint where the path or URL of their store is from.
    pub(crate) fn users_failed(&self, error: LocalUserError) -> Failure {
        let about_place = matches!(error, LocalUserError::Store(_));
        let failure = Failure::from(error);
        if about_place {
            failure.hint(self.origin(&format!("directory.{}", self.config.directory.place.key())))
        } else {
            failure
        }
    }

    /// Where the value of a key is from.
    pub(crate) fn origin(&self, key: &str) -> String {
        match &self.file {
            Some(file) => format!("{key} in {} says where it is", file.display()),
            None => format!("there is no {} here, so {key} has its default; --config names another", Config::FILE_NAME),
        }
    }
}

/// Who is at the command line, where the environment has no name.
#[cfg(unix)]
fn unnamed() -> String {
    format!("user {}", rustix::process::getuid().as_raw())
}

#[cfg(not(unix))]
fn unnamed() -> String {
    "somebody".to_owned()
}
