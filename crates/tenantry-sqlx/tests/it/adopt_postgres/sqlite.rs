//! Instances whose rows are in a SQLite file.

use std::{ops::ControlFlow, path::Path};

use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::*;
use crate::adopt::{instance_of, notes};

async fn adopt_file(target: &Target, id: i64, file: &Path) -> Result<Adoption, AdoptError> {
    adopt(&target.options, &tenant(id), &Instance::Sqlite(file.to_owned()), AdoptOptions::default()).await
}

#[tokio::test]
async fn the_example_moves_from_a_file_to_a_server() {
    let (target, folder) = (Target::of_notes().await, TempDir::new().unwrap());
    let files = [(ACME, "acme"), (GLOBEX, "globex")].map(|(id, name)| (id, folder.path().join(name), name));
    for (id, file, name) in &files {
        notes(file, name).await;
        let adoption = adopt_file(&target, *id, file).await.unwrap();
        let rows = adoption.tables.iter().map(|table| (table.name.as_str(), table.rows));
        let rows: Vec<_> = rows.filter(|(_, rows)| *rows > 0).collect();
        let expected = [("users", 2), ("notes", 2), ("tags", 2), ("note_tags", 3), ("comments", 1), ("settings", 1)];
        assert_eq!(rows, expected);
    }
    let tables = [
        "SELECT concat_ws('|', id, email, name, password_hash, is_admin::int, date_part('epoch', created_at)) FROM users ORDER BY id",
        "SELECT concat_ws('|', id, user_id, title, body) FROM notes ORDER BY id",
        "SELECT concat_ws('|', id, name) FROM tags ORDER BY id",
        "SELECT concat_ws('|', note_id, tag_id) FROM note_tags ORDER BY note_id, tag_id",
        "SELECT concat_ws('|', id, note_id, user_id, body) FROM comments ORDER BY id",
        "SELECT concat_ws('|', id, site_title, theme, page_size) FROM settings",
        "SELECT concat_ws('|', id, title, author, comment_count, tags) FROM note_overview ORDER BY id",
    ];
    for (id, file, _) in &files {
        let mut source = open(file).await;
        for asked in tables {
            let query = asked.replace("::int", "").replace("date_part('epoch', created_at)", "unixepoch(created_at)");
            let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut source).await.unwrap();
            assert_eq!(target.column(*id, asked).await, rows, "{asked}");
        }
    }
    // A note with this id was there once, and the last one of the other tenant's has it.
    for id in [ACME, GLOBEX] {
        let next = "INSERT INTO notes (user_id, title) VALUES (1, 'next') RETURNING id";
        let next: i64 = target.as_tenant(id, sqlx::query_scalar(next).fetch_one(&target.pool)).await.unwrap();
        assert_eq!(next, if id == ACME { 4 } else { 5 });
    }
    let again = adopt_file(&target, ACME, &files[0].1).await.unwrap();
    assert!(again.already);
    let refused = adopt_file(&target, ACME, &files[1].1).await.unwrap_err();
    assert!(matches!(refused, AdoptError::Otherwise { .. }), "{refused}");
}

/// A table with columns of many types on the server, and what a file has in the same columns.
const KINDS: &str = "
    CREATE TABLE countries (code text PRIMARY KEY);
    CREATE TABLE kinds (
        id bigint PRIMARY KEY, small smallint, yes boolean, half float8, exact numeric(10,2), words varchar(5), long text,
        bytes bytea, made timestamptz, day date, j jsonb, ident uuid, list int[], must text NOT NULL DEFAULT '' CHECK (must <> 'no')
    );
    CREATE TABLE keyed (word text, n int, v text, PRIMARY KEY (word, n));
";

const KINDS_OF_FILE: &str = "
    CREATE TABLE countries (code TEXT PRIMARY KEY);
    INSERT INTO countries VALUES ('at');
    CREATE TABLE Kinds (
        ID INTEGER PRIMARY KEY, small INT, yes BOOLEAN, half REAL, exact NUMERIC, words TEXT, long TEXT, bytes BLOB, made DATETIME,
        day DATE, j TEXT, ident TEXT, list TEXT, must TEXT NOT NULL DEFAULT ''
    );
    CREATE TABLE keyed (word TEXT, n INT, v, PRIMARY KEY (word, n)) WITHOUT ROWID;
