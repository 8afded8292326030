//! Questions about the schema are answered from stored tables of the logical schema.

use super::Context;
use crate::{
    Code, Quoted, Refused,
    bind::Bound,
    ir::{Pragma, Site},
    splice::{Edits, Piece},
};

/// What `sqlite_schema` is read from.
pub(crate) const MASTER: &str =
    "SELECT \"type\", \"name\", \"tbl_name\", \"rootpage\", \"sql\" FROM \"main\".\"_tenantry_master\"";

/// The questions about the schema that are answered (SQLite's `PRAGMA`s), with the columns of their answers.
///
/// The answers are stored in tables: those of `table_info` in `_tenantry_table_info`, which has the columns of the answer,
/// `of` (the table or index that was asked about) and `at` (the place in the answer).
pub const PRAGMAS: &[(&str, &[&str])] = &[
    ("foreign_key_list", &["id", "seq", "table", "from", "to", "on_update", "on_delete", "match"]),
    ("index_info", &["seqno", "cid", "name"]),
    ("index_list", &["seq", "name", "unique", "origin", "partial"]),
    ("index_xinfo", &["seqno", "cid", "name", "desc", "coll", "key"]),
    ("table_info", &["cid", "name", "type", "notnull", "dflt_value", "pk"]),
    ("table_list", &["schema", "name", "type", "ncol", "wr", "strict"]),
    ("table_xinfo", &["cid", "name", "type", "notnull", "dflt_value", "pk", "hidden"]),
];

/// The name of the table that answers of this kind are stored in.
fn stored_in(pragma: &str) -> String {
    format!("_tenantry_{pragma}")
}

/// The statement that answers `PRAGMA table_info(t)` and its kin.
pub(crate) fn pragma(pragma: &Pragma, text: &str) -> Result<String, Refused> {
    let refuse = || Refused::new(Code::Setting, format!("PRAGMA {}", pragma.name.name)).at(text, pragma.name.span);
    let (kind, columns) = found(&pragma.name.name.as_str().to_ascii_lowercase()).ok_or_else(refuse)?;
    // SQLite takes `PRAGMA table_info = t` for the same question.
    let about = match &pragma.argument {
        None if kind == "table_list" => String::new(),
        None => return Err(refuse().hint(format!("write PRAGMA {kind}(name)"))),
        Some(about) if kind == "table_list" => format!(" WHERE \"name\" = {} COLLATE NOCASE", literal(about)),
        Some(about) => format!(" WHERE \"of\" = {} COLLATE NOCASE", literal(about)),
    };
    Ok(format!("{}{about} ORDER BY \"at\"", select(kind, columns)))
}

/// `pragma_table_info('t')` in a `FROM` clause, and the functions that give rows and are harmless.
pub(super) fn calls(bound: &Bound<'_>, context: &Context<'_>, edits: &mut Edits) -> Result<(), Refused> {
    for call in &bound.calls {
        let name = call.name.name.as_str().to_ascii_lowercase();
        let refuse =
            |code| Refused::new(code, format!("function {}", call.name.name.quoted())).at(context.text, call.span);
        if let Some(schema) = &call.schema {
            return Err(
                Refused::new(Code::Relation, format!("schema {}", schema.name.quoted())).at(context.text, schema.span)
            );
        }
        if crate::sqlite::functions::is_table(&name) {
            continue;
        }
        let Some((kind, columns)) = name.strip_prefix("pragma_").and_then(found) else {
            return Err(refuse(Code::Function));
        };
        let text = |text: String| Piece::Text(text);
        let mut pieces = vec![text(format!("({}", select(kind, columns)))];
        match call.arguments.as_slice() {
            [] if kind == "table_list" => {}
            [about] if !about.sites.iter().any(|site| matches!(site, Site::Column(_) | Site::Query(_))) => {
                let asked = if kind == "table_list" { "name" } else { "of" };
                pieces.push(text(format!(" WHERE \"{asked}\" = (")));
                pieces.push(Piece::Source(about.span));
                pieces.push(text(") COLLATE NOCASE".to_owned()));
            }
            _ => return Err(refuse(Code::Relation).hint("ask about one table, named by a literal")),
        }
        let alias = call.alias.as_ref().unwrap_or(&call.name);
        pieces.push(text(format!(") AS {}", alias.name.quoted())));
        edits.rearrange(call.span, pieces);
    }
    Ok(())
}

fn found(name: &str) -> Option<(&'static str, &'static [&'static str])> {
    PRAGMAS.iter().find(|(kind, _)| *kind == name).copied()
}

fn select(kind: &str, columns: &[&str]) -> String {
    let columns: Vec<_> = columns.iter().map(|column| Quoted::new(column).to_string()).collect();
    format!("SELECT {} FROM \"main\".\"{}\"", columns.join(", "), stored_in(kind))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
