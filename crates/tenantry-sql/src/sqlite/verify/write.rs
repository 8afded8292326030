//! `INSERT`, `UPDATE` and `DELETE`.

use sqlite3_parser::ast::{
    DistinctNames, Expr, FromClause, Indexed, InsertBody, Operator, QualifiedName, ResultColumn, Select, Set,
    SortedColumn, Upsert, UpsertDo, With,
};

use super::{
    Checked,
    names::{self, plain, unquoted},
    no,
    select::Ending,
    walk::{Place, Walk},
};
use crate::{Name, Relation, RowId};

/// The clauses of a write by which it reads.
pub(super) struct Reads<'s, 'bump> {
    pub(super) with: Option<&'s With<'bump>>,
    pub(super) from: Option<&'s FromClause<'bump>>,
    pub(super) returning: Option<&'s [ResultColumn<'bump>]>,
}

impl Walk<'_> {
    pub(super) fn insert(
        &mut self,
        with: Option<&With<'_>>,
        table: &QualifiedName<'_>,
        columns: Option<&DistinctNames<'_>>,
        body: &InsertBody<'_>,
        returning: Option<&[ResultColumn<'_>]>,
    ) -> Checked {
        let outer = self.with(with)?;
        match body {
            InsertBody::Select(source, upsert) => self.insert_rows(table, columns, source, *upsert)?,
            InsertBody::DefaultValues => return no("insert: DEFAULT VALUES"),
        }
        self.returning(returning)?;
        self.ctes.truncate(outer);
        Ok(())
    }

    pub(super) fn insert_rows(
        &mut self,
        table: &QualifiedName<'_>,
        columns: Option<&DistinctNames<'_>>,
        source: &Select<'_>,
        upsert: Option<&Upsert<'_>>,
    ) -> Checked {
        self.target(table)?;
        self.writes_row_id = self.hides_row_id(table);
        let Some((last, rest)) = columns.and_then(|columns| columns.split_last()) else {
            return no("insert: it has no list of columns");
        };
        rest.iter().try_for_each(|column| self.plain_or_row_id(column.0))?;
        if !names::is_tenant(last.0) {
            return no("insert: the tenant is not the last column");
        }
        self.accepted.reserved += 1;
        self.select_ending(source, Ending::Tenant)?;
        let mut next = upsert;
        while let Some(upsert) = next {
            self.upsert(upsert)?;
            next = upsert.next;
        }
        Ok(())
    }

    /// V5: a conflict is looked for among the tenant's rows.
    fn upsert(&mut self, upsert: &Upsert<'_>) -> Checked {
        if let Some(index) = &upsert.index {
            let Some((SortedColumn { expr: Expr::Id(first), order: None, nulls: None }, rest)) =
                index.targets.split_first()
            else {
                return no("upsert: its target does not begin with the tenant");
            };
            if !names::is_tenant(first.0) {
                return no("upsert: its target does not begin with the tenant");
            }
            self.accepted.reserved += 1;
            self.order_by(Some(rest))?;
            self.optional(index.where_clause.as_ref())?;
        }
        match &upsert.do_clause {
            UpsertDo::Set { sets, where_clause } => {
                self.sets(sets)?;
                self.optional(where_clause.as_ref())
            }
            UpsertDo::Nothing => Ok(()),
        }
    }

    pub(super) fn update(
        &mut self,
        table: &QualifiedName<'_>,
        indexed: Option<&Indexed<'_>>,
        sets: &[Set<'_>],
        condition: Option<&Expr<'_>>,
        reads: &Reads<'_, '_>,
    ) -> Checked {
        self.writes_row_id = self.hides_row_id(table);
        let outer = self.with(reads.with)?;
        self.sets(sets)?;
        self.from(reads.from)?;
        self.guarded(table, indexed, condition)?;
        self.returning(reads.returning)?;
        self.ctes.truncate(outer);
        Ok(())
    }

    pub(super) fn delete(
        &mut self,
        table: &QualifiedName<'_>,
        indexed: Option<&Indexed<'_>>,
        condition: Option<&Expr<'_>>,
        reads: &Reads<'_, '_>,
    ) -> Checked {
        self.writes_row_id = self.hides_row_id(table);
        let outer = self.with(reads.with)?;
        self.from(reads.from)?;
        self.guarded(table, indexed, condition)?;
        self.returning(reads.returning)?;
        self.ctes.truncate(outer);
        Ok(())
    }

    fn hides_row_id(&self, table: &QualifiedName<'_>) -> bool {
        let table = self.schema.table(&Name::new(unquoted(table.name.0)));
        table.is_some_and(|table| table.row_id == RowId::Hidden)
    }

    /// `WHERE t._tenant = T`, or `WHERE t._tenant = T AND (…)`.
    fn guarded(
        &mut self,
        table: &QualifiedName<'_>,
        indexed: Option<&Indexed<'_>>,
        condition: Option<&Expr<'_>>,
    ) -> Checked {
        self.target(table)?;
        match indexed {
            Some(Indexed::IndexedBy(index)) => plain(index.0)?,
            Some(Indexed::NotIndexed) => return no("write: NOT INDEXED"),
            None => {}
        }
        let name = unquoted(table.alias.as_ref().unwrap_or(&table.name).0);
        let Some(condition) = condition else { return no("write: it has no guard") };
        let (guard, rest) = match condition {
            Expr::Binary(guard, Operator::And, Expr::Parenthesized(rest)) if rest.len() == 1 => {
                (*guard, rest.as_slice())
            }
            guard => (guard, Default::default()),
        };
        if !self.is_guard(guard, &name) {
            return no("write: WHERE does not begin with the guard");
        }
        self.exprs(rest)
    }

    /// V1: what is written to is a tenants' table.
    fn target(&self, table: &QualifiedName<'_>) -> Checked {
        table.alias.as_ref().map_or(Ok(()), |alias| self.alias(alias.0))?;
        match self.place(table)? {
            Place::Unqualified => return no("write: its table is not qualified"),
            Place::Physical => {}
        }
        plain(table.name.0)?;
        match self.schema.relation(&Name::new(unquoted(table.name.0))) {
            Some(Relation::Tenant(_)) => Ok(()),
            Some(Relation::Global(_) | Relation::View(_)) | None => no("write: its table is not the tenants'"),
        }
    }

    /// V5: nothing reserved is assigned, but the row's own id.
    fn sets(&mut self, sets: &[Set<'_>]) -> Checked {
        for Set { col_names, expr } in sets {
            col_names.iter().try_for_each(|column| self.plain_or_row_id(column.0))?;
            self.expr(expr)?;
        }
        Ok(())
    }

    /// V4: a star would show the tenant column.
    fn returning(&mut self, columns: Option<&[ResultColumn<'_>]>) -> Checked {
        for column in columns.into_iter().flatten() {
            match column {
                ResultColumn::Expr(expr, name) => self.named(expr, name.as_ref())?,
                ResultColumn::Star | ResultColumn::TableStar(_) => return no("write: a star in RETURNING"),
            }
        }
        Ok(())
    }
}
