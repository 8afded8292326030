//! The application's settings, for each tenant.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};
pub use tenantry_core::{Overrides, SettingChange, SettingPath, SettingPathError};
use tenantry_resource::MasterKeys;
pub use tenantry_resource::settings::{
    Described, Drifted, Layer, Secret, SettingRefused, Settings, SettingsError, Sourced,
};

use crate::{OpenError, Tenancy, config::Config, keys};

impl Config {
    /// The master keys that the configuration leads to; the file is made when it is missing.
    ///
    /// # Errors
    ///
    /// When there are none that can be used.
    pub fn master_keys(&self) -> Result<MasterKeys, OpenError> {
        keys::load(&self.keys)
    }
}

impl Tenancy {
    /// The settings of the application: a struct of its own, whose defaults hold where a tenant's plan, its template and the
    /// tenant itself say nothing.
    ///
    /// The catalog is told which settings there are, so that `tenantry settings` knows them.
    ///
    /// ```no_run
    /// # async fn example(tenancy: tenantry::Tenancy) -> Result<(), Box<dyn std::error::Error>> {
    /// use serde::{Deserialize, Serialize};
    /// use tenantry::settings::Secret;
    ///
    /// #[derive(Default, Serialize, Deserialize)]
    /// #[serde(default)]
    /// struct Own { title: String, smtp_password: Secret }
    ///
    /// let settings = tenancy.settings::<Own>().await?;
    /// // Within a request:
    /// let title = &settings.current()?.title;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When there are no master keys, or the struct cannot be written as JSON.
    pub async fn settings<T>(&self) -> Result<Settings<T>, OpenError>
    where
        T: Default + Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let (defaults, keys) = (T::default(), self.config().master_keys()?);
        let described = Described::new(&defaults)?;
        // A process that only serves may not be allowed to write there.
        if let Err(error) = self.catalog().describe_settings(&described.to_json()).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the catalog was not told which settings there are"
            );
        }
        Ok(Settings::new(&defaults, Arc::clone(self.mirror()), keys)?)
    }
}
