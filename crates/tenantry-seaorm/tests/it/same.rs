//! What an operation gives on shared tables is what it gives on SeaORM's own connection.

use std::mem;

use sea_orm::DbErr;

/// What operations gave, one after the other.
#[derive(Default, Debug)]
pub(crate) struct Log(Vec<String>);

impl Log {
    pub(crate) fn add(&mut self, what: &str, result: impl std::fmt::Debug) {
        self.0.push(format!("{what}: {}", without_routine(&format!("{result:?}"))));
    }

    #[track_caller]
    pub(crate) fn is(&self, expected: &Self, tenant: i64) {
        for (found, expected) in self.0.iter().zip(&expected.0) {
            assert_eq!(found, expected, "tenant {tenant}");
        }
        assert_eq!(self.0.len(), expected.0.len());
    }
}

/// What `Debug` shows of errors, without where in its own source the server has found them.
fn without_routine(shown: &str) -> String {
    let mut parts = shown.split(", file: Some(");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(" }").map_or(part, |(_, rest)| rest))
}

/// An error without the types below SeaORM's, which are ours on shared tables, and without where in its own source the
/// server has found it.
pub(crate) fn told<T>(result: Result<T, DbErr>) -> Result<T, String> {
    result.map_err(|error| {
        let text = error.to_string();
        let text = text.split_once(" at line ").map_or(text.as_str(), |(said, _)| said);
        format!("{text}; {:?}; {:?}", error.sql_err(), mem::discriminant(&error))
    })
}

/// Tests that run a group of operations on SeaORM's own connection and for each tenant, directly and in a transaction, and
/// compare what they give; the other tenants' rows must not change.
macro_rules! same {
    ($($group:ident),+ $(,)?) => {
        mod same {
            crate::same::same_in!(crate::world::World, $($group),+);
        }

        #[cfg(feature = "postgres")]
        mod same_on_postgres {
            crate::same::same_in!(crate::world::PgWorld, $($group),+);
        }
    };
}

macro_rules! same_in {
    ($world:ty, $($group:ident),+) => {
        use sea_orm::TransactionTrait;
        use tenantry_resource::within;

        use crate::world::{ACME, GLOBEX, INITECH};

        $(
            #[tokio::test]
            async fn $group() {
                let world = <$world>::new().await;
                let transaction = world.plain.begin().await.unwrap();
                let in_transaction = super::$group(&transaction).await;
                transaction.rollback().await.unwrap();
                let expected = super::$group(&world.plain).await;
                for tenant in [GLOBEX, INITECH, ACME] {
                    let before = world.others(tenant).await;
                    within(world.scope(tenant), async {
                        let transaction = world.db.begin().await.unwrap();
                        super::$group(&transaction).await.is(&in_transaction, tenant);
                        transaction.rollback().await.unwrap();
                        super::$group(&world.db).await.is(&expected, tenant);
                    })
                    .await;
                    assert_eq!(world.others(tenant).await, before, "rows of others than {tenant}");
                }
            }
        )+
    };
}

pub(crate) use same;
pub(crate) use same_in;
