//! Ids that each tenant has of its own.
//!
//! A sequence of the application's that numbers the rows of a tenants' table may stand for a sequence of each tenant, in
//! the schema `tenantry_ids`, or for a row of `tenantry.counters`. Which ones do is in `tenantry.ids`. Nobody but the
//! owner has privileges there; two functions, which run as the owner and take the tenant from where row-level security has
//! it, give the next number.
//!
//! The default of a column calls such a function where it called `nextval`. An identity has no default that could. It
//! stays one, so that the server goes on to refuse values where it must, but its shared sequence gives nothing but marks,
//! for which a trigger puts the number of the tenant.
//!
//! | module | what it does |
//! |---|---|
//! | `change` | makes the numbering follow the configuration and the application's schema |
//! | `counting` | what a tenant counts with, and how far it has come |
//! | `functions` | what gives the next number, and who may call it |
//! | `renumber` | numbers the rows that a new column found |
//! | `wall` | what the doctor looks at |

mod change;
mod counting;
mod functions;
mod renumber;
mod wall;

use sqlx::PgConnection;
use tenantry_sql::Quoted;

pub(in crate::postgres) use self::counting::{counted, forget, last_of, provision, raise, stand_all};
pub(super) use self::{
    change::{change, forget_dropped},
    functions::install,
    wall::examine,
};
use super::model::{Sequence, Trigger};

/// A sequence of the application's that stands for one of each tenant.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Numbered {
    number: i64,
    kind: String,
    /// As the server prints it.
    literal: String,
    /// What the sequence is called.
    name: String,
    start: i64,
    step: i64,
    minimum: i64,
    maximum: i64,
    /// Those of `CREATE SEQUENCE`.
    options: String,
    /// The column that it belongs to, if any.
    table: Option<String>,
    column: Option<String>,
    /// The number of that in the application's table.
    at: Option<i16>,
}

impl Numbered {
    /// Whether it is this sequence of the application's.
    pub(super) fn is(&self, sequence: &str) -> bool {
        self.name == sequence
    }

    /// The same with the schema, as a literal.
    pub(super) fn is_literal(&self, literal: &str) -> bool {
        self.literal == literal
    }

    /// The expression that gives the next number, as the server prints it.
    pub(super) fn next(&self) -> String {
        let function = if self.is_gapless() { "next_gapless" } else { "next_id" };
        format!("tenantry.{function}('{}'::bigint)", self.number)
    }

    /// The trigger that gives an identity its number, and its name. The column is that of the shared table.
    pub(super) fn trigger(&self, at: i16, column: &str) -> (String, Trigger) {
        let (column, next) = (Quoted::new(column), self.next());
        let [low, high] = MARKS;
        let trigger = Trigger {
            when: BEFORE_INSERT_OR_UPDATE_OF_ROWS,
            columns: at.to_string(),
            always: true,
            function: format!("tenantry_ids.f{}", self.number),
            body: format!(
                "BEGIN IF NEW.{column} IN ({low}, {high}) THEN NEW.{column} := {next}; END IF; RETURN NEW; END"
            ),
        };
        (format!("_tenant_id_{}", self.number), trigger)
    }

    fn is_gapless(&self) -> bool {
        self.kind == "gapless"
    }
}

/// All that there are, by number.
pub(super) async fn read(connection: &mut PgConnection) -> Result<Vec<Numbered>, sqlx::Error> {
    sqlx::query_as(NUMBERED).fetch_all(connection).await
}

/// Lets a shared sequence give nothing but [`MARKS`], over and over.
pub(super) fn only_marks(sequence: &Sequence) -> Sequence {
    let [low, high] = MARKS;
    Sequence { start: low, increment: 1, minimum: low, maximum: high, cache: 1, cycle: true, ..sequence.clone() }
}

/// Whether it gives nothing else.
pub(super) fn gives_marks(sequence: &Sequence) -> bool {
    [sequence.minimum, sequence.maximum] == MARKS
}

/// What the shared sequence of an identity gives in place of a number. A sequence has two at least. All types of integers
/// have these, and neither is where the range of one of them begins, which the server would change with the type.
const MARKS: [i64; 2] = [-32_767, -32_766];

/// The bits of `pg_trigger.tgtype`: for each row, before, insert, update.
const BEFORE_INSERT_OR_UPDATE_OF_ROWS: i16 = 1 | 2 | 4 | 16;

const NUMBERED: &str = "
SELECT i.number, i.kind, pg_catalog.quote_literal(pg_catalog.format('%I.%I', n.nspname, c.relname)) AS literal,
       c.relname::text AS name, s.seqstart AS start, s.seqincrement AS step, s.seqmin AS minimum, s.seqmax AS maximum,
       i.options, t.relname::text AS table, a.attname::text AS column, a.attnum AS at
FROM tenantry.ids i JOIN pg_catalog.pg_class c ON c.oid = i.sequence JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
    AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
LEFT JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
ORDER BY i.number
";
