//! The application's schema, as the statements of a migration make it.

use std::collections::{HashMap, HashSet};

use tenantry_sql::{Belongs, Change, Conversion, Limits, Name, Refused, SchemaMap, Step, StoredSchema, convert};

/// A schema that consists of these tables and views. The tables get the numbers 1, 2, 3 and so on, but `countries` is
/// everybody's.
pub(crate) struct Schema {
    map: SchemaMap,
    globals: HashSet<Name>,
    next_number: i64,
}

impl Schema {
    pub(crate) fn of(definitions: &[&str]) -> Self {
        let rows: Vec<_> = definitions.iter().map(|sql| row(sql)).collect();
        let globals: HashSet<_> = ["countries", "currencies"].map(Name::from).into();
        let tenants = rows.iter().filter(|row| row.kind == "table" && !globals.contains(&row.name));
        let numbers: HashMap<_, _> = tenants.map(|row| row.name.clone()).zip(1..).collect();
        let belongs = Belongs { numbers: &numbers, globals: &globals };
        let map = SchemaMap::read(1, &rows, &belongs, &Limits::default());
        let next_number = numbers.values().max().map_or(1, |number| number + 1);
        Self { map: map.unwrap_or_else(|refused| panic!("{refused}")), globals, next_number }
    }

    pub(crate) const fn map(&self) -> &SchemaMap {
        &self.map
    }

    pub(crate) fn convert(&self, statement: &str) -> Result<Change, Refused> {
        let limits = Limits::default();
        let (schema, globals) = (&self.map, &self.globals);
        convert(statement, &Conversion { schema, limits: &limits, globals, next_number: self.next_number })
    }

    /// Checks which statements are run for one.
    #[track_caller]
    pub(crate) fn check(&self, statement: &str, expected: &[&str]) {
        let change = self.convert(statement).unwrap_or_else(|refused| panic!("{statement}: {refused}"));
        let steps: Vec<_> = change.steps.iter().map(run).collect();
        assert_eq!(steps, expected, "\n{statement}\n{}", steps.join("\n"));
    }

    /// Checks that a statement is refused with words that contain these.
    #[track_caller]
    pub(crate) fn refused(&self, statement: &str, expected: &str) {
        match self.convert(statement) {
            Ok(change) => panic!("{statement}\nbecame {change:?}"),
            Err(refused) => assert!(refused.to_string().contains(expected), "{statement}\n{refused}"),
        }
    }
}

/// A step as text; of a change of a stored text, what becomes of the shortest one.
pub(crate) fn run(step: &Step) -> String {
    match step {
        Step::Run(statement) => statement.clone(),
        Step::Rewrite(rewrite) => {
            let stored = "T(_tenant, k, FOREIGN KEY (_tenant, k) REFERENCES p (_tenant, id))";
            format!("{}: {}", rewrite.table, rewrite.apply(stored).unwrap_or_else(|refused| panic!("{refused}")))
        }
    }
}

fn row(sql: &str) -> StoredSchema {
    let words: Vec<_> = sql.split([' ', '(']).collect();
    let [_, kind, name, ..] = words.as_slice() else { panic!("{sql}") };
    let name = Name::from(name.trim_matches('"'));
    StoredSchema { kind: kind.to_ascii_lowercase(), name: name.clone(), table: name, sql: Some(sql.to_owned()) }
}
