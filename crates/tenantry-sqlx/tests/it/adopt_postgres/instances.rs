//! What an instance had is what its tenant has.

use std::{collections::BTreeMap, time::Instant};

use tenantry_sqlx::{Ids, Severity, doctor};

use super::*;

#[tokio::test]
async fn two_instances_become_tenants() {
    let target = Target::new(LIBRARY).await;
    let (one, two) = (Source::library().await, Source::library().await);
    two.run("UPDATE settings SET title = 'two'; DELETE FROM loans; UPDATE authors SET name = 'Ada' WHERE id = 2").await;
    let adoption = target.adopt(ACME, &one).await.unwrap();
    let rows: Vec<_> = adoption.tables.iter().map(|table| (table.name.as_str(), table.rows, table.is_global)).collect();
    assert_eq!(
        rows,
        [
            ("countries", 2, true),
            ("authors", 3, false),
            ("Books", 3, false),
            ("loans", 3, false),
            ("settings", 1, false)
        ]
    );
    assert_eq!((adoption.already, adoption.took_schema), (false, false));
    assert_eq!(target.all(ACME, TABLES).await, one.all(TABLES).await);
    target.adopt(GLOBEX, &two).await.unwrap();
    assert_eq!(target.all(GLOBEX, TABLES).await, two.all(TABLES).await);
    assert_eq!(target.all(ACME, TABLES).await, one.all(TABLES).await, "the other one has not changed");
    assert_ne!(one.all(TABLES).await, two.all(TABLES).await);
}

#[tokio::test]
async fn ids_go_on_after_those_that_the_instance_gave_out() {
    let target = Target::new(LIBRARY).await;
    target.adopt(ACME, &Source::library().await).await.unwrap();
    for (insert, id) in [
        ("INSERT INTO authors (name) VALUES ('next') RETURNING id::text", "5"),
        ("INSERT INTO \"Books\" (author, \"The title\") VALUES (1, 'next') RETURNING id::text", "6"),
    ] {
        assert_eq!(target.column(ACME, insert).await, [id]);
    }
    // Never backwards.
    target.execute(GLOBEX, "INSERT INTO authors (name) SELECT 'many ' || n FROM generate_series(1, 50) n").await;
    let third = Target::new(LIBRARY).await;
    third.execute(GLOBEX, "INSERT INTO authors (name) SELECT 'many ' || n FROM generate_series(1, 50) n").await;
    third.adopt(ACME, &Source::library().await).await.unwrap();
    assert_eq!(third.column(ACME, "INSERT INTO authors (name) VALUES ('next') RETURNING id::text").await, ["51"]);
}

/// Where tenants have ids of their own, so has one that was an instance: whether it was known before or not.
#[tokio::test]
async fn ids_of_a_tenants_own_go_on_as_the_instances() {
    let target = Target::with(|options| {
        options.numbering = BTreeMap::from([("*".to_owned(), Ids::PerTenant), ("Books".to_owned(), Ids::Gapless)]);
    })
    .await;
    target.pool.migrate(&migrator(&[LIBRARY])).await.unwrap();
    target.execute(GLOBEX, "INSERT INTO authors (name) VALUES ('first')").await;
    let source = Source::library().await;
    let mut unknown = tenant(ACME);
    for id in [ACME, ACME + 7] {
        unknown.id = TenantId::new(id);
        adopt(&target.options, &unknown, &source.instance(), AdoptOptions::default()).await.unwrap();
    }
    assert_eq!(target.all(ACME, TABLES).await, source.all(TABLES).await);
    for (insert, id) in [
        ("INSERT INTO authors (name) VALUES ('next') RETURNING id::text", "5"),
        ("INSERT INTO \"Books\" (author, \"The title\") VALUES (1, 'next') RETURNING id::text", "6"),
    ] {
        assert_eq!(target.column(ACME, insert).await, [id]);
    }
    let second = "INSERT INTO authors (name) VALUES ('second') RETURNING id::text";
    assert_eq!(target.column(GLOBEX, second).await, ["2"]);
    assert!(doctor(&target.options).await.unwrap().iter().all(|finding| finding.severity != Severity::Broken));
}

#[tokio::test]
async fn what_a_tenant_begins_with_makes_room() {
    let target = Target::new(LIBRARY).await;
    assert_eq!(target.column(ACME, "SELECT title FROM settings").await, ["new"]);
    let source = Source::library().await;
    target.adopt(ACME, &source).await.unwrap();
    assert_eq!(target.all(ACME, TABLES).await, source.all(TABLES).await);
    assert_eq!(target.column(GLOBEX, "SELECT title FROM settings").await, ["new"]);
    // An instance that has deleted what it began with has not got it back.
    let source = Source::new(LIBRARY).await;
    source.run("DELETE FROM settings; INSERT INTO countries VALUES ('at', 'Austria'), ('ch', 'Schweiz')").await;
    target.adopt(GLOBEX, &source).await.unwrap();
    assert_eq!(target.all(GLOBEX, TABLES).await, source.all(TABLES).await);
}

