//! Types and functions of the application's schema and of extensions.

use super::{becomes, refused};

#[test]
fn types_and_functions_of_the_schema_pass() {
    for text in [
        "SELECT 'ok'::mood, '{ok}'::mood[], CAST('ok' AS public.mood), NULL::\"mood\"",
        "SELECT ROW('a', 'b')::address, NULL::users, CAST(NULL AS public.users)",
        "SELECT * FROM jsonb_to_recordset('[]') AS x(a mood, b address[], c users)",
        "SELECT similarity('a', 'b'), public.word_similarity('a', 'b'), 'a' % 'b', 'a' <-> 'b'",
        "SELECT 'a'::citext = 'A', uuid_generate_v4(), public.uuid_nil()",
        "SELECT 'users'::regclass, 'int4'::regtype::oid, 23::oid::regtype::text, 'a'::\"char\", 'x'::name, to_regclass('users')",
    ] {
        becomes(text, text);
    }
}

#[test]
fn what_is_not_known_is_refused() {
    for (code, text) in [
        ("S02", "SELECT NULL::nothing"),
        ("S02", "SELECT NULL::other.mood"),
        ("S02", "SELECT NULL::tenantry_shared.users"),
        ("S02", "SELECT NULL::pg_catalog.pg_class"),
        ("S02", "SELECT NULL::pg_class"),
        ("S02", "SELECT '1'::hstore"),
        ("S02", "SELECT 'x'::regrole"),
        ("S02", "SELECT 'x'::users.name%TYPE"),
        ("S02", "SELECT public.mood 'ok'::pg_catalog.mood"),
        ("S04", "SELECT NULL::_tenantry"),
        // Of an extension that is not installed, or that is not known to be harmless.
        ("S09", "SELECT crypt('a', 'b')"),
        ("S09", "SELECT public.levenshtein('a', 'b')"),
        ("S09", "SELECT other.similarity('a', 'b')"),
        ("S09", "SELECT pg_catalog.similarity('a', 'b')"),
        ("S09", "SELECT set_limit(0.1)"),
        ("S09", "SELECT crosstab('select 1')"),
    ] {
        refused(code, text);
    }
}
