//! Whatever becomes of rows meanwhile, it is caught up with.

use super::*;

/// What becomes of rows in one go, and how often: keys that change hands, cascades, rows without a key that are alike,
/// and what is unique given up and taken.
const CHANGES: &[&str] = &[
    "INSERT INTO users (email, boss) VALUES ('d', 1)",
    "UPDATE users SET email = email || '+' ",
    "UPDATE users SET boss = 2 WHERE id = 1",
    "DELETE FROM words WHERE word IS NULL",
    "INSERT INTO words VALUES (NULL), (NULL), ('twice'), ('twice')",
    "UPDATE words SET word = 'once' WHERE word = 'twice'",
    "UPDATE users SET favourite = NULL; DELETE FROM notes WHERE user_id = 2",
    "UPDATE notes SET user_id = 2",
    "UPDATE accounts SET money = -money",
    "UPDATE accounts SET id = id + 10",
    "DELETE FROM accounts",
    // What is unique changes hands: one row takes what the other gives up.
    "UPDATE users SET email = '*' || id; UPDATE users SET email = '*' || (3 - id) || '?' WHERE id < 3; \
     UPDATE users SET email = '*' || (3 - id) WHERE id < 3",
    "UPDATE users SET email = 'old' WHERE id = 1; INSERT INTO users (email) VALUES ('*2')",
    "INSERT INTO invoices (cents) SELECT n FROM generate_series(1, 50) n",
    "DELETE FROM invoices WHERE id % 2 = 0",
];

#[tokio::test]
async fn all_changes_are_brought() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let others = home.others(id).await;
        let moving = moving(id, &to);
        home.rows.prepare(&moving).await.unwrap();
        MovableRows::copy(&home.rows, &moving).await.unwrap();
        let there = ScopedPool::postgres(home.options.clone(), None);
        for change in CHANGES {
            for statement in change.split(';') {
                home.execute(id, statement).await;
            }
            assert!(home.rows.catch_up(&moving).await.unwrap() > 0, "{change}");
            let (mut mirrored, seen) = (Vec::new(), home.seen(id).await);
            let tenant =
                Admission::new(Arc::new([moving.to.clone()].into_iter().collect::<Mirror>()), Plans::default());
            let scope = tenant.admit_id(moving.to.id).unwrap();
            mirrored.extend(within(scope, sqlx::query_as::<_, (String, String)>(ALL).fetch_all(&there)).await.unwrap());
            assert_eq!(mirrored, seen, "{change}");
            assert_eq!(home.rows.catch_up(&moving).await.unwrap(), 0, "{change}");
        }
        for statement in "UPDATE users SET email = '#' || id; INSERT INTO words VALUES ('last')".split(';') {
            home.execute(id, statement).await;
        }
        let seen = home.seen(id).await;
        home.fence_and_switch(&moving).await;
        home.rows.clean_up(&moving).await.unwrap();
        assert_eq!(home.seen(id).await, seen);
        assert_eq!(home.others(id).await, others);
    }
}

#[tokio::test]
async fn all_changes_at_once_are_brought_by_the_fence() {
    for (id, to) in BOTH {
        let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
        let moving = moving(id, &to);
        home.rows.prepare(&moving).await.unwrap();
        MovableRows::copy(&home.rows, &moving).await.unwrap();
        for statement in CHANGES.iter().flat_map(|change| change.split(';')) {
            home.execute(id, statement).await;
        }
        let seen = home.seen(id).await;
        home.fence_and_switch(&moving).await;
        assert_eq!(home.seen(id).await, seen);
    }
}

#[tokio::test]
async fn what_all_tenants_read_is_brought_and_stays() {
    let home = Home::used(&[ACME, GLOBEX, INITECH]).await;
    let there = moving(ACME, &Placement::Dedicated);
    home.rows.prepare(&there).await.unwrap();
    MovableRows::copy(&home.rows, &there).await.unwrap();
    let more = "INSERT INTO tenantry_shared.countries VALUES ('de')";
    home.admin().await.execute(more).await.unwrap();
    assert_eq!(home.rows.catch_up(&there).await.unwrap(), 1);
    home.fence_and_switch(&there).await;
    home.execute(ACME, "UPDATE users SET country = 'de'").await;
    home.rows.clean_up(&there).await.unwrap();
    // On the way back what only the tenant has would be lost.
    home.execute(ACME, "INSERT INTO countries VALUES ('fr')").await;
    let refused = MovableRows::copy(&home.rows, &back(&there)).await.unwrap_err();
    assert!(
        matches!(cause(&refused), MoveError::Rows(RowsError::Global(table)) if table == "countries"),
        "{refused:?}"
    );
    home.execute(ACME, "DELETE FROM countries WHERE code = 'fr'").await;
    home.move_all(&back(&there)).await;
    let countries = sqlx::query_scalar("SELECT code FROM countries ORDER BY code").fetch_all(&home.pool);
    let countries: Vec<String> = home.as_tenant(GLOBEX, countries).await.unwrap();
    assert_eq!(countries, ["at", "ch", "de"]);
}
