//! Tables and views.

use std::sync::Arc;

use crate::Name;

/// What a name in a `FROM` clause can mean, besides a common table expression.
#[derive(Clone, Debug)]
pub enum Relation {
    /// A table whose rows belong to tenants.
    Tenant(Arc<Table>),
    /// A table that all tenants read and none may change.
    Global(Arc<Table>),
    /// A view.
    View(Arc<View>),
}

impl Relation {
    /// Its name.
    pub fn name(&self) -> &Name {
        match self {
            Self::Tenant(table) | Self::Global(table) => &table.name,
            Self::View(view) => &view.name,
        }
    }

    /// The table, if its rows belong to tenants.
    pub(crate) fn tenant(&self) -> Option<&Table> {
        match self {
            Self::Tenant(table) => Some(table),
            Self::Global(_) | Self::View(_) => None,
        }
    }
}

/// A table as the application declared it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: Name,
    /// The number that its ids are given out under; it stays when the table is renamed.
    pub number: i64,
    /// Its columns in their order.
    pub columns: Vec<Column>,
    /// What its row id is.
    pub row_id: RowId,
    /// Whether its `INTEGER PRIMARY KEY` is `AUTOINCREMENT`.
    pub auto_increment: bool,
    /// The columns of its primary key.
    pub primary_key: Vec<Name>,
    /// Its foreign keys, in the order of the declaration.
    pub foreign_keys: Vec<ForeignKey>,
    /// What only PostgreSQL's rules ask for.
    pub postgres: PostgresFacts,
}

/// What the rules for PostgreSQL ask of a table besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostgresFacts {
    /// The names of its primary key, unique and exclusion constraints: what `ON CONFLICT ON CONSTRAINT` may name. They
    /// are the same in the shared schema.
    pub constraints: Vec<Name>,
    /// The columns whose types cannot be compared, as `json`, `xml` and `point`: nothing can be grouped by them.
    pub incomparable: Vec<Name>,
    /// Whether deleting rows fires triggers, which `TRUNCATE` would not do.
    pub row_triggers: bool,
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &Name) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }

    /// The columns that `INSERT` without a list of columns fills.
    pub fn insertable(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.generated)
    }

    /// The column of the shared table that holds the row id, if there is one.
    pub fn id_column(&self) -> Option<&str> {
        match &self.row_id {
            RowId::Column(key) => Some(key.as_str()),
            RowId::Hidden => Some(crate::ROW_ID),
            RowId::None => None,
        }
    }

    /// The columns of the shared table of a tenant's table, in their order: the tenant, the row id, and all others.
    pub fn physical_columns(&self) -> impl Iterator<Item = &str> {
        let others = self.columns.iter().map(|column| column.name.as_str());
        let others = others.filter(|name| Some(*name) != self.id_column());
        std::iter::once(crate::TENANT).chain(self.id_column()).chain(others)
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Name,
    /// Whether its value is computed from other columns.
    pub generated: bool,
}

/// A foreign key of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKey {
    /// The columns that refer.
    pub columns: Vec<Name>,
    /// The table that is referred to; it need not exist.
    pub parent: Name,
    /// The columns that are referred to; none when they are left out and the parent's primary key is meant.
    pub parent_columns: Vec<Name>,
    /// What happens when the row that is referred to is deleted.
    pub on_delete: Action,
    /// What happens when what is referred to changes.
    pub on_update: Action,
    /// Whether it is checked at the end of the transaction.
    pub deferred: bool,
    /// Whether it was declared with its column, and goes when that is dropped.
    pub of_column: bool,
}

/// What a foreign key does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// It refuses, at the end of the statement or of the transaction.
    #[default]
    Nothing,
    /// It refuses at once.
    Restrict,
    /// It deletes or changes the row as well.
    Cascade,
    /// It sets the columns to `NULL`.
    SetNull,
    /// It sets the columns to their defaults: these expressions.
    SetDefault(Vec<String>),
}

/// What `rowid`, `oid` and `_rowid_` mean in a SQLite table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowId {
    /// The `INTEGER PRIMARY KEY` column of this name.
    Column(Name),
    /// A number that no column shows; the shared table keeps it in [`crate::ROW_ID`].
    Hidden,
    /// Nothing: the table was declared `WITHOUT ROWID`.
    None,
}

/// A view as the application declared it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: Name,
    /// The names of its columns, if the declaration lists them.
    pub columns: Option<Vec<Name>>,
    /// Its `SELECT`, as the application wrote it.
    pub body: String,
}
