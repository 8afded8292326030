//! Which tenants were adopted, and from what.

use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use super::{agreement::Facts, sequences::Counted, source::Adopted};

/// An adoption.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Record {
    /// The source, without the password.
    pub(super) source: String,
    /// What the source had in it.
    pub(super) fingerprint: String,
}

/// The record of a tenant.
pub(super) async fn of(tenant: i64, owner: &mut PgConnection) -> Result<Option<Record>, sqlx::Error> {
    let text = "SELECT source, fingerprint FROM tenantry.adoptions WHERE tenant = $1";
    sqlx::query_as(text).bind(tenant).fetch_optional(owner).await
}

/// Writes the record of a tenant.
pub(super) async fn write(tenant: i64, record: &Record, owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    let text = "INSERT INTO tenantry.adoptions (tenant, source, fingerprint) VALUES ($1, $2, $3)";
    let write = sqlx::query(text).bind(tenant).bind(&record.source).bind(&record.fingerprint);
    write.execute(owner).await.map(drop)
}

/// Changes with anything that is adopted.
pub(super) fn fingerprint(facts: &Facts, tables: &[Adopted], counted: &[Counted]) -> String {
    let facts = facts.iter().map(|facts| format!("{facts:?}"));
    let tables = tables.iter().map(|table| format!("{:?}", (&table.rows.table, &table.checksum)));
    let counted = counted.iter().map(|counted| format!("{:?}", (&counted.name, counted.last)));
    let mut hash = Sha256::new();
    for line in facts.chain(tables).chain(counted) {
        hash.update(line.len().to_le_bytes());
        hash.update(line);
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
