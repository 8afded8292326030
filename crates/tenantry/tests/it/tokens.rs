//! A deployment that reads the tenant from a signed token, configured in a file.

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    routing::get,
};
use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
use tenantry::{CurrentScope, OpenError, Tenancy};
use tower::ServiceExt;

use crate::setup::register;

const SECRET: &str = "a secret of at least thirty-two bytes, shared with the issuer";

async fn open(folder: &tempfile::TempDir, claim: &str) -> Result<Tenancy, OpenError> {
    std::fs::write(folder.path().join("jwt.key"), SECRET).unwrap();
    let file = folder.path().join("tenantry.toml");
    std::fs::write(&file, format!("[resolve]\nmode = \"all-agree\"\n[resolve.path]\nunder = [\"/t\"]\n{claim}"))
        .unwrap();
    Tenancy::open(&file).await
}

fn token(tenant: &str, lives_secs: i64) -> String {
    let expiry = i64::try_from(get_current_timestamp()).unwrap() + lives_secs;
    let claims = serde_json::json!({ "tenant": tenant, "exp": expiry });
    encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

#[tokio::test]
async fn a_token_must_be_good_and_for_the_tenant_of_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let tenancy =
        open(&folder, "[resolve.claim]\nalgorithms = [\"HS256\"]\nkey = { file = \"jwt.key\" }").await.unwrap();
    register(&tenancy, &["acme", "globex"]).await;
    let app = tenancy.wrap(
        Router::new().route("/", get(|CurrentScope(scope): CurrentScope| async move { scope.slug().to_string() })),
    );
    let status = async |token: &str| {
        let request = Request::get("/t/acme/").header("authorization", format!("Bearer {token}"));
        app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    };
    assert_eq!(status(&token("acme", 60)).await, StatusCode::OK);
    assert_eq!(status(&token("globex", 60)).await, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(status(&token("nobody", 60)).await, StatusCode::NOT_FOUND);
    assert_eq!(status(&token("acme", -600)).await, StatusCode::UNAUTHORIZED);
    let forged = token("acme", 60).replace(|c: char| c.is_ascii_digit(), "0");
    assert_eq!(status(&forged).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn keys_that_cannot_be_used_are_said_at_start() {
    let folder = tempfile::tempdir().unwrap();
    for (claim, expected) in [
        ("[resolve.claim]\nalgorithms = [\"HS256\"]\nkey = { file = \"nowhere.key\" }", "nowhere.key cannot be read"),
        ("[resolve.claim]\nalgorithms = [\"RS256\"]\nkey = { file = \"jwt.key\" }", "the key cannot be used"),
        ("[resolve.claim]\nalgorithms = [\"HS256\"]\njwks = \"jwt.key\"", "the key cannot be used"),
        ("[resolve.claim]\nalgorithms = [\"none\"]\nkey = { file = \"jwt.key\" }", "unknown variant"),
    ] {
        let error = open(&folder, claim).await.unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("shared with"), "{error}");
    }
}
