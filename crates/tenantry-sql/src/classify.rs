//! The verdict on what a statement calls: functions are refused unless they are known to be harmless.

use crate::{Code, Name, Refused, bind::Bound, ir::Function, sqlite::functions};

/// Refuses functions that are not on the list.
pub(crate) fn functions(bound: &Bound<'_>, text: &str) -> Result<(), Refused> {
    bound.functions.iter().try_for_each(|name| function(name, text))
}

/// The first function of chance that is called.
pub(crate) fn chance(bound: &Bound<'_>) -> Option<Name> {
    let names = bound.functions.iter().map(|function| &function.name.name);
    names.into_iter().find(|name| name.is("random") || name.is("randomblob")).cloned()
}

/// Refuses a function that is not on the list.
pub(crate) fn function(function: &Function, text: &str) -> Result<(), Refused> {
    let name = &function.name.name;
    if functions::is_allowed(name.as_str()) {
        return Ok(());
    }
    let code = if name.is("total_changes") { Code::SharedState } else { Code::Function };
    Err(Refused::new(code, format!("function {}", name.quoted())).at(text, function.name.span))
}
