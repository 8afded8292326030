//! How a row is written: an array of JSON, in a line.
//!
//! | a value is | as |
//! |---|---|
//! | nothing | `null` |
//! | true or false (of PostgreSQL) | `true`, `false` |
//! | an integer | `17`; where 53 bits do not hold it, `{"i":"9223372036854775807"}`, since many programs read numbers so |
//! | a real | `{"r":"0.1"}`: the shortest text that is read as the same number; `Infinity`, `-Infinity`, `NaN` |
//! | a text | `"text"`; one that is no UTF-8 (SQLite allows that) `{"t":"base64"}` |
//! | bytes | `{"b":"base64"}` |
//! | of any other type of PostgreSQL | as the server writes it, a text: `"2024-02-29"`, `"{1,2}"` |

use std::{borrow::Cow, fmt, io::Write as _};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

/// A row that is being written.
pub(crate) struct Line<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
}

impl<'a> Line<'a> {
    /// Begins one at the end of `out`.
    pub(crate) fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'[');
        Self { out, is_first: true }
    }

    /// Ends it.
    pub(crate) fn end(self) {
        self.out.extend_from_slice(b"]\n");
    }

    pub(crate) fn null(&mut self) {
        self.next(b"null");
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn boolean(&mut self, value: bool) {
        self.next(if value { b"true" } else { b"false" });
    }

    pub(crate) fn integer(&mut self, value: i64) {
        self.next(b"");
        let is_small = value.unsigned_abs() <= SMALL_MAX;
        // Writing into memory does not fail.
        if is_small { write!(self.out, "{value}") } else { write!(self.out, "{{\"i\":\"{value}\"}}") }.ok();
    }

    pub(crate) fn real(&mut self, value: f64) {
        self.next(b"{\"r\":\"");
        match value.abs() {
            _ if value.is_nan() => write!(self.out, "NaN"),
            f64::INFINITY => write!(self.out, "{}Infinity", if value < 0.0 { "-" } else { "" }),
            // A whole number is written as one, so that a column of integers can take it.
            0.0 | 1e-5..1e16 => write!(self.out, "{value}"),
            _ => write!(self.out, "{value:e}"),
        }
        .ok();
        self.out.extend_from_slice(b"\"}");
    }

    /// A real as PostgreSQL has written it.
    #[cfg(feature = "postgres")]
    pub(crate) fn real_text(&mut self, text: &[u8]) {
        self.next(b"{\"r\":\"");
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(b"\"}");
    }

    pub(crate) fn text(&mut self, text: &[u8]) {
        match std::str::from_utf8(text) {
            Ok(text) => {
                self.next(b"");
                serde_json::to_writer(&mut *self.out, text).ok();
            }
            Err(_) => self.base64(b"{\"t\":\"", text),
        }
    }

    pub(crate) fn blob(&mut self, bytes: &[u8]) {
        self.base64(b"{\"b\":\"", bytes);
    }

    fn base64(&mut self, tag: &[u8], bytes: &[u8]) {
        self.next(tag);
        let start = self.out.len();
        self.out.resize(start + bytes.len().div_ceil(3) * 4, 0);
        // There is exactly as much room as is needed.
        STANDARD.encode_slice(bytes, self.out.get_mut(start..).unwrap_or_default()).ok();
        self.out.extend_from_slice(b"\"}");
    }

    fn next(&mut self, begins: &[u8]) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(b',');
        }
        self.out.extend_from_slice(begins);
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// As it is written, and a number.
    Real(Cow<'a, str>),
    Text(Cow<'a, str>),
    /// A text that is no UTF-8.
    Raw(Vec<u8>),
    Blob(Vec<u8>),
}

/// The rows of some lines, each as its values, of which there must be so many; or why it is none.
pub(crate) fn lines(lines: &[u8], values: usize) -> impl Iterator<Item = Result<Vec<Cell<'_>>, String>> {
    let lines = lines.strip_suffix(b"\n").unwrap_or(lines).split(|byte| *byte == b'\n');
    lines.map(move |line| {
        let mut reading = serde_json::Deserializer::from_slice(line);
        let row = Row { values }.deserialize(&mut reading);
        row.and_then(|row| reading.end().map(|()| row)).map_err(|error| error.to_string())
    })
}

/// A row with so many values: a longer one would take more memory than its line.
struct Row {
    values: usize,
}

impl<'de> DeserializeSeed<'de> for Row {
    type Value = Vec<Cell<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Row {
    type Value = Vec<Cell<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a row of {} values", self.values)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut row = Vec::with_capacity(self.values);
        while let Some(cell) = seq.next_element()? {
            if row.len() == self.values {
                return Err(de::Error::invalid_length(row.len() + 1, &self));
            }
            row.push(cell);
        }
        if row.len() == self.values { Ok(row) } else { Err(de::Error::invalid_length(row.len(), &self)) }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Cell<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a row")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Cell::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Cell::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Cell::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        i64::try_from(value).map(Cell::Integer).map_err(|_| E::custom("an integer is too large"))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cell::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cell::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some((tag, text)) = map.next_entry::<Cow<'de, str>, Text<'de>>()? else {
            return Err(de::Error::custom("a value has no form"));
        };
        let cell = tagged(&tag, text.0).ok_or_else(|| de::Error::custom("a value has a form that is not known"))?;
        match map.next_key::<Cow<'de, str>>()? {
            None => Ok(cell),
            Some(_) => Err(de::Error::custom("a value has two forms")),
        }
    }
}

