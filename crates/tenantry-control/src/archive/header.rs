//! The first member: what is in the archive, and where it is from.

use std::{collections::HashSet, time::SystemTime};

use serde::{Deserialize, Serialize};
use tenantry_core::{ColumnShape, Counter, Placement, PlanName, RowsSchema, SettingPath, Slug, TableShape, Tenant};

use super::ArchiveError;
use crate::time::in_calendar;

/// The latest format.
pub const FORMAT_VERSION: u64 = 1;

/// What it says of itself.
const FORMAT: &str = "tenantry archive";

/// What is in an archive, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// The version of the format.
    pub version: u64,
    /// The version of the product that has made it.
    pub product: String,
    /// When that was.
    pub made_at: SystemTime,
    /// Whose it is.
    pub tenant: Origin,
    /// Its tables.
    pub schema: RowsSchema,
    /// Settings that are secrets, and were left out.
    pub secrets_left_out: Vec<SettingPath>,
}

/// Who the tenant was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// Its name.
    pub slug: Slug,
    /// Its plan.
    pub plan: PlanName,
    /// Where its rows were.
    pub placement: Placement,
    /// When it was created.
    pub created_at: SystemTime,
}

impl Header {
    pub(super) fn new(tenant: &Tenant, schema: RowsSchema, secrets_left_out: Vec<SettingPath>) -> Self {
        let origin = Origin {
            slug: tenant.slug.clone(),
            plan: tenant.plan.clone(),
            placement: tenant.placement.clone(),
            created_at: tenant.created_at,
        };
        Self {
            version: FORMAT_VERSION,
            product: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: SystemTime::now(),
            tenant: origin,
            schema,
            secrets_left_out,
        }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string_pretty(&Written::from(self)).unwrap_or_default()
    }

    pub(super) fn from_json(text: &[u8]) -> Result<Self, ArchiveError> {
        // What a later version has changed otherwise is not looked at.
        let first: First = serde_json::from_slice(text).map_err(|_| ArchiveError::NotAnArchive)?;
        if first.format != FORMAT {
            return Err(ArchiveError::NotAnArchive);
        }
        if first.version > FORMAT_VERSION {
            let product = shown(&first.product);
            return Err(ArchiveError::Newer { version: first.version, known: FORMAT_VERSION, product });
        }
        let written: Written = serde_json::from_slice(text)
            .map_err(|error| ArchiveError::broken(format!("its header is none: {error}")))?;
        let header = written.read().ok_or_else(|| ArchiveError::broken("its header has values that are none"))?;
        let mut names = HashSet::new();
        match header.schema.tables.iter().find(|table| !names.insert(table.name.as_str())) {
            Some(table) => Err(ArchiveError::broken(format!("it has the table {:?} twice", table.name))),
            None => Ok(header),
        }
    }
}

#[derive(Deserialize)]
struct First {
    format: String,
    version: u64,
    #[serde(default)]
    product: String,
}

/// As it is written.
#[derive(Deserialize, Serialize)]
struct Written {
    format: String,
    version: u64,
    product: String,
    made_at: String,
    tenant: WrittenOrigin,
    database: String,
    fingerprint: String,
    migrations: Vec<String>,
    tables: Vec<WrittenTable>,
    counters: Vec<WrittenCounter>,
    secrets_left_out: Vec<String>,
}

#[derive(Deserialize, Serialize)]
struct WrittenOrigin {
    slug: String,
    plan: String,
    placement: String,
    created_at: String,
}

#[derive(Deserialize, Serialize)]
struct WrittenTable {
    name: String,
    hidden_id: bool,
    columns: Vec<(String, String)>,
}

#[derive(Deserialize, Serialize)]
struct WrittenCounter {
    sequence: Option<String>,
    table: Option<String>,
    last: i64,
}

impl From<&Header> for Written {
    fn from(header: &Header) -> Self {
        let Header { tenant, schema, .. } = header;
        let table = |table: &TableShape| WrittenTable {
            name: table.name.clone(),
            hidden_id: table.has_hidden_id,
            columns: table.columns.iter().map(|column| (column.name.clone(), column.kind.clone())).collect(),
        };
        let counter = |counter: &Counter| WrittenCounter {
            sequence: counter.sequence.clone(),
            table: counter.table.clone(),
            last: counter.last,
        };
        Self {
            format: FORMAT.to_owned(),
            version: header.version,
            product: header.product.clone(),
            made_at: written_time(header.made_at),
            tenant: WrittenOrigin {
                slug: tenant.slug.to_string(),
                plan: tenant.plan.to_string(),
                placement: tenant.placement.to_string(),
                created_at: written_time(tenant.created_at),
            },
            database: schema.database.clone(),
            fingerprint: schema.fingerprint.clone(),
            migrations: schema.migrations.clone(),
            tables: schema.tables.iter().map(table).collect(),
            counters: schema.counters.iter().map(counter).collect(),
            secrets_left_out: header.secrets_left_out.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Written {
    fn read(self) -> Option<Header> {
        let column = |(name, kind): (String, String)| ColumnShape { name, kind };
        let table = |table: WrittenTable| TableShape {
            name: table.name,
            has_hidden_id: table.hidden_id,
            columns: table.columns.into_iter().map(column).collect(),
        };
        let counter =
            |counter: WrittenCounter| Counter { sequence: counter.sequence, table: counter.table, last: counter.last };
        Some(Header {
            version: self.version,
            product: shown(&self.product),
            made_at: humantime::parse_rfc3339(&self.made_at).ok()?,
            tenant: Origin {
                slug: self.tenant.slug.parse().ok()?,
                plan: self.tenant.plan.parse().ok()?,
                placement: self.tenant.placement.parse().ok()?,
                created_at: humantime::parse_rfc3339(&self.tenant.created_at).ok()?,
            },
            schema: RowsSchema {
                database: self.database,
                fingerprint: self.fingerprint,
                migrations: self.migrations,
                tables: self.tables.into_iter().map(table).collect(),
                counters: self.counters.into_iter().map(counter).collect(),
            },
            secrets_left_out: self.secrets_left_out.iter().map(|path| path.parse().ok()).collect::<Option<_>>()?,
        })
    }
}

/// A version is shown as it is, so that nothing may be in it that a terminal obeys.
fn shown(product: &str) -> String {
    product.chars().filter(|char| !char.is_control()).take(PRODUCT_MAX).collect()
}

/// Longer than any version.
const PRODUCT_MAX: usize = 40;

/// Of a time that no calendar has, the beginning of all is written.
fn written_time(time: SystemTime) -> String {
    humantime::format_rfc3339(in_calendar(time).unwrap_or(SystemTime::UNIX_EPOCH)).to_string()
}
