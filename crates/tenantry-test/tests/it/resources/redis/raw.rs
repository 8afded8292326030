//! The handle for applications that speak Redis themselves.

use std::collections::{BTreeSet, HashMap};

use futures_util::StreamExt as _;
use redis::{AsyncCommands, ErrorKind, RedisResult, Script, Value, aio::ConnectionLike, cmd, pipe};
use tenantry_resource::{redis::ScopedRedis, within};
use tenantry_test::resources::{
    Two,
    cache::HOSTILE_KEYS,
    redis::{options, shared, url},
    two,
};

fn raw() -> ScopedRedis {
    ScopedRedis::new(shared().unwrap())
}

/// Runs the same for both tenants, in turns: each of the two sees its own alone.
async fn both<Fut: Future<Output = ()>>(raw: &ScopedRedis, work: impl Fn(ScopedRedis, &'static str) -> Fut) {
    let Two { acme, globex } = two();
    for (scope, value) in [(&acme, "ours"), (&globex, "theirs"), (&acme, "ours")] {
        within(scope.clone(), work(raw.clone(), value)).await;
    }
}

#[tokio::test]
async fn two_tenants_with_the_same_keys_do_not_meet() {
    let raw = raw();
    both(&raw, async |mut redis, value| {
        for key in HOSTILE_KEYS {
            let before: Option<String> = redis.get(key).await.unwrap();
            assert!(before.is_none_or(|before| before == value));
            let () = redis.set(key, value).await.unwrap();
            assert_eq!(redis.get::<_, String>(key).await.unwrap(), value);
        }
    })
    .await;
}

#[tokio::test]
async fn commands_of_every_kind_reach_the_tenants_keys_alone() {
    let raw = raw();
    both(&raw, async |mut redis, value| {
        let redis = &mut redis;
        let () = redis.mset(&[("a", value), ("b", value)]).await.unwrap();
        assert_eq!(redis.mget::<_, Vec<String>>(&["a", "b"]).await.unwrap(), [value, value]);
        let () = redis.hset("hash", value, 1).await.unwrap();
        assert_eq!(redis.hkeys::<_, Vec<String>>("hash").await.unwrap(), [value]);
        let () = redis.del("list").await.unwrap();
        let () = redis.rpush("list", &[value, "x"]).await.unwrap();
        assert_eq!(redis.lmpop::<_, Value>(1, "list", redis::Direction::Left, 1).await.unwrap(), popped("list", value));
        let () = redis.zadd("zset", value, 1).await.unwrap();
        let _: i64 = redis.zunionstore("union", &["zset", "zset"]).await.unwrap();
        assert_eq!(redis.zrange::<_, Vec<String>>("union", 0, -1).await.unwrap(), [value]);
        let () = redis.sadd("set", value).await.unwrap();
        let _: i64 = redis.sunionstore("sets", &["set"]).await.unwrap();
        assert_eq!(redis.smembers::<_, Vec<String>>("sets").await.unwrap(), [value]);
        let () = redis.rename("b", "c").await.unwrap();
        assert!(redis.expire::<_, bool>("c", 1000).await.unwrap());
        assert_eq!(redis.exists::<_, i64>(&["a", "b", "c"]).await.unwrap(), 2);
        assert_eq!(redis.unlink::<_, i64>(&["a", "c", "list"]).await.unwrap(), 3);
        let encoding: String = cmd("object").arg("encoding").arg("set").query_async(redis).await.unwrap();
        assert!(!encoding.is_empty());
    })
    .await;
}

fn popped(key: &str, element: &str) -> Value {
    let text = |text: &str| Value::BulkString(text.into());
    Value::Array(vec![text(key), Value::Array(vec![text(element)])])
}

#[tokio::test]
async fn a_scan_finds_the_tenants_keys_as_it_knows_them() {
    let raw = raw();
    let Two { acme, globex } = two();
    let mut theirs = raw.clone();
    let work = async {
        for number in 0..50 {
            let () = theirs.set(format!("theirs {number}"), 1).await.unwrap();
        }
    };
    within(globex, work).await;
    let mut redis = raw.clone();
    let work = async {
        let keys: BTreeSet<String> = HOSTILE_KEYS.iter().map(|key| (*key).to_owned()).collect();
        for key in &keys {
            let () = redis.set(key, 1).await.unwrap();
        }
        // Page by page, so that cursors are sent.
        let mut options = redis::ScanOptions::default().with_count(3);
        let found: BTreeSet<String> =
            redis.scan_options(options).await.unwrap().map(Result::unwrap).collect::<BTreeSet<_>>().await;
        assert_eq!(found, keys);
        options = redis::ScanOptions::default().with_pattern("a*").with_type("string");
        let found: BTreeSet<String> =
            redis.scan_options(options).await.unwrap().map(Result::unwrap).collect::<BTreeSet<_>>().await;
        assert_eq!(found, keys.iter().filter(|key| key.starts_with('a')).cloned().collect());
        let found: Vec<String> = redis.scan_match("theirs*").await.unwrap().map(Result::unwrap).collect().await;
        assert_eq!(found, Vec::<String>::new());
        for options in [&["MATCH"][..], &["FOO", "1"], &["COUNT", "10", "MATCH"], &["0"]] {
            refused(cmd("SCAN").arg(0).arg(options).query_async::<Value>(&mut redis).await, "SCAN", "options");
        }
        let _: Value =
            cmd("SCAN").arg(0).arg("TYPE").arg("MATCH").arg("COUNT").arg(10).query_async(&mut redis).await.unwrap();
        let () = redis.hset("hash", "field", 1).await.unwrap();
        let fields: HashMap<String, i32> =
            redis.hscan::<_, (String, i32)>("hash").await.unwrap().map(Result::unwrap).collect().await;
        assert_eq!(fields, HashMap::from([("field".to_owned(), 1)]));
    };
    within(acme, work).await;
}

fn refused<T>(result: RedisResult<T>, name: &str, why: &str) {
    let error = result.err().unwrap_or_else(|| unreachable!("{name} is not refused"));
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Client, "{text}");
    let names = text.contains(&format!("Redis command {name} of tenant acme is refused"));
    assert!(names && text.contains(why), "{text}");
}

