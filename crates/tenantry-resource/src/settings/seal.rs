//! Secrets, as they are stored: encrypted for one tenant and one setting.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use serde_json::{Value, json};
use tenantry_core::{Overrides, SettingPath, TenantId};

use super::{error::SettingRefused, layers, secret};
use crate::{MasterKeys, Purpose};

/// What the keys are derived for.
const PURPOSE: Purpose = Purpose::new("tenantry settings");

/// Bytes of a nonce of XChaCha20-Poly1305: so many that random ones do not repeat.
pub(super) const NONCE_LEN: usize = 24;

/// The value as it is stored. What is sealed for one setting of one tenant opens for no other.
///
/// # Errors
///
/// When the operating system gives no random bytes.
pub(super) fn seal(
    keys: &MasterKeys,
    tenant: TenantId,
    path: &SettingPath,
    value: &Value,
) -> Result<Value, getrandom::Error> {
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce)?;
    let key = keys.current(PURPOSE, tenant);
    let cipher = XChaCha20Poly1305::new(key.secret().into());
    let text = zeroize::Zeroizing::new(value.to_string());
    let payload = Payload { msg: text.as_bytes(), aad: path.as_str().as_bytes() };
    // It fails for messages of gigabytes only; settings are smaller.
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload).unwrap_or_default();
    let bytes = [&nonce[..], &sealed].concat();
    Ok(json!({ Overrides::SEALED: format!("{}.{}", key.id(), URL_SAFE_NO_PAD.encode(bytes)) }))
}

/// The value as it is stored in a place of a marked document: sealed where a secret is.
///
/// # Errors
///
/// When there are secrets within the place, or no random bytes.
pub(super) fn stored(
    keys: &MasterKeys,
    tenant: TenantId,
    path: &SettingPath,
    value: Value,
    place: &Value,
) -> Result<Value, SettingRefused> {
    if secret::is_mark(place) {
        return seal(keys, tenant, path, &value).map_err(SettingRefused::NoRandomness);
    }
    match layers::sourced(place, &[]).into_iter().find(|leaf| secret::is_mark(&leaf.value)) {
        Some(secret) => Err(SettingRefused::SecretWithin { path: path.clone(), secret: secret.path }),
        None => Ok(value),
    }
}

/// The value as it is in a marked document: a mark where it is sealed.
pub(super) fn marked(value: &Value) -> Value {
    if Overrides::is_sealed(value) { secret::mark() } else { value.clone() }
}

/// The value that was sealed; nothing when it was for another tenant or setting, when its key is gone, or when somebody has
/// changed it.
pub(super) fn open(keys: &MasterKeys, tenant: TenantId, path: &SettingPath, value: &Value) -> Option<Value> {
    let (id, text) = value.get(Overrides::SEALED)?.as_str()?.split_once('.')?;
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
    let key = keys.derive(PURPOSE, tenant).find(|key| key.id().as_str() == id)?;
    let payload = Payload { msg: sealed, aad: path.as_str().as_bytes() };
    let text = XChaCha20Poly1305::new(key.secret().into()).decrypt(&XNonce::from(*nonce), payload).ok()?;
    serde_json::from_slice(&zeroize::Zeroizing::new(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_for_its_own_tenant_and_setting_alone() {
        let keys = MasterKeys::generate().unwrap();
        let (acme, globex) = (TenantId::new(1), TenantId::new(2));
        let [password, token] = ["smtp.password", "api.token"].map(|path| path.parse::<SettingPath>().unwrap());
        let value = json!({ "any": ["value", 1, null] });
        let stored = seal(&keys, acme, &password, &value).unwrap();
        assert!(Overrides::is_sealed(&stored) && !stored.to_string().contains("any"));
        assert_eq!(open(&keys, acme, &password, &stored), Some(value.clone()));
        assert_eq!(open(&keys, globex, &password, &stored), None);
        assert_eq!(open(&keys, acme, &token, &stored), None);
        assert_eq!(open(&MasterKeys::generate().unwrap(), acme, &password, &stored), None);
        assert_ne!(seal(&keys, acme, &password, &value).unwrap(), stored, "not even that it is the same is shown");
        let text = stored["$sealed"].as_str().unwrap();
        for at in [0, 12, 40, text.len() - 1] {
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert_eq!(open(&keys, acme, &password, &json!({ "$sealed": changed })), None, "{at}");
        }
        for wrong in ["", ".", "AAAAAAAA.", "AAAAAAAA.AAAA", "x.y.z"] {
            assert_eq!(open(&keys, acme, &password, &json!({ "$sealed": wrong })), None);
        }
    }
}
