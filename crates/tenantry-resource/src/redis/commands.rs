//! Which commands can be confined to a tenant, and where their keys are.
//!
//! What is not listed here is refused, whatever it does. A test compares the list with what a server says of its commands.

/// Where the keys of a command are. Its name has the position 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// From one position on, every so many, until so many before the end.
    From { first: usize, step: usize, before_end: usize },
    /// No key at all.
    None,
    /// At one position a number, and after it so many keys; before it perhaps one key more, at position 1.
    Counted { at: usize },
    /// From one position to another.
    Range { first: usize, last: usize },
}

/// What in a reply has keys in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The first element of what is answered: the key that was taken from.
    First,
    /// Nothing.
    Plain,
    /// The second element, a list.
    Scanned,
}

/// What else has to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    /// Nothing.
    Nothing,
    /// The database that it can name.
    Copy,
    /// A first argument that is one of these.
    Sub(&'static [&'static str]),
    /// The pattern of keys that it looks for.
    Scan,
    /// A script, which has to be one that the application trusts; its text.
    Script,
    /// The same, by its hash.
    ScriptHash,
    /// Loading a script.
    ScriptLoad,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) keys: Keys,
    pub(super) reply: Reply,
    pub(super) special: Special,
}

impl Command {
    const fn new(name: &'static str, keys: Keys) -> Self {
        Self { name, keys, reply: Reply::Plain, special: Special::Nothing }
    }

    const fn reply(mut self, reply: Reply) -> Self {
        self.reply = reply;
        self
    }

    const fn special(mut self, special: Special) -> Self {
        self.special = special;
        self
    }
}

/// The command with this name, however it is written.
pub(super) fn find(name: &[u8]) -> Option<Command> {
    let mut room = [0; NAME_MAX];
    let upper = room.get_mut(..name.len())?;
    upper.copy_from_slice(name);
    upper.make_ascii_uppercase();
    let upper = std::str::from_utf8(upper).ok()?;
    if let Ok(at) = ONE_KEY.binary_search(&upper) {
        return Some(Command::new(ONE_KEY[at], ONE));
    }
    COMMANDS.iter().find(|command| command.name == upper).copied()
}

/// Why a command that is not listed is refused, and what to do instead.
pub(super) fn why_not(name: &[u8]) -> &'static str {
    let upper = name.to_ascii_uppercase();
    let among = |names: &[&str]| names.iter().any(|name| name.as_bytes() == upper.as_slice());
    let known = REFUSED.iter().find(|(names, _)| among(names));
    known.map_or("it is not among the commands that can be confined to a tenant's keys", |(_, reason)| reason)
}

/// No listed name is longer.
const NAME_MAX: usize = 24;

const ONE: Keys = Keys::Range { first: 1, last: 1 };
const TWO: Keys = Keys::Range { first: 1, last: 2 };
const SECOND: Keys = Keys::Range { first: 2, last: 2 };
const ALL: Keys = Keys::From { first: 1, step: 1, before_end: 0 };
const PAIRS: Keys = Keys::From { first: 1, step: 2, before_end: 0 };

