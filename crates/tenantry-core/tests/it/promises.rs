//! Promises that the compiler keeps.

#[test]
fn nobody_else_makes_a_scope() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
