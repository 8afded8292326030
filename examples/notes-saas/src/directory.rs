//! The directory: people who may sign in without having signed up.

use serde::{Deserialize, Serialize};

/// The server that is asked, if there is one.
pub(crate) type Directory = tenantry::directory::Directory;

/// Somebody whom the directory knows.
pub(crate) struct Person {
    pub(crate) mail: String,
    pub(crate) name: String,
}

#[derive(Default, Deserialize, Serialize)]
pub(crate) struct Own {
    pub(crate) directory: tenantry::directory::DirectorySettings,
}

/// Whoever has this address and this password in the directory.
pub(crate) async fn sign_in(directory: &Directory, email: &str, password: &str) -> anyhow::Result<Option<Person>> {
    let found = directory.sign_in(email, password).await?;
    Ok(found.and_then(|found| Some(Person { name: found.display_name, mail: found.mail? })))
}
