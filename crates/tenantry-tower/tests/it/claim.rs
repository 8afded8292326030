//! Tokens that name a tenant, and tokens that only look like it.

use std::time::{SystemTime, UNIX_EPOCH};

use http::Request;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tenantry_core::{Resolution, Resolver};
use tenantry_tower::{Claim, ClaimKeys};

const SECRET: &[u8] = b"a secret that is long enough for HS256, HS384 and HS512 alike, and more";

fn in_secs(secs: i64) -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap() + secs
}

fn token(algorithm: Algorithm, secret: &[u8], claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap()
}

fn resolve(claim: &Claim, header: &str, value: &str) -> Result<Option<String>, String> {
    let request = Request::builder().header(header, value).body(()).unwrap().into_parts().0;
    match claim.resolve(&request) {
        Resolution::Candidate(candidate) => Ok(Some(candidate.slug().to_string())),
        Resolution::Malformed(malformed) => {
            let refusal = tenantry_core::Refusal::from(malformed);
            assert!(!refusal.to_string().contains(value), "a refusal does not repeat the token");
            Err(refusal.code().to_string())
        }
        Resolution::NotMine => Ok(None),
    }
}

fn bearer(claim: &Claim, token: &str) -> Result<Option<String>, String> {
    resolve(claim, "authorization", &format!("Bearer {token}"))
}

fn shared_secret() -> Claim {
    Claim::new("tenant", ClaimKeys::from_secret(SECRET).unwrap())
}

#[test]
fn a_good_token_names_its_tenant() {
    let claims = json!({ "tenant": "acme", "exp": in_secs(60) });
    for algorithm in [Algorithm::HS256, Algorithm::HS512] {
        assert_eq!(bearer(&shared_secret(), &token(algorithm, SECRET, &claims)), Ok(Some("acme".to_owned())));
    }
    let in_cookie = format!("theme=dark; session={}", token(Algorithm::HS256, SECRET, &claims));
    assert_eq!(resolve(&shared_secret().cookie("session"), "cookie", &in_cookie), Ok(Some("acme".to_owned())));
    assert_eq!(resolve(&shared_secret(), "cookie", &in_cookie), Ok(None));
}

#[test]
fn what_is_no_token_of_ours_is_ignored() {
    for other in ["opaque", "a.b.c", "eyJhbGciOiJub25lIn0", ""] {
        assert_eq!(bearer(&shared_secret(), other), Ok(None), "{other}");
    }
    assert_eq!(resolve(&shared_secret(), "authorization", "Basic dXNlcjpwYXNz"), Ok(None));
}

#[test]
fn a_bad_token_is_refused() {
    let sign = |claims| token(Algorithm::HS256, SECRET, &claims);
    let good = sign(json!({ "tenant": "acme", "exp": in_secs(60) }));
    let (head, signature) = good.rsplit_once('.').unwrap();
    let other = sign(json!({ "tenant": "globex", "exp": in_secs(60) }));
    let (other_head, _) = other.rsplit_once('.').unwrap();
    // {"alg":"none"} with the same claims and no signature.
    let none = format!("eyJhbGciOiJub25lIn0.{}.", head.split_once('.').unwrap().1);
    for (what, token) in [
        ("expired", sign(json!({ "tenant": "acme", "exp": in_secs(-600) }))),
        ("not yet valid", sign(json!({ "tenant": "acme", "exp": in_secs(600), "nbf": in_secs(300) }))),
        ("never expires", sign(json!({ "tenant": "acme" }))),
        ("another secret", token(Algorithm::HS256, &[b'x'; 64], &json!({ "tenant": "acme", "exp": in_secs(60) }))),
        ("another's claims", format!("{other_head}.{signature}")),
        ("no algorithm", none),
        ("cut", good[..good.len() - 4].to_owned()),
        ("for an audience", sign(json!({ "tenant": "acme", "exp": in_secs(60), "aud": "elsewhere" }))),
        ("no tenant", sign(json!({ "exp": in_secs(60) }))),
        ("no tenant's name", sign(json!({ "tenant": "../globex", "exp": in_secs(60) }))),
        ("tenant is a list", sign(json!({ "tenant": ["acme"], "exp": in_secs(60) }))),
    ] {
        assert_eq!(bearer(&shared_secret(), &token), Err("token_invalid".to_owned()), "{what}");
    }
}

#[test]
fn what_the_application_might_read_differently_is_refused() {
    let by_cookie = || shared_secret().cookie("session");
    let token = |tenant: &str| token(Algorithm::HS256, SECRET, &json!({ "tenant": tenant, "exp": in_secs(60) }));
    let (acme, globex) = (token("acme"), token("globex"));
    let resolve = |headers: &[(&str, &[u8])]| {
        let mut request = Request::new(()).into_parts().0;
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers.append(name, http::HeaderValue::from_bytes(value).unwrap());
        }
        match by_cookie().resolve(&request) {
            Resolution::Candidate(candidate) => {
                Ok(Some((candidate.slug().to_string(), candidate.others().first().map(ToString::to_string))))
            }
            Resolution::Malformed(_) => Err(()),
            Resolution::NotMine => Ok(None),
        }
    };
    let cookie = |text: String| resolve(&[("cookie", text.as_bytes())]);
    let found = Ok(Some(("acme".to_owned(), None)));
    assert_eq!(cookie(format!("session={acme}")), found);
    assert_eq!(cookie(format!("session = {acme} ; theme=dark")), found);
    assert_eq!(resolve(&[("cookie", [b"x=\xff; session=", acme.as_bytes()].concat().as_slice())]), found);
    assert_eq!(cookie("session=; theme=dark".to_owned()), Ok(None));
    for text in [
        format!("session=x; session={acme}"),
        format!("session={acme}; session={acme}"),
        format!("session=\"{acme}\""),
        format!("session=%65{}", &acme[1..]),
        "session=x".to_owned(),
    ] {
        assert_eq!(cookie(text.clone()), Err(()), "{text}");
    }
    // Both are read; whether the names agree is for admission to say.
    let bearer = format!("Bearer {globex}");
    let both = resolve(&[("authorization", bearer.as_bytes()), ("cookie", format!("session={acme}").as_bytes())]);
    assert_eq!(both, Ok(Some(("globex".to_owned(), Some("acme".to_owned())))));
    let opaque = resolve(&[("authorization", b"Bearer opaque"), ("cookie", format!("session={acme}").as_bytes())]);
    assert_eq!(opaque, found);
    assert_eq!(resolve(&[("authorization", format!("bearer\t{acme}").as_bytes())]), found);
    assert_eq!(resolve(&[("authorization", bearer.as_bytes()), ("authorization", b"Basic eDp5")]), Err(()));
    assert_eq!(resolve(&[("authorization", format!("Bearer \"{acme}\"").as_bytes())]), Err(()));
}

