//! Migrations of SeaORM, for all tenants at once.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ConnectionTrait, DbErr, EntityTrait, QueryOrder,
    sea_query::{Alias, Index, Query, Table},
};
use sea_orm_migration::{
    MigrationName, MigrationTrait, SchemaManager,
    async_trait::async_trait,
    schema::{integer, pk_auto, string},
};
use sqlx::migrate::Migrator;
use tenantry_resource::within;
use tenantry_seaorm::{Backend, MigrationRecording, MigrationRefused};

use crate::world::{ACME, Deployment, GLOBEX, INITECH, World};

mod cake {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "cake")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i32,
        pub(super) name: String,
        pub(super) price: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

struct Cakes;

impl MigrationName for Cakes {
    fn name(&self) -> &str {
        "m20260102_030405_cakes"
    }
}

#[async_trait]
impl MigrationTrait for Cakes {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create().table("cake").if_not_exists().col(pk_auto("id")).col(string("name")).take();
        manager.create_table(table).await?;
        let by_name = Index::create().name("cake_name").table("cake").col("name").unique().take();
        manager.create_index(by_name).await?;
        let seed = Query::insert().into_table("cake").columns(["name"]).values_panic(["cheese; cake".into()]).take();
        manager.execute(seed).await
    }
}

struct Prices;

impl MigrationName for Prices {
    fn name(&self) -> &str {
        "m20260203_040506_prices"
    }
}

#[async_trait]
impl MigrationTrait for Prices {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        assert!(manager.has_table("cake").await?);
        if !manager.has_column("cake", "price").await? {
            let price = integer("price").default(0).take();
            manager.alter_table(Table::alter().table(Alias::new("cake")).add_column(price).take()).await?;
        }
        let inner = manager.begin().await?;
        let text = "UPDATE cake SET price = length(name); INSERT INTO cake (name, price) VALUES ('it''s sacher', 7)";
        inner.get_connection().execute_unprepared(text).await?;
        inner.commit().await
    }
}

/// A migration that cannot be the same for all tenants.
struct Crooked(&'static str, &'static str);

impl MigrationName for Crooked {
    fn name(&self) -> &str {
        self.0
    }
}

#[async_trait]
impl MigrationTrait for Crooked {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        match self.1 {
            "insert" => {
                drop(cake::ActiveModel { name: Set("x".into()), price: Set(1), ..Default::default() }.insert(db).await?)
            }
            "find" => drop(cake::Entity::find().all(db).await?),
            text => db.execute_unprepared(text).await.map(|_| ())?,
        }
        Ok(())
    }
}

async fn record(migrations: &[&dyn MigrationTrait]) -> Result<Migrator, MigrationRefused> {
    record_on(MigrationRecording::begin().await.unwrap(), migrations).await
}

async fn record_on(
    mut recording: MigrationRecording,
    migrations: &[&dyn MigrationTrait],
) -> Result<Migrator, MigrationRefused> {
    for migration in migrations {
        migration.up(&SchemaManager::new(recording.connection())).await.unwrap();
        recording.end_of(migration.name())?;
    }
    Ok(recording.into_migrator())
}

async fn cakes<DB: Backend, P>(world: &Deployment<DB, P>, tenant: i64) -> Vec<(i32, String, i32)> {
    let cakes = cake::Entity::find().order_by_asc(cake::Column::Id);
    let cakes = within(world.scope(tenant), cakes.all(&world.db)).await.unwrap();
    cakes.into_iter().map(|cake| (cake.id, cake.name, cake.price)).collect()
}

#[tokio::test]
async fn they_run_once_and_reach_every_tenant() {
    let world = World::unmigrated().await;
    let migrations = [record(&[&Cakes]).await.unwrap(), record(&[&Cakes, &Prices]).await.unwrap()];
    they_reach_every_tenant(&world, migrations).await;
}

async fn they_reach_every_tenant<DB: Backend, P>(world: &Deployment<DB, P>, [first, both]: [Migrator; 2]) {
    world.db.pool().migrate(&first).await.unwrap();
    within(world.scope(ACME), async {
        let mine = "INSERT INTO cake (name) VALUES ('mine'), ('mine too')";
        world.db.execute_unprepared(mine).await.unwrap();
    })
    .await;
    world.db.pool().migrate(&both).await.unwrap();
    world.db.pool().migrate(&both).await.unwrap();
    let cake = |id, name: &str, price| (id, name.to_owned(), price);
    let mine = [cake(1, "cheese; cake", 12), cake(2, "mine", 4), cake(3, "mine too", 8), cake(4, "it's sacher", 7)];
    assert_eq!(cakes(world, ACME).await, mine);
    assert_eq!(cakes(world, GLOBEX).await, [cake(1, "cheese; cake", 12), cake(2, "it's sacher", 7)]);
}

