//! The macros that sqlx checks while a program is compiled, and `QueryBuilder`: they know the application's own schema.
//!
//! What they were told about it is in `.sqlx`. After a change here:
//!
//! ```sh
//! sqlite3 /tmp/people.db < crates/tenantry-sqlx/tests/it/macros.sql
//! DATABASE_URL=sqlite:///tmp/people.db SQLX_OFFLINE_DIR=$PWD/crates/tenantry-sqlx/.sqlx \
//!     cargo check -p tenantry-sqlx --tests
//! ```

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Sqlite};
use tenantry_resource::within;
use tenantry_sqlx::ScopedPool;

use crate::scoped::Deployment;

#[derive(Debug, PartialEq, Eq)]
struct Person {
    id: i64,
    name: String,
    age: Option<i64>,
}

#[tokio::test]
async fn macros_and_builders_work_as_on_a_pool_of_sqlx() {
    let deployment = Deployment::new();
    deployment.migrate(&[include_str!("macros.sql")]).await.unwrap();
    for id in [1, 2] {
        within(deployment.scope(id), use_macros(&deployment.pool, id)).await;
    }
}

async fn use_macros(pool: &ScopedPool<Sqlite>, tenant: i64) {
    let name = format!("Ada of {tenant}");
    let inserted = sqlx::query!("INSERT INTO people (name, age) VALUES (?, ?)", name, 36).execute(pool).await.unwrap();
    assert_eq!(inserted.last_insert_rowid(), 1);

    let ada = sqlx::query!("SELECT name, age FROM people WHERE id = ?", 1).fetch_one(pool).await.unwrap();
    assert_eq!((&ada.name, ada.age), (&name, Some(36)));

    let mut transaction = pool.begin().await.unwrap();
    sqlx::query!("INSERT INTO people (name) VALUES ('Bob')").execute(&mut *transaction).await.unwrap();
    let all = sqlx::query_as!(Person, "SELECT * FROM people ORDER BY id").fetch_all(&mut *transaction).await.unwrap();
    let bob = Person { id: 2, name: "Bob".to_owned(), age: None };
    assert_eq!(all, [Person { id: 1, name: name.clone(), age: Some(36) }, bob]);
    transaction.commit().await.unwrap();

    let count = sqlx::query_scalar!("SELECT count(*) FROM people WHERE age IS NULL OR age > ?", 30);
    assert_eq!(count.fetch_one(pool).await.unwrap(), 2);
    let nobody = sqlx::query_as!(Person, "SELECT * FROM people WHERE id = ?", 9).fetch_optional(pool).await.unwrap();
    assert_eq!(nobody, None);

    let mut builder = QueryBuilder::<Sqlite>::new("INSERT INTO people (name, age) ");
    builder.push_values([("Cy", 1), ("Di", 2)], |mut row, (name, age)| {
        row.push_bind(name).push_bind(age);
    });
    assert_eq!(builder.build().execute(pool).await.unwrap().rows_affected(), 2);
    let mut builder = QueryBuilder::<Sqlite>::new("SELECT name FROM people WHERE age IN (");
    let mut ages = builder.separated(", ");
    for age in [1, 2, 3] {
        ages.push_bind(age);
    }
    builder.push(") ORDER BY id");
    let young = builder.build_query_scalar::<String>();
    assert_eq!(young.fetch(pool).try_collect::<Vec<_>>().await.unwrap(), ["Cy", "Di"]);
}
