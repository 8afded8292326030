//! `RETURNING *` would show the tenant column.

use super::Context;
use crate::{Code, Dialect, Refused, Rule, bind::Bound, ir::Output, rules::on, splice::Edits};

pub(super) fn returning(bound: &Bound<'_>, context: &Context<'_>, edits: &mut Edits) -> Result<(), Refused> {
    let (Some(returning), Some(table)) = (bound.returning, &bound.target) else { return Ok(()) };
    for output in &returning.outputs {
        match output {
            Output::Expr { .. } => {}
            Output::Star { span } if bound.is_joined && context.tenant.dialect() != Dialect::Sqlite => {
                let refused = Refused::new(Code::WholeRow, "RETURNING * of several tables");
                return Err(refused.at(context.text, *span));
            }
            Output::Star { span } if on(Rule::ReturningStar) => {
                let columns: Vec<_> = table.columns.iter().map(|column| column.name.quoted().to_string()).collect();
                edits.replace(*span, columns.join(", "));
            }
            Output::Star { .. } => {}
            Output::TableStar { span, .. } => {
                return Err(Refused::new(Code::WholeRow, "table.* in RETURNING").at(context.text, *span));
            }
        }
    }
    Ok(())
}
