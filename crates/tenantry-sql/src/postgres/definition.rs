//! Statements of migrations: which of them define something.
//!
//! A definition runs as it is written, on the application's own schema, and the shared tables follow by what the server's
//! catalogs say afterwards. So nothing is taken from its text but what no catalog keeps: the expression by which the type
//! of a column changes. What cannot be followed is refused.

use pg_query::{
    DeparseOptions, NodeEnum,
    protobuf::{
        AlterTableCmd, AlterTableStmt, AlterTableType, CreateExtensionStmt, CreateStmt, DropStmt, LimitOption, Node,
        ObjectType, ParseResult, RangeVar, RawStmt, RenameStmt, ResTarget, SelectStmt, SetOperation, Token,
        TransactionStmtKind,
    },
};

use super::tokens::unreadable;
use crate::{Code, Name, Refused, Span};

/// What a statement of a migration is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Definition {
    /// It defines something, and runs as it is written. Each column whose type changes by an expression (`USING`) is
    /// there with that.
    Structure(Vec<(Name, String)>),
    /// It reads or changes rows: it is for the rewriter.
    Rows,
    /// It is not needed: transactions are the migration's, and settings end with it.
    Nothing,
}

/// What one statement of a migration is.
///
/// # Errors
///
/// A refusal, if the statement cannot be read, or the shared tables could not follow it.
pub fn definition(text: &str) -> Result<Definition, Refused> {
    let tree = pg_query::parse(text, 0).map_err(|error| unreadable(&error))?.protobuf;
    let [RawStmt { stmt: Some(statement), .. }] = tree.stmts.as_slice() else {
        return Err(Refused::new(Code::Statement, "not one statement"));
    };
    let Some(node) = &statement.node else { return Err(unfollowed("an empty statement", "leave it out")) };
    let definition = of(node).map_err(|refused| match refused.position {
        Some(_) => refused,
        None => refused.at(text, Span::at(text.len() - text.trim_start().len())),
    })?;
    if matches!(definition, Definition::Structure(_)) {
        check_names(text)?;
    }
    Ok(definition)
}

fn of(node: &NodeEnum) -> Result<Definition, Refused> {
    use NodeEnum as N;
    let structure = Ok(Definition::Structure(Vec::new()));
    match node {
        N::SelectStmt(_) | N::InsertStmt(_) | N::UpdateStmt(_) | N::DeleteStmt(_) | N::MergeStmt(_) => {
            Ok(Definition::Rows)
        }
        N::TruncateStmt(_) => Ok(Definition::Rows),
        N::CreateStmt(create) => table(create).and(structure),
        N::AlterTableStmt(alter) => alter_table(alter),
        N::RenameStmt(rename) => self::rename(rename).and(structure),
        N::DropStmt(drop) => self::drop(drop).and(structure),
        N::IndexStmt(index) if index.concurrent => {
            Err(unfollowed("CONCURRENTLY", "leave the word out: a migration is one transaction"))
        }
        N::IndexStmt(index) => permanent(index.relation.as_ref()).and(structure),
        N::ViewStmt(view) => permanent(view.view.as_ref()).and(structure),
        N::CreateSeqStmt(sequence) => permanent(sequence.sequence.as_ref()).and(structure),
        N::AlterSeqStmt(sequence) => check_restart(&sequence.options).and(structure),
        N::CreateEnumStmt(_) | N::CompositeTypeStmt(_) | N::CreateDomainStmt(_) | N::AlterDomainStmt(_) => structure,
        N::AlterEnumStmt(_) => structure,
        N::CommentStmt(comment) => match comment.objtype() {
            // What else there is to comment on is not the application's.
            ObjectType::ObjectTable | ObjectType::ObjectColumn | ObjectType::ObjectView => structure,
            _ => Ok(Definition::Nothing),
        },
        N::CreateExtensionStmt(extension) => self::extension(extension).and(structure),
        N::TransactionStmt(transaction) => match transaction.kind() {
            TransactionStmtKind::TransStmtBegin
            | TransactionStmtKind::TransStmtStart
            | TransactionStmtKind::TransStmtCommit => Ok(Definition::Nothing),
            _ => Err(unfollowed("ROLLBACK or a savepoint", "a migration that fails is undone as a whole")),
        },
        N::VariableSetStmt(set) if SETTINGS.contains(&set.name.as_str()) => Ok(Definition::Nothing),
        N::VariableSetStmt(set) => Err(Refused::new(Code::Setting, format!("setting {}", set.name))),
        N::CreateSchemaStmt(schema) if schema.schemaname == "public" && schema.if_not_exists => Ok(Definition::Nothing),
        other => Err(opaque(other)),
    }
}

