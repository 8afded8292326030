//! Makes the numbering follow the configuration and the application's schema.

use sqlx::{AssertSqlSafe, PgConnection};
use tenantry_sql::{Quoted, SHARED_SCHEMA};

use super::{
    super::{migrate::enter, model::Model, provision},
    Numbered, counting, read, renumber,
};

/// What is left to be done when the shared tables have followed.
#[derive(Debug, Default)]
pub(in super::super) struct Changed {
    /// Sequences that number all tenants' rows again, with the last number that any tenant has.
    shared_again: Vec<(Numbered, Option<i64>)>,
}

/// Gives tenants what they have to count with, and takes from them what they have not. `before` is what the shared schema
/// was like before it began to follow. Says what is left to be done, if anything has changed.
pub(in super::super) async fn change(owner: &mut PgConnection, before: &Model) -> Result<Option<Changed>, sqlx::Error> {
    let pending: Vec<Pending> = sqlx::query_as(PENDING).fetch_all(&mut *owner).await?;
    if pending.is_empty() {
        return Ok(None);
    }
    let tenants = provision::all(owner).await?;
    let mut changed = Changed::default();
    for change in pending {
        change.lock(owner).await?;
        let old = find(owner, change.number).await?;
        let counted = counted(owner, old.as_ref(), &tenants).await?;
        if let Some(number) = change.number {
            forget(owner, number).await?;
        }
        let registered = change.register(owner).await?;
        match (find(owner, registered).await?, old) {
            (Some(new), _) => begin(owner, &new, &counted, before).await?,
            (None, Some(old)) => {
                let mut last = None;
                for (tenant, counted) in counted {
                    let of_tenant = old.later(counted, old.highest(owner, tenant).await?);
                    last = old.later(last, of_tenant);
                }
                changed.shared_again.push((old, last));
            }
            (None, None) => {}
        }
    }
    enter(owner, None).await?;
    Ok(Some(changed))
}

impl Changed {
    /// To be called when the shared tables have followed.
    pub(in super::super) async fn complete(self, owner: &mut PgConnection) -> Result<(), sqlx::Error> {
        for (numbered, last) in self.shared_again {
            numbered.raise_shared(owner, last).await?;
        }
        Ok(())
    }
}

/// Forgets sequences that were dropped, and drops what stood for them.
pub(in super::super) async fn forget_dropped(owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    let text = "SELECT number FROM tenantry.ids i \
                WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = i.sequence)";
    let dropped: Vec<i64> = sqlx::query_scalar(text).fetch_all(&mut *owner).await?;
    for number in dropped {
        forget(owner, number).await?;
    }
    Ok(())
}

/// Lets all tenants begin to count: behind what they have, or as on a private database where the column was not numbered
/// before.
async fn begin(
    owner: &mut PgConnection,
    new: &Numbered,
    counted: &[(i64, Option<i64>)],
    before: &Model,
) -> Result<(), sqlx::Error> {
    let table = new.table.as_ref().and_then(|table| before.tables.get(table));
    // The tenant is in front in the shared table.
    let at = new.at.map(|at| at.saturating_add(1));
    let is_new_column = table.is_some_and(|table| at.is_some_and(|at| !table.columns.contains_key(&at)));
    let was_numbered = before.sequences.contains_key(&new.name);
    if is_new_column {
        renumber::prepare(owner, new).await?;
    }
    let mut begins = Vec::with_capacity(counted.len());
    for (tenant, counted) in counted {
        if is_new_column {
            renumber::rows(owner, new, *tenant).await?;
        }
        let last = match is_new_column || was_numbered {
            true => new.later(*counted, new.highest(owner, *tenant).await?),
            false => None,
        };
        begins.push(new.begin(*tenant, last));
    }
    counting::run(owner, &begins).await
}

async fn counted(
    owner: &mut PgConnection,
    old: Option<&Numbered>,
    tenants: &[i64],
) -> Result<Vec<(i64, Option<i64>)>, sqlx::Error> {
    let mut all = Vec::with_capacity(tenants.len());
    for tenant in tenants {
        let counted = match old {
            Some(old) => old.counted(owner, *tenant).await?,
            None => None,
        };
        all.push((*tenant, counted));
    }
    Ok(all)
}

