//! The shape of a leaf.

use pg_query::{
    NodeEnum,
    protobuf::{
        AExpr, AExprKind, ColumnRef, LimitOption, Node, ParamRef, RangeVar, ResTarget, SelectStmt, SetOperation,
        TypeCast, TypeName,
    },
};

use super::Reader;
use crate::{Name, Relation, SHARED_SCHEMA, TENANT};

impl Reader<'_> {
    /// Whether a query is the share of the tenant in a table: `SELECT c1, … FROM "tenantry_shared"."t" WHERE "t"."_tenant" = $N`.
    pub(super) fn is_leaf(&self, select: &SelectStmt) -> bool {
        let SelectStmt {
            distinct_clause,
            into_clause,
            target_list,
            from_clause,
            where_clause,
            group_clause,
            group_distinct,
            having_clause,
            window_clause,
            values_lists,
            sort_clause,
            limit_offset,
            limit_count,
            limit_option,
            locking_clause,
            with_clause,
            op,
            all,
            larg,
            rarg,
        } = select;
        let plain = distinct_clause.is_empty()
            && into_clause.is_none()
            && group_clause.is_empty()
            && !group_distinct
            && having_clause.is_none()
            && window_clause.is_empty()
            && values_lists.is_empty()
            && sort_clause.is_empty()
            && limit_offset.is_none()
            && limit_count.is_none()
            && *limit_option == LimitOption::Default as i32
            && locking_clause.is_empty()
            && with_clause.is_none()
            && *op == SetOperation::SetopNone as i32
            && !all
            && larg.is_none()
            && rarg.is_none();
        let [Node { node: Some(NodeEnum::RangeVar(table)) }] = from_clause.as_slice() else { return false };
        let Some(columns) = self.columns_of(table) else { return false };
        let results = target_list.iter().map(result);
        plain
            && results.eq(columns.iter().map(|column| Some(column.as_str())))
            && where_clause.as_deref().is_some_and(|filter| self.is_guard(filter, &table.relname))
    }

    /// The columns of a table of tenants that is named with its schema and nothing else.
    fn columns_of(&self, table: &RangeVar) -> Option<Vec<String>> {
        let RangeVar { catalogname, schemaname, relname, inh, relpersistence, alias, location: _ } = table;
        let bare =
            catalogname.is_empty() && schemaname == SHARED_SCHEMA && *inh && relpersistence == "p" && alias.is_none();
        match self.schema.relation(&Name::exact(relname.as_str())) {
            Some(Relation::Tenant(table)) if bare && table.name.as_str() == relname => {
                Some(table.columns.iter().map(|column| column.name.as_str().to_owned()).collect())
            }
            _ => None,
        }
    }

    /// `t._tenant = $N::bigint`.
    pub(super) fn is_guard(&self, filter: &Node, table: &str) -> bool {
        let Some(NodeEnum::AExpr(equals)) = &filter.node else { return false };
        let AExpr { kind, name, lexpr, rexpr, rexpr_list_start: _, rexpr_list_end: _, location: _ } = &**equals;
        *kind == AExprKind::AexprOp as i32
            && strings(name).as_deref() == Some(&["="])
            && lexpr.as_deref().and_then(column).as_deref() == Some(&[table, TENANT])
            && rexpr.as_deref().is_some_and(|tenant| self.is_tenant(tenant))
    }

    /// `$N::bigint`.
    pub(super) fn is_tenant(&self, node: &Node) -> bool {
        let Some(NodeEnum::TypeCast(cast)) = &node.node else { return false };
        let TypeCast { arg, type_name, location: _ } = &**cast;
        let Some(NodeEnum::ParamRef(ParamRef { number, location: _ })) =
            arg.as_deref().and_then(|node| node.node.as_ref())
        else {
            return false;
        };
        let bigint = type_name.as_ref().is_some_and(|name| {
            let TypeName { names, setof, pct_type, typmods, array_bounds, type_oid: _, typemod: _, location: _ } = name;
            let plain = !setof && !pct_type && typmods.is_empty() && array_bounds.is_empty();
            plain && strings(names).as_deref() == Some(&["pg_catalog", "int8"])
        });
        bigint && u32::try_from(*number) == Ok(self.number)
    }
}

/// The column that a result is, if it is one without alias or table.
fn result(target: &Node) -> Option<&str> {
    let Some(NodeEnum::ResTarget(target)) = &target.node else { return None };
    let ResTarget { name, indirection, val, location: _ } = &**target;
    match column(val.as_deref()?)?.as_slice() {
        [column] if name.is_empty() && indirection.is_empty() => Some(column),
        _ => None,
    }
}

/// The parts of the name of a column.
fn column(node: &Node) -> Option<Vec<&str>> {
    match &node.node {
        Some(NodeEnum::ColumnRef(ColumnRef { fields, location: _ })) => strings(fields),
        _ => None,
    }
}

fn strings(nodes: &[Node]) -> Option<Vec<&str>> {
    let strings = nodes.iter().map(|node| match &node.node {
        Some(NodeEnum::String(string)) => Some(string.sval.as_str()),
        _ => None,
    });
    strings.collect()
}
