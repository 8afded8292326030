//! `tenantry completions`

use crate::Home;

#[test]
fn every_shell_has_some() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = home.run(&format!("completions {shell}"));
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        assert!(script.contains("tenantry") && script.contains("suspend"), "{shell}");
    }
}
