//! `CREATE INDEX`: prefixed by the tenant, so that no index leads to rows of others.

use super::{Change, ChangeKind, Conversion, definition::CreateIndex, expression, table::terms_of, words::Words};
use crate::{Code, Name, Refused, Relation, Span, TENANT};

pub(super) fn create(
    index: &CreateIndex,
    span: Span,
    words: &Words<'_>,
    conversion: &Conversion<'_>,
) -> Result<Change, Refused> {
    conversion.in_main(&index.index, words.text)?;
    let (name, of) = (&index.index.name.name, &index.table.name);
    let kind = ChangeKind::CreateIndex { name: name.clone(), table: of.clone() };
    let (table, is_global) = match conversion.schema.relation(of) {
        Some(Relation::Tenant(table)) => (table, false),
        Some(Relation::Global(table)) => (table, true),
        Some(Relation::View(_)) | None => {
            return Err(Refused::new(Code::Relation, format!("table {}", of.quoted())).at(words.text, index.table.span));
        }
    };
    let has = |name: &Name| is_global || table.column(name).is_some();
    for expr in index.terms.iter().map(|term| &term.expr).chain(&index.filter) {
        expression::check(expr, words.text, has)?;
    }
    if is_global {
        return Ok(Change::run(kind, words.at(span)));
    }
    let unique = if index.unique { "UNIQUE " } else { "" };
    let if_not_exists = if index.if_not_exists { "IF NOT EXISTS " } else { "" };
    let filter = index.filter.as_ref().map(|filter| format!(" WHERE {}", words.at(filter.span))).unwrap_or_default();
    let (name, of, terms) = (name.quoted(), table.name.quoted(), terms_of(&index.terms, words));
    let statement =
        format!("CREATE {unique}INDEX {if_not_exists}\"main\".{name} ON {of} (\"{TENANT}\", {terms}){filter}");
    Ok(Change::run(kind, statement))
}
