//! The rules: from what a statement names to edits of its text. A file per clause.

mod column;
#[cfg(feature = "postgres")]
mod group;
mod guard;
mod insert;
mod join;
mod leaf;
mod merge;
mod name;
mod parameter;
mod returning;
#[cfg(feature = "postgres")]
mod row;
mod stored;
mod term;
#[cfg(feature = "postgres")]
mod truncate;

#[cfg(feature = "postgres")]
pub(crate) use self::parameter::dollars;
pub use self::{parameter::Numbering, stored::PRAGMAS};
pub(crate) use self::{parameter::number, stored::pragma, term::Tenant};
use crate::{
    Dialect, Refused,
    bind::{Bound, What},
    ir::Statement,
    splice::Edits,
};

/// What the rules ask for besides the statement.
pub(crate) struct Context<'a> {
    pub(crate) text: &'a str,
    pub(crate) tenant: Tenant,
    /// Which of the texts of the statement it is, the views in it counted: names made up for them have to differ.
    pub(crate) part: usize,
    /// The text of a view with its tables scoped.
    pub(crate) expand: &'a dyn Fn(&crate::View) -> Result<String, Refused>,
}

impl Context<'_> {
    /// What a leaf calls the hidden row id that it shows.
    fn shown_row_id(&self, leaf: &crate::ir::TableRef) -> String {
        format!("\"{}_{}\"", crate::ROW_ID, self.part * TEXT_BYTES + leaf.span.start)
    }
}

/// More than any text is long.
const TEXT_BYTES: usize = 10_000_000;

/// Adds the edits that scope a statement.
pub(crate) fn edit(
    statement: &Statement,
    bound: &Bound<'_>,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<(), Refused> {
    for comment in &statement.comments {
        edits.replace(*comment, " ");
    }
    for (word, becomes) in &statement.reworded {
        edits.replace(*word, *becomes);
    }
    leaf::reads(bound, context, edits)?;
    stored::calls(bound, context, edits)?;
    column::qualified(bound, edits);
    column::row_ids(bound, context, edits);
    column::stars(bound, edits);
    if context.tenant.dialect() == Dialect::Sqlite {
        join::turn_round(bound, edits);
    }
    #[cfg(feature = "postgres")]
    {
        row::rows(bound, edits);
        group::groups(bound, edits);
        truncate::truncate(statement, bound, context, edits);
    }
    for change in &bound.changes {
        match change.what {
            What::Insert(insert) => insert::insert(insert, change, context, edits)?,
            What::Update(update) => guard::update(update, change, context, edits)?,
            What::Delete(delete) => guard::delete(delete, context, edits),
            What::Merge(merge) => merge::merge(merge, change, context, edits)?,
        }
        returning::returning(change, context, edits)?;
    }
    // PostgreSQL's names of results do not depend on the text.
    if context.tenant.dialect() == Dialect::Sqlite {
        name::results(bound, context, edits);
    }
    // The tenant comes last, after what belongs to the results before it.
    for change in &bound.changes {
        match change.what {
            What::Insert(insert) => insert::append(insert, context, edits),
            What::Merge(merge) => merge::append(merge, context, edits),
            What::Update(_) | What::Delete(_) => {}
        }
    }
    Ok(())
}
