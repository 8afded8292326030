//! Two walls, each of which holds alone: the rewriting without row-level security, and row-level security without the
//! rewriting.

use proptest::strategy::{Strategy, ValueTree};
use tenantry_sql::{Plan, Refused, Rewriter};
use tenantry_test::postgres::{Oracle, Planner, Setting, Walls, generate};

use super::{World, differential::runner};

/// How many statements a script has.
const LEN: usize = 20;
const SCRIPTS: usize = 15;

#[test]
fn the_rewriting_holds_alone() {
    let world = World::new(Walls::None, Planner::new());
    let mut runner = runner(1);
    for _ in 0..SCRIPTS {
        let script = generate::script(LEN).new_tree(&mut runner).unwrap().current();
        world.check(&script).unwrap_or_else(|difference| panic!("{difference}"));
    }
}

/// The statement as it is sent, with something else in the place of the tenant.
fn instead(
    change: impl Fn(&str, &str) -> String + 'static,
) -> impl Fn(&Rewriter, &str) -> Result<Plan, Refused> + 'static {
    move |rewriter, text| {
        let mut plan = rewriter.scope(text)?;
        if let Some(number) = plan.tenant {
            plan.text = change(&plan.text, &format!("${number}::bigint")).into();
        }
        Ok(plan)
    }
}

#[tokio::test]
async fn row_level_security_holds_alone() {
    let setting = Setting::new(Walls::RowSecurity).await.unwrap();
    let everybody = instead(|text, tenant| text.replace(&format!("\"_tenant\" = {tenant}"), "\"_tenant\" IS NOT NULL"));
    let somebody_else = instead(|text, tenant| text.replace(tenant, "7::bigint"));
    for planner in [Planner::with(everybody), Planner::with(somebody_else)] {
        let mut oracle = Oracle::new(&setting, planner, Planner::new()).await.unwrap();
        let mut runner = runner(2);
        for _ in 0..SCRIPTS {
            let script = generate::script(LEN).new_tree(&mut runner).unwrap().current();
            oracle.watch(&script).await.unwrap_or_else(|difference| panic!("{difference}"));
        }
    }
}

#[tokio::test]
async fn without_both_walls_rows_of_others_are_seen() {
    let setting = Setting::new(Walls::None).await.unwrap();
    let everybody = instead(|text, tenant| text.replace(&format!("\"_tenant\" = {tenant}"), "\"_tenant\" IS NOT NULL"));
    let mut oracle = Oracle::new(&setting, Planner::with(everybody), Planner::new()).await.unwrap();
    let mut runner = runner(2);
    let mut found = 0;
    for _ in 0..SCRIPTS {
        let script = generate::script(LEN).new_tree(&mut runner).unwrap().current();
        found += usize::from(oracle.watch(&script).await.is_err());
    }
    assert_eq!(found, SCRIPTS, "every script sees or touches rows of others");
}
