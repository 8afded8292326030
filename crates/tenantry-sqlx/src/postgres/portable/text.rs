//! Values between lines and what `COPY` reads and writes.

use super::super::adopt::file::{escaped, hexadecimal};
use crate::portable::{Cell, Line};

/// How the values of a column are written into a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Bool,
    Bytes,
    Integer,
    Real,
    /// As the server writes it.
    Text,
}

impl Form {
    /// Of a type.
    pub(super) fn of(kind: &str) -> Self {
        match kind {
            "boolean" => Self::Bool,
            "bytea" => Self::Bytes,
            "smallint" | "integer" | "bigint" => Self::Integer,
            "real" | "double precision" => Self::Real,
            _ => Self::Text,
        }
    }
}

/// Writes a row that `COPY` has written, without the end of its line.
pub(super) fn write_line(row: &[u8], forms: &[Form], line: &mut Line<'_>) {
    let mut plain = Vec::new();
    for (field, form) in row.split(|byte| *byte == b'\t').zip(forms) {
        if field == b"\\N" {
            line.null();
            continue;
        }
        let value = unescaped(field, &mut plain);
        let number = || std::str::from_utf8(value).ok()?.parse().ok();
        match form {
            Form::Bool => line.boolean(value == b"t"),
            Form::Bytes => line.blob(&bytes(value)),
            Form::Real => line.real_text(value),
            Form::Integer => match number() {
                Some(integer) => line.integer(integer),
                None => line.text(value),
            },
            Form::Text => line.text(value),
        }
    }
}

/// What a field means: the same bytes where nothing is escaped.
fn unescaped<'a>(field: &'a [u8], plain: &'a mut Vec<u8>) -> &'a [u8] {
    if !field.contains(&b'\\') {
        return field;
    }
    plain.clear();
    let mut bytes = field.iter();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'b') => 8,
                Some(b'f') => 12,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'v') => 11,
                Some(other) => *other,
                None => b'\\',
            },
            other => *other,
        });
    }
    plain
}

/// Bytes as the server writes them: `\x00ff`.
fn bytes(text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    let pairs = text.strip_prefix(b"\\x").unwrap_or(text).chunks_exact(2);
    pairs.map(|pair| pair.iter().fold(0, |byte, half| byte << 4 | digit(*half))).collect()
}

/// Writes a row for `COPY`. Or says which column has a value that would be another one there: the rules are those of an
/// adoption from a SQLite file.
pub(super) fn write_copy(row: &[Cell<'_>], kinds: &[String], out: &mut Vec<u8>) -> Result<(), (usize, String)> {
    for (at, (cell, kind)) in row.iter().zip(kinds).enumerate() {
        if at > 0 {
            out.push(b'\t');
        }
        write_value(cell, kind, out).map_err(|why| (at, why))?;
    }
    out.push(b'\n');
    Ok(())
}

fn write_value(cell: &Cell<'_>, kind: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let number = |text: &str, out: &mut Vec<u8>| match kind {
        "bytea" => Err(format!("the number {text} is no bytes")),
        "D" | "T" => {
            Err(format!("the number {text} is no date or time; write it as a text, 2024-12-31 23:59:59 for example"))
        }
        _ => {
            escaped(text.as_bytes(), out);
            Ok(())
        }
    };
    match cell {
        Cell::Null => out.extend_from_slice(b"\\N"),
        Cell::Bool(value) => return number(if *value { "t" } else { "f" }, out),
        Cell::Integer(value) => return number(&value.to_string(), out),
        Cell::Real(text) => return number(text, out),
        Cell::Text(text) if kind == "bytea" => hexadecimal(text.as_bytes(), out),
        Cell::Text(text) => {
            if text.contains('\0') {
                return Err("it has a character with the number 0, which PostgreSQL has not".to_owned());
            }
            escaped(text.as_bytes(), out);
        }
        Cell::Raw(bytes) | Cell::Blob(bytes) if kind == "bytea" => hexadecimal(bytes, out),
        Cell::Raw(_) => return Err("it is a text that is no UTF-8".to_owned()),
        Cell::Blob(_) => return Err("it is a blob, and the column is none of bytes".to_owned()),
    }
    Ok(())
}
