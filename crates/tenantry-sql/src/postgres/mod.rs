//! PostgreSQL: its own parser's tree lowered to the intermediate representation, and the verifier of what is printed.
//!
//! The parser is libpg_query (crate `pg_query`), which is PostgreSQL's own grammar and scanner. The tree says where nodes
//! begin, the scanner where tokens end.
//!
//! **Refused as yet**: `MERGE`; common table expressions that change rows; `ON CONFLICT ON CONSTRAINT`; assignments to a part
//! of a column; `RETURNING *` beside `FROM` or `USING`; `INSERT` from `TABLE`, from parenthesised queries with clauses of their
//! own, and without a list of columns from a query with a star; a bare column that is called as its table, in a statement that
//! changes that table; `SET` and `SHOW`;
//! `ONLY`, `TABLESAMPLE`, `XMLTABLE`, `JSON_TABLE`, SQL/JSON constructors, `SEARCH` and `CYCLE`; joins in parentheses
//! with an alias; `(row).field`; types and functions that are not built in; catalogs; an operator chain or a nesting that
//! is too deep for the parser's tree.
//! Grouping by a primary key does not make the other columns of a table available (R-FDGROUP); the database says so.
//!
//! **What a connection must have pinned**: `standard_conforming_strings = on`, so that its scanner and this one agree
//! (a backslash before a quote is refused besides), `search_path = pg_catalog`, so that a function or type without a
//! schema is the built-in one, and `client_encoding = UTF8`.

pub(crate) mod definition;
pub(crate) mod functions;
pub(crate) mod lower;
mod tokens;
pub(crate) mod types;
mod verify;

pub(crate) use self::verify::verify;
