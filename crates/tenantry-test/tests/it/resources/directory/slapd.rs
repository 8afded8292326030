//! Servers: the one that all tests share, those that a test has for itself, and a door to one that can be watched.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

/// A server with the people of both companies, as scripts/slapd makes it.
pub(super) struct Slapd {
    pub(super) url: String,
    pub(super) ldaps: String,
    pub(super) ca: String,
    /// Of a test's own.
    folder: Option<TempDir>,
}

impl Slapd {
    /// The one that all tests share.
    pub(super) fn shared() -> Self {
        let named =
            |name| env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run this by scripts/slapd with"));
        let ca = named("TENANTRY_TEST_SLAPD_CA");
        Self { url: named("TENANTRY_TEST_SLAPD"), ldaps: named("TENANTRY_TEST_SLAPD_LDAPS"), ca, folder: None }
    }

    /// One that ends with the test.
    pub(super) fn own() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("slapd");
        script("start", &place);
        let read = |name: &str| fs::read_to_string(place.join(name)).unwrap().trim().to_owned();
        let (url, ldaps) = (read("url"), read("ldaps"));
        Self { url, ldaps, ca: place.join("ca.pem").display().to_string(), folder: Some(folder) }
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, signal: &str) {
        let pid = fs::read_to_string(self.place().join("pid")).unwrap();
        assert!(Command::new("kill").args([signal, pid.trim()]).status().unwrap().success());
    }

    /// Starts it again.
    pub(super) fn start(&self) {
        script("start", &self.place());
    }

    fn place(&self) -> PathBuf {
        self.folder.as_ref().expect("it is this test's own").path().join("slapd")
    }

    /// What the settings of a company's directory are.
    pub(super) fn settings(&self, company: &str) -> Vec<(&'static str, Value)> {
        let roles = match company {
            "acme" => json!({ "admins": "admin", "cn=staff, ou=groups,dc=acme,dc=test": "writer", "readers": "no" }),
            _ => json!({ "readers": "reader", "STAFF": "writer", "cn=staff,ou=groups,dc=acme,dc=test": "no" }),
        };
        vec![
            ("url", json!(self.url)),
            ("ca", json!(self.ca)),
            ("bind_dn", json!(format!("cn=search,dc={company},dc=test"))),
            ("bind_password", json!(format!("search at {company}"))),
            ("base_dn", json!(format!("dc={company},dc=test"))),
            ("group_base_dn", json!(format!("ou=groups,dc={company},dc=test"))),
            ("roles", roles),
        ]
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        if self.folder.is_some() {
            script("remove", &self.place());
        }
    }
}

fn script(verb: &str, place: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/slapd");
    let output = Command::new(script).arg(verb).arg(place).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A door to a server, which counts who goes through.
pub(super) struct Door {
    pub(super) url: String,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    open: AtomicUsize,
    most: AtomicUsize,
    all: AtomicUsize,
}

impl Door {
    #[expect(clippy::disallowed_methods, reason = "it is no tenant's")]
    pub(super) async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let behind = url.replace("ldap://localhost", "127.0.0.1");
        let counts = Arc::<Counts>::default();
        let counted = Arc::clone(&counts);
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let (counts, behind) = (Arc::clone(&counted), behind.clone());
                counts.all.fetch_add(1, Ordering::SeqCst);
                counts.most.fetch_max(counts.open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(behind).await {
                        tokio::io::copy_bidirectional(&mut near, &mut far).await.ok();
                    }
                    counts.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { url: format!("ldap://localhost:{port}"), counts }
    }

    /// How many connections there are.
    pub(super) fn open(&self) -> usize {
        self.counts.open.load(Ordering::SeqCst)
    }

    /// How many there were at once.
    pub(super) fn most(&self) -> usize {
        self.counts.most.load(Ordering::SeqCst)
    }

    /// How many there were.
    pub(super) fn all(&self) -> usize {
        self.counts.all.load(Ordering::SeqCst)
    }
}
