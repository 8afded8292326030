//! R-CATALOG: questions about the schema, as libraries ask them.

use tenantry_sql::{CATALOGS, Effect, INFORMATION_SCHEMA};

use super::{becomes, refused, rewriter};

/// What sqlx, SeaORM, Django, SQLAlchemy and ActiveRecord ask, with values in the place of parameters.
const ASKED: &[&str] = &[
    // sqlx.
    r##"SELECT typname, typtype, typcategory, typrelid, typelem, typbasetype FROM pg_catalog.pg_type WHERE oid = 23"##,
    r##"SELECT pg_type.oid, pg_type.oid::regtype::text pretty_name, typname catalog_name, NULLIF(typelem, 0::oid) typelem, rngsubtype, COALESCE((SELECT array_agg(enumlabel) FROM (SELECT * FROM pg_catalog.pg_enum WHERE enumtypid = pg_type.oid ORDER BY enumsortorder) labels), '{}') enum_labels, COALESCE((SELECT array_agg((attname, atttypid)) FROM (SELECT * FROM pg_catalog.pg_attribute WHERE attrelid = pg_type.typrelid AND NOT attisdropped AND attnum > 0 ORDER BY attnum) attributes), '{}') record_attributes FROM (SELECT DISTINCT ON(lookup_oid) original_name, lookup_oid FROM (VALUES ('mood', 'mood'::regtype::oid)) lookup(original_name, lookup_oid)) l INNER JOIN pg_catalog.pg_type ON pg_type.oid = lookup_oid LEFT JOIN pg_catalog.pg_range ON pg_range.rngtypid = pg_type.oid"##,
    r##"SELECT attrelid table_oid, attrelid::regclass::text table_name, array_agg(ROW(attnum, attname)) AS columns FROM (VALUES ('users'::regclass::oid, 1)) lookup(table_oid, attribute_num) INNER JOIN pg_catalog.pg_attribute ON lookup.table_oid = attrelid AND lookup.attribute_num = attnum GROUP BY attrelid"##,
    r##"SELECT exists(SELECT 1 from pg_database WHERE datname = 'b')"##,
    // SeaORM.
    r##"SELECT "table_name", "user_defined_type_schema", "user_defined_type_name" FROM "information_schema"."tables" WHERE "table_schema" = 'public' AND "table_type" = 'BASE TABLE' AND "table_name" NOT IN (SELECT "pg_class"."relname" FROM "pg_inherits" JOIN "pg_class" ON "pg_inherits"."inhrelid" = "pg_class"."oid" AND "pg_class"."relkind" IN ('r', 't', 'v', 'm', 'f', 'p')) ORDER BY 1 LIMIT 2"##,
    r##"SELECT "column_name", "data_type", "column_default", "is_nullable", CONCAT('"', udt_name, '"')::regtype::text AS "udt_name_regtype" FROM "information_schema"."columns" WHERE "table_schema" = 'public' AND "table_name" = 'users' ORDER BY ordinal_position"##,
    r##"SELECT "table_constraints"."constraint_name", "check_constraints"."check_clause", "key_column_usage"."column_name" FROM "information_schema"."table_constraints" LEFT JOIN "information_schema"."check_constraints" ON "table_constraints"."constraint_name" = "check_constraints"."constraint_name" LEFT JOIN "information_schema"."key_column_usage" ON "table_constraints"."constraint_name" = "key_column_usage"."constraint_name" AND "table_constraints"."table_name" = "key_column_usage"."table_name" LEFT JOIN (SELECT DISTINCT "referential_constraints"."constraint_name", "constraint_column_usage"."column_name" FROM "information_schema"."referential_constraints" LEFT JOIN "information_schema"."constraint_column_usage" ON "referential_constraints"."constraint_name" = "constraint_column_usage"."constraint_name") AS "rcsq" ON "table_constraints"."constraint_name" = "rcsq"."constraint_name" WHERE "table_constraints"."table_schema" = 'public' AND "table_constraints"."table_name" = 'users'"##,
    r##"SELECT "idx"."relname", "insp"."nspname", "tbl"."relname", "col"."attname", "pg_index"."indpred" IS NOT NULL AS "partially" FROM "pg_index" JOIN "pg_class" AS "idx" ON "idx"."oid" = "pg_index"."indexrelid" JOIN "pg_namespace" AS "insp" ON "insp"."oid" = "idx"."relnamespace" JOIN "pg_class" AS "tbl" ON "tbl"."oid" = "pg_index"."indrelid" JOIN "pg_namespace" AS "tnsp" ON "tnsp"."oid" = "tbl"."relnamespace" JOIN "pg_attribute" AS "col" ON "col"."attrelid" = "tbl"."oid" JOIN LATERAL (SELECT generate_subscripts(pg_index.indkey, 1) AS "subscript") AS "sub" ON "col"."attnum" = (pg_index.indkey[sub.subscript]) WHERE "pg_index"."indisunique" = TRUE AND "pg_index"."indisprimary" = FALSE AND "tbl"."relname" = 'users' AND "tnsp"."nspname" = 'public' ORDER BY "pg_index"."indexrelid" ASC, "sub"."subscript" ASC"##,
    r##"SELECT "pg_type"."typname", "pg_enum"."enumlabel" FROM "pg_type" INNER JOIN "pg_enum" ON "pg_enum"."enumtypid" = "pg_type"."oid" INNER JOIN "pg_namespace" ON "pg_namespace"."oid" = "pg_type"."typnamespace" WHERE "pg_namespace"."nspname" = 'public' ORDER BY "pg_enum"."enumsortorder" ASC"##,
    r##"SELECT CURRENT_SCHEMA, current_schema(), current_database(), CURRENT_CATALOG"##,
    r##"SELECT COUNT(*) > 0 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'seaql_migrations'"##,
    // Django.
    r##"SELECT c.relname, CASE WHEN c.relispartition THEN 'p' WHEN c.relkind IN ('m', 'v') THEN 'v' ELSE 't' END, obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1 LIMIT 2"##,
    r##"SELECT a.attname AS column_name, NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable, pg_get_expr(ad.adbin, ad.adrelid) AS column_default, CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation, a.attidentity != '' AS is_autofield, col_description(a.attrelid, a.attnum) AS column_comment FROM pg_attribute a LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum LEFT JOIN pg_collation co ON a.attcollation = co.oid JOIN pg_type t ON a.atttypid = t.oid JOIN pg_class c ON a.attrelid = c.oid JOIN pg_namespace n ON c.relnamespace = n.oid WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND c.relname = 'users' AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid)"##,
    r##"SELECT s.relname AS sequence_name, a.attname AS colname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass JOIN pg_attribute a ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum JOIN pg_class tbl ON tbl.oid = d.refobjid AND tbl.relname = 'users' AND pg_catalog.pg_table_is_visible(tbl.oid) WHERE s.relkind = 'S'"##,
    r##"SELECT a1.attname, c2.relname, a2.attname FROM pg_constraint con LEFT JOIN pg_class c1 ON con.conrelid = c1.oid LEFT JOIN pg_class c2 ON con.confrelid = c2.oid LEFT JOIN pg_attribute a1 ON c1.oid = a1.attrelid AND a1.attnum = con.conkey[1] LEFT JOIN pg_attribute a2 ON c2.oid = a2.attrelid AND a2.attnum = con.confkey[1] WHERE c1.relname = 'lines' AND con.contype = 'f' AND pg_catalog.pg_table_is_visible(c1.oid)"##,
    r##"SELECT c.conname, array(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx) JOIN pg_attribute AS ca ON cols.colid = ca.attnum WHERE ca.attrelid = c.conrelid ORDER BY cols.arridx), c.contype, (SELECT fkc.relname || '.' || fka.attname FROM pg_attribute AS fka JOIN pg_class AS fkc ON fka.attrelid = fkc.oid WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]), cl.reloptions FROM pg_constraint AS c JOIN pg_class AS cl ON c.conrelid = cl.oid WHERE cl.relname = 'lines' AND pg_catalog.pg_table_is_visible(cl.oid)"##,
    r##"SELECT indexname, array_agg(attname ORDER BY arridx), indisunique, indisprimary, array_agg(ordering ORDER BY arridx), amname, exprdef, s2.attoptions FROM (SELECT c2.relname as indexname, idx.*, attr.attname, am.amname, CASE WHEN idx.indexprs IS NOT NULL THEN pg_get_indexdef(idx.indexrelid) END AS exprdef, CASE am.amname WHEN 'btree' THEN CASE (option & 1) WHEN 1 THEN 'DESC' ELSE 'ASC' END END as ordering, c2.reloptions as attoptions FROM (SELECT * FROM pg_index i, unnest(i.indkey, i.indoption) WITH ORDINALITY koi(key, option, arridx)) idx LEFT JOIN pg_class c ON idx.indrelid = c.oid LEFT JOIN pg_class c2 ON idx.indexrelid = c2.oid LEFT JOIN pg_am am ON c2.relam = am.oid LEFT JOIN pg_attribute attr ON attr.attrelid = c.oid AND attr.attnum = idx.key WHERE c.relname = 'users' AND pg_catalog.pg_table_is_visible(c.oid)) s2 GROUP BY indexname, indisunique, indisprimary, amname, exprdef, attoptions"##,
    // SQLAlchemy.
    r##"select pg_catalog.version()"##,
    r##"SELECT pg_catalog.pg_class.relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relname = 'users' AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p', 'f', 'v', 'm'])"##,
    r##"SELECT pg_catalog.pg_attribute.attname AS name, pg_catalog.format_type(pg_catalog.pg_attribute.atttypid, pg_catalog.pg_attribute.atttypmod) AS format_type, (SELECT pg_catalog.pg_get_expr(pg_catalog.pg_attrdef.adbin, pg_catalog.pg_attrdef.adrelid) AS pg_get_expr_1 FROM pg_catalog.pg_attrdef WHERE pg_catalog.pg_attrdef.adrelid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attrdef.adnum = pg_catalog.pg_attribute.attnum AND pg_catalog.pg_attribute.atthasdef) AS "default", pg_catalog.pg_attribute.attnotnull AS not_null FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_attribute ON pg_catalog.pg_class.oid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attribute.attnum > 0 AND NOT pg_catalog.pg_attribute.attisdropped WHERE pg_catalog.pg_class.relname IN ('users') AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_attribute.attnum"##,
    r##"SELECT attr.conrelid, array_agg(CAST(attr.attname AS TEXT) ORDER BY attr.ord) AS cols, attr.conname FROM (SELECT con.conrelid AS conrelid, con.conname AS conname, pg_catalog.pg_attribute.attname AS attname, con.ord AS ord FROM pg_catalog.pg_attribute JOIN (SELECT pg_catalog.pg_constraint.conrelid AS conrelid, pg_catalog.pg_constraint.conname AS conname, unnest(pg_catalog.pg_constraint.conkey) AS attnum, generate_subscripts(pg_catalog.pg_constraint.conkey, 1) AS ord FROM pg_catalog.pg_constraint WHERE pg_catalog.pg_constraint.contype = 'p' AND pg_catalog.pg_constraint.conrelid IN ('users'::regclass)) AS con ON pg_catalog.pg_attribute.attnum = con.attnum AND pg_catalog.pg_attribute.attrelid = con.conrelid) AS attr GROUP BY attr.conrelid, attr.conname"##,
    // ActiveRecord.
    r##"SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid WHERE t.typname IN ('int2', 'mood')"##,
    r##"SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment, attidentity AS identity, attgenerated as attgenerated FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation WHERE a.attrelid = '"users"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"##,
    r##"SELECT a.attname FROM (SELECT indrelid, indkey, generate_subscripts(indkey, 1) idx FROM pg_index WHERE indrelid = '"users"'::regclass AND indisprimary) i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[i.idx] ORDER BY i.idx"##,
    r##"SELECT c.relname FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY (current_schemas(false)) AND c.relkind IN ('r','v','m','p','f') AND c.relname = 'users'"##,
    r##"SELECT distinct i.relname, d.indisunique, d.indkey, pg_get_indexdef(d.indexrelid), pg_catalog.obj_description(i.oid, 'pg_class') AS comment, d.indisvalid FROM pg_class t INNER JOIN pg_index d ON t.oid = d.indrelid INNER JOIN pg_class i ON d.indexrelid = i.oid LEFT JOIN pg_namespace n ON n.oid = t.relnamespace WHERE i.relkind IN ('i', 'I') AND t.relname = 'users' AND n.nspname = ANY (current_schemas(false)) ORDER BY i.relname"##,
    r##"SELECT t2.oid::regclass::text AS to_table, a1.attname AS column, a2.attname AS primary_key, c.conname AS name, c.confupdtype AS on_update, c.confdeltype AS on_delete, c.convalidated AS valid, c.condeferrable AS deferrable FROM pg_constraint c JOIN pg_class t1 ON c.conrelid = t1.oid JOIN pg_class t2 ON c.confrelid = t2.oid JOIN pg_attribute a1 ON a1.attnum = c.conkey[1] AND a1.attrelid = t1.oid JOIN pg_attribute a2 ON a2.attnum = c.confkey[1] AND a2.attrelid = t2.oid JOIN pg_namespace t3 ON c.connamespace = t3.oid WHERE c.contype = 'f' AND t1.relname = 'lines' AND t3.nspname = ANY (current_schemas(false)) ORDER BY c.conname"##,
];