fn table(create: &CreateStmt) -> Result<(), Refused> {
    if create.partspec.is_some() || create.partbound.is_some() {
        return Err(unfollowed("a partitioned table", "leave PARTITION out: the shared table has all tenants' rows"));
    }
    if !create.inh_relations.is_empty() {
        return Err(unfollowed("INHERITS", "give the table all its columns, or use LIKE"));
    }
    permanent(create.relation.as_ref())
}

fn alter_table(alter: &AlterTableStmt) -> Result<Definition, Refused> {
    match alter.objtype() {
        ObjectType::ObjectTable
        | ObjectType::ObjectIndex
        | ObjectType::ObjectSequence
        | ObjectType::ObjectView
        | ObjectType::ObjectType => {}
        other => return Err(unfollowed(format!("ALTER of {}", words(other)), "leave it out")),
    }
    permanent(alter.relation.as_ref())?;
    let mut using = Vec::new();
    for command in &alter.cmds {
        let Some(NodeEnum::AlterTableCmd(command)) = &command.node else {
            return Err(unfollowed("a part of ALTER TABLE", "leave it out"));
        };
        using.extend(alter_command(command)?);
    }
    Ok(Definition::Structure(using))
}

fn alter_command(command: &AlterTableCmd) -> Result<Option<(Name, String)>, Refused> {
    use AlterTableType as T;
    match command.subtype() {
        T::AtAlterColumnType => return using(command),
        T::AtSetIdentity => {
            let Some(NodeEnum::List(list)) = command.def.as_ref().and_then(|def| def.node.as_ref()) else {
                return Ok(None);
            };
            check_restart(&list.items)?;
        }
        T::AtAddColumn
        | T::AtColumnDefault
        | T::AtDropNotNull
        | T::AtSetNotNull
        | T::AtSetExpression
        | T::AtDropExpression
        | T::AtSetStatistics
        | T::AtSetOptions
        | T::AtResetOptions
        | T::AtSetStorage
        | T::AtSetCompression
        | T::AtDropColumn
        | T::AtAddConstraint
        | T::AtAlterConstraint
        | T::AtValidateConstraint
        | T::AtDropConstraint
        | T::AtClusterOn
        | T::AtDropCluster
        | T::AtSetRelOptions
        | T::AtResetRelOptions
        | T::AtReplicaIdentity
        | T::AtAddIdentity
        | T::AtDropIdentity => {}
        other => {
            let what = words(other).trim_start_matches("at ").to_owned();
            return Err(unfollowed(format!("ALTER TABLE: {what}"), "leave it out"));
        }
    }
    Ok(None)
}

/// The expression by which the type of a column changes, as the parser prints it.
fn using(command: &AlterTableCmd) -> Result<Option<(Name, String)>, Refused> {
    let Some(NodeEnum::ColumnDef(column)) = command.def.as_ref().and_then(|def| def.node.as_ref()) else {
        return Ok(None);
    };
    let Some(expression) = &column.raw_default else { return Ok(None) };
    let target = ResTarget { val: Some(expression.clone()), ..ResTarget::default() };
    let target = Node { node: Some(NodeEnum::ResTarget(Box::new(target))) };
    // The printer trusts that these say something.
    let (op, limit_option) = (SetOperation::SetopNone.into(), LimitOption::Default.into());
    let select = SelectStmt { target_list: vec![target], op, limit_option, ..SelectStmt::default() };
    let select = Node { node: Some(NodeEnum::SelectStmt(Box::new(select))) };
    let statement = RawStmt { stmt: Some(Box::new(select)), stmt_location: 0, stmt_len: 0 };
    let printed = pg_query::deparse(&ParseResult { version: 0, stmts: vec![statement] }, DeparseOptions::default());
    let printed = printed.map_err(|error| unreadable(&error))?;
    match printed.strip_prefix("SELECT ") {
        Some(text) => Ok(Some((Name::exact(command.name.as_str()), text.to_owned()))),
        None => Err(unfollowed("USING", "change the rows by an UPDATE")),
    }
}

