//! `FROM` clauses.

use pg_query::{
    NodeEnum,
    protobuf::{ColumnDef, JoinExpr, JoinType, Node, RangeFunction, RangeSubselect},
};

use super::Lowering;
use crate::{
    Code, Refused, Span,
    ir::{Constraint, From, Item, Join, JoinKind},
};

impl Lowering<'_> {
    pub(super) fn from(&mut self, items: &[Node]) -> Result<Option<From>, Refused> {
        let mut items = items.iter().map(|item| self.item(item)).collect::<Result<Vec<_>, _>>()?.into_iter();
        let Some(first) = items.next() else { return Ok(None) };
        let joins = items.map(|item| Join { kind: JoinKind::default(), item, constraint: None }).collect();
        Ok(Some(From { span: Span::at(0), first, joins }))
    }

    fn item(&mut self, item: &Node) -> Result<Item, Refused> {
        match &item.node {
            Some(NodeEnum::RangeVar(table)) => Ok(Item::Table(self.table(table)?)),
            Some(NodeEnum::RangeSubselect(subquery)) => self.subquery(subquery),
            Some(NodeEnum::RangeFunction(function)) => self.functions(function),
            Some(NodeEnum::JoinExpr(join)) => self.join(join),
            Some(NodeEnum::RangeTableSample(sample)) => Err(self.refuse(Code::Unknown, "TABLESAMPLE", sample.location)),
            _ => Err(self.refuse(Code::Unknown, "something of this kind in FROM", -1)),
        }
    }

    fn subquery(&mut self, subquery: &RangeSubselect) -> Result<Item, Refused> {
        let RangeSubselect { lateral: _, subquery, alias } = subquery;
        let query = match subquery.as_deref().and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::SelectStmt(select)) => Box::new(self.query(select)?),
            _ => return Err(self.refuse(Code::Unknown, "something of this kind in FROM", -1)),
        };
        Ok(Item::Query { span: Span::at(0), query, alias: self.alias(alias.as_ref(), -1)? })
    }

    fn functions(&mut self, function: &RangeFunction) -> Result<Item, Refused> {
        let RangeFunction { lateral: _, ordinality: _, is_rowsfrom: _, functions, alias, coldeflist } = function;
        self.definitions(coldeflist)?;
        let calls = self.one(|lowering, sites| {
            for function in functions {
                // A call, and the definitions of the columns that it gives.
                let Some(NodeEnum::List(pair)) = &function.node else {
                    return Err(lowering.refuse(Code::Unknown, "something of this kind in FROM", -1));
                };
                for part in pair.items.iter().filter(|part| part.node.is_some()) {
                    match &part.node {
                        Some(NodeEnum::List(definitions)) => lowering.definitions(&definitions.items)?,
                        _ => lowering.all([part], sites)?,
                    }
                }
            }
            Ok(())
        })?;
        Ok(Item::Functions { span: Span::at(0), calls, alias: self.alias(alias.as_ref(), -1)? })
    }

    /// The columns of a function that gives records.
    fn definitions(&self, definitions: &[Node]) -> Result<(), Refused> {
        definitions.iter().try_for_each(|definition| match &definition.node {
            Some(NodeEnum::ColumnDef(definition)) => {
                let ColumnDef { colname, type_name, location, .. } = &**definition;
                self.check_column(colname, *location)?;
                self.type_name(type_name.as_ref(), *location)
            }
            _ => Err(self.refuse(Code::Unknown, "something in the place of a column's definition", -1)),
        })
    }

    fn join(&mut self, join: &JoinExpr) -> Result<Item, Refused> {
        let JoinExpr { jointype, is_natural, larg, rarg, using_clause, join_using_alias, quals, alias, rtindex: _ } =
            join;
        let kind = match JoinType::try_from(*jointype) {
            Ok(JoinType::JoinInner) => (false, false),
            Ok(JoinType::JoinLeft) => (true, false),
            Ok(JoinType::JoinRight) => (false, true),
            Ok(JoinType::JoinFull) => (true, true),
            _ => return Err(self.refuse(Code::Unknown, "a join of this kind", -1)),
        };
        let kind = JoinKind { left: kind.0, right: kind.1, natural: *is_natural };
        let operand = |operand: &Option<Box<Node>>, lowering: &mut Self| match operand.as_deref() {
            Some(operand) => lowering.item(operand),
            None => Err(lowering.refuse(Code::Unknown, "a join of one", -1)),
        };
        let first = operand(larg, self)?;
        let item = operand(rarg, self)?;
        self.columns(using_clause, -1)?;
        self.alias(join_using_alias.as_ref(), -1)?;
        let constraint = match self.exprs(quals.as_deref())?.pop() {
            Some(expr) => Some(Constraint::On { span: expr.span, expr }),
            None => (!using_clause.is_empty()).then_some(Constraint::Using),
        };
        let from = From { span: Span::at(0), first, joins: vec![Join { kind, item, constraint }] };
        let alias = self.alias(alias.as_ref(), -1)?;
        Ok(Item::Join { span: Span::at(0), from: Box::new(from), alias })
    }
}
