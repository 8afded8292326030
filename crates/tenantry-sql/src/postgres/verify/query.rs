//! Queries and what they read from: V1, V2.

use pg_query::{
    NodeEnum,
    protobuf::{
        ColumnDef, CommonTableExpr, JoinExpr, LockingClause, Node, RangeFunction, RangeSubselect, RangeVar, ResTarget,
        SelectStmt, SortBy, WindowDef, WithClause,
    },
};

use super::{
    super::catalogs::{CATALOG_SCHEMA, CATALOGS, INFORMATION_SCHEMA},
    Reader, kind, unverified,
};
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
        let (visible, inner) = (self.ctes.len(), self.inner.len());
        with_clause.iter().try_for_each(|with| self.with(with))?;
        self.items(from_clause)?;
        target_list.iter().try_for_each(|target| self.target(target))?;
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
        self.inner.truncate(inner);
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
            search_clause,
            cycle_clause,
            location: _,
            cterecursive: _,
            cterefcount: _,
            ctecolnames: _,
            ctecoltypes: _,
            ctecoltypmods: _,
            ctecolcollations: _,
        } = cte;
        self.name(ctename)?;
        self.names(aliascolnames)?;
        if let Some(search) = search_clause {
            self.names(&search.search_col_list)?;
            self.name(&search.search_seq_column)?;
        }
        if let Some(cycle) = cycle_clause {
            self.names(&cycle.cycle_col_list)?;
            self.name(&cycle.cycle_mark_column)?;
            self.name(&cycle.cycle_path_column)?;
            self.exprs(cycle.cycle_mark_value.as_deref().into_iter().chain(cycle.cycle_mark_default.as_deref()))?;
        }
        match kind(ctequery.as_deref())? {
            NodeEnum::SelectStmt(select) => self.query(select),
            change => self.change(change),
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

    /// What is read from, which is visible from then on.
    pub(super) fn items(&mut self, items: &[Node]) -> Result<(), Refused> {
        let mut before = Vec::new();
        for item in items {
            self.item(item, &before)?;
            before.push(item);
        }
        items.iter().for_each(|item| self.expose(item));
        Ok(())
    }

    /// `before` is what stands before the item, and is visible in it if it is lateral.
    fn item(&mut self, item: &Node, before: &[&Node]) -> Result<(), Refused> {
        match kind(Some(item))? {
            NodeEnum::RangeVar(table) => self.table(table),
            NodeEnum::RangeSubselect(subquery) => {
                let RangeSubselect { lateral, subquery, alias } = &**subquery;
                self.alias(alias.as_ref())?;
                let NodeEnum::SelectStmt(select) = kind(subquery.as_deref())? else {
                    return Err(unverified("a subquery"));
                };
                let before = if *lateral { before } else { &[] };
                self.beside(before, |reader| reader.query(select))
            }
            NodeEnum::RangeFunction(function) => self.beside(before, |reader| reader.functions(function)),
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
                let (Some(left), Some(right)) = (larg.as_deref(), rarg.as_deref()) else {
                    return Err(unverified("a join of one"));
                };
                self.item(left, before)?;
                let before: Vec<_> = before.iter().copied().chain([left]).collect();
                self.item(right, &before)?;
                self.beside(&[left, right], |reader| reader.exprs(quals.as_deref()))
            }
            // That of a table of tenants is within its leaf.
            NodeEnum::RangeTableSample(sample) if Self::is_sample(sample) => {
                sample.relation.as_deref().map_or(Ok(()), |table| self.item(table, before))
            }
            _ => Err(unverified("an item of FROM")),
        }
    }

    /// Reads something in which items of `FROM` are visible.
    fn beside(&mut self, items: &[&Node], read: impl FnOnce(&mut Self) -> Result<(), Refused>) -> Result<(), Refused> {
        let inner = self.inner.len();
        items.iter().for_each(|item| self.expose(item));
        read(self)?;
        self.inner.truncate(inner);
        Ok(())
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
            CATALOG_SCHEMA => match relname.strip_prefix("information_schema_") {
                Some(relation) => INFORMATION_SCHEMA.contains(&relation),
                None => CATALOGS.contains(&relname.as_str()),
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
