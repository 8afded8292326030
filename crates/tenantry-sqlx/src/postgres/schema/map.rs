//! The application's schema for the rewriter, as the catalogs say it.

use std::{collections::HashMap, sync::Arc};

use sqlx::{Connection, PgConnection};
use tenantry_sql::{Action, Column, ForeignKey, Name, Relation, RowId, SchemaMap, Table, View};

use super::{
    followed::{self, Followed},
    install,
    model::{self, Constraint, Foreign, Model},
};

/// Reads the application's tables and views, as of one moment. Both the owner and the application's role can.
///
/// # Errors
///
/// What the server says, when nothing was installed for instance.
pub(crate) async fn read(connection: &mut PgConnection) -> Result<SchemaMap, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    // The server prints expressions as the schema is now, so the moment is not kept by the transaction alone: a
    // migration that ends meanwhile has another version, and whoever reads will read again.
    let map = within(&mut transaction).await?;
    transaction.commit().await?;
    Ok(map)
}

/// The same within a transaction. Leaves only `pg_catalog` on the search path.
pub(super) async fn within(connection: &mut PgConnection) -> Result<SchemaMap, sqlx::Error> {
    let meta = install::meta(connection).await?;
    // The bodies of views name what is in public without the schema, as the application does.
    sqlx::raw_sql("SET LOCAL search_path = pg_catalog, public").execute(&mut *connection).await?;
    let views: Vec<ViewRow> = sqlx::query_as(VIEWS).fetch_all(&mut *connection).await?;
    model::print_qualified(connection).await?;
    let followed = followed::read(connection).await?;
    let logical = Model::read(connection, "public", &meta.application).await?;
    let version = u64::try_from(meta.version).unwrap_or_default();
    let tables = logical.tables.iter().filter_map(|(name, table)| {
        let Followed { number, global, .. } =
            followed.iter().find(|followed| followed.logical.as_deref() == Some(name))?;
        let table = Arc::new(self::table(name, *number, table));
        Some(if *global { Relation::Global(table) } else { Relation::Tenant(table) })
    });
    let views = views.into_iter().map(|view| Relation::View(Arc::new(view.into())));
    Ok(SchemaMap::new(version, tables.chain(views).collect::<Vec<_>>()))
}

fn table(name: &str, number: i64, table: &model::Table) -> Table {
    let columns = table.columns.values();
    let defaults: HashMap<_, _> =
        columns.clone().map(|column| (column.name.as_str(), column.expression.as_deref().unwrap_or("NULL"))).collect();
    let of_kind = |kind: &'static str| table.constraints.values().filter(move |constraint| constraint.kind == kind);
    let foreign_keys = of_kind("f").filter_map(|key| Some(foreign_key(key, key.foreign.as_ref()?, &defaults)));
    Table {
        name: Name::exact(name),
        number,
        columns: columns
            .map(|column| Column { name: Name::exact(column.name.as_str()), generated: !column.generated.is_empty() })
            .collect(),
        row_id: RowId::None,
        auto_increment: false,
        primary_key: of_kind("p").flat_map(|key| names(&key.columns)).collect(),
        foreign_keys: foreign_keys.collect(),
    }
}

fn foreign_key(key: &Constraint, foreign: &Foreign, defaults: &HashMap<&str, &str>) -> ForeignKey {
    let columns = names(&key.columns);
    let action = |letter: &str| match letter {
        "r" => Action::Restrict,
        "c" => Action::Cascade,
        "n" => Action::SetNull,
        "d" => {
            let default = |column: &Name| (*defaults.get(column.as_str()).unwrap_or(&"NULL")).to_owned();
            Action::SetDefault(columns.iter().map(default).collect())
        }
        _ => Action::Nothing,
    };
    ForeignKey {
        on_delete: action(&foreign.on_delete),
        on_update: action(&foreign.on_update),
        parent: Name::exact(foreign.parent.as_str()),
        parent_columns: names(&foreign.parent_columns),
        deferred: foreign.deferred,
        of_column: false,
        columns,
    }
}

/// Names that the server quoted where they need it.
fn names(quoted: &[String]) -> Vec<Name> {
    let name = |quoted: &String| match quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => Name::exact(inner.replace("\"\"", "\"")),
        None => Name::exact(quoted.as_str()),
    };
    quoted.iter().map(name).collect()
}

#[derive(sqlx::FromRow)]
struct ViewRow {
    name: String,
    columns: Vec<String>,
    body: String,
}

impl From<ViewRow> for View {
    fn from(row: ViewRow) -> Self {
        let columns = Some(row.columns.into_iter().map(Name::exact).collect());
        let body = row.body.trim().trim_end_matches(';').to_owned();
        Self { name: Name::exact(row.name), columns, body }
    }
}

const VIEWS: &str = "
SELECT c.relname::text AS name, pg_get_viewdef(c.oid) AS body,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'
";
