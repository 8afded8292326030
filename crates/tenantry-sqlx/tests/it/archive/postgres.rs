//! Archives from and to PostgreSQL.

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tenantry_core::{Placement, Plane, Status, TenantId};
use tenantry_sqlx::{Ids, PgRows, portable::PgPortable};

use super::{round_trips::said, *};
use crate::{
    adopt_postgres::{ACME, GLOBEX, LIBRARY, Source, TABLES, Target},
    scoped::migrator,
};

fn preparing(id: i64, placement: Placement) -> Tenant {
    let mut tenant = Tenant::new(TenantId::new(id), format!("tenant-{id}").parse().unwrap());
    (tenant.status, tenant.placement) = (Status::Provisioning, placement);
    tenant
}

impl Target {
    fn portable(&self, schema: &str) -> PgPortable {
        PgPortable::new(self.options.clone()).with_migrations(&migrator(&[schema]))
    }

    async fn export(&self, tenant: &Tenant, file: &Path) -> Summary {
        archive::export(tenant, rows_alone(&PgPortable::new(self.options.clone())), file, Options::default())
            .await
            .unwrap()
    }

    async fn import(&self, schema: &str, tenant: &Tenant, file: &Path) -> Result<Imported, ArchiveError> {
        let from = std::fs::File::open(file).unwrap();
        archive::import(tenant, rows_alone(&self.portable(schema)), &[], from, Options::default()).await
    }

    async fn own(&self, id: i64) -> PgConnection {
        let name = format!("{}_{id}", self.database.name());
        let options: PgConnectOptions = self.options.application.clone().database(&name);
        PgConnection::connect_with(&options).await.unwrap()
    }

    /// Those besides the shared one.
    async fn databases(&self) -> Vec<String> {
        let text = "SELECT datname::text FROM pg_database WHERE starts_with(datname, $1)";
        let start = format!("{}_", self.database.name());
        sqlx::query_scalar(text).bind(start).fetch_all(&mut self.admin().await).await.unwrap()
    }

    /// Lets the owner make databases for tenants.
    async fn may_make_databases(&self) {
        let (owner, application) = (self.options.owner.get_username(), self.options.application.get_username());
        let text = format!("ALTER ROLE {owner} CREATEDB; GRANT {application} TO {owner}");
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut self.admin().await).await.unwrap();
    }
}

async fn of_own(connection: &mut PgConnection) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for query in TABLES {
        all.push(sqlx::query_scalar(*query).fetch_all(&mut *connection).await.unwrap());
    }
    all
}

