//! `MERGE`: V1, V5.

use pg_query::{
    NodeEnum,
    protobuf::{CmdType, MergeMatchKind, MergeStmt, MergeWhenClause, Node},
};

use super::{Reader, kind, unverified};
use crate::{Refused, TENANT};

impl Reader<'_> {
    pub(super) fn merge(&mut self, merge: &MergeStmt) -> Result<(), Refused> {
        let MergeStmt { relation, source_relation, join_condition, merge_when_clauses, returning_clause, with_clause } =
            merge;
        if returning_clause.is_some() {
            return Err(unverified("RETURNING of MERGE"));
        }
        with_clause.iter().try_for_each(|with| self.with(with))?;
        self.target_of(relation.as_ref())?;
        let source = source_relation.as_deref().ok_or_else(|| unverified("MERGE of nothing"))?;
        self.items(std::slice::from_ref(source))?;
        self.guarded(join_condition.as_deref())?;
        merge_when_clauses.iter().try_for_each(|clause| match kind(Some(clause))? {
            NodeEnum::MergeWhenClause(clause) => self.when(clause),
            _ => Err(unverified("an arm of MERGE")),
        })
    }

    fn when(&mut self, clause: &MergeWhenClause) -> Result<(), Refused> {
        let MergeWhenClause { match_kind: _, command_type: _, r#override: _, condition, target_list, values } = clause;
        match clause.match_kind() {
            MergeMatchKind::MergeWhenMatched | MergeMatchKind::MergeWhenNotMatchedByTarget => {
                self.exprs(condition.as_deref())?;
            }
            MergeMatchKind::MergeWhenNotMatchedBySource => self.guarded(condition.as_deref())?,
            MergeMatchKind::Undefined => return Err(unverified("an arm of MERGE")),
        }
        match clause.command_type() {
            CmdType::CmdNothing | CmdType::CmdDelete => Ok(()),
            CmdType::CmdUpdate => self.sets(target_list),
            CmdType::CmdInsert => self.merged_row(target_list, values),
            _ => Err(unverified("an arm of MERGE")),
        }
    }

    /// The tenant is the last of what is inserted.
    fn merged_row(&mut self, columns: &[Node], values: &[Node]) -> Result<(), Refused> {
        let (Some((last, columns)), Some((tenant, values))) = (columns.split_last(), values.split_last()) else {
            return Err(unverified("INSERT without columns"));
        };
        if columns.len() != values.len() || self.assigned_name(last)? != TENANT || !self.is_tenant(tenant) {
            return Err(unverified("INSERT without the tenant"));
        }
        columns.iter().try_for_each(|column| self.assigned(column))?;
        self.exprs(values)
    }
}
