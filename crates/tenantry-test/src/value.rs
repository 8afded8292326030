//! A value as SQLite stores it.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use sqlx::{Row, Sqlite, TypeInfo, ValueRef, decode::Decode, sqlite::SqliteRow};

/// A value with its storage class: `1`, `1.0` and `'1'` are three different values.
#[derive(Clone, Debug)]
pub enum Value {
    /// `NULL`.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating-point number. Compared bit by bit.
    Real(f64),
    /// Text. What is not UTF-8 is replaced.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// All values of a row.
    ///
    /// # Errors
    ///
    /// Those of sqlx.
    pub fn row(row: &SqliteRow) -> Result<Vec<Self>, sqlx::Error> {
        (0..row.len()).map(|at| Self::read(row, at)).collect()
    }

    fn read(row: &SqliteRow, at: usize) -> Result<Self, sqlx::Error> {
        let value = row.try_get_raw(at)?;
        if value.is_null() {
            return Ok(Self::Null);
        }
        let class = value.type_info().name().to_owned();
        let read = match class.as_str() {
            "INTEGER" => <i64 as Decode<Sqlite>>::decode(value).map(Self::Integer),
            "REAL" => <f64 as Decode<Sqlite>>::decode(value).map(Self::Real),
            "TEXT" => <Vec<u8> as Decode<Sqlite>>::decode(value)
                .map(|text| Self::Text(String::from_utf8_lossy(&text).into_owned())),
            _ => <Vec<u8> as Decode<Sqlite>>::decode(value).map(Self::Blob),
        };
        read.map_err(sqlx::Error::Decode)
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Integer(_) => 1,
            Self::Real(_) => 2,
            Self::Text(_) => 3,
            Self::Blob(_) => 4,
        }
    }
}

/// As a literal of SQL.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            // The parser takes the sign for an operator, and the number without it is too large.
            Self::Integer(i64::MIN) => f.write_str("(-9223372036854775807 - 1)"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Real(number) if number.is_infinite() => f.write_str(if *number > 0.0 { "9e999" } else { "-9e999" }),
            Self::Real(number) => write!(f, "{number:?}"),
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Blob(bytes) => {
                f.write_str("x'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("'")
            }
        }
    }
}

/// By storage class first: the order of a bag's rows, not that of SQL.
impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Real(a), Self::Real(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Blob(a), Self::Blob(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Self::Null => {}
            Self::Integer(number) => number.hash(state),
            Self::Real(number) => number.to_bits().hash(state),
            Self::Text(text) => text.hash(state),
            Self::Blob(bytes) => bytes.hash(state),
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