#[tokio::test]
async fn every_type_comes_back_wherever_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acme.tar.zst");
    let library = Source::library().await;
    let home = Target::new(LIBRARY).await;
    home.adopt(ACME, &library).await.unwrap();
    let acme = home.all(ACME, TABLES).await;
    let summary = home.export(&preparing(ACME, Placement::Shared), &file).await;
    assert_eq!(summary.rows.iter().sum::<u64>(), 3 + 3 + 3 + 1);
    // A shared sequence tells how much all tenants have.
    assert_eq!(summary.header.schema.counters, []);

    // What an import would say is known before.
    for placement in [Placement::Shared, Placement::Dedicated] {
        let tenant = preparing(GLOBEX, placement);
        home.portable(LIBRARY).fits(&tenant, &summary.header.schema).await.unwrap();
        let mut other = summary.header.schema.clone();
        other.tables[0].name = "nowhere".to_owned();
        let misfit = home.portable(LIBRARY).fits(&tenant, &other).await.unwrap_err();
        assert!(said(&misfit).contains("there is no table \"nowhere\" here"), "{}", said(&misfit));
    }
    let unknowing = PgPortable::new(home.options.clone());
    unknowing.fits(&preparing(GLOBEX, Placement::Dedicated), &summary.header.schema).await.unwrap_err();

    // Beside it, where the source's rows that belong to all tenants are.
    let globex = preparing(GLOBEX, Placement::Shared);
    assert_eq!(home.import(LIBRARY, &globex, &file).await.unwrap().summary, summary);
    assert_eq!(home.all(GLOBEX, TABLES).await, acme);
    assert!(said(&home.import(LIBRARY, &globex, &file).await.unwrap_err()).contains("has rows of its own already"));

    // In a database of its own, and back from there.
    home.may_make_databases().await;
    let initech = preparing(43, Placement::Dedicated);
    let countries = "INSERT INTO countries VALUES ('at', 'Austria'), ('ch', 'Schweiz');";
    let with_countries = format!("{LIBRARY}{countries}");
    home.import(&with_countries, &initech, &file).await.unwrap();
    let mut own = home.own(43).await;
    assert_eq!(of_own(&mut own).await, acme);
    sqlx::raw_sql("INSERT INTO authors (name) VALUES ('next')").execute(&mut own).await.unwrap();
    own.close().await.unwrap();
    let back = folder.path().join("initech.tar.zst");
    let summary = home.export(&initech, &back).await;
    assert!(summary.header.schema.counters.iter().any(|counter| counter.table.as_deref() == Some("authors")));

    // Where each tenant counts for itself, ids go on where they have come to.
    let away = Target::with(|options| {
        options.numbering = [("*".to_owned(), Ids::PerTenant)].into();
    })
    .await;
    away.pool.migrate(&migrator(&[LIBRARY])).await.unwrap();
    away.adopt(ACME, &library).await.unwrap();
    let counted = folder.path().join("counted.tar.zst");
    let summary = away.export(&preparing(ACME, Placement::Shared), &counted).await;
    assert_eq!(summary.header.schema.counters.len(), 2);
    away.import(LIBRARY, &globex, &counted).await.unwrap();
    let next = "INSERT INTO \"Books\" (author, \"The title\") VALUES (1, 'next') RETURNING id::text";
    assert_eq!([away.column(GLOBEX, next).await, away.column(ACME, next).await], [["6"], ["6"]]);
    away.import(LIBRARY, &preparing(48, Placement::Shared), &back).await.unwrap();
    assert_eq!(away.column(ACME, TABLES[0]).await, acme[0]);
}

#[tokio::test]
async fn what_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acme.tar.zst");
    let library = Source::library().await;
    let home = Target::new(LIBRARY).await;
    home.adopt(ACME, &library).await.unwrap();
    home.export(&preparing(ACME, Placement::Shared), &file).await;
    let (globex, acme) = (preparing(GLOBEX, Placement::Shared), home.left(ACME).await);
    home.may_make_databases().await;

    // Cut off within the rows, and with a country that is not there.
    let bytes = std::fs::read(&file).unwrap();
    let cut = folder.path().join("cut.tar.zst");
    std::fs::write(&cut, &bytes[..bytes.len() - 60]).unwrap();
    assert!(matches!(home.import(LIBRARY, &globex, &cut).await, Err(ArchiveError::CutOff)));
    let away = Target::new(LIBRARY).await;
    away.may_make_databases().await;
    for placement in [Placement::Shared, Placement::Dedicated] {
        let refused = said(&away.import(LIBRARY, &preparing(GLOBEX, placement), &file).await.unwrap_err());
        assert!(refused.contains("violates foreign key constraint"), "{refused}");
    }
    assert_eq!((home.left(GLOBEX).await, away.left(GLOBEX).await), (vec![], vec![]));
    // The database that was not finished is erased, as it is when an import is undone that was killed.
    assert_eq!(away.databases().await, [format!("{}_{GLOBEX}_importing", away.database.name())]);
    let rows = PgRows::new(away.options.clone());
    rows.erase(&preparing(GLOBEX, Placement::Dedicated)).await.unwrap();
    assert!(away.databases().await.is_empty());
    assert_eq!(home.left(ACME).await, acme);
    home.import(LIBRARY, &globex, &file).await.unwrap();

    // Ids that would use up a sequence of all tenants.
    home.execute(GLOBEX, "INSERT INTO \"Books\" (id, author, \"The title\") VALUES (2000000000, 1, 'far')").await;
    home.export(&globex, &file).await;
    home.execute(GLOBEX, "DELETE FROM \"Books\" WHERE id = 2000000000").await;
    let refused = said(&home.import(LIBRARY, &preparing(47, Placement::Shared), &file).await.unwrap_err());
    assert!(refused.contains("its ids reach 2000000000, after which Books_id_seq"), "{refused}");
}

