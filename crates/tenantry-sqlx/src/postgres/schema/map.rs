//! The application's schema for the rewriter, as the catalogs say it.

use std::{collections::HashMap, sync::Arc};

use sqlx::{Connection, PgConnection};
use tenantry_sql::{Action, Column, ForeignKey, Name, PostgresFacts, Relation, RowId, SchemaMap, Table, Type, View};

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
    let extensions: Vec<String> = sqlx::query_scalar(EXTENSIONS).fetch_all(&mut *connection).await?;
    let types: Vec<TypeRow> = sqlx::query_as(TYPES).fetch_all(&mut *connection).await?;
    let mut incomparable: HashMap<String, Vec<Name>> = HashMap::new();
    for (table, column) in sqlx::query_as::<_, (String, String)>(INCOMPARABLE).fetch_all(&mut *connection).await? {
        incomparable.entry(table).or_default().push(Name::exact(column));
    }
    let version = u64::try_from(meta.version).unwrap_or_default();
    let tables = logical.tables.iter().filter_map(|(name, table)| {
        let Followed { number, global, .. } =
            followed.iter().find(|followed| followed.logical.as_deref() == Some(name))?;
        let incomparable = incomparable.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        let table = Arc::new(self::table(name, *number, table, incomparable));
        Some(if *global { Relation::Global(table) } else { Relation::Tenant(table) })
    });
    let views = views.into_iter().map(|view| Relation::View(Arc::new(view.into())));
    let map = SchemaMap::new(version, tables.chain(views).collect::<Vec<_>>());
    Ok(map.with_types(types.into_iter().map(Type::from)).with_extensions(extensions))
}

fn table(name: &str, number: i64, table: &model::Table, incomparable: &[Name]) -> Table {
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
        postgres: PostgresFacts {
            constraints: ["p", "u", "x"].into_iter().flat_map(|kind| named(table, kind)).collect(),
            incomparable: incomparable.to_vec(),
            row_triggers: !table.triggers.is_empty(),
        },
    }
}

/// The names of the constraints of a kind.
fn named(table: &model::Table, kind: &'static str) -> impl Iterator<Item = Name> {
    let of_kind = table.constraints.iter().filter(move |(_, constraint)| constraint.kind == kind);
    of_kind.map(|(name, _)| Name::exact(name.as_str()))
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

#[derive(sqlx::FromRow)]
struct TypeRow {
    name: String,
    fields: Vec<String>,
}

impl From<TypeRow> for Type {
    fn from(row: TypeRow) -> Self {
        Self { name: Name::exact(row.name), fields: row.fields.into_iter().map(Name::exact).collect() }
    }
}

const EXTENSIONS: &str = "SELECT extname::text FROM pg_extension";

/// Enumerations, domains, ranges and composite types that are no table's rows and no extension's.
const TYPES: &str = "
SELECT t.typname::text AS name,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS fields
FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd', 'r', 'c') AND (c.oid IS NULL OR c.relkind = 'c')
    AND NOT EXISTS (SELECT 1 FROM pg_depend d
                    WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
";

/// Columns whose types have no operator class by which values could be compared or hashed. An array or a range is as
/// comparable as what is in it, and a domain as what it is made of.
const INCOMPARABLE: &str = "
WITH RECURSIVE parts AS (
    SELECT c.relname::text AS \"table\", a.attname::text AS \"column\", a.atttypid AS type
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    UNION ALL
    SELECT p.\"table\", p.\"column\", coalesce(nullif(t.typbasetype, 0), t.typelem)
    FROM parts p JOIN pg_type t ON t.oid = p.type WHERE t.typtype = 'd' OR t.typcategory = 'A'
)
SELECT DISTINCT p.\"table\", p.\"column\"
FROM parts p JOIN pg_type t ON t.oid = p.type
WHERE t.typtype = 'b' AND t.typcategory <> 'A' AND NOT EXISTS (
    SELECT 1 FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod
    WHERE m.amname IN ('btree', 'hash') AND o.opcdefault
        AND (o.opcintype = t.oid OR EXISTS (SELECT 1 FROM pg_cast k WHERE k.castsource = t.oid
                                            AND k.casttarget = o.opcintype AND k.castmethod = 'b' AND k.castcontext = 'i')))
";

const VIEWS: &str = "
SELECT c.relname::text AS name, pg_get_viewdef(c.oid) AS body,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'
";
