//! What is adopted: a database on a server, or a file.

use std::collections::HashMap;

use sqlx::{Connection, PgConnection};

use super::{
    agreement,
    copy::{self, CopyError, Told, stage},
    file,
    instance::Instance,
    record,
    rows::{Rows, Sum},
    sequences::{self, Counted},
    server::Server,
};
use crate::{
    adopt::{AdoptError, Difference, elsewhere::InstanceFile},
    postgres::PostgresOptions,
};

/// What is adopted.
pub(super) enum Source {
    Server(Box<Server>),
    File(Box<InstanceFile>),
}

/// A table that is adopted.
#[derive(Clone, Debug)]
pub(in crate::postgres) struct Adopted {
    pub(in crate::postgres) rows: Rows,
    /// How many rows the source has.
    pub(in crate::postgres) count: u64,
    /// Their checksum, as the source computes it.
    pub(in crate::postgres) checksum: String,
    /// What their sum is on a server, as soon as they are on one.
    pub(in crate::postgres) sum: Option<Sum>,
}

impl Source {
    /// Opens it, to be read.
    pub(super) async fn open(from: &Instance, options: &PostgresOptions) -> Result<Self, AdoptError> {
        Ok(match from {
            Instance::Postgres(server) => Self::Server(Box::new(Server::open(server).await?)),
            Instance::Sqlite(file) => Self::File(Box::new(InstanceFile::open(file, &options.limits).await?)),
        })
    }

    /// In what its schema differs from that of the shared database.
    pub(super) async fn differences(&mut self, shared: &mut PgConnection) -> Result<Vec<Difference>, AdoptError> {
        match self {
            Self::Server(server) => {
                let theirs = agreement::facts(shared).await?;
                let mut differences = agreement::differences(&server.facts().await?, &theirs);
                let migrations = agreement::migrations("tenantry", shared).await?;
                differences.extend(agreement::of_migrations(server.migrations().await?.as_ref(), migrations.as_ref()));
                Ok(differences)
            }
            Self::File(file) => Ok(agreement::of_file(&file.tables(), &Rows::all(shared).await?)),
        }
    }

    /// What it has in the tables.
    pub(super) async fn count(&mut self, tables: Vec<Rows>) -> Result<Vec<Adopted>, AdoptError> {
        let mut adopted = Vec::new();
        for rows in tables {
            adopted.push(match self {
                Self::Server(server) => {
                    let sum = server.sum(&rows).await?;
                    Adopted { rows, count: sum.rows, checksum: sum.to_string(), sum: Some(sum) }
                }
                Self::File(file) => {
                    let (count, checksum) = file.sum(&rows.table).unwrap_or_default();
                    Adopted { rows, count, checksum, sum: None }
                }
            });
        }
        Ok(adopted)
    }

    /// Changes with anything that is adopted.
    pub(super) async fn fingerprint(&mut self, tables: &[Adopted]) -> Result<String, AdoptError> {
        Ok(match self {
            Self::Server(server) => record::fingerprint(&server.facts().await?, tables, &server.counted().await?),
            Self::File(file) => file.fingerprint().to_owned(),
        })
    }

    /// Brings a table's rows to the server.
    pub(super) async fn copy(
        &mut self,
        at: usize,
        rows: &Rows,
        owner: &mut PgConnection,
        told: &mut Told<'_>,
    ) -> Result<u64, CopyError> {
        copy::make(&stage(at), rows, owner).await.map_err(CopyError::Target)?;
        match self {
            Self::Server(server) => {
                let out = format!("COPY {} ({}) TO STDOUT", rows.public(), rows.list());
                copy::copy(&out, rows, &mut server.connection, &stage(at), owner, told).await
            }
            Self::File(file) => file::copy(rows, file, &stage(at), owner, told).await,
        }
    }

    /// How far ids have been given out, after all rows have been brought.
    pub(super) async fn counted(
        &mut self,
        tables: &[Adopted],
        owner: &mut PgConnection,
    ) -> Result<Vec<Counted>, AdoptError> {
        match self {
            Self::Server(server) => Ok(server.counted().await?),
            Self::File(file) => {
                let counted: HashMap<_, _> = file.counted().await?.into_iter().collect();
                Ok(sequences::of_columns(tables, &counted, owner).await?)
            }
        }
    }

    /// Refuses a source that has changed since it was opened. A server shows it as it was.
    pub(super) async fn is_as_read(&mut self) -> Result<(), AdoptError> {
        match self {
            Self::Server(_) => Ok(()),
            Self::File(file) => file.is_as_read().await,
        }
    }

    /// What it means that it cannot be read.
    pub(super) fn failed(&self, error: sqlx::Error) -> AdoptError {
        match self {
            Self::Server(server) => server.failed(error).into(),
            Self::File(file) => file.failed(error).into(),
        }
    }

    pub(super) async fn close(self) {
        if let Self::Server(server) = self {
            server.connection.close().await.ok();
        }
    }
}

impl Adopted {
    /// In what other rows differ.
    pub(super) fn differs(&self, there: Sum) -> String {
        if self.count == there.rows {
            return format!("the checksums of all {} rows", self.count);
        }
        format!("{} rows in the source, {} in the shared table", self.count, there.rows)
    }
}