fn rename(rename: &RenameStmt) -> Result<(), Refused> {
    use ObjectType as O;
    match rename.rename_type() {
        O::ObjectTable
        | O::ObjectColumn
        | O::ObjectView
        | O::ObjectIndex
        | O::ObjectSequence
        | O::ObjectTabconstraint
        | O::ObjectDomain
        | O::ObjectDomconstraint
        | O::ObjectType
        | O::ObjectAttribute => Ok(()),
        other => Err(unfollowed(format!("renaming of {}", words(other)), "leave it out")),
    }
}

fn drop(drop: &DropStmt) -> Result<(), Refused> {
    use ObjectType as O;
    if drop.concurrent {
        return Err(unfollowed("CONCURRENTLY", "leave the word out: a migration is one transaction"));
    }
    match drop.remove_type() {
        O::ObjectTable | O::ObjectView | O::ObjectIndex | O::ObjectSequence | O::ObjectType | O::ObjectDomain => Ok(()),
        other => Err(unfollowed(format!("dropping of {}", words(other)), "leave it out")),
    }
}

/// Whether it is in the application's schema, and lasts as tables do.
fn permanent(relation: Option<&RangeVar>) -> Result<(), Refused> {
    let Some(relation) = relation else { return Ok(()) };
    if !relation.schemaname.is_empty() && relation.schemaname != "public" {
        let construct = format!("schema {}", Name::exact(relation.schemaname.as_str()).quoted());
        return Err(unfollowed(construct, "the application's schema is public; leave the schema out"));
    }
    match relation.relpersistence.as_str() {
        "" | "p" => Ok(()),
        "t" => Err(Refused::new(Code::Temporary, "a temporary object")),
        _ => Err(unfollowed("UNLOGGED", "leave the word out: other tenants' rows would go as well")),
    }
}

/// Ids are given out to all tenants by one sequence, which must not go back.
fn check_restart(options: &[Node]) -> Result<(), Refused> {
    let restarts = options.iter().any(|option| match &option.node {
        Some(NodeEnum::DefElem(option)) => option.defname == "restart",
        _ => false,
    });
    match restarts {
        true => Err(Refused::new(Code::SharedState, "RESTART").hint("say START WITH where the sequence is created")),
        false => Ok(()),
    }
}

fn extension(extension: &CreateExtensionStmt) -> Result<(), Refused> {
    let name = extension.extname.as_str();
    if !EXTENSIONS.contains(&name) {
        let construct = format!("extension {}", Name::exact(name).quoted());
        return Err(unfollowed(construct, "an operator can install what is known to stay with a tenant's rows"));
    }
    match extension.if_not_exists {
        true => Ok(()),
        false => Err(unfollowed("CREATE EXTENSION", "write CREATE EXTENSION IF NOT EXISTS")),
    }
}

