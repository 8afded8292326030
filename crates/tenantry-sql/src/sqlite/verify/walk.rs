//! What the walk knows and has accepted so far.

use sqlite3_parser::ast::{As, Expr, QualifiedName};

use super::{
    Checked, TenantTerm,
    names::{self, is, plain, unquoted},
    no,
    tokens::Census,
};
use crate::{Name, ROW_ID, Refused, SchemaMap};

/// How deeply a statement may be nested.
pub(super) const MAX_DEPTH: usize = 200;

/// A walk over one statement.
pub(super) struct Walk<'a> {
    pub(super) schema: &'a SchemaMap,
    tenant: TenantTerm,
    /// The tenant's parameter, as the parser gives it.
    parameter: Option<String>,
    /// The visible common table expressions.
    pub(super) ctes: Vec<Name>,
    depth: usize,
    /// Whether the table that is written to keeps its row ids in a column of its own.
    pub(super) writes_row_id: bool,
    /// What was accepted.
    pub(super) accepted: Census,
    /// The hidden row ids that leaves show.
    pub(super) row_ids_shown: Vec<Name>,
    /// Those that are referred to.
    row_ids_used: Vec<Name>,
}

/// How a statement names a relation.
pub(super) enum Place {
    /// Where a common table expression would be looked for.
    Unqualified,
    /// A table of the file, and nothing else.
    Physical,
}

impl<'a> Walk<'a> {
    pub(super) fn new(schema: &'a SchemaMap, tenant: TenantTerm) -> Self {
        let parameter = match tenant {
            TenantTerm::Parameter(number) => Some(number.to_string()),
            TenantTerm::New | TenantTerm::Old => None,
        };
        Self {
            schema,
            tenant,
            parameter,
            ctes: Vec::new(),
            depth: 0,
            writes_row_id: false,
            accepted: Census::default(),
            row_ids_shown: Vec::new(),
            row_ids_used: Vec::new(),
        }
    }

    /// Nothing dangerous is in the text but what the walk accepted.
    pub(super) fn finish(self, census: Census) -> Checked {
        if self.row_ids_used.iter().any(|used| !self.row_ids_shown.contains(used)) {
            return no("row id: no leaf shows it");
        }
        if census.selects != self.accepted.selects {
            return no("statement: a SELECT was not visited");
        }
        if census.tenants != self.accepted.tenants {
            return no("tenant: its parameter stands somewhere else");
        }
        if census.reserved != self.accepted.reserved {
            return no("name: a reserved one was not visited");
        }
        Ok(())
    }

    pub(super) const fn in_trigger(&self) -> bool {
        self.tenant.in_trigger()
    }

    /// Goes one level down.
    pub(super) fn enter(&mut self) -> Checked {
        self.depth += 1;
        if self.depth > MAX_DEPTH { no("statement: nested too deeply") } else { Ok(()) }
    }

    pub(super) const fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Whether the expression is the plain tenant term. If so, it has been accepted.
    pub(super) fn is_term(&mut self, expr: &Expr<'_>) -> bool {
        match (expr, self.tenant) {
            (Expr::Variable(variable), TenantTerm::Parameter(_)) => {
                let is = self.is_parameter(variable);
                self.accepted.tenants += usize::from(is);
                is
            }
            (Expr::Qualified(row, column), TenantTerm::New | TenantTerm::Old) => {
                let wanted = if self.tenant == TenantTerm::New { "new" } else { "old" };
                let is = is(row.0, wanted) && names::is_tenant(column.0);
                self.accepted.reserved += usize::from(is);
                is
            }
            _ => false,
        }
    }

    /// Whether it is the tenant's parameter.
    pub(super) fn is_parameter(&self, variable: &str) -> bool {
        self.parameter.as_deref() == Some(variable)
    }

    /// A column that an expression may read.
    pub(super) fn column(&mut self, token: &str) -> Checked {
        if names::is_row_id_alias(token) {
            self.accepted.reserved += 1;
            self.row_ids_used.push(Name::new(unquoted(token)));
            return Ok(());
        }
        self.plain_or_row_id(token)
    }

    /// A name that is not reserved, or the hidden row id of the row that is written: it tells of no other row.
    pub(super) fn plain_or_row_id(&mut self, token: &str) -> Checked {
        if is(token, ROW_ID) && (self.writes_row_id || self.in_trigger()) {
            self.accepted.reserved += 1;
            return Ok(());
        }
        plain(token)
    }

    /// The name by which a table is known to expressions.
    pub(super) fn alias(&self, token: &str) -> Checked {
        let name = unquoted(token);
        if self.in_trigger() && ["new", "old"].iter().any(|row| name.eq_ignore_ascii_case(row)) {
            return no("trigger: a table called NEW or OLD");
        }
        plain(token)
    }

    /// Like [`Self::alias`], where there is one.
    pub(super) fn alias_of(&self, alias: Option<&As<'_>>) -> Checked {
        match alias {
            Some(As::As(name) | As::Elided(name)) => self.alias(name.0),
            None => Ok(()),
        }
    }

    /// V1, V2: how it is named. In triggers SQLite forbids the schema and looks into the trigger's own only.
    pub(super) fn place(&self, name: &QualifiedName<'_>) -> Result<Place, Refused> {
        match (&name.db_name, self.in_trigger()) {
            (Some(schema), false) if is(schema.0, "main") => Ok(Place::Physical),
            (Some(_), false) => no("relation: a schema other than main"),
            (Some(_), true) => no("trigger: a schema within"),
            (None, false) => Ok(Place::Unqualified),
            (None, true) => {
                self.alias(name.name.0)?;
                Ok(Place::Physical)
            }
        }
    }
}
