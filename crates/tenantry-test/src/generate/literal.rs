//! Values of small domains, so that they meet.

use super::{Feature, draw::Draw, tree::Tree};
use crate::{Class, Value};

/// Texts that are names, keys and words.
pub(crate) const WORDS: &[&str] = &["a", "b", "B", "c", "ab", "A", "x'y", "", "1", "é"];
/// Texts that are JSON.
pub(crate) const JSON: &[&str] =
    &[r#"{"a":1,"b":[1,2]}"#, "[1,2,3]", "[]", r#"{"a":null}"#, r#"{"b":"x","a":2.5}"#, "7", "null", "\"a\""];

impl Draw<'_> {
    /// A value that a column of this class is likely to have.
    pub(crate) fn value(&mut self, class: Class) -> Value {
        if self.chance(12) {
            return Value::Null;
        }
        match class {
            Class::Integer => self.integer(),
            Class::Real => Value::Real(self.pick(&[0.0, 1.5, 2.0, -1.5, 3.25])),
            Class::Text => Value::from(self.pick(WORDS)),
            Class::Blob => match self.below(3) {
                0 => Value::Blob(self.pick(&[vec![], vec![0], vec![1, 255]])),
                1 => self.integer(),
                _ => Value::from(self.pick(WORDS)),
            },
            Class::Json => Value::from(self.pick(JSON)),
        }
    }

    fn integer(&mut self) -> Value {
        if self.chance(3) {
            return Value::Integer(self.pick(&[i64::MAX, -1, 100, 1 << 40]));
        }
        Value::Integer(i64::try_from(self.below(9)).unwrap_or_default())
    }

    /// A class, the likely ones more often.
    pub(crate) fn class(&mut self) -> Class {
        self.pick(&[Class::Integer, Class::Integer, Class::Integer, Class::Text, Class::Text, Class::Real, Class::Blob])
    }

    /// A constant: a literal or a parameter.
    pub(crate) fn constant(&mut self, class: Class) -> Tree {
        if self.chance(3) {
            return self.poison();
        }
        let value = if self.chance(5) {
            let other = self.class();
            self.value(other)
        } else {
            self.value(class)
        };
        if self.chance(30) { self.parameter(value) } else { Tree::from(value.to_string()) }
    }

    /// What raises an error when it is evaluated, or gives `NULL` where one would expect an error.
    fn poison(&mut self) -> Tree {
        self.word(&[
            "abs(-9223372036854775807 - 1)",
            "json('{broken')",
            "(1 / 0)",
            "json_extract('{', '$')",
            "(9223372036854775807 + 1)",
            "(1 % 0)",
            "CAST(x'ff' AS TEXT)",
        ])
        .mark(Feature::Poison)
    }

    /// A small number, as for `LIMIT`.
    pub(crate) fn small(&mut self) -> Tree {
        let number = i64::try_from(self.below(6)).unwrap_or_default();
        if self.chance(30) { self.parameter(Value::Integer(number)) } else { Tree::from(number.to_string()) }
    }
}
