//! What was removed of a tenant, certified.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenantry_control::time::utc_or_why_not;
use tenantry_core::{Operation, Outcome, TenantId};
use tenantry_resource::{MasterKeys, Purpose, Seals};
use thiserror::Error;

/// Says what was removed when a tenant was erased, and when; sealed with a key of the deployment, so that the deployment can
/// say later whether a certificate is one of its own and unchanged.
///
/// The seal is a MAC (see [`Seals`]): who does not have the deployment's master keys cannot make one, and cannot check one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Certificate {
    /// The erasure's number in the ledger of operations.
    pub operation: i64,
    /// The tenant's number, which is never used again.
    pub tenant: i64,
    /// Its name.
    pub name: String,
    /// When the erasure began, in UTC.
    pub began_at: String,
    /// When all that there was had been counted to be gone, in UTC.
    pub ended_at: String,
    /// What was removed, by the kind of place.
    pub removed: BTreeMap<String, Removed>,
    /// What is kept, and where.
    pub kept: String,
    /// The seal of all of that.
    pub seal: String,
}

/// How much was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Removed {
    /// Rows, files, jobs, whatever the place has.
    pub items: u64,
    /// The bytes that they took, where that was known.
    pub bytes: u64,
}

/// The operation is no erasure that has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the operation is no erasure that has come to its end")]
pub struct NotErased(());

impl Certificate {
    /// The certificate of an erasure.
    ///
    /// # Errors
    ///
    /// When the operation is something else, or has not ended.
    pub fn of(operation: &Operation, keys: &MasterKeys) -> Result<Self, NotErased> {
        let ended_at =
            operation.ended_at.filter(|_| operation.outcome == Some(Outcome::Done) && operation.verb == ERASE);
        let amounts = operation.progress.amounts.iter();
        let mut certificate = Self {
            operation: operation.id.get(),
            tenant: operation.tenant.get(),
            name: operation.slug.to_string(),
            began_at: utc_or_why_not(operation.began_at),
            ended_at: utc_or_why_not(ended_at.ok_or(NotErased(()))?),
            removed: amounts
                .map(|(plane, amount)| (plane.clone(), Removed { items: amount.items, bytes: amount.bytes }))
                .collect(),
            kept: KEPT.to_owned(),
            seal: String::new(),
        };
        let seal = certificate.seals(keys).seal(NAME, &certificate.contents());
        certificate.seal = String::from_utf8_lossy(&seal).into_owned();
        Ok(certificate)
    }

    /// Whether it is one of this deployment's, and as it was made.
    pub fn is_ours(&self, keys: &MasterKeys) -> bool {
        self.seals(keys).is_seal(self.seal.as_bytes(), NAME, &self.contents())
    }

    fn seals(&self, keys: &MasterKeys) -> Seals {
        let tenant = TenantId::new(self.tenant);
        Seals::new(&keys.current(PURPOSE, tenant), keys.derive(PURPOSE, tenant))
    }

    /// All but the seal, always in the same order.
    fn contents(&self) -> Vec<u8> {
        let unsealed = Self { seal: String::new(), ..self.clone() };
        serde_json::to_vec(&unsealed).unwrap_or_default()
    }
}

/// As the ledger calls it.
const ERASE: &str = "erase";
const NAME: &[u8] = b"certificate of erasure";
const PURPOSE: Purpose = Purpose::new("tenantry certificates of erasure");
/// What nobody can remove from here.
const KEPT: &str = "The audit log and the ledger of operations keep the tenant's name, its number, and what was done to it. \
                    Logs and backups that were made before are outside: they go when their own time is over.";

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use tenantry_core::{Amount, OperationId, Progress};

    use super::*;

    fn erased() -> Operation {
        let mut progress = Progress::default();
        progress.amounts.insert("rows".to_owned(), Amount::items(7));
        progress.amounts.insert("uploads".to_owned(), Amount { items: 2, bytes: 300 });
        Operation {
            id: OperationId::new(5),
            tenant: TenantId::new(9),
            slug: "acme".parse().unwrap(),
            verb: "erase".to_owned(),
            input: String::new(),
            progress,
            worker: String::new(),
            leased_until: SystemTime::UNIX_EPOCH,
            began_at: SystemTime::UNIX_EPOCH,
            ended_at: Some(SystemTime::UNIX_EPOCH),
            outcome: Some(Outcome::Done),
        }
    }

    #[test]
    fn a_certificate_is_ours_until_somebody_changes_it() {
        let keys = MasterKeys::generate().unwrap();
        let certificate = Certificate::of(&erased(), &keys).unwrap();
        let text = serde_json::to_string_pretty(&certificate).unwrap();
        let read: Certificate = serde_json::from_str(&text).unwrap();
        assert!(read.is_ours(&keys) && read == certificate);
        assert!(!read.is_ours(&MasterKeys::generate().unwrap()));
        for (from, to) in
            [("7", "6"), ("acme", "acne"), ("300", "30"), ("1970", "1971"), ("\"tenant\": 9", "\"tenant\": 8")]
        {
            let changed: Certificate = serde_json::from_str(&text.replacen(from, to, 1)).unwrap();
            assert!(!changed.is_ours(&keys), "{from}");
        }
    }

    #[test]
    fn a_clock_that_is_wrong_is_no_panic() {
        let keys = MasterKeys::generate().unwrap();
        let late = Operation { ended_at: SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(1 << 40)), ..erased() };
        assert_eq!(Certificate::of(&late, &keys).unwrap().ended_at, "a time after the year 9999");
    }

    #[test]
    fn only_an_erasure_that_has_ended_is_certified() {
        let keys = MasterKeys::generate().unwrap();
        let reset = Operation { verb: "reset".to_owned(), ..erased() };
        let unfinished = Operation { ended_at: None, outcome: None, ..erased() };
        let undone = Operation { outcome: Some(Outcome::Undone), ..erased() };
        for operation in [reset, unfinished, undone] {
            assert_eq!(Certificate::of(&operation, &keys), Err(NotErased(())));
        }
    }
}
