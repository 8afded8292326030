//! The rows of the tenant, and those of others that must never be seen (sql-scoping §7.1).
//!
//! Others have the same keys, and in everything else canaries, and values that raise an error when an expression that is
//! made for the tenant's own values meets them.

use super::{
    Setting,
    generate::{DOCUMENTS, Ty, WORDS},
    standard::{COUNTRIES, TABLES, Table},
};
use crate::noise::{CANARY, CANARY_NUMBER};

/// Somebody's rows as statements. `schema` is where the tables are, `tenant` whose they are if they are shared.
pub(crate) fn rows(schema: &str, tenant: Option<i64>, reversed: bool) -> Vec<String> {
    let number = tenant.unwrap_or(Setting::OWN);
    // One larger, one smaller, and one that has none.
    let (count, mut canary) = match number {
        Setting::OWN => (9, None),
        Setting::LARGER => (25, Some(0)),
        Setting::SMALLER => (3, Some(50_000)),
        _ => (0, None),
    };
    let mut texts = Vec::new();
    for table in TABLES {
        let mut rows: Vec<_> = (0..count).map(|at| row(table, at, count, tenant, canary.as_mut())).collect();
        if reversed {
            rows.reverse();
        }
        if !rows.is_empty() {
            let written = table.columns.iter().filter(|(name, _)| *name != "shown").map(|(name, _)| *name);
            let names: Vec<_> = tenant.map(|_| "_tenant").into_iter().chain(written).collect();
            let (name, names, rows) = (table.name, names.join(", "), rows.join(", "));
            texts.push(format!("INSERT INTO {schema}.{name} ({names}) OVERRIDING SYSTEM VALUE VALUES {rows}"));
        }
    }
    texts
}

/// The rows that all tenants read.
pub(crate) fn countries(schema: &str) -> String {
    format!("INSERT INTO {schema}.{} VALUES ('a', 'Austria'), ('b', 'Bhutan'), ('c', NULL)", COUNTRIES.0)
}

fn row(table: &Table, at: usize, count: usize, tenant: Option<i64>, mut canary: Option<&mut i64>) -> String {
    let mut values: Vec<_> = tenant.map(|tenant| tenant.to_string()).into_iter().collect();
    for (place, (name, ty)) in table.columns.iter().enumerate() {
        let value = match (table.name, *name) {
            (_, "shown") => continue,
            (_, "id") => id(at).to_string(),
            ("members", "team") => id(at).to_string(),
            ("members", "tag") => word((at * 2 + 1) % count),
            (_, "name" | "email" | "slug") => word(at),
            (_, "parent") if at.is_multiple_of(5) => "NULL".to_owned(),
            (_, "parent") => id((at - 1) / 2).to_string(),
            (_, "team") if at % 5 == 3 => "NULL".to_owned(),
            (_, "team") => id(at * at % count).to_string(),
            (_, "tag") => word(at % count),
            ("log", "line") if at == 1 => "'once'".to_owned(),
            _ if place > 0 && (at + place) % 7 == 2 && !["weight", "price"].contains(name) => "NULL".to_owned(),
            _ => match &mut canary {
                Some(number) => {
                    **number += 1;
                    foreign(*ty, **number)
                }
                None => own(name, *ty, at + place * 3, at),
            },
        };
        values.push(value);
    }
    format!("({})", values.join(", "))
}

/// The same for every tenant.
fn id(at: usize) -> usize {
    at + 1 + at / 4
}

/// The same for every tenant.
fn word(at: usize) -> String {
    WORDS.get(at).map_or_else(|| format!("'k{at}'"), |word| quoted(word))
}

fn own(name: &str, ty: Ty, mixed: usize, at: usize) -> String {
    let small = mixed * mixed % 6;
    match ty {
        Ty::Int => small.to_string(),
        Ty::Num if name == "price" => format!("{at}.5"),
        Ty::Num => ["0", "1.5", "2", "-1.5", "3.25"][mixed % 5].to_owned(),
        Ty::Text if name == "label" => format!("'l{at}'"),
        Ty::Text => quoted(WORDS[mixed * 5 % WORDS.len()]),
        Ty::Digits => format!("'{}'", small + 1),
        Ty::Doc | Ty::Jsonb => quoted(DOCUMENTS[mixed % DOCUMENTS.len()]),
        Ty::Bool => mixed.is_multiple_of(2).to_string(),
        Ty::Time => format!("'2024-0{}-1{} 0{small}:00:00+00'", 1 + small, mixed % 9),
        Ty::Ints => format!("'{{{small},{}}}'", mixed % 4),
        Ty::Texts => format!("'{{a,{}}}'", ["b", "c", "\"x y\""][mixed % 3]),
        Ty::Mood => quoted(["sad", "ok", "happy"][mixed % 3]),
    }
}

fn foreign(ty: Ty, canary: i64) -> String {
    let number = CANARY_NUMBER + canary;
    match ty {
        Ty::Int if canary % 5 == 0 => i32::MAX.to_string(),
        Ty::Int => number.to_string(),
        Ty::Num => format!("{number}.5"),
        // No number and no JSON.
        Ty::Text | Ty::Digits => format!("'{CANARY}{canary}'"),
        Ty::Doc => format!("'{{\"{CANARY}{canary}'"),
        Ty::Bool => "true".to_owned(),
        Ty::Time => format!("'2077-01-0{} 00:00:00+00'", 1 + canary % 9),
        Ty::Jsonb => format!("'{{\"a\":\"{CANARY}{canary}\",\"b\":[{number}]}}'"),
        Ty::Ints => format!("'{{{number}}}'"),
        Ty::Texts => format!("'{{{CANARY}{canary}}}'"),
        Ty::Mood => "'sad'".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
