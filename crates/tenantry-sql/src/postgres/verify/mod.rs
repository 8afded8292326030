//! The verifier: a second reading of what is printed, which shares nothing with the rules but the parser and the lists
//! of what is built in.
//!
//! It accepts a text in which (V1) a table of tenants stands in a leaf, or is changed behind a guard or by rows with the
//! tenant, (V2) any other name of a relation
//! is that of a common table expression that is visible or of a global table, (V3) no reserved name and not the tenant's
//! parameter stands elsewhere, (V4) the row of a target is not read as a whole, (V5) the tenant is not assigned, (V6) all kinds of nodes, functions and types are listed, and (V7) there is one
//! statement. Nodes are taken apart with all of their fields, and what is not listed is not accepted.

mod expression;
mod leaf;
mod merge;
mod names;
mod query;
mod scope;
mod setting;
#[cfg(test)]
mod tests;
mod write;

use pg_query::{
    NodeEnum,
    protobuf::{Node, TransactionStmtKind as Kind},
};

use super::settings;
use crate::{Code, Refused, SchemaMap};

/// Accepts a text that reads one tenant's rows only, that of parameter `number`.
///
/// # Errors
///
/// [`Code::Unverified`], with what is not as it should be.
pub(crate) fn verify(text: &str, schema: &SchemaMap, number: u32) -> Result<(), Refused> {
    let tree = pg_query::parse(text, 0).map_err(|_| unverified("a text that cannot be read"))?.protobuf;
    let [statement] = tree.stmts.as_slice() else {
        return Err(unverified("not one statement"));
    };
    let mut reader = Reader { schema, number, ctes: Vec::new(), changed: None, inner: Vec::new() };
    match kind(statement.stmt.as_deref())? {
        NodeEnum::SelectStmt(select) => reader.query(select),
        NodeEnum::TransactionStmt(statement) if BEGINS_OR_ENDS.contains(&statement.kind()) => Ok(()),
        NodeEnum::VariableSetStmt(set) if setting::may_set(set) => Ok(()),
        NodeEnum::VariableShowStmt(show) if settings::may_read(&show.name) => Ok(()),
        NodeEnum::ConstraintsSetStmt(set) if set.constraints.is_empty() => Ok(()),
        other => reader.change(other),
    }
}

/// What passes as it is. A prepared transaction would outlive the lease.
const BEGINS_OR_ENDS: &[Kind] = &[
    Kind::TransStmtBegin,
    Kind::TransStmtStart,
    Kind::TransStmtCommit,
    Kind::TransStmtRollback,
    Kind::TransStmtSavepoint,
    Kind::TransStmtRelease,
    Kind::TransStmtRollbackTo,
];

struct Reader<'a> {
    schema: &'a SchemaMap,
    /// The number of the tenant's parameter.
    number: u32,
    /// The common table expressions that are visible.
    ctes: Vec<String>,
    /// The table whose rows are changed.
    changed: Option<write::Target>,
    /// Names of rows and of columns that hide those of the table whose rows are changed, in the query that is read.
    inner: Vec<scope::Inner>,
}

fn unverified(construct: impl Into<std::borrow::Cow<'static, str>>) -> Refused {
    Refused::new(Code::Unverified, construct)
}

fn kind(node: Option<&Node>) -> Result<&NodeEnum, Refused> {
    node.and_then(|node| node.node.as_ref()).ok_or_else(|| unverified("an empty node"))
}
