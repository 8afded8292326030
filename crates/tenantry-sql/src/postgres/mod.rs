//! PostgreSQL: its own parser's tree lowered to the intermediate representation, and the verifier of what is printed.
//!
//! The parser is libpg_query (crate `pg_query`), which is PostgreSQL's own grammar and scanner. The tree says where nodes
//! begin, the scanner where tokens end.
//!
//! **Refused as yet**: `RETURNING` of `MERGE`; `INSERT` from `VALUES` in parentheses within a set operation, and without a list
//! of columns into a table with generated ones or from a query whose columns are not known (those of a view, of a function,
//! of a join that merges columns); `XMLTABLE`, `JSON_TABLE`, SQL/JSON constructors, XML functions; `(row).*`, fields of rows of
//! subqueries; operators and collations that are not built in, where they are qualified; `SET CONSTRAINTS` by name;
//! `TRUNCATE … RESTART IDENTITY`; cursors, `PREPARE`, `COPY` (it takes no parameters, which is where the tenant stands),
//! `EXPLAIN`; an operator chain or a nesting that is too deep for the parser's tree.
//! Grouping sets over a primary key do not make the other columns of a table available (R-FDGROUP), nor does a column whose
//! type cannot be compared stand anywhere but alone in the list of results; the database says so.
//!
//! **What a connection must have pinned**: `standard_conforming_strings = on`, so that its scanner and this one agree
//! (a backslash before a quote is refused besides), `client_encoding = UTF8`, and a `search_path` on which `pg_catalog` comes
//! first, so that a function or type without a schema is the built-in one, and then `public`. `search_path = public` is that,
//! and unlike `pg_catalog, public` it makes `current_schema()` answer `public`.
//!
//! **What has to be there**: the shared tables in [`SHARED_SCHEMA`](crate::SHARED_SCHEMA), with constraints of the same names as
//! the application's own; those in `public`, for the types of their rows; and the views of [`CATALOGS`] and
//! [`INFORMATION_SCHEMA`].

pub(crate) mod catalogs;
pub(crate) mod definition;
mod extensions;
pub(crate) mod functions;
pub(crate) mod lower;
pub(crate) mod script;
mod settings;
mod tokens;
pub(crate) mod types;
mod verify;

pub use self::catalogs::{CATALOG_SCHEMA, CATALOGS, INFORMATION_SCHEMA};
pub(crate) use self::verify::verify;
