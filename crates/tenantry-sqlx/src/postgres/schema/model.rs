//! What a schema of the database consists of, as the server's catalogs say.
//!
//! It is read in the same way for the application's own schema and for the shared one, so that one can be compared with
//! what the other should be. Expressions are as the server prints them while nothing but `pg_catalog` is on the search
//! path: whatever else they name has its schema in front.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;

/// The tables and sequences of a schema, by their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) tables: BTreeMap<String, Table>,
    pub(super) sequences: BTreeMap<String, Sequence>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// As in `pg_class`: `r` is an ordinary table.
    pub(super) kind: String,
    /// `p` for a permanent one.
    pub(super) persistence: String,
    /// Whether it is part of an inheritance, or has rules of somebody's own.
    pub(super) inherits: bool,
    pub(super) rules: bool,
    pub(super) options: Vec<String>,
    /// Those that were not dropped, by number.
    pub(super) columns: BTreeMap<i16, Column>,
    /// The highest number of a column, dropped or not.
    pub(super) width: i16,
    pub(super) constraints: BTreeMap<String, Constraint>,
    /// Those that belong to no constraint.
    pub(super) indexes: BTreeMap<String, Index>,
    pub(super) security: Security,
    /// On a shared table those that give its identities their numbers.
    pub(super) triggers: BTreeMap<String, Trigger>,
    /// What the application's role may do with it, or everybody.
    pub(super) grants: BTreeSet<String>,
}

/// A trigger, and the function that it calls.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Trigger {
    /// The bits of `pg_trigger`: before or after what, and whether for each row.
    pub(super) when: i16,
    /// The numbers of the columns whose change it is called for.
    pub(super) columns: String,
    /// Whether it is called always, and the function runs as whoever has the statement run.
    pub(super) always: bool,
    pub(super) function: String,
    pub(super) body: String,
}

