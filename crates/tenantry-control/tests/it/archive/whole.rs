//! A tenant with all that it has: rows, uploads, settings.

use bytes::Bytes;
use futures_util::{TryStreamExt, stream};
use serde_json::json;
use tenantry_control::archive::{ReadLimits, inspect};
use tenantry_core::{
    Amount, BoxFuture, Overrides, Passphrase, Plane, PlaneError, PortableSettings, SettingChange, SettingPath, Unscoped,
};
use tenantry_resource::{
    Keys, MasterKeys,
    settings::{Described, PortableOverrides, Secret},
    uploads::{self, ObjectName, Place, Uploads},
};

use super::*;

#[derive(serde::Serialize)]
struct Settings {
    title: String,
    password: Secret,
}

struct Whole {
    world: World,
    keys: MasterKeys,
    uploads: Uploads,
}

/// How many small uploads there are: so many that their checks are more than one member.
const SMALL: usize = 600;

impl Whole {
    async fn new() -> Self {
        let world = World::new().await;
        let keys = MasterKeys::generate().unwrap();
        let place = Place::Folder(world.file("uploads"));
        let uploads = Uploads::new(place, uploads::Options::default(), Keys::new(keys.clone()));
        Self { world, keys, uploads }
    }

    async fn put(&self, id: i64, name: &str, kind: Option<&str>, content: &[u8]) {
        let pieces: Vec<_> =
            content.chunks(100_000).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
        let put = async {
            self.uploads.put(&name.parse().unwrap(), kind, stream::iter(pieces)).await.unwrap();
        };
        within(self.world.admission.admit_id(TenantId::new(id)).unwrap(), put).await;
    }

    /// The names of a tenant's uploads, with what they are.
    async fn all(&self, id: i64) -> Vec<(String, String, Vec<u8>)> {
        let read = async {
            let names: Vec<ObjectName> =
                self.uploads.list(None).map_ok(|stored| stored.name).try_collect().await.unwrap();
            let mut all = Vec::new();
            for name in names {
                let download = self.uploads.get(&name).await.unwrap().unwrap();
                let kind = download.stored.content_type.clone();
                let content: Vec<Bytes> = download.try_collect().await.unwrap();
                all.push((name.to_string(), kind, content.concat()));
            }
            all.sort();
            all
        };
        within(self.world.admission.admit_id(TenantId::new(id)).unwrap(), read).await
    }

    /// Acme, with a secret among its settings.
    fn acme(&self) -> Tenant {
        let described =
            Described::new(&Settings { title: String::new(), password: Secret::new(String::new()) }).unwrap();
        let set = |path: &str, value| {
            let change = SettingChange { path: path.parse().unwrap(), value: Some(value) };
            described.accept(&self.keys, TenantId::new(ACME), change).unwrap()
        };
        let mut acme = tenant(ACME);
        let changes = [set("title", json!("Acme")), set("password", json!("hush"))];
        acme.settings = Overrides::default().with(&changes).unwrap();
        acme
    }
}

fn with(secrets: Option<&str>) -> Options<'static> {
    let mut how = Options::default();
    how.secrets = secrets.map(Passphrase::new);
    how
}

#[tokio::test]
async fn all_of_a_tenant_comes_along() {
    let whole = Whole::new().await;
    let large: Vec<u8> = (0..3_000_000u32).map(|at| (at.wrapping_mul(at) >> 7).to_le_bytes()[0]).collect();
    whole.put(ACME, "Größe/May 2026.pdf", Some("application/pdf"), &large).await;
    whole.put(ACME, "empty", None, b"").await;
    for at in 0..SMALL {
        whole.put(ACME, &format!("small/{at}"), Some("text/plain"), at.to_string().as_bytes()).await;
    }
    whole.put(7, "others", None, b"others").await;
    let (rows, settings) = (whole.world.rows(), PortableOverrides::new(whole.keys.clone()));
    let parts = Parts { rows: &rows, uploads: Some(&whole.uploads), settings: Some(&settings) };
    let (archive, summary) =
        archive::export_to(&whole.acme(), parts, Vec::new(), with(Some("correct horse"))).await.unwrap();
    assert_eq!(summary.uploads, SMALL as u64 + 2);
    assert!(members(&archive).iter().filter(|(name, _)| name.starts_with("checks/")).count() > 1);
    assert_eq!(inspect(&*archive, &ReadLimits::default()).unwrap(), summary);

    // Where other keys are.
    let others = MasterKeys::generate().unwrap();
    let settings = PortableOverrides::new(others.clone());
    let parts = Parts { settings: Some(&settings), ..parts };
    let from = std::io::Cursor::new(archive.clone());
    let refused = archive::import(&tenant(GLOBEX), parts, &[], from, with(None)).await.unwrap_err();
    assert!(said(&refused).contains("give it"), "{refused}");
    let from = std::io::Cursor::new(archive.clone());
    let imported = archive::import(&tenant(GLOBEX), parts, &[], from, with(Some("correct horse"))).await.unwrap();
    assert_eq!(imported.summary, summary);
    assert_eq!(whole.all(GLOBEX).await, whole.all(ACME).await);
    assert_eq!(whole.all(7).await.len(), 1);
    let mut globex = tenant(GLOBEX);
    globex.settings = imported.settings;
    let (given, _) = settings.give(&globex, Some(&Passphrase::new("x"))).unwrap();
    assert_eq!(given.get(&"title".parse().unwrap()), Some(&json!("Acme")));
    let uploads_of_globex = whole.uploads.usage_of(globex.id, Unscoped::because("a test counts")).await.unwrap();
    assert_eq!(uploads_of_globex.objects, summary.uploads);

    // Where there is no place for uploads.
    let nowhere = Parts { uploads: None, ..parts };
    let from = std::io::Cursor::new(archive);
    let refused = archive::import(&tenant(99), nowhere, &[], from, with(Some("correct horse"))).await.unwrap_err();
    assert!(matches!(refused, ArchiveError::NoUploads), "{refused}");
}