/// Names that are Tenantry's are not defined, in no place.
fn check_names(text: &str) -> Result<(), Refused> {
    let tokens = pg_query::scan(text).map_err(|error| unreadable(&error))?.tokens;
    for (at, token) in tokens.iter().enumerate() {
        let (Ok(start), Ok(end)) = (usize::try_from(token.start), usize::try_from(token.end)) else { continue };
        let Some(written) = text.get(start..end) else { continue };
        let name = Name::exact(written.trim_start_matches(['U', 'u', '&']).trim_matches('"'));
        let is_name = token.token() == Token::Ident || token.token() == Token::Uident;
        let dotted = tokens.get(at + 1).is_some_and(|next| next.token() == Token::Ascii46);
        let schema = dotted && name.as_str().to_ascii_lowercase().starts_with("tenantry");
        if is_name && (name.is_reserved() || schema) {
            let refused = Refused::new(Code::Reserved, format!("name {}", name.quoted()));
            return Err(refused.at(text, Span::new(start, end)));
        }
    }
    Ok(())
}

/// What runs code that nobody reads, or changes who may do what.
fn opaque(node: &NodeEnum) -> Refused {
    use NodeEnum as N;
    let (construct, hint) = match node {
        N::CreateTableAsStmt(_) => ("CREATE TABLE AS or a materialized view", "create the table, then INSERT … SELECT"),
        N::CreateTrigStmt(_) | N::CreateEventTrigStmt(_) => ("a trigger", "let the application do what it does"),
        N::CreateFunctionStmt(_) | N::AlterFunctionStmt(_) => {
            ("a function or procedure", "compute it in the application")
        }
        N::DoStmt(_) | N::CallStmt(_) => ("a block of code", "write its statements one by one"),
        N::RuleStmt(_) => ("a rule", "let the application do what it does"),
        N::CreatePolicyStmt(_) | N::AlterPolicyStmt(_) => ("a policy", "leave it out: policies keep tenants apart"),
        N::GrantStmt(_) | N::GrantRoleStmt(_) | N::AlterDefaultPrivilegesStmt(_) => {
            ("GRANT or REVOKE", "leave it out: Tenantry gives the application's role what it needs")
        }
        N::AlterOwnerStmt(_) | N::ReassignOwnedStmt(_) | N::DropOwnedStmt(_) => ("a change of owner", "leave it out"),
        N::CreateRoleStmt(_) | N::AlterRoleStmt(_) | N::DropRoleStmt(_) => ("a role", "an operator makes roles"),
        N::CreateSchemaStmt(_) | N::AlterObjectSchemaStmt(_) => {
            ("another schema", "the application's schema is public; create everything there")
        }
        N::CreateForeignTableStmt(_) | N::ImportForeignSchemaStmt(_) => ("a foreign table", "leave it out"),
        N::CopyStmt(_) => ("COPY", "use INSERT"),
        _ => ("a statement of this kind", "leave it out, or let an operator do it"),
    };
    unfollowed(construct, hint)
}

fn unfollowed(
    construct: impl Into<std::borrow::Cow<'static, str>>,
    hint: impl Into<std::borrow::Cow<'static, str>>,
) -> Refused {
    Refused::new(Code::Ddl, construct).hint(hint)
}

/// The name of a kind as words: `ObjectTable` is `object table`.
fn words(kind: impl std::fmt::Debug) -> String {
    let mut words = String::new();
    for char in format!("{kind:?}").chars() {
        if char.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(char.to_ascii_lowercase());
    }
    words.trim_start_matches("object ").to_owned()
}

/// Settings that scripts begin with, `pg_dump`'s among them, and that change nothing which is defined.
const SETTINGS: &[&str] = &[
    "check_function_bodies",
    "client_min_messages",
    "default_table_access_method",
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "statement_timeout",
    "transaction_timeout",
    "xmloption",
];

