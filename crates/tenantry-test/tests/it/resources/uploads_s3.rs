//! Uploads in a bucket, of a server that runs in this process.

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tenantry_resource::uploads::{Options, Place};
use tenantry_test::resources::{uploads, uploads_in_two_worlds};
use tokio::{net::TcpListener, process::Command};

use super::uploads::open;

/// Where a process that this test starts finds its bucket. It has the keys in its environment, where they belong.
const BUCKET: &str = "TENANTRY_TEST_BUCKET";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_bucket() {
    let Ok(url) = std::env::var(BUCKET) else { return served("in_a_bucket").await };
    uploads(|| open(url.parse::<Place>().unwrap(), Options::default())).await;
}

#[test]
fn two_worlds_in_a_bucket() {
    let Ok(url) = std::env::var(BUCKET) else {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        return runtime.block_on(served("two_worlds_in_a_bucket"));
    };
    uploads_in_two_worlds(16, || open(url.parse::<Place>().unwrap(), Options::default()));
}

/// Runs a test in a process of its own, with a bucket.
#[expect(clippy::disallowed_methods, reason = "the server works for no tenant")]
async fn served(test: &str) {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("files")).unwrap();
    let mut service = S3ServiceBuilder::new(FileSystem::new(root.path()).unwrap());
    service.set_auth(SimpleAuth::from_single("tester", "not a secret"));
    let service = service.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let service = service.clone();
            tokio::spawn(async move {
                // A client that goes away is none of the server's business.
                Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await.ok();
            });
        }
    });
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("resources::uploads_s3::{test}")])
        .env(BUCKET, format!("s3://files/of/tests?endpoint=http://127.0.0.1:{port}&region=eu-west-1"))
        .env("AWS_ACCESS_KEY_ID", "tester")
        .env("AWS_SECRET_ACCESS_KEY", "not a secret")
        .status();
    assert!(status.await.unwrap().success());
    server.abort();
    // What is there is below the bucket's prefix, if anything.
    for entry in std::fs::read_dir(root.path().join("files")).unwrap() {
        assert_eq!(entry.unwrap().file_name(), "of");
    }
}
