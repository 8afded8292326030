//! `tenantry tenant`

use crate::Home;

#[test]
fn a_tenant_is_created() {
    let home = Home::new();
    home.check(
        "tenant create acme --alias acme-old --alias shop --expires 14d",
        "exit 0
--- stdout
created acme, active, on the plan default
--- stderr
hint: there was no catalog tenantry.db, so a new one was made",
    );
    home.check(
        "tenant create globex --placement dedicated --suspended",
        "exit 0
--- stdout
created globex, suspended, on the plan default",
    );
    home.check(
        "tenant list",
        "exit 0
--- stdout
SLUG    STATUS     PLAN     PLACEMENT  EXPIRES     ALIASES
acme    active     default  shared     [day]  acme-old,shop
globex  suspended  default  dedicated  never",
    );
    home.check(
        "tenant show shop",
        "exit 0
--- stdout
slug       acme
aliases    acme-old, shop
id         [id]
status     active
plan       default
placement  shared
created    [time]
expires    [time]
revision   1",
    );
}

#[test]
fn a_name_that_cannot_be_is_refused() {
    let home = Home::new();
    for (line, message) in [
        (
            "tenant create Acme",
            "invalid value 'Acme' for '<SLUG>': a tenant's name is made of a-z, 0-9 and inner hyphens, and 'A' is none \
             of them",
        ),
        ("tenant create www", "invalid value 'www' for '<SLUG>': this name is reserved; choose another"),
        ("tenant create acme --alias -x", "unexpected argument '-x' found"),
        (
            "tenant create acme --plan big/spender",
            "invalid value 'big/spender' for '--plan <PLAN>': a plan's name has 1 to 63 characters of a-z, 0-9, hyphen \
             and underscore",
        ),
        (
            "tenant create acme --expires soon",
            "invalid value 'soon' for '--expires <TIME>': no time like 14d or 12h: expected number at 0",
        ),
        (
            "tenant create acme --expires 200years",
            "invalid value '200years' for '--expires <TIME>': it has to be longer than nothing and no longer than 100 \
             years",
        ),
    ] {
        let output = home.run(line);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.lines().next()), (Some(2), Some(&*format!("error: {message}"))));
    }
    assert!(!home.path("tenantry.db").exists());
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let home = Home::new();
    home.step("tenant create acme --alias shop");
    for (line, taken) in [("tenant create shop", "shop"), ("tenant create other --alias acme", "acme")] {
        home.check(
            line,
            &format!("exit 33\n--- stderr\nerror[tenant_exists]: the name {taken} is taken\nhint: choose another name"),
        );
    }
}

#[test]
fn a_plan_has_to_be_in_the_configuration() {
    let home = Home::new();
    home.write("tenantry.toml", "[plans.silver]\nburst = 7");
    home.check(
        "tenant create acme --plan gold",
        "exit 28
--- stderr
error[plan_unknown]: no plan is called gold
hint: the configuration has default, silver; add [plans.gold] for another",
    );
    home.check(
        "tenant create acme --plan silver",
        "exit 0
--- stdout
created acme, active, on the plan silver
--- stderr
hint: there was no catalog tenantry.db, so a new one was made",
    );
}

#[test]
fn a_list_is_cut_and_says_so() {
    let home = Home::new();
    for slug in ["a", "b", "c"] {
        home.step(&format!("tenant create {slug}"));
    }
    home.step("tenant suspend b");
    home.check(
        "tenant list --limit 1",
        "exit 0
--- stdout
SLUG  STATUS  PLAN     PLACEMENT  EXPIRES  ALIASES
a     active  default  shared     never
--- stderr
hint: there are more; --limit shows them",
    );
    home.check(
        "tenant list --limit 1 --status suspended",
        "exit 0
--- stdout
SLUG  STATUS     PLAN     PLACEMENT  EXPIRES  ALIASES
b     suspended  default  shared     never",
    );
    home.check(
        "tenant list --status deleting",
        "exit 0
--- stdout
SLUG  STATUS  PLAN  PLACEMENT  EXPIRES  ALIASES",
    );
}

#[test]
fn a_tenant_that_is_not_there_may_be_one_that_is() {
    let home = Home::new();
    home.step("tenant create acme --alias globex");
    let unknown = |slug: &str, hint: &str| {
        format!("exit 39\n--- stderr\nerror[tenant_unknown]: no tenant is called {slug}\nhint: {hint}")
    };
    home.check("tenant show acmee", &unknown("acmee", "did you mean acme?"));
    home.check("tenant suspend globx", &unknown("globx", "did you mean globex?"));
    home.check("tenant delete x --yes", &unknown("x", "`tenantry tenant list` shows the tenants there are"));
    home.check("tenant resume initech", &unknown("initech", "`tenantry tenant list` shows the tenants there are"));
}

