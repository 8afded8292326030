//! PostgreSQL, whose values come as their types send them (`typsend`; the formats are those of the server's `recv` and
//! `send` functions, which "Frontend/Backend Protocol" calls binary).

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use serde_json::{Value, json};
use sqlx::{
    Column, Postgres, Row, TypeInfo, ValueRef,
    postgres::{PgQueryResult, PgRow, PgTypeInfo, PgTypeKind, PgValueFormat},
};
use tenantry::sql::Dialect;

use super::{Engine, blob};

impl Engine for Postgres {
    const DIALECT: Dialect = Dialect::Postgres;
    const MARK: char = '$';

    fn values(row: &PgRow) -> Result<Vec<Value>, sqlx::Error> {
        let values = row.columns().iter().map(|column| {
            let raw = row.try_get_raw(column.ordinal())?;
            if raw.is_null() {
                return Ok(Value::Null);
            }
            let bytes = raw.as_bytes().map_err(sqlx::Error::Decode)?;
            Ok(match raw.format() {
                PgValueFormat::Text => json!(String::from_utf8_lossy(bytes)),
                // What is not understood is shown as it is.
                PgValueFormat::Binary => value(&raw.type_info(), bytes).unwrap_or_else(|| blob(bytes)),
            })
        });
        values.collect()
    }

    fn step(row: &PgRow) -> Result<String, sqlx::Error> {
        row.try_get(0)
    }

    fn affected(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }
}

/// A value of a type. Decimal numbers and times are text, which nobody rounds.
fn value(kind: &PgTypeInfo, bytes: &[u8]) -> Option<Value> {
    match kind.kind() {
        PgTypeKind::Array(element) => return array(element, bytes),
        PgTypeKind::Domain(base) => return value(base, bytes),
        PgTypeKind::Enum(_) => return text(bytes),
        _ => {}
    }
    match kind.name() {
        "BOOL" => Some(json!(u8::from_be_bytes(bytes.try_into().ok()?) != 0)),
        "INT2" => Some(json!(i16::from_be_bytes(bytes.try_into().ok()?))),
        "INT4" => Some(json!(i32::from_be_bytes(bytes.try_into().ok()?))),
        "INT8" => Some(json!(i64::from_be_bytes(bytes.try_into().ok()?))),
        "OID" => Some(json!(u32::from_be_bytes(bytes.try_into().ok()?))),
        "FLOAT4" => Some(float(f32::from_be_bytes(bytes.try_into().ok()?))),
        "FLOAT8" => Some(float(f64::from_be_bytes(bytes.try_into().ok()?))),
        "NUMERIC" => numeric(bytes),
        "JSON" => serde_json::from_slice(bytes).ok(),
        // The first byte is the version of the format.
        "JSONB" => serde_json::from_slice(bytes.strip_prefix(&[1])?).ok(),
        "UUID" => uuid(bytes),
        "DATE" => days(i32::from_be_bytes(bytes.try_into().ok()?)),
        "TIME" => time(i64::from_be_bytes(bytes.try_into().ok()?)),
        "TIMESTAMP" => timestamp(i64::from_be_bytes(bytes.try_into().ok()?), ""),
        "TIMESTAMPTZ" => timestamp(i64::from_be_bytes(bytes.try_into().ok()?), "Z"),
        "INTERVAL" => interval(bytes),
        "TEXT" | "VARCHAR" | "CHAR" | "\"CHAR\"" | "NAME" | "UNKNOWN" | "citext" => text(bytes),
        "VOID" => Some(Value::Null),
        _ => None,
    }
}

fn text(bytes: &[u8]) -> Option<Value> {
    std::str::from_utf8(bytes).ok().map(|text| json!(text))
}

/// JSON has no infinities.
fn float<F: Copy + ToString + Into<f64>>(number: F) -> Value {
    let wide: f64 = number.into();
    if wide.is_finite() {
        // The digits of the type itself: 0.1 as a float4 is not 0.10000000149011612.
        number.to_string().parse().map_or(Value::Null, |number: f64| json!(number))
    } else {
        json!(number.to_string())
    }
}

/// `array_send`: how many dimensions, whether there are nulls, the type; how long each is, and where it begins; elements.
fn array(element: &PgTypeInfo, bytes: &[u8]) -> Option<Value> {
    let mut rest = Rest(bytes);
    let dimensions = rest.i32()?;
    rest.take(8)?;
    let mut lengths = Vec::new();
    for _ in 0..dimensions {
        lengths.push(usize::try_from(rest.i32()?).ok()?);
        rest.take(4)?;
    }
    if lengths.is_empty() { Some(json!([])) } else { elements(element, &lengths, &mut rest) }
}

