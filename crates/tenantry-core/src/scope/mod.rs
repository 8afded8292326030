//! The proof that work is for one tenant, the admission that makes it, and its deliberate absence.

mod admission;
mod proof;
mod unscoped;
mod witness;

pub use self::{
    admission::Admission,
    proof::Scope,
    unscoped::Unscoped,
    witness::{Witness, Witnessing},
};
