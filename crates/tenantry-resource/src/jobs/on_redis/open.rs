//! What a server has to be like before jobs are entrusted to it.

use std::error::Error;

use redis::{FromRedisValue, RedisResult, cmd};
use thiserror::Error;

use crate::redis::{RedisServer, Repeat};

/// Refuses a server that may drop jobs, or has those of a newer version.
pub(super) async fn check(server: &RedisServer, layout: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let memory: String = ask(server, &["INFO", "memory"]).await?;
    match entry(&memory, "maxmemory_policy") {
        Some("noeviction") => {}
        policy => return Err(Failure::Evicts { policy: policy.unwrap_or("that it does not tell").to_owned() }.into()),
    }
    let persistence: String = ask(server, &["INFO", "persistence"]).await?;
    if entry(&persistence, "aof_enabled") != Some("1") {
        tracing::warn!(
            server = server.place(),
            "Redis has no append-only file, so that jobs are lost when it stops; set appendonly yes"
        );
    }
    // Looked at first: a server without room would not even be told what it knows already.
    let found: Option<String> = ask(server, &["GET", layout]).await?;
    let found = match found {
        Some(found) => found,
        None => {
            let _: Option<String> = ask(server, &["SET", layout, VERSION, "NX"]).await?;
            ask::<Option<String>>(server, &["GET", layout]).await?.unwrap_or_default()
        }
    };
    if found == VERSION { Ok(()) } else { Err(Failure::Newer { found, known: VERSION }.into()) }
}

async fn ask<T: FromRedisValue>(server: &RedisServer, words: &[&str]) -> RedisResult<T> {
    let [name, args @ ..] = words else { return Err((redis::ErrorKind::Client, "a command has a name").into()) };
    let mut command = cmd(name);
    command.arg(args);
    let command = &command;
    server.run(Repeat::Harmless, |mut redis| async move { command.query_async(&mut redis).await }).await
}

/// A line `key:value`.
fn entry<'a>(info: &'a str, key: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim)
}

/// Why the server cannot be used, where Redis does not say.
#[derive(Debug, Error)]
enum Failure {
    #[error(
        "the server has the maxmemory-policy {policy}, by which it may drop jobs; set maxmemory-policy noeviction, and if \
         it is also a cache, give the jobs a server of their own"
    )]
    Evicts { policy: String },
    #[error(
        "what is on the server was made by another version of Tenantry (layout {found:?}, this one knows {known:?}); \
         update it"
    )]
    Newer { found: String, known: &'static str },
}

/// The version of what is under the keys.
const VERSION: &str = "1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_tells_is_found() {
        let info = "# Memory\r\nmaxmemory_policy_old:x\r\nmaxmemory_policy:allkeys-lru\r\n";
        assert_eq!(entry(info, "maxmemory_policy"), Some("allkeys-lru"));
        assert_eq!(entry(info, "maxmemory"), None);
    }
}