/// A database of one's own is migrated when it is opened, by all of them.
#[tokio::test]
async fn a_tenant_with_its_own_database_gets_them_as_well() {
    let world = World::unmigrated().await;
    world.db.pool().migrate(&record(&[&Cakes, &Prices]).await.unwrap()).await.unwrap();
    assert_eq!(cakes(&world, INITECH).await, cakes(&world, GLOBEX).await);
}

#[tokio::test]
async fn what_depends_on_rows_or_has_no_time_is_refused() {
    for (name, what, said) in [
        ("m20260304_050607_insert", "insert", "asks for the rows"),
        ("m20260304_050607_find", "find", "reads rows"),
        ("m20260304_050607_count", "SELECT count(*) FROM cake", "reads rows"),
        (
            "m20260304_050607_undo",
            "SAVEPOINT x; INSERT INTO cake (name) VALUES ('x'); ROLLBACK TO x; RELEASE x",
            "undoes",
        ),
        ("more_cakes", "SELECT 1", "does not begin with a time"),
        ("m20260203_040506_again", "SELECT 1", "sort them"),
    ] {
        let refused = record(&[&Cakes, &Prices, &Crooked(name, what)]).await.map(drop).unwrap_err().to_string();
        assert!(refused.contains(name) && refused.contains(said), "{refused}");
    }
}

#[cfg(feature = "postgres")]
mod on_postgres {
    use sea_orm::Statement;
    use sqlx::{ConnectOptions, postgres::PgConnectOptions};

    use super::*;
    use crate::world::PgWorld;

    async fn record(world: &PgWorld, migrations: &[&dyn MigrationTrait]) -> Result<Migrator, MigrationRefused> {
        record_on(MigrationRecording::begin_postgres(world.owner()).await.unwrap(), migrations).await
    }

    #[tokio::test]
    async fn they_run_once_and_reach_every_tenant() {
        let world = PgWorld::unmigrated().await;
        let migrations = [record(&world, &[&Cakes]).await.unwrap(), record(&world, &[&Cakes, &Prices]).await.unwrap()];
        they_reach_every_tenant(&world, migrations).await;
        // Also where the tables are there already.
        world.db.pool().migrate(&record(&world, &[&Cakes, &Prices]).await.unwrap()).await.unwrap();
        assert_eq!(schemas(&world.owner()).await, 0, "nothing is left");
    }

    #[tokio::test]
    async fn a_tenant_with_its_own_database_gets_them_as_well() {
        let world = PgWorld::unmigrated().await;
        world.db.pool().migrate(&record(&world, &[&Cakes, &Prices]).await.unwrap()).await.unwrap();
        assert_eq!(cakes(&world, INITECH).await, cakes(&world, GLOBEX).await);
    }

    #[tokio::test]
    async fn what_depends_on_rows_or_undoes_is_refused() {
        let world = PgWorld::unmigrated().await;
        for (name, what, said) in [
            ("m20260304_050607_insert", "insert", "asks for the rows"),
            ("m20260304_050607_find", "find", "reads rows"),
            ("m20260304_050607_count", "WITH x AS (SELECT count(*) FROM cake) SELECT * FROM x", "reads rows"),
            ("m20260304_050607_undo", "SAVEPOINT x; INSERT INTO cake (name) VALUES ('x'); ROLLBACK TO x", "undoes"),
        ] {
            let refused = record(&world, &[&Cakes, &Prices, &Crooked(name, what)]).await.map(drop).unwrap_err();
            let refused = refused.to_string();
            assert!(refused.contains(name) && refused.contains(said), "{refused}");
        }
        let all = record(&world, &[&Cakes, &Crooked("m20260304_050607_sequence", "SELECT setval('cake_id_seq', 9)")]);
        let refused = world.db.pool().migrate(&all.await.unwrap()).await.unwrap_err();
        assert!(format!("{refused:?}").contains("setval"), "{refused:?}");
        assert_eq!(schemas(&world.owner()).await, 0, "nothing is left");
    }

    /// What is committed would stay.
    #[tokio::test]
    async fn nothing_is_committed() {
        let world = PgWorld::unmigrated().await;
        for text in ["COMMIT", "CREATE TABLE x (); end", "BEGIN; CREATE TABLE x (); COMMIT", "PREPARE TRANSACTION 'x'"]
        {
            let recording = MigrationRecording::begin_postgres(world.owner()).await.unwrap();
            for unprepared in [true, false] {
                let db = recording.connection();
                let ran = match unprepared {
                    true => db.execute_unprepared(text).await.map(drop),
                    false => db.execute_raw(Statement::from_string(db.get_database_backend(), text)).await.map(drop),
                };
                let error = ran.unwrap_err().to_string();
                assert!(error.contains("leave it out"), "{text}: {error}");
            }
        }
        assert_eq!(schemas(&world.owner()).await, 0, "nothing is left");
    }

    async fn schemas(owner: &PgConnectOptions) -> i64 {
        let mut connection = owner.connect().await.unwrap();
        let text = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'tenantry_recording%'";
        sqlx::query_scalar(text).fetch_one(&mut connection).await.unwrap()
    }
}