#[test]
fn issuer_and_audience_are_required_where_they_are_asked_for() {
    let strict = shared_secret().issuer("https://id.example").audience("notes");
    let with = |extra: Value| {
        let mut claims = json!({ "tenant": "acme", "exp": in_secs(60) });
        claims.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        bearer(&strict, &token(Algorithm::HS256, SECRET, &claims))
    };
    assert_eq!(with(json!({ "iss": "https://id.example", "aud": "notes" })), Ok(Some("acme".to_owned())));
    assert!(with(json!({ "iss": "https://id.example" })).is_err());
    assert!(with(json!({ "aud": "notes" })).is_err());
    assert!(with(json!({ "iss": "https://evil.example", "aud": "notes" })).is_err());
}

#[test]
fn a_public_key_does_not_serve_as_a_secret() {
    // The classic confusion: the token says HS256, and its "secret" is the text of the public key.
    let claim = Claim::new("tenant", ClaimKeys::from_pem(PUBLIC.as_bytes()).unwrap());
    let claims = json!({ "tenant": "acme", "exp": in_secs(60) });
    assert!(bearer(&claim, &token(Algorithm::HS256, PUBLIC.as_bytes(), &claims)).is_err());

    let signed = |key: &str| {
        encode(&Header::new(Algorithm::ES256), &claims, &EncodingKey::from_ec_pem(key.as_bytes()).unwrap()).unwrap()
    };
    assert_eq!(bearer(&claim, &signed(PRIVATE)), Ok(Some("acme".to_owned())));
}

#[test]
fn a_key_set_is_searched_by_key_id() {
    let jwks = json!({ "keys": [
        { "kty": "EC", "crv": "P-256", "kid": "one", "alg": "ES256", "use": "sig", "x": JWK_X, "y": JWK_Y },
        { "kty": "EC", "crv": "P-256", "alg": "ES256", "x": JWK_X, "y": JWK_Y },
    ] });
    let claim = Claim::new("tenant", ClaimKeys::from_jwks(jwks.to_string().as_bytes()).unwrap());
    let signed = |kid: Option<&str>| {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = kid.map(str::to_owned);
        let claims = json!({ "tenant": "acme", "exp": in_secs(60) });
        encode(&header, &claims, &EncodingKey::from_ec_pem(PRIVATE.as_bytes()).unwrap()).unwrap()
    };
    assert_eq!(bearer(&claim, &signed(Some("one"))), Ok(Some("acme".to_owned())));
    assert!(bearer(&claim, &signed(Some("two"))).is_err());
    assert!(bearer(&claim, &signed(None)).is_err());
}

#[test]
fn keys_that_cannot_be_used_are_refused() {
    assert!(ClaimKeys::from_secret(b"short").is_err());
    assert!(ClaimKeys::from_pem(b"-----BEGIN NOTHING-----").is_err());
    assert!(ClaimKeys::from_jwks(b"{}").is_err());
    assert!(ClaimKeys::from_jwks(br#"{"keys":[]}"#).is_err());
}

#[test]
fn only_the_algorithms_that_are_listed_are_believed() {
    let keys = || ClaimKeys::from_secret(SECRET).unwrap();
    let claim = Claim::new("tenant", keys().only_algorithms(["HS512"]).unwrap());
    let claims = json!({ "tenant": "acme", "exp": in_secs(60) });
    assert!(bearer(&claim, &token(Algorithm::HS256, SECRET, &claims)).is_err());
    assert!(bearer(&claim, &token(Algorithm::HS512, SECRET, &claims)).is_ok());
    assert!(keys().only_algorithms(["RS256"]).is_err());
    assert!(keys().only_algorithms(["none"]).is_err());
    assert!(keys().only_algorithms([]).is_err());
}

// A key pair made for this test.
const PRIVATE: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWwkMFwe8/dArb2c/
xjaDu5doo70inMN2LgkIHVE/+XqhRANCAAR4I5bSdjxq42G18u84fRptrL9aCP/5
FHiw9Ah38muw32riD/A73/ak6YX8vYUDXy73KD+Xhg7a2eLMBVLqhVBo
-----END PRIVATE KEY-----";
const PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeCOW0nY8auNhtfLvOH0abay/Wgj/
+RR4sPQId/JrsN9q4g/wO9/2pOmF/L2FA18u9yg/l4YO2tnizAVS6oVQaA==
-----END PUBLIC KEY-----";
const JWK_X: &str = "eCOW0nY8auNhtfLvOH0abay_Wgj_-RR4sPQId_JrsN8";
const JWK_Y: &str = "auIP8Dvf9qTphfy9hQNfLvcoP5eGDtrZ4swFUuqFUGg";
