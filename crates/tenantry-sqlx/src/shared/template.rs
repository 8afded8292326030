//! The schema as the application knows it, in a database of its own in memory.
//!
//! SQLite itself says what a declaration means, what `ALTER TABLE` makes of it, and what it answers about it; nothing of
//! that is done again here.

use sqlx::{
    AssertSqlSafe, Column, ConnectOptions, Row, SqliteConnection, TypeInfo, ValueRef,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

/// An application's schema.
pub(super) struct Template {
    connection: SqliteConnection,
}

/// A row of `sqlite_schema`.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Object {
    /// `table`, `index`, `view` or `trigger`.
    #[sqlx(rename = "type")]
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) tbl_name: String,
    pub(super) rootpage: i64,
    /// Nothing for the indexes that constraints make.
    pub(super) sql: Option<String>,
}

/// A row of the answer to a `PRAGMA`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) pragma: &'static str,
    /// The table or index that was asked about.
    pub(super) of: String,
    pub(super) values: Vec<Value>,
}

/// What answers consist of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Integer(i64),
    Text(String),
}

impl Template {
    /// The schema that consists of these objects.
    pub(super) async fn of(objects: &[Object]) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(false);
        let mut template = Self { connection: options.connect().await? };
        for kind in ["table", "index", "view", "trigger"] {
            // SQLite makes its own tables by itself.
            let of_kind = objects.iter().filter(|object| object.kind == kind && !object.name.starts_with("sqlite_"));
            for sql in of_kind.filter_map(|object| object.sql.as_ref()) {
                template.apply(sql).await?;
            }
        }
        Ok(template)
    }

    /// Changes the schema.
    pub(super) async fn apply(&mut self, statement: &str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut self.connection).await?;
        Ok(())
    }

    /// The objects, in the order of their creation.
    pub(super) async fn objects(&mut self) -> Result<Vec<Object>, sqlx::Error> {
        let text = "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema ORDER BY _rowid_";
        sqlx::query_as(text).fetch_all(&mut self.connection).await
    }

    /// What SQLite answers about the objects.
    pub(super) async fn answers(&mut self) -> Result<Vec<Answer>, sqlx::Error> {
        let mut answers = Vec::new();
        for Object { kind, name, .. } in self.objects().await? {
            let pragmas: &[&'static str] = match kind.as_str() {
                "table" | "view" => &["table_info", "table_xinfo", "foreign_key_list", "index_list"],
                "index" => &["index_info", "index_xinfo"],
                _ => &[],
            };
            for pragma in pragmas {
                let text = AssertSqlSafe(format!("SELECT * FROM pragma_{pragma}(?)"));
                let rows = match sqlx::query(text).bind(&name).fetch_all(&mut self.connection).await {
                    // A view whose table was dropped: SQLite finds that out when it is asked about the view.
                    Err(sqlx::Error::Database(_)) if kind == "view" => Vec::new(),
                    rows => rows?,
                };
                for row in rows {
                    answers.push(Answer { pragma, of: name.clone(), values: values(&row)? });
                }
            }
        }
        let list = "SELECT schema, name, type, ncol, wr, strict FROM pragma_table_list WHERE schema = 'main'";
        for row in sqlx::query(list).fetch_all(&mut self.connection).await? {
            answers.push(Answer { pragma: "table_list", of: String::new(), values: values(&row)? });
        }
        Ok(answers)
    }
}

fn values(row: &SqliteRow) -> Result<Vec<Value>, sqlx::Error> {
    let values = row.columns().iter().map(|column| {
        let value = row.try_get_raw(column.ordinal())?;
        Ok(match value.type_info().name() {
            _ if value.is_null() => Value::Null,
            "INTEGER" => Value::Integer(row.try_get(column.ordinal())?),
            _ => Value::Text(row.try_get(column.ordinal())?),
        })
    });
    values.collect()
}
