//! Values of small domains, so that they meet.

use super::{Ty, draw::Draw};
use crate::{
    Value,
    generate::{
        Feature,
        tree::{Tree, seq},
    },
};

/// Texts that are names, keys and words.
pub(crate) const WORDS: &[&str] = &["a", "b", "B", "c", "ab", "A", "x'y", "", "1", "é"];
/// Texts that are JSON.
pub(crate) const DOCUMENTS: &[&str] =
    &[r#"{"a":1,"b":[1,2]}"#, "[1,2,3]", "[]", r#"{"a":null}"#, r#"{"b":"x","a":2.5}"#, "7", "null", r#"{"a":"b"}"#];
const TIMES: &[&str] =
    &["2024-01-02 03:04:05+00", "2024-02-29 00:00:00+02", "1999-12-31 23:59:59.5+00", "2038-01-19 03:14:08+00"];
const MOODS: &[&str] = &["sad", "ok", "happy"];
const INTS: &[&str] = &["{}", "{1}", "{1,2}", "{3,1,NULL}"];
const TEXTS: &[&str] = &["{}", "{a}", "{a,B}", "{\"x y\",NULL}"];

impl Draw<'_> {
    /// A type, the likely ones more often.
    pub(crate) fn ty(&mut self) -> Ty {
        use Ty::{Bool, Int, Ints, Jsonb, Mood, Num, Text, Texts, Time};
        self.pick(&[Int, Int, Int, Int, Text, Text, Text, Num, Num, Bool, Time, Jsonb, Ints, Texts, Mood])
    }

    /// A constant: a literal or a parameter.
    pub(crate) fn constant(&mut self, ty: Ty) -> Tree {
        if self.chance(6) {
            return seq!["NULL::", ty.name()].expr();
        }
        if self.chance(2) {
            return self.poison(ty);
        }
        let value = self.value(ty);
        let tree = if self.chance(25) { self.parameter(value, ty) } else { self.literal(&value, ty) };
        let tree = match ty {
            Ty::Mood => tree.mark(Feature::Enum),
            Ty::Time => tree.mark(Feature::Time),
            Ty::Ints | Ty::Texts => tree.mark(Feature::Array),
            _ => tree,
        };
        tree.expr()
    }

    /// A value that a column of this type is likely to have.
    pub(crate) fn value(&mut self, ty: Ty) -> Value {
        let text = match ty {
            Ty::Int => return self.integer(),
            Ty::Num => self.pick(&["0", "1.5", "2", "-1.5", "3.25"]),
            Ty::Text => self.pick(WORDS),
            Ty::Digits => self.pick(&["1", "2", "7", "-3"]),
            Ty::Doc | Ty::Jsonb => self.pick(DOCUMENTS),
            Ty::Bool => self.pick(&["true", "false"]),
            Ty::Time => self.pick(TIMES),
            Ty::Mood => self.pick(MOODS),
            Ty::Ints => self.pick(INTS),
            Ty::Texts => self.pick(TEXTS),
        };
        Value::from(text)
    }

    fn integer(&mut self) -> Value {
        if self.chance(2) {
            return Value::Integer(self.pick(&[i64::from(i32::MAX), -1, 100]));
        }
        Value::Integer(i64::try_from(self.below(9)).unwrap_or_default())
    }

    fn literal(&mut self, value: &Value, ty: Ty) -> Tree {
        let bare = match ty {
            Ty::Int | Ty::Num => true,
            // What it means is left to what stands around it.
            Ty::Text | Ty::Digits | Ty::Doc => self.chance(30),
            Ty::Mood => self.chance(60),
            _ => false,
        };
        let text = match value {
            Value::Text(text) if matches!(ty, Ty::Num | Ty::Bool) => text.clone(),
            value => value.to_string(),
        };
        match ty {
            _ if bare => Tree::from(text),
            Ty::Bool => Tree::from(text),
            Ty::Time if self.chance(40) => seq!["timestamptz ", text],
            _ => seq![text, "::", ty.name()],
        }
    }

    /// A parameter with this value. Without a cast what it is would have to be guessed, from the value or by the server.
    pub(crate) fn parameter(&mut self, value: Value, ty: Ty) -> Tree {
        let parameter = Tree::Parameter(self.numbered(value)).mark(Feature::ParameterUse);
        if self.chance(80) {
            return seq!["CAST(", parameter, " AS ", ty.name(), ")"];
        }
        seq![parameter, "::", ty.name()]
    }

    /// What raises an error when it is evaluated.
    fn poison(&mut self, ty: Ty) -> Tree {
        let text = match ty {
            Ty::Int => "(1 / 0)",
            Ty::Num => "(1.0 / 0)",
            Ty::Text | Ty::Digits | Ty::Doc => "chr(0)",
            Ty::Bool => "(1 / 0 = 1)",
            Ty::Time => "'x'::text::timestamptz",
            Ty::Jsonb => "'{'::text::jsonb",
            Ty::Ints => "'{'::text::int[]",
            Ty::Texts => "'{'::text::text[]",
            Ty::Mood => "'x'::text::mood",
        };
        Tree::from(text).mark(Feature::Poison).expr()
    }

    /// A small number, as for `LIMIT`.
    pub(crate) fn small(&mut self) -> Tree {
        let number = self.below(6);
        let value = Value::Integer(i64::try_from(number).unwrap_or_default());
        if self.chance(30) { Tree::Parameter(self.numbered(value)) } else { Tree::from(number.to_string()) }
    }
}
