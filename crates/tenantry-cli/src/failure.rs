//! How a command fails: a code for programs, a message and a hint for people, an exit code for the shell.

use std::io;

use serde::Serialize;
use tenantry::{
    CatalogError, Code, KeyFileError, OpenError, Refusal, UsageError, config::ConfigError, control::with_causes,
    directory::LocalUserError,
};

/// Why a command did not do what it was asked.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    code: &'static str,
    message: String,
    hint: Option<String>,
    #[serde(skip)]
    exit: u8,
}

impl Failure {
    /// The exit code for a command line that makes no sense.
    pub(crate) const USAGE: u8 = 2;

    /// The exit code of a plan that cannot be carried out.
    const IN_THE_WAY: u8 = 3;

    /// The exit code for everything that has none of its own.
    const OTHER: u8 = 1;

    /// A refusal with this code, in the words of this command.
    pub(crate) fn refused(code: Code, message: impl Into<String>) -> Self {
        let hint = Some(code.hint().to_owned());
        Self { code: code.as_str(), message: message.into(), hint, exit: code.exit_code() }
    }

    /// An error that is no refusal.
    pub(crate) fn other(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, exit: Self::OTHER }
    }

    /// A command line that makes no sense to the parser.
    pub(crate) fn usage(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        let (message, _) = text.split_once("\n\n").unwrap_or((&text, ""));
        Self::misused(message.trim().trim_start_matches("error: "))
    }

    /// A command line that makes no sense in this situation.
    pub(crate) fn misused(message: impl Into<String>) -> Self {
        let hint = Some("`tenantry help` shows the commands".to_owned());
        Self { code: "usage", message: message.into(), hint, exit: Self::USAGE }
    }

    /// Something is in the way of what was asked about; what it is has been printed.
    pub(crate) fn in_the_way(message: impl Into<String>) -> Self {
        Self { code: "in_the_way", message: message.into(), hint: None, exit: Self::IN_THE_WAY }
    }

    /// With this hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The code, the message, the hint, and the exit code.
    pub(crate) fn parts(&self) -> (&str, &str, Option<&str>, u8) {
        (self.code, &self.message, self.hint.as_deref(), self.exit)
    }
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        let message = with_causes(&error);
        let code = Refusal::from(error).code();
        Self::refused(code, message)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::other("config_invalid", with_causes(&error)).hint("docs/tenantry.toml shows every key")
    }
}

impl From<KeyFileError> for Failure {
    fn from(error: KeyFileError) -> Self {
        Self::other("key_file", with_causes(&error))
    }
}

impl From<LocalUserError> for Failure {
    fn from(error: LocalUserError) -> Self {
        let message = with_causes(&error);
        match error {
            LocalUserError::Store(_) => Self::refused(Code::DirectoryUnavailable, message),
            LocalUserError::Exists { .. } => Self::other("user_exists", message),
            LocalUserError::Unknown { tenant, .. } => Self::other("user_unknown", message)
                .hint(format!("`tenantry user list {tenant}` shows the users there are")),
            LocalUserError::Full { .. } => Self::other("users_full", message),
            LocalUserError::NameRefused { .. }
            | LocalUserError::DetailRefused { .. }
            | LocalUserError::PasswordRefused { .. } => Self::other("user_refused", message),
            _ => Self::other("users", message),
        }
    }
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        Self::refused(Code::UsageUnavailable, with_causes(&error))
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Catalog(error) => error.into(),
            OpenError::Config(error) => error.into(),
            OpenError::KeyFile(error) => error.into(),
            OpenError::Usage(error) => error.into(),
            OpenError::Users(error) => error.into(),
            other => Self::other("deployment", with_causes(&other)),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::other("io", error.to_string())
    }
}
