//! Tokens as an attacker sees them: each kind is replayed at another tenant, for another purpose, late, cut and changed.

use std::time::Duration;

use tenantry_core::{Code, Refusal};
use tenantry_resource::{Keys, MasterKeys, Purpose, TokenError, within_sync};

use crate::tenants::scope;

/// What applications hand out, and who could be taken for whom.
const KINDS: [Purpose; 4] = [
    Purpose::new("test session"),
    Purpose::new("test bearer token"),
    Purpose::new("test reset link"),
    Purpose::new("test download link"),
];
const ACME: i64 = 1;
const GLOBEX: i64 = 2;
const HOUR: Duration = Duration::from_secs(3600);
const OLD: &str = "3gHv1pdkzTTBfVmyS+0+hj1Ikc0hTpXqhZJqRUVYRqI=";
const NEW: &str = "bA9AqZ1fI8lpbv0iP3CwF0OQy2yHmvO3d0rTj5JvJ9k=";

fn keys(text: &str) -> Keys {
    Keys::new(MasterKeys::parse(text).unwrap())
}

fn sign(keys: &Keys, tenant: i64, kind: Purpose, valid_for: Duration) -> String {
    within_sync(scope(tenant), || keys.sign(kind, b"user 1", valid_for)).unwrap()
}

fn verify(keys: &Keys, tenant: i64, kind: Purpose, token: &str) -> Result<Vec<u8>, TokenError> {
    within_sync(scope(tenant), || keys.verify(kind, token))
}

#[test]
fn a_token_is_good_at_its_tenant_for_its_purpose_alone() {
    let keys = keys(OLD);
    for kind in KINDS {
        for tenant in [ACME, GLOBEX] {
            let token = sign(&keys, tenant, kind, HOUR);
            for (other_kind, other_tenant) in KINDS.into_iter().flat_map(|it| [(it, ACME), (it, GLOBEX)]) {
                let expected = if (other_kind, other_tenant) == (kind, tenant) {
                    Ok(b"user 1".to_vec())
                } else {
                    Err(TokenError::NotOurs)
                };
                assert_eq!(verify(&keys, other_tenant, other_kind, &token), expected, "{kind:?} {other_kind:?}");
            }
        }
    }
}

/// The control: the same application with one key for all its tenants, which is what a shared secret comes to.
#[test]
fn with_one_key_for_all_tenants_the_replay_works() {
    let keys = keys(OLD);
    for kind in KINDS {
        let everybody = scope(ACME);
        let token = within_sync(everybody.clone(), || keys.sign(kind, b"user 1", HOUR)).unwrap();
        let at_globex = within_sync(scope(GLOBEX), || within_sync(everybody, || keys.verify(kind, &token)));
        assert_eq!(at_globex, Ok(b"user 1".to_vec()), "user 1 of the one tenant is user 1 of the other");
    }
}

#[test]
fn a_token_ends_with_its_time() {
    let keys = keys(OLD);
    for kind in KINDS {
        let token = sign(&keys, ACME, kind, Duration::ZERO);
        assert_eq!(verify(&keys, ACME, kind, &token), Err(TokenError::Expired));
        let token = sign(&keys, ACME, kind, Duration::MAX);
        assert_eq!(verify(&keys, ACME, kind, &token).unwrap(), b"user 1");
    }
}

#[test]
fn a_token_that_is_cut_or_changed_anywhere_is_refused() {
    let keys = keys(OLD);
    for kind in KINDS {
        let token = sign(&keys, ACME, kind, HOUR);
        for at in 0..token.len() {
            assert_eq!(verify(&keys, ACME, kind, &token[..at]), Err(TokenError::NotOurs), "cut at {at}");
            for bit in 0..7 {
                let mut changed = token.clone().into_bytes();
                changed[at] ^= 1 << bit;
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(verify(&keys, ACME, kind, &changed), Err(TokenError::NotOurs), "bit {bit} of {at}");
            }
        }
        for more in ["", ".", "k1.", "k1.é", &format!("{token}A"), &format!("{token}=")] {
            assert_eq!(verify(&keys, ACME, kind, more), Err(TokenError::NotOurs), "{more}");
        }
    }
}

#[test]
fn a_token_outlives_its_master_key_for_as_long_as_that_is_kept() {
    let (old, both, new) = (keys(OLD), keys(&format!("{NEW},{OLD}")), keys(NEW));
    for kind in KINDS {
        let token = sign(&old, ACME, kind, HOUR);
        assert_eq!(verify(&both, ACME, kind, &token).unwrap(), b"user 1");
        assert_eq!(verify(&both, GLOBEX, kind, &token), Err(TokenError::NotOurs));
        assert_eq!(verify(&new, ACME, kind, &token), Err(TokenError::NotOurs), "it is retired");
        let token = sign(&both, ACME, kind, HOUR);
        assert_eq!(verify(&new, ACME, kind, &token).unwrap(), b"user 1", "the first key signs");
    }
}

#[test]
fn keys_to_sign_with_are_of_one_tenant_and_one_purpose() {
    let master = MasterKeys::parse(&format!("{NEW},{OLD}")).unwrap();
    let keys = Keys::new(master.clone());
    let mut seen = std::collections::HashSet::new();
    for (kind, tenant) in KINDS.into_iter().flat_map(|it| [(it, ACME), (it, GLOBEX)]) {
        let (current, all) =
            within_sync(scope(tenant), || (keys.signing_key(kind).unwrap(), keys.signing_keys(kind).unwrap()));
        assert_eq!((all.len(), all[0].secret(), all[0].id()), (2, current.secret(), current.id()));
        let others = master.derive(kind, scope(tenant).id());
        assert!(all.iter().chain(&others.collect::<Vec<_>>()).all(|key| seen.insert(*key.secret())));
    }
}

#[test]
fn without_a_scope_nothing_is_signed_or_accepted() {
    let keys = keys(OLD);
    let token = sign(&keys, ACME, KINDS[0], HOUR);
    assert!(keys.sign(KINDS[0], b"", HOUR).is_err() && keys.signing_key(KINDS[0]).is_err());
    assert!(keys.signing_keys(KINDS[0]).is_err());
    let error = keys.verify(KINDS[0], &token).unwrap_err();
    assert!(matches!(error, TokenError::NoScope(_)));
    assert_eq!(Refusal::from(error).code(), Code::NoScope);
    assert_eq!(Refusal::from(TokenError::Expired).code(), Code::TokenInvalid);
}
