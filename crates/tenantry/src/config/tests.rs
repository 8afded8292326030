//! The configuration as its readers and writers see it.

use std::{fs, path::Path, time::Duration};

use super::*;

const DOCUMENTED: &str = include_str!("../../../../docs/tenantry.toml");

#[track_caller]
fn parse(text: &str) -> Config {
    Config::parse(text, Path::new("")).unwrap()
}

#[track_caller]
fn check(text: &str, message: &str) {
    assert_eq!(Config::parse(text, Path::new("")).unwrap_err().to_string(), message);
}

#[test]
fn the_documentation_shows_the_defaults() {
    assert_eq!(parse(DOCUMENTED), Config::default());
    assert_eq!(parse(""), Config::default());
}

#[test]
fn the_documentation_names_every_key() {
    let toml = Config::default().to_toml();
    let claim = "jwks = 1\nkey = 1\nissuer = 1\naudience = 1\ncookie = 1\nleeway = 1\nalgorithms = 1\n[resolve.header]";
    for line in toml.lines().chain(claim.lines()).filter(|line| !line.is_empty()) {
        let key = line.split(" = ").next().unwrap();
        // A table without keys is written in one line.
        let key = if key.ends_with(".exact]") { "exact" } else { key };
        let named = |line: &str| line.trim_start_matches("# ").starts_with(key);
        assert!(DOCUMENTED.lines().any(named), "{key} is not documented");
    }
}

#[test]
fn what_is_commented_out_in_the_documentation_can_be_used() {
    let is_server = |line: &str| line.contains("url = \"postgres://") && !cfg!(feature = "postgres");
    let without = |line: &&str| !line.contains("# jwks = ") && !line.contains("trusted = []") && !is_server(line);
    let used = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with("[resolve.") || rest.contains(" = ") && !rest.contains('`') => rest.to_owned(),
        _ => line.to_owned(),
    };
    let text: Vec<_> = DOCUMENTED.lines().filter(without).map(used).collect();
    let text = text.join("\n").replace("[proxies]", "[proxies]\ntrusted = [\"10.0.0.0/8\"]");
    let config = parse(&text);
    assert_eq!(config.resolve.header, Some(HeaderSection::default()));
    let expected = ClaimSection::new(TokenAlgorithm::RS256, TokenKeys::Key(KeySource::File("token.pem".into())));
    let claim = config.resolve.claim.unwrap();
    assert_eq!((claim.claim, claim.leeway, claim.keys), (expected.claim, expected.leeway, expected.keys));
}

#[test]
fn a_configuration_survives_a_round_trip() {
    let text = r#"
        [resolve]
        mode = "all-agree"
        host.exact = { "notes.acme.example" = "acme" }
        claim = { algorithms = ["ES256"], key = { env = "TOKEN" }, cookie = "session" }
        [plans.gold]
        requests_per_second = "none"
        burst = "none"
        body_bytes_max = 1500
    "#;
    let config = parse(text);
    assert_eq!(parse(&config.to_toml()), config);
    assert_eq!(parse(&Config::default().to_toml()), Config::default());
    let gold = config.plans().unwrap().get(&"gold".parse().unwrap()).unwrap().limits;
    assert_eq!((gold.rate, gold.in_flight_max, gold.body_bytes_max), (None, Some(64), Some(1500)));
    assert_eq!(config.plans.get("default"), Some(&PlanSection::default()), "it is always there");
}

#[test]
fn only_the_ways_that_are_listed_are_used() {
    let resolve = parse("[resolve.host]\nsuffixes = [\"example.com\"]").resolve;
    assert_eq!((resolve.host.unwrap().suffixes, resolve.path), (vec!["example.com".to_owned()], None));
    assert_eq!(parse("[resolve]\nmode = \"all-agree\"").resolve.path.unwrap().under, ["/t"]);
}

#[test]
fn tables_are_numbered_as_they_say() {
    let text = "[database.numbering]\n\"*\" = \"per-tenant\"\ninvoices = \"gapless\"";
    let numbering = parse(text).database.numbering;
    let expected = [("*", IdsOf::PerTenant), ("invoices", IdsOf::Gapless)];
    assert_eq!(numbering, expected.map(|(table, ids)| (table.to_owned(), ids)).into());
    let error = Config::parse("[database.numbering]\nnotes = \"dense\"", Path::new("")).unwrap_err().to_string();
    assert!(error.contains("`dense`") && error.contains("`per-tenant`"), "{error}");
}

#[test]
fn relative_paths_are_relative_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(Config::FILE_NAME);
    let text = "[catalog]\nurl = \"sqlite://data/tenants.db\"\n[keys]\nfile = \"/etc/keys\"\n\
                [resolve.claim]\nalgorithms = [\"HS256\"]\nkey = { file = \"secret\" }";
    fs::write(&file, text).unwrap();
    let config = Config::load(&file).unwrap();
    assert_eq!(config.catalog.place, Place::File(folder.path().join("data/tenants.db")));
    assert_eq!(config.keys.file, Path::new("/etc/keys"));
    let TokenKeys::Key(KeySource::File(key)) = config.resolve.claim.unwrap().keys else { panic!("a file") };
    assert_eq!(key, folder.path().join("secret"));
}