/// What PostgreSQL itself lets pass to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Security {
    pub(super) enabled: bool,
    pub(super) forced: bool,
    /// Name, and on a line of its own command, kind, roles and expressions of each policy.
    pub(super) policies: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Column {
    pub(super) name: String,
    #[sqlx(rename = "type")]
    pub(super) kind: String,
    /// With its schema, if it is not the type's own.
    pub(super) collation: Option<String>,
    pub(super) not_null: bool,
    /// `a` for always, `d` for by default, or nothing.
    pub(super) identity: String,
    /// `s` if it is computed from other columns and stored.
    pub(super) generated: String,
    /// Its default, or what it is computed by.
    pub(super) expression: Option<String>,
    /// How its values are stored, if not as the type says.
    pub(super) storage: Option<String>,
    /// `p` for pglz, `l` for lz4, or nothing.
    pub(super) compression: String,
    /// The sequences that the expression names, as literals.
    pub(super) sequences: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Constraint {
    /// As in `pg_constraint`: `p`, `u`, `f`, `c` or `x`.
    pub(super) kind: String,
    /// All of it, as the server prints it.
    pub(super) text: String,
    /// Whether it looks at the row as a whole.
    pub(super) whole_row: bool,
    /// How its index works, if it has one.
    pub(super) method: Option<String>,
    /// The columns it is about, quoted where they need it.
    pub(super) columns: Vec<String>,
    pub(super) foreign: Option<Foreign>,
}

/// A foreign key. Names of columns are quoted where they need it.
#[derive(Clone, Debug)]
pub(super) struct Foreign {
    pub(super) parent_schema: String,
    pub(super) parent: String,
    pub(super) parent_quoted: String,
    pub(super) parent_columns: Vec<String>,
    /// The letters of `pg_constraint`: `a` nothing, `r` restrict, `c` cascade, `n` null, `d` default.
    pub(super) on_update: String,
    pub(super) on_delete: String,
    /// `f` for full.
    pub(super) matching: String,
    /// The columns that `ON DELETE SET …` sets, if not all.
    pub(super) set_columns: Vec<String>,
    pub(super) deferrable: bool,
    pub(super) deferred: bool,
    pub(super) validated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) method: String,
    pub(super) unique: bool,
    pub(super) valid: bool,
    /// What follows the parenthesis that its columns begin with; nothing if the server prints it in a way not known.
    pub(super) tail: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Sequence {
    #[sqlx(rename = "type")]
    pub(super) kind: String,
    pub(super) start: i64,
    pub(super) increment: i64,
    pub(super) maximum: i64,
    pub(super) minimum: i64,
    pub(super) cache: i64,
    pub(super) cycle: bool,
    /// The table and column that it belongs to, and whether as an identity.
    pub(super) owner_table: Option<String>,
    pub(super) owner_column: Option<String>,
    pub(super) is_identity: bool,
    pub(super) grants: Vec<String>,
}

impl Model {
    /// Reads a schema. `role` is the application's, whose privileges are read along. Only `pg_catalog` must be on the
    /// search path ([`print_qualified`]).
    pub(super) async fn read(connection: &mut PgConnection, schema: &str, role: &str) -> Result<Self, sqlx::Error> {
        let mut model = Self::default();
        let mut names = BTreeMap::new();
        let tables: Vec<TableRow> = sqlx::query_as(TABLES).bind(schema).bind(role).fetch_all(&mut *connection).await?;
        for row in tables {
            names.insert(row.oid, row.name.clone());
            model.tables.insert(row.name.clone(), row.into());
        }
        let columns: Vec<ColumnRow> = sqlx::query_as(COLUMNS).bind(schema).fetch_all(&mut *connection).await?;
        for row in columns {
            let Some(table) = names.get(&row.of).and_then(|name| model.tables.get_mut(name)) else { continue };
            table.width = table.width.max(row.number);
            if !row.dropped {
                table.columns.insert(row.number, row.column);
            }
        }
        let triggers: Vec<TriggerRow> = sqlx::query_as(TRIGGERS).bind(schema).fetch_all(&mut *connection).await?;
        for row in triggers {
            let Some(table) = names.get(&row.of).and_then(|name| model.tables.get_mut(name)) else { continue };
            table.triggers.insert(row.name, row.trigger);
        }
        let constraints: Vec<ConstraintRow> =
            sqlx::query_as(CONSTRAINTS).bind(schema).fetch_all(&mut *connection).await?;
        for row in constraints {
            let Some(table) = names.get(&row.of).and_then(|name| model.tables.get_mut(name)) else { continue };
            table.constraints.insert(row.name.clone(), row.into());
        }
        let indexes: Vec<IndexRow> = sqlx::query_as(INDEXES).bind(schema).fetch_all(&mut *connection).await?;
        for row in indexes {
            let Some(table) = names.get(&row.of).and_then(|name| model.tables.get_mut(name)) else { continue };
            let tail = row.definition.strip_prefix(&row.head).map(str::to_owned);
            let index = Index { method: row.method, unique: row.is_unique, valid: row.valid, tail };
            table.indexes.insert(row.name, index);
        }
        let sequences: Vec<SequenceRow> =
            sqlx::query_as(SEQUENCES).bind(schema).bind(role).fetch_all(&mut *connection).await?;
        model.sequences = sequences.into_iter().map(|row| (row.name, row.sequence)).collect();
        Ok(model)
    }
}

/// Leaves nothing but `pg_catalog` on the search path until the transaction ends, so that whatever else is printed has
/// its schema in front.
pub(super) async fn print_qualified(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("SET LOCAL search_path = pg_catalog").execute(connection).await.map(drop)
}

#[derive(sqlx::FromRow)]
struct TableRow {
    oid: i64,
    name: String,
    kind: String,
    persistence: String,
    inherits: bool,
    rules: bool,
    options: Vec<String>,
    enabled: bool,
    forced: bool,
    policies: Vec<String>,
    grants: Vec<String>,
}

impl From<TableRow> for Table {
    fn from(row: TableRow) -> Self {
        let TableRow { enabled, forced, policies, .. } = row;
        Self {
            kind: row.kind,
            persistence: row.persistence,
            inherits: row.inherits,
            rules: row.rules,
            options: row.options,
            columns: BTreeMap::new(),
            width: 0,
            constraints: BTreeMap::new(),
            indexes: BTreeMap::new(),
            triggers: BTreeMap::new(),
            security: Security { enabled, forced, policies },
            grants: row.grants.into_iter().collect(),
        }
    }
}

#[derive(sqlx::FromRow)]
struct ColumnRow {
    of: i64,
    number: i16,
    dropped: bool,
    #[sqlx(flatten)]
    column: Column,
}

#[derive(sqlx::FromRow)]
struct TriggerRow {
    of: i64,
    name: String,
    #[sqlx(flatten)]
    trigger: Trigger,
}

#[derive(sqlx::FromRow)]
struct ConstraintRow {
    of: i64,
    name: String,
    kind: String,
    text: String,
    whole_row: bool,
    method: Option<String>,
    columns: Vec<String>,
    parent_schema: Option<String>,
    parent: Option<String>,
    parent_quoted: Option<String>,
    parent_columns: Vec<String>,
    on_update: String,
    on_delete: String,
    matching: String,
    set_columns: Vec<String>,
    deferrable: bool,
    deferred: bool,
    validated: bool,
}

impl From<ConstraintRow> for Constraint {
    fn from(row: ConstraintRow) -> Self {
        let ConstraintRow { kind, text, whole_row, method, columns, .. } = row;
        let foreign = row.parent_schema.zip(row.parent).map(|(parent_schema, parent)| Foreign {
            parent_schema,
            parent,
            parent_quoted: row.parent_quoted.unwrap_or_default(),
            parent_columns: row.parent_columns,
            on_update: row.on_update,
            on_delete: row.on_delete,
            matching: row.matching,
            set_columns: row.set_columns,
            deferrable: row.deferrable,
            deferred: row.deferred,
            validated: row.validated,
        });
        Self { kind, text, whole_row, method, columns, foreign }
    }
}

#[derive(sqlx::FromRow)]
struct IndexRow {
    of: i64,
    name: String,
    method: String,
    is_unique: bool,
    valid: bool,
    definition: String,
    head: String,
}

#[derive(sqlx::FromRow)]
struct SequenceRow {
    name: String,
    #[sqlx(flatten)]
    sequence: Sequence,
}

const TABLES: &str = "
SELECT c.oid::int8 AS oid, c.relname::text AS name, c.relkind::text AS kind, c.relpersistence::text AS persistence,
       EXISTS (SELECT 1 FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent)) AS inherits,
       EXISTS (SELECT 1 FROM pg_rewrite w WHERE w.ev_class = c.oid) AS rules,
       coalesce(c.reloptions, '{}') AS options, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
       ARRAY(SELECT format(E'%s\\nfor %s %s to %s using %s check %s', p.polname, p.polcmd, p.polpermissive, p.polroles,
                           pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
             FROM pg_policy p WHERE p.polrelid = c.oid ORDER BY p.polname) AS policies,
       ARRAY(SELECT DISTINCT a.privilege_type::text FROM aclexplode(c.relacl) a
             LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE a.grantee = 0 OR r.rolname = $2) AS grants
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'f', 'm')
";

