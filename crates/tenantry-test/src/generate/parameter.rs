//! Parameters, in all the forms that SQLite knows.

use crate::Value;

/// A parameter with the value that is bound to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) form: Form,
    pub(crate) value: Value,
}

/// How a parameter is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `?`
    Anonymous,
    /// `?7`, the next number or one that was used before.
    Numbered { again: bool },
    /// `:name`, sign included. The same name is the same value, which is the first one's.
    Named(String),
}

/// Which forms of parameters are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forms {
    /// Those that sqlx binds: a statement has either `?` or `?7`, and no names.
    #[default]
    Sqlx,
    /// All that SQLite knows, mixed.
    Sqlite,
}

impl Parameter {
    pub(crate) fn smaller(&self) -> impl Iterator<Item = Self> + use<> {
        let simplest = Value::Integer(1);
        (self.value != simplest).then(|| Self { form: self.form.clone(), value: simplest }).into_iter()
    }
}

/// The numbers that SQLite gives to parameters.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    /// The values by number, from 1.
    pub(crate) arguments: Vec<Value>,
    names: Vec<(String, usize)>,
}

impl Numbering {
    /// The number of the next parameter, and how it is written.
    pub(crate) fn next(&mut self, parameter: &Parameter) -> (usize, String) {
        match &parameter.form {
            Form::Anonymous => (self.new_number(parameter), "?".to_owned()),
            Form::Numbered { again: true } if !self.arguments.is_empty() => {
                let number = self.arguments.len();
                (number, format!("?{number}"))
            }
            Form::Numbered { .. } => {
                let number = self.new_number(parameter);
                (number, format!("?{number}"))
            }
            Form::Named(name) => {
                let known = self.names.iter().find(|(known, _)| known == name).map(|(_, number)| *number);
                let number = known.unwrap_or_else(|| {
                    let number = self.new_number(parameter);
                    self.names.push((name.clone(), number));
                    number
                });
                (number, name.clone())
            }
        }
    }

    fn new_number(&mut self, parameter: &Parameter) -> usize {
        self.arguments.push(parameter.value.clone());
        self.arguments.len()
    }
}
