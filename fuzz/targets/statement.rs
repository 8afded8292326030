//! Statements: rewritten, verified, and read again.

#![no_main]

mod schema;

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use tenantry_sql::{Code, Limits, Rewriter};

static REWRITER: LazyLock<Rewriter> = LazyLock::new(|| Rewriter::new(Arc::new(schema::schema()), Limits::default()));

fuzz_target!(|text: &str| {
    let plan = match REWRITER.scope(text) {
        Ok(plan) => plan,
        Err(refused) => {
            // The verifier refuses nothing that the rules let pass: that would be a defect of theirs.
            assert_ne!(refused.code, Code::Unverified, "{text:?}: {refused}");
            return;
        }
    };
    let again = REWRITER.scope(&plan.text);
    match plan.tenant {
        // What names the tenant is not for applications to say.
        Some(_) => assert!(again.is_err_and(|refused| refused.code != Code::Unverified), "{text:?}: {}", plan.text),
        // What is printed is read as it was meant: printing it again changes nothing.
        None if !plan.text.contains("_tenant") => assert_eq!(again.map(|plan| plan.text), Ok(plan.text), "{text:?}"),
        None => {}
    }
});
