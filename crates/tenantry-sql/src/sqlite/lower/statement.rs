//! Statements.

use sqlite3_parser::{
    ast::{self, Cmd, InsertBody, ResolveType, Stmt, TriggerCmd, UpsertDo},
    dialect::TokenType as T,
};

use super::{Cursor, expr::resolve_type};
use crate::{
    Code, Ident, Refused, Transaction,
    ir::{
        Conflict, ConflictTarget, Delete, Insert, Kind, Pragma, Returning, Set, Source, Statement, TableRef, Update,
        Upsert, UpsertAction, Where,
    },
    sqlite::tokens::dequoted,
};

/// `INSERT INTO t (a, b)`.
struct InsertInto {
    conflict: Option<Conflict>,
    into: TableRef,
    columns: Option<Vec<Ident>>,
    columns_end: usize,
}

impl Cursor<'_> {
    pub(super) fn command(&mut self, command: &Cmd<'_>) -> Result<Statement, Refused> {
        while self.accept(T::TK_SEMI).is_some() {}
        let kind = match command {
            Cmd::Explain(_) | Cmd::ExplainQueryPlan(_) => return Err(Refused::new(Code::Explain, "EXPLAIN")),
            Cmd::Stmt(statement) => self.statement(statement)?,
        };
        self.finish()?;
        let comments = self.comments();
        Ok(Statement { kind, parameters: std::mem::take(&mut self.parameters), comments, reworded: Vec::new() })
    }

    pub(super) fn statement(&mut self, statement: &Stmt<'_>) -> Result<Kind, Refused> {
        let refuse = |code, construct: &'static str| Err(Refused::new(code, construct));
        match statement {
            Stmt::Select(query) => Ok(Kind::Query(self.query(query)?)),
            Stmt::Insert { .. } => self.insert(statement),
            Stmt::Update { .. } => self.update(statement),
            Stmt::Delete { .. } => self.delete(statement),
            Stmt::Begin(..) | Stmt::Commit(_) | Stmt::Rollback { .. } | Stmt::Savepoint(_) | Stmt::Release(_) => {
                self.transaction(statement)
            }
            Stmt::Pragma(name, body) => self.pragma(name, body.as_ref()),
            Stmt::AlterTable(..) => refuse(Code::Ddl, "ALTER TABLE"),
            Stmt::CreateIndex { .. } => refuse(Code::Ddl, "CREATE INDEX"),
            Stmt::CreateTable { temporary: true, .. } => refuse(Code::Temporary, "CREATE TEMPORARY TABLE"),
            Stmt::CreateTable { .. } => refuse(Code::Ddl, "CREATE TABLE"),
            Stmt::CreateTrigger { temporary: true, .. } => refuse(Code::Temporary, "CREATE TEMPORARY TRIGGER"),
            Stmt::CreateTrigger { .. } => refuse(Code::Ddl, "CREATE TRIGGER"),
            Stmt::CreateView { temporary: true, .. } => refuse(Code::Temporary, "CREATE TEMPORARY VIEW"),
            Stmt::CreateView { .. } => refuse(Code::Ddl, "CREATE VIEW"),
            Stmt::CreateVirtualTable { .. } => refuse(Code::Ddl, "CREATE VIRTUAL TABLE"),
            Stmt::DropIndex { .. } => refuse(Code::Ddl, "DROP INDEX"),
            Stmt::DropTable { .. } => refuse(Code::Ddl, "DROP TABLE"),
            Stmt::DropTrigger { .. } => refuse(Code::Ddl, "DROP TRIGGER"),
            Stmt::DropView { .. } => refuse(Code::Ddl, "DROP VIEW"),
            Stmt::Attach { .. } => refuse(Code::WholeFile, "ATTACH"),
            Stmt::Detach(_) => refuse(Code::WholeFile, "DETACH"),
            Stmt::Vacuum(..) => refuse(Code::WholeFile, "VACUUM"),
            Stmt::Analyze(_) => refuse(Code::Explain, "ANALYZE"),
            Stmt::Reindex { .. } => refuse(Code::Ddl, "REINDEX"),
        }
    }

    fn insert(&mut self, statement: &Stmt<'_>) -> Result<Kind, Refused> {
        let Stmt::Insert { with, or_conflict, tbl_name, columns, body, returning } = statement else {
            return Err(self.misaligned());
        };
        let with = self.with(with.as_ref())?;
        let InsertInto { conflict, into, columns, columns_end } =
            self.insert_into(*or_conflict, tbl_name, columns.as_ref())?;
        let (source, upserts) = match body {
            InsertBody::DefaultValues => {
                let start = self.start();
                self.expect_all(&[T::TK_DEFAULT, T::TK_VALUES])?;
                (Source::Default(self.since(start)), Vec::new())
            }
            InsertBody::Select(query, upsert) => {
                let query = self.query(query)?;
                (Source::Query(query), self.upserts(*upsert)?)
            }
        };
        let returning = self.returning(*returning)?;
        Ok(Kind::Insert(Insert { with, conflict, into, columns, columns_end, source, upserts, returning }))
    }

    /// A statement of a trigger.
    pub(super) fn trigger_command(&mut self, command: &TriggerCmd<'_>) -> Result<Kind, Refused> {
        match command {
            TriggerCmd::Insert { or_conflict, tbl_name, col_names, select, upsert } => {
                let head = self.insert_into(*or_conflict, tbl_name, col_names.as_ref())?;
                let InsertInto { conflict, into, columns, columns_end } = head;
                let source = Source::Query(self.query(select)?);
                let upserts = self.upserts(*upsert)?;
                let (with, returning) = (None, None);
                Ok(Kind::Insert(Insert { with, conflict, into, columns, columns_end, source, upserts, returning }))
            }
            TriggerCmd::Update { or_conflict, tbl_name, sets, from, where_clause } => {
                let from = from.as_ref();
                let update = self.update_of(*or_conflict, tbl_name, None, sets, from, where_clause.as_ref())?;
                Ok(Kind::Update(update))
            }
            TriggerCmd::Delete { tbl_name, where_clause } => {
                Ok(Kind::Delete(self.delete_from(tbl_name, None, where_clause.as_ref())?))
            }
            TriggerCmd::Select(query) => Ok(Kind::Query(self.query(query)?)),
        }
    }

    fn insert_into(
        &mut self,
        or: Option<ResolveType>,
        name: &ast::QualifiedName<'_>,
        columns: Option<&ast::DistinctNames<'_>>,
    ) -> Result<InsertInto, Refused> {
        let conflict = self.insert_verb(or)?;
        self.expect(T::TK_INTO)?;
        let into = self.target(name)?;
        let columns = columns.map(|columns| {
            self.expect(T::TK_LP)?;
            let names = self.names(columns.iter())?;
            self.expect(T::TK_RP)?;
            Ok(names)
        });
        let columns: Option<Vec<_>> = columns.transpose()?;
        let last = columns.as_ref().and_then(|columns| columns.last());
        let columns_end = last.map_or(into.span.end, |column| column.span.end);
        Ok(InsertInto { conflict, into, columns, columns_end })
    }

    /// `INSERT`, `INSERT OR …` or `REPLACE`.
    fn insert_verb(&mut self, or: Option<ResolveType>) -> Result<Option<Conflict>, Refused> {
        match (or, self.peek()) {
            (Some(ResolveType::Replace), Some(T::TK_REPLACE)) => {
                self.expect(T::TK_REPLACE)?;
                Ok(Some(Conflict::Replace))
            }
            _ => {
                self.expect(T::TK_INSERT)?;
                self.or(or)
            }
        }
    }

    fn or(&mut self, or: Option<ResolveType>) -> Result<Option<Conflict>, Refused> {
        let Some(kind) = or else { return Ok(None) };
        let start = self.start();
        self.expect_all(&[T::TK_OR, resolve_type(kind)])?;
        Ok(Some(match kind {
            ResolveType::Abort => Conflict::Abort(self.since(start)),
            ResolveType::Fail => Conflict::Fail,
            ResolveType::Ignore => Conflict::Ignore,
            ResolveType::Replace => Conflict::Replace,
            ResolveType::Rollback => Conflict::Rollback,
        }))
    }

    fn upserts(&mut self, first: Option<&ast::Upsert<'_>>) -> Result<Vec<Upsert>, Refused> {
        let mut upserts = Vec::new();
        let mut next = first;
        while let Some(upsert) = next {
            self.expect_all(&[T::TK_ON, T::TK_CONFLICT])?;
            let target = upsert.index.as_ref().map(|index| self.conflict_target(index)).transpose()?;
            self.expect(T::TK_DO)?;
            let action = match &upsert.do_clause {
                UpsertDo::Nothing => {
                    self.expect(T::TK_NOTHING)?;
                    UpsertAction::Nothing
                }
                UpsertDo::Set { sets, where_clause } => {
                    self.expect_all(&[T::TK_UPDATE, T::TK_SET])?;
                    let sets = self.sets(sets)?;
                    let filter = self.filter(where_clause.as_ref())?;
                    UpsertAction::Update { sets, filter }
                }
            };
            upserts.push(Upsert { target, action });
            next = upsert.next;
        }
        Ok(upserts)
    }

    fn conflict_target(&mut self, index: &ast::UpsertIndex<'_>) -> Result<ConflictTarget, Refused> {
        self.expect(T::TK_LP)?;
        let terms = self.sorted(index.targets)?;
        self.expect(T::TK_RP)?;
        let filter = self.filter(index.where_clause.as_ref())?;
        Ok(ConflictTarget { terms, filter, constraint: None })
    }

    pub(super) fn filter(&mut self, filter: Option<&ast::Expr<'_>>) -> Result<Option<crate::ir::Expr>, Refused> {
        let Some(filter) = filter else { return Ok(None) };
        self.expect(T::TK_WHERE)?;
        self.expr(filter).map(Some)
    }

    fn sets(&mut self, sets: &[ast::Set<'_>]) -> Result<Vec<Set>, Refused> {
        self.list(sets, |cursor, set| {
            let columns = if cursor.accept(T::TK_LP).is_some() {
                let columns = cursor.names(set.col_names.iter())?;
                cursor.expect(T::TK_RP)?;
                columns
            } else {
                cursor.names(set.col_names.iter())?
            };
            cursor.expect(T::TK_EQ)?;
            Ok(Set { columns, value: cursor.expr(&set.expr)? })
        })
    }

    fn update(&mut self, statement: &Stmt<'_>) -> Result<Kind, Refused> {
        let Stmt::Update {
            with,
            or_conflict,
            tbl_name,
            indexed,
            sets,
            from,
            where_clause,
            returning,
            order_by: None,
            limit: None,
        } = statement
        else {
            return Err(Refused::new(Code::Unknown, "UPDATE with ORDER BY or LIMIT"));
        };
        let with = self.with(with.as_ref())?;
        let (indexed, from) = (indexed.as_ref(), from.as_ref());
        let mut update = self.update_of(*or_conflict, tbl_name, indexed, sets, from, where_clause.as_ref())?;
        update.with = with;
        update.returning = self.returning(*returning)?;
        Ok(Kind::Update(update))
    }

    /// `UPDATE t SET …`.
    fn update_of(
        &mut self,
        or: Option<ResolveType>,
        name: &ast::QualifiedName<'_>,
        indexed: Option<&ast::Indexed<'_>>,
        sets: &[ast::Set<'_>],
        from: Option<&ast::FromClause<'_>>,
        filter: Option<&ast::Expr<'_>>,
    ) -> Result<Update, Refused> {
        self.expect(T::TK_UPDATE)?;
        self.or(or)?;
        let mut table = self.target(name)?;
        table.hint = self.index_hint(indexed)?;
        self.expect(T::TK_SET)?;
        let sets = self.sets(sets)?;
        let from = from.map(|from| {
            self.expect(T::TK_FROM)?;
            self.from(from)
        });
        let from = from.transpose()?;
        let filter = self.where_clause(filter)?;
        Ok(Update { with: None, table, sets, from, filter, returning: None })
    }

    fn delete(&mut self, statement: &Stmt<'_>) -> Result<Kind, Refused> {
        let Stmt::Delete { with, tbl_name, indexed, where_clause, returning, order_by: None, limit: None } = statement
        else {
            return Err(Refused::new(Code::Unknown, "DELETE with ORDER BY or LIMIT"));
        };
        let with = self.with(with.as_ref())?;
        let mut delete = self.delete_from(tbl_name, indexed.as_ref(), where_clause.as_ref())?;
        delete.with = with;
        delete.returning = self.returning(*returning)?;
        Ok(Kind::Delete(delete))
    }

    /// `DELETE FROM t …`.
    fn delete_from(
        &mut self,
        name: &ast::QualifiedName<'_>,
        indexed: Option<&ast::Indexed<'_>>,
        filter: Option<&ast::Expr<'_>>,
    ) -> Result<Delete, Refused> {
        self.expect_all(&[T::TK_DELETE, T::TK_FROM])?;
        let mut table = self.target(name)?;
        table.hint = self.index_hint(indexed)?;
        let filter = self.where_clause(filter)?;
        Ok(Delete { with: None, table, using: None, filter, returning: None })
    }

    fn where_clause(&mut self, filter: Option<&ast::Expr<'_>>) -> Result<Where, Refused> {
        Ok(self.filter(filter)?.map_or_else(|| Where::Absent(self.end()), Where::Given))
    }

    fn returning(&mut self, outputs: Option<&[ast::ResultColumn<'_>]>) -> Result<Option<Returning>, Refused> {
        let Some(outputs) = outputs else { return Ok(None) };
        self.expect(T::TK_RETURNING)?;
        let outputs = self.outputs(outputs)?;
        Ok(Some(Returning { outputs }))
    }

    pub(super) fn transaction(&mut self, statement: &Stmt<'_>) -> Result<Kind, Refused> {
        let optional = |cursor: &mut Self, name: &Option<ast::Name<'_>>| {
            cursor.accept(T::TK_TRANSACTION);
            name.iter().try_for_each(|name| cursor.name(name).map(drop))
        };
        let what = match statement {
            Stmt::Begin(kind, name) => {
                self.expect(T::TK_BEGIN)?;
                match kind {
                    None => {}
                    Some(ast::TransactionType::Deferred) => self.expect_all(&[T::TK_DEFERRED])?,
                    Some(ast::TransactionType::Immediate) => self.expect_all(&[T::TK_IMMEDIATE])?,
                    Some(ast::TransactionType::Exclusive) => self.expect_all(&[T::TK_EXCLUSIVE])?,
                }
                optional(self, name)?;
                Transaction::Begin
            }
            Stmt::Commit(name) => {
                if self.accept(T::TK_COMMIT).is_none() {
                    self.expect(T::TK_END)?;
                }
                optional(self, name)?;
                Transaction::Commit
            }
            Stmt::Rollback { tx_name, savepoint_name } => {
                self.expect(T::TK_ROLLBACK)?;
                optional(self, tx_name)?;
                match savepoint_name {
                    Some(name) => {
                        self.expect(T::TK_TO)?;
                        self.accept_savepoint(name)?;
                        Transaction::Savepoint
                    }
                    None => Transaction::Rollback,
                }
            }
            Stmt::Savepoint(name) => {
                self.expect(T::TK_SAVEPOINT)?;
                self.name(name)?;
                Transaction::Savepoint
            }
            Stmt::Release(name) => {
                self.expect(T::TK_RELEASE)?;
                self.accept_savepoint(name)?;
                Transaction::Savepoint
            }
            _ => return Err(self.misaligned()),
        };
        Ok(Kind::Transaction(what))
    }

    /// A savepoint's name, which may itself be `SAVEPOINT`, after the optional word.
    fn accept_savepoint(&mut self, name: &ast::Name<'_>) -> Result<(), Refused> {
        if self.peek() == Some(T::TK_SAVEPOINT) && self.peek_after(1).is_some_and(|next| next != T::TK_SEMI) {
            self.expect(T::TK_SAVEPOINT)?;
        }
        self.name(name).map(drop)
    }

    pub(super) fn pragma(
        &mut self,
        name: &ast::QualifiedName<'_>,
        body: Option<&ast::PragmaBody<'_>>,
    ) -> Result<Kind, Refused> {
        self.expect(T::TK_PRAGMA)?;
        let table = self.qualified_name(name)?;
        if let Some(schema) = &table.schema
            && !schema.name.is("main")
        {
            return Err(self.refuse(Code::Relation, format!("schema {}", schema.name.quoted()), schema.span));
        }
        let value = match body {
            None => None,
            Some(ast::PragmaBody::Equals(value)) => {
                self.expect(T::TK_EQ)?;
                Some(value)
            }
            Some(ast::PragmaBody::Call(value)) => {
                self.expect(T::TK_LP)?;
                Some(value)
            }
        };
        let argument = value.map(|value| {
            let start = self.start();
            match value {
                ast::Expr::Name(name) => self.name(name).map(drop)?,
                other => self.sites(other, &mut Vec::new())?,
            }
            Ok(dequoted(&self.text[self.since(start).range()]).as_str().to_owned())
        });
        let argument = argument.transpose()?;
        if let Some(ast::PragmaBody::Call(_)) = body {
            self.expect(T::TK_RP)?;
        }
        Ok(Kind::Pragma(Pragma { name: table.name, argument }))
    }
}
