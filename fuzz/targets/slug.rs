//! Slugs: what is accepted is shown as it was written, and fits where slugs stand.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tenantry_core::Slug;

fuzz_target!(|text: &str| {
    let Ok(slug) = text.parse::<Slug>() else { return };
    assert_eq!(slug.as_str(), text);
    assert_eq!(slug.to_string().parse(), Ok(slug));
    assert!(text.len() <= Slug::LEN_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
});
