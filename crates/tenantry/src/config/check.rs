//! What one key alone cannot say: every problem of a configuration, with the key first.

use std::time::Duration;

use tenantry_core::PlanName;

use super::{
    ClaimSection, Config, HostSection, JobsPlace, JobsSection, PathSection, Place, ResolveSection, UploadsPlace, cache,
    directory, entrance, plans, trial,
};

/// Every problem, in the order of the file.
pub(super) fn problems(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    let mut unless = |fine: bool, problem: &str| {
        if !fine {
            problems.push(problem.to_owned());
        }
    };
    unless(!config.catalog.poll.is_zero(), "catalog.poll: it has to be longer than nothing");
    unless(!config.audit.unscoped_every.is_zero(), "audit.unscoped_every: it has to be longer than nothing");
    let database = &config.database;
    unless(!database.acquire_timeout.is_zero(), "database.acquire_timeout: it has to be longer than nothing");
    let both = database.url.is_some() == database.application_url.is_some();
    unless(both, "database.url, database.application_url: on PostgreSQL there are two roles; write both or none");
    let others = database.url.is_none() || database.url != database.application_url;
    unless(others, "database.application_url: it has to be another role than the owner, for whom no security holds");
    let can_go_there = database.url.is_none() || cfg!(feature = "postgres");
    unless(can_go_there, "database.url: this build has no PostgreSQL; build with the feature postgres");
    unless(!database.idle_timeout.is_zero(), "database.idle_timeout: it has to be longer than nothing");
    unless(!database.walls_check.is_zero(), "database.walls_check: it has to be longer than nothing");
    unless(database.statement_bytes_max > 0, "database.statement_bytes_max: it has to be at least 1");
    unless(database.statement_bytes_max <= 1_000_000, "database.statement_bytes_max: SQLite takes 1000000 at most");
    unless(database.nesting_max.get() <= 200, "database.nesting_max: 200 is the most that is verified");
    let shared = Place::File(database.shared.clone());
    unless(config.catalog.place != shared, "database.shared: it is the file of the catalog");
    jobs(&config.jobs, &mut unless);
    let jobs_file = match &config.jobs.place {
        JobsPlace::Database(place) => file(place),
        JobsPlace::Redis(_) => None,
    };
    let others = [Some(&config.catalog.place), Some(&shared), jobs_file];
    let own = jobs_file.is_none() || !others[..2].contains(&jobs_file);
    unless(own, "jobs.path: it is the file of the catalog, or of the tenants' rows");
    let own = file(&config.directory.place).is_none_or(|users| !others.contains(&Some(users)));
    unless(own, "directory.path: it is the file of the catalog, of the jobs, or of the tenants' rows");
    resolve(&config.resolve, &mut unless);
    let believed = config.resolve.header.is_none() || !config.proxies.trusted.is_empty();
    unless(believed, "resolve.header: anybody can send a header; list the proxies that set it in proxies.trusted");
    unless(config.cookies.cookies_max > 0, "cookies.cookies_max: it has to be at least 1");
    for name in &config.cookies.unsealed {
        unless(is_token(name), &format!("cookies.unsealed: {name:?} is no name of a cookie"));
    }
    cache::check(&config.cache, &mut unless);
    directory::check(&config.directory, &mut unless);
    unless(
        is_folder(&config.entrance.path),
        &format!("entrance.path: {:?} is no path that starts with a slash and ends without", config.entrance.path),
    );
    entrance::check(&config.entrance, &mut unless);
    let instances = &config.instances;
    for (key, value) in [("idle", instances.idle), ("build_timeout", instances.build_timeout)] {
        unless(value > Duration::ZERO, &format!("instances.{key}: it has to be longer than nothing"));
    }
    let ordered = instances.backoff_min > Duration::ZERO && instances.backoff_min <= instances.backoff_max;
    unless(ordered, "instances.backoff_min: it has to be longer than nothing, and no longer than backoff_max");
    let migrate = &config.migrate;
    unless(migrate.failure_percent_max <= 100, "migrate.failure_percent_max: it is more than all");
    unless(!migrate.lock_wait_max.is_zero(), "migrate.lock_wait_max: it has to be longer than nothing");
    let knows_plan = config.plans.contains_key(&config.trial.plan) || config.trial.plan == PlanName::default();
    trial::check(&config.trial, knows_plan, &mut unless);
    let lasts = config.trial.warm == 0 || config.trial.warm_max_age >= config.lifecycle.sweep_every;
    unless(lasts, "trial.warm_max_age: shorter than lifecycle.sweep_every, nothing would be made ahead in time");
    let can_go_there = cfg!(feature = "s3") || !matches!(config.uploads.place, UploadsPlace::Bucket(_));
    unless(can_go_there, "uploads.url: this build has no buckets; build with the feature s3");
    unless(config.uploads.object_bytes_max != Some(0), "uploads.object_bytes_max: it has to be at least 1");
    let times = [
        ("audit.unscoped_every", config.audit.unscoped_every),
        ("catalog.poll", config.catalog.poll),
        ("catalog.busy_timeout", config.catalog.busy_timeout),
        ("database.acquire_timeout", config.database.acquire_timeout),
        ("database.move_wait_max", config.database.move_wait_max),
        ("database.busy_timeout", config.database.busy_timeout),
        ("cache.ttl_max", config.cache.ttl_max),
        ("cache.idle", config.cache.idle),
        ("cache.connect_timeout", config.cache.connect_timeout),
        ("cache.response_timeout", config.cache.response_timeout),
        ("cache.retry_after", config.cache.retry_after),
        ("directory.busy_timeout", config.directory.busy_timeout),
        ("directory.hash_timeout", config.directory.local.hash_timeout),
        ("instances.idle", instances.idle),
        ("instances.build_timeout", instances.build_timeout),
        ("instances.backoff_max", instances.backoff_max),
        ("instances.drain_timeout", instances.drain_timeout),
        ("jobs.busy_timeout", config.jobs.busy_timeout),
        ("jobs.lease", config.jobs.options.lease),
        ("jobs.poll", config.jobs.options.poll),
        ("jobs.backoff_max", config.jobs.options.backoff_max),
        ("jobs.park", config.jobs.options.park),
        ("migrate.lock_wait_max", migrate.lock_wait_max),
        ("trial.ttl", config.trial.ttl),
        ("trial.keep", config.trial.keep),
        ("trial.per_address_within", config.trial.per_address_within),
        ("trial.warm_max_age", config.trial.warm_max_age),
        ("trial.confirm_within", config.trial.confirm_within),
        ("uploads.usage_max_age", config.uploads.usage_max_age),
        ("uploads.parts_max_age", config.uploads.parts_max_age),
    ];
    for (key, time) in times {
        unless(time <= TIME_MAX, &format!("{key}: it is longer than a year"));
    }
    problems.extend(plans::plans(&config.plans).err().unwrap_or_default());
    problems
}

