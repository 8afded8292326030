//! Parameters: each gets the number that SQLite would give it, so that one more can be added after them.

use std::collections::HashMap;

use crate::{Code, Parameter, Refused, Rule, Span, rules::on, splice::Edits};

/// The highest number of a parameter that SQLite takes (`SQLITE_MAX_VARIABLE_NUMBER`).
const PARAMETERS_MAX: u32 = 32_766;

/// Which number a parameter gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbering {
    /// The number that SQLite gives it: `?` is the highest number so far plus one, and so is a name that occurs for the
    /// first time.
    #[default]
    Database,
    /// The place of the argument that sqlx binds to it: it takes `$7` for `?7`, knows no names, and counts `?` on its own.
    Sqlx,
}

/// Numbers the parameters of a statement. Gives what stands for parameter 1, 2, 3 and so on.
pub(crate) fn number(
    parameters: &[Span],
    text: &str,
    numbering: Numbering,
    edits: &mut Edits,
) -> Result<Vec<Parameter>, Refused> {
    let numbered = by_database(parameters, text)?;
    let arguments = match numbering {
        Numbering::Database => None,
        Numbering::Sqlx => Some(by_sqlx(&numbered.slots, text)?),
    };
    for (span, slot) in parameters.iter().zip(&numbered.of_each) {
        let number = arguments.as_ref().map_or(slot + 1, |arguments| arguments[*slot]);
        let explicit = format!("?{number}");
        if explicit != text[span.range()] && on(Rule::Parameters) {
            edits.replace(*span, explicit);
        }
    }
    let Some(arguments) = arguments else { return Ok(numbered.slots) };
    let mut slots = vec![Parameter::Unused; arguments.iter().copied().max().unwrap_or(0)];
    arguments.iter().for_each(|number| slots[number - 1] = Parameter::Numbered);
    Ok(slots)
}

/// PostgreSQL's parameters keep their numbers. Gives what stands for `$1`, `$2`, `$3` and so on.
#[cfg(feature = "postgres")]
pub(crate) fn dollars(parameters: &[Span], text: &str) -> Result<Vec<Parameter>, Refused> {
    /// The protocol counts parameters with sixteen bits; one is the tenant's.
    const DOLLARS_MAX: usize = 65_534;
    let mut slots: Vec<Parameter> = Vec::new();
    for span in parameters {
        let written = &text[span.range()];
        let number = written.strip_prefix('$').and_then(|digits| digits.parse().ok());
        let number = number.filter(|number| (1..=DOLLARS_MAX).contains(number));
        let number: usize =
            number.ok_or_else(|| Refused::new(Code::Statement, format!("parameter {written}")).at(text, *span))?;
        slots.resize(slots.len().max(number), Parameter::Unused);
        slots[number - 1] = Parameter::Numbered;
    }
    Ok(slots)
}

struct Numbered {
    slots: Vec<Parameter>,
    /// The slot of each parameter, in the order of the text.
    of_each: Vec<usize>,
}

/// The number of the argument for each slot, as `SqliteArguments::bind` of sqlx 0.9 counts them.
fn by_sqlx(slots: &[Parameter], text: &str) -> Result<Vec<usize>, Refused> {
    let mut anonymous = 0;
    let numbers = slots.iter().enumerate().map(|(slot, parameter)| match parameter {
        Parameter::Anonymous | Parameter::Unused => {
            anonymous += 1;
            Ok(anonymous)
        }
        Parameter::Numbered => Ok(slot + 1),
        Parameter::Named(name) => {
            let number = name.strip_prefix('$').and_then(|digits| digits.parse().ok());
            let number = number.filter(|number| (1..PARAMETERS_MAX as usize).contains(number));
            number.ok_or_else(|| {
                let at = text.find(&**name).unwrap_or_default();
                let refused = Refused::new(Code::Statement, format!("parameter {name}")).at(text, Span::at(at));
                refused.hint("sqlx binds by position: write ? or ?1")
            })
        }
    });
    numbers.collect()
}

fn by_database(parameters: &[Span], text: &str) -> Result<Numbered, Refused> {
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut slots: Vec<Parameter> = Vec::new();
    let mut of_each = Vec::with_capacity(parameters.len());
    for span in parameters {
        let written = &text[span.range()];
        let too_many = || Refused::new(Code::Statement, format!("parameter {written}")).at(text, *span);
        let number = match written.strip_prefix('?') {
            Some("") => {
                slots.push(Parameter::Anonymous);
                slots.len()
            }
            Some(digits) => {
                let number = digits.parse().ok().filter(|number| (1..=PARAMETERS_MAX as usize).contains(number));
                let number: usize = number.ok_or_else(too_many)?;
                slots.resize(slots.len().max(number), Parameter::Unused);
                slots[number - 1] = Parameter::Numbered;
                number
            }
            None => *names.entry(written).or_insert_with(|| {
                slots.push(Parameter::Named(written.into()));
                slots.len()
            }),
        };
        // One more is needed for the tenant.
        if number >= PARAMETERS_MAX as usize {
            return Err(too_many().hint(format!("use fewer than {PARAMETERS_MAX} parameters")));
        }
        of_each.push(number - 1);
    }
    Ok(Numbered { slots, of_each })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(text: &str, numbering: Numbering) -> Result<(String, usize), Refused> {
        let tokens: Vec<_> = text.split(' ').filter(|token| token.starts_with(['?', ':', '$', '@'])).collect();
        let offset = |token: &str| token.as_ptr().addr() - text.as_ptr().addr();
        let spans: Vec<_> = tokens.iter().map(|token| Span::new(offset(token), offset(token) + token.len())).collect();
        let mut edits = Edits::default();
        let slots = number(&spans, text, numbering, &mut edits)?;
        Ok((edits.apply(text), slots.len()))
    }

    #[test]
    fn numbers_are_those_that_sqlite_gives() {
        for (text, expected, count) in [
            ("? , ?", "?1 , ?2", 2),
            ("? , ?999 , ?", "?1 , ?999 , ?1000", 1000),
            (":a , ? , :a , $b", "?1 , ?2 , ?1 , ?3", 3),
            ("?3 , :a , ?", "?3 , ?4 , ?5", 5),
            ("?2 , ?1", "?2 , ?1", 2),
            ("?007", "?7", 7),
        ] {
            assert_eq!(numbered(text, Numbering::Database).unwrap(), (expected.to_owned(), count), "{text}");
        }
    }

    #[test]
    fn for_sqlx_they_are_those_of_its_arguments() {
        for (text, expected, count) in [
            ("? , ?", "?1 , ?2", 2),
            ("$2 , $1", "?2 , ?1", 2),
            ("$3 , ?", "?3 , ?1", 3),
            ("?2 , ?", "?2 , ?2", 2),
            ("? , $9 , ?", "?1 , ?9 , ?2", 9),
        ] {
            assert_eq!(numbered(text, Numbering::Sqlx).unwrap(), (expected.to_owned(), count), "{text}");
        }
        assert_eq!(numbered(":a", Numbering::Sqlx).unwrap_err().code, Code::Statement);
    }

    #[test]
    fn numbers_beyond_sqlites_are_refused() {
        for text in ["?0", "?32766", "?99999999999999999999"] {
            assert_eq!(numbered(text, Numbering::Database).unwrap_err().code, Code::Statement, "{text}");
        }
    }
}
