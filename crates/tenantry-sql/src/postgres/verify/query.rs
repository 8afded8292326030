//! Queries and what they read from: V1, V2.

use pg_query::{
    NodeEnum,
    protobuf::{
        ColumnDef, CommonTableExpr, JoinExpr, LockingClause, Node, RangeFunction, RangeSubselect, RangeVar, ResTarget,
        SelectStmt, SortBy, WindowDef, WithClause,
    },
};

use super::{Reader, kind, unverified};
use crate::{Name, Refused, Relation, SHARED_SCHEMA};

impl Reader<'_> {
    pub(super) fn query(&mut self, select: &SelectStmt) -> Result<(), Refused> {
        if self.is_leaf(select) {
            return Ok(());
        }
        let SelectStmt {
            distinct_clause,
            into_clause,
            target_list,
            from_clause,
            where_clause,
            group_clause,
            group_distinct: _,
            having_clause,
            window_clause,
            values_lists,
            sort_clause,
            limit_offset,
            limit_count,
            limit_option: _,
            locking_clause,
            with_clause,
            op: _,
            all: _,
            larg,
            rarg,
        } = select;
        if into_clause.is_some() {
            return Err(unverified("INTO"));
        }
        let visible = self.ctes.len();
        with_clause.iter().try_for_each(|with| self.with(with))?;
        target_list.iter().try_for_each(|target| self.target(target))?;
        from_clause.iter().try_for_each(|item| self.item(item))?;
        self.exprs(distinct_clause.iter().filter(|node| node.node.is_some()))?;
        self.exprs(where_clause.as_deref().into_iter().chain(group_clause).chain(having_clause.as_deref()))?;
        self.exprs(values_lists.iter().chain(limit_offset.as_deref()).chain(limit_count.as_deref()))?;
        self.sorts(sort_clause)?;
        window_clause.iter().try_for_each(|window| match kind(Some(window))? {
            NodeEnum::WindowDef(window) => self.window(window),
            _ => Err(unverified("a window")),
        })?;
        locking_clause.iter().try_for_each(|clause| self.locking(clause))?;
        larg.iter().chain(rarg).try_for_each(|arm| self.query(arm))?;
        self.ctes.truncate(visible);
        Ok(())
    }

    pub(super) fn with(&mut self, with: &WithClause) -> Result<(), Refused> {
        let WithClause { ctes, recursive, location: _ } = with;
        let ctes = ctes.iter().map(|cte| match kind(Some(cte))? {
            NodeEnum::CommonTableExpr(cte) => Ok(&**cte),
            _ => Err(unverified("a common table expression")),
        });
        let ctes: Vec<_> = ctes.collect::<Result<_, _>>()?;
        if *recursive {
            self.ctes.extend(ctes.iter().map(|cte| cte.ctename.clone()));
        }
        for cte in ctes {
            self.cte(cte)?;
            if !recursive {
                self.ctes.push(cte.ctename.clone());
            }
        }
        Ok(())
    }

    fn cte(&mut self, cte: &CommonTableExpr) -> Result<(), Refused> {
        let CommonTableExpr {
            ctename,
            aliascolnames,
            ctematerialized: _,
            ctequery,
            search_clause: None,
            cycle_clause: None,
            location: _,
            cterecursive: _,
            cterefcount: _,
            ctecolnames: _,
            ctecoltypes: _,
            ctecoltypmods: _,
            ctecolcollations: _,
        } = cte
        else {
            return Err(unverified("SEARCH or CYCLE"));
        };
        self.name(ctename)?;
        self.names(aliascolnames)?;
        match kind(ctequery.as_deref())? {
            NodeEnum::SelectStmt(select) => self.query(select),
            _ => Err(unverified("a common table expression")),
        }
    }

    fn target(&mut self, target: &Node) -> Result<(), Refused> {
        let NodeEnum::ResTarget(target) = kind(Some(target))? else { return Err(unverified("a result")) };
        let ResTarget { name, indirection, val, location: _ } = &**target;
        if !indirection.is_empty() {
            return Err(unverified("a result"));
        }
        self.name(name)?;
        self.exprs(val.as_deref())
    }

    pub(super) fn item(&mut self, item: &Node) -> Result<(), Refused> {
        match kind(Some(item))? {
            NodeEnum::RangeVar(table) => self.table(table),
            NodeEnum::RangeSubselect(subquery) => {
                let RangeSubselect { lateral: _, subquery, alias } = &**subquery;
                self.alias(alias.as_ref())?;
                match kind(subquery.as_deref())? {
                    NodeEnum::SelectStmt(select) => self.query(select),
                    _ => Err(unverified("a subquery")),
                }
            }
            NodeEnum::RangeFunction(function) => self.functions(function),
            NodeEnum::JoinExpr(join) => {
                let JoinExpr {
                    jointype: _,
                    is_natural: _,
                    larg,
                    rarg,
                    using_clause,
                    join_using_alias,
                    quals,
                    alias,
                    rtindex: _,
                } = &**join;
                self.names(using_clause)?;
                self.alias(join_using_alias.as_ref())?;
                self.alias(alias.as_ref())?;
                larg.as_deref().into_iter().chain(rarg.as_deref()).try_for_each(|operand| self.item(operand))?;
                self.exprs(quals.as_deref())
            }
            _ => Err(unverified("an item of FROM")),
        }
    }

    /// A relation outside of a leaf: a common table expression, or a global table.
    fn table(&self, table: &RangeVar) -> Result<(), Refused> {
        let RangeVar { catalogname, schemaname, relname, inh: _, relpersistence: _, alias, location: _ } = table;
        self.alias(alias.as_ref())?;
        let accepted = match schemaname.as_str() {
            "" => self.ctes.contains(relname),
            SHARED_SCHEMA => match self.schema.relation(&Name::exact(relname.as_str())) {
                Some(Relation::Global(table)) => table.name.as_str() == relname,
                _ => false,
            },
            _ => false,
        };
        if accepted && catalogname.is_empty() {
            return Ok(());
        }
        Err(unverified(format!("table {} outside of a leaf", crate::Quoted::new(relname))))
    }

    fn functions(&mut self, function: &RangeFunction) -> Result<(), Refused> {
        let RangeFunction { lateral: _, ordinality: _, is_rowsfrom: _, functions, alias, coldeflist } = function;
        self.alias(alias.as_ref())?;
        self.definitions(coldeflist)?;
        for function in functions {
            let NodeEnum::List(pair) = kind(Some(function))? else { return Err(unverified("a function")) };
            for part in pair.items.iter().filter(|part| part.node.is_some()) {
                match kind(Some(part))? {
                    NodeEnum::List(definitions) => self.definitions(&definitions.items)?,
                    _ => self.exprs([part])?,
                }
            }
        }
        Ok(())
    }

    fn definitions(&self, definitions: &[Node]) -> Result<(), Refused> {
        definitions.iter().try_for_each(|definition| match kind(Some(definition))? {
            NodeEnum::ColumnDef(definition) => {
                let ColumnDef { colname, type_name, .. } = &**definition;
                self.name(colname)?;
                self.type_name(type_name.as_ref())
            }
            _ => Err(unverified("a column's definition")),
        })
    }

    pub(super) fn sorts(&mut self, terms: &[Node]) -> Result<(), Refused> {
        terms.iter().try_for_each(|term| match kind(Some(term))? {
            NodeEnum::SortBy(sort) => {
                let SortBy { node, sortby_dir: _, sortby_nulls: _, use_op, location: _ } = &**sort;
                if !use_op.is_empty() {
                    self.built_in(use_op)?;
                }
                self.exprs(node.as_deref())
            }
            _ => Err(unverified("a term of ORDER BY")),
        })
    }

    pub(super) fn window(&mut self, window: &WindowDef) -> Result<(), Refused> {
        let WindowDef {
            name,
            refname,
            partition_clause,
            order_clause,
            frame_options: _,
            start_offset,
            end_offset,
            location: _,
        } = window;
        self.name(name)?;
        self.name(refname)?;
        self.exprs(partition_clause.iter().chain(start_offset.as_deref()).chain(end_offset.as_deref()))?;
        self.sorts(order_clause)
    }

    fn locking(&self, clause: &Node) -> Result<(), Refused> {
        let NodeEnum::LockingClause(LockingClause { locked_rels, strength: _, wait_policy: _ }) = kind(Some(clause))?
        else {
            return Err(unverified("a lock"));
        };
        locked_rels.iter().try_for_each(|relation| match kind(Some(relation))? {
            NodeEnum::RangeVar(table) if table.schemaname.is_empty() && table.catalogname.is_empty() => {
                self.name(&table.relname)
            }
            _ => Err(unverified("a lock")),
        })
    }
}
