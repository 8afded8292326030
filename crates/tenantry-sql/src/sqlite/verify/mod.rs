//! The verifier: reads a scoped statement again, as the database will, and accepts it only if everything in it has the
//! shape that keeps tenants apart. It trusts nobody, and shares nothing with what writes such statements but the parser.
//!
//! The checks are V1 to V7 of the specification, §7.4. What the walk accepted is counted and held against the tokens of
//! the text, so that a part which the walk forgets makes it refuse.
mod expression;
mod leaf;
mod names;
mod select;
mod tokens;
mod trigger;
mod walk;
mod write;

use bumpalo::Bump;
use sqlite3_parser::{
    FallibleIterator as _,
    ast::{Cmd, Name, Stmt},
    lexer::sql::Parser,
};

pub use self::trigger::verify_trigger;
use self::walk::Walk;
use crate::{Code, Refused, SchemaMap};

/// What stands for the tenant in a scoped statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantTerm {
    /// The parameter of this number: `?N`.
    Parameter(u32),
    /// The tenant of the row that a trigger's statement wrote: `NEW."_tenant"`.
    New,
    /// The tenant of the row that a trigger's statement deleted: `OLD."_tenant"`.
    Old,
}

impl TenantTerm {
    /// Whether the statement is part of a trigger.
    const fn in_trigger(self) -> bool {
        match self {
            Self::Parameter(_) => false,
            Self::New | Self::Old => true,
        }
    }
}

/// Accepts a scoped statement that can reach no rows but those of the tenant for whom `tenant` stands.
///
/// # Errors
///
/// [`Code::Unverified`], with the check that failed.
pub fn verify(text: &str, schema: &SchemaMap, tenant: TenantTerm) -> Result<(), Refused> {
    let census = tokens::census(text, tenant)?;
    let bump = Bump::with_capacity(ARENA_BYTES);
    let mut walk = Walk::new(schema, tenant);
    walk.statement(&only_statement(&bump, text)?)?;
    walk.finish(census)
}

/// The one statement in the text.
fn only_statement<'bump>(bump: &'bump Bump, text: &'bump str) -> Result<Stmt<'bump>, Refused> {
    let mut parser = Parser::new(bump, text.as_bytes());
    let first = parser.next().or_else(|_| no("statement: it cannot be parsed"))?;
    let Ok(None) = parser.next() else { return no("statement: something comes after it") };
    match first {
        Some(Cmd::Stmt(statement)) => Ok(statement),
        Some(Cmd::Explain(_) | Cmd::ExplainQueryPlan(_)) => no("statement: EXPLAIN"),
        None => no("statement: there is none"),
    }
}

/// What the tree of an ordinary statement takes.
const ARENA_BYTES: usize = 16 * 1024;

type Checked = Result<(), Refused>;

/// Refuses, naming the check that failed.
fn no<T>(check: &'static str) -> Result<T, Refused> {
    Err(Refused::new(Code::Unverified, check))
}

impl Walk<'_> {
    fn statement(&mut self, statement: &Stmt<'_>) -> Checked {
        match statement {
            Stmt::Select(select) => self.select(select),
            Stmt::Insert { with, or_conflict: _, tbl_name, columns, body, returning } => {
                self.insert(with.as_ref(), tbl_name, columns.as_ref(), body, *returning)
            }
            Stmt::Update {
                with,
                or_conflict: _,
                tbl_name,
                indexed,
                sets,
                from,
                where_clause,
                returning,
                order_by: None,
                limit: None,
            } => {
                let reads = write::Reads { with: with.as_ref(), from: from.as_ref(), returning: *returning };
                self.update(tbl_name, indexed.as_ref(), sets, where_clause.as_ref(), &reads)
            }
            Stmt::Delete { with, tbl_name, indexed, where_clause, returning, order_by: None, limit: None } => {
                let reads = write::Reads { with: with.as_ref(), from: None, returning: *returning };
                self.delete(tbl_name, indexed.as_ref(), where_clause.as_ref(), &reads)
            }
            Stmt::Update { .. } | Stmt::Delete { .. } => no("write: ORDER BY or LIMIT"),
            Stmt::Begin(_, name) | Stmt::Commit(name) => self.transaction([name.as_ref(), None]),
            Stmt::Rollback { tx_name, savepoint_name } => self.transaction([tx_name.as_ref(), savepoint_name.as_ref()]),
            Stmt::Savepoint(name) | Stmt::Release(name) => self.transaction([Some(name), None]),
            Stmt::AlterTable(..)
            | Stmt::Analyze(_)
            | Stmt::Attach { .. }
            | Stmt::CreateIndex { .. }
            | Stmt::CreateTable { .. }
            | Stmt::CreateTrigger { .. }
            | Stmt::CreateView { .. }
            | Stmt::CreateVirtualTable { .. }
            | Stmt::Detach(_)
            | Stmt::DropIndex { .. }
            | Stmt::DropTable { .. }
            | Stmt::DropTrigger { .. }
            | Stmt::DropView { .. }
            | Stmt::Pragma(..)
            | Stmt::Reindex { .. }
            | Stmt::Vacuum(..) => no("statement: its kind is not known to be harmless"),
        }
    }

    fn transaction(&self, names: [Option<&Name<'_>>; 2]) -> Checked {
        if self.in_trigger() {
            return no("trigger: a transaction within");
        }
        names.into_iter().flatten().try_for_each(|name| names::plain(name.0))
    }
}

#[cfg(test)]
mod tests;
