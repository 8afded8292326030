//! What scoping a statement costs: when its plan is kept, and when it is not; beside it, what the parser alone takes for
//! the two texts that are read then.

#![allow(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::{hint::black_box, sync::Arc};

use bumpalo::Bump;
use criterion::{Criterion, criterion_group, criterion_main};
use sqlite3_parser::{FallibleIterator as _, lexer::sql::Parser};
use tenantry_sql::{Column, Limits, Name, Plans, PostgresFacts, Relation, Rewriter, RowId, SchemaMap, Table};

const READ: &str = "SELECT title, body FROM notes WHERE id = ?";
const JOIN: &str = "SELECT n.title, u.name FROM notes n JOIN users u ON u.id = n.user_id WHERE n.id = ?";
const LISTING: &str = "SELECT n.id, n.title, n.updated_at, u.name AS author FROM notes n JOIN users u ON u.id = n.user_id \
                    WHERE n.user_id = ? AND n.title LIKE ? ORDER BY n.updated_at DESC, n.id DESC LIMIT ? OFFSET ?";
const WRITE: &str = "INSERT INTO notes (user_id, title, body) VALUES (?, ?, ?) RETURNING *";

fn rewriter() -> Rewriter {
    let table = |name: &str, number, columns: &[&str]| {
        let columns = columns.iter().map(|name| Column { name: Name::from(*name), generated: false }).collect();
        let row_id = RowId::Column("id".into());
        Relation::Tenant(Arc::new(Table {
            name: name.into(),
            number,
            columns,
            row_id,
            auto_increment: false,
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
            postgres: PostgresFacts::default(),
        }))
    };
    let users = table("users", 1, &["id", "email", "name", "password_hash", "is_admin", "created_at"]);
    let notes = table("notes", 2, &["id", "user_id", "title", "body", "created_at", "updated_at"]);
    Rewriter::new(Arc::new(SchemaMap::new(1, [users, notes])), Limits::default())
}

fn scoping(c: &mut Criterion) {
    let (rewriter, plans) = (rewriter(), Plans::new(rewriter()));
    for (name, text) in [("read", READ), ("join", JOIN), ("listing", LISTING), ("write", WRITE)] {
        c.bench_function(&format!("{name}: plan kept"), |b| b.iter(|| black_box(plans.plan(black_box(text)))));
        c.bench_function(&format!("{name}: plan made"), |b| b.iter(|| black_box(rewriter.scope(black_box(text)))));
        let scoped = rewriter.scope(text).expect("a plan").text;
        c.bench_function(&format!("{name}: parsed twice"), |b| {
            b.iter(|| [text, &scoped].map(|text| parse(black_box(text))));
        });
    }
}

/// The same on PostgreSQL, whose parser is another one.
#[cfg(feature = "postgres")]
fn scoping_on_postgres(c: &mut Criterion) {
    let postgres = || rewriter().dialect(tenantry_sql::Dialect::Postgres);
    let (rewriter, plans) = (postgres(), Plans::new(postgres()));
    for (name, text) in [("read", READ), ("join", JOIN), ("write", WRITE)] {
        let mut number = 0;
        let mark = |part: &str| {
            number += 1;
            format!("{part}${number}")
        };
        let (last, before) = text.rsplit_once('?').map_or((text, ""), |(before, last)| (last, before));
        let text = before.split('?').map(mark).collect::<String>() + last;
        c.bench_function(&format!("postgres, {name}: plan kept"), |b| {
            b.iter(|| black_box(plans.plan(black_box(&text))))
        });
        c.bench_function(&format!("postgres, {name}: plan made"), |b| {
            b.iter(|| black_box(rewriter.scope(black_box(&text))))
        });
    }
}

#[cfg(not(feature = "postgres"))]
fn scoping_on_postgres(_: &mut Criterion) {}

fn parse(text: &str) -> bool {
    let bump = Bump::with_capacity(16 * 1024);
    let mut parser = Parser::new(&bump, text.as_bytes());
    matches!(parser.next(), Ok(Some(_))) && matches!(parser.next(), Ok(None))
}

criterion_group!(benches, scoping, scoping_on_postgres);
criterion_main!(benches);
