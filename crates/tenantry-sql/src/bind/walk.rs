//! The walk through a statement.

use super::{
    Bound, Meaning, Read,
    scope::{Ctes, Exposed, Role, Scope, Visible},
};
use crate::{
    Code, Ident, Refused, Relation, Rule, SchemaMap, Span,
    dialect::Dialect,
    ir::{
        Body, Branch, ColumnRef, Expr, From, Item, Kind, Output, Query, Select, Shape, Site, Statement, TableRef, With,
    },
    rules::on,
};

pub(super) struct Binder<'m, 's> {
    pub(super) text: &'s str,
    pub(super) schema: &'m SchemaMap,
    pub(super) dialect: Dialect,
    pub(super) bound: Bound<'s>,
    /// The columns that have been named so far.
    pub(super) columns: Vec<&'s ColumnRef>,
    /// Whether it is a statement of a trigger.
    pub(super) in_trigger: bool,
}

impl<'m, 's> Binder<'m, 's> {
    pub(super) fn new(text: &'s str, schema: &'m SchemaMap, dialect: Dialect) -> Self {
        Self { text, schema, dialect, bound: Bound::default(), columns: Vec::new(), in_trigger: false }
    }

    /// `outer` is what is visible everywhere in it.
    pub(super) fn statement(&mut self, statement: &'s Statement, outer: &Scope<'_, 's>) -> Result<(), Refused> {
        match &statement.kind {
            Kind::Query(query) => self.query(query, outer, &Ctes::default()),
            Kind::Insert(insert) => self.insert(insert, outer, &Ctes::default()),
            Kind::Update(update) => self.update(update, outer, &Ctes::default()),
            Kind::Delete(delete) => self.delete(delete, outer, &Ctes::default()),
            Kind::Merge(merge) => self.merge(merge, outer, &Ctes::default()),
            Kind::Truncate(tables, _) => self.truncate(tables),
            Kind::Condition(expr) => self.exprs(Rule::WalkClauses, [expr], outer, &Ctes::default()),
            Kind::Transaction(_) | Kind::Setting(_) | Kind::Pragma(_) => Ok(()),
        }
    }

    /// `outer` is what an expression of the query around it sees.
    pub(super) fn query(
        &mut self,
        query: &'s Query,
        outer: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        let ctes = ctes.within(query.with.as_ref());
        self.with(query.with.as_ref(), outer, &ctes)?;
        let [only] = query.branches.as_slice() else {
            let walked = if on(Rule::WalkBranches) { query.branches.len() } else { 1 };
            query.branches.iter().take(walked).try_for_each(|branch| self.branch(branch, &[], outer, &ctes))?;
            // The terms of a set operation name its results. Whatever else they name, they name outside of it.
            let sqlite = self.dialect.has_row_ids();
            let others = query.order_by.iter().filter(|term| sqlite || term.shape != Shape::Column);
            self.exprs(Rule::WalkOrderBy, others, outer, &ctes)?;
            return self.exprs(Rule::WalkLimit, &query.limit, outer, &ctes);
        };
        self.branch(only, &query.order_by, outer, &ctes)?;
        self.exprs(Rule::WalkLimit, &query.limit, outer, &ctes)
    }

    pub(super) fn with(
        &mut self,
        with: Option<&'s With>,
        outer: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        let Some(with) = with.filter(|_| on(Rule::WalkCte)) else { return Ok(()) };
        with.ctes.iter().enumerate().try_for_each(|(at, cte)| {
            self.bound.ctes.push(cte);
            let ctes = ctes.in_query(with, at);
            match &cte.body {
                Body::Query(query) => self.query(query, outer, &ctes),
                Body::Change(_) if !on(Rule::WalkChange) => Ok(()),
                Body::Change(change) => match &**change {
                    Kind::Insert(insert) => self.insert(insert, outer, &ctes),
                    Kind::Update(update) => self.update(update, outer, &ctes),
                    Kind::Delete(delete) => self.delete(delete, outer, &ctes),
                    Kind::Merge(merge) => self.merge(merge, outer, &ctes),
                    _ => Err(self.refuse(Code::Unknown, "a common table expression of this kind", cte.name.span)),
                },
            }
        })
    }

    fn branch(
        &mut self,
        branch: &'s Branch,
        order_by: &'s [Expr],
        outer: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        match branch {
            Branch::Values(values) => {
                let values = values.rows.iter().flat_map(|row| &row.values);
                self.exprs(Rule::WalkResults, values, outer, ctes)?;
                self.exprs(Rule::WalkOrderBy, order_by, outer, ctes)
            }
            Branch::Select(select) => self.select(select, order_by, outer, ctes),
            Branch::Query(query) => {
                self.query(query, outer, ctes)?;
                self.exprs(Rule::WalkOrderBy, order_by, outer, ctes)
            }
        }
    }

