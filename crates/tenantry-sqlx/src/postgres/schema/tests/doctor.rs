//! Broken walls, one at a time.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{
    super::{super::Ids, Finding, Severity, doctor},
    Home,
};

const SCHEMA: &str = "CREATE TABLE p (id int PRIMARY KEY); \
                      CREATE TABLE t (id int PRIMARY KEY, a text, p int REFERENCES p, CONSTRAINT u UNIQUE (a)); \
                      CREATE INDEX i ON t (p); CREATE TABLE g (id int GENERATED ALWAYS AS IDENTITY, s serial); \
                      CREATE TABLE n (id int GENERATED ALWAYS AS IDENTITY, s serial)";

async fn broken(home: &Home) -> Vec<Finding> {
    let findings = doctor(&mut home.connect().await).await.unwrap();
    findings.into_iter().filter(|finding| finding.severity == Severity::Broken).collect()
}

#[tokio::test]
async fn a_healthy_database_has_no_findings() {
    let home = Home::with(SCHEMA).await;
    assert_eq!(broken(&home).await, []);
}

/// Whether the doctor notices what `damage` does, and whether what it says mends it.
async fn check(damage: &str, says: &str) {
    let mut home = Home::bare().await;
    home.install(&[("*", Ids::PerTenant), ("g", Ids::Gapless)]).await;
    home.migrate(SCHEMA).await.unwrap();
    let role = tenantry_sql::Name::exact(home.application.name.as_str()).quoted().to_string();
    let mut admin = home.admin().await;
    sqlx::raw_sql(AssertSqlSafe(damage.replace("$ROLE", &role))).execute(&mut admin).await.unwrap();
    let findings = broken(&home).await;
    assert!(findings.iter().any(|finding| finding.what.contains(says)), "{damage}: {findings:#?}");
    for finding in findings {
        sqlx::raw_sql(AssertSqlSafe(finding.mend.clone())).execute(&mut admin).await.unwrap_or_else(|error| {
            panic!("{}: {error}", finding.mend);
        });
    }
    let owner = format!("{}_owner", home.database.name());
    // What an administrator makes is his.
    let text =
        "SELECT 1 FROM pg_class WHERE relnamespace = 'tenantry_shared'::regnamespace AND relowner <> $1::regrole";
    let others = sqlx::query(text).bind(&owner).fetch_all(&mut admin).await.unwrap();
    assert_eq!(others.len(), 0, "{damage}");
    assert_eq!(broken(&home).await, [], "{damage}");
}

macro_rules! walls {
    ($($test:ident: $damage:literal => $says:literal;)*) => {
        $(#[tokio::test]
        async fn $test() {
            check($damage, $says).await;
        })*
    };
}

walls! {
    superuser: "ALTER ROLE $ROLE SUPERUSER" => "is a superuser";
    bypass: "ALTER ROLE $ROLE BYPASSRLS" => "bypasses row-level security";
    reads_all: "GRANT pg_read_all_data TO $ROLE" => "member of pg_read_all_data";
    not_forced: "ALTER TABLE tenantry_shared.t NO FORCE ROW LEVEL SECURITY" => "not forced";
    not_enabled: "ALTER TABLE tenantry_shared.t DISABLE ROW LEVEL SECURITY" => "switched off";
    no_policy: "DROP POLICY _tenant ON tenantry_shared.t" => "has not the one policy";
    another_policy: "CREATE POLICY \"all for me\" ON tenantry_shared.t USING (true)" => "has not the one policy";
    other_policy: "ALTER POLICY _tenant ON tenantry_shared.t USING (true)" => "has not the one policy";
    policy_for_some: "ALTER POLICY _tenant ON tenantry_shared.t TO $ROLE" => "has not the one policy";
    unique_of_all: "CREATE UNIQUE INDEX w ON tenantry_shared.t (a)" => "index w of t";
    index_of_all: "CREATE INDEX w ON tenantry_shared.t (a)" => "index w of t";
    key_of_all: "ALTER TABLE tenantry_shared.t ADD CONSTRAINT w UNIQUE (id)" => "constraint w of t";
    no_key: "ALTER TABLE tenantry_shared.t DROP CONSTRAINT u" => "constraint u of t is missing";
    no_index: "DROP INDEX tenantry_shared.i" => "index i of t is missing";
    no_default: "ALTER TABLE tenantry_shared.t ALTER _tenant DROP DEFAULT" => "columns of t";
    nullable: "ALTER TABLE tenantry_shared.t DROP CONSTRAINT t_pkey, ALTER _tenant DROP NOT NULL" => "columns of t";
    truncates: "GRANT TRUNCATE ON tenantry_shared.t TO $ROLE" => "TRUNCATE ON tenantry_shared.t";
    triggers: "GRANT TRIGGER ON public.t TO PUBLIC" => "TRIGGER ON public.t";
    creates: "GRANT CREATE ON SCHEMA public TO PUBLIC" => "may create in schema public";
    temporary: "DO $$ BEGIN EXECUTE format('GRANT TEMP ON DATABASE %I TO PUBLIC', current_database()); END $$" => "temporary tables";
    files: "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO $ROLE" => "pg_read_file(text)";
    rows_in_public: "INSERT INTO public.p VALUES (1)" => "public.p has rows";
    sequences_open: "GRANT USAGE ON SCHEMA tenantry_ids TO PUBLIC" => "privileges on SCHEMA tenantry_ids";
    sequence_open: "GRANT UPDATE ON SEQUENCE tenantry_ids.t3_0 TO $ROLE" => "privileges on SEQUENCE tenantry_ids.t3_0";
    counters_open: "GRANT UPDATE (last) ON tenantry.counters TO $ROLE" => "privileges on TABLE tenantry.counters";
    counters_unforced: "ALTER TABLE tenantry.counters NO FORCE ROW LEVEL SECURITY" => "tenantry.counters";
    counters_unguarded: "ALTER POLICY _tenant ON tenantry.counters USING (true)" => "tenantry.counters";
    other_function: "CREATE OR REPLACE FUNCTION tenantry.next_id(bigint) RETURNS bigint LANGUAGE sql SECURITY DEFINER STRICT AS 'SELECT 1::bigint'"
        => "function tenantry.next_id(bigint) is not";
    no_function: "DROP FUNCTION tenantry.next_gapless CASCADE" => "function tenantry.next_gapless(bigint) is not";
    open_path: "ALTER FUNCTION tenantry.next_id(bigint) SET search_path = public" => "function tenantry.next_id(bigint) is not";
    not_callable: "REVOKE EXECUTE ON FUNCTION tenantry.next_id(bigint) FROM $ROLE" => "function tenantry.next_id(bigint) is not";
    another_definer: "CREATE FUNCTION tenantry.other(text) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT $1'" =>
        "function tenantry.other(text) runs as the owner";
    shared_default: "ALTER TABLE tenantry_shared.n ALTER s SET DEFAULT nextval('tenantry_shared.n_s_seq')" => "columns of n";
    no_trigger: "DROP TRIGGER _tenant_id_3 ON tenantry_shared.n" => "trigger _tenant_id_3 of n, which numbers";
    disabled_trigger: "ALTER TABLE tenantry_shared.n DISABLE TRIGGER ALL" => "trigger _tenant_id_3 of n is not the one";
    other_trigger: "CREATE OR REPLACE FUNCTION tenantry_ids.f3() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'" =>
        "trigger _tenant_id_3 of n is not the one";
    definer_trigger: "ALTER FUNCTION tenantry_ids.f3() SECURITY DEFINER" => "trigger _tenant_id_3 of n is not the one";
    foreign_trigger: "CREATE TRIGGER mine BEFORE DELETE ON tenantry_shared.t FOR EACH ROW EXECUTE FUNCTION tenantry_ids.f3()" =>
        "trigger mine of t";
    real_numbers: "ALTER SEQUENCE tenantry_shared.n_id_seq NO CYCLE" => "sequence n_id_seq";
    extra_table: "CREATE TABLE tenantry_shared.x (id int)" => "table x is none";
}