const ON_SQLITE: &str = "CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT, i INTEGER, r REAL, t TEXT, b BLOB, yes BOOLEAN); \
                         CREATE TABLE q (a TEXT, p INTEGER REFERENCES p (id), PRIMARY KEY (a, p)) WITHOUT ROWID";
const ON_POSTGRES: &str = "CREATE TABLE p (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, i bigint, r float8, t text, b bytea, yes boolean); \
                           CREATE TABLE q (a text, p bigint REFERENCES p, PRIMARY KEY (a, p))";

fn portable_rows() -> impl Strategy<Value = Vec<String>> {
    let or_null = |text: BoxedStrategy<String>| prop_oneof![1 => Just("NULL".to_owned()), 6 => text];
    let integer = prop_oneof![
        any::<i64>().prop_filter("written otherwise", |it| *it > i64::MIN),
        9007199254740992..9007199254741000i64
    ];
    let real = prop_oneof![
        any::<f64>().prop_filter("SQLite has no NaN", |real| real.is_finite()).prop_map(|real| format!("({real:e})")),
        prop::sample::select(vec!["9e999", "-9e999", "0.1", "-0.0", "1.0", "5e-324"]).prop_map(str::to_owned),
    ];
    let row = (
        or_null(integer.prop_map(|it| format!("({it})")).boxed()),
        or_null(real.boxed()),
        or_null("[a-zé\"\\\\\t\n\r☕]{0,9}".prop_map(|text| format!("'{text}'")).boxed()),
        or_null(
            prop::collection::vec(any::<u8>(), 0..9)
                .prop_map(|bytes| format!("x'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
                .boxed(),
        ),
        or_null(prop::sample::select(vec!["0", "1"]).prop_map(str::to_owned).boxed()),
    );
    let insert = |(i, r, t, b, yes)| format!("INSERT INTO p (i, r, t, b, yes) VALUES ({i}, {r}, {t}, {b}, {yes})");
    prop::collection::vec(row.prop_map(insert), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn what_both_databases_have_goes_there_and_back(mut statements in portable_rows()) {
        statements.push("INSERT INTO q SELECT coalesce(t, ''), id FROM p".to_owned());
        statements.push("INSERT INTO p DEFAULT VALUES".to_owned());
        statements.push("DELETE FROM p WHERE id = (SELECT max(id) FROM p)".to_owned());
        block_on(async {
            let sqlite = Deployment::new();
            sqlite.migrate(&[ON_SQLITE]).await.unwrap();
            sqlite.execute(super::ACME, &statements).await;
            let tables = ["SELECT * FROM p ORDER BY id", "SELECT * FROM q ORDER BY a, p"];
            let rows_there = sqlite.all(super::ACME, &tables).await;
            let file = sqlite.file("acme.tar.zst");
            sqlite.export(super::ACME, &file).await.unwrap();
            let postgres = Target::with(|options| options.numbering = [("*".to_owned(), Ids::PerTenant)].into()).await;
            postgres.pool.migrate(&migrator(&[ON_POSTGRES])).await.unwrap();
            let acme = preparing(ACME, Placement::Shared);
            postgres.import(ON_POSTGRES, &acme, &file).await.unwrap();
            postgres.export(&acme, &file).await;
            for id in [super::GLOBEX, INITECH] {
                sqlite.import(id, &file).await.unwrap();
                prop_assert_eq!(&sqlite.all(id, &tables).await, &rows_there);
            }
            let next = "INSERT INTO p (t) VALUES ('next') RETURNING id";
            let ids = [super::ACME, super::GLOBEX, INITECH];
            let mut given = Vec::new();
            for id in ids {
                given.push(within(sqlite.scope(id), rows(&sqlite.pool, next)).await);
            }
            prop_assert!(given.iter().all(|id| *id == given[0]), "{:?}", given);
            Ok(())
        })?;
    }
}
