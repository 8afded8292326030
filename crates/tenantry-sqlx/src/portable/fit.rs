//! Whether the tables of an archive fit those that are here.
//!
//! 1. Each table of the archive is here, by its name; where none has it, the case of ASCII letters does not count, since it
//!    does not on SQLite.
//! 2. So is each of its columns.
//! 3. What is here and not in the archive must do without: a table is empty, a column has its default or nothing.
//!
//! What columns are declared to be may differ: whether a value fits is said of each.

use std::collections::HashSet;

use tenantry_core::{ColumnShape, RowsSchema, TableShape};

use super::PortableError;

/// A table that is here.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
}

/// A column of it that is not computed.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Its type, as the database writes it.
    pub(crate) kind: String,
    /// Whether a row can do without a value for it.
    pub(crate) is_optional: bool,
}

/// Where the rows of a table of the archive go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fitted {
    /// Which table of those that are here.
    pub(crate) target: usize,
    /// Which column of it each value is for, the hidden row id left out.
    pub(crate) columns: Vec<usize>,
}

impl Target {
    /// As archives describe it.
    pub(crate) fn shape(&self, has_hidden_id: bool) -> TableShape {
        let column = |column: &Column| ColumnShape { name: column.name.clone(), kind: column.kind.clone() };
        TableShape { name: self.name.clone(), has_hidden_id, columns: self.columns.iter().map(column).collect() }
    }
}

/// Where the rows of each table go.
///
/// # Errors
///
/// [`PortableError::Misfit`] lists all that does not fit.
pub(crate) fn fit(given: &RowsSchema, here: &[Target]) -> Result<Vec<Fitted>, PortableError> {
    let (mut fitted, mut misfits, mut taken) = (Vec::new(), Vec::new(), HashSet::new());
    for table in &given.tables {
        let Some(target) = position(&here.iter().map(|target| target.name.as_str()), &table.name) else {
            misfits.push(format!("there is no table {:?} here", table.name));
            continue;
        };
        if !taken.insert(target) {
            misfits.push(format!("table {:?} is there twice", table.name));
            continue;
        }
        if let Some(target_table) = here.get(target) {
            let columns = columns(table, target_table, &mut misfits);
            fitted.push(Fitted { target, columns });
        }
    }
    if misfits.is_empty() { Ok(fitted) } else { Err(PortableError::Misfit(misfits)) }
}

fn columns(given: &TableShape, here: &Target, misfits: &mut Vec<String>) -> Vec<usize> {
    let (mut columns, mut taken) = (Vec::new(), HashSet::new());
    for column in &given.columns {
        match position(&here.columns.iter().map(|column| column.name.as_str()), &column.name) {
            Some(at) if taken.insert(at) => columns.push(at),
            Some(_) => misfits.push(format!("table {:?} has column {:?} twice", given.name, column.name)),
            None => misfits.push(format!("table {:?} has no column {:?} here", given.name, column.name)),
        }
    }
    for (at, column) in here.columns.iter().enumerate() {
        if !taken.contains(&at) && !column.is_optional {
            misfits.push(format!("table {:?} has no column {:?} there, and needs it here", given.name, column.name));
        }
    }
    columns
}

fn position<'a>(names: &(impl Iterator<Item = &'a str> + Clone), name: &str) -> Option<usize> {
    let exact = names.clone().position(|other| other == name);
    exact.or_else(|| names.clone().position(|other| other.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(name: &str, columns: &[(&str, bool)]) -> Target {
        let columns = columns.iter().map(|(name, is_optional)| Column {
            name: (*name).to_owned(),
            kind: "TEXT".to_owned(),
            is_optional: *is_optional,
        });
        Target { name: name.to_owned(), columns: columns.collect() }
    }

    fn given(tables: &[(&str, &[&str])]) -> RowsSchema {
        let tables =
            tables.iter().map(|(name, columns)| here(name, &columns.iter().map(|it| (*it, true)).collect::<Vec<_>>()));
        RowsSchema { tables: tables.map(|table| table.shape(false)).collect(), ..RowsSchema::default() }
    }

    #[test]
    fn columns_are_found_by_name() {
        let tables = [
            here("notes", &[("id", false), ("title", false), ("more", true)]),
            here("Notes", &[]),
            here("Tags", &[("a", true)]),
        ];
        let fitted = fit(&given(&[("tags", &[]), ("notes", &["TITLE", "id"])]), &tables).unwrap();
        assert_eq!(fitted, [Fitted { target: 2, columns: vec![] }, Fitted { target: 0, columns: vec![1, 0] }]);
    }

    #[test]
    fn all_that_does_not_fit_is_listed() {
        let tables = [here("notes", &[("id", false), ("title", false)])];
        let schema = given(&[("notes", &["id", "ID", "_tenant"]), ("NOTES", &[]), ("_tenantry_tenants", &["id"])]);
        let error = fit(&schema, &tables).unwrap_err().to_string();
        for part in [
            r#"has column "ID" twice"#,
            r#"has no column "_tenant" here"#,
            r#"has no column "title" there, and needs it here"#,
            r#"table "NOTES" is there twice"#,
            r#"there is no table "_tenantry_tenants" here"#,
        ] {
            assert!(error.contains(part), "{error}");
        }
    }
}