#[tokio::test]
async fn the_owner_is_no_application() {
    let home = Home::with(SCHEMA).await;
    let mut owner = PgConnection::connect(home.database.url()).await.unwrap();
    let findings = doctor(&mut owner).await.unwrap();
    assert!(findings.iter().any(|finding| finding.what.contains("owns the shared tables")), "{findings:#?}");
    let mut admin = home.admin().await;
    let text = format!("GRANT {}_owner TO {}", home.database.name(), home.application.name);
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut admin).await.unwrap();
    assert!(broken(&home).await.iter().any(|finding| finding.what.contains("is a member of")));
}

#[tokio::test]
async fn settings_are_looked_at() {
    let home = Home::with(SCHEMA).await;
    for (set, says) in [
        ("SET standard_conforming_strings = off", "standard_conforming_strings is off"),
        ("SET search_path = pg_catalog", "search_path is pg_catalog"),
        ("SET row_security = off", "row_security is off"),
        ("SET client_encoding = 'LATIN1'", "client_encoding is LATIN1"),
    ] {
        let mut connection = home.connect().await;
        sqlx::raw_sql(set).execute(&mut connection).await.unwrap();
        let findings = doctor(&mut connection).await.unwrap();
        assert!(findings.iter().any(|finding| finding.what.contains(says)), "{set}: {findings:#?}");
    }
}

#[tokio::test]
async fn a_view_of_the_catalogs_is_missed() {
    let home = Home::with(SCHEMA).await;
    sqlx::raw_sql("DROP VIEW tenantry_catalog.pg_class").execute(&mut home.admin().await).await.unwrap();
    let findings = broken(&home).await;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert!(findings[0].what.contains("no view tenantry_catalog.pg_class"));
}

#[tokio::test]
async fn indexes_that_security_keeps_from_being_used_are_named() {
    let home = Home::with(
        "CREATE TABLE t (id int PRIMARY KEY, a text, n numeric, plain int, at timestamptz); CREATE INDEX low ON t (lower(a)); \
         CREATE INDEX pat ON t (a text_pattern_ops); CREATE INDEX num ON t (n); CREATE INDEX plain ON t (plain, at)",
    )
    .await;
    let mut connection = home.connect().await;
    let findings = doctor(&mut connection).await.unwrap();
    let mends = |index: &str| -> Vec<String> {
        let of = findings.iter().filter(|finding| finding.what.ends_with(&format!(": {index}")));
        of.map(|finding| finding.mend.clone()).collect()
    };
    assert!(mends("low").contains(&"ALTER FUNCTION lower(text) LEAKPROOF".to_owned()), "{findings:#?}");
    assert!(mends("pat").contains(&"ALTER FUNCTION textlike(text,text) LEAKPROOF".to_owned()), "{findings:#?}");
    assert!(mends("num").contains(&"ALTER FUNCTION numeric_eq(numeric,numeric) LEAKPROOF".to_owned()), "{findings:#?}");
    assert_eq!(mends("plain"), Vec::<String>::new());
    let mut admin = home.admin().await;
    for mend in mends("low") {
        sqlx::raw_sql(AssertSqlSafe(mend)).execute(&mut admin).await.unwrap();
    }
    let findings = doctor(&mut connection).await.unwrap();
    assert!(!findings.iter().any(|finding| finding.what.contains("low")), "{findings:#?}");
}