const COLUMNS: &str = "
SELECT a.attrelid::int8 AS of, a.attnum AS number, a.attisdropped AS dropped, a.attname::text AS name,
       coalesce(format_type(nullif(a.atttypid, 0), a.atttypmod), '') AS type,
       (SELECT format('%I.%I', s.nspname, o.collname) FROM pg_collation o JOIN pg_namespace s ON s.oid = o.collnamespace
        WHERE o.oid = a.attcollation AND o.oid <> t.typcollation) AS collation,
       a.attnotnull AS not_null, a.attidentity::text AS identity, a.attgenerated::text AS generated,
       pg_get_expr(d.adbin, d.adrelid) AS expression,
       CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END AS storage,
       a.attcompression::text AS compression,
       ARRAY(SELECT DISTINCT quote_literal(format('%I.%I', s.nspname, q.relname))
             FROM pg_depend p JOIN pg_class q ON q.oid = p.refobjid JOIN pg_namespace s ON s.oid = q.relnamespace
             WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
                 AND q.relkind = 'S') AS sequences
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'f', 'm') AND a.attnum > 0
";

const TRIGGERS: &str = "
SELECT g.tgrelid::int8 AS of, g.tgname::text AS name, g.tgtype AS \"when\", g.tgattr::text AS columns,
       g.tgenabled = 'O' AND g.tgqual IS NULL AND NOT p.prosecdef AND p.proconfig IS NULL AS always, format('%I.%I', f.nspname, p.proname) AS function, p.prosrc AS body
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = g.tgfoid JOIN pg_namespace f ON f.oid = p.pronamespace
WHERE n.nspname = $1 AND NOT g.tgisinternal AND g.tgfoid IS DISTINCT FROM to_regprocedure('tenantry.gone()')
";

