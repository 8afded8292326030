//! `tenantry keys`

use std::fs;

use tenantry::MasterKeys;

use crate::Home;

#[test]
fn a_key_is_replaced_in_two_steps() {
    let home = Home::new();
    let file = home.path("tenantry.key");
    let id = |keys: MasterKeys| keys.ids().next().unwrap().to_string();
    let old = id(MasterKeys::load_or_create(&file).unwrap());
    let rotated = home.show(&home.run("keys rotate"));
    let new = id(MasterKeys::load_or_create(&file).unwrap());
    assert_ne!(old, new);
    assert_eq!(
        rotated,
        format!(
            "exit 0
--- stdout
file     tenantry.key
current  {new}
former   {old}
--- stderr
hint: restart every process that uses the file; once old sessions have ended, `tenantry keys retire` removes old keys
"
        )
    );
    home.check(
        "keys retire",
        &format!(
            "exit 0
--- stdout
file     tenantry.key
current  {new}
--- stderr
hint: restart every process that uses the file"
        ),
    );
    home.check(
        "keys retire --json",
        &format!("exit 0\n--- stdout\n{{\n  \"file\": \"tenantry.key\",\n  \"ids\": [\n    \"{new}\"\n  ]\n}}"),
    );
}

#[test]
fn a_key_that_is_not_there_cannot_be_replaced() {
    let home = Home::new();
    home.check(
        "keys rotate",
        "exit 1
--- stderr
error[key_file]: the key file tenantry.key cannot be read: No such file or directory (os error 2)
hint: there is no tenantry.toml here, so keys.file has its default; --config names another",
    );
    assert!(!home.path("tenantry.key").exists());
    home.write("tenantry.toml", "[keys]\nfile = \"secret\"");
    fs::write(home.path("secret"), "s3cret").unwrap();
    let shown = home.show(&home.run("keys rotate"));
    assert!(shown.starts_with("exit 1\n--- stderr\nerror[key_file]: the key file secret "), "{shown}");
    assert!(!shown.contains("s3cret"));
}
