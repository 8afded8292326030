//! V1 and V2: leaves, and what else may be read.

use super::*;

#[test]
fn reads_of_leaves() {
    for text in [
        "SELECT * FROM {users} AS users",
        "SELECT u.* FROM {users} u",
        "SELECT count(*) FROM {users} AS u JOIN {notes} AS n ON n.user_id = u.id LEFT JOIN {notes} AS m USING (id)",
        "SELECT 1 FROM {users} AS u, {notes} AS n NATURAL JOIN {logs} AS l CROSS JOIN {logs} AS k",
        "SELECT 1 FROM ({users} AS u FULL JOIN {notes} AS n ON 1) AS j",
        "SELECT 1 FROM (SELECT * FROM {users} AS u) AS v",
        "SELECT id FROM {users} AS a UNION SELECT id FROM {notes} AS b EXCEPT VALUES (1), (2) ORDER BY 1 LIMIT 2 OFFSET 1",
        "SELECT rank() OVER w FROM {users} AS u WINDOW w AS (PARTITION BY id ORDER BY name ROWS 1 PRECEDING)",
        "SELECT CAST(id AS VARCHAR(10)), name COLLATE nocase, name ->> '$.x', +id, id IS NOT NULL FROM {users} AS u",
        "SELECT count(DISTINCT name), group_concat(name, ',' ORDER BY id) FILTER (WHERE id > 1) FROM {users} AS u",
        "SELECT 1 IN (SELECT * FROM {users} AS users), EXISTS (SELECT 1 FROM {users} AS u)",
        "VALUES (1, '_tenant'), (2, 'x')",
        "SELECT '_tenant' AS x FROM {users} AS u WHERE name LIKE '_tenant%' AND name GLOB 'a*'",
        r#"SELECT 1 FROM (SELECT "id", "name" FROM "main"."users" INDEXED BY "i" WHERE "users"."_tenant" = ?9) AS u"#,
        "SELECT 1 FROM (select [id], `name` from MAIN.Users where USERS._TENANT == ?9) AS u",
    ] {
        accept(text);
    }
}

#[test]
fn the_hidden_row_id() {
    for text in [
        "SELECT l._tenant_rowid_1, _TENANT_ROWID_1, line FROM {logs+} AS l ORDER BY [_tenant_rowid_1]",
        "SELECT (SELECT l._tenant_rowid_1) FROM {logs+} AS l",
        "SELECT l.\"_tenant_rowid_1\" AS rowid FROM {logs+} AS l",
    ] {
        accept(text);
    }
    refuse(
        "row id: no leaf",
        &["SELECT l._tenant_rowid_2 FROM {logs+} AS l", "SELECT _tenant_rowid_1 FROM {logs} AS l"],
    );
    refuse("row id: two", &["SELECT 1 FROM {logs+} AS l, {logs+} AS m"]);
    refuse(
        "name: it is reserved",
        &[
            "SELECT l._tenant_rowid FROM {logs+} AS l",
            "SELECT _tenant_rowid_1x FROM {logs+} AS l",
            "SELECT _tenant_rowid_ FROM {logs+} AS l",
            "SELECT '_tenant_rowid_1'.line FROM {logs+} AS l",
            "SELECT l.'_tenant_rowid_1' FROM {logs+} AS l",
            "SELECT line AS _tenant_rowid_1 FROM {logs+} AS l",
            "SELECT line FROM {logs+} AS l JOIN {logs} AS m USING (_tenant_rowid_1)",
        ],
    );
    refuse(
        "leaf: it shows more",
        &[
            "SELECT 1 FROM (SELECT id, name, _tenant_rowid AS _tenant_rowid_1 FROM main.users WHERE users._tenant = ?9) AS u",
            "SELECT 1 FROM (SELECT line, _tenant_rowid FROM main.logs WHERE logs._tenant = ?9) AS u",
            "SELECT 1 FROM (SELECT line, _tenant AS _tenant_rowid_1 FROM main.logs WHERE logs._tenant = ?9) AS u",
            "SELECT 1 FROM (SELECT line, _tenant_rowid AS id FROM main.logs WHERE logs._tenant = ?9) AS u",
            "SELECT 1 FROM (SELECT line, '_tenant_rowid' AS _tenant_rowid_1 FROM main.logs WHERE logs._tenant = ?9) AS u",
        ],
    );
}

