//! What would become of an instance, object by object. Nothing is changed.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{
    instance::Instance,
    rows::{Place, Rows, Sum},
    server::Server,
    session,
    source::Source,
};
use crate::{
    adopt::{AdoptError, Survey, Surveyed, Verdict},
    postgres::PostgresOptions,
};

/// Says what would become of an instance in the shared tables that `options` describe. Nothing is changed, neither there nor
/// at the instance.
///
/// # Errors
///
/// When the instance or the shared database cannot be read.
pub async fn survey(options: &PostgresOptions, from: &Instance) -> Result<Survey, AdoptError> {
    let mut source = Source::open(from, options).await?;
    let mut owner = session::connect(&options.owner).await?;
    sqlx::raw_sql("BEGIN READ ONLY").execute(&mut owner).await?;
    let tables = tables(&mut owner).await?;
    let (mut differences, mut problems) = (Vec::new(), Vec::new());
    if tables.is_empty() {
        problems.push(AdoptError::Unmigrated.to_string());
    } else {
        differences = source.differences(&mut owner).await?;
    }
    if differences.is_empty() {
        problems.extend(globals(&mut source, &tables, &mut owner).await?);
    }
    let is_global = |name: &str| options.global.iter().any(|global| global.is(name));
    let (bytes, mut objects) = match &mut source {
        Source::Server(server) => server_objects(server, &extensions(&mut owner).await?).await?,
        Source::File(file) => (file.bytes(), file.survey().await),
    };
    for object in objects.iter_mut().filter(|object| object.kind == "table" && is_global(&object.name)) {
        object.verdict = object.verdict.max(Verdict::Changed);
        let note = "belongs to all tenants (database.global): its rows have to be those of the shared database";
        object.notes.push(note.to_owned());
    }
    owner.close().await?;
    source.close().await;
    let is_compared = !tables.is_empty();
    Ok(Survey { source: from.to_string(), bytes, objects, problems, differences, is_compared })
}

/// The application's tables; none if nothing was installed, or migrated.
async fn tables(owner: &mut PgConnection) -> Result<Vec<Rows>, sqlx::Error> {
    let is_installed = sqlx::query_scalar("SELECT to_regclass('tenantry.tables') IS NOT NULL");
    if is_installed.fetch_one(&mut *owner).await? { Rows::all(owner).await } else { Ok(Vec::new()) }
}

/// In which tables that all tenants read the source has other rows.
async fn globals(source: &mut Source, tables: &[Rows], owner: &mut PgConnection) -> Result<Vec<String>, AdoptError> {
    let globals = tables.iter().filter(|rows| rows.is_global).cloned().collect();
    let mut problems = Vec::new();
    for table in source.count(globals).await? {
        let shared = Sum::of(&table.rows, Place::Global, owner).await?;
        let is_same = shared.rows == table.count && table.sum.is_none_or(|sum| sum == shared);
        if !is_same && shared.rows > 0 {
            let (table, keys) = (table.rows.table.clone(), vec![table.differs(shared)]);
            problems.push(AdoptError::Global { table, keys }.to_string());
        }
    }
    Ok(problems)
}

async fn extensions(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT extname::text FROM pg_extension").fetch_all(connection).await
}

/// How large the database is, and what is in it.
async fn server_objects(server: &mut Server, extensions: &[String]) -> Result<(u64, Vec<Surveyed>), AdoptError> {
    let looked = look(&mut server.connection, extensions).await;
    looked.map_err(|error| server.failed(error).into())
}

async fn look(connection: &mut PgConnection, extensions: &[String]) -> Result<(u64, Vec<Surveyed>), sqlx::Error> {
    let bytes: i64 =
        sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(&mut *connection).await?;
    let found: Vec<Found> = sqlx::query_as(OBJECTS).fetch_all(&mut *connection).await?;
    let mut objects = Vec::new();
    for Found { kind, name, quoted, bytes, detail } in found {
        let rows: Option<i64> = match kind.as_str() {
            "table" => {
                let text = AssertSqlSafe(format!("SELECT count(*) FROM {quoted}"));
                sqlx::query_scalar(text).persistent(false).fetch_one(&mut *connection).await?
            }
            _ => None,
        };
        let (verdict, note) = judge(&kind, &name, detail.as_deref(), extensions);
        let (rows, bytes) = (rows.map(i64::unsigned_abs), bytes.map(i64::unsigned_abs));
        objects.push(Surveyed { kind, name, rows, bytes, verdict, notes: note.into_iter().collect() });
    }
    Ok((bytes.unsigned_abs(), objects))
}

