//! Expressions in definitions: those of checks, defaults, generated columns, indexes.

use crate::{
    Code, Dialect, Name, Refused, SchemaMap,
    bind::is_row_id,
    classify,
    ir::{Expr, Site},
};

/// Refuses an expression that would not mean the same in the shared table. `has` says whether a name is a column's; row
/// ids are refused where they are not.
pub(super) fn check(expr: &Expr, text: &str, has: impl Fn(&Name) -> bool) -> Result<(), Refused> {
    expr.sites.iter().try_for_each(|site| match site {
        Site::Column(column) if is_row_id(&column.name.name) && !has(&column.name.name) => {
            let refused = Refused::new(Code::SystemColumn, format!("column {}", column.name.name.quoted()));
            Err(refused.at(text, column.span).hint("name the INTEGER PRIMARY KEY column, or declare one"))
        }
        Site::Column(_) | Site::Type(_) | Site::Row(_) | Site::Field { .. } => Ok(()),
        Site::Function(function) => classify::function(function, text, &SchemaMap::default(), Dialect::Sqlite),
        Site::Query(_) | Site::InTable(_) | Site::Raise(_) => {
            let refused = Refused::new(Code::Unknown, "a query in a definition").at(text, expr.span);
            Err(refused.hint("SQLite allows none here; check it in the application, or by a trigger"))
        }
    })
}
