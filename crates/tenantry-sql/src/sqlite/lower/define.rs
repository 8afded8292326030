//! Statements that define something.

use sqlite3_parser::{
    ast::{self, AlterTableBody, Cmd, CreateTableBody, Stmt, TabFlags, TableConstraint, TriggerEvent, TriggerTime},
    dialect::TokenType as T,
};

use super::Cursor;
use crate::{
    Code, Refused, Span,
    ir::Kind,
    sqlite::ddl::definition::{
        Alter, AlterKind, Constraint, ConstraintKind, CreateIndex, CreateTable, CreateTrigger, CreateView, Defines,
        Definition, Drop, Dropped,
    },
};

impl Cursor<'_> {
    pub(super) fn definition(&mut self, command: &Cmd<'_>) -> Result<Definition, Refused> {
        while self.accept(T::TK_SEMI).is_some() {}
        let start = self.start();
        let kind = match command {
            Cmd::Explain(_) | Cmd::ExplainQueryPlan(_) => return Err(Refused::new(Code::Explain, "EXPLAIN")),
            Cmd::Stmt(Stmt::Select(_) | Stmt::Insert { .. } | Stmt::Update { .. } | Stmt::Delete { .. }) => {
                let (span, comments) = (Span::new(start, self.text.len()), Vec::new());
                return Ok(Definition { kind: Defines::Rows, span, parameters: Vec::new(), comments });
            }
            Cmd::Stmt(statement) => self.defines(statement)?,
        };
        let span = self.since(start);
        self.finish()?;
        let comments = self.comments();
        Ok(Definition { kind, span, parameters: std::mem::take(&mut self.parameters), comments })
    }

    fn defines(&mut self, statement: &Stmt<'_>) -> Result<Defines, Refused> {
        Ok(match statement {
            Stmt::CreateTable { temporary: false, .. } => Defines::Table(self.create_table(statement)?),
            Stmt::CreateIndex { .. } => Defines::Index(self.create_index(statement)?),
            Stmt::CreateView { temporary: false, .. } => Defines::View(self.create_view(statement)?),
            Stmt::CreateTrigger { temporary: false, .. } => Defines::Trigger(Box::new(self.create_trigger(statement)?)),
            Stmt::DropTable { if_exists, tbl_name } => self.drop(T::TK_TABLE, Dropped::Table, *if_exists, tbl_name)?,
            Stmt::DropIndex { if_exists, idx_name } => self.drop(T::TK_INDEX, Dropped::Index, *if_exists, idx_name)?,
            Stmt::DropView { if_exists, view_name } => self.drop(T::TK_VIEW, Dropped::View, *if_exists, view_name)?,
            Stmt::DropTrigger { if_exists, trigger_name } => {
                self.drop(T::TK_TRIGGER, Dropped::Trigger, *if_exists, trigger_name)?
            }
            Stmt::AlterTable(table, body) => Defines::Alter(self.alter(table, body)?),
            Stmt::Pragma(name, body) => match self.pragma(name, body.as_ref())? {
                Kind::Pragma(pragma) => Defines::Pragma(pragma),
                _ => return Err(self.misaligned()),
            },
            Stmt::Begin(..) | Stmt::Commit(_) | Stmt::Rollback { .. } | Stmt::Savepoint(_) | Stmt::Release(_) => {
                self.transaction(statement)?;
                Defines::Transaction
            }
            Stmt::CreateVirtualTable { .. } => {
                let refused = Refused::new(Code::Ddl, "CREATE VIRTUAL TABLE");
                return Err(refused.hint("give tenants that need full-text search a dedicated database"));
            }
            Stmt::Reindex { .. } | Stmt::Analyze(_) | Stmt::Vacuum(..) => {
                let refused = Refused::new(Code::WholeFile, "REINDEX, ANALYZE or VACUUM");
                return Err(refused.hint("leave it out of migrations; it is for whoever runs the database"));
            }
            // What no migration may do is refused with the words that an ordinary statement is refused with.
            other => match self.statement(other) {
                Err(refused) => return Err(refused),
                Ok(_) => return Err(self.misaligned()),
            },
        })
    }

    fn if_not_exists(&mut self, written: bool) -> Result<(), Refused> {
        if written { self.expect_all(&[T::TK_IF, T::TK_NOT, T::TK_EXISTS]) } else { Ok(()) }
    }

    fn create_table(&mut self, statement: &Stmt<'_>) -> Result<CreateTable, Refused> {
        let Stmt::CreateTable { if_not_exists, tbl_name, body, .. } = statement else {
            return Err(self.misaligned());
        };
        self.expect_all(&[T::TK_CREATE, T::TK_TABLE])?;
        self.if_not_exists(*if_not_exists)?;
        let table = self.qualified_name(tbl_name)?;
        let CreateTableBody::ColumnsAndConstraints { columns, constraints, flags } = body else {
            let refused = self.refuse(Code::UnscopedPath, "CREATE TABLE … AS SELECT", table.span);
            return Err(refused.hint("create the table with its columns, then use INSERT … SELECT"));
        };
        self.expect(T::TK_LP)?;
        let columns = self.list(columns.iter(), |cursor, column| cursor.column_def(column))?;
        let mut lowered = Vec::new();
        for constraint in constraints.iter().copied().flatten() {
            // Between constraints SQLite does without the comma.
            if self.accept(T::TK_COMMA).is_none() && lowered.is_empty() {
                return Err(self.misaligned());
            }
            lowered.push(self.constraint_def(constraint)?);
        }
        self.expect(T::TK_RP)?;
        let (strict, without_row_id) = self.table_options(*flags)?;
        let if_not_exists = *if_not_exists;
        Ok(CreateTable { table, if_not_exists, columns, constraints: lowered, strict, without_row_id })
    }

    fn constraint_def(&mut self, tree: &ast::NamedTableConstraint<'_>) -> Result<Constraint, Refused> {
        let start = self.start();
        let name = self.constraint_name(tree.name.as_ref())?;
        let kind = match &tree.constraint {
            TableConstraint::PrimaryKey { columns, auto_increment, conflict_clause } => {
                self.expect_all(&[T::TK_PRIMARY, T::TK_KEY, T::TK_LP])?;
                let terms = self.terms(columns)?;
                self.auto_increment(*auto_increment)?;
                self.expect(T::TK_RP)?;
                let conflict = self.on_conflict(*conflict_clause)?;
                ConstraintKind::PrimaryKey { terms, auto_increment: *auto_increment, conflict }
            }
            TableConstraint::Unique { columns, conflict_clause } => {
                self.expect_all(&[T::TK_UNIQUE, T::TK_LP])?;
                let terms = self.terms(columns)?;
                self.expect(T::TK_RP)?;
                ConstraintKind::Unique { terms, conflict: self.on_conflict(*conflict_clause)? }
            }
            TableConstraint::Check(expr, conflict) => {
                self.expect(T::TK_CHECK)?;
                let expr = self.in_parentheses(expr)?;
                self.on_conflict(*conflict)?;
                ConstraintKind::Check(expr)
            }
            TableConstraint::ForeignKey { columns, clause, defer_clause } => {
                self.expect_all(&[T::TK_FOREIGN, T::TK_KEY])?;
                let columns = self.indexed_columns(columns)?;
                let mut reference = self.reference(clause)?;
                if let Some(clause) = defer_clause {
                    reference.deferred = self.deferrable(clause)?;
                }
                ConstraintKind::ForeignKey { columns, reference }
            }
        };
        Ok(Constraint { span: self.since(start), name, kind })
    }

    /// `WITHOUT ROWID` and `STRICT`.
    fn table_options(&mut self, flags: TabFlags) -> Result<(bool, bool), Refused> {
        let (mut strict, mut without_row_id) = (false, false);
        while !matches!(self.peek(), None | Some(T::TK_SEMI)) {
            if self.accept(T::TK_WITHOUT).is_some() {
                without_row_id = true;
            } else {
                strict = true;
            }
            self.expect_text(self.peek_text())?;
            if self.accept(T::TK_COMMA).is_none() {
                break;
            }
        }
        let parsed = (flags.contains(TabFlags::Strict), flags.contains(TabFlags::WithoutRowid));
        if parsed == (strict, without_row_id) { Ok(parsed) } else { Err(self.misaligned()) }
    }

    fn create_index(&mut self, statement: &Stmt<'_>) -> Result<CreateIndex, Refused> {
        let Stmt::CreateIndex { unique, if_not_exists, idx_name, tbl_name, columns, where_clause } = statement else {
            return Err(self.misaligned());
        };
        let (unique, if_not_exists) = (*unique, *if_not_exists);
        self.expect(T::TK_CREATE)?;
        if unique {
            self.expect(T::TK_UNIQUE)?;
        }
        self.expect(T::TK_INDEX)?;
        self.if_not_exists(if_not_exists)?;
        let index = self.qualified_name(idx_name)?;
        self.expect(T::TK_ON)?;
        let table = self.name(tbl_name)?;
        self.expect(T::TK_LP)?;
        let terms = self.terms(columns)?;
        self.expect(T::TK_RP)?;
        let filter = self.filter(where_clause.as_ref())?;
        Ok(CreateIndex { index, table, unique, if_not_exists, terms, filter })
    }

    fn create_view(&mut self, statement: &Stmt<'_>) -> Result<CreateView, Refused> {
        let Stmt::CreateView { if_not_exists, view_name, columns, select, .. } = statement else {
            return Err(self.misaligned());
        };
        self.expect_all(&[T::TK_CREATE, T::TK_VIEW])?;
        self.if_not_exists(*if_not_exists)?;
        let view = self.qualified_name(view_name)?;
        let columns = columns.map(|columns| self.indexed_columns(columns)).transpose()?;
        self.expect(T::TK_AS)?;
        let start = self.start();
        let query = self.query(select)?;
        Ok(CreateView { view, if_not_exists: *if_not_exists, columns, body: self.since(start), query })
    }

    fn create_trigger(&mut self, statement: &Stmt<'_>) -> Result<CreateTrigger, Refused> {
        let Stmt::CreateTrigger {
            if_not_exists,
            trigger_name,
            time,
            event,
            tbl_name,
            for_each_row,
            when_clause,
            commands,
            ..
        } = statement
        else {
            return Err(self.misaligned());
        };
        self.expect_all(&[T::TK_CREATE, T::TK_TRIGGER])?;
        self.if_not_exists(*if_not_exists)?;
        let trigger = self.qualified_name(trigger_name)?;
        match time {
            None => {}
            Some(TriggerTime::Before) => self.expect_all(&[T::TK_BEFORE])?,
            Some(TriggerTime::After) => self.expect_all(&[T::TK_AFTER])?,
            Some(TriggerTime::InsteadOf) => self.expect_all(&[T::TK_INSTEAD, T::TK_OF])?,
        }
        self.trigger_event(event)?;
        self.expect(T::TK_ON)?;
        let table = self.qualified_name(tbl_name)?;
        if *for_each_row {
            self.expect_all(&[T::TK_FOR, T::TK_EACH, T::TK_ROW])?;
        }
        let when = when_clause.as_ref().map(|when| {
            self.expect(T::TK_WHEN)?;
            self.expr(when)
        });
        let when = when.transpose()?;
        self.expect(T::TK_BEGIN)?;
        let mut lowered = Vec::new();
        for command in *commands {
            lowered.push(self.trigger_command(command)?);
            self.expect(T::TK_SEMI)?;
        }
        self.expect(T::TK_END)?;
        let instead_of = matches!(time, Some(TriggerTime::InsteadOf));
        let on_delete = matches!(event, TriggerEvent::Delete);
        Ok(CreateTrigger { trigger, instead_of, on_delete, table, when, commands: lowered })
    }

    fn trigger_event(&mut self, event: &TriggerEvent<'_>) -> Result<(), Refused> {
        match event {
            TriggerEvent::Delete => self.expect_all(&[T::TK_DELETE]),
            TriggerEvent::Insert => self.expect_all(&[T::TK_INSERT]),
            TriggerEvent::Update => self.expect_all(&[T::TK_UPDATE]),
            TriggerEvent::UpdateOf(columns) => {
                self.expect_all(&[T::TK_UPDATE, T::TK_OF])?;
                self.names(columns.iter()).map(|_| ())
            }
        }
    }

    fn drop(
        &mut self,
        word: T,
        kind: Dropped,
        if_exists: bool,
        name: &ast::QualifiedName<'_>,
    ) -> Result<Defines, Refused> {
        self.expect_all(&[T::TK_DROP, word])?;
        if if_exists {
            self.expect_all(&[T::TK_IF, T::TK_EXISTS])?;
        }
        Ok(Defines::Drop(Drop { kind, if_exists, name: self.qualified_name(name)? }))
    }

    fn alter(&mut self, table: &ast::QualifiedName<'_>, body: &AlterTableBody<'_>) -> Result<Alter, Refused> {
        self.expect_all(&[T::TK_ALTER, T::TK_TABLE])?;
        let table = self.qualified_name(table)?;
        let kind = match body {
            AlterTableBody::RenameTo(name) => {
                self.expect_all(&[T::TK_RENAME, T::TK_TO])?;
                AlterKind::RenameTable(self.name(name)?)
            }
            AlterTableBody::RenameColumn { old, new } => {
                self.expect(T::TK_RENAME)?;
                self.accept(T::TK_COLUMNKW);
                let from = self.name(old)?;
                self.expect(T::TK_TO)?;
                AlterKind::RenameColumn { from, to: self.name(new)? }
            }
            AlterTableBody::DropColumn(name) => {
                self.expect(T::TK_DROP)?;
                self.accept(T::TK_COLUMNKW);
                AlterKind::DropColumn(self.name(name)?)
            }
            AlterTableBody::AddColumn(column) => {
                self.expect(T::TK_ADD)?;
                self.accept(T::TK_COLUMNKW);
                AlterKind::AddColumn(self.column_def(column)?)
            }
            AlterTableBody::AddConstraint(_)
            | AlterTableBody::DropConstraint(_)
            | AlterTableBody::DropColumnNotNull(_)
            | AlterTableBody::SetColumnNotNull(..) => {
                let refused = self.refuse(Code::Unknown, "ALTER TABLE that changes a constraint", table.span);
                return Err(refused.hint("make a new table, copy the rows, drop the old one and rename the new one"));
            }
        };
        Ok(Alter { table, kind })
    }
}
