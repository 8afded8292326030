//! Failures read as a private database says them.

use sqlx::{error::ErrorKind, sqlite::SqliteError};

use super::{RowIds, Shared, told};

async fn failed(shared: &mut Shared, sql: &str) -> (String, ErrorKind) {
    let error = shared.run(sql).await.unwrap_err();
    let said = told(&error);
    (said.trim_start_matches("error returned from database: ").to_owned(), error.into_database_error().unwrap().kind())
}

#[tokio::test]
async fn the_column_of_the_tenant_is_not_mentioned() {
    let mut shared = Shared::with_tables().await;
    shared.session.own();
    let wide = RowIds { table: "wide", number: 9, column: "id", auto_increment: false };
    let rest = "a, b NOT NULL, c CHECK (c > 0), UNIQUE (_tenant, a, b), \
                FOREIGN KEY (_tenant, a) REFERENCES plain (_tenant, id)";
    shared.create_table(wide, rest).await;
    shared.run("CREATE UNIQUE INDEX lowered ON wide (_tenant, lower(c))").await.unwrap();
    shared.enter(1);
    shared.expect(&["plain", "hidden", "wide"]);
    shared.run("INSERT INTO plain (slug, _tenant) VALUES ('a', 1)").await.unwrap();
    shared.run("INSERT INTO hidden (slug, _tenant) VALUES ('a', 1)").await.unwrap();
    shared.run("INSERT INTO wide (a, b, c, _tenant) VALUES (1, 1, 1, 1)").await.unwrap();
    let unique = ErrorKind::UniqueViolation;
    for (sql, said, kind) in [
        (
            "INSERT INTO plain (slug, _tenant) VALUES ('a', 1)",
            "(code: 2067) UNIQUE constraint failed: plain.slug",
            unique,
        ),
        (
            "INSERT INTO plain (id, _tenant) VALUES (1, 1)",
            "(code: 1555) UNIQUE constraint failed: plain.id",
            ErrorKind::UniqueViolation,
        ),
        (
            "INSERT INTO hidden (_tenant_rowid, _tenant) VALUES (1, 1)",
            "(code: 2579) UNIQUE constraint failed: hidden.rowid",
            ErrorKind::UniqueViolation,
        ),
        (
            "INSERT INTO wide (a, b, _tenant) VALUES (1, 1, 1)",
            "(code: 2067) UNIQUE constraint failed: wide.a, wide.b",
            ErrorKind::UniqueViolation,
        ),
        (
            "INSERT INTO wide (b, c, _tenant) VALUES (5, 1, 1)",
            "(code: 2067) UNIQUE constraint failed: index 'lowered'",
            ErrorKind::UniqueViolation,
        ),
        (
            "INSERT INTO wide (_tenant) VALUES (1)",
            "(code: 1299) NOT NULL constraint failed: wide.b",
            ErrorKind::NotNullViolation,
        ),
        (
            "INSERT INTO wide (b, c, _tenant) VALUES (1, 0, 1)",
            "(code: 275) CHECK constraint failed: c > 0",
            ErrorKind::CheckViolation,
        ),
        (
            "INSERT INTO wide (a, b, _tenant) VALUES (8, 1, 1)",
            "(code: 787) FOREIGN KEY constraint failed",
            ErrorKind::ForeignKeyViolation,
        ),
        ("INSERT INTO plain (id, _tenant) VALUES ('x', 1)", "(code: 20) datatype mismatch", ErrorKind::Other),
        ("UPDATE plain SET id = 'x' WHERE _tenant = 1", "(code: 20) datatype mismatch", ErrorKind::Other),
        (
            "INSERT INTO plain (id, _tenant) VALUES (_tenantry_row_id('x'), 1)",
            "(code: 20) datatype mismatch",
            ErrorKind::Other,
        ),
        ("INSERT INTO plain (slug, _tenant) VALUES ('a', 2, 1)", "(code: 1) 2 values for 1 columns", ErrorKind::Other),
        ("SELEC 1", "(code: 1) near \"SELEC\": syntax error", ErrorKind::Other),
    ] {
        let (found, found_kind) = failed(&mut shared, sql).await;
        assert_eq!(found, said, "{sql}");
        assert_eq!(format!("{found_kind:?}"), format!("{kind:?}"), "{sql}");
    }
}

#[tokio::test]
async fn it_remains_an_error_of_sqlite() {
    let mut shared = Shared::with_tables().await;
    shared.enter(1);
    shared.expect(&["plain"]);
    shared.run("INSERT INTO plain (id, _tenant) VALUES (1, 1)").await.unwrap();
    let error = shared.run("INSERT INTO plain (id, _tenant) VALUES (1, 1)").await.unwrap_err();
    let error = error.into_database_error().unwrap();
    assert_eq!(error.message(), "UNIQUE constraint failed: plain.id");
    assert!(error.try_downcast_ref::<SqliteError>().is_some());
    assert!(error.try_downcast::<SqliteError>().is_ok());
}

#[tokio::test]
async fn a_failure_below_an_id_is_passed_on() {
    let mut shared = Shared::with_tables().await;
    shared.session.own();
    shared.run("DROP TABLE _tenantry_sequence").await.unwrap();
    shared.enter(1);
    let (said, _) = failed(&mut shared, "INSERT INTO auto (slug, _tenant) VALUES ('a', 1)").await;
    assert_eq!(said, "(code: 1) no such table: main._tenantry_sequence");
    shared.session.own();
    shared.run("DROP TABLE _tenantry_tables").await.unwrap();
    shared.enter(1);
    let (said, _) = failed(&mut shared, "INSERT INTO plain (slug, _tenant) VALUES ('a', 1)").await;
    assert_eq!(said, "(code: 1) no such table: main._tenantry_tables");
}
