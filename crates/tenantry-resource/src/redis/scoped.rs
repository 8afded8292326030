//! The handle for applications that speak Redis themselves.

use std::{collections::HashSet, sync::Arc};

use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, Script, Value, aio::ConnectionLike};
use tenantry_core::Scope;

use super::{
    RedisServer, Repeat, reply,
    rewrite::{Rewriter, Rewritten},
};
use crate::{NoScope, current};

/// A connection to Redis for the tenant whose scope is current: every key that a command names is the tenant's own.
///
/// It takes the place of a `MultiplexedConnection` or a `ConnectionManager`: the commands of `redis::AsyncCommands`,
/// `redis::cmd`, pipelines (atomic ones as well) and scripts work as they are. Keys in answers are as the application knows
/// them.
///
/// 1. Commands whose keys are known are sent with `{prefix:tenant}:r:` in front of each. `SCAN` finds the tenant's keys
///    alone; the server looks at everybody's for that.
/// 2. All others are refused with an error that says what to do: those that are about all keys (`KEYS`, `FLUSHALL`), about
///    the connection (`SELECT`, `MULTI`, `WATCH`, `SUBSCRIBE`) or wait (`BLPOP`).
/// 3. A script can reach any key, whatever it declares, and its text does not show which. So only those run that the
///    application vouches for ([`ScopedRedis::trusting`]). Who cannot vouch for a script runs it on a connection of a Redis
///    user of the tenant's own, `ACL SETUSER … ~{tenantry:42}:*`, where the server is the wall.
/// 4. A tenant has no share of the server of its own: what one stores there, others have no room for.
#[derive(Clone, Debug)]
pub struct ScopedRedis {
    server: RedisServer,
    trusted: Arc<HashSet<String>>,
}

impl ScopedRedis {
    /// A handle on the server for whichever tenant is current.
    pub fn new(server: RedisServer) -> Self {
        Self { server, trusted: Arc::default() }
    }

    /// Lets these scripts run as well. Each must reach only the keys in its `KEYS`: they are prefixed, and everything else
    /// that a script names is not.
    #[must_use]
    pub fn trusting<'a>(mut self, scripts: impl IntoIterator<Item = &'a Script>) -> Self {
        let trusted = Arc::make_mut(&mut self.trusted);
        trusted.extend(scripts.into_iter().map(|script| script.get_hash().to_owned()));
        self
    }

    fn rewriter<'a>(&'a self, scope: &'a Scope) -> Rewriter<'a> {
        Rewriter { scope, prefix: self.server.prefix(), trusted: &self.trusted }
    }

    async fn one(&self, scope: Result<Scope, NoScope>, cmd: &Cmd) -> RedisResult<Value> {
        let scope = scope.map_err(no_scope)?;
        let rewriter = self.rewriter(&scope);
        let Rewritten { cmd, reply } = rewriter.rewrite(cmd)?;
        let cmd = &cmd;
        let sent =
            self.server.run(Repeat::Never, |mut redis| async move { redis.req_packed_command(cmd).await }).await?;
        Ok(reply::own(reply, sent, &rewriter.beginning()))
    }

    async fn many(&self, scope: Result<Scope, NoScope>, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        let scope = scope.map_err(no_scope)?;
        let rewriter = self.rewriter(&scope);
        let (mut sent, mut replies) = (Pipeline::with_capacity(pipeline.len()), Vec::with_capacity(pipeline.len()));
        for cmd in pipeline.cmd_iter() {
            let Rewritten { cmd, reply } = rewriter.rewrite(cmd)?;
            sent.add_command(cmd);
            replies.push(reply);
        }
        // Which of the answers count is told by what is sent: with other numbers, the next one on the connection would get
        // what is left of ours.
        let (offset, count) = match pipeline.is_transaction() {
            true => (sent.atomic().len() + 1, 1),
            false => (0, sent.len()),
        };
        let sent = &sent;
        let send = |mut redis: redis::aio::ConnectionManager| async move {
            redis.req_packed_commands(sent, offset, count).await
        };
        let answers = self.server.run(Repeat::Never, send).await?;
        let prefix = rewriter.beginning();
        let own = |answers: Vec<Value>| {
            let each = answers.into_iter().zip(&replies);
            each.map(|(answer, reply)| reply::own(*reply, answer, &prefix)).collect()
        };
        if !pipeline.is_transaction() {
            return Ok(own(answers));
        }
        // The answer to EXEC has those of the commands in it.
        let answer = |answer| match answer {
            Value::Array(answers) => Value::Array(own(answers)),
            other => other,
        };
        Ok(answers.into_iter().map(answer).collect())
    }
}

impl ConnectionLike for ScopedRedis {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        let scope = current();
        Box::pin(self.one(scope, cmd))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        _offset: usize,
        _count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        let scope = current();
        Box::pin(self.many(scope, pipeline))
    }

    fn get_db(&self) -> i64 {
        self.server.database()
    }
}

fn no_scope(none: NoScope) -> RedisError {
    (ErrorKind::Client, "no scope", none.to_string()).into()
}