    fn select(
        &mut self,
        select: &'s Select,
        order_by: &'s [Expr],
        outer: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        let seen = self.columns.len();
        let mut scope = Scope { around: Some(outer), items: Vec::new() };
        select.from.iter().try_for_each(|from| self.from(from, &mut scope, outer, ctes))?;
        select.from.iter().try_for_each(|from| self.joins(from, &scope, ctes))?;
        self.outputs(Rule::WalkResults, &select.results, &scope, ctes)?;
        self.exprs(Rule::WalkClauses, &select.clauses, &scope, ctes)?;
        // A bare name in ORDER BY is first of all that of a result.
        let names_result = |term: &&Expr| match (term.shape, term.sites.as_slice()) {
            (Shape::Column, [Site::Column(column)]) if column.table.is_none() => select.results.iter().any(
                |output| matches!(output, Output::Expr { alias: Some(alias), .. } if alias.name == column.name.name),
            ),
            _ => false,
        };
        self.exprs(Rule::WalkOrderBy, order_by.iter().filter(|term| !names_result(term)), &scope, ctes)?;
        self.bound.selects.push(select);
        self.group(select, &scope, ctes, seen);
        self.spell_out_stars(select, ctes)
    }

    /// Adds the items of a `FROM` clause to the scope, and walks through the queries in it.
    pub(super) fn from(
        &mut self,
        from: &'s From,
        scope: &mut Scope<'_, 's>,
        outer: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        for item in from.items() {
            match item {
                Item::Table(table) => {
                    let exposed = self.table(table, item, ctes)?;
                    scope.items.push(exposed);
                }
                Item::Call(call) => {
                    self.bound.calls.push(call);
                    scope.items.push(other(item));
                }
                Item::Functions { .. } => scope.items.push(other(item)),
                Item::Query { query, lateral, .. } => {
                    if on(Rule::WalkFrom) {
                        self.query(query, if *lateral { &*scope } else { outer }, ctes)?;
                    }
                    scope.items.push(other(item));
                }
                Item::Join { from, alias: None, .. } => self.from(from, scope, outer, ctes)?,
                // What is in it is visible in it only.
                Item::Join { from, alias: Some(_), .. } if !self.dialect.has_row_ids() => {
                    let mut inner = Scope { around: Some(outer), items: Vec::new() };
                    self.from(from, &mut inner, outer, ctes)?;
                    self.joins(from, &inner, ctes)?;
                    scope.items.push(other(item));
                }
                Item::Join { span, alias: Some(_), .. } => {
                    let refused = self.refuse(Code::Unknown, "a join in parentheses with an alias", *span);
                    return Err(refused.hint("write it as a subquery: (SELECT * FROM …) AS alias"));
                }
            }
        }
        self.bound.froms.push(from);
        Ok(())
    }

    /// The expressions of a `FROM` clause, which see all of its items.
    pub(super) fn joins(&mut self, from: &'s From, scope: &Scope<'_, 's>, ctes: &Ctes<'_, 's>) -> Result<(), Refused> {
        for item in from.items() {
            match item {
                Item::Call(call) => self.exprs(Rule::WalkFrom, &call.arguments, scope, ctes)?,
                Item::Functions { calls, .. } => self.exprs(Rule::WalkFrom, [calls], scope, ctes)?,
                Item::Join { from, alias: None, .. } => self.joins(from, scope, ctes)?,
                Item::Table(_) | Item::Query { .. } | Item::Join { .. } => {}
            }
        }
        let on_clauses = from.joins.iter().filter_map(|join| join.constraint.as_ref()?.on());
        self.exprs(Rule::WalkOn, on_clauses, scope, ctes)
    }