#[test]
fn a_leaf_has_the_columns_of_the_table() {
    let leaf =
        |columns: &str| format!("SELECT 1 FROM (SELECT {columns} FROM main.users WHERE users._tenant = ?9) AS u");
    accept(&leaf("id, name"));
    refuse("leaf: a column is missing", &[&leaf("id")]);
    refuse("leaf: it shows more", &[&leaf("id, name, _tenant"), &leaf("id, name, id"), &leaf("id, name, *")]);
    for columns in ["name, id", "id, 'name'", "id, name AS name", "id, users.name", "id, body", "*, name", "id, (name)"]
    {
        refuse("leaf: a column is not", &[&leaf(columns)]);
    }
    refuse("leaf: a column is not", &[&leaf("id, _tenant"), &leaf("users.*, name"), &leaf("id, upper(name)")]);
}

#[test]
fn a_leaf_is_guarded_and_nothing_else() {
    let leaf = |rest: &str| format!("SELECT 1 FROM (SELECT id, name FROM main.users {rest}) AS u");
    accept(&leaf("WHERE users._tenant = ?9"));
    for guard in [
        "WHERE users._tenant = ?8",
        "WHERE users._tenant = 9",
        "WHERE users._tenant = ?9 + 0",
        "WHERE users._tenant = (?9)",
        "WHERE (users._tenant = ?9)",
        "WHERE ?9 = users._tenant",
        "WHERE users._tenant = users._tenant",
        "WHERE users._tenant = ?9 OR 1",
        "WHERE users._tenant = ?9 AND 1",
        "WHERE users._tenant = ?9 AND (id = 1)",
        "WHERE users._tenant <> ?9",
        "WHERE users._tenant IS ?9",
        "WHERE users._tenant >= ?9",
        "WHERE NOT users._tenant = ?9",
        "WHERE users._tenant = ?9 IS NOT NULL",
        "WHERE users._tenant = ?9 COLLATE nocase",
        "WHERE users._tenant IN (?9)",
        "WHERE _tenant = ?9",
        "WHERE u._tenant = ?9",
        "WHERE main.users._tenant = ?9",
        "WHERE users.id = ?9",
        "WHERE users.'_tenant' = ?9",
        "WHERE 'users'._tenant = ?9",
        "WHERE '_tenant' = ?9",
        "WHERE 1",
    ] {
        refuse("leaf: WHERE is not", &[&leaf(guard)]);
    }
    for rest in [
        "",
        "AS u WHERE u._tenant = ?9",
        "AS users WHERE users._tenant = ?9",
        "NOT INDEXED WHERE users._tenant = ?9",
        "WHERE users._tenant = ?9 GROUP BY id",
        "WHERE users._tenant = ?9 GROUP BY id HAVING 1",
        "WHERE users._tenant = ?9 HAVING 1",
        "WHERE users._tenant = ?9 WINDOW w AS ()",
        "WHERE users._tenant = ?9 ORDER BY id",
        "WHERE users._tenant = ?9 LIMIT 1",
        "WHERE users._tenant = ?9 UNION SELECT 1, 2",
        ", {users} AS v WHERE users._tenant = ?9",
        "JOIN main.users AS v WHERE users._tenant = ?9",
    ] {
        refuse("leaf: ", &[&leaf(rest)]);
    }
    refuse(
        "leaf: ",
        &[
            "SELECT 1 FROM {users}",
            "SELECT 1 FROM (SELECT DISTINCT id, name FROM main.users WHERE users._tenant = ?9) AS u",
            "SELECT 1 FROM (WITH c AS (SELECT 1) SELECT id, name FROM main.users WHERE users._tenant = ?9) AS u",
        ],
    );
}

