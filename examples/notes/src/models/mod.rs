//! What the application stores, with the queries that read and write it.

pub mod attachment;
pub mod comment;
pub mod digest;
pub mod note;
pub mod setting;
pub mod stats;
pub mod tag;
pub mod user;

/// Why a value from a form or a request was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

/// The trimmed `value`, provided it has between one and `max` characters.
fn required(what: &str, value: &str, max: usize) -> Result<String, Invalid> {
    let value = value.trim();
    if value.is_empty() {
        return Err(Invalid(format!("{what} must not be empty.")));
    }
    if value.chars().count() > max {
        return Err(Invalid(format!("{what} must not be longer than {max} characters.")));
    }
    Ok(value.to_owned())
}
