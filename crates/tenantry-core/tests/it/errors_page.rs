//! `docs/errors.md` and the table of refusals say the same.

use tenantry_core::Code;

const PAGE: &str = include_str!("../../../../docs/errors.md");

#[test]
fn every_code_has_its_section_and_every_section_its_code() {
    let sections: Vec<_> = PAGE.split("\n## ").skip(1).collect();
    let codes: Vec<_> = sections.iter().filter_map(|section| section.lines().next()).collect();
    assert_eq!(codes, Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>());
    for (section, code) in sections.iter().zip(Code::ALL) {
        let facts = format!("HTTP {} · exit code {} · \"{}\"", code.status().as_u16(), code.exit_code(), code.text());
        assert!(section.contains(&facts), "{code}: {facts}");
        assert!(section.contains(&format!("Hint: {}.", code.hint())), "{code}: {}", code.hint());
    }
}