fn tagged<'a>(tag: &str, text: Cow<'a, str>) -> Option<Cell<'a>> {
    Some(match tag {
        "i" => Cell::Integer(text.parse().ok()?),
        "r" => {
            text.parse::<f64>().ok()?;
            Cell::Real(text)
        }
        "t" => Cell::Raw(STANDARD.decode(&*text).ok()?),
        "b" => Cell::Blob(STANDARD.decode(&*text).ok()?),
        _ => return None,
    })
}

/// A text, borrowed where it can be.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Cell::deserialize(deserializer)? {
            Cell::Text(text) => Ok(Self(text)),
            _ => Err(de::Error::custom("a value is no text")),
        }
    }
}

/// What 53 bits hold.
const SMALL_MAX: u64 = 1 << 53;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Line<'_>)) -> String {
        let mut out = Vec::new();
        let mut line = Line::begin(&mut out);
        write(&mut line);
        line.end();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn it_is_what_the_docs_say() {
        let line = written(|line| {
            line.null();
            line.integer(-(1 << 53));
            line.integer(i64::MAX);
            line.integer(i64::MIN);
            for real in [0.1, -0.0, 1.0, 5e-324, 1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
                line.real(real);
            }
            line.text("é\"\n\0".as_bytes());
            line.text(b"\xff");
            line.blob(b"");
            line.blob(b"\0\x01\x02\x03");
        });
        assert_eq!(
            line,
            concat!(
                r#"[null,-9007199254740992,{"i":"9223372036854775807"},{"i":"-9223372036854775808"},"#,
                r#"{"r":"0.1"},{"r":"-0"},{"r":"1"},{"r":"5e-324"},{"r":"1e300"},{"r":"Infinity"},{"r":"-Infinity"},{"r":"NaN"},"#,
                r#""é\"\n\u0000",{"t":"/w=="},{"b":""},{"b":"AAECAw=="}]"#,
                "\n"
            )
        );
    }

    #[test]
    fn anything_else_is_no_value() {
        for line in [
            "",
            "[",
            "[1",
            "{}",
            "[1]x",
            "[[1]]",
            "[1.5]",
            "[1e2]",
            "[{}]",
            r#"[{"x":"1"}]"#,
            r#"[{"i":1}]"#,
            r#"[{"i":"1.0"}]"#,
            r#"[{"r":"one"}]"#,
            r#"[{"b":"*"}]"#,
            r#"[{"i":"1","r":"1"}]"#,
            "[9223372036854775808]",
            "[]",
            "[1,1]",
            "[\"\\ud800\"]",
            "[tru]",
            r#"[{"i":{"i":"1"}}]"#,
        ] {
            assert!(lines(line.as_bytes(), 1).next().unwrap().is_err(), "{line}");
        }
    }

    fn cells() -> impl Strategy<Value = Cell<'static>> {
        prop_oneof![
            Just(Cell::Null),
            any::<i64>().prop_map(Cell::Integer),
            any::<i16>().prop_map(|small| Cell::Integer(small.into())),
            any::<f64>().prop_map(|real| Cell::Real(real.to_string().into())),
            ".*".prop_map(|text| Cell::Text(text.into())),
            prop::collection::vec(any::<u8>(), 0..20).prop_map(Cell::Blob),
            prop::collection::vec(128u8..192, 1..9).prop_map(Cell::Raw),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in prop::collection::vec(prop::collection::vec(cells(), 0..6), 1..4)) {
            let mut out = Vec::new();
            for row in &rows {
                let mut line = Line::begin(&mut out);
                for cell in row {
                    match cell {
                        Cell::Null => line.null(),
                        Cell::Bool(_) => {}
                        Cell::Integer(integer) => line.integer(*integer),
                        Cell::Real(text) => line.real(text.parse().unwrap()),
                        Cell::Text(text) => line.text(text.as_bytes()),
                        Cell::Raw(bytes) => line.text(bytes),
                        Cell::Blob(bytes) => line.blob(bytes),
                    }
                }
                line.end();
            }
            let each = out.split_inclusive(|byte| *byte == b'\n').zip(&rows);
            let read: Vec<_> = each.map(|(line, row)| lines(line, row.len()).next().unwrap().unwrap()).collect();
            prop_assert_eq!(read.len(), rows.len());
            for (read, row) in read.iter().flatten().zip(rows.iter().flatten()) {
                match (read, row) {
                    (Cell::Real(read), Cell::Real(row)) => {
                        let bits = |text: &str| text.parse::<f64>().unwrap().to_bits();
                        prop_assert_eq!(bits(read), bits(row));
                    }
                    _ => prop_assert_eq!(read, row),
                }
            }
        }
    }
}