#[test]
fn no_tenant_table_is_read_outside_of_a_leaf() {
    refuse(
        "relation: a tenant table",
        &[
            "SELECT id, name FROM main.users WHERE users._tenant = ?9",
            "SELECT (SELECT id FROM main.users WHERE users._tenant = ?9)",
            "SELECT 1 IN (SELECT id FROM main.users WHERE users._tenant = ?9)",
            "SELECT 1 FROM {users} AS u JOIN main.notes AS n ON 1",
            "SELECT 1 FROM {users} AS u LEFT JOIN (main.notes AS n) ON 1",
            "SELECT 1 FROM (SELECT 1 FROM {users} AS u, main.notes) AS v",
            "SELECT 1 FROM (main.users) AS u",
            "WITH c AS (SELECT * FROM main.users) SELECT * FROM c",
            "SELECT 1 UNION SELECT 1 FROM main.users",
        ],
    );
    refuse("leaf: ", &["SELECT 1 FROM (SELECT 1 UNION SELECT 1) AS a, (SELECT * FROM main.users) AS u"]);
    refuse("relation: a view", &["SELECT * FROM main.adults"]);
    refuse("relation: it is not known", &["SELECT * FROM main.x", "SELECT * FROM main.sqlite_master"]);
    refuse(
        "relation: a schema",
        &["SELECT * FROM temp.users", "SELECT * FROM x.users", "SELECT * FROM 'temp'.countries"],
    );
}

#[test]
fn unqualified_names_are_visible_common_table_expressions() {
    for text in [
        "WITH users AS (SELECT * FROM {users} AS users) SELECT * FROM users AS u, users",
        "WITH a AS (SELECT * FROM b), b(x, y) AS MATERIALIZED (SELECT 1, 2) SELECT * FROM a",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5) SELECT x FROM c",
        "WITH a AS (SELECT 1) SELECT (SELECT * FROM (SELECT * FROM a)), 1 IN a, 2 NOT IN \"A\" FROM [a]",
        "WITH a AS (SELECT 1) SELECT * FROM (WITH b AS (SELECT * FROM a) SELECT * FROM b)",
        "WITH 'a' AS (SELECT 1) SELECT * FROM `a`",
    ] {
        accept(text);
    }
    refuse(
        "relation: neither",
        &[
            "SELECT * FROM users",
            "SELECT * FROM \"users\" AS u",
            "SELECT * FROM 'users'",
            "SELECT * FROM sqlite_master",
            "SELECT * FROM pragma_table_info",
            "SELECT * FROM json_each",
            "SELECT * FROM countries",
            "SELECT 1 FROM {users} AS users, users",
            "SELECT 1 IN users",
            "SELECT 1 IN 'users'",
            "SELECT 1 IN users()",
            "SELECT (SELECT * FROM (WITH users AS (SELECT 1) SELECT * FROM users)), (SELECT * FROM users)",
            "WITH a AS (WITH users AS (SELECT 1) SELECT 1), b AS (SELECT * FROM users) SELECT 1",
            "SELECT * FROM (WITH users AS (SELECT 1) SELECT 1) JOIN users",
            "WITH \"us\"\"ers\" AS (SELECT 1) SELECT * FROM users",
        ],
    );
    refuse(
        "expression: IN with a table",
        &["SELECT 1 IN main.users", "WITH users AS (SELECT 1) SELECT 1 IN main.users"],
    );
    refuse(
        "name: it is reserved",
        &["WITH _tenant AS (SELECT 1) SELECT 1", "WITH a('_TENANT') AS (SELECT 1) SELECT * FROM a"],
    );
    refuse(
        "with: more than names",
        &["WITH a(x COLLATE nocase) AS (SELECT 1) SELECT 1", "WITH a(x DESC) AS (SELECT 1) SELECT 1"],
    );
    refuse(
        "from: ",
        &["WITH a AS (SELECT 1) SELECT * FROM a NOT INDEXED", "WITH a AS (SELECT 1) SELECT * FROM a INDEXED BY i"],
    );
}

#[test]
fn global_tables_and_the_catalog() {
    for text in [
        r#"SELECT * FROM "main"."countries" AS c JOIN {users} AS u ON 1"#,
        "SELECT * FROM main.countries INDEXED BY i",
        r#"SELECT * FROM (SELECT "code", "name" FROM "main"."countries") AS c"#,
        r#"SELECT * FROM "main"."_tenantry_master" AS m, main._tenantry_table_info, main._tenantry_index_list"#,
        "SELECT * FROM main._tenantry_index_xinfo, main._tenantry_foreign_key_list, main._tenantry_table_list",
    ] {
        accept(text);
    }
    refuse("from: NOT INDEXED", &["SELECT * FROM main.countries NOT INDEXED"]);
    refuse(
        "relation: it is Tenantry's",
        &[
            "SELECT * FROM main._tenantry_tables",
            "SELECT * FROM main.'_tenantry_sequence'",
            "SELECT * FROM main._tenant",
        ],
    );
    refuse("relation: neither", &["SELECT * FROM _tenantry_master"]);
    refuse("name: a reserved one", &["SELECT * FROM main.'_tenantry_master'"]);
}