#[tokio::test]
async fn a_role_that_may_only_read_is_enough() {
    let target = Target::new(LIBRARY).await;
    let mut source = Source::library().await;
    let reader = source.0.role("reader").await.unwrap();
    source.run(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}", reader.name)).await;
    let from: Instance = reader.url.parse().unwrap();
    let adopted = adopt(&target.options, &tenant(ACME), &from, AdoptOptions::default()).await;
    let refused = adopted.unwrap_err();
    assert!(refused.is_before_all());
    assert!(refused.to_string().contains("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public"), "{refused}");
    assert!(!refused.to_string().contains(&reader.password));
    source.run(&format!("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {}", reader.name)).await;
    adopt(&target.options, &tenant(ACME), &from, AdoptOptions::default()).await.unwrap();
    assert_eq!(target.all(ACME, TABLES).await, source.all(TABLES).await);
    // What a policy hides is missed, and not left out.
    source.run("ALTER TABLE loans ENABLE ROW LEVEL SECURITY").await;
    let refused = adopt(&target.options, &tenant(GLOBEX), &from, AdoptOptions::default()).await.unwrap_err();
    assert!(refused.to_string().contains("row-level security"), "{refused}");
}

#[tokio::test]
async fn many_rows_arrive() {
    let target = Target::new(LIBRARY).await;
    let source = Source::library().await;
    let many = "INSERT INTO \"Books\" (author, \"The title\", tags, meta, made)
                SELECT 1 + n % 3, 'title ' || n, ARRAY['a' || n, 'b'], jsonb_build_object('n', n), now() - n * interval '1 hour'
                FROM generate_series(1, 100000) n";
    source.run(many).await;
    let begun = Instant::now();
    let mut told = Vec::new();
    let how = AdoptOptions::default().on_progress(|progress| {
        told.push((progress.table.to_owned(), progress.rows, progress.total));
        std::ops::ControlFlow::Continue(())
    });
    adopt(&target.options, &tenant(ACME), &source.instance(), how).await.unwrap();
    println!("100,003 rows were adopted in {:?}", begun.elapsed());
    let told: Vec<_> =
        told.iter().filter(|(table, ..)| table == "Books").map(|(_, rows, total)| (*rows, *total)).collect();
    assert!(told.len() > 100 && told.is_sorted() && told.last() == Some(&(100_003, 100_003)), "{told:?}");
    let tables = ["SELECT md5(string_agg(b::text, E'\\n' ORDER BY id)) FROM \"Books\" b"];
    assert_eq!(target.all(ACME, &tables).await, source.all(&tables).await);
}

#[tokio::test]
async fn values_do_not_depend_on_how_a_database_is_set() {
    let target = Target::new(LIBRARY).await;
    let source = Source::library().await;
    let set = |database: &str, settings: &[&str]| {
        settings.iter().map(|setting| format!("ALTER DATABASE {database} SET {setting};")).collect::<String>()
    };
    let odd = [
        "DateStyle = 'SQL, DMY'",
        "IntervalStyle = 'sql_standard'",
        "TimeZone = 'Asia/Tokyo'",
        "bytea_output = 'escape'",
        "extra_float_digits = -10",
        "client_encoding = 'LATIN1'",
        "statement_timeout = '1s'",
        "idle_in_transaction_session_timeout = '1s'",
        "standard_conforming_strings = off",
    ];
    source.run(&set(source.0.name(), &odd)).await;
    let mut owner = PgConnection::connect(target.database.url()).await.unwrap();
    let other = set(target.database.name(), &["DateStyle = 'German'", "TimeZone = 'America/Caracas'"]);
    sqlx::raw_sql(AssertSqlSafe(other)).execute(&mut owner).await.unwrap();
    target.adopt(ACME, &source).await.unwrap();
    for database in [&source.0, &target.database] {
        let mut owner = PgConnection::connect(database.url()).await.unwrap();
        let reset = format!("ALTER DATABASE {} RESET ALL", database.name());
        sqlx::raw_sql(AssertSqlSafe(reset)).execute(&mut owner).await.unwrap();
    }
    // Connections that are open already have other settings.
    let pool = ScopedPool::postgres(target.options.clone(), Some(Arc::clone(&target.admission)));
    let target = Target { pool, ..target };
    assert_eq!(target.all(ACME, TABLES).await, source.all(TABLES).await);
}

#[tokio::test]
async fn other_tenants_go_on_meanwhile() {
    let target = Target::new(LIBRARY).await;
    let source = Source::library().await;
    let many = "INSERT INTO authors (name) SELECT 'author ' || n FROM generate_series(1, 20000) n";
    source.run(many).await;
    let (mut written, done) = (0_u32, std::cell::Cell::new(false));
    let writing = async {
        while !done.get() {
            written += 1;
            target.execute(GLOBEX, &format!("INSERT INTO authors (name) VALUES ('{written}')")).await;
        }
    };
    let adopting = async {
        target.adopt(ACME, &source).await.unwrap();
        done.set(true);
    };
    tokio::join!(adopting, writing);
    assert!(written > 0, "{written}");
    assert_eq!(target.column(GLOBEX, "SELECT count(DISTINCT id)::text FROM authors").await, [written.to_string()]);
    assert_eq!(target.all(ACME, TABLES).await, source.all(TABLES).await);
    for tenant in [ACME, GLOBEX] {
        target.execute(tenant, "INSERT INTO authors (name) VALUES ('last')").await;
    }
}
