//! Any text either is a slug that survives a round trip, or is refused; nothing in between.

use proptest::prelude::*;
use tenantry_core::Slug;

proptest! {
    #[test]
    fn what_parses_is_a_host_label(text in "\\PC{0,70}") {
        check(&text)?;
    }

    #[test]
    fn what_looks_like_a_label_parses_or_says_why(text in "[a-z0-9-]{0,70}") {
        check(&text)?;
    }
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let Ok(slug) = text.parse::<Slug>() else { return Ok(()) };
    prop_assert_eq!(slug.as_str(), text);
    prop_assert!((1..=63).contains(&text.len()));
    prop_assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
    prop_assert!(!text.starts_with('-') && !text.ends_with('-'));
    Ok(())
}