/// Commands whose first argument is their one key, in alphabetical order.
pub(super) const ONE_KEY: &[&str] = &[
    "APPEND",
    "BITCOUNT",
    "BITFIELD",
    "BITFIELD_RO",
    "BITPOS",
    "DECR",
    "DECRBY",
    "EXPIRE",
    "EXPIREAT",
    "EXPIRETIME",
    "GEOADD",
    "GEODIST",
    "GEOHASH",
    "GEOPOS",
    "GEOSEARCH",
    "GET",
    "GETBIT",
    "GETDEL",
    "GETEX",
    "GETRANGE",
    "GETSET",
    "HDEL",
    "HEXISTS",
    "HEXPIRE",
    "HGET",
    "HGETALL",
    "HGETDEL",
    "HGETEX",
    "HINCRBY",
    "HINCRBYFLOAT",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HMSET",
    "HPERSIST",
    "HPEXPIRE",
    "HPTTL",
    "HRANDFIELD",
    "HSCAN",
    "HSET",
    "HSETEX",
    "HSETNX",
    "HSTRLEN",
    "HTTL",
    "HVALS",
    "INCR",
    "INCRBY",
    "INCRBYFLOAT",
    "LINDEX",
    "LINSERT",
    "LLEN",
    "LPOP",
    "LPOS",
    "LPUSH",
    "LPUSHX",
    "LRANGE",
    "LREM",
    "LSET",
    "LTRIM",
    "PERSIST",
    "PEXPIRE",
    "PEXPIREAT",
    "PEXPIRETIME",
    "PFADD",
    "PSETEX",
    "PTTL",
    "RPOP",
    "RPUSH",
    "RPUSHX",
    "SADD",
    "SCARD",
    "SET",
    "SETBIT",
    "SETEX",
    "SETNX",
    "SETRANGE",
    "SISMEMBER",
    "SMEMBERS",
    "SMISMEMBER",
    "SPOP",
    "SRANDMEMBER",
    "SREM",
    "SSCAN",
    "STRLEN",
    "SUBSTR",
    "TTL",
    "TYPE",
    "XACK",
    "XADD",
    "XAUTOCLAIM",
    "XCLAIM",
    "XDEL",
    "XLEN",
    "XPENDING",
    "XRANGE",
    "XREVRANGE",
    "XTRIM",
    "ZADD",
    "ZCARD",
    "ZCOUNT",
    "ZINCRBY",
    "ZLEXCOUNT",
    "ZMSCORE",
    "ZPOPMAX",
    "ZPOPMIN",
    "ZRANDMEMBER",
    "ZRANGE",
    "ZRANGEBYLEX",
    "ZRANGEBYSCORE",
    "ZRANK",
    "ZREM",
    "ZREMRANGEBYLEX",
    "ZREMRANGEBYRANK",
    "ZREMRANGEBYSCORE",
    "ZREVRANGE",
    "ZREVRANGEBYLEX",
    "ZREVRANGEBYSCORE",
    "ZREVRANK",
    "ZSCAN",
    "ZSCORE",
];

/// All others.
pub(super) const COMMANDS: &[Command] = &[
    // Strings.
    Command::new("BITOP", Keys::From { first: 2, step: 1, before_end: 0 }),
    Command::new("LCS", TWO),
    Command::new("MGET", ALL),
    Command::new("MSET", PAIRS),
    Command::new("MSETNX", PAIRS),
    Command::new("PFCOUNT", ALL),
    Command::new("PFMERGE", ALL),
    // Keys.
    Command::new("COPY", TWO).special(Special::Copy),
    Command::new("DEL", ALL),
    Command::new("EXISTS", ALL),
    Command::new("OBJECT", SECOND).special(Special::Sub(&["ENCODING", "FREQ", "IDLETIME", "REFCOUNT"])),
    Command::new("RENAME", TWO),
    Command::new("RENAMENX", TWO),
    Command::new("SCAN", Keys::None).reply(Reply::Scanned).special(Special::Scan),
    Command::new("TOUCH", ALL),
    Command::new("UNLINK", ALL),
    // Lists.
    Command::new("LMOVE", TWO),
    Command::new("LMPOP", Keys::Counted { at: 1 }).reply(Reply::First),
    Command::new("RPOPLPUSH", TWO),
    // Sets.
    Command::new("SDIFF", ALL),
    Command::new("SDIFFSTORE", ALL),
    Command::new("SINTER", ALL),
    Command::new("SINTERCARD", Keys::Counted { at: 1 }),
    Command::new("SINTERSTORE", ALL),
    Command::new("SMOVE", TWO),
    Command::new("SUNION", ALL),
    Command::new("SUNIONSTORE", ALL),
    // Sorted sets.
    Command::new("GEOSEARCHSTORE", TWO),
    Command::new("ZDIFF", Keys::Counted { at: 1 }),
    Command::new("ZDIFFSTORE", Keys::Counted { at: 2 }),
    Command::new("ZINTER", Keys::Counted { at: 1 }),
    Command::new("ZINTERCARD", Keys::Counted { at: 1 }),
    Command::new("ZINTERSTORE", Keys::Counted { at: 2 }),
    Command::new("ZMPOP", Keys::Counted { at: 1 }).reply(Reply::First),
    Command::new("ZRANGESTORE", TWO),
    Command::new("ZUNION", Keys::Counted { at: 1 }),
    Command::new("ZUNIONSTORE", Keys::Counted { at: 2 }),
    // Streams.
    Command::new("XGROUP", SECOND).special(Special::Sub(&[
        "CREATE",
        "CREATECONSUMER",
        "DELCONSUMER",
        "DESTROY",
        "SETID",
    ])),
    Command::new("XINFO", SECOND).special(Special::Sub(&["CONSUMERS", "GROUPS", "STREAM"])),
    // Scripts.
    Command::new("EVAL", Keys::Counted { at: 2 }).special(Special::Script),
    Command::new("EVALSHA", Keys::Counted { at: 2 }).special(Special::ScriptHash),
    Command::new("SCRIPT", Keys::None).special(Special::ScriptLoad),
    // The server.
    Command::new("ECHO", Keys::None),
    Command::new("PING", Keys::None),
    Command::new("TIME", Keys::None),
];