#[tokio::test]
async fn what_cannot_be_confined_is_refused_and_says_what_to_do() {
    let Two { acme, .. } = two();
    let redis = raw();
    let work = async {
        for (command, why) in [
            ("KEYS *", "use SCAN"),
            ("keys *", "use SCAN"),
            ("RANDOMKEY", "use SCAN"),
            ("FLUSHALL", "all tenants"),
            ("FLUSHDB", "all tenants"),
            ("SELECT 1", "no databases of its own"),
            ("MOVE key 1", "no databases of its own"),
            ("COPY a b DB 1", "names a database"),
            ("copy a b replace db 1", "names a database"),
            ("CONFIG GET *", "client of your own"),
            ("CLIENT LIST", "client of your own"),
            ("CLIENT KILL x", "client of your own"),
            ("MONITOR", "client of your own"),
            ("AUTH x", "client of your own"),
            ("HELLO 3", "client of your own"),
            ("RESET", "client of your own"),
            ("INFO", "client of your own"),
            ("DBSIZE", "client of your own"),
            ("MULTI", "atomic pipeline"),
            ("EXEC", "atomic pipeline"),
            ("DISCARD", "atomic pipeline"),
            ("WATCH key", "the connection is shared"),
            ("BLPOP key 0", "all tenants would wait"),
            ("XREAD BLOCK 0 STREAMS key $", "all tenants would wait"),
            ("WAIT 1 0", "all tenants would wait"),
            ("SUBSCRIBE channel", "channels are not keys"),
            ("PUBLISH channel message", "channels are not keys"),
            ("SORT key BY w_*", "its patterns can reach any key"),
            ("GEORADIUS key 0 0 1 m STORE other", "GEOSEARCH"),
            ("EVAL return 0", "tell ScopedRedis::trusting"),
            ("EVALSHA 0123456789012345678901234567890123456789 0", "tell ScopedRedis::trusting"),
            ("EVAL_RO return 0", "ScopedRedis::trusting"),
            ("FCALL f 0", "ScopedRedis::trusting"),
            ("SCRIPT FLUSH", "only LOAD can be confined"),
            ("SCRIPT LOAD return", "tell ScopedRedis::trusting"),
            ("OBJECT HELP", "this form of it"),
            ("XINFO HELP", "this form of it"),
            ("ZUNION 3 a b", "its number of keys"),
            ("ZUNIONSTORE a 18446744073709551615 b", "its number of keys"),
            ("ZUNION -1 a b", "its number of keys"),
            ("RESTORE key 0 x", "not among the commands"),
            ("NONSENSE", "not among the commands"),
        ] {
            let mut sent = cmd(command.split(' ').next().unwrap());
            sent.arg(command.split(' ').skip(1).collect::<Vec<_>>());
            let name = command.split(' ').next().unwrap().to_ascii_uppercase();
            refused(sent.query_async::<Value>(&mut redis.clone()).await, &name, why);
            // In a pipeline as well, where nothing else is done then.
            for atomic in [false, true] {
                let mut pipe = pipe();
                if atomic {
                    pipe.atomic();
                }
                pipe.set("done", 1).add_command(sent.clone());
                refused(pipe.query_async::<Value>(&mut redis.clone()).await, &name, why);
            }
        }
        assert_eq!(redis.clone().get::<_, Option<i32>>("done").await.unwrap(), None);
        refused(redis::Cmd::new().query_async::<Value>(&mut redis.clone()).await, "", "not among");
        let hostile = cmd("GET\r\nFLUSHALL\u{1b}[31m").query_async::<Value>(&mut redis.clone()).await;
        refused(hostile, "GET", "not among");
    };
    within(acme, work).await;
    let none = redis.clone().get::<_, Option<String>>("key").await.unwrap_err();
    assert!(none.to_string().contains("no tenant scope here"), "{none}");
    let none = pipe().get("key").query_async::<Value>(&mut redis.clone()).await.unwrap_err();
    assert!(none.to_string().contains("no tenant scope here"), "{none}");
}

