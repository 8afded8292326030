//! What the generator and the oracle know of a schema, read from a private database.

use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use crate::standard::quoted;

/// The tables and views of an application.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Schema {
    /// In the order of their creation.
    pub tables: Vec<Table>,
    /// In the order of their creation.
    pub views: Vec<View>,
}

/// A table.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Table {
    /// Its name.
    pub name: String,
    /// All columns, generated ones included.
    pub columns: Vec<Column>,
    /// What `rowid` means in it.
    pub row_id: RowId,
    /// The columns of its primary key; none if it has none.
    pub primary_key: Vec<String>,
    /// The columns of each unique key, the primary key included; partial ones and those on expressions are left out.
    pub unique: Vec<Vec<String>>,
    /// Its references to others.
    pub foreign_keys: Vec<ForeignKey>,
    /// The names of its indexes, except partial ones and those that belong to constraints.
    pub indexes: Vec<String>,
}

/// What `rowid`, `oid` and `_rowid_` mean in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowId {
    /// The `INTEGER PRIMARY KEY` of this name.
    Column(String),
    /// A number that no column shows.
    Hidden,
    /// Nothing.
    None,
}

/// A column of a table or of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are likely to be.
    pub class: Class,
    /// Whether it may be `NULL`.
    pub nullable: bool,
    /// Whether its value is computed from others.
    pub generated: bool,
}

/// What the values of a column are likely to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Whole numbers.
    Integer,
    /// Floating-point numbers.
    Real,
    /// Text.
    Text,
    /// Bytes, or anything.
    Blob,
    /// Text that is JSON.
    Json,
}

/// A reference to another table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForeignKey {
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The table that is referred to.
    pub table: String,
    /// Its columns; none for its primary key.
    pub to: Vec<String>,
}

/// A view.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct View {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
}

impl Schema {
    /// Reads the schema of a private database.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn read(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let list =
            "SELECT m.name, m.type, coalesce((SELECT wr FROM pragma_table_list(m.name) WHERE schema = 'main'), 0)
                    FROM sqlite_schema m WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                    ORDER BY m.rowid";
        let mut schema = Self::default();
        for row in sqlx::query(list).fetch_all(&mut *connection).await? {
            let (name, kind): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let columns = columns(connection, &name).await?;
            if kind == "view" {
                let columns = columns.into_iter().map(|(column, _)| column).collect();
                schema.views.push(View { name, columns });
            } else {
                let without_row_id: i64 = row.try_get(2)?;
                schema.tables.push(table(connection, name, columns, without_row_id != 0).await?);
            }
        }
        Ok(schema)
    }

    /// The table of this name, in any case.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }
}

impl Table {
    /// The columns that `INSERT` without a list fills.
    pub fn insertable(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.generated)
    }

    /// Whether a column is part of the primary key, of a unique key or of a foreign key.
    pub fn is_key(&self, column: &str) -> bool {
        let refers = self.foreign_keys.iter().map(|key| &key.columns);
        self.unique.iter().chain([&self.primary_key]).chain(refers).any(|key| key.iter().any(|name| name == column))
    }

    /// The query that gives all that can be seen of it: the row id, if there is one, and all columns.
    pub fn select_all(&self) -> String {
        let columns: Vec<_> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        let row_id = if self.row_id == RowId::None { "" } else { "rowid, " };
        format!("SELECT {row_id}{} FROM main.{}", columns.join(", "), quoted(&self.name))
    }
}

/// The columns, and the place of each in the primary key.
async fn columns(connection: &mut SqliteConnection, of: &str) -> Result<Vec<(Column, i64)>, sqlx::Error> {
    let text = "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid";
    let rows = sqlx::query(text).bind(of).fetch_all(connection).await?;
    let mut columns = Vec::with_capacity(rows.len());
    for row in rows {
        let (declared, not_null, key): (String, i64, i64) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let hidden: i64 = row.try_get(4)?;
        let (class, nullable, generated) = (Class::of(&declared), not_null == 0, hidden >= 2);
        columns.push((Column { name: row.try_get(0)?, class, nullable, generated }, key));
    }
    Ok(columns)
}

impl Class {
    /// By the declared type, as SQLite tells affinities.
    fn of(declared: &str) -> Self {
        let declared = declared.to_ascii_uppercase();
        let says = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
        if says(&["JSON"]) {
            Self::Json
        } else if says(&["INT"]) {
            Self::Integer
        } else if says(&["CHAR", "CLOB", "TEXT"]) {
            Self::Text
        } else if declared.is_empty() || says(&["BLOB"]) {
            Self::Blob
        } else if says(&["REAL", "FLOA", "DOUB"]) {
            Self::Real
        } else {
            Self::Integer
        }
    }
}

async fn table(
    connection: &mut SqliteConnection,
    name: String,
    columns: Vec<(Column, i64)>,
    without_row_id: bool,
) -> Result<Table, sqlx::Error> {
    let mut keys: Vec<_> = columns.iter().filter(|(_, place)| *place > 0).collect();
    keys.sort_by_key(|(_, place)| *place);
    let primary_key: Vec<_> = keys.into_iter().map(|(column, _)| column.name.clone()).collect();
    let mut columns: Vec<_> = columns.into_iter().map(|(column, _)| column).collect();

    let (mut unique, mut indexes, mut indexed_key) = (Vec::new(), Vec::new(), false);
    let text = "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?) ORDER BY seq";
    for row in sqlx::query(text).bind(&name).fetch_all(&mut *connection).await? {
        let (index, is_unique, origin): (String, i64, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let partial: i64 = row.try_get(3)?;
        indexed_key |= origin == "pk";
        let text = format!("SELECT name FROM pragma_index_info({}) ORDER BY seqno", quoted_text(&index));
        let of: Vec<Option<String>> = sqlx::query_scalar(AssertSqlSafe(text)).fetch_all(&mut *connection).await?;
        // A part without a name is an expression.
        if let (true, Some(of)) = (is_unique != 0 && partial == 0, of.into_iter().collect()) {
            unique.push(of);
        }
        if origin == "c" && partial == 0 {
            indexes.push(index);
        }
    }
    let row_id = match primary_key.as_slice() {
        _ if without_row_id => RowId::None,
        // Any other primary key has an index of its own.
        [key] if !indexed_key => RowId::Column(key.clone()),
        _ => RowId::Hidden,
    };
    if let RowId::Column(key) = &row_id {
        unique.push(vec![key.clone()]);
    }
    if without_row_id {
        columns.iter_mut().filter(|column| primary_key.contains(&column.name)).for_each(|key| key.nullable = false);
    }
    let foreign_keys = foreign_keys(connection, &name).await?;
    Ok(Table { name, columns, row_id, primary_key, unique, foreign_keys, indexes })
}

async fn foreign_keys(connection: &mut SqliteConnection, of: &str) -> Result<Vec<ForeignKey>, sqlx::Error> {
    let text = "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?) ORDER BY id, seq";
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    for row in sqlx::query(text).bind(of).fetch_all(connection).await? {
        let id: i64 = row.try_get(0)?;
        if keys.last().is_none_or(|(last, _)| *last != id) {
            keys.push((id, ForeignKey { columns: Vec::new(), table: row.try_get(1)?, to: Vec::new() }));
        }
        if let Some((_, key)) = keys.last_mut() {
            key.columns.push(row.try_get(2)?);
            let to: Option<String> = row.try_get(3)?;
            key.to.extend(to);
        }
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
