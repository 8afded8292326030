//! `FROM` clauses.

use pg_query::{
    NodeEnum,
    protobuf::{ColumnDef, JoinExpr, JoinType, Node, RangeFunction, RangeSubselect, RangeTableSample, Token as Kind},
};

use super::Lowering;
use crate::{
    Code, Refused, Span,
    ir::{Constraint, From, Item, Join, JoinKind, Site},
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
            Some(NodeEnum::RangeTableSample(sample)) => self.sample(sample),
            _ => Err(self.refuse(Code::Unknown, "something of this kind in FROM", -1)),
        }
    }

    fn subquery(&mut self, subquery: &RangeSubselect) -> Result<Item, Refused> {
        let RangeSubselect { lateral, subquery, alias } = subquery;
        let query = match subquery.as_deref().and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::SelectStmt(select)) => Box::new(self.query(select)?),
            _ => return Err(self.refuse(Code::Unknown, "something of this kind in FROM", -1)),
        };
        let (alias, columns) = self.alias(alias.as_ref(), -1)?;
        Ok(Item::Query { span: Span::at(0), query, alias, columns, lateral: *lateral })
    }

    /// A sample of a table: the clause moves into the leaf as it is written, so that nothing in it may have to be scoped.
    fn sample(&mut self, sample: &RangeTableSample) -> Result<Item, Refused> {
        let RangeTableSample { relation, method, args, repeatable, location } = sample;
        let refuse = |lowering: &Self| lowering.refuse(Code::Unknown, "TABLESAMPLE of this kind", *location);
        let Some(NodeEnum::RangeVar(table)) = relation.as_deref().and_then(|node| node.node.as_ref()) else {
            return Err(refuse(self));
        };
        let mut table = self.table(table)?;
        let built_in = matches!(self.built_in(method, *location, Code::Unknown)?, "bernoulli" | "system");
        let arguments = self.exprs(args.iter().chain(repeatable.as_deref()))?;
        if !built_in || !arguments.iter().all(|argument| argument.sites.is_empty()) {
            return Err(refuse(self));
        }
        let name = self.tokens.at(*location).ok_or_else(|| refuse(self))?;
        let word = name.checked_sub(1).filter(|word| self.tokens.kind(*word) == Some(Kind::Tablesample));
        let word = word.ok_or_else(|| refuse(self))?;
        let close = |open: usize| self.tokens.up_to(open + 1, &[]);
        let mut last = close(name + 1);
        if self.tokens.kind(last + 1) == Some(Kind::Repeatable) {
            last = close(last + 2);
        }
        let words = (self.tokens.list.get(word), self.tokens.list.get(last));
        let (first, last) = words.0.zip(words.1).ok_or_else(|| refuse(self))?;
        let span = first.span.to(last.span);
        if self.tokens.comments.iter().any(|comment| span.contains(*comment)) {
            return Err(self.refuse(Code::Unknown, "a comment in TABLESAMPLE", *location));
        }
        table.sample = Some(span);
        Ok(Item::Table(table))
    }

    fn functions(&mut self, function: &RangeFunction) -> Result<Item, Refused> {
        let RangeFunction { lateral: _, ordinality: _, is_rowsfrom: _, functions, alias, coldeflist } = function;
        let calls = self.one(|lowering, sites| {
            lowering.definitions(coldeflist, sites)?;
            for function in functions {
                // A call, and the definitions of the columns that it gives.
                let Some(NodeEnum::List(pair)) = &function.node else {
                    return Err(lowering.refuse(Code::Unknown, "something of this kind in FROM", -1));
                };
                for part in pair.items.iter().filter(|part| part.node.is_some()) {
                    match &part.node {
                        Some(NodeEnum::List(definitions)) => lowering.definitions(&definitions.items, sites)?,
                        _ => lowering.all([part], sites)?,
                    }
                }
            }
            Ok(())
        })?;
        Ok(Item::Functions { span: Span::at(0), calls, alias: self.alias(alias.as_ref(), -1)?.0 })
    }

    /// The columns of a function that gives records.
    fn definitions(&self, definitions: &[Node], sites: &mut Vec<Site>) -> Result<(), Refused> {
        definitions.iter().try_for_each(|definition| match &definition.node {
            Some(NodeEnum::ColumnDef(definition)) => {
                let ColumnDef { colname, type_name, location, .. } = &**definition;
                self.check_column(colname, *location)?;
                self.type_name(type_name.as_ref(), *location, sites)
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
        let (alias, _) = self.alias(alias.as_ref(), -1)?;
        Ok(Item::Join { span: Span::at(0), from: Box::new(from), alias })
    }
}
