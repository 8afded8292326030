//! The signature of a job, by which it is its tenant's, and goes to no other queue.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tenantry_core::TenantId;

use super::broker::Envelope;
use crate::{DerivedKey, KeyId, MasterKeys, Purpose};

/// Which job it is.
#[derive(Clone, Copy)]
pub(super) struct Address<'a> {
    pub(super) tenant: TenantId,
    pub(super) queue: &'a str,
    pub(super) id: &'a str,
}

/// Signs a job with the tenant's current key.
pub(super) fn sign(keys: &MasterKeys, address: Address<'_>, payload: Vec<u8>, metadata: String) -> Envelope {
    let key = keys.current(PURPOSE, address.tenant);
    let code = code(&key, address, &payload, &metadata).finalize().into_bytes();
    Envelope { signature: [key.id().as_bytes().as_slice(), &code].concat(), payload, metadata }
}

/// Whether a job is as it was signed, for this tenant, by one of the deployment's keys.
pub(super) fn is_signed(keys: &MasterKeys, address: Address<'_>, envelope: &Envelope) -> bool {
    let Some((id, signature)) = envelope.signature.split_at_checked(KeyId::LEN) else { return false };
    let Some(key) = keys.derive(PURPOSE, address.tenant).find(|key| key.id().as_bytes() == id) else { return false };
    // Compares in constant time.
    code(&key, address, &envelope.payload, &envelope.metadata).verify_slice(signature).is_ok()
}

/// The HMAC of all parts, each with its length in front, so that no two jobs look alike. The tenant is in the key.
fn code(key: &DerivedKey, address: Address<'_>, payload: &[u8], metadata: &str) -> Hmac<Sha256> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    // Filled up with zeros to a block, as HMAC does itself (RFC 2104 §2).
    block[..DerivedKey::LEN].copy_from_slice(key.secret());
    let mut code = Hmac::<Sha256>::new(&block);
    for part in [address.queue.as_bytes(), address.id.as_bytes(), metadata.as_bytes(), payload] {
        code.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        code.update(part);
    }
    code
}

const PURPOSE: Purpose = Purpose::new("tenantry jobs");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_its_tenants_in_its_queue() {
        let keys = MasterKeys::generate().unwrap();
        let address = Address { tenant: TenantId::new(1), queue: "mail", id: "a" };
        let signed = sign(&keys, address, b"payload".to_vec(), "{}".to_owned());
        assert!(is_signed(&keys, address, &signed));
        let others = [
            Address { tenant: TenantId::new(2), ..address },
            Address { queue: "mai", id: "la", ..address },
            Address { id: "b", ..address },
        ];
        for other in others {
            assert!(!is_signed(&keys, other, &signed));
        }
        assert!(!is_signed(&keys, address, &Envelope { payload: b"Payload".to_vec(), ..signed.clone() }));
        assert!(!is_signed(&keys, address, &Envelope { metadata: "{} ".to_owned(), ..signed.clone() }));
        for flipped in 0..signed.signature.len() {
            let mut signature = signed.signature.clone();
            signature[flipped] ^= 1;
            assert!(!is_signed(&keys, address, &Envelope { signature, ..signed.clone() }), "byte {flipped}");
        }
        assert!(!is_signed(&keys, address, &Envelope { signature: Vec::new(), ..signed }));
    }
}
