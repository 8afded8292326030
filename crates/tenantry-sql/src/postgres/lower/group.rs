//! `GROUP BY`: the terms that a primary key could consist of.

use pg_query::{
    NodeEnum,
    protobuf::{AConst, CoercionForm, ColumnRef, Node, RowExpr, a_const},
};

use super::Lowering;
use crate::{Name, ir::GroupTerm};

impl Lowering<'_> {
    /// None if there are grouping sets, in which the database does not ask for primary keys.
    pub(super) fn group(&self, terms: &[Node]) -> Vec<GroupTerm> {
        let mut found = Vec::new();
        let plain = terms.iter().all(|term| self.group_term(term, &mut found));
        if plain { found } else { Vec::new() }
    }

    fn group_term(&self, term: &Node, found: &mut Vec<GroupTerm>) -> bool {
        match &term.node {
            Some(NodeEnum::GroupingSet(_)) => return false,
            Some(NodeEnum::ColumnRef(ColumnRef { fields, location })) => {
                let names = fields.iter().map(|field| self.string(field, *location).ok());
                let names: Option<Vec<_>> = names.collect();
                let end = self.end(*location, 2 * fields.len().saturating_sub(1));
                let (table, name) = match names.as_deref() {
                    Some([name]) => (None, name),
                    Some([table, name] | [_, table, name]) => (Some(Name::exact(*table)), name),
                    _ => return true,
                };
                found.extend(end.map(|end| GroupTerm::Column { table, name: Name::exact(*name), end }));
            }
            Some(NodeEnum::AConst(AConst { val: Some(a_const::Val::Ival(number)), location, .. })) => {
                let number = usize::try_from(number.ival).ok().filter(|number| *number > 0);
                found.extend(number.zip(self.end(*location, 0)).map(|(number, end)| GroupTerm::Result { number, end }));
            }
            // A list in parentheses.
            Some(NodeEnum::RowExpr(row)) if row.row_format == CoercionForm::CoerceImplicitCast as i32 => {
                let RowExpr { args, .. } = &**row;
                return args.iter().all(|term| self.group_term(term, found));
            }
            _ => {}
        }
        true
    }

    /// Where the token ends that is so many after the one at a place.
    fn end(&self, location: i32, after: usize) -> Option<usize> {
        let first = self.tokens.at(location)?;
        self.tokens.list.get(first + after).map(|token| token.span.end)
    }
}
