//! There is no scope to fall back to.
fn main() {
    let _scope = tenantry_core::Scope::default();
}
