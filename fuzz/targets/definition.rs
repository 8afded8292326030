//! Definitions of migrations: converted, and taken apart.

#![no_main]

mod schema;

use std::{collections::HashSet, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use tenantry_sql::{Conversion, Limits, Name, SchemaMap, Step, convert, statements};

static SCHEMA: LazyLock<SchemaMap> = LazyLock::new(schema::schema);

fuzz_target!(|text: &str| {
    let globals: HashSet<_> = [Name::from("countries")].into();
    let limits = Limits::default();
    let conversion = Conversion { schema: &SCHEMA, limits: &limits, globals: &globals, next_number: 4 };
    let Ok(script) = statements(text) else { return };
    for statement in script {
        let Ok(change) = convert(statement, &conversion) else { continue };
        // What is to be run is one statement each.
        for step in &change.steps {
            if let Step::Run(text) = step {
                let parts = statements(text).expect("what is printed can be taken apart");
                assert_eq!(parts.len(), 1, "{statement:?}: {text:?}");
            }
        }
    }
});