#[test]
fn suspending_and_resuming_can_be_repeated() {
    let home = Home::new();
    home.step("tenant create acme --alias shop");
    home.check("tenant resume acme", "exit 0\n--- stdout\nacme is already active");
    home.check("tenant suspend shop", "exit 0\n--- stdout\nacme is now suspended");
    home.check("tenant suspend acme", "exit 0\n--- stdout\nacme is already suspended");
    home.check("tenant resume acme", "exit 0\n--- stdout\nacme is now active");
}

#[test]
fn a_tenant_whose_time_is_up_is_not_resumed() {
    let home = Home::new();
    home.step("tenant create acme --expires 1ms");
    home.check(
        "tenant resume acme",
        "exit 35
--- stderr
error[tenant_expired]: the time of acme is up
hint: `tenantry tenant show` says when it was",
    );
    home.check("tenant suspend acme", "exit 0\n--- stdout\nacme is now suspended");
}

#[test]
fn deleting_takes_two_steps() {
    let home = Home::new();
    home.step("tenant create acme");
    home.check(
        "tenant delete acme",
        "exit 2
--- stderr
error[usage]: there is nobody to ask
hint: --yes goes on without a question",
    );
    home.check(
        "tenant delete acme --forget --yes",
        "exit 1
--- stderr
error[not_deleting]: acme is active, and only a tenant that is deleting can be forgotten
hint: `tenantry tenant delete acme` marks it",
    );
    for when in ["now", "already"] {
        home.check(
            "tenant delete acme --yes",
            &format!(
                "exit 0
--- stdout
acme is {when} marked as deleting, and is not served; it is kept until [time]
--- stderr
hint: `tenantry tenant resume acme --undelete` takes the mark back
hint: `tenantry tenant erase acme` removes what it has when that time has come
hint: `tenantry tenant delete acme --forget` removes the record alone, and frees its names"
            ),
        );
    }
    home.check(
        "tenant delete acme --forget",
        "exit 2
--- stderr
error[usage]: there is nobody to ask
hint: --yes goes on without a question",
    );
    home.check(
        "tenant delete acme --forget --yes",
        "exit 0
--- stdout
acme is forgotten, and its names are free
--- stderr
hint: what it stored elsewhere, databases and files, is still there",
    );
    home.check("tenant create acme", "exit 0\n--- stdout\ncreated acme, active, on the plan default");
}

#[test]
fn a_tenant_that_is_deleting_comes_back_only_on_purpose() {
    let home = Home::new();
    home.step("tenant create acme");
    home.step("tenant delete acme --yes");
    for line in ["tenant suspend acme", "tenant resume acme"] {
        home.check(
            line,
            "exit 34
--- stderr
error[tenant_deleting]: acme is being deleted
hint: `tenantry tenant resume acme --undelete` takes the mark back, if its data is still there",
        );
    }
    home.check("tenant resume acme --undelete", "exit 0\n--- stdout\nacme is now active");
}

#[test]
fn a_trial_is_extended_expires_and_becomes_a_customer() {
    let home = Home::new();
    home.write("tenantry.toml", "[plans.gold]\nburst = 7");
    home.step("tenant create acme --expires 14d");
    home.check("tenant extend acme 14d", "exit 0\n--- stdout\nacme has time now until [time]");
    home.check("tenant expire acme", "exit 0\n--- stdout\nacme is now expired");
    home.check("tenant expire acme", "exit 0\n--- stdout\nacme is already expired");
    home.check("tenant extend acme 1d", "exit 0\n--- stdout\nacme has time now until [time]");
    home.check("tenant promote acme --plan gold", "exit 0\n--- stdout\nacme is now a customer, on the plan gold");
    home.check("tenant promote acme --plan gold", "exit 0\n--- stdout\nacme is already a customer, on the plan gold");
    home.check("tenant extend acme 1d", "exit 0\n--- stdout\nacme has time already without an end");
    home.check(
        "tenant promote acme --plan silver",
        "exit 28
--- stderr
error[plan_unknown]: no plan is called silver
hint: the configuration has default, gold; add [plans.silver] for another",
    );
}

#[test]
fn a_tenant_is_renamed_and_found_by_its_former_name() {
    let home = Home::new();
    home.step("tenant create acme");
    home.step("tenant create globex");
    home.check("tenant rename acme initech", "exit 0\n--- stdout\ninitech is now its name");
    home.check("tenant suspend acme", "exit 0\n--- stdout\ninitech is now suspended");
    home.check(
        "tenant rename initech globex",
        "exit 33\n--- stderr\nerror[tenant_exists]: the name globex is taken\nhint: choose another name",
    );
    home.check("tenant rename initech acme --free", "exit 0\n--- stdout\nacme is now its name");
    home.step("tenant create initech");
}
