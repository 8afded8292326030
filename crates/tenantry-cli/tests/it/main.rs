//! The command line as its users see it: what they type, and what comes back.

#![expect(clippy::unwrap_used, reason = "this is how a test fails")]

mod adopt;
#[cfg(feature = "postgres")]
mod adopt_postgres;
mod audit;
mod catalog;
mod completions;
mod config;
mod database;
mod dry_run;
mod impersonate;
mod json;
mod keys;
mod killed;
mod life;
mod migrate;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(unix)]
mod progress;
mod settings;
mod tenant;
mod usage;
mod user;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// A folder that commands run in, gone at the end of the test.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Runs a command line, and compares what comes back: exit code, stdout, stderr.
    #[track_caller]
    fn check(&self, line: &str, expected: &str) {
        let (shown, expected) = (self.show(&self.run(line)), without_times(expected));
        assert!(shown.trim() == expected.trim(), "tenantry {line}\n{shown}");
    }

    /// Runs a command line that is only a step on the way.
    #[track_caller]
    fn step(&self, line: &str) {
        let output = self.run(line);
        assert!(output.status.success(), "tenantry {line}\n{}", self.show(&output));
    }

    /// What a command line that ends with this code prints for programs. They get no hints, which are for people.
    #[track_caller]
    fn document(&self, line: &str, code: i32) -> Value {
        let output = self.run(&format!("{line} --json"));
        let is_quiet = !String::from_utf8_lossy(&output.stderr).contains("hint: ");
        assert!(output.status.code() == Some(code) && is_quiet, "tenantry {line}\n{}", self.show(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn run(&self, line: &str) -> Output {
        self.command(line).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command line that reads `input`.
    fn run_with(&self, line: &str, input: &str) -> Output {
        let mut command = self.command(line);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Who refuses before it asks does not read it, and may have ended.
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        child.wait_with_output().unwrap()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.args(line.split_whitespace()).current_dir(self.0.path());
        command.env_remove("RUST_LOG").env_remove("TENANTRY_MASTER_KEY");
        command
    }

    fn show(&self, output: &Output) -> String {
        let mut shown = format!("exit {}\n", output.status.code().unwrap());
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            let text = String::from_utf8(bytes.clone()).unwrap();
            if !text.is_empty() {
                let folder = self.0.path().display().to_string();
                shown.push_str(&format!("--- {name}\n{}", without_times(&text.replace(&folder, "[home]"))));
            }
        }
        shown
    }
}

/// The text with `[time]`, `[day]`, `[id]` and `[sum]` for what the clock says, ids being times of
/// creation, and for checksums, which have the clock in them too.
fn without_times(text: &str) -> String {
    let mut rest = text;
    let mut shown = String::new();
    while let Some(c) = rest.chars().next() {
        let (mark, len) = match rest {
            _ if is_like(rest, TIME) => ("[time]", TIME.len()),
            _ if is_like(rest, DAY) => ("[day]", DAY.len()),
            _ if is_sum(rest) => ("[sum]", SUM_DIGITS),
            _ if digits(rest) >= ID_DIGITS_MIN => ("[id]", digits(rest)),
            _ => ("", c.len_utf8()),
        };
        shown.push_str(if mark.is_empty() { &rest[..len] } else { mark });
        rest = &rest[len..];
    }
    shown
}

/// Whether the text begins with a checksum.
fn is_sum(text: &str) -> bool {
    text.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).count() == SUM_DIGITS
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn is_like(text: &str, pattern: &str) -> bool {
    let fits = |(b, p): (u8, u8)| if p == b'0' { b.is_ascii_digit() } else { b == p };
    text.len() >= pattern.len() && text.bytes().zip(pattern.bytes()).all(fits)
}

const TIME: &str = "0000-00-00T00:00:00.000Z";
const DAY: &str = "0000-00-00";
const SUM_DIGITS: usize = 32;
const ID_DIGITS_MIN: usize = 9;