#[tokio::test]
async fn secrets_are_left_out_unless_asked_for() {
    let whole = Whole::new().await;
    let (rows, settings) = (whole.world.rows(), PortableOverrides::new(whole.keys.clone()));
    let parts = Parts { rows: &rows, uploads: None, settings: Some(&settings) };
    let (archive, summary) = archive::export_to(&whole.acme(), parts, Vec::new(), with(None)).await.unwrap();
    let left_out: Vec<SettingPath> = vec!["password".parse().unwrap()];
    assert_eq!(summary.header.secrets_left_out, left_out);
    let text: String =
        members(&archive).iter().map(|(_, content)| String::from_utf8_lossy(content).into_owned()).collect();
    assert!(text.contains("Acme") && !text.contains("hush") && !text.contains("$sealed"));
    let imported =
        archive::import(&tenant(GLOBEX), parts, &[], std::io::Cursor::new(archive), with(None)).await.unwrap();
    assert_eq!(imported.settings.to_json(), r#"{"title":"Acme"}"#);
}

#[tokio::test]
async fn an_import_that_fails_is_erased() {
    let whole = Whole::new().await;
    whole.put(ACME, "one", None, b"1").await;
    whole.put(ACME, "two", None, &vec![7; 2_000_000]).await;
    whole.put(7, "others", None, b"others").await;
    let rows = whole.world.rows();
    let parts = Parts { rows: &rows, uploads: Some(&whole.uploads), settings: None };
    let archive = archive::export_to(&whole.acme(), parts, Vec::new(), with(None)).await.unwrap().0;
    let uploads = UploadsPlane(whole.uploads.clone());
    let planes: [&dyn Plane; 1] = [&uploads];
    let good = members(&archive);
    for at in 0..good.len() {
        let cut = sealed(&tar_of(&good[..at], |_| {}));
        let failed = archive::import(&tenant(GLOBEX), parts, &planes, std::io::Cursor::new(cut), with(None)).await;
        assert!(failed.is_err(), "{at}");
        assert_eq!((whole.all(GLOBEX).await.len(), whole.all(7).await.len()), (0, 1));
    }
    archive::import(&tenant(GLOBEX), parts, &planes, std::io::Cursor::new(archive), with(None)).await.unwrap();
    assert_eq!(whole.all(GLOBEX).await, whole.all(ACME).await);
}

/// The uploads as a plane.
struct UploadsPlane(Uploads);

impl Plane for UploadsPlane {
    fn name(&self) -> &'static str {
        "uploads"
    }

    fn count<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            let usage = self.0.usage_of(tenant.id, Unscoped::because("a test counts")).await;
            let usage = usage.map_err(|error| PlaneError::new("uploads", tenant, error))?;
            Ok(Amount { items: usage.objects, bytes: usage.bytes })
        })
    }

    fn erase<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        Box::pin(async move {
            let usage = self.0.remove_all(tenant.id, Unscoped::because("a test erases")).await;
            let usage = usage.map_err(|error| PlaneError::new("uploads", tenant, error))?;
            Ok(Amount { items: usage.objects, bytes: usage.bytes })
        })
    }

    fn copy<'a>(&'a self, _: &'a Tenant, to: &'a Tenant) -> BoxFuture<'a, Result<Amount, PlaneError>> {
        self.count(to)
    }
}
