//! `tenantry sql`: statements, run as a tenant.

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Either, Executor, SqlSafeStr, Statement};
use tenantry::{ScopedConnection, Slug, within};

use super::{
    engine::Engine,
    input::Input,
    outcome::Outcome,
    target::{Opened, Target, Which},
};
use crate::{deployment::Deployment, failure::Failure, output::Output};

/// Runs statements as a tenant, scoped as the application's are, one after the other on one connection.
///
/// With --json there is one line of JSON for each: {"ok":true,"columns":[…],"rows":[[…]],"affected":n} or
/// {"ok":false,"kind":"refused"|"error","code":…,"message":…}. Blobs are {"blob":"hexadecimal digits"}.
#[derive(Debug, clap::Args)]
pub(crate) struct Sql {
    /// The tenant
    tenant: Slug,
    /// With --schema: further tenants that share the tables
    #[arg(long = "tenant", value_name = "TENANT")]
    others: Vec<Slug>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    input: Input,
}

impl Sql {
    pub(crate) async fn run(self, deployment: &Deployment, output: Output) -> Result<(), Failure> {
        let tenants: Vec<_> = [&self.tenant].into_iter().chain(&self.others).cloned().collect();
        match self.which.open(deployment, &tenants).await? {
            Opened::Sqlite(target) => self.run_on(&target, output).await,
            #[cfg(feature = "postgres")]
            Opened::Postgres(target) => self.run_on(&target, output).await,
        }
    }

    async fn run_on<DB: Engine>(&self, target: &Target<DB>, output: Output) -> Result<(), Failure> {
        let scope = target.admit(&self.tenant)?;
        let statements = self.input.statements(DB::DIALECT)?;
        within(scope, async {
            let acquired = target.pool.acquire().await;
            let mut connection = acquired.map_err(|error| Failure::other("database", error.to_string()))?;
            let mut failed = false;
            for statement in statements {
                let ran = run(&mut connection, &statement).await;
                let mut outcome = ran.unwrap_or_else(|error| Outcome::failed(&error));
                // What a read "affects" is the rows it gave, or those of the last change.
                if let Outcome::Done { affected, .. } = &mut outcome
                    && target.pool.plan(&statement).await.is_ok_and(|plan| !plan.effect.writes())
                {
                    *affected = 0;
                }
                failed |= !outcome.is_done();
                match output {
                    Output::Json => Output::line(&outcome)?,
                    Output::Text => output.print(&outcome)?,
                }
            }
            // Programs look at each line.
            if failed && output == Output::Text {
                return Err(Failure::other("statement", "not every statement was run").hint("see above"));
            }
            Ok(())
        })
        .await
    }
}

async fn run<DB: Engine>(connection: &mut ScopedConnection<DB>, text: &str) -> Result<Outcome, sqlx::Error> {
    let text = AssertSqlSafe(text).into_sql_str();
    let prepared = connection.prepare(text.clone()).await?;
    let columns = prepared.columns().iter().map(|column| sqlx::Column::name(column).to_owned()).collect();
    let (mut rows, mut affected) = (Vec::new(), 0);
    let mut steps = connection.fetch_many(text);
    while let Some(step) = steps.try_next().await? {
        match step {
            Either::Left(result) => affected = DB::affected(&result),
            Either::Right(row) => rows.push(DB::values(&row)?),
        }
    }
    Ok(Outcome::Done { columns, rows, affected })
}
