//! What a migration does to the shared schema: once for all tenants.
//!
//! Definitions are converted. The application's own schema is kept in memory meanwhile (`template`), where SQLite says
//! what each statement makes of it. Statements that change rows run for every tenant, the pristine one among them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use sqlx::{AssertSqlSafe, SqliteConnection};
use tenantry_sql::{
    Belongs, ChangeKind, Code, Conversion, Name, Refused, Rewrite, Rewriter, SchemaMap, Step, StoredSchema, Table,
    convert, verify_trigger,
};

use super::{
    keeper::Keeper,
    provision::{PRISTINE, tenants_tables},
    statistics,
    store::{self, Numbered},
    template::{Object, Template},
};
use crate::{
    migrations,
    native::{self, Session},
    scoped::ScopeError,
};

/// A schema, and the objects that it consists of.
pub(super) type Schema = (SchemaMap, Vec<Object>);

/// A migration under way.
pub(super) struct Work<'a> {
    keeper: &'a Keeper,
    session: Arc<Session>,
    owner: &'a mut SqliteConnection,
    template: Template,
    schema: SchemaMap,
    numbers: HashMap<Name, i64>,
    next_number: i64,
    globals: HashSet<Name>,
    tenants: Vec<i64>,
    /// Triggers that were dropped and could not be created again yet.
    missing: HashSet<String>,
}

impl<'a> Work<'a> {
    pub(super) async fn begin(
        keeper: &'a Keeper,
        session: Arc<Session>,
        owner: &'a mut SqliteConnection,
    ) -> Result<Self, sqlx::Error> {
        let version = store::version(owner).await?;
        let (objects, numbered) = (store::objects(owner).await?, store::numbered(owner).await?);
        let mut tenants = store::tenants(owner).await?;
        tenants.insert(0, PRISTINE);
        Ok(Self {
            template: Template::of(&objects).await?,
            schema: schema(&objects, &numbered, keeper, version)?,
            next_number: numbered.iter().map(|table| table.number).max().unwrap_or(0) + 1,
            numbers: numbered.into_iter().map(|table| (Name::new(table.name), table.number)).collect(),
            globals: keeper.global.iter().cloned().collect(),
            keeper,
            session,
            owner,
            tenants,
            missing: HashSet::new(),
        })
    }

    pub(super) async fn statement(&mut self, statement: &str) -> Result<(), sqlx::Error> {
        let conversion = Conversion {
            schema: &self.schema,
            limits: self.keeper.limits(),
            globals: &self.globals,
            next_number: self.next_number,
        };
        let change = convert(statement, &conversion).map_err(ScopeError::from)?;
        match &change.kind {
            ChangeKind::Rows => return self.rows(statement).await,
            // Transactions are ours, and settings end with the migration.
            ChangeKind::Pass | ChangeKind::Nothing => return Ok(()),
            _ => {}
        }
        // SQLite judges the statement as it was written before the shared form of it runs.
        let before = self.template.objects().await?;
        self.template.apply(statement).await?;
        if change.renews_triggers {
            self.drop_triggers(&before).await?;
        }
        for step in &change.steps {
            match step {
                Step::Run(text) => self.run(text, &change.kind).await?,
                Step::Rewrite(rewrite) => self.rewrite(rewrite).await?,
            }
        }
        self.renumber(&change.kind);
        let objects = self.template.objects().await?;
        self.schema = read(&objects, &self.numbers, &self.globals, self.keeper, self.schema.version())?;
        // At once, for rows that the migration inserts.
        store::write_numbered(self.owner, &numbered(&self.schema)).await?;
        if change.renews_triggers {
            self.renew_triggers(&objects).await?;
        }
        match &change.kind {
            ChangeKind::CreateTable { table, is_global: false } => self.create_triggers(table).await,
            // SQLite runs the trigger first that was created last, and ours has to be before the application's.
            ChangeKind::CreateTrigger { table, .. } => self.create_triggers_anew(table).await,
            _ => Ok(()),
        }
    }

