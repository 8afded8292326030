//! `CREATE VIEW`: only the application's schema has it; statements that read it get its tables.

use super::{Change, ChangeKind, Conversion, definition::CreateView, words::Words};
use crate::{Dialect, Refused, bind, classify, edit::Tenant, splice::Edits, splicing::Splicing, sqlite::lower};

pub(super) fn create(view: &CreateView, words: &Words<'_>, conversion: &Conversion<'_>) -> Result<Change, Refused> {
    conversion.in_main(&view.view, words.text)?;
    let name = view.view.name.name.clone();
    if view.if_not_exists && conversion.schema.relation(&name).is_some() {
        return Ok(Change::new(ChangeKind::Nothing, []));
    }
    // It has to be possible to read it.
    let body = words.at(view.body);
    let statement = lower::parse(&body, conversion.limits)?;
    let bound = bind::bind(&statement, &body, conversion.schema, Dialect::Sqlite)?;
    classify::functions(&bound, &body, conversion.schema, Dialect::Sqlite)?;
    let splicing = Splicing::new(conversion.schema, conversion.limits, Tenant::Parameter(1));
    splicing.edit(&body, &statement, &bound, &mut Edits::default())?;
    Ok(Change::new(ChangeKind::CreateView { name }, []))
}
