//! `SELECT`, `VALUES`, and what may stand in `FROM`.

use sqlite3_parser::ast::{
    As, CompoundOperator, Distinctness, Expr, FromClause, Indexed, JoinConstraint, JoinOperator, Limit, OneSelect,
    QualifiedName, ResultColumn, Select, SelectTable, SortedColumn, With,
};

use super::{
    Checked,
    names::{is_reserved, plain, unquoted},
    no,
    walk::{Place, Walk},
};
use crate::{Name, Refused, Relation, sqlite::functions};

/// The catalog as an application would see it: global tables of Tenantry that may be read.
const CATALOG: &[&str] = &[
    "_tenantry_foreign_key_list",
    "_tenantry_index_info",
    "_tenantry_index_list",
    "_tenantry_index_xinfo",
    "_tenantry_master",
    "_tenantry_table_info",
    "_tenantry_table_list",
    "_tenantry_table_xinfo",
];

/// What each branch of a query must end with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Anything.
    Free,
    /// The tenant: the rows are inserted.
    Tenant,
}

impl Walk<'_> {
    pub(super) fn select(&mut self, select: &Select<'_>) -> Checked {
        self.select_ending(select, Ending::Free)
    }

    pub(super) fn select_ending(&mut self, select: &Select<'_>, ending: Ending) -> Checked {
        self.enter()?;
        let outer = self.with(select.with.as_ref())?;
        self.branch(&select.body.select, ending)?;
        for compound in select.body.compounds.iter().flatten() {
            match compound.operator {
                CompoundOperator::Union
                | CompoundOperator::UnionAll
                | CompoundOperator::Except
                | CompoundOperator::Intersect => self.branch(&compound.select, ending)?,
            }
        }
        self.order_by(select.order_by)?;
        if let Some(Limit { expr, offset }) = select.limit {
            self.expr(expr)?;
            self.optional(offset.as_ref())?;
        }
        self.ctes.truncate(outer);
        self.leave();
        Ok(())
    }

    /// Makes the common table expressions visible: to each other, themselves included, and to what follows. Says how
    /// many were visible before, to truncate to.
    pub(super) fn with(&mut self, with: Option<&With<'_>>) -> Result<usize, Refused> {
        let outer = self.ctes.len();
        let Some(with) = with else { return Ok(outer) };
        if self.in_trigger() {
            return no("trigger: WITH, which hides tables");
        }
        for cte in with.ctes {
            plain(cte.tbl_name.0)?;
            self.ctes.push(Name::new(unquoted(cte.tbl_name.0)));
            for column in cte.columns.into_iter().flatten() {
                if column.collation_name.is_some() || column.order.is_some() {
                    return no("with: more than names in a list of columns");
                }
                plain(column.col_name.0)?;
            }
        }
        for cte in with.ctes {
            self.select(cte.select)?;
        }
        Ok(outer)
    }

    fn branch(&mut self, branch: &OneSelect<'_>, ending: Ending) -> Checked {
        self.accepted.selects += 1;
        match branch {
            OneSelect::Select { distinctness, columns, from, where_clause, group_by, having, window_clause } => {
                match distinctness {
                    Some(Distinctness::Distinct | Distinctness::All) | None => {}
                }
                self.result_columns(columns, ending)?;
                self.from(from.as_ref())?;
                self.optional(*where_clause)?;
                self.exprs(group_by.unwrap_or_default())?;
                self.optional(*having)?;
                for definition in window_clause.unwrap_or_default() {
                    plain(definition.name.0)?;
                    self.window(&definition.window)?;
                }
                Ok(())
            }
            OneSelect::Values(rows) => rows.iter().try_for_each(|row| match (ending, row.split_last()) {
                (Ending::Free, _) => self.exprs(row),
                (Ending::Tenant, Some((last, rest))) if self.is_term(last) => self.exprs(rest),
                (Ending::Tenant, _) => no("insert: a row does not end with the tenant"),
            }),
        }
    }

    fn result_columns(&mut self, columns: &[ResultColumn<'_>], ending: Ending) -> Checked {
        let columns = match (ending, columns.split_last()) {
            (Ending::Free, _) => columns,
            (Ending::Tenant, Some((ResultColumn::Expr(last, None), rest))) if self.is_term(last) => rest,
            (Ending::Tenant, _) => return no("insert: a branch does not end with the tenant"),
        };
        for column in columns {
            match column {
                ResultColumn::Expr(expr, name) => self.named(expr, name.as_ref())?,
                ResultColumn::Star => {}
                ResultColumn::TableStar(table) => plain(table.0)?,
            }
        }
        Ok(())
    }

    /// An expression of a result, with its name.
    pub(super) fn named(&mut self, expr: &Expr<'_>, name: Option<&As<'_>>) -> Checked {
        if let Some(As::As(name) | As::Elided(name)) = name {
            plain(name.0)?;
        }
        self.expr(expr)
    }

    pub(super) fn order_by(&mut self, terms: Option<&[SortedColumn<'_>]>) -> Checked {
        terms.into_iter().flatten().try_for_each(|SortedColumn { expr, order: _, nulls: _ }| self.expr(expr))
    }

    pub(super) fn from(&mut self, from: Option<&FromClause<'_>>) -> Checked {
        let Some(from) = from else { return Ok(()) };
        let Some(first) = from.select else { return no("from: nothing to read from") };
        self.item(first)?;
        for join in from.joins.iter().flatten() {
            match join.operator {
                JoinOperator::Comma | JoinOperator::TypedJoin(_) => self.item(&join.table)?,
            }
            match &join.constraint {
                Some(JoinConstraint::On(condition)) => self.expr(condition)?,
                Some(JoinConstraint::Using(columns)) => columns.iter().try_for_each(|column| plain(column.0))?,
                None => {}
            }
        }
        Ok(())
    }

    fn item(&mut self, item: &SelectTable<'_>) -> Checked {
        match item {
            SelectTable::Table(name, alias, indexed) => {
                self.alias_of(alias.as_ref())?;
                self.relation(name, indexed.as_ref())
            }
            SelectTable::TableCall(name, arguments, alias) => {
                self.alias_of(alias.as_ref())?;
                self.table_function(name)?;
                self.exprs(arguments.unwrap_or_default())
            }
            SelectTable::Select(select, alias) => {
                self.alias_of(alias.as_ref())?;
                match self.leaf_of(select)? {
                    Some(_) if alias.is_none() => no("leaf: it has no alias"),
                    Some(table) => self.leaf(select, table),
                    None => self.select(select),
                }
            }
            SelectTable::Sub(from, alias) => {
                self.alias_of(alias.as_ref())?;
                self.enter()?;
                self.from(Some(from))?;
                self.leave();
                Ok(())
            }
        }
    }

    /// V1, V2: a relation that is read as it is.
    fn relation(&mut self, name: &QualifiedName<'_>, indexed: Option<&Indexed<'_>>) -> Checked {
        match indexed {
            Some(Indexed::IndexedBy(index)) => plain(index.0)?,
            Some(Indexed::NotIndexed) => return no("from: NOT INDEXED"),
            None => {}
        }
        let word = unquoted(name.name.0);
        match self.place(name)? {
            Place::Unqualified if indexed.is_some() => no("from: INDEXED BY on what is no table"),
            Place::Unqualified => self.cte(&word),
            Place::Physical if is_reserved(&word) => {
                if !CATALOG.iter().any(|table| word.eq_ignore_ascii_case(table)) {
                    return no("relation: it is Tenantry's own");
                }
                self.accepted.reserved += 1;
                Ok(())
            }
            Place::Physical => match self.schema.relation(&Name::new(word)) {
                Some(Relation::Global(_)) => Ok(()),
                Some(Relation::Tenant(_)) => no("relation: a tenant table outside of a leaf"),
                Some(Relation::View(_)) => no("relation: a view"),
                None => no("relation: it is not known"),
            },
        }
    }

    /// V2: an unqualified name is a common table expression.
    pub(super) fn cte(&self, word: &str) -> Checked {
        if self.ctes.iter().any(|cte| cte.is(word)) {
            return Ok(());
        }
        no("relation: neither qualified nor a visible common table expression")
    }

    pub(super) fn table_function(&self, name: &QualifiedName<'_>) -> Checked {
        if name.db_name.is_some() || !functions::is_table(&unquoted(name.name.0)) {
            return no("function: a table function that is not known to be harmless");
        }
        Ok(())
    }
}
