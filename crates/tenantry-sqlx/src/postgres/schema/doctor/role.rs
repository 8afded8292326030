//! What the application's role may do, and how its connections are set.

use sqlx::PgConnection;
use tenantry_sql::Quoted;

use super::{super::install::REACHING_OTHERS, Finding};

/// The role, and what is wrong with it.
pub(super) async fn examine(connection: &mut PgConnection) -> Result<(String, Vec<Finding>), sqlx::Error> {
    let role: Role = sqlx::query_as(ROLE).bind(FILES).bind(MIGHTY).bind(REACHING_OTHERS).fetch_one(connection).await?;
    let mut findings = Vec::new();
    role.might(&mut findings);
    role.privileges(&mut findings);
    role.settings(&mut findings);
    Ok((role.name, findings))
}

#[derive(sqlx::FromRow)]
struct Role {
    name: String,
    server: i32,
    superuser: bool,
    bypasses: bool,
    makes_roles: bool,
    replicates: bool,
    /// Owners of Tenantry's schemas whose privileges it has.
    owners: Vec<String>,
    /// Roles of the server that read or write what is not theirs.
    mighty: Vec<String>,
    /// The database, quoted where it needs it.
    database: String,
    may_create: bool,
    may_temp: bool,
    /// Schemas that it may create in.
    creates_in: Vec<String>,
    /// Tables, with what it must not be able to do with them.
    on_tables: Vec<String>,
    /// Functions that reach files.
    files: Vec<String>,
    /// Functions that reach other sessions.
    others: Vec<String>,
    strings: String,
    path: String,
    row_security: String,
    encoding: String,
}

impl Role {
    /// What would make row-level security not apply.
    fn might(&self, findings: &mut Vec<Finding>) {
        let (name, quoted) = (&self.name, Quoted::new(&self.name));
        if self.server < 150_000 {
            findings.push(Finding::broken("the server is older than PostgreSQL 15", "-- upgrade the server"));
        }
        for (is_so, what, mend) in [
            (self.superuser, "is a superuser, whom nothing stops", "NOSUPERUSER"),
            (self.bypasses, "bypasses row-level security", "NOBYPASSRLS"),
            (self.makes_roles, "may make roles", "NOCREATEROLE"),
            (self.replicates, "may copy the whole server", "NOREPLICATION"),
        ] {
            if is_so {
                let mend = format!("ALTER ROLE {quoted} {mend} -- or name another role as the application's");
                findings.push(Finding::broken(format!("role {name} {what}"), mend));
            }
        }
        if self.superuser {
            // It may do everything; the rest would say that over and over.
            return;
        }
        for owner in &self.owners {
            let (what, mend) = match owner == name {
                true => {
                    let what = format!("role {name} owns the shared tables, and could switch their policies off");
                    (what, "-- connect as another role, which you name as the application's".to_owned())
                }
                false => {
                    let what = format!("role {name} is a member of {owner}, who owns the shared tables");
                    (what, format!("REVOKE {} FROM {quoted}", Quoted::new(owner)))
                }
            };
            findings.push(Finding::broken(what, mend));
        }
        for role in &self.mighty {
            let mend = format!("REVOKE {role} FROM {quoted}");
            findings.push(Finding::broken(format!("role {name} is a member of {role}"), mend));
        }
    }

    fn privileges(&self, findings: &mut Vec<Finding>) {
        let (name, quoted, database) = (&self.name, Quoted::new(&self.name), &self.database);
        if self.superuser || self.owners.contains(name) {
            return;
        }
        for (may, what, privilege) in
            [(self.may_create, "make schemas", "CREATE"), (self.may_temp, "make temporary tables", "TEMPORARY")]
        {
            if may {
                let mend = format!("REVOKE {privilege} ON DATABASE {database} FROM PUBLIC, {quoted}");
                findings.push(Finding::broken(format!("role {name} may {what}, which could hide tables"), mend));
            }
        }
        for schema in &self.creates_in {
            let mend = format!("REVOKE CREATE ON SCHEMA {} FROM PUBLIC, {quoted}", Quoted::new(schema));
            findings.push(Finding::broken(format!("role {name} may create in schema {schema}"), mend));
        }
        for on_table in &self.on_tables {
            let mend = format!("REVOKE {on_table} FROM PUBLIC, {quoted}");
            findings.push(Finding::broken(format!("role {name} has {on_table}, which goes past the policies"), mend));
        }
        for function in &self.files {
            let mend = format!("REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC, {quoted}");
            findings.push(Finding::broken(format!("role {name} may call {function}, which reaches files"), mend));
        }
        if !self.others.is_empty() {
            let list = self.others.join(", ");
            let what = format!("role {name} may call functions that reach past a tenant, if a statement could: {list}");
            findings.push(Finding::advice(what, format!("REVOKE EXECUTE ON FUNCTION {list} FROM PUBLIC")));
        }
    }

