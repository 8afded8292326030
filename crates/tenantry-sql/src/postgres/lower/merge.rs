//! `MERGE` and `TRUNCATE`.

use pg_query::{
    NodeEnum,
    protobuf::{CmdType, MergeMatchKind, MergeStmt, MergeWhenClause, Node, Token as Kind, TruncateStmt},
};

use super::Lowering;
use crate::{
    Code, Refused, Span,
    ir::{self, Arm, ArmAction, ArmValues, Expr, Merge, Row, Where},
};

impl Lowering<'_> {
    pub(super) fn merge(&mut self, merge: &MergeStmt) -> Result<Merge, Refused> {
        let MergeStmt { relation, source_relation, join_condition, merge_when_clauses, returning_clause, with_clause } =
            merge;
        if returning_clause.is_some() {
            return Err(self.refuse(Code::Unknown, "RETURNING of MERGE", -1));
        }
        let (table, after) = self.target(relation.as_ref())?;
        let with = with_clause.as_ref().map(|with| self.with(with)).transpose()?;
        let source = self.from(source_relation.as_deref().map_or(&[], std::slice::from_ref))?;
        let source = source.ok_or_else(|| self.refuse(Code::Unknown, "MERGE of nothing", -1))?;
        let whens = self.whens(after);
        let on = whens.first().and_then(|when| self.last_on(after, *when));
        let (on, when) = on.zip(whens.first()).ok_or_else(|| self.lost())?;
        let span = self.between(on + 1, *when)?;
        let condition = self.exprs(join_condition.as_deref())?.pop().ok_or_else(|| self.lost())?;
        if whens.len() != merge_when_clauses.len() {
            return Err(self.lost());
        }
        let ends = whens.iter().skip(1).copied().chain([self.end_of_statement(after)]);
        let arms = merge_when_clauses.iter().zip(whens.iter().zip(ends)).map(|(arm, (first, end))| match &arm.node {
            Some(NodeEnum::MergeWhenClause(arm)) => self.arm_of_merge(arm, *first, end),
            _ => Err(self.lost()),
        });
        let arms = arms.collect::<Result<_, _>>()?;
        Ok(Merge { with, table, source, on: Expr { span, ..condition }, arms })
    }

    /// `first` is the token `WHEN`, `end` the one after the arm.
    fn arm_of_merge(&mut self, arm: &MergeWhenClause, first: usize, end: usize) -> Result<Arm, Refused> {
        let MergeWhenClause { match_kind: _, command_type: _, r#override: _, condition, target_list, values } = arm;
        let then = self.tokens_outside(first, end, Kind::Then).pop().ok_or_else(|| self.lost())?;
        let and = self.tokens_outside(first, then, Kind::And).first().copied();
        let filter = match (condition.as_deref(), and) {
            (Some(condition), Some(and)) => {
                let span = self.between(and + 1, then)?;
                let expr = self.exprs([condition])?.pop().ok_or_else(|| self.lost())?;
                Where::Given(Expr { span, ..expr })
            }
            (None, _) => Where::Absent(self.between(first, then)?.end),
            (Some(_), None) => return Err(self.lost()),
        };
        let action = match arm.command_type() {
            CmdType::CmdNothing | CmdType::CmdDelete => ArmAction::Plain,
            CmdType::CmdUpdate => ArmAction::Update(self.sets(target_list)?),
            CmdType::CmdInsert => self.insert_of_merge(target_list, values, then + 1, end)?,
            _ => return Err(self.refuse(Code::Unknown, "MERGE of this kind", -1)),
        };
        let by_source = arm.match_kind() == MergeMatchKind::MergeWhenNotMatchedBySource;
        Ok(Arm { by_source, filter, action })
    }

    /// `insert` is the token `INSERT`, `end` the one after the arm.
    fn insert_of_merge(
        &mut self,
        targets: &[Node],
        values: &[Node],
        insert: usize,
        end: usize,
    ) -> Result<ArmAction, Refused> {
        let columns = targets.iter().map(|target| self.assigned(target).map(|(column, _)| column));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let end_at = |index: usize| self.tokens.list.get(index).map(|token| token.span.end);
        let (columns_end, after) = if columns.is_empty() {
            (end_at(insert), insert + 1)
        } else {
            let close = self.tokens.up_to(insert + 2, &[]);
            (close.checked_sub(1).and_then(end_at), close + 1)
        };
        let columns_end = columns_end.ok_or_else(|| self.lost())?;
        let word = self.tokens.up_to(after, &[Kind::Values]);
        if self.tokens.kind(word) != Some(Kind::Values) || word >= end {
            return Err(self.lost());
        }
        let values = if values.is_empty() {
            ArmValues::Default(self.between(word.saturating_sub(1), word + 1)?)
        } else {
            let values = self.exprs(values)?;
            ArmValues::Row(Row { span: self.between(word + 1, self.tokens.up_to(word + 2, &[]) + 1)?, values })
        };
        let columns = if columns.is_empty() { Err(columns_end) } else { Ok(columns) };
        Ok(ArmAction::Insert { columns, columns_end, values })
    }

    /// The tokens `WHEN` that begin an arm.
    fn whens(&self, after: usize) -> Vec<usize> {
        self.tokens_outside(after, self.end_of_statement(after), Kind::When)
    }

    fn last_on(&self, after: usize, when: usize) -> Option<usize> {
        self.tokens_outside(after, when, Kind::On).pop()
    }

    /// Where the statement ends that the token belongs to: that of a common table expression at its parenthesis.
    fn end_of_statement(&self, after: usize) -> usize {
        self.tokens.up_to(after, &[Kind::Returning])
    }

    /// The tokens of this kind in a range, those in parentheses and in `CASE … END` left out.
    fn tokens_outside(&self, from: usize, to: usize, wanted: Kind) -> Vec<usize> {
        let mut depth = 0_usize;
        let mut found = Vec::new();
        for at in from..to {
            let before = at.checked_sub(1).and_then(|before| self.tokens.kind(before));
            let kind = self.tokens.kind(at).unwrap_or(Kind::Nul);
            match kind {
                _ if matches!(before, Some(Kind::As | Kind::Ascii46)) => {}
                Kind::Ascii40 | Kind::Ascii91 | Kind::Case => depth += 1,
                Kind::Ascii41 | Kind::Ascii93 | Kind::EndP => depth = depth.saturating_sub(1),
                _ if depth == 0 && kind == wanted => found.push(at),
                _ => {}
            }
        }
        found
    }

    /// From the token `first` up to, and without, the token `end`.
    fn between(&self, first: usize, end: usize) -> Result<Span, Refused> {
        let last = end.checked_sub(1).filter(|last| *last >= first).and_then(|last| self.tokens.list.get(last));
        let words = self.tokens.list.get(first).zip(last);
        words.map(|(first, last)| first.span.to(last.span)).ok_or_else(|| self.lost())
    }

    fn lost(&self) -> Refused {
        self.refuse(Code::Statement, "a part of MERGE that is not found in the text", -1)
    }

    /// `TRUNCATE`.
    pub(super) fn truncate(&mut self, truncate: &TruncateStmt) -> Result<ir::Kind, Refused> {
        // What refers to the tables is looked at by the rules, so that CASCADE has nothing to do.
        let TruncateStmt { relations, restart_seqs, behavior: _ } = truncate;
        if *restart_seqs {
            let refused = self.refuse(Code::Truncate, "RESTART IDENTITY", -1);
            return Err(refused.hint("leave it out: numbers that were given out are not given out again"));
        }
        let tables = relations.iter().map(|relation| match &relation.node {
            Some(NodeEnum::RangeVar(table)) => self.table(table),
            _ => Err(self.refuse(Code::Unknown, "TRUNCATE of something that is no table", -1)),
        });
        let tables = tables.collect::<Result<_, _>>()?;
        let end = self.tokens.up_to(0, &[]);
        Ok(ir::Kind::Truncate(tables, self.between(0, end)?))
    }
}