#[test]
fn libraries_get_answers_about_the_application() {
    for text in ASKED {
        let plan = rewriter().scope(text).unwrap_or_else(|refused| panic!("{text}: {refused}"));
        assert_eq!((plan.effect, plan.tenant), (Effect::Read, None), "{text}");
        // Names of views stand where relations are read; elsewhere there are functions and the names of columns' tables.
        for word in [" FROM pg_", " JOIN pg_", " FROM information_schema", " JOIN \"information_schema", " FROM \"pg_"]
        {
            assert!(!plan.text.contains(word), "{}", plan.text);
        }
    }
}

#[test]
fn views_stand_for_the_catalogs() {
    for (text, expected) in [
        ("SELECT * FROM pg_class", r#"SELECT * FROM "tenantry_catalog"."pg_class" AS "pg_class""#),
        (
            "SELECT pg_catalog.pg_class.oid, c.relname FROM pg_catalog.pg_class, pg_class c",
            r#"SELECT pg_class.oid, c.relname FROM "tenantry_catalog"."pg_class" AS "pg_class", "tenantry_catalog"."pg_class" c"#,
        ),
        (
            "SELECT information_schema.tables.table_name FROM information_schema.tables",
            r#"SELECT tables.table_name FROM "tenantry_catalog"."information_schema_tables" AS "tables""#,
        ),
        (
            "SELECT c.relname, u.id FROM pg_class c, users u WHERE u.name = c.relname",
            "SELECT c.relname, u.id FROM \"tenantry_catalog\".\"pg_class\" c, {users} u WHERE u.name = c.relname",
        ),
        // A common table expression hides it, unless it is qualified.
        ("WITH pg_class AS (SELECT 1) SELECT * FROM pg_class", "WITH pg_class AS (SELECT 1) SELECT * FROM pg_class"),
        (
            "WITH pg_class AS (SELECT 1) SELECT * FROM pg_catalog.pg_class",
            r#"WITH pg_class AS (SELECT 1) SELECT * FROM "tenantry_catalog"."pg_class" AS "pg_class""#,
        ),
    ] {
        becomes(text, expected);
    }
    for name in CATALOGS {
        rewriter().scope(&format!("SELECT * FROM {name}, pg_catalog.{name} x")).unwrap();
    }
    for name in INFORMATION_SCHEMA {
        rewriter().scope(&format!("SELECT * FROM information_schema.{name}")).unwrap();
    }
}

#[test]
fn what_shows_others_is_refused() {
    for relation in [
        "pg_authid",
        "pg_catalog.pg_authid",
        "pg_shadow",
        "pg_roles",
        "pg_stat_activity",
        "pg_stat_user_tables",
        "pg_stats",
        "pg_statistic",
        "pg_catalog.pg_statistic",
        "pg_locks",
        "pg_largeobject",
        "pg_settings",
        "pg_sequences",
        "pg_prepared_statements",
        "pg_cursors",
        "pg_policies",
        "pg_catalog.users",
        "information_schema.enabled_roles",
        "information_schema.users",
        "tables",
    ] {
        refused("S03", &format!("SELECT * FROM {relation}"));
    }
    refused("S03", "DELETE FROM pg_catalog.pg_class");
    refused("S03", "INSERT INTO information_schema.tables VALUES (1)");
    refused("S06", "SELECT xmin FROM pg_class");
    for call in ["pg_stat_get_activity(1)", "pg_relation_size('users')", "pg_sequence_last_value(1)", "pg_ls_dir('.')"]
    {
        refused("S09", &format!("SELECT {call}"));
    }
}
