//! Values as texts, read from the binary form in which they come.
//!
//! The numbers of types that are not built in differ between two databases, so that they are left out.

use sqlx::{
    Row, TypeInfo, ValueRef,
    postgres::{PgRow, PgTypeInfo, PgTypeKind},
};

/// All values of a row.
pub(crate) fn row(row: &PgRow) -> Result<Vec<Option<String>>, sqlx::Error> {
    (0..row.len())
        .map(|at| {
            let value = row.try_get_raw(at)?;
            if value.is_null() {
                return Ok(None);
            }
            let bytes = value.as_bytes().map_err(sqlx::Error::Decode)?;
            let of = value.type_info();
            Ok(Some(shown(oid(&of), bytes)))
        })
        .collect()
}

/// The name of a type, as it is the same in every database.
pub(crate) fn type_name(of: &PgTypeInfo) -> String {
    of.name().to_owned()
}

const RECORD: u32 = 2249;
const RECORDS: u32 = 2287;

fn oid(of: &PgTypeInfo) -> u32 {
    match of.kind() {
        PgTypeKind::Composite(_) => RECORD,
        PgTypeKind::Array(element) if matches!(element.kind(), PgTypeKind::Composite(_)) => RECORDS,
        PgTypeKind::Array(element) if matches!(element.kind(), PgTypeKind::Enum(_)) => TEXTS,
        _ => of.oid().map_or(0, |oid| oid.0),
    }
}

const TEXTS: u32 = 1009;
/// The numbers of types that are arrays.
const ARRAYS: &[u32] = &[199, 1000, 1005, 1007, TEXTS, 1014, 1015, 1016, 1022, 1185, 1231, RECORDS, 3807];

fn shown(oid: u32, bytes: &[u8]) -> String {
    let read = match oid {
        16 => Some((bytes == [1]).to_string()),
        20 => bytes.try_into().ok().map(|bytes| i64::from_be_bytes(bytes).to_string()),
        21 => bytes.try_into().ok().map(|bytes| i16::from_be_bytes(bytes).to_string()),
        23 => bytes.try_into().ok().map(|bytes| i32::from_be_bytes(bytes).to_string()),
        701 => bytes.try_into().ok().map(|bytes| f64::from_be_bytes(bytes).to_string()),
        1184 => bytes.try_into().ok().map(|bytes| format!("{}µs", i64::from_be_bytes(bytes))),
        1700 => numeric(bytes),
        3802 => bytes.get(1..).map(|text| String::from_utf8_lossy(text).into_owned()),
        RECORD => record(bytes),
        oid if ARRAYS.contains(&oid) => array(bytes),
        _ => None,
    };
    read.unwrap_or_else(|| match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("{bytes:02x?}"),
    })
}

/// What is left of the bytes of a value.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn short(&mut self) -> Option<i16> {
        self.take(2)?.try_into().ok().map(i16::from_be_bytes)
    }

    fn long(&mut self) -> Option<i32> {
        self.take(4)?.try_into().ok().map(i32::from_be_bytes)
    }

    /// A value with its length before it.
    fn value(&mut self, oid: u32) -> Option<String> {
        match usize::try_from(self.long()?) {
            Ok(len) => self.take(len).map(|bytes| shown(oid, bytes)),
            Err(_) => Some("NULL".to_owned()),
        }
    }
}

fn record(bytes: &[u8]) -> Option<String> {
    let mut bytes = Bytes(bytes);
    let count = bytes.long()?;
    let fields = (0..count).map(|_| {
        let oid = u32::try_from(bytes.long()?).ok()?;
        bytes.value(oid)
    });
    Some(format!("({})", fields.collect::<Option<Vec<_>>>()?.join(",")))
}

fn array(bytes: &[u8]) -> Option<String> {
    let mut bytes = Bytes(bytes);
    let dimensions = bytes.long()?;
    bytes.long()?;
    let oid = u32::try_from(bytes.long()?).ok()?;
    let mut count = i32::from(dimensions > 0);
    let mut lengths = String::new();
    for _ in 0..dimensions {
        let length = bytes.long()?;
        count *= length;
        let lower = bytes.long()?;
        lengths += &format!("[{lower}+{length}]");
    }
    let elements = (0..count).map(|_| bytes.value(oid)).collect::<Option<Vec<_>>>()?;
    Some(format!("{lengths}{{{}}}", elements.join(",")))
}

/// As PostgreSQL sends it: digits to the base of ten thousand.
fn numeric(bytes: &[u8]) -> Option<String> {
    let mut bytes = Bytes(bytes);
    let (count, weight, sign, scale) = (bytes.short()?, bytes.short()?, bytes.short()?, bytes.short()?);
    let digits = (0..count).map(|_| bytes.short()).collect::<Option<Vec<_>>>()?;
    let digit = |at: i32| usize::try_from(at).ok().and_then(|at| digits.get(at)).copied().unwrap_or_default();
    let whole: String = (0..=i32::from(weight)).map(|at| format!("{:04}", digit(at))).collect();
    let whole = whole.trim_start_matches('0');
    let scale = usize::try_from(scale).ok()?;
    let places = i32::try_from(scale.div_ceil(4)).ok()?;
    let part: String = (1..=places).map(|at| format!("{:04}", digit(i32::from(weight) + at))).collect();
    let sign = match sign {
        0 => "",
        0x4000 => "-",
        _ => return Some("NaN".to_owned()),
    };
    let whole = if whole.is_empty() { "0" } else { whole };
    let dot = if scale > 0 { "." } else { "" };
    Some(format!("{sign}{whole}{dot}{}", part.get(..scale)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read() {
        let of = |parts: &[i16]| numeric(&parts.iter().flat_map(|part| part.to_be_bytes()).collect::<Vec<_>>());
        assert_eq!(of(&[2, 1, 0, 1, 90, 1, 0]).unwrap(), "900001.0");
        assert_eq!(of(&[2, 0, 0x4000, 2, 3, 2500]).unwrap(), "-3.25");
        assert_eq!(of(&[1, -1, 0, 3, 150]).unwrap(), "0.015");
        assert_eq!(of(&[0, 0, 0, 0]).unwrap(), "0");
    }
}