";

async fn kinds(file: &Path, rows: &str) {
    instance_of(file, &format!("{KINDS_OF_FILE}{rows}")).await;
}

#[tokio::test]
async fn values_become_those_of_the_columns() {
    let (target, folder) = (Target::new(KINDS).await, TempDir::new().unwrap());
    let file = folder.path().join("kinds.db");
    kinds(
        &file,
        r#"INSERT INTO kinds VALUES
            (1, 32767, 1, 0.1, 1.50, 'ab"c', CAST(x'5c4e09630d0a5c2e0a5c' AS TEXT), x'00ff5c0a', '2024-02-29 23:59:59', '2024-02-29',
             '{"a": [1]}', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', '{1,2}', 'x'),
            (-9223372036854775808, -1, 0, 9e999, 12345678.91, '', 'é☕', '', '2024-02-29T23:59:59.123456+05:30', NULL, 'null', NULL,
             '{}', ''),
            (9223372036854775807, 3.0, 'true', -2.5, '7', 12345, 1.5, 'text', '2024-02-29 23:59:59Z', NULL, '1', NULL, NULL, ''),
            (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '');
           INSERT INTO keyed VALUES ('b', 1, 'x'), ('a', 2, 'y'), ('a', 1, NULL);"#,
    )
    .await;
    adopt_file(&target, ACME, &file).await.unwrap();
    let query = "SELECT to_jsonb(k)::text FROM kinds k ORDER BY abs(id::numeric)";
    let rows = target.column(ACME, query).await;
    let made = "2024-02-29T23:59:59+00:00";
    for (row, expected) in rows.iter().zip([
        format!(
            r#"{{"j": {{"a": [1]}}, "id": 1, "day": "2024-02-29", "yes": true, "half": 0.1, "list": [1, 2], "long": "\\N\tc\r\n\\.\n\\", "made": "{made}", "must": "x", "bytes": "\\x00ff5c0a", "exact": 1.50, "ident": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "small": 32767, "words": "ab\"c"}}"#
        ),
        r#"{"j": null, "id": 2, "day": null, "yes": null, "half": null, "list": null, "long": null, "made": null, "must": "", "bytes": null, "exact": null, "ident": null, "small": null, "words": null}"#.to_owned(),
        format!(
            r#"{{"j": 1, "id": 9223372036854775807, "day": null, "yes": true, "half": -2.5, "list": null, "long": "1.5", "made": "{made}", "must": "", "bytes": "\\x74657874", "exact": 7.00, "ident": null, "small": 3, "words": "12345"}}"#
        ),
        r#"{"j": null, "id": -9223372036854775808, "day": null, "yes": false, "half": "Infinity", "list": [], "long": "é☕", "made": "2024-02-29T18:29:59.123456+00:00", "must": "", "bytes": "\\x", "exact": 12345678.91, "ident": null, "small": -1, "words": ""}"#.to_owned(),
    ]) {
        assert_eq!(*row, expected);
    }
    assert_eq!(
        target.column(ACME, "SELECT concat_ws('|', word, n, v) FROM keyed ORDER BY 1").await,
        ["a|1", "a|2|y", "b|1|x"]
    );
    assert_eq!(target.column(ACME, "SELECT code FROM countries").await, ["at"]);
}

#[tokio::test]
async fn a_value_that_is_none_of_the_columns_is_said_with_its_place() {
    let (target, folder) = (Target::new(KINDS).await, TempDir::new().unwrap());
    for (at, (column, value, says)) in [
        ("small", "32768", "out of range"),
        ("small", "'x'", "invalid input syntax"),
        ("small", "1.5", "invalid input syntax"),
        ("yes", "2", "invalid input syntax"),
        ("exact", "1e9", "overflow"),
        ("words", "'abcdef'", "too long"),
        ("words", "x'61'", "it is a blob"),
        ("long", "CAST(x'ff' AS TEXT)", "invalid byte sequence"),
        ("long", "CAST(x'610062' AS TEXT)", "invalid byte sequence"),
        ("bytes", "5", "no bytes"),
        ("made", "1709251199", "no date or time"),
        ("made", "'yesterday week'", "invalid input syntax"),
        ("made", "'2024-02-30'", "out of range"),
        ("day", "20240229", "no date or time"),
        ("j", "'{'", "invalid input syntax"),
        ("ident", "'1234'", "invalid input syntax"),
        ("list", "'[1]'", "malformed array literal"),
        ("must", "'no'", "violates check constraint"),
    ]
    .into_iter()
    .enumerate()
    {
        let file = folder.path().join(format!("{at}.db"));
        let rows = format!(
            "WITH n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 500) INSERT INTO kinds (id) SELECT n FROM n;
             UPDATE kinds SET {column} = {value} WHERE id IN (377, 400)"
        );
        kinds(&file, &rows).await;
        let refused = adopt_file(&target, ACME, &file).await.unwrap_err();
        let AdoptError::Row { table, message, .. } = &refused else { panic!("{column} {value}: {refused}") };
        assert_eq!(table, "kinds");
        let place = if column == "must" { "row 377: ".to_owned() } else { format!("column {column} of row 377: ") };
        assert!(message.starts_with(&place) && message.contains(says), "{column} {value}: {message}");
        assert!(target.left(ACME).await.is_empty());
    }
    let file = folder.path().join("key.db");
    kinds(&file, "INSERT INTO keyed VALUES ('a', 1, ''), ('b', 'many', '')").await;
    let refused = adopt_file(&target, ACME, &file).await.unwrap_err().to_string();
    assert!(refused.contains("a row of keyed") && refused.contains("column n of row 'b', 'many': "), "{refused}");
}

#[tokio::test]
async fn a_file_with_other_tables_is_refused() {
    let (target, folder) = (Target::new(KINDS).await, TempDir::new().unwrap());
    let file = folder.path().join("other.db");
    let change =
        "ALTER TABLE kinds DROP COLUMN j; ALTER TABLE kinds ADD more TEXT; DROP TABLE keyed; CREATE TABLE extra (a)";
    kinds(&file, change).await;
    let refused = adopt_file(&target, ACME, &file).await.unwrap_err();
    assert!(refused.is_before_all());
    let AdoptError::Schema(differences) = refused else { panic!("{refused}") };
    let shown: Vec<_> = differences
        .iter()
        .map(|difference| format!("{}: {:?} {:?}", difference.object, difference.only_source, difference.only_shared))
        .collect();
    let expected = [
        r#"table kinds: ["column more"] ["column j"]"#,
        r#"table extra: ["all of it"] []"#,
        r#"table keyed: [] ["all of it"]"#,
    ];
    assert_eq!(shown, expected);
    let missing = adopt_file(&target, ACME, Path::new("nowhere.db")).await.unwrap_err();
    assert!(missing.is_before_all() && missing.to_string().contains("does not exist"), "{missing}");
}

#[tokio::test]
async fn a_file_that_changes_meanwhile_is_refused() {
    let (target, folder) = (Target::new(KINDS).await, TempDir::new().unwrap());
    let file = folder.path().join("busy.db");
    kinds(&file, "INSERT INTO keyed VALUES ('a', 1, '')").await;
    let mut left = 1;
    let how = AdoptOptions::default().on_progress(|progress| {
        if progress.table == "keyed" && left > 0 {
            left -= 1;
            let file = file.clone();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(instance_of(&file, "INSERT INTO countries VALUES ('ch')"));
                });
            });
        }
        ControlFlow::Continue(())
    });
    let refused = adopt(&target.options, &tenant(ACME), &Instance::Sqlite(file.clone()), how).await.unwrap_err();
    assert!(matches!(refused, AdoptError::Changed(_)), "{refused}");
    assert!(target.left(ACME).await.is_empty());
    adopt_file(&target, ACME, &file).await.unwrap();
}

async fn open(file: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(file).connect().await.unwrap()
}
