//! Long work on a terminal shows how far it is, and elsewhere nothing.

use std::{fs::File, io::Read, os::fd::OwnedFd, process::Stdio};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use crate::{Home, adopt::instance};

#[tokio::test]
async fn steps_are_shown_on_a_terminal_and_nowhere_else() {
    let home = Home::new();
    home.write("tenantry.toml", "[lifecycle]\nsettle = \"1ms\"\n");
    instance(&home.path("instance.db"), None, "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)").await;
    let shown = on_a_terminal(&home, "adopt acme --from instance.db");
    assert!(shown.contains("t ["), "{shown:?}");
    let shown = on_a_terminal(&home, "tenant clone acme copy");
    assert!(shown.contains("copy rows (1/"), "{shown:?}");
    let shown = on_a_terminal(&home, "tenant export copy copy.tnt");
    assert!(shown.contains("export"), "{shown:?}");
    let shown = on_a_terminal(&home, "tenant import copy.tnt twin");
    assert!(shown.contains("import (1/2)"), "{shown:?}");
    assert_eq!(on_a_terminal(&home, "tenant move twin dedicated --json"), "");
    for line in ["tenant clone acme another", "tenant move copy dedicated", "tenant import copy.tnt last"] {
        let output = home.run(line);
        assert!(output.status.success() && output.stderr.is_empty(), "{}", home.show(&output));
    }
}

/// What a command writes to stderr where that is a terminal.
fn on_a_terminal(home: &Home, line: &str) -> String {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    tcsetwinsize(&ours, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let mut command = home.command(line);
    command.env("TERM", "xterm").stdin(Stdio::null()).stdout(Stdio::null()).stderr(OwnedFd::from(theirs));
    let mut child = command.spawn().unwrap();
    // With it goes the last handle of this process on their end.
    drop(command);
    let mut shown = Vec::new();
    // When nobody has the other end any more, a terminal fails.
    let mut ours = File::from(ours);
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = ours.read(&mut piece) {
        shown.extend_from_slice(&piece[..read]);
    }
    assert!(child.wait().unwrap().success(), "{line}: {}", String::from_utf8_lossy(&shown));
    String::from_utf8(shown).unwrap()
}
