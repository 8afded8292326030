//! Settings that are given out and taken in elsewhere.
//!
//! Secrets are sealed under keys of the deployment, which never leave it. So they are left out, or opened and encrypted with a
//! passphrase (argon2id, XChaCha20-Poly1305), each bound to its path; where they are taken in they are sealed anew.

use std::fmt;

use argon2::Argon2;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use serde_json::{Value, json};
use tenantry_core::{BoxError, Overrides, Passphrase, PortableSettings, SettingPath, Tenant};
use thiserror::Error;
use zeroize::Zeroizing;

use super::seal::{self, NONCE_LEN};
use crate::MasterKeys;

/// The settings of tenants whose secrets are sealed under these keys, to be given out and taken in.
#[derive(Clone)]
pub struct PortableOverrides {
    keys: MasterKeys,
}

impl PortableOverrides {
    /// With the keys of the deployment.
    pub fn new(keys: MasterKeys) -> Self {
        Self { keys }
    }
}

impl PortableSettings for PortableOverrides {
    fn give(&self, tenant: &Tenant, secrets: Option<&Passphrase>) -> Result<(Overrides, Vec<SettingPath>), BoxError> {
        let is_secret = |(_, value): &(&SettingPath, &Value)| Overrides::is_sealed(value);
        let Some(passphrase) = secrets else {
            let (left_out, given): (Vec<_>, Vec<_>) = tenant.settings.iter().partition(is_secret);
            let given = given.into_iter().map(|(path, value)| (path.clone(), value.clone()));
            return Ok((given.collect(), left_out.into_iter().map(|(path, _)| path.clone()).collect()));
        };
        let mut salt = [0; SALT_LEN];
        getrandom::fill(&mut salt)?;
        let mut cipher = None;
        let given = tenant.settings.iter().map(|(path, value)| {
            if !Overrides::is_sealed(value) {
                return Ok((path.clone(), value.clone()));
            }
            let opened = self.opened(tenant, path, value)?;
            let cipher = match &mut cipher {
                Some(cipher) => cipher,
                none => none.insert(derived(passphrase, &salt)?),
            };
            Ok((path.clone(), encrypted(cipher, &salt, path, &opened)?))
        });
        Ok((given.collect::<Result<_, BoxError>>()?, Vec::new()))
    }

    fn take(&self, tenant: &Tenant, given: &Overrides, secrets: Option<&Passphrase>) -> Result<Overrides, BoxError> {
        // One passphrase has one salt: whoever made up another for each would have this derive keys for hours.
        let mut known: Option<(Vec<u8>, XChaCha20Poly1305)> = None;
        let taken = given.iter().map(|(path, value)| {
            let Some(text) = text_of(value) else {
                let is_foreign = Overrides::is_sealed(value);
                return if is_foreign {
                    Err(SecretError::Unopened(path.clone()).into())
                } else {
                    Ok((path.clone(), value.clone()))
                };
            };
            let passphrase = secrets.ok_or(SecretError::NoPassphrase)?;
            let wrong = || SecretError::Wrong(path.clone());
            let (salt, text) = text.split_once('.').ok_or_else(wrong)?;
            let salt = URL_SAFE_NO_PAD.decode(salt).map_err(|_| wrong())?;
            let cipher = match &mut known {
                Some((same, cipher)) if *same == salt => cipher,
                Some(_) => return Err(wrong().into()),
                none => &mut none.insert((salt.clone(), derived(passphrase, &salt)?)).1,
            };
            let opened = decrypted(cipher, path, text).ok_or_else(wrong)?;
            Ok((path.clone(), seal::seal(&self.keys, tenant.id, path, &opened)?))
        });
        let taken: Overrides = taken.collect::<Result<_, BoxError>>()?;
        // Nothing is changed: this looks whether all of it is little enough to be a tenant's.
        Ok(taken.with(&[])?)
    }

    fn copy(&self, from: &Tenant, to: &Tenant) -> Result<Overrides, BoxError> {
        let copied = from.settings.iter().map(|(path, value)| {
            let value = match Overrides::is_sealed(value) {
                true => seal::seal(&self.keys, to.id, path, &self.opened(from, path, value)?)?,
                false => value.clone(),
            };
            Ok((path.clone(), value))
        });
        copied.collect()
    }
}

impl PortableOverrides {
    fn opened(&self, tenant: &Tenant, path: &SettingPath, sealed: &Value) -> Result<Value, SecretError> {
        seal::open(&self.keys, tenant.id, path, sealed).ok_or_else(|| SecretError::Unopened(path.clone()))
    }
}

fn derived(passphrase: &Passphrase, salt: &[u8]) -> Result<XChaCha20Poly1305, BoxError> {
    let mut key = Zeroizing::new([0; 32]);
    let made = Argon2::default().hash_password_into(passphrase.expose().as_bytes(), salt, &mut *key);
    made.map_err(|error| SecretError::Key(error.to_string()))?;
    Ok(XChaCha20Poly1305::new((&*key).into()))
}