/// Why, where there is more to say than that a command is not listed.
const REFUSED: &[(&[&str], &str)] = &[
    (&["KEYS", "RANDOMKEY"], "it looks at the keys of all tenants; use SCAN, which answers the tenant's own"),
    (
        &["FLUSHALL", "FLUSHDB", "SWAPDB"],
        "it is about the keys of all tenants; delete the tenant's own by SCAN and UNLINK, or use Cache::clear",
    ),
    (&["SELECT", "MOVE"], "a tenant has no databases of its own; its keys are apart already"),
    (
        &["DISCARD", "EXEC", "MULTI"],
        "the connection is shared, and what one leaves on it another would meet; use an atomic pipeline",
    ),
    (
        &["UNWATCH", "WATCH"],
        "the connection is shared, and watched keys are the connection's; use a script that you trust, or SET with NX",
    ),
    (
        &[
            "BLMOVE",
            "BLMPOP",
            "BLPOP",
            "BRPOP",
            "BRPOPLPUSH",
            "BZMPOP",
            "BZPOPMAX",
            "BZPOPMIN",
            "WAIT",
            "WAITAOF",
            "XREAD",
            "XREADGROUP",
        ],
        "it can wait, and the connection is shared: all tenants would wait; use the form that does not, and ask again",
    ),
    (
        &[
            "PSUBSCRIBE",
            "PUBLISH",
            "PUBSUB",
            "PUNSUBSCRIBE",
            "SPUBLISH",
            "SSUBSCRIBE",
            "SUBSCRIBE",
            "SUNSUBSCRIBE",
            "UNSUBSCRIBE",
        ],
        "channels are not keys, and the connection is shared; use a list or a stream of the tenant's",
    ),
    (&["SORT", "SORT_RO"], "its patterns can reach any key; sort in the application, or keep a sorted set"),
    (
        &["GEORADIUS", "GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO", "GEORADIUS_RO"],
        "its options can name a further key; use GEOSEARCH and GEOSEARCHSTORE",
    ),
    (
        &["EVALSHA_RO", "EVAL_RO", "FCALL", "FCALL_RO", "FUNCTION"],
        "a script can reach any key; use EVAL or EVALSHA with a script that ScopedRedis::trusting was told of",
    ),
    (
        &[
            "ACL",
            "AUTH",
            "BGREWRITEAOF",
            "BGSAVE",
            "CLIENT",
            "CLUSTER",
            "COMMAND",
            "CONFIG",
            "DBSIZE",
            "DEBUG",
            "FAILOVER",
            "HELLO",
            "INFO",
            "LASTSAVE",
            "LATENCY",
            "MEMORY",
            "MIGRATE",
            "MODULE",
            "MONITOR",
            "PSYNC",
            "QUIT",
            "READONLY",
            "READWRITE",
            "REPLICAOF",
            "RESET",
            "ROLE",
            "SAVE",
            "SHUTDOWN",
            "SLAVEOF",
            "SLOWLOG",
            "SYNC",
        ],
        "it is about the server or the connection, which tenants share; use a client of your own for administration",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        assert!(ONE_KEY.is_sorted());
        let every = || ONE_KEY.iter().copied().chain(COMMANDS.iter().map(|command| command.name));
        for name in every() {
            assert_eq!(find(name.as_bytes()).map(|found| found.name), Some(name));
            assert_eq!(find(name.to_ascii_lowercase().as_bytes()).map(|found| found.name), Some(name));
            assert!(name.len() <= NAME_MAX);
        }
        let mut names: Vec<_> = every().chain(REFUSED.iter().flat_map(|(names, _)| names.iter().copied())).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a command is listed once");
        for wrong in [&b""[..], b"GET ", b"G\xffT", b"OBJECT ENCODING", &[b'A'; 1000]] {
            assert!(find(wrong).is_none());
        }
    }
}
