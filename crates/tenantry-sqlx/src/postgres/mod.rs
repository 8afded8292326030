//! PostgreSQL: tables that tenants share in one database.

mod schema;
