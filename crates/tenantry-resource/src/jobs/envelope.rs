//! The signature of a job, by which it is its tenant's, and goes to no other queue.

use super::broker::Envelope;
use crate::{KeyHolder, MasterKeys, Purpose, keys::Seals};

/// Which job it is.
#[derive(Clone, Copy)]
pub(super) struct Address<'a> {
    pub(super) holder: KeyHolder,
    pub(super) queue: &'a str,
    pub(super) id: &'a str,
}

/// Signs a job with the tenant's current key.
pub(super) fn sign(keys: &MasterKeys, address: Address<'_>, payload: Vec<u8>, metadata: String) -> Envelope {
    let signature = seals(keys, address).seal(&address.bytes(), &contents(&payload, &metadata));
    Envelope { signature: signature.to_vec(), payload, metadata }
}

/// Whether a job is as it was signed, for this tenant since it last began anew, by one of the deployment's keys.
pub(super) fn is_signed(keys: &MasterKeys, address: Address<'_>, envelope: &Envelope) -> bool {
    let contents = contents(&envelope.payload, &envelope.metadata);
    seals(keys, address).is_seal(&envelope.signature, &address.bytes(), &contents)
}

fn seals(keys: &MasterKeys, address: Address<'_>) -> Seals {
    Seals::new(&keys.current(PURPOSE, address.holder), keys.derive(PURPOSE, address.holder))
}

impl Address<'_> {
    /// Queue and id, the first with its length in front, so that no two look alike. The tenant is in the key.
    fn bytes(&self) -> Vec<u8> {
        [&length(self.queue), self.queue.as_bytes(), self.id.as_bytes()].concat()
    }
}

/// The same of metadata and payload.
fn contents(payload: &[u8], metadata: &str) -> Vec<u8> {
    [&length(metadata), metadata.as_bytes(), payload].concat()
}

fn length(text: &str) -> [u8; 8] {
    u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes()
}

const PURPOSE: Purpose = Purpose::new("tenantry jobs");

#[cfg(test)]
mod tests {
    use tenantry_core::{Tenant, TenantId};

    use super::*;

    #[test]
    fn a_job_is_its_tenants_in_its_queue() {
        let keys = MasterKeys::generate().unwrap();
        let holder = |id, epoch| {
            let mut tenant = Tenant::new(TenantId::new(id), "acme".parse().unwrap());
            tenant.epoch = epoch;
            KeyHolder::from(&tenant)
        };
        let address = Address { holder: holder(1, 0), queue: "mail", id: "a" };
        let signed = sign(&keys, address, b"payload".to_vec(), "{}".to_owned());
        assert!(is_signed(&keys, address, &signed));
        let others = [
            Address { holder: holder(2, 0), ..address },
            Address { holder: holder(1, 1), ..address },
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
