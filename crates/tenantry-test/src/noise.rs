//! Rows: those of the tenant under test, and those of others, made so that it shows when they are seen.
//!
//! * Others have the same keys, so that a key without its tenant collides.
//! * All else that they have is a **canary**: texts with [`CANARY`] in them, numbers from [`CANARY_NUMBER`] on. So every
//!   aggregate of theirs is another one, too.
//! * Some of it is poison, which raises an error when it is evaluated: text that is not quite JSON, numbers that overflow.
//! * One of them has more rows than the tenant, one has fewer, one has none: that makes the planner choose otherwise.

use crate::{
    Class, Column, Private, Schema, Table, Value,
    generate::{JSON, WORDS},
    run,
    standard::quoted,
};

/// Is in every text of others that is no key.
pub const CANARY: &str = "CANARY";
/// Others' numbers that are no keys are this or more, and less than [`CANARY_NUMBER_END`].
pub const CANARY_NUMBER: i64 = 900_000;
/// The first number that is no canary any more.
pub const CANARY_NUMBER_END: i64 = 1_000_000;

/// The rows of everybody.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct World {
    /// Those of the tenant under test.
    pub own: Vec<Insert>,
    /// Those of the others, a list for each.
    pub others: Vec<(Role, Vec<Insert>)>,
}

/// What an other tenant is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// It has more rows.
    Larger,
    /// It has fewer.
    Smaller,
    /// It has none.
    Empty,
}

/// A row to insert into a table of the application.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Insert {
    /// The table.
    pub table: String,
    /// Its columns; those that are left out get their defaults.
    pub columns: Vec<String>,
    /// A value for each.
    pub values: Vec<Value>,
}

impl Insert {
    /// The statement, with a `?` for each value.
    pub fn text(&self) -> String {
        let columns: Vec<_> = self.columns.iter().map(|name| quoted(name)).collect();
        let marks = vec!["?"; self.columns.len()].join(", ");
        format!("INSERT INTO {} ({}) VALUES ({marks})", quoted(&self.table), columns.join(", "))
    }

    fn value(&self, column: &str) -> Option<&Value> {
        let at = self.columns.iter().position(|name| name.eq_ignore_ascii_case(column))?;
        self.values.get(at)
    }
}

/// Rows for a schema. They are inserted in this order.
///
/// Rows that a constraint of the schema refuses are left out, so that all of them can be inserted.
///
/// # Errors
///
/// Those of the database.
pub async fn world(ddl: &[impl AsRef<str>]) -> Result<World, sqlx::Error> {
    let own = fill(ddl, 9, None).await?;
    let larger = fill(ddl, 25, Some(0)).await?;
    let smaller = fill(ddl, 3, Some(50_000)).await?;
    Ok(World { own, others: vec![(Role::Larger, larger), (Role::Smaller, smaller), (Role::Empty, Vec::new())] })
}

/// About `count` rows for each table, with canaries from this number on.
async fn fill(ddl: &[impl AsRef<str>], count: usize, canaries: Option<i64>) -> Result<Vec<Insert>, sqlx::Error> {
    // What the schema accepts is found out by trying.
    let mut scratch = Private::open(ddl, &[]).await?;
    let schema = Schema::read(scratch.connection()).await?;
    let mut rows: Vec<Insert> = Vec::new();
    let mut canary = canaries;
    for table in &schema.tables {
        let mut accepted = 0;
        for at in 0..count * 3 {
            if accepted == count {
                break;
            }
            let row = row(table, at, &rows, canary.as_mut());
            if run::fetch(scratch.connection(), &row.text(), &row.values).await.is_ok() {
                rows.push(row);
                accepted += 1;
            }
        }
    }
    Ok(rows)
}

fn row(table: &Table, at: usize, rows: &[Insert], mut canary: Option<&mut i64>) -> Insert {
    let mut insert = Insert { table: table.name.clone(), columns: Vec::new(), values: Vec::new() };
    for (place, column) in table.insertable().enumerate() {
        let value = match referred(table, column, at + place, rows) {
            Some(value) => value,
            None if table.is_key(&column.name) => key(table, column, at, place),
            None => match &mut canary {
                Some(number) => {
                    **number += 1;
                    foreign(column, **number)
                }
                None => own(column, at + place * 3),
            },
        };
        insert.columns.push(column.name.clone());
        insert.values.push(value);
    }
    insert
}

/// A value of the column that this one refers to.
fn referred(table: &Table, column: &Column, at: usize, rows: &[Insert]) -> Option<Value> {
    let key = table.foreign_keys.iter().find(|key| key.columns.contains(&column.name))?;
    let place = key.columns.iter().position(|name| *name == column.name)?;
    let parents: Vec<_> = rows.iter().filter(|row| row.table.eq_ignore_ascii_case(&key.table)).collect();
    if parents.is_empty() || column.nullable && at.is_multiple_of(5) {
        return Some(Value::Null);
    }
    let to = match key.to.get(place) {
        Some(to) => to.clone(),
        // The row id is the first column that it has, as far as we make rows.
        None => parents.first()?.columns.get(place)?.clone(),
    };
    parents[at % parents.len()].value(&to).cloned()
}

/// The same for every tenant.
fn key(table: &Table, column: &Column, at: usize, place: usize) -> Value {
    if column.nullable && !table.primary_key.contains(&column.name) && at % 6 == 4 {
        return Value::Null;
    }
    let number = i64::try_from(at + 1 + at / 4).unwrap_or_default();
    match column.class {
        Class::Integer | Class::Real => Value::Integer(if place == 0 { number } else { number % 7 + 1 }),
        Class::Text | Class::Blob | Class::Json => {
            WORDS.get(at).map_or_else(|| Value::Text(format!("k{at}")), |word| Value::from(*word))
        }
    }
}

fn own(column: &Column, at: usize) -> Value {
    if column.nullable && at % 7 == 2 {
        return Value::Null;
    }
    let small = i64::try_from(at * at % 6).unwrap_or_default();
    match column.class {
        Class::Integer => Value::Integer(small),
        Class::Real => Value::Real([0.0, 1.5, 2.0, -1.5, 3.25][at % 5]),
        Class::Text => Value::from(WORDS[at * 5 % WORDS.len()]),
        Class::Blob if at.is_multiple_of(3) => Value::Blob(vec![0, 255]),
        Class::Blob => Value::Integer(small),
        Class::Json => Value::from(JSON[at % JSON.len()]),
    }
}

fn foreign(column: &Column, canary: i64) -> Value {
    let number = CANARY_NUMBER + canary;
    match column.class {
        Class::Integer if canary % 5 == 0 => Value::Integer(i64::MIN),
        Class::Integer => Value::Integer(number),
        // Whole, so that nothing is lost.
        Class::Real => i32::try_from(number).map_or(Value::Null, |number| Value::Real(f64::from(number) + 0.5)),
        Class::Text => Value::Text(format!("{CANARY}{canary}")),
        Class::Blob => Value::Blob(format!("{CANARY}{canary}").into_bytes()),
        Class::Json if canary % 2 == 0 => Value::Text(format!("{{\"{CANARY}{canary}")),
        Class::Json => Value::Text(format!("{{\"a\":\"{CANARY}{canary}\",\"b\":[{number}]}}")),
    }
}