/// Longer times are typing mistakes, and clocks cannot add them.
const TIME_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

fn jobs(jobs: &JobsSection, unless: &mut impl FnMut(bool, &str)) {
    if let Some(feature) = jobs.place.missing() {
        unless(false, &format!("jobs.url: this build cannot go there; build with the feature {feature}"));
    }
    cache::check_prefix("jobs.prefix", &jobs.prefix, unless);
    let waits = !matches!(jobs.place, JobsPlace::Redis(_)) || !jobs.busy_timeout.is_zero();
    unless(waits, "jobs.busy_timeout: on Redis it has to be longer than nothing");
    let options = &jobs.options;
    for (key, time) in [("lease", options.lease), ("poll", options.poll), ("park", options.park)] {
        unless(!time.is_zero(), &format!("jobs.{key}: it has to be longer than nothing"));
    }
    let ordered = !options.backoff_min.is_zero() && options.backoff_min <= options.backoff_max;
    unless(ordered, "jobs.backoff_min: it has to be longer than nothing, and no longer than backoff_max");
}

fn resolve(resolve: &ResolveSection, unless: &mut impl FnMut(bool, &str)) {
    let ResolveSection { host, path, header, claim, .. } = resolve;
    let any = host.is_some() || path.is_some() || header.is_some() || claim.is_some();
    unless(any, "resolve: no request could name its tenant; add host, path, header or claim");
    if let Some(host) = host {
        check_host(host, unless);
    }
    if let Some(path) = path {
        check_path(path, unless);
    }
    if let Some(header) = header {
        let fine = is_token(&header.name) && !header.name.contains(|c: char| c.is_ascii_uppercase());
        unless(fine, &format!("resolve.header.name: {:?} is no header in lower case", header.name));
    }
    if let Some(claim) = claim {
        check_claim(claim, unless);
    }
}

fn check_host(host: &HostSection, unless: &mut impl FnMut(bool, &str)) {
    unless(!(host.suffixes.is_empty() && host.exact.is_empty()), "resolve.host: it has neither suffixes nor exact");
    for (key, name) in
        host.suffixes.iter().map(|name| ("suffixes", name)).chain(host.exact.keys().map(|name| ("exact", name)))
    {
        unless(
            is_host(name),
            &format!("resolve.host.{key}: {name:?} is no host in lower case, without port or outer dot"),
        );
    }
}

fn check_path(path: &PathSection, unless: &mut impl FnMut(bool, &str)) {
    unless(!(path.under.is_empty() && path.exact.is_empty()), "resolve.path: it has neither under nor exact");
    for name in &path.under {
        let fine = name == "/" || is_folder(name);
        unless(fine, &format!("resolve.path.under: {name:?} is no path that starts with a slash and ends without"));
    }
    for name in path.exact.keys() {
        unless(
            is_folder(name),
            &format!("resolve.path.exact: {name:?} is no path that starts with a slash and ends without"),
        );
    }
}

fn check_claim(claim: &ClaimSection, unless: &mut impl FnMut(bool, &str)) {
    unless(!claim.claim.is_empty(), "resolve.claim.claim: it has no name");
    unless(!claim.algorithms.is_empty(), "resolve.claim.algorithms: at least one is needed");
    let mut families = claim.algorithms.windows(2);
    // With both a secret and a public key accepted, the public key could be used as the secret.
    let one = families.all(|pair| matches!(pair, [a, b] if a.family() == b.family()));
    unless(one, "resolve.claim.algorithms: all of them have to take the same kind of key");
    if let Some(cookie) = &claim.cookie {
        unless(is_token(cookie), &format!("resolve.claim.cookie: {cookie:?} is no name of a cookie"));
    }
}

fn is_host(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Whether it looks like `/a/b`, in characters that need no escape (RFC 3986 §2.3).
fn is_folder(path: &str) -> bool {
    let is_segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
    };
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_segment))
}

/// Whether it is a token, as names of headers and cookies are (RFC 9110 §5.6.2).
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// The place, if it is a file: two stores may be in one database, and not in one file.
fn file(place: &Place) -> Option<&Place> {
    matches!(place, Place::File(_)).then_some(place)
}
