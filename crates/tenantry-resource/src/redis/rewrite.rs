//! Commands, with the tenant in their keys.

use std::collections::HashSet;

use redis::{Arg, Cmd, Script};
use tenantry_core::Scope;

use super::{
    KeyPrefix, RedisRefused,
    commands::{self, Command, Keys, Reply, Special},
    key_prefix::Part,
};

/// What commands of a tenant become.
pub(super) struct Rewriter<'a> {
    pub(super) scope: &'a Scope,
    pub(super) prefix: &'a KeyPrefix,
    /// The hashes of scripts that reach only the keys that they are given.
    pub(super) trusted: &'a HashSet<String>,
}

/// A command that can be sent.
pub(super) struct Rewritten {
    pub(super) cmd: Cmd,
    pub(super) reply: Reply,
}

impl Rewriter<'_> {
    /// The command with the tenant in all of its keys.
    pub(super) fn rewrite(&self, cmd: &Cmd) -> Result<Rewritten, RedisRefused> {
        // A cursor is written down only when a command is packed.
        let packed = cmd.in_scan_mode().then(|| cmd.get_packed_command());
        let args: Vec<&[u8]> = match &packed {
            Some(packed) => unpack(packed).ok_or_else(|| self.refused(b"SCAN", "its arguments cannot be read"))?,
            None => cmd.args_iter().map(|arg| if let Arg::Simple(bytes) = arg { bytes } else { b"0" }).collect(),
        };
        let name = args.first().copied().unwrap_or_default();
        let command = commands::find(name).ok_or_else(|| self.refused(name, commands::why_not(name)))?;
        self.check(&command, &args)?;
        let keys = self.keys(&command, &args)?;
        Ok(Rewritten { cmd: self.written(&command, &args, &keys), reply: command.reply })
    }

    /// The beginning of the tenant's keys.
    pub(super) fn beginning(&self) -> Vec<u8> {
        self.key(b"")
    }

    fn key(&self, key: &[u8]) -> Vec<u8> {
        self.prefix.key(self.scope.id(), Part::Own, key)
    }

    fn written(&self, command: &Command, args: &[&[u8]], keys: &Positions) -> Cmd {
        let bytes = args.iter().map(|arg| arg.len() + KEY_ROOM).sum();
        let mut written = Cmd::with_capacity(args.len() + 2, bytes);
        let is_pattern =
            |at: usize| command.special == Special::Scan && at >= 2 && args[at - 1].eq_ignore_ascii_case(b"MATCH");
        let mut matched = false;
        for (at, arg) in args.iter().enumerate() {
            if keys.has(at) {
                written.arg(self.key(arg));
            } else if is_pattern(at) && at % 2 == 1 {
                matched = true;
                // Nothing in the prefix means anything in a pattern.
                written.arg(self.key(arg));
            } else {
                written.arg(*arg);
            }
        }
        if command.special == Special::Scan && !matched {
            written.arg("MATCH").arg(self.key(b"*"));
        }
        written
    }

    /// What a command says beside its keys.
    fn check(&self, command: &Command, args: &[&[u8]]) -> Result<(), RedisRefused> {
        let is = |arg: &[u8], word: &str| arg.eq_ignore_ascii_case(word.as_bytes());
        let first = args.get(1).copied().unwrap_or_default();
        let wrong = match command.special {
            Special::Nothing => None,
            Special::Copy => args[3.min(args.len())..]
                .iter()
                .any(|arg| is(arg, "DB"))
                .then_some("it names a database, and a tenant has none of its own"),
            Special::Sub(names) => (!names.iter().any(|name| is(first, name)))
                .then_some("this form of it is not among those that can be confined to a tenant's keys"),
            Special::Scan => {
                let options = args.get(2..).unwrap_or_default().chunks(2);
                let known = |option: &[&[u8]]| {
                    option.len() == 2 && ["COUNT", "MATCH", "TYPE"].iter().any(|name| is(option[0], name))
                };
                let mut options = options.peekable();
                (args.len() < 2 || !options.all(known)).then_some("it has options that are not known")
            }
            Special::Script => (!self.trusts_text(first)).then_some(UNTRUSTED),
            Special::ScriptHash => (!self.trusts_hash(first)).then_some(UNTRUSTED),
            Special::ScriptLoad => {
                let loads = args.len() == 3 && is(first, "LOAD");
                if !loads {
                    Some("scripts of all tenants are in one place; only LOAD can be confined")
                } else {
                    (!self.trusts_text(args[2])).then_some(UNTRUSTED)
                }
            }
        };
        wrong.map_or(Ok(()), |reason| Err(self.refused(command.name.as_bytes(), reason)))
    }

    fn trusts_text(&self, text: &[u8]) -> bool {
        std::str::from_utf8(text).is_ok_and(|text| self.trusted.contains(Script::new(text).get_hash()))
    }

    fn trusts_hash(&self, hash: &[u8]) -> bool {
        std::str::from_utf8(hash).is_ok_and(|hash| self.trusted.contains(&hash.to_ascii_lowercase()))
    }

    /// Where this command has its keys. A command that lacks some is for the server to complain about, as long as what is
    /// there is prefixed.
    fn keys(&self, command: &Command, args: &[&[u8]]) -> Result<Positions, RedisRefused> {
        Ok(match command.keys {
            Keys::None => Positions { extra: None, first: 0, end: 0, step: 1 },
            Keys::Range { first, last } => Positions { extra: None, first, end: last + 1, step: 1 },
            Keys::From { first, step, before_end } => {
                Positions { extra: None, first, end: args.len().saturating_sub(before_end), step }
            }
            Keys::Counted { at } => {
                let count = args.get(at).and_then(|count| number(count));
                let end = count.and_then(|count| count.checked_add(at + 1)).filter(|end| *end <= args.len());
                let end = end.ok_or_else(|| {
                    self.refused(command.name.as_bytes(), "its number of keys is none, or more than there are")
                })?;
                let stored = at == 2 && matches!(command.special, Special::Nothing);
                Positions { extra: stored.then_some(1), first: at + 1, end, step: 1 }
            }
        })
    }

    fn refused(&self, command: &[u8], reason: &'static str) -> RedisRefused {
        RedisRefused::new(self.scope.slug(), command, reason)
    }
}

