//! V1: the leaf, which is the only way to read a tenant's table.

use sqlite3_parser::ast::{
    As, Expr, FromClause, Indexed, OneSelect, Operator, ResultColumn, Select, SelectBody, SelectTable,
};

use super::{
    Checked,
    names::{self, is, plain, unquoted},
    no,
    walk::{Place, Walk},
};
use crate::{Name, ROW_ID, Refused, Relation, RowId, Table};

impl<'a> Walk<'a> {
    /// The tenants' table of which this is, or should be, a leaf: that which it reads first and by its own name.
    pub(super) fn leaf_of(&self, select: &Select<'_>) -> Result<Option<&'a Table>, Refused> {
        let OneSelect::Select { from: Some(FromClause { select: Some(SelectTable::Table(name, ..)), .. }), .. } =
            &select.body.select
        else {
            return Ok(None);
        };
        match self.place(name)? {
            Place::Unqualified => Ok(None),
            Place::Physical => match self.schema.relation(&Name::new(unquoted(name.name.0))) {
                Some(Relation::Tenant(table)) => Ok(Some(table)),
                Some(Relation::Global(_) | Relation::View(_)) | None => Ok(None),
            },
        }
    }

    /// `SELECT c1, … FROM main.t [INDEXED BY i] WHERE t._tenant = T`, and nothing else.
    pub(super) fn leaf(&mut self, select: &Select<'_>, table: &Table) -> Checked {
        let Select {
            with: None,
            body:
                SelectBody {
                    select:
                        OneSelect::Select {
                            distinctness: None,
                            columns,
                            from: Some(FromClause { select: Some(item), joins: None, .. }),
                            where_clause: Some(guard),
                            group_by: None,
                            having: None,
                            window_clause: None,
                        },
                    compounds: None,
                },
            order_by: None,
            limit: None,
        } = select
        else {
            return no("leaf: another clause, or none where one must be");
        };
        match item {
            SelectTable::Table(_, None, None) => {}
            SelectTable::Table(_, None, Some(Indexed::IndexedBy(index))) => plain(index.0)?,
            _ => return no("leaf: its table has an alias or a hint"),
        }
        self.accepted.selects += 1;
        self.leaf_columns(columns, table)?;
        if self.is_guard(guard, table.name.as_str()) { Ok(()) } else { no("leaf: WHERE is not the guard alone") }
    }

    /// The logical columns in their order, and after them at most the hidden row id.
    fn leaf_columns(&mut self, columns: &[ResultColumn<'_>], table: &Table) -> Checked {
        let Some((columns, more)) = columns.split_at_checked(table.columns.len()) else {
            return no("leaf: a column is missing");
        };
        for (column, logical) in columns.iter().zip(&table.columns) {
            match column {
                ResultColumn::Expr(Expr::Id(id), None) if is(id.0, logical.name.as_str()) => plain(id.0)?,
                _ => return no("leaf: a column is not that of the table"),
            }
        }
        match more {
            [] => Ok(()),
            [ResultColumn::Expr(Expr::Id(id), Some(As::As(alias)))]
                if table.row_id == RowId::Hidden && is(id.0, ROW_ID) && names::is_row_id_alias(alias.0) =>
            {
                let alias = Name::new(unquoted(alias.0));
                if self.row_ids_shown.contains(&alias) {
                    return no("row id: two leaves show it");
                }
                self.accepted.reserved += 2;
                self.row_ids_shown.push(alias);
                Ok(())
            }
            _ => no("leaf: it shows more than the table"),
        }
    }

    /// Whether it is `table._tenant = T`. If so, it has been accepted.
    pub(super) fn is_guard(&mut self, expr: &Expr<'_>, table: &str) -> bool {
        let Expr::Binary(Expr::Qualified(owner, column), Operator::Equals, term) = expr else { return false };
        let is = is(owner.0, table) && names::is_tenant(column.0) && self.is_term(term);
        self.accepted.reserved += usize::from(is);
        is
    }
}
