//! The whole file.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tenantry_core::{PlanName, Plans};

use super::{
    ArchiveSection, AuditSection, CacheSection, CatalogSection, ConfigError, CookiesSection, DatabaseSection,
    DirectorySection, EntranceSection, HtmlSection, InstancesSection, JobsSection, KeysSection, LifecycleSection,
    MetricsSection, MigrateSection, PlanSection, ProxiesSection, ResolveSection, TrialSection, UploadsPlace,
    UploadsSection, UsageSection, check, plans, value,
};

/// Everything that `tenantry.toml` can say, with the default for what it does not say.
///
/// ```
/// use std::{path::Path, time::Duration};
/// use tenantry::config::Config;
///
/// let config = Config::parse("[instances]\nidle = \"5m\"", Path::new("/etc/acme"))?;
/// assert_eq!(config.instances.idle, Duration::from_secs(300));
/// assert_eq!(config.database.shared, Path::new("/etc/acme/shared.db"));
/// # Ok::<(), tenantry::config::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Where the tenants are registered.
    pub catalog: CatalogSection,
    /// Where the tenants' rows are.
    pub database: DatabaseSection,
    /// How a request names its tenant.
    pub resolve: ResolveSection,
    /// Which peers are believed about the requests that they pass on.
    pub proxies: ProxiesSection,
    /// Where the master keys are.
    pub keys: KeysSection,
    /// What happens to cookies.
    pub cookies: CookiesSection,
    /// What happens to pages.
    pub html: HtmlSection,
    /// What a file that becomes a tenant may ask for.
    pub archive: ArchiveSection,
    /// What is written to the audit log besides changes.
    pub audit: AuditSection,
    /// Where tenants cache, and how much.
    pub cache: CacheSection,
    /// The local users, and how many servers are connected to.
    pub directory: DirectorySection,
    /// Links that let somebody into a tenant.
    pub entrance: EntranceSection,
    /// How many applications live, and how long.
    pub instances: InstancesSection,
    /// Work that is done later.
    pub jobs: JobsSection,
    /// How tenants are looked after.
    pub lifecycle: LifecycleSection,
    /// What is counted.
    pub metrics: MetricsSection,
    /// How databases of tenants' own are migrated.
    pub migrate: MigrateSection,
    /// What the public gets to try.
    pub trial: TrialSection,
    /// Where the tenants' files are.
    pub uploads: UploadsSection,
    /// How it is kept what tenants use.
    pub usage: UsageSection,
    /// What tenants may use. The plan `default` is always there, whatever a file lists.
    #[serde(with = "value::by_plan_name")]
    pub plans: BTreeMap<PlanName, PlanSection>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            catalog: CatalogSection::default(),
            database: DatabaseSection::default(),
            resolve: ResolveSection::default(),
            proxies: ProxiesSection::default(),
            keys: KeysSection::default(),
            cookies: CookiesSection::default(),
            html: HtmlSection::default(),
            archive: ArchiveSection::default(),
            audit: AuditSection::default(),
            cache: CacheSection::default(),
            directory: DirectorySection::default(),
            entrance: EntranceSection::default(),
            instances: InstancesSection::default(),
            jobs: JobsSection::default(),
            lifecycle: LifecycleSection::default(),
            metrics: MetricsSection::default(),
            migrate: MigrateSection::default(),
            trial: TrialSection::default(),
            uploads: UploadsSection::default(),
            usage: UsageSection::default(),
            plans: BTreeMap::from([(PlanName::default(), PlanSection::default())]),
        }
    }
}

impl Config {
    /// The name that the file has unless somebody says otherwise.
    pub const FILE_NAME: &str = "tenantry.toml";

    /// Reads a file. Relative paths in it are relative to it.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] when the file cannot be read, is no TOML, has a key that is not known, or contradicts itself.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text =
            fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Self::read(&text, path.parent().unwrap_or(Path::new("")), path.display().to_string())
    }

    /// Like [`Config::load`], but the defaults where there is no file.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn load_or_default(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        match Self::load(path.as_ref()) {
            Err(ConfigError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            other => other,
        }
    }

    /// Reads a text whose relative paths are relative to `base`.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn parse(text: &str, base: &Path) -> Result<Self, ConfigError> {
        Self::read(text, base, "the configuration".to_owned())
    }

    /// Says everything that is wrong between the keys, for a configuration that was put together in code.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] with every problem.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_as("the configuration".to_owned())
    }

    /// The plans, `default` among them.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] when a plan limits the burst of a rate that it does not limit, or the other way round.
    pub fn plans(&self) -> Result<Plans, ConfigError> {
        plans::plans(&self.plans)
            .map_err(|problems| ConfigError::Invalid { place: "the configuration".to_owned(), problems })
    }

    /// The configuration as TOML, defaults included.
    pub fn to_toml(&self) -> String {
        // Every key is a string and every value has a TOML form, so there is nothing that can fail.
        toml::to_string(self).unwrap_or_default()
    }

    fn read(text: &str, base: &Path, place: String) -> Result<Self, ConfigError> {
        let mut config: Self =
            toml::from_str(text).map_err(|error| ConfigError::syntax(place.clone(), text, &error))?;
        config.plans.entry(PlanName::default()).or_default();
        config.paths().for_each(|path| *path = base.join(&*path));
        config.check_as(place)?;
        Ok(config)
    }

    fn check_as(&self, place: String) -> Result<(), ConfigError> {
        let problems = check::problems(self);
        if problems.is_empty() { Ok(()) } else { Err(ConfigError::Invalid { place, problems }) }
    }

    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let claim = self.resolve.claim.as_mut().and_then(|claim| claim.keys.path_mut());
        let stores = [self.catalog.place.path_mut(), self.directory.place.path_mut(), self.jobs.place.path_mut()];
        let uploads = match &mut self.uploads.place {
            UploadsPlace::Folder(path) => Some(path),
            UploadsPlace::Bucket(_) => None,
        };
        let database = &mut self.database;
        let files = [&mut database.shared, &mut database.dedicated, &mut self.keys.file];
        files
            .into_iter()
            .chain(database.migrations.as_mut())
            .chain(stores.into_iter().flatten())
            .chain(uploads)
            .chain(claim)
    }
}