const UNTRUSTED: &str = "a script can reach any key, declared or not; tell ScopedRedis::trusting of it if it reaches only \
                         those in KEYS";

/// What a prefix takes, about.
const KEY_ROOM: usize = 32;

/// Where a command has its keys.
struct Positions {
    extra: Option<usize>,
    first: usize,
    end: usize,
    step: usize,
}

impl Positions {
    fn has(&self, at: usize) -> bool {
        self.extra == Some(at) || (self.first..self.end).contains(&at) && (at - self.first).is_multiple_of(self.step)
    }
}

/// A number as Redis reads it: digits alone.
fn number(text: &[u8]) -> Option<usize> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

/// The arguments of a packed command: `*2\r\n$4\r\nSCAN\r\n$1\r\n0\r\n`.
fn unpack(mut packed: &[u8]) -> Option<Vec<&[u8]>> {
    let count = line(&mut packed, b'*')?;
    let mut args = Vec::new();
    for _ in 0..count {
        let len = line(&mut packed, b'$')?;
        args.push(packed.get(..len)?);
        packed = packed.get(len..)?.strip_prefix(b"\r\n")?;
    }
    packed.is_empty().then_some(args)
}

/// The number in the line that comes next, which begins with `mark`.
fn line(packed: &mut &[u8], mark: u8) -> Option<usize> {
    let rest = packed.strip_prefix(&[mark])?;
    let end = rest.windows(2).position(|two| two == b"\r\n")?;
    let found = number(&rest[..end]);
    *packed = &rest[end + 2..];
    found
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use redis::{Value, cmd};
    use tenantry_core::{Admission, Mirror, Plans, Tenant, TenantId};

    use super::{
        super::commands::{COMMANDS, ONE_KEY},
        *,
    };

    fn args(cmd: &Cmd) -> Vec<Vec<u8>> {
        unpack(&cmd.get_packed_command()).unwrap().into_iter().map(<[u8]>::to_vec).collect()
    }

    /// The forms of a command, as the server calls them, with the first argument of each.
    fn forms(command: &Command) -> Vec<(String, &'static str)> {
        match command.special {
            Special::Sub(subs) => subs.iter().map(|sub| (format!("{}|{sub}", command.name), *sub)).collect(),
            _ => vec![(command.name.to_owned(), "a1")],
        }
    }

    /// An invocation that has enough arguments for the server.
    fn sample(command: &Command, first: &str, arity: i64) -> Vec<String> {
        // Negative is at least so many.
        let count = usize::try_from(if arity < 0 { arity.abs().max(7) } else { arity }).unwrap();
        let mut args = vec![command.name.to_owned(), first.to_owned()];
        args.extend((2..count).map(|at| format!("a{at}")));
        args.truncate(count);
        if let Keys::Counted { at } = command.keys {
            "2".clone_into(&mut args[at]);
        }
        args
    }

    #[test]
    fn keys_are_where_the_server_says() {
        let url = std::env::var("TENANTRY_TEST_REDIS").expect("scripts/redis with cargo nextest run …");
        let mut server = redis::Client::open(url).unwrap().get_connection().unwrap();
        let mirror = Mirror::from_iter([Tenant::new(TenantId::new(1), "acme".parse().unwrap())]);
        let scope = Admission::new(Arc::new(mirror), Plans::default()).admit_id(TenantId::new(1)).unwrap();
        let (prefix, trusted) =
            (KeyPrefix::default(), HashSet::from([Script::new("a1").get_hash().to_owned(), "a1".into()]));
        let rewriter = Rewriter { scope: &scope, prefix: &prefix, trusted: &trusted };
        let names = ONE_KEY.iter().copied().chain(COMMANDS.iter().map(|command| command.name));
        let mut unknown = Vec::new();
        let commands = names.map(|name| commands::find(name.as_bytes()).unwrap());
        let forms: Vec<_> =
            commands.flat_map(|command| forms(&command).into_iter().map(move |form| (command, form))).collect();
        for (command, (name, first)) in forms {
            let info: Vec<Value> = cmd("COMMAND").arg("INFO").arg(&name).query(&mut server).unwrap();
            let [Value::Array(info)] = &info[..] else {
                unknown.push(name);
                continue;
            };
            let (arity, flags): (i64, Vec<String>) =
                (redis::from_redis_value(info[1].clone()).unwrap(), redis::from_redis_value(info[2].clone()).unwrap());
            let has = |flag: &str| flags.iter().any(|has| has == flag);
            assert!(!["admin", "blocking", "pubsub"].iter().any(|flag| has(flag)), "{name}: {flags:?}");
            // Else there are keys that depend on options.
            assert!(!has("movablekeys") || matches!(command.keys, Keys::Counted { .. }), "{name}: {flags:?}");
            if matches!(command.special, Special::Scan | Special::ScriptLoad) {
                continue;
            }
            let sample = sample(&command, first, arity);
            let mut sent = Cmd::new();
            sent.arg(&sample);
            let rewritten = args(&rewriter.rewrite(&sent).unwrap().cmd);
            let changed = sample.iter().zip(&rewritten).filter(|(arg, now)| arg.as_bytes() != now.as_slice());
            let ours: Vec<_> = changed.map(|(arg, _)| arg.clone()).collect();
            assert!(sample.iter().zip(&rewritten).all(|(arg, now)| now.ends_with(arg.as_bytes())), "{name}");
            let theirs: redis::RedisResult<Vec<String>> = cmd("COMMAND").arg("GETKEYS").arg(&sample).query(&mut server);
            match theirs {
                Ok(mut theirs) => {
                    theirs.sort_unstable_by_key(|key| sample.iter().position(|arg| arg == key));
                    assert_eq!(ours, theirs, "{name}: {sample:?}");
                }
                // It is an error to ask where no keys are.
                Err(error) => assert!(ours.is_empty() && info[3] == Value::Int(0), "{name}: {error}"),
            }
        }
        // Those of a newer server than Debian's; each name is also one that a typing mistake would make.
        let newer = ["HEXPIRE", "HGETDEL", "HGETEX", "HPERSIST", "HPEXPIRE", "HPTTL", "HSETEX", "HTTL"];
        assert!(unknown.iter().all(|name| newer.contains(&name.as_str())), "{unknown:?}");
    }

    #[test]
    fn a_packed_command_is_read_back() {
        let mut scan = cmd("SCAN");
        scan.cursor_arg(42).arg("MATCH").arg(&b"\r\n$1\r\n\xff"[..]).arg("");
        assert_eq!(args(&scan), [&b"SCAN"[..], b"42", b"MATCH", b"\r\n$1\r\n\xff", b""]);
        for broken in
            [&b""[..], b"*1\r\n", b"*1\r\n$4\r\nSCA", b"*1\r\n$4\r\nSCAN", b"*1\r\n$4\r\nSCAN\r\nx", b"*-1\r\n", b"*9"]
        {
            assert_eq!(unpack(broken), None);
        }
    }
}
