//! A scope is made by admission alone.
use tenantry_core::{Plan, Scope, Tenant};
use std::sync::Arc;

fn forge(tenant: Arc<Tenant>, plan: Arc<Plan>) -> Scope {
    Scope { tenant, plan }
}

fn main() {}
