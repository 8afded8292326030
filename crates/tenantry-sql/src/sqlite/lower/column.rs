//! Definitions of columns, and the clauses that they share with constraints of tables.

use sqlite3_parser::{
    ast::{self, ColumnConstraint, InitDeferredPred, Literal, RefAct, RefArg, SortOrder},
    dialect::TokenType as T,
};

use super::{Cursor, expr::resolve_type};
use crate::{
    Code, Refused, Span,
    sqlite::{
        ddl::definition::{Acts, ColumnDef, ColumnRule, ColumnRuleKind, Declared, DefaultValue, Reference, Term},
        tokens::dequoted,
    },
};

impl Cursor<'_> {
    pub(super) fn column_def(&mut self, tree: &ast::ColumnDefinition<'_>) -> Result<ColumnDef, Refused> {
        let name = self.name(&tree.col_name)?;
        let declared = tree.col_type.as_ref().map(|declared| self.declared(declared)).transpose()?;
        let rules = tree.constraints.iter().map(|rule| self.column_rule(rule)).collect::<Result<_, _>>()?;
        Ok(ColumnDef { name, declared, rules })
    }

    fn declared(&mut self, tree: &ast::Type<'_>) -> Result<Declared, Refused> {
        let start = self.start();
        self.type_name(tree)?;
        let span = self.since(start);
        // SQLite cuts these words off, more or less, also where no expression follows.
        if tree.name.split_ascii_whitespace().next_back().is_some_and(|word| word.eq_ignore_ascii_case("always")) {
            return Err(self.refuse(Code::Differential, "a type that ends with ALWAYS", span));
        }
        let is_integer = tree.size.is_none() && dequoted(tree.name).is("INTEGER");
        Ok(Declared { span, is_integer })
    }

    fn column_rule(&mut self, tree: &ast::NamedColumnConstraint<'_>) -> Result<ColumnRule, Refused> {
        let start = self.start();
        let name = self.constraint_name(tree.name.as_ref())?;
        let kind = self.column_rule_kind(&tree.constraint)?;
        Ok(ColumnRule { span: self.since(start), name, kind })
    }

    fn column_rule_kind(&mut self, tree: &ColumnConstraint<'_>) -> Result<ColumnRuleKind, Refused> {
        Ok(match tree {
            ColumnConstraint::PrimaryKey { order, conflict_clause, auto_increment } => {
                self.expect_all(&[T::TK_PRIMARY, T::TK_KEY])?;
                self.sort_order(*order)?;
                let conflict = self.on_conflict(*conflict_clause)?;
                self.auto_increment(*auto_increment)?;
                let descending = *order == Some(SortOrder::Desc);
                ColumnRuleKind::PrimaryKey { descending, conflict, auto_increment: *auto_increment }
            }
            ColumnConstraint::Unique(conflict) => {
                self.expect(T::TK_UNIQUE)?;
                ColumnRuleKind::Unique { conflict: self.on_conflict(*conflict)? }
            }
            ColumnConstraint::NotNull { nullable, conflict_clause } => {
                if !nullable {
                    self.expect(T::TK_NOT)?;
                }
                self.expect(T::TK_NULL)?;
                self.on_conflict(*conflict_clause)?;
                if *nullable { ColumnRuleKind::Null } else { ColumnRuleKind::NotNull }
            }
            ColumnConstraint::Check(expr) => {
                self.expect(T::TK_CHECK)?;
                ColumnRuleKind::Check(self.in_parentheses(expr)?)
            }
            ColumnConstraint::Default(expr) => {
                self.expect(T::TK_DEFAULT)?;
                let expr_ir = self.expr(expr)?;
                let word = match expr {
                    ast::Expr::Id(word) => Some(dequoted(word.0)),
                    _ => None,
                };
                ColumnRuleKind::Default(DefaultValue { expr: expr_ir, word })
            }
            ColumnConstraint::Collate { collation_name } => {
                self.expect(T::TK_COLLATE)?;
                self.name(collation_name)?;
                ColumnRuleKind::Collate
            }
            ColumnConstraint::ForeignKey { clause, defer_clause } => {
                let mut reference = self.reference(clause)?;
                if let Some(clause) = defer_clause {
                    reference.deferred = self.deferrable(clause)?;
                }
                ColumnRuleKind::References(reference)
            }
            ColumnConstraint::Defer(clause) => ColumnRuleKind::Deferred(self.deferrable(clause)?),
            ColumnConstraint::Generated { expr, typ } => {
                if self.accept(T::TK_GENERATED).is_some() {
                    self.expect(T::TK_ALWAYS)?;
                }
                self.expect(T::TK_AS)?;
                let expr = self.in_parentheses(expr)?;
                typ.iter().try_for_each(|stored| self.expect_text(stored.0).map(drop))?;
                ColumnRuleKind::Generated(expr)
            }
        })
    }

    /// `CONSTRAINT name`.
    pub(super) fn constraint_name(&mut self, name: Option<&ast::Name<'_>>) -> Result<Option<crate::Ident>, Refused> {
        let Some(name) = name else { return Ok(None) };
        self.expect(T::TK_CONSTRAINT)?;
        self.name(name).map(Some)
    }

    pub(super) fn in_parentheses(&mut self, expr: &ast::Expr<'_>) -> Result<crate::ir::Expr, Refused> {
        self.expect(T::TK_LP)?;
        let expr = self.expr(expr)?;
        self.expect(T::TK_RP)?;
        Ok(expr)
    }

    /// `ON CONFLICT …`.
    pub(super) fn on_conflict(&mut self, resolve: Option<ast::ResolveType>) -> Result<Option<Span>, Refused> {
        let Some(resolve) = resolve else { return Ok(None) };
        let start = self.start();
        self.expect_all(&[T::TK_ON, T::TK_CONFLICT, resolve_type(resolve)])?;
        Ok(Some(self.since(start)))
    }

    pub(super) fn auto_increment(&mut self, written: bool) -> Result<(), Refused> {
        if written { self.expect(T::TK_AUTOINCR).map(drop) } else { Ok(()) }
    }

    /// `REFERENCES parent (columns) …`. Of several actions for one event SQLite takes the last; `MATCH` and `ON INSERT`
    /// mean nothing to it.
    pub(super) fn reference(&mut self, tree: &ast::ForeignKeyClause<'_>) -> Result<Reference, Refused> {
        self.expect(T::TK_REFERENCES)?;
        let parent = self.name(&tree.tbl_name)?;
        let columns = tree.columns.map(|columns| self.indexed_columns(columns)).transpose()?;
        let (mut on_delete, mut on_update) = (Acts::Nothing, Acts::Nothing);
        for arg in tree.args {
            match arg {
                RefArg::Match(name) => {
                    self.expect(T::TK_MATCH)?;
                    self.name(name)?;
                }
                RefArg::OnInsert(act) => {
                    self.expect_all(&[T::TK_ON, T::TK_INSERT])?;
                    self.acts(*act)?;
                }
                RefArg::OnDelete(act) => {
                    self.expect_all(&[T::TK_ON, T::TK_DELETE])?;
                    on_delete = self.acts(*act)?;
                }
                RefArg::OnUpdate(act) => {
                    self.expect_all(&[T::TK_ON, T::TK_UPDATE])?;
                    on_update = self.acts(*act)?;
                }
            }
        }
        Ok(Reference { parent, columns, on_delete, on_update, deferred: false })
    }

    fn acts(&mut self, act: RefAct) -> Result<Acts, Refused> {
        let (words, acts): (&[T], _) = match act {
            RefAct::SetNull => (&[T::TK_SET, T::TK_NULL], Acts::SetNull),
            RefAct::SetDefault => (&[T::TK_SET, T::TK_DEFAULT], Acts::SetDefault),
            RefAct::Cascade => (&[T::TK_CASCADE], Acts::Cascade),
            RefAct::Restrict => (&[T::TK_RESTRICT], Acts::Restrict),
            RefAct::NoAction => (&[T::TK_NO, T::TK_ACTION], Acts::Nothing),
        };
        self.expect_all(words)?;
        Ok(acts)
    }

    /// `DEFERRABLE …`: whether the check is deferred.
    pub(super) fn deferrable(&mut self, clause: &ast::DeferSubclause) -> Result<bool, Refused> {
        if !clause.deferrable {
            self.expect(T::TK_NOT)?;
        }
        self.expect(T::TK_DEFERRABLE)?;
        match clause.init_deferred {
            None => Ok(false),
            Some(InitDeferredPred::InitiallyDeferred) => {
                self.expect_all(&[T::TK_INITIALLY, T::TK_DEFERRED])?;
                Ok(clause.deferrable)
            }
            Some(InitDeferredPred::InitiallyImmediate) => {
                self.expect_all(&[T::TK_INITIALLY, T::TK_IMMEDIATE])?;
                Ok(false)
            }
        }
    }

    /// The terms of a key or an index, where SQLite takes a string for the name of a column.
    pub(super) fn terms(&mut self, terms: &[ast::SortedColumn<'_>]) -> Result<Vec<Term>, Refused> {
        self.list(terms, |cursor, term| {
            let start = cursor.start();
            let exprs = cursor.sorted(std::slice::from_ref(term))?;
            let span = cursor.since(start);
            let Some(expr) = exprs.into_iter().next() else { return Err(cursor.misaligned()) };
            let mut plain = &term.expr;
            while let ast::Expr::Collate(operand, _) = plain {
                plain = operand;
            }
            let column = match plain {
                ast::Expr::Id(raw) => Some(dequoted(raw.0)),
                ast::Expr::Name(raw) => Some(dequoted(raw.0)),
                ast::Expr::Literal(Literal::String(raw)) => Some(dequoted(raw)),
                _ => None,
            };
            if let Some(name) = column.as_ref().filter(|name| name.is_reserved()) {
                return Err(cursor.refuse(Code::Reserved, format!("name {}", name.quoted()), span));
            }
            Ok(Term { span, expr, column })
        })
    }
}
