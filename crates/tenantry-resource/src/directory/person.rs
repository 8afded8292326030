//! Who signed in.

use std::fmt;

/// A person, as the tenant's directory describes them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Person {
    /// The login name, as the directory writes it.
    pub name: String,
    /// How they want to be called; the login name where the directory does not say.
    pub display_name: String,
    /// Where mail reaches them.
    pub mail: Option<String>,
    /// What they may do, in the application's own words; sorted, and each once.
    pub roles: Vec<String>,
}

impl Person {
    /// A person of whom nothing else is known.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { display_name: name.clone(), name, mail: None, roles: Vec::new() }
    }
}

/// A mail address is nobody's business in a log.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("name", &self.name).field("roles", &self.roles).finish_non_exhaustive()
    }
}