#[test]
fn functions_are_those_of_the_list() {
    for text in [
        "SELECT \"COUNT\"(*), coalesce(1, 2), iif(1, 2, 3), last_insert_rowid(), changes(), json_extract('{}', '$')",
        "SELECT value FROM json_each('[1]') AS j, json_tree('[]'), generate_series(1, 2)",
        "SELECT 1 IN json_each('[1]')",
        "SELECT _tenantry_row_id('7'), \"_TENANTRY_NEW_ID\"(3, ?1)",
    ] {
        accept(text);
    }
    refuse(
        "function: it is not known",
        &[
            "SELECT load_extension('x')",
            "SELECT [fts3_tokenizer]('x')",
            "SELECT readfile('x')",
            "SELECT total_changes()",
            "SELECT sqlite_version()",
            "SELECT sqlite_offset(id) FROM {users} AS u",
            "SELECT nosuch(*)",
            "SELECT 'a' MATCH 'b'",
            "SELECT 'a' REGEXP 'b'",
        ],
    );
    refuse(
        "function: a table function",
        &[
            "SELECT * FROM pragma_table_info('users')",
            "SELECT * FROM users(1)",
            "SELECT * FROM dbstat()",
            "SELECT * FROM main.json_each('[]')",
            "SELECT 1 IN pragma_table_list(1)",
            "SELECT 1 IN main.json_each('[]')",
            "SELECT * FROM _tenantry_master()",
        ],
    );
    refuse(
        "function: it is Tenantry's",
        &[
            "SELECT _tenantry_next_id(1)",
            "SELECT _tenantry_row_id()",
            "SELECT _tenantry_row_id(*)",
            "SELECT _tenantry_row_id(1, 2)",
            "SELECT _tenantry_row_id(DISTINCT 1)",
            "SELECT _tenantry_row_id(1) FILTER (WHERE 1)",
            "SELECT _tenantry_row_id(1) OVER ()",
            "SELECT _tenantry_row_id(1 ORDER BY 1)",
            "SELECT _tenantry_new_id(1)",
            "SELECT _tenantry_new_id(?1, 1)",
            "SELECT _tenantry_new_id(1.5, 1)",
            "SELECT _tenantry_new_id(0x1, 1)",
            "SELECT _tenantry_new_id(-1, 1)",
            "SELECT _tenant()",
        ],
    );
}

#[test]
fn reserved_names_are_nowhere_else() {
    refuse(
        "name: it is reserved",
        &[
            "SELECT _tenant FROM {users} AS u",
            "SELECT \"_tenant\" FROM {users} AS u",
            "SELECT u.[_Tenant] FROM {users} AS u",
            "SELECT u.'_tenant' FROM {users} AS u",
            "SELECT _tenant.id FROM {users} AS u",
            "SELECT _tenant.* FROM {users} AS u",
            "SELECT 1 FROM {users} AS _tenantry",
            "SELECT 1 FROM {users} '_tenant'",
            "SELECT 1 FROM ({users} AS u) AS _tenant",
            "SELECT 1 FROM json_each('[]') AS _tenant",
            "SELECT 1 FROM main.countries AS _tenant",
            "SELECT 1 AS _tenant",
            "SELECT 1 '_tenant'",
            "SELECT 1 FROM {users} AS u JOIN {notes} AS n USING (_tenant)",
            "SELECT 1 FROM {users} AS u JOIN {notes} AS n USING ('_tenant')",
            "SELECT 1 COLLATE _tenant",
            "SELECT CAST(1 AS _tenant)",
            "SELECT CAST(1 AS x \"_tenant\")",
            "SELECT 1 WINDOW _tenant AS ()",
            "SELECT sum(1) OVER _tenant",
            "SELECT sum(1) OVER (_tenant)",
            "SELECT 1 FROM main.countries INDEXED BY _tenant",
            "SELECT 1 FROM (SELECT line FROM main.logs INDEXED BY _tenant WHERE logs._tenant = ?9) AS u",
        ],
    );
    refuse("expression: a column with a schema", &["SELECT main.u.id FROM {users} AS u", "SELECT main.u._tenant"]);
    refuse("expression: RAISE", &["SELECT RAISE(IGNORE)", "SELECT RAISE(ABORT, 'x')"]);
}
