//! What is set for the connection, and asked of it.

use tenantry_sql::Effect;

use super::{refused, rewriter};

#[test]
fn settings_that_concern_the_application_pass() {
    for (text, outlives) in [
        ("SET client_min_messages TO 'warning'", true),
        ("SET SESSION timezone TO 'UTC'", true),
        ("SET TIME ZONE INTERVAL '1' HOUR TO MINUTE", true),
        ("SET datestyle = iso, mdy", true),
        ("SET statement_timeout TO DEFAULT", true),
        ("RESET TimeZone", true),
        ("SET NAMES 'UTF8'", true),
        ("SET standard_conforming_strings = on", true),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", true),
        ("SET LOCAL lock_timeout = '1s'", false),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", false),
        ("SET CONSTRAINTS ALL DEFERRED", false),
    ] {
        let plan = rewriter().scope(text).unwrap_or_else(|refused| panic!("{text}: {refused}"));
        let expected = (text, Effect::Setting, outlives, false);
        assert_eq!((&*plan.text, plan.effect, plan.outlives_transaction, plan.gives_rows), expected, "{text}");
    }
    for text in [
        "SHOW server_version",
        "SHOW TRANSACTION ISOLATION LEVEL",
        "SHOW TIME ZONE",
        "SHOW max_identifier_length",
        "SELECT current_setting('server_version_num')",
        "SELECT pg_catalog.current_setting('TimeZone', true)",
    ] {
        let plan = rewriter().scope(text).unwrap_or_else(|refused| panic!("{text}: {refused}"));
        assert_eq!((plan.effect, plan.outlives_transaction, plan.gives_rows), (Effect::Read, false, true), "{text}");
    }
}

#[test]
fn what_the_scoping_relies_on_is_pinned() {
    for text in [
        "SET search_path = x",
        "SET LOCAL search_path = x",
        "SET SCHEMA 'x'",
        "SET row_security = off",
        "SET ROLE postgres",
        "SET LOCAL ROLE postgres",
        "RESET ROLE",
        "SET SESSION AUTHORIZATION postgres",
        "SET SESSION AUTHORIZATION DEFAULT",
        "SET standard_conforming_strings = off",
        "SET standard_conforming_strings TO DEFAULT",
        "SET backslash_quote = on",
        "SET client_encoding = 'SJIS'",
        "SET NAMES 'LATIN1'",
        "SET tenantry.tenant = 2",
        "SET LOCAL tenantry.tenant = 2",
        "SET \"Tenantry.Tenant\" = 2",
        "RESET tenantry.tenant",
        "SET session_replication_role = replica",
        "SET TRANSACTION SNAPSHOT '1'",
        "RESET ALL",
        "DISCARD ALL",
        "SHOW all",
        "SHOW tenantry.tenant",
        "SHOW hba_file",
        "SHOW SESSION AUTHORIZATION",
        "SELECT set_config('x', 'y', true)",
        "SELECT set_config('tenantry.tenant', '2', true)",
        "SELECT current_setting('tenantry.tenant')",
        "SELECT current_setting('TENANTRY.TENANT', true)",
        "SELECT current_setting(U&'tenantry\\002etenant')",
        "SELECT current_setting($1)",
        "SELECT current_setting(name) FROM users",
        "SELECT current_setting('tenantry.' || 'tenant')",
    ] {
        refused("S10", text);
    }
    refused("S02", "SET CONSTRAINTS fk DEFERRED");
}