#[derive(sqlx::FromRow)]
struct Found {
    kind: String,
    name: String,
    quoted: String,
    bytes: Option<i64>,
    /// What more there is to say, by kind.
    detail: Option<String>,
}

fn judge(kind: &str, name: &str, detail: Option<&str>, extensions: &[String]) -> (Verdict, Option<String>) {
    let (verdict, note) = match (kind, detail) {
        ("table", _) if name == "_sqlx_migrations" => {
            (Verdict::Changed, "says which migrations have run; stays with the shared database, once for all")
        }
        ("table", None) | ("type", _) => return (Verdict::AsIs, None),
        ("table", Some(kind)) => return (Verdict::InTheWay, Some(format!("it is {kind}: make it an ordinary table"))),
        ("index", Some("btree" | "gin" | "gist")) => (Verdict::AsIs, "the tenant comes first in it"),
        ("index", _) => (Verdict::InTheWay, "an index by this method cannot have the tenant in front: use btree"),
        ("view", _) => (Verdict::AsIs, "put in the place of its name where it is read"),
        ("materialized view", _) => (Verdict::InTheWay, "make it a view, or a table that the application fills"),
        ("sequence", Some(last)) => {
            return (Verdict::Changed, Some(format!("gives ids to all tenants, and goes on after {last} at least")));
        }
        ("sequence", None) => (Verdict::Changed, "gives ids to all tenants"),
        ("trigger" | "rule", _) => (Verdict::InTheWay, "let the application do what it does, and drop it"),
        ("extension", _) if extensions.iter().any(|extension| extension == name) => return (Verdict::AsIs, None),
        ("extension", _) => (Verdict::Decide, "the shared database does not have it: does the application need it?"),
        _ => (Verdict::Decide, "stays behind: does the application call it? then let it do so itself"),
    };
    (verdict, Some(note.to_owned()))
}

/// What the instance's database has in it. What belongs to an extension is the extension's.
const OBJECTS: &str = "
WITH part AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'), own AS (
    SELECT c.* FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT 1 FROM part WHERE classid = 'pg_class'::regclass AND objid = c.oid)
), object (at, kind, name, quoted, bytes, detail) AS (
    SELECT 1, CASE relkind WHEN 'm' THEN 'materialized view' ELSE 'table' END, relname::text, oid::regclass::text,
           pg_table_size(oid),
           CASE WHEN relkind = 'p' THEN 'partitioned' WHEN relkind = 'f' THEN 'a foreign table'
                WHEN relpersistence = 'u' THEN 'unlogged'
                WHEN EXISTS (SELECT 1 FROM pg_inherits WHERE own.oid IN (inhrelid, inhparent)) THEN 'inherited' END
    FROM own WHERE relkind IN ('r', 'p', 'f', 'm')
    UNION ALL
    SELECT 2, 'index', x.relname::text, x.oid::regclass::text, NULL, m.amname::text
    FROM own c JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
    WHERE c.relname <> '_sqlx_migrations'
        AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.oid AND k.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 3, 'view', relname::text, oid::regclass::text, NULL, NULL FROM own WHERE relkind = 'v'
    UNION ALL
    SELECT 4, 'sequence', c.relname::text, c.oid::regclass::text, NULL, s.last_value::text
    FROM own c LEFT JOIN pg_sequences s ON s.schemaname = 'public' AND s.sequencename = c.relname WHERE c.relkind = 'S'
    UNION ALL
    SELECT 5, 'type', t.typname::text, t.oid::regtype::text, NULL, NULL
    FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd', 'r', 'c') AND (c.oid IS NULL OR c.relkind = 'c')
        AND NOT EXISTS (SELECT 1 FROM part WHERE classid = 'pg_type'::regclass AND objid = t.oid)
    UNION ALL
    SELECT 6, 'trigger', g.tgname::text, '', NULL, NULL FROM own c JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT 7, 'rule', w.rulename::text, '', NULL, NULL
    FROM own c JOIN pg_rewrite w ON w.ev_class = c.oid AND w.rulename <> '_RETURN'
    UNION ALL
    SELECT 8, 'function', p.proname::text, '', NULL, NULL FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT 1 FROM part WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
    UNION ALL
    SELECT 9, 'extension', extname::text, '', NULL, NULL FROM pg_extension WHERE extname <> 'plpgsql'
)
SELECT kind, name, quoted, bytes, detail FROM object ORDER BY at, name
";