    /// Triggers of the shared tables have the columns of tables and the texts of views in them, which change.
    async fn drop_triggers(&mut self, objects: &[Object]) -> Result<(), sqlx::Error> {
        for trigger in objects.iter().filter(|object| object.kind == "trigger") {
            let drop = format!("DROP TRIGGER IF EXISTS main.{}", Name::from(trigger.name.as_str()).quoted());
            sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut *self.owner).await?;
            self.missing.insert(trigger.name.clone());
        }
        Ok(())
    }

    /// Creates the triggers again that were dropped. One that names a table which a later statement creates has to wait.
    async fn renew_triggers(&mut self, objects: &[Object]) -> Result<(), sqlx::Error> {
        for trigger in objects.iter().filter(|object| object.kind == "trigger") {
            let Some(sql) = trigger.sql.as_ref().filter(|_| self.missing.contains(&trigger.name)) else { continue };
            let conversion = Conversion {
                schema: &self.schema,
                limits: self.keeper.limits(),
                globals: &self.globals,
                next_number: self.next_number,
            };
            match convert(sql, &conversion) {
                Ok(change) => {
                    for step in &change.steps {
                        if let Step::Run(text) = step {
                            self.run(text, &change.kind).await?;
                        }
                    }
                    self.missing.remove(&trigger.name);
                    self.create_triggers_anew(&Name::from(trigger.tbl_name.as_str())).await?;
                }
                Err(refused) if refused.code == Code::Relation => {}
                Err(refused) => return Err(ScopeError::from(refused).into()),
            }
        }
        self.missing.retain(|name| objects.iter().any(|object| object.name == *name));
        Ok(())
    }

    /// The triggers by which the ids of a table are known.
    async fn create_triggers(&mut self, table: &Table) -> Result<(), sqlx::Error> {
        let Some(column) = table.id_column() else { return Ok(()) };
        let auto_increment = table.auto_increment;
        let row_ids = native::RowIds { table: table.name.as_str(), number: table.number, column, auto_increment };
        for trigger in row_ids.triggers() {
            sqlx::raw_sql(AssertSqlSafe(trigger)).execute(&mut *self.owner).await?;
        }
        Ok(())
    }

    async fn create_triggers_anew(&mut self, table: &Name) -> Result<(), sqlx::Error> {
        let Some(table) = self.schema.table(table).cloned() else { return Ok(()) };
        let drop = format!(
            "DROP TRIGGER IF EXISTS main._tenantry_inserted_{0}; DROP TRIGGER IF EXISTS main._tenantry_counted_{0}",
            table.number
        );
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut *self.owner).await?;
        self.create_triggers(&table).await
    }

    async fn run(&mut self, text: &str, kind: &ChangeKind) -> Result<(), sqlx::Error> {
        if let ChangeKind::CreateTrigger { .. } = kind {
            verify_trigger(text, &self.schema).map_err(ScopeError::from)?;
        }
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *self.owner).await?;
        Ok(())
    }

    /// Changes what is stored of a table (<https://sqlite.org/lang_altertable.html> §7).
    async fn rewrite(&mut self, rewrite: &Rewrite) -> Result<(), sqlx::Error> {
        let select = "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE";
        let stored: String =
            sqlx::query_scalar(select).bind(rewrite.table.as_str()).fetch_one(&mut *self.owner).await?;
        let text = rewrite.apply(&stored).map_err(ScopeError::from)?;
        let version: i64 = sqlx::query_scalar("PRAGMA main.schema_version").fetch_one(&mut *self.owner).await?;
        sqlx::raw_sql("PRAGMA writable_schema = ON").execute(&mut *self.owner).await?;
        let update = "UPDATE main.sqlite_schema SET sql = ? WHERE type = 'table' AND name = ? COLLATE NOCASE";
        let updated = sqlx::query(update).bind(&text).bind(rewrite.table.as_str()).execute(&mut *self.owner).await;
        // The new version makes every connection read the schema again.
        let after = format!("PRAGMA main.schema_version = {}; PRAGMA writable_schema = RESET", version + 1);
        sqlx::raw_sql(AssertSqlSafe(after)).execute(&mut *self.owner).await?;
        updated.map(drop)
    }

    /// A statement that changes rows, for every tenant.
    async fn rows(&mut self, statement: &str) -> Result<(), sqlx::Error> {
        let rewriter = Rewriter::new(Arc::new(self.schema.clone()), *self.keeper.limits());
        let plan = rewriter.scope(statement).map_err(ScopeError::from)?;
        migrations::check_repeatable(&plan).map_err(ScopeError::from)?;
        if !plan.effect.writes() {
            return Ok(());
        }
        for tenant in &self.tenants {
            self.session.enter(*tenant);
            self.session.expect(Arc::new(plan.relations.iter().map(Name::as_str).collect()));
            let run = sqlx::query(AssertSqlSafe(&*plan.text)).bind(tenant).execute(&mut *self.owner).await;
            self.session.own();
            run.map_err(|error| native::translate(error, &self.session))?;
        }
        Ok(())
    }

    fn renumber(&mut self, kind: &ChangeKind) {
        match kind {
            ChangeKind::CreateTable { table, is_global: false } => {
                self.numbers.insert(table.name.clone(), table.number);
                self.next_number += 1;
            }
            ChangeKind::DropTable { name } => {
                self.numbers.remove(name);
            }
            ChangeKind::RenameTable { from, to } => {
                if let Some(number) = self.numbers.remove(from) {
                    self.numbers.insert(to.clone(), number);
                }
            }
            _ => {}
        }
    }

    /// Stores what the schema is now.
    pub(super) async fn end(mut self) -> Result<Schema, sqlx::Error> {
        let (objects, answers) = (self.template.objects().await?, self.template.answers().await?);
        self.renew_triggers(&objects).await?;
        if let Some(name) = self.missing.iter().next() {
            let refused = Refused::new(Code::Relation, format!("trigger {}", Name::from(name.as_str()).quoted()));
            let hint = "it names a table that the migration has dropped or renamed; drop the trigger as well";
            return Err(ScopeError::from(refused.hint(hint)).into());
        }
        store::write(self.owner, &objects, &answers).await?;
        statistics::write(self.owner).await?;
        let version = store::version(self.owner).await?;
        let version = u64::try_from(version).unwrap_or_default();
        let schema = read(&objects, &self.numbers, &self.globals, self.keeper, version)?;
        Ok((schema, objects))
    }
}

