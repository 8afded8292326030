//! From `POST /try` to the first page that is served to whoever is signed in: `trials [COUNT]`.
//!
//! The application is the converted one of `examples/notes-saas`, on SQLite; its login hashes a password with argon2, as it
//! does for everybody. A visitor's three requests (the form, the link, the page) come over loopback, each on a connection of
//! its own, one visitor after the other.

#![expect(clippy::print_stdout, reason = "the results are for whoever runs it")]

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tenantry::{NewTenant, Tenancy, entrance::SignIn, tower::hidden_fields};
use tokio::net::TcpListener;

fn main() -> anyhow::Result<()> {
    let count: usize = std::env::args().nth(1).map_or(Ok(100), |count| count.parse())?;
    for warm in [0, 8] {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let folder = tempfile::tempdir()?;
        let (address, tenancy) = runtime.block_on(serve(folder.path(), warm))?;
        let mut times = Vec::new();
        for _ in 0..count {
            runtime.block_on(settled(&tenancy, warm))?;
            times.push(visit(address)?);
        }
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
        let (median, late) = (at(50), at(95));
        println!("{warm} made ahead: median {median:.1} ms, 95th percentile {late:.1} ms, of {count}");
    }
    Ok(())
}

/// A server with a template that has an account and a note.
async fn serve(folder: &Path, warm: u32) -> anyhow::Result<(SocketAddr, Tenancy)> {
    let mut config = tenantry_benches::config(folder)?;
    config.trial.template = Some("template".parse()?);
    config.trial.capacity = u32::MAX.try_into()?;
    config.trial.per_address = u32::MAX.try_into()?;
    config.trial.warm = warm;
    let tenancy = Tenancy::with(config).await?;
    tenancy.catalog().create(NewTenant::new("template".parse()?)).await?;
    tenancy.refresh().await?;
    let secret = notes_saas::Secret::new(vec![7; 32])?;
    let (app, _) = notes_saas::app(notes_saas::Config::new(secret), &tenancy).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;

    // The template is filled before anything is made of it.
    let filling = tenancy.wrap(app.clone());
    let filler = TcpListener::bind("127.0.0.1:0").await?;
    let filled_at = filler.local_addr()?;
    #[expect(clippy::disallowed_methods, reason = "the server of a benchmark works for no tenant")]
    let filler = tokio::spawn(async move { axum::serve(filler, filling).await });
    #[expect(clippy::disallowed_methods, reason = "it works for no tenant")]
    tokio::task::spawn_blocking(move || fill(filled_at)).await??;
    filler.abort();

    let sign_in = SignIn::form("/login", [("email", EMAIL), ("password", PASSWORD)]);
    let front = tenancy.wrap(app).entrance(sign_in).apex(tenancy.trials()?.router());
    #[expect(clippy::disallowed_methods, reason = "the server of a benchmark works for no tenant")]
    tokio::spawn(async move { axum::serve(listener, front).await });
    Ok((address, tenancy))
}

/// Until as many are made ahead as there should be, and nobody works any more.
async fn settled(tenancy: &Tenancy, warm: u32) -> anyhow::Result<()> {
    loop {
        let tenants = tenancy.admission().mirror().tenants();
        let ahead = tenants.iter().filter(|tenant| tenant.slug.as_str().starts_with("warm-")).count();
        if ahead >= usize::try_from(warm)? {
            tokio::time::sleep(Duration::from_millis(50)).await;
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn fill(address: SocketAddr) -> anyhow::Result<()> {
    let mut visitor = Visitor::new(address);
    for (page, to, fields) in [
        ("/signup", "/signup", [("name", "Guest"), ("email", EMAIL), ("password", PASSWORD)]),
        ("/notes/new", "/notes", [("title", "Welcome"), ("body", "Look around."), ("tags", "")]),
    ] {
        let page = visitor.ask("GET", &format!("/t/template{page}"), "")?;
        let hidden = hidden_fields(page.body.as_bytes(), fields[0].0);
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let form: Vec<_> = hidden.into_iter().chain(fields).map(|(name, value)| format!("{name}={value}")).collect();
        let answer = visitor.ask("POST", &format!("/t/template{to}"), &form.join("&").replace(' ', "+"))?;
        ensure!(answer.status == "303", "{to}: {}", answer.status);
    }
    Ok(())
}

/// From the button to the first page.
fn visit(address: SocketAddr) -> anyhow::Result<Duration> {
    let mut visitor = Visitor::new(address);
    let begun = Instant::now();
    let mut answer = visitor.ask("POST", "/try", "")?;
    for _ in 0..2 {
        let location = answer.location.context("a redirect")?;
        answer = visitor.ask("GET", &location, "")?;
    }
    let took = begun.elapsed();
    ensure!(answer.status == "200" && answer.body.contains("sign-out"), "not signed in: {}", answer.status);
    Ok(took)
}

/// Somebody with cookies.
struct Visitor {
    address: SocketAddr,
    cookies: BTreeMap<String, String>,
}

struct Answer {
    status: String,
    location: Option<String>,
    body: String,
}

impl Visitor {
    fn new(address: SocketAddr) -> Self {
        Self { address, cookies: BTreeMap::new() }
    }

    fn ask(&mut self, method: &str, path: &str, form: &str) -> anyhow::Result<Answer> {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut stream = TcpStream::connect(self.address)?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nCookie: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{form}",
            cookies.join("; "),
            form.len()
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("an answer")?;
        let mut location = None;
        for line in head.lines() {
            match line.split_once(": ") {
                Some(("location", to)) => location = Some(to.to_owned()),
                Some(("set-cookie", set)) => {
                    let (name, value) =
                        set.split(';').next().and_then(|pair| pair.split_once('=')).context("a cookie")?;
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
                _ => {}
            }
        }
        let status = head.get(9..12).context("a status")?.to_owned();
        Ok(Answer { status, location, body: body.to_owned() })
    }
}

const EMAIL: &str = "guest@example.com";
const PASSWORD: &str = "a password of some length";
