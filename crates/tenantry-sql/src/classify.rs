//! The verdict on what a statement calls: functions are refused unless they are known to be harmless.

use crate::{Dialect, Name, Refused, bind::Bound, ir::Function};

/// Refuses functions that are not on the list.
pub(crate) fn functions(bound: &Bound<'_>, text: &str, dialect: Dialect) -> Result<(), Refused> {
    bound.functions.iter().try_for_each(|name| function(name, text, dialect))
}

/// The first function of chance that is called.
pub(crate) fn chance(bound: &Bound<'_>) -> Option<Name> {
    let names = bound.functions.iter().map(|function| &function.name.name);
    names.into_iter().find(|name| name.is("random") || name.is("randomblob") || name.is("gen_random_uuid")).cloned()
}

/// Refuses a function that is not on the list.
pub(crate) fn function(function: &Function, text: &str, dialect: Dialect) -> Result<(), Refused> {
    let name = &function.name.name;
    if dialect.is_allowed(name) {
        return Ok(());
    }
    let code = dialect.code_of(name);
    Err(Refused::new(code, format!("function {}", name.quoted())).at(text, function.name.span))
}
