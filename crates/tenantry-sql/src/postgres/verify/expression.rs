//! Expressions: V3, V6.

use pg_query::{
    NodeEnum,
    protobuf::{
        AArrayExpr, AConst, AExpr, AIndices, AIndirection, BoolExpr, BooleanTest, CaseExpr, CaseWhen, CoalesceExpr,
        CollateClause, ColumnRef, FuncCall, GroupingFunc, GroupingSet, List, MinMaxExpr, NamedArgExpr, Node, NullTest,
        ParamRef, RowExpr, SqlValueFunction, SubLink, TypeCast, a_const::Val,
    },
};

use super::{super::functions, Reader, kind, unverified};
use crate::{Name, Refused};

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
                let row = self.is_field_of_row(arg.as_deref(), indirection)?;
                if !row {
                    self.exprs(arg.as_deref())?;
                }
                self.parts(indirection.get(usize::from(row)..).unwrap_or_default())
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
                // The clock: CURRENT_DATE is the first, LOCALTIMESTAMP(n) the ninth; the last two are the database and the schema.
                if matches!(op, 1..=9 | 14 | 15) { Ok(()) } else { Err(unverified("CURRENT_USER or its kin")) }
            }
            NodeEnum::List(List { items }) => self.exprs(items),
            NodeEnum::SetToDefault(_) => Ok(()),
            _ => Err(unverified("an expression of another kind")),
        }
    }

    /// `(t).c`, a column of a table that a name alone means.
    fn is_field_of_row(&self, of: Option<&Node>, parts: &[Node]) -> Result<bool, Refused> {
        let (Some(NodeEnum::ColumnRef(column)), Some(NodeEnum::String(field))) =
            (of.and_then(|of| of.node.as_ref()), parts.first().and_then(|part| part.node.as_ref()))
        else {
            return Ok(false);
        };
        let [Node { node: Some(NodeEnum::String(row)) }] = column.fields.as_slice() else { return Ok(false) };
        self.name(&row.sval)?;
        self.name(&field.sval)?;
        if self.changed.is_some() && self.is_version(&row.sval, true) {
            return Err(unverified("a row that shows the tenant"));
        }
        match self.changed_row(&row.sval, true) {
            Some(target) if target.columns.contains(&field.sval) => Ok(true),
            Some(_) => Err(unverified("a row that shows the tenant")),
            // What is no column of any table could be a function.
            None => {
                let field = Name::exact(field.sval.as_str());
                let mut tables = self.schema.relations().filter_map(|relation| self.schema.table(relation.name()));
                Ok(tables.any(|table| table.column(&field).is_some()))
            }
        }
    }

    /// Subscripts, and fields of composite types.
    pub(super) fn parts(&mut self, parts: &[Node]) -> Result<(), Refused> {
        parts.iter().try_for_each(|part| match kind(Some(part))? {
            NodeEnum::AIndices(indices) => {
                let AIndices { is_slice: _, lidx, uidx } = &**indices;
                self.exprs(lidx.as_deref().into_iter().chain(uidx.as_deref()))
            }
            NodeEnum::String(field)
                if self.schema.has_field(&Name::exact(field.sval.as_str())) && !functions::is_no_field(&field.sval) =>
            {
                self.name(&field.sval)
            }
            _ => Err(unverified("a field of a row")),
        })
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
        let part = |at: usize| match fields.get(at).and_then(|field| field.node.as_ref()) {
            Some(NodeEnum::String(string)) => Some(&string.sval),
            _ => None,
        };
        let Some(first) = part(0).filter(|_| self.changed.is_some()) else { return Ok(()) };
        let shown = self.changed_row(first, fields.len() == 1);
        let shows = shown.is_some_and(|target| !part(1).is_some_and(|name| target.columns.contains(name)));
        if shows || self.is_version(first, fields.len() == 1) {
            return Err(unverified("a row that shows the tenant"));
        }
        Ok(())
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
        let literal = match args.first().and_then(|argument| argument.node.as_ref()) {
            Some(NodeEnum::AConst(AConst { val: Some(Val::Sval(text)), .. })) => Some(text.sval.as_str()),
            _ => None,
        };
        let (schema, name) = self.qualified(funcname)?;
        if !functions::may_call(schema, name, literal, self.schema) {
            return Err(unverified("a function"));
        }
        self.exprs(args.iter().chain(agg_filter.as_deref()))?;
        self.sorts(agg_order)?;
        over.iter().try_for_each(|window| self.window(window))
    }
}
