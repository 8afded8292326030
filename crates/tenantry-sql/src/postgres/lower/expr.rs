//! Expressions: what in them can name something.

use pg_query::{
    NodeEnum,
    protobuf::{
        AArrayExpr, AConst, AExpr, AExprKind, AIndices, AIndirection, BoolExpr, BooleanTest, CaseExpr, CaseWhen,
        CoalesceExpr, CollateClause, ColumnRef, FuncCall, GroupingFunc, GroupingSet, MinMaxExpr, NamedArgExpr, Node,
        NullTest, ParamRef, RowExpr, SqlValueFunction, SqlValueFunctionOp, SubLink, TypeCast, TypeName, a_const,
    },
};

use super::Lowering;
use crate::{
    Code, Ident, Refused, Span,
    ir::{self, Expr, Shape, Site},
};

impl Lowering<'_> {
    /// An expression for each node.
    pub(super) fn exprs<'n>(&mut self, nodes: impl IntoIterator<Item = &'n Node>) -> Result<Vec<Expr>, Refused> {
        let each = nodes.into_iter().map(|node| {
            let expr = self.one(|lowering, sites| lowering.expr(node, sites))?;
            Ok(Expr { shape: shape(node), ..expr })
        });
        each.collect()
    }

    /// One expression of what `walk` finds.
    pub(super) fn one(
        &mut self,
        walk: impl FnOnce(&mut Self, &mut Vec<Site>) -> Result<(), Refused>,
    ) -> Result<Expr, Refused> {
        let mut sites = Vec::new();
        walk(self, &mut sites)?;
        // No rule for PostgreSQL asks where an expression ends.
        Ok(Expr { span: Span::at(0), shape: Shape::Other, sites })
    }

    pub(super) fn all<'n>(
        &mut self,
        nodes: impl IntoIterator<Item = &'n Node>,
        sites: &mut Vec<Site>,
    ) -> Result<(), Refused> {
        nodes.into_iter().try_for_each(|node| self.expr(node, sites))
    }

    fn expr(&mut self, node: &Node, sites: &mut Vec<Site>) -> Result<(), Refused> {
        let Some(node) = &node.node else {
            return Err(self.refuse(Code::Unknown, "an empty expression", -1));
        };
        match node {
            NodeEnum::AConst(AConst { isnull: _, location: _, val: _ }) => Ok(()),
            NodeEnum::ParamRef(parameter) => self.parameter(parameter),
            NodeEnum::ColumnRef(column) => self.column(column, sites),
            NodeEnum::FuncCall(call) => self.call(call, sites),
            NodeEnum::SubLink(sublink) => self.sublink(sublink, sites),
            NodeEnum::AExpr(expr) => self.operator(expr, sites),
            NodeEnum::BoolExpr(expr) => {
                let BoolExpr { xpr: _, boolop: _, args, location: _ } = &**expr;
                self.all(args, sites)
            }
            NodeEnum::TypeCast(cast) => {
                let TypeCast { arg, type_name, location } = &**cast;
                self.all(arg.as_deref(), sites)?;
                self.type_name(type_name.as_ref(), *location, sites)
            }
            NodeEnum::CollateClause(collate) => {
                let CollateClause { arg, collname, location } = &**collate;
                self.built_in(collname, *location, Code::Unknown)?;
                self.all(arg.as_deref(), sites)
            }
            NodeEnum::NullTest(test) => {
                let NullTest { xpr: _, arg, nulltesttype: _, argisrow: _, location: _ } = &**test;
                self.all(arg.as_deref(), sites)
            }
            NodeEnum::BooleanTest(test) => {
                let BooleanTest { xpr: _, arg, booltesttype: _, location: _ } = &**test;
                self.all(arg.as_deref(), sites)
            }
            NodeEnum::CaseExpr(case) => {
                let CaseExpr { xpr: _, casetype: _, casecollid: _, arg, args, defresult, location: _ } = &**case;
                self.all(arg.as_deref().into_iter().chain(args).chain(defresult.as_deref()), sites)
            }
            NodeEnum::CaseWhen(when) => {
                let CaseWhen { xpr: _, expr, result, location: _ } = &**when;
                self.all(expr.as_deref().into_iter().chain(result.as_deref()), sites)
            }
            NodeEnum::CoalesceExpr(expr) => {
                let CoalesceExpr { xpr: _, coalescetype: _, coalescecollid: _, args, location: _ } = &**expr;
                self.all(args, sites)
            }
            NodeEnum::MinMaxExpr(expr) => {
                let MinMaxExpr { xpr: _, minmaxtype: _, minmaxcollid: _, inputcollid: _, op: _, args, location: _ } =
                    &**expr;
                self.all(args, sites)
            }
            NodeEnum::AArrayExpr(expr) => {
                let AArrayExpr { elements, list_start: _, list_end: _, location: _ } = expr;
                self.all(elements, sites)
            }
            NodeEnum::RowExpr(expr) => {
                let RowExpr { xpr: _, args, row_typeid: _, row_format: _, colnames, location } = &**expr;
                self.columns(colnames, *location)?;
                self.all(args, sites)
            }
            NodeEnum::AIndirection(indirection) => {
                let AIndirection { arg, indirection } = &**indirection;
                let of = self.row_of_field(arg.as_deref(), indirection)?;
                if of.is_none() {
                    self.all(arg.as_deref(), sites)?;
                }
                self.parts(of, indirection, sites)
            }
            NodeEnum::GroupingSet(set) => {
                let GroupingSet { kind: _, content, location: _ } = set;
                self.all(content, sites)
            }
            NodeEnum::GroupingFunc(function) => {
                let GroupingFunc { xpr: _, args, refs: _, agglevelsup: _, location: _ } = &**function;
                self.all(args, sites)
            }
            NodeEnum::NamedArgExpr(argument) => {
                let NamedArgExpr { xpr: _, arg, name, argnumber: _, location } = &**argument;
                self.check_name(name, *location)?;
                self.all(arg.as_deref(), sites)
            }
            NodeEnum::SqlvalueFunction(function) => self.value_function(function),
            NodeEnum::List(list) => self.all(&list.items, sites),
            NodeEnum::SetToDefault(_) => Ok(()),
            NodeEnum::CurrentOfExpr(_) => Err(self.refuse(Code::UnscopedPath, "WHERE CURRENT OF", -1)),
            _ => Err(self.refuse(Code::Unknown, "an expression of a kind that has no rule", -1)),
        }
    }

    fn parameter(&mut self, parameter: &ParamRef) -> Result<(), Refused> {
        let ParamRef { number: _, location } = parameter;
        let token = self.tokens.at(*location).and_then(|at| self.tokens.list.get(at));
        match token {
            Some(token) if self.text[token.span.range()].starts_with('$') => {
                self.parameters.push(token.span);
                Ok(())
            }
            _ => Err(self.refuse(Code::Statement, "a parameter that is not found in the text", *location)),
        }
    }

    /// `*` or `t.*`, with the name of the table; nothing if it is another reference.
    pub(super) fn star(&self, column: &ColumnRef) -> Result<Option<Option<Ident>>, Refused> {
        let ColumnRef { fields, location } = column;
        let Some((Node { node: Some(NodeEnum::AStar(_)) }, qualifier)) = fields.split_last() else { return Ok(None) };
        match qualifier {
            [] => Ok(Some(None)),
            [table] => {
                let table = self.string(table, *location)?;
                self.ident(table, *location).map(|table| Some(Some(table)))
            }
            _ => {
                let refused = self.refuse(Code::Unknown, "a star with a schema", *location);
                Err(refused.hint("leave the schema out"))
            }
        }
    }

    fn column(&mut self, column: &ColumnRef, sites: &mut Vec<Site>) -> Result<(), Refused> {
        if let Some(star) = self.star(column)? {
            // A whole row, as in `count(t.*)`.
            if let Some(table) = star {
                sites.push(Site::Row(table));
            }
            return Ok(());
        }
        let ColumnRef { fields, location } = column;
        let names: Vec<_> = fields.iter().map(|field| self.string(field, *location)).collect::<Result<_, _>>()?;
        names.iter().try_for_each(|name| self.check_column(name, *location))?;
        let first = self
            .tokens
            .at(*location)
            .ok_or_else(|| self.refuse(Code::Statement, "a column whose name is not found in the text", *location))?;
        // Names and the dots between them.
        let ident = |place: usize, name: &str| {
            let token = self.tokens.list.get(first + 2 * place);
            let start = token.and_then(|token| i32::try_from(token.span.start).ok()).unwrap_or(*location);
            self.ident(name, start)
        };
        let (schema, table, name) = match names.as_slice() {
            [name] => (None, None, ident(0, name)?),
            [table, name] => (None, Some(ident(0, table)?), ident(1, name)?),
            [schema, table, name] => (Some(ident(0, schema)?), Some(ident(1, table)?), ident(2, name)?),
            _ => return Err(self.refuse(Code::Relation, "a column with a database", *location)),
        };
        let span = Span::new(schema.as_ref().or(table.as_ref()).unwrap_or(&name).span.start, name.span.end);
        sites.push(Site::Column(ir::ColumnRef { span, schema, table, name }));
        Ok(())
    }

    fn call(&mut self, call: &FuncCall, sites: &mut Vec<Site>) -> Result<(), Refused> {
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
            location,
        } = call;
        let (schema, name) = self.qualified(funcname, *location, Code::Function)?;
        let literal = args.first().and_then(literal).map(str::to_owned);
        sites.push(Site::Function(ir::Function { schema, name, literal }));
        self.all(args, sites)?;
        for term in self.sorts(agg_order)? {
            sites.extend(term.sites);
        }
        self.all(agg_filter.as_deref(), sites)?;
        over.iter().try_for_each(|window| self.window(window, sites))
    }

    fn sublink(&mut self, sublink: &SubLink, sites: &mut Vec<Site>) -> Result<(), Refused> {
        let SubLink { xpr: _, sub_link_type: _, sub_link_id: _, testexpr, oper_name, subselect, location } = sublink;
        self.all(testexpr.as_deref(), sites)?;
        if !oper_name.is_empty() {
            self.built_in(oper_name, *location, Code::Unknown)?;
        }
        match subselect.as_deref().and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::SelectStmt(select)) => {
                let query = self.query(select)?;
                sites.push(Site::Query(query));
                Ok(())
            }
            _ => Err(self.refuse(Code::Unknown, "a subquery of this kind", *location)),
        }
    }

    fn operator(&mut self, expr: &AExpr, sites: &mut Vec<Site>) -> Result<(), Refused> {
        let AExpr { kind, name, lexpr, rexpr, rexpr_list_start: _, rexpr_list_end: _, location } = expr;
        if !matches!(AExprKind::try_from(*kind), Ok(kind) if kind != AExprKind::Undefined) {
            return Err(self.refuse(Code::Unknown, "an operator of this kind", *location));
        }
        self.built_in(name, *location, Code::Unknown)?;
        self.all(lexpr.as_deref().into_iter().chain(rexpr.as_deref()), sites)
    }

    /// The name that is all of `x` in `(x).f`: that of a column or of a row.
    fn row_of_field(&self, of: Option<&Node>, indirection: &[Node]) -> Result<Option<Ident>, Refused> {
        match (of.and_then(|of| of.node.as_ref()), indirection.first().and_then(|part| part.node.as_ref())) {
            (Some(NodeEnum::ColumnRef(ColumnRef { fields, location })), Some(NodeEnum::String(_))) => {
                match fields.as_slice() {
                    [Node { node: Some(NodeEnum::String(name)) }] => {
                        self.check_column(&name.sval, *location)?;
                        self.ident(&name.sval, *location).map(Some)
                    }
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// `[1]`, `[1:2]` and `.f`, of which the first may be a field of the row `of`.
    pub(super) fn parts(
        &mut self,
        mut of: Option<Ident>,
        parts: &[Node],
        sites: &mut Vec<Site>,
    ) -> Result<(), Refused> {
        parts.iter().try_for_each(|part| match &part.node {
            Some(NodeEnum::AIndices(indices)) => {
                let AIndices { is_slice: _, lidx, uidx } = &**indices;
                self.all(lidx.as_deref().into_iter().chain(uidx.as_deref()), sites)
            }
            Some(NodeEnum::String(field)) => {
                self.check_column(&field.sval, -1)?;
                let of = of.take();
                let field = Ident { name: crate::Name::exact(field.sval.as_str()), span: Span::at(0) };
                sites.push(Site::Field { of, field });
                Ok(())
            }
            _ => Err(self.refuse(Code::Unknown, "all fields of a row", -1).hint("name the columns instead")),
        })
    }

    pub(super) fn type_name(
        &self,
        name: Option<&TypeName>,
        location: i32,
        sites: &mut Vec<Site>,
    ) -> Result<(), Refused> {
        let Some(TypeName { names, type_oid: _, setof, pct_type, typmods, typemod: _, array_bounds: _, location: at }) =
            name
        else {
            return Err(self.refuse(Code::Unknown, "a type without a name", location));
        };
        let (schema, name) = self.qualified(names, *at, Code::Unknown)?;
        let numbers = typmods.iter().all(|typmod| matches!(typmod.node, Some(NodeEnum::AConst(_))));
        if *setof || *pct_type || !numbers {
            return Err(self.refuse(Code::Unknown, format!("type {}", name.name.quoted()), *at));
        }
        sites.push(Site::Type(ir::TypeRef { schema, name }));
        Ok(())
    }

    /// `CURRENT_DATE` and its kin.
    fn value_function(&self, function: &SqlValueFunction) -> Result<(), Refused> {
        use SqlValueFunctionOp as Op;
        let SqlValueFunction { xpr: _, r#type: _, op, typmod: _, location } = function;
        match Op::try_from(*op) {
            Ok(
                Op::SvfopCurrentDate
                | Op::SvfopCurrentTime
                | Op::SvfopCurrentTimeN
                | Op::SvfopCurrentTimestamp
                | Op::SvfopCurrentTimestampN
                | Op::SvfopLocaltime
                | Op::SvfopLocaltimeN
                | Op::SvfopLocaltimestamp
                | Op::SvfopLocaltimestampN
                | Op::SvfopCurrentCatalog
                | Op::SvfopCurrentSchema,
            ) => Ok(()),
            _ => Err(self.refuse(Code::Function, "CURRENT_USER or its kin", *location)),
        }
    }
}

/// What an expression is, as far as a rule asks.
fn shape(node: &Node) -> Shape {
    match &node.node {
        Some(NodeEnum::ColumnRef(ColumnRef { fields, location: _ }))
            if fields.iter().all(|field| matches!(field.node, Some(NodeEnum::String(_)))) =>
        {
            Shape::Column
        }
        Some(NodeEnum::TypeCast(cast)) => cast.arg.as_deref().map_or(Shape::Other, shape_within),
        Some(NodeEnum::CaseExpr(case)) => match case.defresult.as_deref().map(shape) {
            Some(Shape::Column) => Shape::Otherwise,
            _ => Shape::Other,
        },
        Some(NodeEnum::CollateClause(collate)) => collate.arg.as_deref().map_or(Shape::Other, shape_within),
        _ => Shape::Other,
    }
}

fn shape_within(node: &Node) -> Shape {
    match shape(node) {
        Shape::Column | Shape::Cast => Shape::Cast,
        _ => Shape::Other,
    }
}

/// The text of a literal.
fn literal(node: &Node) -> Option<&str> {
    match &node.node {
        Some(NodeEnum::AConst(AConst { val: Some(a_const::Val::Sval(text)), .. })) => Some(&text.sval),
        _ => None,
    }
}