#[tokio::test]
async fn pipelines_are_confined_command_by_command() {
    let raw = raw();
    both(&raw, async |mut redis, value| {
        for atomic in [false, true] {
            let mut pipe = pipe();
            if atomic {
                pipe.atomic();
            }
            pipe.set("key", value).ignore().get("key").cmd("SCAN").arg(0).arg("COUNT").arg(100_000);
            let (got, (_, keys)): (String, (u64, Vec<String>)) = pipe.query_async(&mut redis).await.unwrap();
            assert_eq!((got.as_str(), keys), (value, vec!["key".to_owned()]), "atomic: {atomic}");
        }
        // One that fails on the server says which, and the others are done.
        let mut failing = pipe();
        failing.set("key", value).cmd("INCR").arg("key").get("key");
        let error = failing.query_async::<Value>(&mut redis).await.unwrap_err();
        assert!(error.to_string().contains("Index 1"), "{error}");
        let all = failing.ignore_errors().query_async::<Vec<RedisResult<Value>>>(&mut redis).await.unwrap();
        assert_eq!(all.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    })
    .await;
}

#[tokio::test]
async fn wrong_numbers_of_answers_do_not_put_the_connection_out_of_step() {
    let raw = raw();
    both(&raw, async |mut redis, value| {
        let mut pipe = pipe();
        pipe.set("key", value).get("key").get("key");
        for (offset, count) in [(0, 1), (1, 1), (0, 0), (0, 3)] {
            let answers = redis.req_packed_commands(&pipe, offset, count).await.unwrap();
            assert_eq!(answers.len(), 3);
            assert_eq!(redis.get::<_, String>("key").await.unwrap(), value);
        }
        let mut silent = cmd("GET");
        silent.arg("key").set_no_response(true);
        let _: Value = silent.query_async(&mut redis).await.unwrap();
        assert_eq!(redis.get::<_, String>("key").await.unwrap(), value);
    })
    .await;
}

#[tokio::test]
async fn scripts_run_that_the_application_vouches_for() {
    let add = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    let other = Script::new("return redis.call('GET', KEYS[1])");
    let raw = raw().trusting([&add]);
    both(&raw, async |mut redis, _| {
        let before: i64 = redis.get::<_, Option<i64>>("counter").await.unwrap().unwrap_or_default();
        // By hash, and with the text when the server does not know it.
        assert_eq!(add.key("counter").arg(2).invoke_async::<i64>(&mut redis).await.unwrap(), before + 2);
        let text = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
        let sum = cmd("EVAL").arg(text).arg(1).arg("counter").arg(3).query_async::<i64>(&mut redis).await.unwrap();
        assert_eq!(sum, before + 5);
        assert_eq!(redis.get::<_, i64>("counter").await.unwrap(), before + 5);
        let refused = other.key("counter").invoke_async::<Value>(&mut redis).await.unwrap_err();
        assert!(refused.to_string().contains("tell ScopedRedis::trusting"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn a_user_of_the_tenants_own_is_a_wall_on_the_server() {
    let (url, options) = (url().unwrap(), options());
    let mut admin = redis::Client::open(url.clone()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let user = format!("u{}", options.prefix);
    // As the documentation says.
    let own = format!("~{{{}:1}}:*", options.prefix);
    let acl = cmd("ACL").arg("SETUSER").arg(&user).arg(&["on", ">hush", &own, "+@all"]).exec_async(&mut admin).await;
    acl.unwrap();
    let mut as_user = url::Url::parse(&url).unwrap();
    as_user.set_username(&user).unwrap();
    as_user.set_password(Some("hush")).unwrap();
    let server = tenantry_resource::redis::RedisServer::new(as_user.as_str(), options).unwrap();
    let mut redis = ScopedRedis::new(server);
    let Two { acme, globex } = two();
    within(acme, redis.clone().set::<_, _, ()>("key", 1)).await.unwrap();
    let wall = within(globex, redis.set::<_, _, ()>("key", 1)).await.unwrap_err();
    assert_eq!(wall.code(), Some("NOPERM"));
    cmd("ACL").arg("DELUSER").arg(&user).exec_async(&mut admin).await.unwrap();
}
