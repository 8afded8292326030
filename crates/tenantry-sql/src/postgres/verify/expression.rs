//! Expressions: V3, V6.

use pg_query::{
    NodeEnum,
    protobuf::{
        AArrayExpr, AConst, AExpr, AIndices, AIndirection, BoolExpr, BooleanTest, CaseExpr, CaseWhen, CoalesceExpr,
        CollateClause, ColumnRef, FuncCall, GroupingFunc, GroupingSet, List, MinMaxExpr, NamedArgExpr, Node, NullTest,
        ParamRef, RowExpr, SqlValueFunction, SubLink, TypeCast,
    },
};

use super::{super::functions, Reader, kind, unverified};
use crate::Refused;

impl Reader<'_> {
    pub(super) fn exprs<'n>(&mut self, nodes: impl IntoIterator<Item = &'n Node>) -> Result<(), Refused> {
        nodes.into_iter().try_for_each(|node| self.expr(node))
    }

    fn expr(&mut self, node: &Node) -> Result<(), Refused> {
        match kind(Some(node))? {
            NodeEnum::AConst(AConst { isnull: _, location: _, val: _ }) => Ok(()),
            NodeEnum::ParamRef(ParamRef { number, location: _ }) => match u32::try_from(*number) {
                Ok(number) if (1..self.number).contains(&number) => Ok(()),
                _ => Err(unverified(format!("parameter ${number} outside of a leaf"))),
            },
            NodeEnum::ColumnRef(ColumnRef { fields, location: _ }) => self.column(fields),
            NodeEnum::FuncCall(call) => self.call(call),
            NodeEnum::SubLink(sublink) => {
                let SubLink { xpr: _, sub_link_type: _, sub_link_id: _, testexpr, oper_name, subselect, location: _ } =
                    &**sublink;
                if !oper_name.is_empty() {
                    self.built_in(oper_name)?;
                }
                self.exprs(testexpr.as_deref())?;
                match kind(subselect.as_deref())? {
                    NodeEnum::SelectStmt(select) => self.query(select),
                    _ => Err(unverified("a subquery")),
                }
            }
            NodeEnum::AExpr(expr) => {
                let AExpr { kind: _, name, lexpr, rexpr, rexpr_list_start: _, rexpr_list_end: _, location: _ } =
                    &**expr;
                self.built_in(name)?;
                self.exprs(lexpr.as_deref().into_iter().chain(rexpr.as_deref()))
            }
            NodeEnum::TypeCast(cast) => {
                let TypeCast { arg, type_name, location: _ } = &**cast;
                self.type_name(type_name.as_ref())?;
                self.exprs(arg.as_deref())
            }
            NodeEnum::CollateClause(collate) => {
                let CollateClause { arg, collname, location: _ } = &**collate;
                self.built_in(collname)?;
                self.exprs(arg.as_deref())
            }
            NodeEnum::RowExpr(row) => {
                let RowExpr { xpr: _, args, row_typeid: _, row_format: _, colnames, location: _ } = &**row;
                self.names(colnames)?;
                self.exprs(args)
            }
            NodeEnum::NamedArgExpr(argument) => {
                let NamedArgExpr { xpr: _, arg, name, argnumber: _, location: _ } = &**argument;
                self.name(name)?;
                self.exprs(arg.as_deref())
            }
            NodeEnum::AIndirection(indirection) => {
                let AIndirection { arg, indirection } = &**indirection;
                self.exprs(arg.as_deref())?;
                indirection.iter().try_for_each(|subscript| match kind(Some(subscript))? {
                    NodeEnum::AIndices(indices) => {
                        let AIndices { is_slice: _, lidx, uidx } = &**indices;
                        self.exprs(lidx.as_deref().into_iter().chain(uidx.as_deref()))
                    }
                    _ => Err(unverified("a field of a row")),
                })
            }
            other => self.plain(other),
        }
    }

    /// Expressions that consist of others and name nothing.
    fn plain(&mut self, node: &NodeEnum) -> Result<(), Refused> {
        match node {
            NodeEnum::BoolExpr(expr) => {
                let BoolExpr { xpr: _, boolop: _, args, location: _ } = &**expr;
                self.exprs(args)
            }
            NodeEnum::NullTest(test) => {
                let NullTest { xpr: _, arg, nulltesttype: _, argisrow: _, location: _ } = &**test;
                self.exprs(arg.as_deref())
            }
            NodeEnum::BooleanTest(test) => {
                let BooleanTest { xpr: _, arg, booltesttype: _, location: _ } = &**test;
                self.exprs(arg.as_deref())
            }
            NodeEnum::CaseExpr(case) => {
                let CaseExpr { xpr: _, casetype: _, casecollid: _, arg, args, defresult, location: _ } = &**case;
                self.exprs(arg.as_deref().into_iter().chain(args).chain(defresult.as_deref()))
            }
            NodeEnum::CaseWhen(when) => {
                let CaseWhen { xpr: _, expr, result, location: _ } = &**when;
                self.exprs(expr.as_deref().into_iter().chain(result.as_deref()))
            }
            NodeEnum::CoalesceExpr(expr) => {
                let CoalesceExpr { xpr: _, coalescetype: _, coalescecollid: _, args, location: _ } = &**expr;
                self.exprs(args)
            }
            NodeEnum::MinMaxExpr(expr) => {
                let MinMaxExpr { xpr: _, minmaxtype: _, minmaxcollid: _, inputcollid: _, op: _, args, location: _ } =
                    &**expr;
                self.exprs(args)
            }
            NodeEnum::AArrayExpr(AArrayExpr { elements, list_start: _, list_end: _, location: _ }) => {
                self.exprs(elements)
            }
            NodeEnum::GroupingSet(GroupingSet { kind: _, content, location: _ }) => self.exprs(content),
            NodeEnum::GroupingFunc(function) => {
                let GroupingFunc { xpr: _, args, refs: _, agglevelsup: _, location: _ } = &**function;
                self.exprs(args)
            }
            NodeEnum::SqlvalueFunction(function) => {
                let SqlValueFunction { xpr: _, r#type: _, op, typmod: _, location: _ } = &**function;
                // The clock: CURRENT_DATE is the first, LOCALTIMESTAMP(n) the ninth.
                if (1..=9).contains(op) { Ok(()) } else { Err(unverified("CURRENT_USER or its kin")) }
            }
            NodeEnum::List(List { items }) => self.exprs(items),
            NodeEnum::SetToDefault(_) => Ok(()),
            _ => Err(unverified("an expression of another kind")),
        }
    }

    fn column(&self, fields: &[Node]) -> Result<(), Refused> {
        // A star is a leaf's, whose columns are the tenant's own.
        let names = match fields {
            [names @ .., Node { node: Some(NodeEnum::AStar(_)) }] => names,
            names => names,
        };
        // A derived table has no schema, so that a name with one could only be that of a global table.
        if fields.len() > 2 {
            return Err(unverified("a column with a schema"));
        }
        self.whole_row(fields)?;
        self.names(names)
    }

    /// V4: the row of the table that is changed has the tenant in it, and `t.f` could mean `f(t)`.
    fn whole_row(&self, fields: &[Node]) -> Result<(), Refused> {
        let Some(target) = &self.changed else { return Ok(()) };
        let part = |at: usize| match fields.get(at).and_then(|field| field.node.as_ref()) {
            Some(NodeEnum::String(string)) => Some(&string.sval),
            _ => None,
        };
        let row = part(0).is_some_and(|name| *name == target.exposed || name == "excluded");
        let versions = part(0).is_some_and(|name| name == "old" || name == "new");
        let column = part(1).is_some_and(|name| target.columns.contains(name));
        if versions || row && !column { Err(unverified("a row that shows the tenant")) } else { Ok(()) }
    }

    fn call(&mut self, call: &FuncCall) -> Result<(), Refused> {
        let FuncCall {
            funcname,
            args,
            agg_order,
            agg_filter,
            over,
            agg_within_group: _,
            agg_star: _,
            agg_distinct: _,
            func_variadic: _,
            funcformat: _,
            location: _,
        } = call;
        if !functions::is_allowed(self.built_in(funcname)?) {
            return Err(unverified("a function"));
        }
        self.exprs(args.iter().chain(agg_filter.as_deref()))?;
        self.sorts(agg_order)?;
        over.iter().try_for_each(|window| self.window(window))
    }
}