fn elements(element: &PgTypeInfo, lengths: &[usize], rest: &mut Rest<'_>) -> Option<Value> {
    let Some((&length, inner)) = lengths.split_first() else {
        let length = rest.i32()?;
        if length < 0 {
            return Some(Value::Null);
        }
        let bytes = rest.take(usize::try_from(length).ok()?)?;
        return Some(value(element, bytes).unwrap_or_else(|| blob(bytes)));
    };
    (0..length).map(|_| elements(element, inner, rest)).collect::<Option<Vec<_>>>().map(Value::Array)
}

/// `numeric_send`: how many digits to the base 10,000; the power of the first; the sign; how many decimals are shown.
fn numeric(bytes: &[u8]) -> Option<Value> {
    let mut rest = Rest(bytes);
    let (count, weight) = (rest.i16()?, i32::from(rest.i16()?));
    let (sign, decimals) = (rest.i16()?.cast_unsigned(), usize::try_from(rest.i16()?).ok()?);
    let sign = match sign {
        0x0000 => "",
        0x4000 => "-",
        0xC000 => return Some(json!("NaN")),
        0xD000 => return Some(json!("Infinity")),
        0xF000 => return Some(json!("-Infinity")),
        _ => return None,
    };
    let digits: Vec<i16> = (0..count).map(|_| rest.i16()).collect::<Option<_>>()?;
    let digit = |power: i32| {
        let at = usize::try_from(weight - power).ok();
        at.and_then(|at| digits.get(at)).copied().unwrap_or(0)
    };
    let whole: String = (0..=weight.max(0)).rev().map(|power| format!("{:04}", digit(power))).collect();
    let whole = whole.trim_start_matches('0');
    let groups = i32::try_from(decimals.div_ceil(4)).ok()?;
    let mut fraction: String = (1..=groups).map(|power| format!("{:04}", digit(-power))).collect();
    fraction.truncate(decimals);
    let point = if decimals == 0 { "" } else { "." };
    Some(json!(format!("{sign}{}{point}{fraction}", if whole.is_empty() { "0" } else { whole })))
}

fn uuid(bytes: &[u8]) -> Option<Value> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [hex.get(..8)?, hex.get(8..12)?, hex.get(12..16)?, hex.get(16..20)?, hex.get(20..)?];
    Some(json!(parts.join("-")))
}

/// Where the server's calendar begins.
fn epoch() -> Option<NaiveDateTime> {
    NaiveDate::from_ymd_opt(2000, 1, 1).map(|date| date.and_time(NaiveTime::MIN))
}

fn days(days: i32) -> Option<Value> {
    let date = match days {
        i32::MAX => return Some(json!("infinity")),
        i32::MIN => return Some(json!("-infinity")),
        0.. => epoch()?.date().checked_add_days(Days::new(u64::from(days.unsigned_abs())))?,
        _ => epoch()?.date().checked_sub_days(Days::new(u64::from(days.unsigned_abs())))?,
    };
    Some(json!(date.to_string()))
}

fn time(micros: i64) -> Option<Value> {
    let midnight = DateTime::from_timestamp_micros(micros)?;
    Some(json!(midnight.time().to_string()))
}

fn timestamp(micros: i64, zone: &str) -> Option<Value> {
    let at = match micros {
        i64::MAX => return Some(json!("infinity")),
        i64::MIN => return Some(json!("-infinity")),
        _ => epoch()?.checked_add_signed(TimeDelta::microseconds(micros))?,
    };
    Some(json!(format!("{}{zone}", at.format("%Y-%m-%dT%H:%M:%S%.f"))))
}

/// `interval_send`: microseconds, days, months. As in ISO 8601.
fn interval(bytes: &[u8]) -> Option<Value> {
    let mut rest = Rest(bytes);
    let (micros, days, months) = (i64::from_be_bytes(rest.take(8)?.try_into().ok()?), rest.i32()?, rest.i32()?);
    let sign = if micros < 0 { "-" } else { "" };
    let (seconds, fraction) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    Some(json!(format!("P{months}M{days}DT{sign}{seconds}.{fraction:06}S")))
}

/// What is left of a value's bytes.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn i16(&mut self) -> Option<i16> {
        Some(i16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn i32(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }
}
