//! What a tenant has, in a form in which it can be taken elsewhere.
//!
//! Whoever writes and reads archives knows neither databases nor buckets, and who has those knows no archives: these traits
//! are what is between.

use std::{error::Error, fmt};

use crate::{BoxFuture, Overrides, PlaneError, SettingPath, Tenant};

/// Any error.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Rows of tenants that can be given out and taken in. No scope is needed: a tenant that is suspended is exported as well,
/// and one that is imported is not served yet.
///
/// Rows travel as lines, of which only the two ends need to know what is in them.
pub trait PortableRows: Send + Sync + 'static {
    /// Begins to give out the rows of a tenant as they are at this moment, whatever is written to them later.
    fn give<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Box<dyn GivesRows>, PlaneError>>;

    /// Whether rows that were given out with this schema could be taken in for such a tenant, who need not be there. Nothing is
    /// written. The error is the one that [`PortableRows::take`] would have, and lists what does not fit.
    fn fits<'a>(&'a self, tenant: &'a Tenant, schema: &'a RowsSchema) -> BoxFuture<'a, Result<(), PlaneError>>;

    /// Begins to take in rows that were given out with this schema, for a tenant that has none. What an earlier call has taken
    /// in and not finished is removed first. The error lists what does not fit.
    fn take<'a>(
        &'a self,
        tenant: &'a Tenant,
        schema: &'a RowsSchema,
    ) -> BoxFuture<'a, Result<Box<dyn TakesRows>, PlaneError>>;
}

/// Gives out the rows of a tenant, table by table.
pub trait GivesRows: Send {
    /// Which tables there are, in the order in which their rows come.
    fn schema(&self) -> &RowsSchema;

    /// The next rows; nothing after the last.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<RowsPart>, PlaneError>>;
}

/// Takes in the rows of a tenant. When it is dropped before it is finished, none of them is seen.
pub trait TakesRows: Send {
    /// Takes some rows of the table with this number.
    fn take(&mut self, part: RowsPart) -> BoxFuture<'_, Result<(), PlaneError>>;

    /// All have come, and are what was given out: they become the tenant's, all at once. Says how many there are.
    fn finish<'a>(self: Box<Self>) -> BoxFuture<'a, Result<u64, PlaneError>>
    where
        Self: 'a;
}

/// Some rows of one table, as whole lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowsPart {
    /// The table, by its number in the schema.
    pub table: usize,
    /// How many they are.
    pub rows: u64,
    /// A line each.
    pub lines: Vec<u8>,
}

/// The tables that a tenant has rows in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowsSchema {
    /// The kind of database: `sqlite` or `postgresql`.
    pub database: String,
    /// Changes with the tables, their columns and the migrations.
    pub fingerprint: String,
    /// Which migrations have run, each with its version first.
    pub migrations: Vec<String>,
    /// The tables.
    pub tables: Vec<TableShape>,
    /// How far ids have been given out.
    pub counters: Vec<Counter>,
}

/// A table, as its rows are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableShape {
    /// Its name.
    pub name: String,
    /// Whether a row begins with a row id that no column shows.
    pub has_hidden_id: bool,
    /// The columns of a row; those left out that are computed.
    pub columns: Vec<ColumnShape>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnShape {
    /// Its name.
    pub name: String,
    /// Its type, as the database writes it.
    pub kind: String,
}

/// How far ids have been given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// What counts, where that has a name of its own.
    pub sequence: Option<String>,
    /// Whose ids are counted, if it is those of one table.
    pub table: Option<String>,
    /// The last one that was given.
    pub last: i64,
}

/// Uploads of tenants that can be given out and taken in.
pub trait PortableUploads: Send + Sync + 'static {
    /// Begins to give out the uploads of a tenant. One that is replaced meanwhile comes as it was or as it is, never as a
    /// mixture; what is added or removed meanwhile may come or not.
    fn give<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Box<dyn GivesUploads>, PlaneError>>;

    /// Takes in an upload, in the place of one that has its name. Until its body has ended nothing is seen of it.
    fn take<'a>(
        &'a self,
        tenant: &'a Tenant,
        head: &'a UploadHead,
        body: &'a mut dyn Chunks,
    ) -> BoxFuture<'a, Result<(), PlaneError>>;
}

/// Gives out the uploads of a tenant.
pub trait GivesUploads: Send {
    /// The next one; nothing after the last.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<GivenUpload>, PlaneError>>;
}

/// An upload that is given out.
pub struct GivenUpload {
    /// What it is.
    pub head: UploadHead,
    /// What is in it: exactly as much as the head says.
    pub body: Box<dyn Chunks>,
}

impl fmt::Debug for GivenUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GivenUpload").field("head", &self.head).finish_non_exhaustive()
    }
}

/// What an upload is, besides its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadHead {
    /// Its name.
    pub name: String,
    /// What it was said to be.
    pub content_type: String,
    /// How much content it has.
    pub bytes: u64,
}

/// Bytes that come one piece after the other.
pub trait Chunks: Send {
    /// The next piece; nothing after the last.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, BoxError>>;
}

/// Settings of tenants that can be given out and taken in.
pub trait PortableSettings: Send + Sync + 'static {
    /// What is set for a tenant itself, and the paths of the secrets that are left out. With a passphrase none is: they are
    /// encrypted with it.
    ///
    /// # Errors
    ///
    /// When a secret cannot be opened.
    fn give(&self, tenant: &Tenant, secrets: Option<&Passphrase>) -> Result<(Overrides, Vec<SettingPath>), BoxError>;

    /// The same as it is stored for this tenant.
    ///
    /// # Errors
    ///
    /// When there are secrets and no passphrase, or another one.
    fn take(&self, tenant: &Tenant, given: &Overrides, secrets: Option<&Passphrase>) -> Result<Overrides, BoxError>;

    /// What is set for a tenant itself, as it is stored for another one of the same deployment.
    ///
    /// # Errors
    ///
    /// When a secret cannot be opened.
    fn copy(&self, from: &Tenant, to: &Tenant) -> Result<Overrides, BoxError>;
}

/// What secrets are encrypted with in an archive. It is not shown.
#[derive(Clone)]
pub struct Passphrase(String);

impl Passphrase {
    /// This text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}