/// Extensions whose functions compute from their arguments, and keep nothing.
const EXTENSIONS: &[&str] = &[
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "earthdistance",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "isn",
    "ltree",
    "pg_trgm",
    "pgcrypto",
    "plpgsql",
    "seg",
    "unaccent",
    "uuid-ossp",
    "vector",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_defines_and_what_changes_rows() {
        for text in [
            "CREATE TABLE IF NOT EXISTS public.t (id serial PRIMARY KEY)",
            "ALTER TABLE t ADD COLUMN a int, DROP COLUMN b",
            "ALTER INDEX i RENAME TO j",
            "DROP TABLE a, b CASCADE",
            "CREATE UNIQUE INDEX ON t (lower(a)) WHERE b",
            "CREATE OR REPLACE VIEW v AS SELECT 1",
            "CREATE TYPE mood AS ENUM ('sad')",
            "ALTER TYPE mood ADD VALUE 'glad'",
            "CREATE EXTENSION IF NOT EXISTS citext",
            "COMMENT ON TABLE t IS 'x'",
        ] {
            assert_eq!(definition(text).unwrap(), Definition::Structure(Vec::new()), "{text}");
        }
        for text in ["INSERT INTO t VALUES (1)", "WITH a AS (SELECT 1) DELETE FROM t", "TRUNCATE t", "VALUES (1)"] {
            assert_eq!(definition(text).unwrap(), Definition::Rows, "{text}");
        }
        for text in ["BEGIN", "COMMIT", "SET lock_timeout = '1s'", "COMMENT ON EXTENSION citext IS 'x'"] {
            assert_eq!(definition(text).unwrap(), Definition::Nothing, "{text}");
        }
    }

    #[test]
    fn an_expression_for_a_new_type_is_kept() {
        let text = "ALTER TABLE t ALTER a TYPE int USING (a::int + 1), ALTER b TYPE text, ALTER \"C\" TYPE date USING '2020-01-01'";
        let expected = [("a", "a::int + 1"), ("C", "'2020-01-01'")];
        let expected = expected.map(|(name, text)| (Name::exact(name), text.to_owned()));
        assert_eq!(definition(text).unwrap(), Definition::Structure(expected.into()));
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        for (text, code) in [
            ("CREATE TABLE t (a int) PARTITION BY RANGE (a)", "S13"),
            ("CREATE TABLE t () INHERITS (u)", "S13"),
            ("CREATE UNLOGGED TABLE t ()", "S13"),
            ("CREATE TEMP TABLE t ()", "S15"),
            ("CREATE TABLE other.t ()", "S13"),
            ("CREATE TABLE t (_tenant int)", "S04"),
            ("CREATE TABLE t (\"_TENANT\" int)", "S04"),
            ("CREATE VIEW v AS SELECT * FROM tenantry_shared.t", "S04"),
            ("CREATE TABLE t AS SELECT 1", "S13"),
            ("CREATE MATERIALIZED VIEW v AS SELECT 1", "S13"),
            ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "S13"),
            ("CREATE TRIGGER t AFTER INSERT ON u EXECUTE FUNCTION f()", "S13"),
            ("DO $$ BEGIN END $$", "S13"),
            ("CREATE RULE r AS ON INSERT TO t DO NOTHING", "S13"),
            ("CREATE POLICY p ON t", "S13"),
            ("ALTER TABLE t DISABLE ROW LEVEL SECURITY", "S13"),
            ("ALTER TABLE t OWNER TO x", "S13"),
            ("ALTER TABLE t SET SCHEMA x", "S13"),
            ("ALTER TABLE t DISABLE TRIGGER ALL", "S13"),
            ("GRANT ALL ON t TO x", "S13"),
            ("CREATE SCHEMA x", "S13"),
            ("CREATE EXTENSION IF NOT EXISTS dblink", "S13"),
            ("CREATE EXTENSION citext", "S13"),
            ("CREATE INDEX CONCURRENTLY i ON t (a)", "S13"),
            ("DROP INDEX CONCURRENTLY i", "S13"),
            ("DROP FUNCTION f", "S13"),
            ("ALTER SEQUENCE s RESTART", "S11"),
            ("ALTER TABLE t ALTER id RESTART WITH 7", "S11"),
            ("SET search_path = x", "S10"),
            ("ROLLBACK", "S13"),
            ("COPY t FROM STDIN", "S13"),
            ("VACUUM", "S13"),
            ("nonsense", "S01"),
        ] {
            assert_eq!(
                definition(text).map_err(|refused| refused.code.as_str().to_owned()),
                Err(code.to_owned()),
                "{text}"
            );
        }
    }
}