    /// A relation that is read.
    fn table(&mut self, table: &'s TableRef, item: &'s Item, ctes: &Ctes<'_, 's>) -> Result<Exposed<'s>, Refused> {
        let name = Some(table.exposed().name.clone());
        let means = self.meaning(table, ctes)?;
        if let (None, Some(sample)) = (&means, table.sample) {
            return Err(self.refuse(Code::Unknown, "TABLESAMPLE of what is no table", sample));
        }
        let Some(means) = means else {
            return Ok(Exposed::new(name, Visible::Other { item }));
        };
        let relation = match &means {
            Meaning::Tenant(of) => Visible::Table { table: of.clone(), role: Role::Leaf(table) },
            Meaning::Global(of) => Visible::Table { table: of.clone(), role: Role::Global(table) },
            #[cfg(feature = "postgres")]
            Meaning::Catalog(_) => Visible::Catalog,
            Meaning::View(_) | Meaning::Master => Visible::Other { item },
        };
        self.bound.reads.push(Read { table, means, after_in: false });
        Ok(Exposed::new(name, relation))
    }

    /// What the name of a relation means; nothing for a common table expression.
    fn meaning(&self, table: &TableRef, ctes: &Ctes<'_, '_>) -> Result<Option<Meaning>, Refused> {
        let name = &table.name.name;
        #[cfg(feature = "postgres")]
        if let Some(view) = self.catalog(table, ctes)? {
            return Ok(Some(Meaning::Catalog(view)));
        }
        match &table.schema {
            Some(schema) => self.check_schema(schema)?,
            None if on(Rule::Cte) && ctes.find(name).is_some() => return Ok(None),
            None => {}
        }
        match self.schema.relation(name) {
            Some(Relation::Tenant(table)) => Ok(Some(Meaning::Tenant(table.clone()))),
            Some(Relation::Global(table)) => Ok(Some(Meaning::Global(table.clone()))),
            Some(Relation::View(view)) => Ok(Some(Meaning::View(view.clone()))),
            None if self.dialect.is_master(name) => Ok(Some(Meaning::Master)),
            None => Err(self.refuse(Code::Relation, format!("table {}", name.quoted()), table.named)),
        }
    }

    /// R-CATALOG: the view that stands for one of PostgreSQL's own relations.
    #[cfg(feature = "postgres")]
    fn catalog(&self, table: &TableRef, ctes: &Ctes<'_, '_>) -> Result<Option<String>, Refused> {
        use crate::postgres::catalogs;
        let name = &table.name.name;
        let schema = table.schema.as_ref().map(|schema| schema.name.as_str());
        if self.dialect != Dialect::Postgres || (schema.is_none() && on(Rule::Cte) && ctes.find(name).is_some()) {
            return Ok(None);
        }
        match catalogs::view_of(schema, name.as_str()) {
            Some(view) => Ok(Some(view)),
            None if table.schema.as_ref().is_some_and(|schema| self.dialect.is_catalog_schema(&schema.name)) => {
                let refused = self.refuse(Code::Relation, format!("relation {}", name.quoted()), table.named);
                Err(refused.hint("it is not among those that are shown to applications"))
            }
            None => Ok(None),
        }
    }

    pub(super) fn check_schema(&self, schema: &Ident) -> Result<(), Refused> {
        if schema.name == self.dialect.schema() {
            return Ok(());
        }
        Err(self.refuse(Code::Relation, format!("schema {}", schema.name.quoted()), schema.span))
    }

    pub(super) fn exprs(
        &mut self,
        rule: Rule,
        exprs: impl IntoIterator<Item = &'s Expr>,
        scope: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        exprs
            .into_iter()
            .filter(|_| on(rule))
            .flat_map(|expr| &expr.sites)
            .try_for_each(|site| self.site(site, scope, ctes))
    }

    fn site(&mut self, site: &'s Site, scope: &Scope<'_, 's>, ctes: &Ctes<'_, 's>) -> Result<(), Refused> {
        match site {
            Site::Column(column) => {
                self.columns.push(column);
                self.column(column, scope, ctes)
            }
            Site::Type(named) => {
                self.bound.types.push(named);
                Ok(())
            }
            Site::Row(of) => self.star_row(of, scope, ctes),
            Site::Field { of, field } => self.field(of.as_ref(), field, scope, ctes),
            Site::Function(function) => {
                self.bound.functions.push(function);
                Ok(())
            }
            Site::Query(query) => self.query(query, scope, ctes),
            Site::InTable(table) => match self.meaning(table, ctes)? {
                None => Ok(()),
                Some(means) => {
                    self.bound.reads.push(Read { table, means, after_in: true });
                    Ok(())
                }
            },
            Site::Raise(_) if self.in_trigger => Ok(()),
            Site::Raise(span) => Err(self.refuse(Code::Unknown, "RAISE outside of a trigger", *span)),
        }
    }

    pub(super) fn outputs(
        &mut self,
        rule: Rule,
        outputs: &'s [Output],
        scope: &Scope<'_, 's>,
        ctes: &Ctes<'_, 's>,
    ) -> Result<(), Refused> {
        outputs.iter().try_for_each(|output| match output {
            Output::Star { .. } => Ok(()),
            Output::TableStar { table, .. } if !self.dialect.has_row_ids() => {
                self.check_version(table, false, scope, ctes)
            }
            Output::TableStar { .. } => Ok(()),
            Output::Expr { expr, .. } => self.exprs(rule, [expr], scope, ctes),
        })
    }

    pub(super) fn refuse(
        &self,
        code: Code,
        construct: impl Into<std::borrow::Cow<'static, str>>,
        span: Span,
    ) -> Refused {
        Refused::new(code, construct).at(self.text, span)
    }
}

fn other(item: &Item) -> Exposed<'_> {
    Exposed::new(item.exposed().map(|ident| ident.name.clone()), Visible::Other { item })
}