fn encrypted(cipher: &XChaCha20Poly1305, salt: &[u8], path: &SettingPath, value: &Value) -> Result<Value, BoxError> {
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce)?;
    let text = Zeroizing::new(value.to_string());
    let payload = Payload { msg: text.as_bytes(), aad: path.as_str().as_bytes() };
    // It fails for messages of gigabytes only; settings are smaller.
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload).unwrap_or_default();
    let sealed = URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat());
    Ok(json!({ ENCRYPTED: format!("{}.{sealed}", URL_SAFE_NO_PAD.encode(salt)) }))
}

fn decrypted(cipher: &XChaCha20Poly1305, path: &SettingPath, text: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
    let payload = Payload { msg: sealed, aad: path.as_str().as_bytes() };
    let text = cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
    serde_json::from_slice(&Zeroizing::new(text)).ok()
}

fn text_of(value: &Value) -> Option<&str> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.get(ENCRYPTED)?.as_str()
}

/// Why secrets cannot be given out or taken in.
#[derive(Debug, Error)]
enum SecretError {
    #[error("no key can be derived from the passphrase: {0}")]
    Key(String),
    #[error("there are secrets among them, encrypted with a passphrase; give it")]
    NoPassphrase,
    #[error("the secret {0} cannot be opened with the keys of this deployment; set it anew, or unset it")]
    Unopened(SettingPath),
    #[error("the secret {0} cannot be opened with this passphrase")]
    Wrong(SettingPath),
}

impl fmt::Debug for PortableOverrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortableOverrides").finish_non_exhaustive()
    }
}

/// The key of the object that stands for an encrypted value.
const ENCRYPTED: &str = "$encrypted";

const SALT_LEN: usize = 16;

#[cfg(test)]
mod tests {
    use tenantry_core::{SettingChange, TenantId};

    use super::*;

    fn tenant(id: i64, keys: &MasterKeys) -> Tenant {
        let mut tenant = Tenant::new(TenantId::new(id), "acme".parse().unwrap());
        let path: SettingPath = "smtp.password".parse().unwrap();
        let secret = seal::seal(keys, tenant.id, &path, &json!("hush")).unwrap();
        let changes = [("title", json!("Acme")), ("smtp.password", secret)];
        let changes = changes.map(|(path, value)| SettingChange { path: path.parse().unwrap(), value: Some(value) });
        tenant.settings = Overrides::default().with(&changes).unwrap();
        tenant
    }

    #[test]
    fn secrets_are_left_out_or_under_a_passphrase() {
        let (keys, others) = (MasterKeys::generate().unwrap(), MasterKeys::generate().unwrap());
        let (home, away) = (PortableOverrides::new(keys.clone()), PortableOverrides::new(others.clone()));
        let (acme, globex) = (tenant(1, &keys), Tenant::new(TenantId::new(2), "globex".parse().unwrap()));
        let path: SettingPath = "smtp.password".parse().unwrap();

        let (given, left_out) = home.give(&acme, None).unwrap();
        assert_eq!((given.to_json(), left_out), (r#"{"title":"Acme"}"#.to_owned(), vec![path.clone()]));

        let (right, wrong) = (Passphrase::new("correct horse"), Passphrase::new("battery staple"));
        let (given, left_out) = home.give(&acme, Some(&right)).unwrap();
        assert!(left_out.is_empty() && !given.to_json().contains("hush") && !given.to_json().contains("$sealed"));
        let taken = away.take(&globex, &given, Some(&right)).unwrap();
        assert_eq!(seal::open(&others, globex.id, &path, taken.get(&path).unwrap()), Some(json!("hush")));
        assert_eq!(taken.get(&"title".parse().unwrap()), Some(&json!("Acme")));

        let refused = |secrets| away.take(&globex, &given, secrets).unwrap_err().to_string();
        assert!(refused(None).contains("give it") && refused(Some(&wrong)).contains("with this passphrase"));
        assert!(away.take(&globex, &acme.settings, Some(&right)).unwrap_err().to_string().contains("smtp.password"));
        assert!(away.give(&acme, Some(&right)).unwrap_err().to_string().contains("smtp.password"));

        let copied = home.copy(&acme, &globex).unwrap();
        assert_eq!(seal::open(&keys, globex.id, &path, copied.get(&path).unwrap()), Some(json!("hush")));
        assert_eq!((copied.len(), copied.get(&"title".parse().unwrap())), (2, Some(&json!("Acme"))));
        assert!(away.copy(&acme, &globex).unwrap_err().to_string().contains("smtp.password"));

        // What was encrypted for one setting is none for another.
        let value = given.get(&path).unwrap().clone();
        let moved: Overrides = [("api.token".parse().unwrap(), value)].into_iter().collect();
        assert!(away.take(&globex, &moved, Some(&right)).is_err());
    }
}
