//! Where an instance is, and where its rows are to go.

use std::{
    convert::Infallible,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

#[cfg(feature = "postgres")]
use tenantry::{PostgresOptions, adopt::postgres};
use tenantry::{
    SqliteOptions, Tenant,
    adopt::{AdoptError, AdoptOptions, Adoption, Survey, adopt, survey},
};

use crate::{deployment::Deployment, failure::Failure};

/// Where an instance is: a SQLite file, or the URL of a PostgreSQL database.
#[derive(Clone, Debug)]
pub(crate) struct Instance(PathBuf);

impl FromStr for Instance {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.into()))
    }
}

impl Instance {
    /// The URL, if it is one.
    fn url(&self) -> Option<&str> {
        let text = self.0.to_str()?;
        let (scheme, _) = text.split_once("://")?;
        matches!(scheme, "postgres" | "postgresql").then_some(text)
    }
}

/// Without a password, and without what may be one.
impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.url() {
            None => self.0.display().fmt(f),
            #[cfg(feature = "postgres")]
            Some(url) => match url.parse::<postgres::Instance>() {
                Ok(instance) => instance.fmt(f),
                Err(_) => f.write_str("the URL"),
            },
            #[cfg(not(feature = "postgres"))]
            Some(_) => f.write_str("the URL"),
        }
    }
}

/// Where rows are to go.
pub(crate) enum Target {
    /// Tables in SQLite.
    Sqlite(Box<SqliteOptions>),
    /// Tables in PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(Box<PostgresOptions>),
}

impl Target {
    /// What the configuration says, if an instance can go there.
    pub(crate) fn of(deployment: &Deployment, from: &Instance) -> Result<Self, Failure> {
        #[cfg(feature = "postgres")]
        if let Some(options) = deployment.config.postgres_options()? {
            if let Some(Err(error)) = from.url().map(str::parse::<postgres::Instance>) {
                return Err(Failure::misused(error.to_string()));
            }
            return Ok(Self::Postgres(Box::new(options)));
        }
        if from.url().is_some() {
            let text = "an instance on PostgreSQL can become a tenant on PostgreSQL only, and the rows are in SQLite";
            return Err(Failure::misused(text).hint("database.url and database.application_url name the database"));
        }
        Ok(Self::Sqlite(Box::new(deployment.config.sqlite_options())))
    }

    /// Adopts an instance.
    pub(crate) async fn adopt(
        &self,
        tenant: &Tenant,
        from: &Instance,
        how: AdoptOptions<'_>,
    ) -> Result<Adoption, AdoptError> {
        match self {
            Self::Sqlite(options) => adopt(options, tenant, from.file(), how).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(options) => postgres::adopt(options, tenant, &from.parsed()?, how).await,
        }
    }

    /// Says what would become of an instance.
    pub(crate) async fn survey(&self, from: &Instance) -> Result<Survey, AdoptError> {
        match self {
            Self::Sqlite(options) => survey(options, from.file()).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(options) => postgres::survey(options, &from.parsed()?).await,
        }
    }

    /// Whether a shared database without a schema takes that of the instance.
    pub(crate) const fn takes_schema(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Whether nothing is left of an adoption that ended so.
    pub(crate) const fn leaves_nothing(&self, error: &AdoptError) -> bool {
        match self {
            Self::Sqlite(_) => error.is_before_all(),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => !matches!(error, AdoptError::InDoubt(_)),
        }
    }
}

impl Instance {
    fn file(&self) -> &Path {
        &self.0
    }

    #[cfg(feature = "postgres")]
    fn parsed(&self) -> Result<postgres::Instance, AdoptError> {
        match self.url() {
            Some(url) => Ok(url.parse()?),
            None => Ok(postgres::Instance::Sqlite(self.0.clone())),
        }
    }
}
