//! A scope is made by admission alone.
use tenantry_core::{Plan, Scope, Tenant};
use std::sync::Arc;

fn forge(admitted: (Arc<Tenant>, Arc<Plan>)) -> Scope {
    Scope(Arc::new(admitted))
}

fn main() {}
