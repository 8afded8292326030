//! The digest of a row: the same for the same values of the same storage classes, whatever file they are in.
//!
//! 64 bits of SHA-256, over each value with its class before it and, where it has one, its length.

use sha2::{Digest as _, Sha256};

use super::hooks::{Argument, Arguments};

/// The digest of these values.
pub(super) fn digest(arguments: &Arguments<'_>) -> i64 {
    let mut hash = Sha256::new();
    for argument in arguments.iter() {
        match argument {
            Argument::Null => hash.update([0]),
            Argument::Integer(integer) => {
                hash.update([1]);
                hash.update(integer.to_le_bytes());
            }
            // By its bits: 0.0 and -0.0 are not the same.
            Argument::Real(real) => {
                hash.update([2]);
                hash.update(real.to_bits().to_le_bytes());
            }
            Argument::Text(bytes) => update(&mut hash, 3, bytes),
            Argument::Blob(bytes) => update(&mut hash, 4, bytes),
        }
    }
    let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = hash.finalize().into();
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn update(hash: &mut Sha256, class: u8, bytes: &[u8]) {
    hash.update([class]);
    hash.update(bytes.len().to_le_bytes());
    hash.update(bytes);
}
