//! The edits of a statement, and the views in it expanded.

use std::cell::RefCell;

use crate::{
    Code, Ident, Limits, Name, Refused, SchemaMap, View,
    bind::{self, Bound, Meaning},
    classify,
    edit::{self, Context, Tenant},
    ir::{Kind, Statement},
    splice::Edits,
};

/// What is the same for a statement and for the views in it.
pub(crate) struct Splicing<'a> {
    schema: &'a SchemaMap,
    limits: &'a Limits,
    tenant: Tenant,
    footprint: RefCell<Footprint>,
}

impl<'a> Splicing<'a> {
    pub(crate) fn new(schema: &'a SchemaMap, limits: &'a Limits, tenant: Tenant) -> Self {
        Self { schema, limits, tenant, footprint: RefCell::default() }
    }

    /// Adds the edits that scope a statement.
    pub(crate) fn edit(
        &self,
        text: &str,
        statement: &Statement,
        bound: &Bound<'_>,
        edits: &mut Edits,
    ) -> Result<(), Refused> {
        self.edit_at(0, text, statement, bound, edits)
    }

    /// What was read and changed.
    pub(crate) fn footprint(self) -> Footprint {
        self.footprint.into_inner()
    }

    fn edit_at(
        &self,
        depth: usize,
        text: &str,
        statement: &Statement,
        bound: &Bound<'_>,
        edits: &mut Edits,
    ) -> Result<(), Refused> {
        if matches!(self.tenant, Tenant::New | Tenant::Old) {
            keep_row_visible(statement, bound, text)?;
        }
        let part = self.footprint.borrow_mut().add(bound);
        let expand = |view: &View| self.view(view, depth + 1);
        let context = Context { text, tenant: self.tenant, part, expand: &expand };
        edit::edit(statement, bound, &context, edits)
    }

    /// R-VIEW: the text of a view with its tables scoped. Its names mean what they meant when it was created, whatever the
    /// statement calls its own common table expressions.
    fn view(&self, view: &View, depth: usize) -> Result<String, Refused> {
        let max = self.limits.view_depth_max;
        if depth > max {
            let refused = Refused::new(Code::Statement, format!("view {}", view.name.quoted()));
            return Err(refused.hint(format!("build it on fewer other views, or raise view_depth_max ({max})")));
        }
        let dialect = self.tenant.dialect();
        let statement = dialect.parse(&view.body, self.limits)?;
        let bound = bind::bind(&statement, &view.body, self.schema, dialect)?;
        classify::functions(&bound, &view.body, self.schema, dialect)?;
        let mut edits = Edits::default();
        self.edit_at(depth, &view.body, &statement, &bound, &mut edits)?;
        Ok(edits.apply(&view.body))
    }
}

/// In a trigger, `NEW` and `OLD` have to mean the row at every place where the tenant is put, and names without a schema
/// have to mean tables.
fn keep_row_visible(statement: &Statement, bound: &Bound<'_>, text: &str) -> Result<(), Refused> {
    if let Some(cte) = bound.ctes.first() {
        let refused = Refused::new(Code::Unknown, "a common table expression in a trigger").at(text, cte.name.span);
        return Err(refused.hint("write it as a subquery"));
    }
    let target = match &statement.kind {
        Kind::Insert(insert) => Some(&insert.into),
        Kind::Update(update) => Some(&update.table),
        Kind::Delete(delete) => Some(&delete.table),
        Kind::Merge(merge) => Some(&merge.table),
        Kind::Truncate(..) | Kind::Setting(_) => None,
        Kind::Query(_) | Kind::Condition(_) | Kind::Transaction(_) | Kind::Pragma(_) => None,
    };
    let is_row = |name: &&Ident| name.name.is("new") || name.name.is("old");
    for table in bound.reads.iter().map(|read| read.table).chain(target) {
        if let Some(name) = [&table.name, table.exposed()].into_iter().find(is_row) {
            let refused = Refused::new(Code::Ambiguous, format!("table {} in a trigger", name.name.quoted()));
            return Err(refused.at(text, name.span).hint("call it otherwise than NEW and OLD"));
        }
    }
    Ok(())
}

/// What a statement names.
#[derive(Default)]
pub(crate) struct Footprint {
    /// Whether tables of tenants are among them.
    pub(crate) of_tenants: bool,
    pub(crate) relations: Vec<Name>,
    /// How many texts have been looked at.
    parts: usize,
}

impl Footprint {
    /// Adds the tables of a text. Gives the text's number.
    fn add(&mut self, bound: &Bound<'_>) -> usize {
        let changed = bound.changes.iter().map(|change| &change.table);
        for table in changed.chain(bound.emptied.iter().map(|(_, table)| table)) {
            self.of_tenants = true;
            self.relations.push(table.name.clone());
        }
        self.relations.extend(bound.ctes.iter().map(|cte| cte.name.name.clone()));
        for read in &bound.reads {
            self.of_tenants |= matches!(read.means, Meaning::Tenant(_));
            self.relations.push(read.table.name.name.clone());
        }
        self.parts += 1;
        self.parts - 1
    }
}