const CONSTRAINTS: &str = "
SELECT k.conrelid::int8 AS of, k.conname::text AS name, k.contype::text AS kind, pg_get_constraintdef(k.oid) AS text,
       coalesce(0 = ANY (k.conkey), false) AND k.contype = 'c' AS whole_row,
       (SELECT m.amname::text FROM pg_class i JOIN pg_am m ON m.oid = i.relam
        WHERE i.oid = k.conindid AND k.contype <> 'f') AS method,
       ARRAY(SELECT quote_ident(a.attname) FROM unnest(k.conkey) WITH ORDINALITY u (number, at)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.at) AS columns,
       s.nspname::text AS parent_schema, f.relname::text AS parent,
       quote_ident(f.relname) AS parent_quoted,
       ARRAY(SELECT quote_ident(a.attname) FROM unnest(k.confkey) WITH ORDINALITY u (number, at)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.at) AS parent_columns,
       k.confupdtype::text AS on_update, k.confdeltype::text AS on_delete, k.confmatchtype::text AS matching,
       ARRAY(SELECT quote_ident(a.attname) FROM unnest(k.confdelsetcols) WITH ORDINALITY u (number, at)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.at) AS set_columns,
       k.condeferrable AS deferrable, k.condeferred AS deferred, k.convalidated AS validated
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace s ON s.oid = f.relnamespace
WHERE n.nspname = $1 AND k.contype IN ('p', 'u', 'f', 'c', 'x')
";

const INDEXES: &str = "
SELECT i.indrelid::int8 AS of, c.relname::text AS name, m.amname::text AS method, i.indisunique AS is_unique,
       i.indisvalid AS valid, pg_get_indexdef(i.indexrelid) AS definition,
       format('CREATE %sINDEX %I ON %I.%I USING %I (', CASE WHEN i.indisunique THEN 'UNIQUE ' END, c.relname, n.nspname,
              t.relname, m.amname) AS head
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_am m ON m.oid = c.relam
WHERE n.nspname = $1 AND t.relkind IN ('r', 'p', 'm')
    AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
";

const SEQUENCES: &str = "
SELECT c.relname::text AS name, format_type(q.seqtypid, NULL) AS type, q.seqstart AS start, q.seqincrement AS increment,
       q.seqmax AS maximum, q.seqmin AS minimum, q.seqcache AS cache, q.seqcycle AS cycle,
       t.relname::text AS owner_table, a.attname::text AS owner_column, coalesce(d.deptype = 'i', false) AS is_identity,
       ARRAY(SELECT DISTINCT x.privilege_type::text FROM aclexplode(c.relacl) x
             LEFT JOIN pg_roles r ON r.oid = x.grantee WHERE x.grantee = 0 OR r.rolname = $2) AS grants
FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
    AND d.deptype IN ('a', 'i')
LEFT JOIN pg_class t ON t.oid = d.refobjid
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE n.nspname = $1
";