#[test]
fn uploads_are_in_a_folder_or_a_bucket() {
    let place =
        |url: &str| Config::parse(&format!("[uploads]\nurl = \"{url}\""), Path::new("/srv")).map(|it| it.uploads.place);
    assert_eq!(place("file:files").unwrap(), UploadsPlace::Folder("/srv/files".into()));
    assert_eq!(place("file:///var/files").unwrap(), UploadsPlace::Folder("/var/files".into()));
    let bucket = place("s3://files/app?region=eu-west-1");
    match cfg!(feature = "s3") {
        true => assert!(matches!(bucket, Ok(UploadsPlace::Bucket(_)))),
        false => assert_eq!(
            bucket.unwrap_err().to_string(),
            "the configuration has a problem: uploads.url: this build has no buckets; build with the feature s3"
        ),
    }
    let error = place("s3://key:hush@files/app").unwrap_err();
    assert!(
        !format!("{error:?} {error}").contains("hush") && error.to_string().contains("AWS_ACCESS_KEY_ID"),
        "{error}"
    );
}

#[test]
fn only_an_absent_file_means_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.toml");
    assert_eq!(Config::load_or_default(&absent).unwrap(), Config::default());
    assert_eq!(
        Config::load(&absent).unwrap_err().to_string(),
        format!("cannot read the configuration {}", absent.display())
    );
    assert!(Config::load_or_default(folder.path()).is_err(), "a folder is no configuration");
}

#[test]
fn mistakes_are_found_where_they_are() {
    check(
        "[catalog]\npol = \"1s\"",
        "the configuration, line 2, [catalog]: unknown field `pol`, expected one of `path`, `url`, `poll`, `busy_timeout`",
    );
    check(
        "[instances]\nidle = \"15 parsecs\"",
        "the configuration, line 2, instances.idle: \"15 parsecs\" is no time like \"250ms\" or \"15m\": unknown time \
         unit \"parsecs\", supported units: ns, us/µs, ms, sec, min, hours, days, weeks, months, years (and few variations)",
    );
    check(
        "\n[plans.gold]\nburst = 0",
        "the configuration, line 3, plans.gold.burst: invalid value: integer `0`, expected a number from 1 to 4294967295, or \"none\"",
    );
    check(
        "[plans.gold]\nbody_bytes_max = \"2MB\"",
        "the configuration, line 2, plans.gold.body_bytes_max: invalid value: string \"2MB\", expected bytes like 2097152 or \"2MiB\", or \"none\"",
    );
    check(
        "[resolve.host.exact]\n\"a.example\" = \"Acme\"",
        "the configuration, line 1, [resolve.host.exact]: \"a.example\" is for \"Acme\": a tenant's name is made of a-z, 0-9 and inner hyphens, and 'A' is none of them",
    );
    check(
        "[catalog]\nurl = \"postgres://admin:secret@db:port/tenants\"",
        "the configuration, line 1, [catalog]: url is not like postgres://user:password@host:5432/database: invalid port number",
    );
    check(
        "[proxies]\ntrusted = [\"10.0.0.0/33\"]",
        "the configuration, line 2, proxies.trusted: invalid IP address syntax",
    );
}

#[test]
fn a_key_in_the_configuration_is_refused_and_not_repeated() {
    let text = "[resolve.claim]\nalgorithms = [\"HS256\"]\nkey = \"s3cret\"";
    let error = Config::parse(text, Path::new("")).unwrap_err();
    assert!(error.to_string().contains("a key is not written into the configuration"), "{error}");
    assert!(!format!("{error:?}{error}").contains("s3cret"));
}

#[test]
fn all_problems_are_told_at_once() {
    let text = r#"
        [resolve.host]
        suffixes = [".Example.com"]
        [resolve.header]
        [resolve.claim]
        algorithms = ["HS256", "RS256"]
        jwks = "keys.json"
        [instances]
        backoff_min = "2m"
        [plans.gold]
        burst = "none"
    "#;
    check(
        text,
        "the configuration has 5 problems:
  resolve.host.suffixes: \".Example.com\" is no host in lower case, without port or outer dot
  resolve.claim.algorithms: all of them have to take the same kind of key
  resolve.header: anybody can send a header; list the proxies that set it in proxies.trusted
  instances.backoff_min: it has to be longer than nothing, and no longer than backoff_max
  plans.gold: requests_per_second and burst are both \"none\", or both a number",
    );
    check("[resolve.path]", "the configuration has a problem: resolve.path: it has neither under nor exact");
}

#[test]
fn a_configuration_made_in_code_is_checked_too() {
    let mut config = Config::default();
    config.resolve.host = None;
    config.resolve.path = None;
    config.instances.idle = Duration::ZERO;
    assert_eq!(
        config.check().unwrap_err().to_string(),
        "the configuration has 2 problems:
  resolve: no request could name its tenant; add host, path, header or claim
  instances.idle: it has to be longer than nothing"
    );
}

#[test]
fn times_that_no_clock_can_add_are_refused() {
    let error = Config::parse("[instances]\nbackoff_max = \"500000000000y\"", Path::new("")).unwrap_err();
    assert!(error.to_string().contains("instances.backoff_max: it is longer than a year"), "{error}");
}

#[cfg(feature = "postgres")]
#[test]
fn a_misspelt_password_is_not_repeated() {
    let urls = |parameter: &str| {
        let text = "[database]\napplication_url = \"postgres://app@db/x\"\nurl = \"postgres://own@db/x?";
        parse(&format!("{text}{parameter}\"")).postgres_options().map(drop).unwrap_err().to_string()
    };
    let misspelt = urls("pasword=hush");
    assert!(misspelt.contains("database.url") && misspelt.contains("\"pasword\", which is not known"), "{misspelt}");
    let wrong = urls("password=hush&sslmode=hush");
    assert!(wrong.contains("database.url"), "{wrong}");
    assert!(!misspelt.contains("hush") && !wrong.contains("sslmode=hush&password"), "{misspelt} {wrong}");
}
