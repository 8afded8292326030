//! The verdict on what a statement calls: functions and types are refused unless they are known to be harmless.

use crate::{Code, Dialect, Name, Refused, SchemaMap, bind::Bound, ir::Function};

/// Refuses functions and types that are not on the list.
pub(crate) fn functions(bound: &Bound<'_>, text: &str, schema: &SchemaMap, dialect: Dialect) -> Result<(), Refused> {
    bound.functions.iter().try_for_each(|name| function(name, text, schema, dialect))?;
    bound.types.iter().try_for_each(|named| {
        if dialect.has_type(named.schema.as_ref(), &named.name.name, schema) {
            return Ok(());
        }
        let refused = Refused::new(Code::Unknown, format!("type {}", named.name.name.quoted()));
        Err(refused
            .at(text, named.name.span)
            .hint("use a built-in type, or one that the application's migrations created"))
    })
}

/// The first function of chance that is called.
pub(crate) fn chance(bound: &Bound<'_>) -> Option<Name> {
    let names = bound.functions.iter().map(|function| &function.name.name);
    names.into_iter().find(|name| name.is("random") || name.is("randomblob") || name.is("gen_random_uuid")).cloned()
}

/// Refuses a function that is not on the list.
pub(crate) fn function(function: &Function, text: &str, schema: &SchemaMap, dialect: Dialect) -> Result<(), Refused> {
    if dialect.is_allowed(function, schema) {
        return Ok(());
    }
    let name = &function.name.name;
    let code = dialect.code_of(name);
    let refused = Refused::new(code, format!("function {}", name.quoted())).at(text, function.name.span);
    Err(match dialect.hint_of(name) {
        Some(hint) => refused.hint(hint),
        None => refused,
    })
}
