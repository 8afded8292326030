//! Tables and values of all kinds arrive as they were.

use std::fs;

use tenantry_resource::within;

use super::*;

/// Tables of every form, and values of every class, in columns of every affinity.
const ODD: &str = r#"
CREATE TABLE plain (a, "b ""quoted""" TEXT, c INTEGER, d REAL, e NUMERIC, f BLOB);
INSERT INTO plain VALUES
    (1, '1', 1, 1, 1, 1), (1.0, 1.0, 1.0, 1.0, 1.0, 1.0), ('1', '1', '1', '1', '1', '1'), (x'31', x'31', x'31', x'31', x'31', x'31'),
    (NULL, NULL, NULL, NULL, NULL, NULL), (-0.0, -0.0, -0.0, -0.0, -0.0, -0.0), (9e999, 9e999, 9e999, 9e999, 9e999, 9e999),
    (9007199254740993, 9007199254740993, 9007199254740993, 9007199254740993, 9007199254740993, 9007199254740993),
    (-9223372036854775808, 'x', 'x', 'x', 'x', ''), (9223372036854775807, '', x'', x'', x'', x''),
    (CAST(x'ff00fe' AS TEXT), CAST(x'c3' AS TEXT), CAST(x'00' AS TEXT), 0.1, 1e308, 5e-324), (zeroblob(100000), hex(zeroblob(9000)), 0, 0, 0, 0);
DELETE FROM plain WHERE rowid IN (2, 5);
INSERT INTO plain (rowid, a) VALUES (-7, 'negative'), (4611686018427387904, 'far');
CREATE TABLE "Select" ("from" INTEGER PRIMARY KEY, "_rowid" TEXT, rowid TEXT, double AS (length(rowid) * 2), kept AS (upper(rowid)) STORED);
INSERT INTO "Select" ("from", "_rowid", rowid) VALUES (-5, 'x', 'shadow'), (0, 'y', 'zero'), (9, 'z', 'nine');
CREATE TABLE hides (rowid TEXT, _rowid_ INTEGER);
INSERT INTO hides (oid, rowid, _rowid_) VALUES (5, 'five', 50), (7, 'seven', 70);
CREATE TABLE keyed (word TEXT COLLATE NOCASE, n INT, extra, PRIMARY KEY (word COLLATE BINARY, n)) WITHOUT ROWID;
INSERT INTO keyed VALUES ('a', 2, 'x'), ('A', 1, 'y'), ('a', 1, 'z'), ('b', 0, NULL), ('B', 9, 1.5), ('é', 3, x'00');
CREATE TABLE backwards (a INT, b INT, PRIMARY KEY (a DESC, b)) WITHOUT ROWID;
INSERT INTO backwards VALUES (1, 1), (1, 2), (2, 1), (3, 5), (3, 4);
CREATE TABLE blobs (k BLOB PRIMARY KEY) WITHOUT ROWID;
INSERT INTO blobs VALUES (x'00'), ('text'), (1), (1.5), (x'ff'), ('TEXT'), (-3);
CREATE TABLE exact (i INT, t TEXT NOT NULL, r REAL, b BLOB, y ANY) STRICT;
INSERT INTO exact VALUES (1, '1', 1, x'01', 1), (NULL, '', NULL, NULL, '1'), (2, 'b', 2.5, x'', 1.0);
CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, up INTEGER REFERENCES counted ON DELETE CASCADE);
INSERT INTO counted (id) VALUES (3), (40); UPDATE counted SET up = 40 WHERE id = 3; DELETE FROM counted WHERE id = 40 AND 0;
INSERT INTO counted (id) VALUES (1000); DELETE FROM counted WHERE id = 1000;
CREATE TABLE never (id INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE bare (x);
CREATE TABLE descending (id INTEGER PRIMARY KEY DESC, t);
INSERT INTO descending (id, t) VALUES (3, 'c'), (NULL, 'null'), (1, 'a');
CREATE UNIQUE INDEX partial ON plain (a) WHERE a > 10;
CREATE INDEX expression ON exact (t || i);
"#;

const ODD_TABLES: &[&str] = &[
    "SELECT rowid, *, typeof(a), typeof(c), typeof(e) FROM plain ORDER BY rowid",
    "SELECT * FROM \"Select\" ORDER BY \"from\"",
    "SELECT oid, * FROM hides ORDER BY oid",
    "SELECT * FROM keyed ORDER BY word COLLATE BINARY, n",
    "SELECT * FROM backwards ORDER BY a, b",
    "SELECT *, typeof(k) FROM blobs ORDER BY k",
    "SELECT rowid, *, typeof(y) FROM exact ORDER BY rowid",
    "SELECT * FROM counted ORDER BY id",
    "SELECT rowid, * FROM bare",
    "SELECT rowid, * FROM descending ORDER BY rowid",
    "INSERT INTO counted DEFAULT VALUES RETURNING id",
    "INSERT INTO never DEFAULT VALUES RETURNING id",
    "INSERT INTO plain DEFAULT VALUES RETURNING rowid",
    "INSERT INTO hides DEFAULT VALUES RETURNING oid",
];

#[tokio::test]
async fn odd_values_and_tables_arrive_as_they_were() {
    for batch_rows in [1, 2, 3, 1000] {
        let deployment = Deployment::new();
        let file = deployment.file("odd");
        instance_of(&file, ODD).await;
        for id in [ACME, GLOBEX, 3] {
            let adopted = deployment.adopt_with(id, &file, batch_rows).await.unwrap();
            assert_eq!(adopted.tables.len(), 11);
        }
        for id in [ACME, GLOBEX, 3] {
            let copy = deployment.file("copy");
            fs::copy(&file, &copy).unwrap();
            let mut instance = instance(&copy).await;
            within(deployment.scope(id), async {
                for statement in ODD_TABLES {
                    let ours = rows(&deployment.pool, statement).await;
                    assert_eq!(ours, rows(&mut instance, statement).await, "{statement}");
                }
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_checksum_tells_storage_classes_apart() {
    let deployment = Deployment::new();
    let mut checksums = std::collections::HashSet::new();
    let values =
        ["1", "1.0", "'1'", "x'31'", "NULL", "0.0", "-1.0", "''", "x''", "'a'", "'A'", "1.0000000000000002", "2"];
    for (at, value) in values.iter().enumerate() {
        let file = deployment.file(&format!("source{at}"));
        instance_of(&file, &format!("CREATE TABLE t (v); INSERT INTO t VALUES ({value}), ('same')")).await;
        // Nothing is in the way of many tenants that have one source each.
        let mut tenant = tenant(GLOBEX);
        tenant.id = TenantId::new(100 + i64::try_from(at).unwrap());
        let adopted = adopt(&deployment.options(), &tenant, &file, AdoptOptions::default()).await.unwrap();
        checksums.insert(adopted.tables[0].checksum.clone());
    }
    assert_eq!(checksums.len(), values.len());
}
