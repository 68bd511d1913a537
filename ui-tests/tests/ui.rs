//! One program per message of the macros: each must fail with exactly what stands beside it.

#[test]
fn messages() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
