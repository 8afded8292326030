//! From PostgreSQL's tree to the intermediate representation.
//!
//! Every node is taken apart with all of its fields, and every kind of node that is not listed is refused, so that
//! nothing is passed over: what a later version of the parser adds has to be written down here before it compiles.

mod dml;
mod expr;
mod from;
mod group;
mod merge;
mod names;
mod query;
mod setting;

use pg_query::{
    NodeEnum,
    protobuf::{Node, TransactionStmt, TransactionStmtKind},
};

use super::tokens::{Tokens, tokens, unreadable};
use crate::{Code, Limits, Refused, Span, Transaction, ir};

/// Parses exactly one statement.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<ir::Statement, Refused> {
    lowered(text, limits).map_err(|refused| match refused.position {
        Some(_) => refused,
        // What is refused as a whole is refused where it begins.
        None => refused.at(text, Span::at(text.len() - text.trim_start().len())),
    })
}

fn lowered(text: &str, limits: &Limits) -> Result<ir::Statement, Refused> {
    let tokens = tokens(text, limits)?;
    let tree = pg_query::parse(text, 0).map_err(|error| unreadable(&error))?.protobuf;
    let [statement] = tree.stmts.as_slice() else {
        return Err(Refused::new(Code::Statement, "not one statement"));
    };
    let mut lowering = Lowering { text, tokens, parameters: Vec::new(), reworded: Vec::new() };
    let kind = lowering.statement(statement.stmt.as_deref())?;
    lowering.parameters.sort_by_key(|span| span.start);
    Ok(ir::Statement {
        kind,
        parameters: lowering.parameters,
        comments: lowering.tokens.comments,
        reworded: lowering.reworded,
    })
}

/// The way through a tree.
struct Lowering<'t> {
    text: &'t str,
    tokens: Tokens,
    parameters: Vec<Span>,
    reworded: Vec<(Span, &'static str)>,
}

impl Lowering<'_> {
    fn statement(&mut self, node: Option<&Node>) -> Result<ir::Kind, Refused> {
        match node.and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::SelectStmt(select)) => Ok(ir::Kind::Query(self.query(select)?)),
            Some(NodeEnum::InsertStmt(insert)) => Ok(ir::Kind::Insert(self.insert(insert)?)),
            Some(NodeEnum::UpdateStmt(update)) => Ok(ir::Kind::Update(self.update(update)?)),
            Some(NodeEnum::DeleteStmt(delete)) => Ok(ir::Kind::Delete(self.delete(delete)?)),
            Some(NodeEnum::MergeStmt(merge)) => Ok(ir::Kind::Merge(Box::new(self.merge(merge)?))),
            Some(NodeEnum::TruncateStmt(truncate)) => self.truncate(truncate),
            Some(NodeEnum::TransactionStmt(statement)) => self.transaction(statement),
            Some(NodeEnum::VariableSetStmt(set)) => self.set(set).map(ir::Kind::Setting),
            Some(NodeEnum::VariableShowStmt(show)) => self.show(show).map(ir::Kind::Setting),
            Some(NodeEnum::ConstraintsSetStmt(set)) => self.set_constraints(set).map(ir::Kind::Setting),
            _ => Err(self.refuse(Code::Unknown, "a statement of this kind", -1)),
        }
    }

    fn transaction(&self, statement: &TransactionStmt) -> Result<ir::Kind, Refused> {
        use TransactionStmtKind as K;
        if statement.chain {
            // The next transaction would begin without knowing whose it is.
            return Err(self.refuse(Code::Unknown, "AND CHAIN", -1).hint("begin the next transaction by itself"));
        }
        let kind = |what| Ok(ir::Kind::Transaction(what));
        match statement.kind() {
            K::TransStmtBegin | K::TransStmtStart => kind(Transaction::Begin),
            K::TransStmtCommit => kind(Transaction::Commit),
            K::TransStmtRollback => kind(Transaction::Rollback),
            K::TransStmtSavepoint | K::TransStmtRelease | K::TransStmtRollbackTo => kind(Transaction::Savepoint),
            K::Undefined | K::TransStmtPrepare | K::TransStmtCommitPrepared | K::TransStmtRollbackPrepared => {
                Err(self.refuse(Code::Unknown, "a prepared transaction", -1))
            }
        }
    }

    fn refuse(&self, code: Code, construct: impl Into<std::borrow::Cow<'static, str>>, location: i32) -> Refused {
        let refused = Refused::new(code, construct);
        match usize::try_from(location) {
            Ok(at) => refused.at(self.text, Span::at(at)),
            Err(_) => refused,
        }
    }
}
