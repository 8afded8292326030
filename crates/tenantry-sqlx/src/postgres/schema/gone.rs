//! What refuses every change of rows that have been moved to another place.
//!
//! It is a trigger on each table, and the function that it calls. Whoever changes the rows of a tenant runs into it: also a
//! process that has not heard yet where the rows are.

use sqlx::PgConnection;
use tenantry_core::{Placement, TenantId};

/// The code of the error, by which it is known again. It is of a class that the server leaves to others.
pub(in crate::postgres) const GONE: &str = "TN001";

/// The setting that says whose rows are erased in this transaction, which is allowed. No statement of an application can
/// set what begins with `tenantry.`.
pub(in crate::postgres) const ERASES: &str = "tenantry.erases";

/// What the triggers' names begin with. They run before those that give out numbers.
pub(in crate::postgres) const MARK: &str = "_tenant_gone";

/// Makes the function, in a schema that is there. The argument of a trigger is the tenant. Whatever is named has its schema
/// in front: whoever changes rows says what is searched.
pub(in crate::postgres) const FUNCTION: &str = "
CREATE OR REPLACE FUNCTION tenantry.gone() RETURNS trigger LANGUAGE plpgsql AS $_tenant$
BEGIN
    IF TG_OP OPERATOR(pg_catalog.=) 'DELETE'
        AND pg_catalog.current_setting('tenantry.erases', true) OPERATOR(pg_catalog.=) TG_ARGV[0] THEN RETURN OLD; END IF;
    RAISE EXCEPTION USING ERRCODE = 'TN001', MESSAGE = 'the rows have been moved to another place';
END $_tenant$
";

/// Whether the rows of some tenant in the shared tables are marked.
pub(super) async fn is_any_marked(owner: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let text = "SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgfoid = to_regprocedure('tenantry.gone()'))";
    sqlx::query_scalar(text).fetch_one(owner).await
}

/// Whether a tenant's rows have been moved from the placement where there are none, so that none are to be made there for
/// it: a process that has not heard of it would take these for the tenant's.
pub(in crate::postgres) async fn have_left(
    owner: &mut PgConnection,
    tenant: TenantId,
    placement: &Placement,
) -> Result<bool, sqlx::Error> {
    if !sqlx::query_scalar("SELECT to_regclass('tenantry.moves') IS NOT NULL").fetch_one(&mut *owner).await? {
        return Ok(false);
    }
    let text = "SELECT EXISTS (SELECT FROM tenantry.moves WHERE tenant = $1 AND place <> $2 AND reached <> 'begun')";
    sqlx::query_scalar(text).bind(tenant.get()).bind(placement.as_str()).fetch_one(owner).await
}
