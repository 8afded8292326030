//! A password that nobody else sees: from standard input, and never from the arguments, which every user of the machine can
//! read.

use std::io::{self, BufRead, IsTerminal, Read};

use crate::{failure::Failure, output::Output};

/// Asks for the password of `name` twice where somebody sits there, and else takes what is piped in.
pub(super) fn read(output: Output, name: &str) -> Result<String, Failure> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return piped(stdin.lock());
    }
    if output == Output::Json {
        return Err(Failure::misused("there is nobody to ask for a password").hint("pipe it into standard input"));
    }
    let silence = Silence::begin()?;
    let first = asked(&format!("password for {name}: "), stdin.lock())?;
    let second = asked("the same again: ", stdin.lock())?;
    drop(silence);
    same(first, &second)
}

/// All that comes, without the end of the line.
fn piped(input: impl Read) -> Result<String, Failure> {
    let mut text = String::new();
    input.take(BYTES_MAX).read_to_string(&mut text)?;
    Ok(without_line_end(text))
}

fn asked(question: &str, mut answer: impl BufRead) -> Result<String, Failure> {
    Output::ask(question);
    let mut line = String::new();
    answer.read_line(&mut line)?;
    // What was typed is not seen, and neither was the end of the line.
    Output::ask("\n");
    Ok(without_line_end(line))
}

fn same(first: String, second: &str) -> Result<String, Failure> {
    if first == *second {
        return Ok(first);
    }
    Err(Failure::other("not_confirmed", "these are two passwords, so nothing was done"))
}

fn without_line_end(mut text: String) -> String {
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    text
}

/// More than any password may have.
const BYTES_MAX: u64 = 1 << 16;

/// As long as this is there, the terminal does not show what is typed.
#[cfg(unix)]
struct Silence(rustix::termios::Termios);

#[cfg(unix)]
impl Silence {
    fn begin() -> Result<Self, Failure> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

        let before = tcgetattr(io::stdin()).map_err(io::Error::from)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent).map_err(io::Error::from)?;
        Ok(Self(before))
    }
}

#[cfg(unix)]
impl Drop for Silence {
    fn drop(&mut self) {
        // The terminal that cannot be set back is gone.
        rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Flush, &self.0).ok();
    }
}

#[cfg(not(unix))]
struct Silence;

#[cfg(not(unix))]
impl Silence {
    fn begin() -> Result<Self, Failure> {
        Err(Failure::misused("a password that is typed would be seen here").hint("pipe it into standard input"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_line_is_no_part_of_it() {
        for typed in ["hush", "hush\n", "hush\r\n"] {
            assert_eq!(piped(typed.as_bytes()).unwrap(), "hush");
            assert_eq!(asked("", typed.as_bytes()).unwrap(), "hush");
        }
        assert_eq!(piped(" hush \n".as_bytes()).unwrap(), " hush ");
    }

    #[test]
    fn two_passwords_are_none() {
        assert_eq!(same("hush".to_owned(), "hush").unwrap(), "hush");
        let failure = same("hush".to_owned(), "hash").unwrap_err();
        assert_eq!(failure.parts().0, "not_confirmed");
        assert!(!failure.parts().1.contains("hush"));
    }
}
