//! A resource that an application makes for each tenant by itself: the guide's mailer, with servers on this machine.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor, transport::smtp::authentication::Credentials,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenantry::{
    Bounds, BoxError, MakeResource, PerTenant, Scope, Tenancy, Unavailable,
    settings::{Secret, SettingChange, Settings},
    within,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::setup::{config_in, register, scope};

// The guide shows what is between the two lines, as it is.
// guide {
#[derive(Default, Serialize, Deserialize)]
struct Smtp {
    host: String,
    port: u16,
    user: String,
    password: Secret,
}

struct MakeMailer(Settings<Smtp>);

impl MakeResource for MakeMailer {
    type Resource = AsyncSmtpTransport<Tokio1Executor>;

    async fn make(&self, scope: Scope) -> Result<Self::Resource, BoxError> {
        let smtp = self.0.of(&scope)?;
        let sender = Credentials::new(smtp.user.clone(), smtp.password.expose().clone());
        let server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host);
        Ok(server.port(smtp.port).credentials(sender).build())
    }
}
// } guide

type Mailers = PerTenant<MakeMailer>;

#[test]
fn the_guide_shows_the_mailer_as_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(root.join("tests/it/own_resource.rs")).unwrap();
    let (_, shown) = source.split_once("// guide {\n").unwrap();
    let (shown, _) = shown.split_once("// } guide\n").unwrap();
    let guide = std::fs::read_to_string(root.join("../../docs/converting.md")).unwrap();
    assert!(guide.contains(shown), "docs/converting.md has to show:\n{shown}");
}

#[tokio::test]
async fn each_tenant_sends_by_its_own_server_and_as_itself() {
    let folder = tempfile::tempdir().unwrap();
    let tenancy = Tenancy::with(config_in(folder.path())).await.unwrap();
    let settings: Settings<Smtp> = tenancy.settings().await.unwrap();
    let (one, other) = (Server::start().await, Server::start().await);
    for (slug, server) in [("acme", &one), ("globex", &other)] {
        register(&tenancy, &[slug]).await;
        let changes = [("host", json!("127.0.0.1")), ("user", json!(slug)), ("password", json!(format!("of {slug}")))];
        change(&tenancy, &settings, slug, changes).await;
        change(&tenancy, &settings, slug, [("port", json!(server.port))]).await;
    }
    let mailers = PerTenant::new(MakeMailer(settings.clone()), Bounds::default());
    for slug in ["acme", "globex"] {
        within(scope(&tenancy, slug), send(&mailers, "hello")).await.unwrap();
    }
    assert_eq!(one.seen(), owned([(ACME, "hello")]));
    assert_eq!(other.seen(), owned([(GLOBEX, "hello")]));
    let nobody = send(&mailers, "hello").await.unwrap_err();
    assert!(matches!(nobody.downcast_ref(), Some(Unavailable::NoScope(_))), "{nobody}");

    // What a tenant is sent by is made anew when its settings change.
    change(&tenancy, &settings, "acme", [("port", json!(other.port))]).await;
    within(scope(&tenancy, "acme"), send(&mailers, "moved")).await.unwrap();
    assert_eq!(other.seen(), owned([(GLOBEX, "hello"), (ACME, "moved")]));
    assert_eq!(one.seen().len(), 1);
}

async fn send(mailers: &Mailers, text: &str) -> Result<(), BoxError> {
    let message = Message::builder().from("notes@example.org".parse()?).to("ada@example.org".parse()?);
    let message = message.body(text.to_owned())?;
    mailers.current().await?.send(message).await?;
    Ok(())
}

async fn change<const N: usize>(
    tenancy: &Tenancy,
    settings: &Settings<Smtp>,
    slug: &str,
    values: [(&str, serde_json::Value); N],
) {
    let change = |(path, value): (&str, _)| SettingChange { path: path.parse().unwrap(), value: Some(value) };
    let changes = values.into_iter().map(change).collect();
    settings.change(tenancy.catalog(), &scope(tenancy, slug), changes).await.unwrap();
    tenancy.refresh().await.unwrap();
}

fn owned<const N: usize>(seen: [(&str, &str); N]) -> Vec<(String, String)> {
    seen.map(|(sender, line)| (sender.to_owned(), line.to_owned())).to_vec()
}

/// Name and password in Base64, as SMTP's `AUTH PLAIN` sends them.
const ACME: &str = "AGFjbWUAb2YgYWNtZQ==";
const GLOBEX: &str = "AGdsb2JleABvZiBnbG9iZXg=";

/// A server that speaks enough of SMTP (RFC 5321, RFC 4954) to be sent mail. It remembers who sent which last line.
struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, seen) = (listener.local_addr().unwrap().port(), Arc::default());
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&shared)));
            }
        });
        Self { port, seen }
    }

    fn seen(&self) -> Vec<(String, String)> {
        self.seen.lock().unwrap().clone()
    }
}

async fn converse(stream: TcpStream, seen: Arc<Mutex<Vec<(String, String)>>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut sender = String::new();
    stream.write_all(b"220 here\r\n").await?;
    loop {
        let line = read(&mut stream).await?;
        let answer = match line.split(' ').next().unwrap_or_default() {
            "" => return Ok(()),
            "EHLO" => "250-here\r\n250 AUTH PLAIN",
            "AUTH" => {
                sender = line.rsplit(' ').next().unwrap_or_default().to_owned();
                "235 it is you"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut last = String::new();
                loop {
                    match read(&mut stream).await?.as_str() {
                        "." => break,
                        line => last = line.to_owned(),
                    }
                }
                seen.lock().unwrap().push((sender.clone(), last));
                "250 taken"
            }
            _ => "250 fine",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    Ok(line.trim_end().to_owned())
}