    fn settings(&self, findings: &mut Vec<Finding>) {
        let quoted = Quoted::new(&self.name);
        for (setting, value, wanted, why) in [
            ("standard_conforming_strings", &self.strings, "on", "literals would end elsewhere than they are read"),
            ("row_security", &self.row_security, "on", "statements on shared tables would fail"),
            ("client_encoding", &self.encoding, "UTF8", "names and literals would be read otherwise"),
            ("search_path", &self.path, "public", "a name could mean something else"),
        ] {
            if value.replace(['"', ' '], "") != wanted.replace(' ', "") {
                let what = format!("{setting} is {value} and not {wanted}: {why}");
                findings.push(Finding::broken(what, format!("ALTER ROLE {quoted} SET {setting} = {wanted}")));
            }
        }
    }
}

/// Functions that read or write files of the server, or its configuration.
const FILES: &[&str] = &[
    "lo_export",
    "lo_import",
    "pg_current_logfile",
    "pg_ls_dir",
    "pg_ls_logdir",
    "pg_read_binary_file",
    "pg_read_file",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_stat_file",
];

/// Roles of the server whose members read or write what is not theirs.
const MIGHTY: &[&str] = &[
    "pg_execute_server_program",
    "pg_maintain",
    "pg_monitor",
    "pg_read_all_data",
    "pg_read_all_stats",
    "pg_read_server_files",
    "pg_signal_backend",
    "pg_write_all_data",
    "pg_write_server_files",
];

const ROLE: &str = "
SELECT r.rolname::text AS name, current_setting('server_version_num')::int AS server, r.rolsuper AS superuser,
       r.rolbypassrls AS bypasses, r.rolcreaterole AS makes_roles, r.rolreplication AS replicates,
       ARRAY(SELECT DISTINCT o.rolname::text FROM pg_catalog.pg_roles o
             WHERE (o.oid IN (SELECT nspowner FROM pg_catalog.pg_namespace WHERE nspname LIKE 'tenantry%')
                    OR o.oid IN (SELECT c.relowner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
                                 ON n.oid = c.relnamespace WHERE n.nspname = 'tenantry_shared'))
                 AND pg_catalog.pg_has_role(r.oid, o.oid, 'MEMBER')) AS owners,
       ARRAY(SELECT o.rolname::text FROM pg_catalog.pg_roles o
             WHERE o.rolname = ANY ($2) AND pg_catalog.pg_has_role(r.oid, o.oid, 'MEMBER') ORDER BY 1) AS mighty,
       pg_catalog.quote_ident(current_database()) AS database,
       pg_catalog.has_database_privilege(current_database(), 'CREATE') AS may_create,
       pg_catalog.has_database_privilege(current_database(), 'TEMPORARY') AS may_temp,
       ARRAY(SELECT n.nspname::text FROM pg_catalog.pg_namespace n
             WHERE pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1) AS creates_in,
       ARRAY(SELECT pg_catalog.format('%s ON %I.%I', p.privilege, n.nspname, c.relname)
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             CROSS JOIN (VALUES ('TRUNCATE'), ('REFERENCES'), ('TRIGGER')) p (privilege)
             WHERE n.nspname IN ('public', 'tenantry', 'tenantry_shared') AND c.relkind IN ('r', 'p')
                 AND pg_catalog.has_table_privilege(c.oid, p.privilege) ORDER BY 1) AS on_tables,
       ARRAY(SELECT p.oid::regprocedure::text FROM pg_catalog.pg_proc p
             WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY ($1)
                 AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE') ORDER BY 1) AS files,
       ARRAY(SELECT f.name FROM unnest($3::text[]) f (name)
             WHERE pg_catalog.has_function_privilege(pg_catalog.to_regprocedure('pg_catalog.' || f.name), 'EXECUTE')
             ORDER BY 1) AS others,
       current_setting('standard_conforming_strings') AS strings, current_setting('search_path') AS path,
       current_setting('row_security') AS row_security, current_setting('client_encoding') AS encoding
FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
";