fn numbered(schema: &SchemaMap) -> Vec<Numbered> {
    let numbered = tenants_tables(schema).map(|table| Numbered {
        number: table.number,
        name: table.name.as_str().to_owned(),
        id_column: table.id_column().map(str::to_owned),
        auto_increment: table.auto_increment,
    });
    numbered.collect()
}

/// The schema map of what is stored.
pub(super) fn schema(
    objects: &[Object],
    numbered: &[Numbered],
    keeper: &Keeper,
    version: i64,
) -> Result<SchemaMap, sqlx::Error> {
    let numbers = numbered.iter().map(|table| (Name::from(table.name.as_str()), table.number)).collect();
    let globals = keeper.global.iter().cloned().collect();
    read(objects, &numbers, &globals, keeper, u64::try_from(version).unwrap_or_default())
}

fn read(
    objects: &[Object],
    numbers: &HashMap<Name, i64>,
    globals: &HashSet<Name>,
    keeper: &Keeper,
    version: u64,
) -> Result<SchemaMap, sqlx::Error> {
    let rows: Vec<_> = objects
        .iter()
        .map(|object| StoredSchema {
            kind: object.kind.clone(),
            name: Name::from(object.name.as_str()),
            table: Name::from(object.tbl_name.as_str()),
            sql: object.sql.clone(),
        })
        .collect();
    Ok(SchemaMap::read(version, &rows, &Belongs { numbers, globals }, keeper.limits()).map_err(ScopeError::from)?)
}
