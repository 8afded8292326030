//! The same statements on a shared database and on a private one: same ids, same counts, same failures.

use proptest::prelude::*;
use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqliteConnection};

use super::{NUMBERED, PRIVATE, Shared, numbers, run, told};

/// What happens if there is such a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conflict {
    Abort,
    Fail,
    Ignore,
    Nothing,
    None,
    Replace,
    Rollback,
    Update,
}

impl Conflict {
    fn verb(self) -> &'static str {
        match self {
            Self::Abort => "INSERT OR ABORT",
            Self::Fail => "INSERT OR FAIL",
            Self::Ignore => "INSERT OR IGNORE",
            Self::Replace => "REPLACE",
            Self::Rollback => "INSERT OR ROLLBACK",
            Self::Nothing | Self::None | Self::Update => "INSERT",
        }
    }

    fn tail(self, target: &str) -> String {
        match self {
            Self::Nothing => " ON CONFLICT DO NOTHING".to_owned(),
            Self::Update => format!(" ON CONFLICT ({target}) DO UPDATE SET n = coalesce(n, 0) + 1"),
            _ => String::new(),
        }
    }

    /// Whether the statement says what is to be done, and so overrides what the column says about NULL.
    fn overrides(self) -> bool {
        matches!(self, Self::Abort | Self::Fail | Self::Ignore | Self::Rollback)
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Into which table, ids (`None`: the column is not named), words.
    Insert(usize, Conflict, Option<Vec<String>>, Vec<u8>),
    /// From the table into itself.
    Copy(usize, Conflict, i64),
    Delete(usize, i64),
    Move(usize, u8, i64),
    Touch(usize, i64),
    /// An insert that changes the row with the id instead.
    Put(usize, i64, u8),
    Other(&'static str),
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("NULL".to_owned()),
        6 => (-3..12_i64).prop_map(|id| id.to_string()),
        1 => prop_oneof![Just("'7'"), Just("8.0"), Just("' 9 '"), Just("'1e1'")].prop_map(str::to_owned),
        1 => prop::sample::select(&NO_IDS[..]).prop_map(str::to_owned),
        1 => prop_oneof![Just("9223372036854775807"), Just("9223372036854775806")].prop_map(str::to_owned),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    use Conflict::{Abort, Fail, Ignore, None, Nothing, Replace, Rollback, Update};
    let conflict =
        prop::sample::select(vec![None, None, None, Ignore, Ignore, Replace, Nothing, Update, Abort, Fail, Rollback]);
    let other = prop::sample::select(vec!["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s"]);
    prop_oneof![
        8 => (0..3_usize, conflict.clone(), any::<bool>(), prop::collection::vec((id(), 0..8_u8), 1..4)).prop_map(
            |(table, conflict, names_id, rows)| {
                let (ids, words): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
                Step::Insert(table, conflict, names_id.then_some(ids), words)
            }
        ),
        1 => (0..3_usize, conflict, 0..4_i64).prop_map(|(table, conflict, rows)| Step::Copy(table, conflict, rows)),
        2 => (0..3_usize, -3..14_i64).prop_map(|(table, from)| Step::Delete(table, from)),
        1 => (0..3_usize, 0..8_u8, 0..20_i64).prop_map(|(table, word, id)| Step::Move(table, word, id)),
        1 => (0..3_usize, -3..14_i64).prop_map(|(table, from)| Step::Touch(table, from)),
        1 => (0..3_usize, -2..12_i64, 0..8_u8).prop_map(|(table, id, word)| Step::Put(table, id, word)),
        3 => other.prop_map(Step::Other),
    ]
}

/// Whether both sides are promised to be the same.
fn is_promised(step: &Step) -> bool {
    match step {
        // SQLite forgets how far a failed statement has counted, although its rows stay.
        Step::Insert(1, Conflict::Fail, ..) | Step::Copy(1, Conflict::Fail, _) => false,
        // SQLite keeps the rows before one whose id is no id, or before the one for which there is none left; with
        // the second it sometimes ends the transaction.
        Step::Insert(table, _, Some(ids), _)
            if ids.iter().any(|id| NO_IDS.contains(&id.as_str()) || *table == 1 && id.starts_with("92233")) =>
        {
            ids.len() == 1 && NO_IDS.contains(&ids[0].as_str())
        }
        // A NULL in a statement that overrides it is filled before the rows are inserted.
        Step::Insert(_, conflict, Some(ids), _) if conflict.overrides() && ids.len() > 1 => {
            !ids.iter().any(|id| id == "NULL")
        }
        _ => true,
    }
}

const NO_IDS: [&str; 5] = ["'x'", "2.5", "x'31'", "1e300", "'2 x'"];

const NAMES: [&str; 3] = ["plain", "auto", "hidden"];

fn private_sql(step: &Step) -> String {
    let id = |table: &usize| if *table == 2 { "rowid" } else { "id" };
    match step {
        Step::Insert(table, conflict, ids, words) => {
            let (verb, name, tail) = (conflict.verb(), NAMES[*table], conflict.tail("slug"));
            let rows: Vec<String> = words
                .iter()
                .enumerate()
                .map(|(row, word)| match ids {
                    Some(ids) => format!("({}, 'w{word}', {row})", ids[row]),
                    None => format!("('w{word}', {row})"),
                })
                .collect();
            let column = ids.as_ref().map(|_| format!("{}, ", id(table))).unwrap_or_default();
            format!("{verb} INTO {name} ({column}slug, n) VALUES {}{tail}", rows.join(", "))
        }
        Step::Copy(table, conflict, rows) => {
            let (verb, name, tail) = (conflict.verb(), NAMES[*table], conflict.tail("slug"));
            let id = id(table);
            format!(
                "{verb} INTO {name} (slug, n) SELECT substr(slug || 'c', -8), n FROM {name} WHERE {id} > 0 \
                 ORDER BY {id} LIMIT {rows}{tail}"
            )
        }
        Step::Delete(table, from) => format!("DELETE FROM {} WHERE {} >= {from}", NAMES[*table], id(table)),
        Step::Move(table, word, to) => {
            format!("UPDATE {} SET {} = {to} WHERE slug = 'w{word}'", NAMES[*table], id(table))
        }
        Step::Touch(table, from) => format!("UPDATE {} SET n = 5 WHERE {} >= {from}", NAMES[*table], id(table)),
        Step::Put(table, to, word) if *table < 2 => format!(
            "INSERT INTO {} VALUES ({to}, 'w{word}', 0) ON CONFLICT (id) DO UPDATE SET id = id + 3, n = excluded.n - 1 \
             WHERE n < 3 ON CONFLICT DO UPDATE SET n = 9",
            NAMES[*table]
        ),
        Step::Put(table, to, word) => {
            format!("UPDATE OR REPLACE {} SET rowid = {to} WHERE slug = 'w{word}'", NAMES[*table])
        }
        Step::Other(sql) => (*sql).to_owned(),
    }
}

fn shared_sql(step: &Step) -> String {
    let id = |table: &usize| NUMBERED[*table].column;
    match step {
        Step::Insert(table, conflict, ids, words) => {
            let (verb, name, tail) = (conflict.verb(), NAMES[*table], conflict.tail("_tenant, slug"));
            let number = NUMBERED[*table].number;
            let rows: Vec<String> = words
                .iter()
                .enumerate()
                .map(|(row, word)| match ids {
                    Some(ids) if conflict.overrides() => {
                        format!("(_tenantry_new_id({number}, {}), 'w{word}', {row}, 1)", ids[row])
                    }
                    Some(ids) => format!("({}, 'w{word}', {row}, 1)", ids[row]),
                    None => format!("('w{word}', {row}, 1)"),
                })
                .collect();
            let column = ids.as_ref().map(|_| format!("{}, ", id(table))).unwrap_or_default();
            format!("{verb} INTO {name} ({column}slug, n, _tenant) VALUES {}{tail}", rows.join(", "))
        }
        Step::Copy(table, conflict, rows) => {
            let (verb, name, tail) = (conflict.verb(), NAMES[*table], conflict.tail("_tenant, slug"));
            let id = id(table);
            format!(
                "{verb} INTO {name} (slug, n, _tenant) SELECT substr(slug || 'c', -8), n, 1 FROM {name} \
                 WHERE _tenant = 1 AND {id} > 0 ORDER BY {id} LIMIT {rows}{tail}"
            )
        }
        Step::Delete(table, from) => {
            format!("DELETE FROM {} WHERE _tenant = 1 AND {} >= {from}", NAMES[*table], id(table))
        }
        Step::Move(table, word, to) => {
            format!("UPDATE {} SET {} = {to} WHERE _tenant = 1 AND slug = 'w{word}'", NAMES[*table], id(table))
        }
        Step::Touch(table, from) => {
            format!("UPDATE {} SET n = 5 WHERE _tenant = 1 AND {} >= {from}", NAMES[*table], id(table))
        }
        Step::Put(table, to, word) if *table < 2 => format!(
            "INSERT INTO {} (id, slug, n, _tenant) VALUES ({to}, 'w{word}', 0, 1) \
             ON CONFLICT (_tenant, id) DO UPDATE SET id = id + 3, n = excluded.n - 1 WHERE n < 3 \
             ON CONFLICT DO UPDATE SET n = 9",
            NAMES[*table]
        ),
        Step::Put(table, to, word) => format!(
            "UPDATE OR REPLACE {} SET _tenant_rowid = {to} WHERE _tenant = 1 AND slug = 'w{word}'",
            NAMES[*table]
        ),
        Step::Other(sql) => (*sql).to_owned(),
    }
}

async fn rows(connection: &mut SqliteConnection, sql: &str) -> Vec<(i64, String, i64)> {
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

const SAYS: &str = "SELECT last_insert_rowid() UNION ALL SELECT changes() UNION ALL SELECT total_changes()";

/// Ids at random are the only ones that differ.
fn is_random(id: i64) -> bool {
    (1 << 40..i64::MAX - 1).contains(&id)
}

async fn compare(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut private = SqliteConnection::connect(":memory:").await.unwrap();
    private.execute(PRIVATE).await.unwrap();
    let mut shared = Shared::with_tables().await;
    // Another tenant has other ids, and the same words.
    shared.enter(2);
    for name in NAMES {
        let column = if name == "hidden" { "_tenant_rowid" } else { "id" };
        let sql = format!("INSERT INTO {name} ({column}, slug, n, _tenant) VALUES (5, 'w1', 0, 2), (700, 'w2', 0, 2)");
        shared.run(&sql).await.unwrap();
    }
    shared.enter(1);

    for step in steps.iter().filter(|step| is_promised(step)) {
        let (private_sql, shared_sql) = (private_sql(step), shared_sql(step));
        let expected = run(&mut private, &private_sql).await;
        let found = shared.run(&shared_sql).await;
        let context = format!("{private_sql} | {shared_sql} in {steps:?}");
        match (&expected, &found) {
            (Ok((_, expected)), Ok((_, found))) if is_random(*expected) && is_random(*found) => return Ok(()),
            (Ok(expected), Ok(found)) => prop_assert_eq!(found, expected, "{}", context),
            (Err(expected), Err(found)) => prop_assert_eq!(told(found), told(expected), "{}", context),
            _ => prop_assert!(false, "{expected:?} but {found:?}: {context}"),
        }
        let expected = numbers(&mut private, SAYS).await.unwrap();
        let found = shared.numbers(SAYS).await;
        if is_random(expected[0]) && is_random(found[0]) {
            return Ok(());
        }
        prop_assert_eq!(found, expected, "{}", context);
        for name in NAMES {
            let (of_private, of_shared) = match name {
                "hidden" => ("rowid", "_tenant_rowid"),
                _ => ("id", "id"),
            };
            let expected = rows(&mut private, &format!("SELECT {of_private}, slug, n FROM {name} ORDER BY 1")).await;
            if expected.iter().any(|row| is_random(row.0)) {
                return Ok(());
            }
            let sql = format!("SELECT {of_shared}, slug, n FROM {name} WHERE _tenant = 1 ORDER BY 1");
            prop_assert_eq!(rows(&mut shared.connection, &sql).await, expected, "{}", context);
        }
    }

    shared.session.own();
    // Counting from nothing and not having counted are the same.
    let sql = "SELECT coalesce(max(seq), 0) FROM _tenantry_sequence WHERE _tenant = 1";
    let expected = numbers(&mut private, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence").await.unwrap();
    prop_assert_eq!(shared.numbers(sql).await, expected, "counted, {:?}", steps);
    let others = "SELECT count(*) FROM (SELECT _tenant, id FROM plain UNION ALL SELECT _tenant, id FROM auto \
                  UNION ALL SELECT _tenant, _tenant_rowid FROM hidden) WHERE _tenant = 2 AND id IN (5, 700)";
    prop_assert_eq!(shared.numbers(others).await, [6]);
    shared.connection.close().await.unwrap();
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_tenant_cannot_tell_a_shared_table_from_a_private_one(steps in prop::collection::vec(step(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(compare(steps))?;
    }
}