async fn find(owner: &mut PgConnection, number: Option<i64>) -> Result<Option<Numbered>, sqlx::Error> {
    Ok(read(owner).await?.into_iter().find(|numbered| Some(numbered.number) == number))
}

/// Drops what tenants count with, and the trigger with its function.
async fn forget(owner: &mut PgConnection, number: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM tenantry.ids WHERE number = $1").bind(number).execute(&mut *owner).await?;
    let function = format!("DROP FUNCTION IF EXISTS tenantry_ids.f{number}() CASCADE");
    sqlx::raw_sql(AssertSqlSafe(function)).execute(&mut *owner).await?;
    let text = "SELECT 'tenantry_ids.' || relname FROM pg_catalog.pg_class \
                WHERE relnamespace = 'tenantry_ids'::regnamespace AND relkind = 'S' AND relname LIKE $1";
    let query = sqlx::query_scalar(text).bind(format!("t{number}\\_%"));
    let sequences: Vec<String> = query.fetch_all(&mut *owner).await?;
    for some in sequences.chunks(1000) {
        sqlx::raw_sql(AssertSqlSafe(format!("DROP SEQUENCE {}", some.join(", ")))).execute(&mut *owner).await?;
    }
    Ok(())
}

/// A sequence that stands for tenants' own and is not to, or the other way, or in another way.
#[derive(Debug, sqlx::FromRow)]
struct Pending {
    sequence: i64,
    number: Option<i64>,
    kind: Option<String>,
    options: Option<String>,
    table: Option<String>,
}

impl Pending {
    /// Lets nobody take numbers meanwhile.
    async fn lock(&self, owner: &mut PgConnection) -> Result<(), sqlx::Error> {
        let Some(table) = &self.table else { return Ok(()) };
        let (schema, table) = (Quoted::new(SHARED_SCHEMA), Quoted::new(table));
        let text = format!("LOCK TABLE {schema}.{table} IN ACCESS EXCLUSIVE MODE");
        sqlx::raw_sql(AssertSqlSafe(text)).execute(owner).await.map(drop)
    }

    /// Gives it a number, if it is to stand for tenants' own.
    async fn register(&self, owner: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
        let Some((kind, options)) = self.kind.as_ref().zip(self.options.as_ref()) else { return Ok(None) };
        let text =
            "INSERT INTO tenantry.ids (sequence, kind, options) VALUES ($1::oid::regclass, $2, $3) RETURNING number";
        let query = sqlx::query_scalar(text).bind(self.sequence).bind(kind).bind(options);
        query.fetch_one(owner).await.map(Some)
    }
}

/// A sequence can stand for tenants' own where its numbers are what is in the column, and nothing is made of them.
const PENDING: &str = "
WITH columns AS (
    SELECT c.oid AS sequence, t.relname::text AS name, NOT f.global AND a.atttypid IN (20, 21, 23)
               AND (a.attidentity <> '' OR pg_get_expr(e.adbin, e.adrelid)
                                           = format('nextval(%L::regclass)', format('public.%I', c.relname))) AS is_plain,
           format('INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s', s.seqincrement, s.seqmin, s.seqmax,
                  s.seqstart, s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) AS options
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
        AND d.deptype IN ('a', 'i')
    JOIN pg_class t ON t.oid = d.refobjid JOIN tenantry.tables f ON f.logical = t.oid
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace
), wanted AS (
    SELECT c.*, coalesce((SELECT n.kind FROM tenantry.numbering n WHERE n.logical = c.name),
                         (SELECT n.kind FROM tenantry.numbering n WHERE n.logical = '*'), 'shared') AS kind
    FROM columns c WHERE c.is_plain
)
SELECT coalesce(w.sequence, i.sequence::oid)::bigint AS sequence, i.number, w.kind, w.options,
       coalesce(w.name, (SELECT c.name FROM columns c WHERE c.sequence = i.sequence)) AS table
FROM (SELECT * FROM wanted WHERE kind <> 'shared') w FULL JOIN tenantry.ids i ON i.sequence::oid = w.sequence
WHERE (w.kind, w.options) IS DISTINCT FROM (i.kind, i.options) ORDER BY 1
";
