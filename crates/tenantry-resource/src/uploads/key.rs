//! How a name is written as a file's, or as an object's in a bucket.
//!
//! Small letters, digits and `-`, `_`, `.` and space stand for themselves, so that who looks into the folder finds what he
//! knows. What a file system could take for something else is escaped, so that two names never are one file:
//!
//! * `A` is `!a`: NTFS and APFS keep the case of names, and ignore it when they look for one.
//! * Every other character is `=` + its number + `-`, for instance `=23-` for `#`. So are letters that have a different
//!   case partner than themselves (`ſ` and `s`, `ς` and `σ`), and marks that would combine with an escape.
//! * A folder ends in `,`, so that `a` and `a/b` can both be there.

use unicode_normalization::char::is_combining_mark;

/// What a folder's name ends in.
pub(super) const FOLDER: char = ',';

/// The key of a name.
pub(super) fn encode(name: &str) -> String {
    let mut key = String::with_capacity(name.len() + name.len() / 2);
    let mut escaped = true;
    for char in name.chars() {
        let plain = is_plain(char) && !(escaped && is_combining_mark(char));
        match char {
            '/' => key.extend([FOLDER, '/']),
            'A'..='Z' => key.extend(['!', char.to_ascii_lowercase()]),
            _ if plain => key.push(char),
            _ => key.push_str(&format!("={:x}-", u32::from(char))),
        }
        escaped = !plain;
    }
    key
}

/// The name that a key was made of. What was never made by [`encode`] may give anything, or nothing.
pub(super) fn decode(key: &str) -> Option<String> {
    let mut name = String::with_capacity(key.len());
    let mut chars = key.chars();
    while let Some(char) = chars.next() {
        match char {
            FOLDER => {}
            '!' => name.push(chars.next()?.to_ascii_uppercase()),
            '=' => {
                let digits: String = chars.by_ref().take_while(|char| *char != '-').take(8).collect();
                name.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
            }
            _ => name.push(char),
        }
    }
    Some(name)
}

/// Whether a character can stand for itself: no file system takes another one for it.
fn is_plain(char: char) -> bool {
    match char {
        'a'..='z' | '0'..='9' | '-' | '_' | '.' | ' ' => true,
        _ => !char.is_ascii() && (char.is_alphanumeric() || is_combining_mark(char)) && is_its_own_case(char),
    }
}

/// Whether it is a small letter whose capital leads back to it, or has no case at all.
fn is_its_own_case(char: char) -> bool {
    let upper: String = char.to_uppercase().collect();
    char.to_lowercase().eq([char]) && upper.to_lowercase().chars().eq([char])
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, path::Path};

    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    use super::*;
    use crate::uploads::ObjectName;

    #[test]
    fn keys_are_what_the_docs_say() {
        for (name, key) in [
            ("may.pdf", "may.pdf"),
            ("README.md", "!r!e!a!d!m!e.md"),
            ("a/b", "a,/b"),
            ("a,b", "a=2c-b"),
            ("a#1", "a=23-1"),
            ("ſ", "=17f-"),
            ("σς", "σ=3c2-"),
            ("ÉÉé", "=c9-=c9-é"),
            ("写真", "写真"),
            ("J\u{30c}", "!j=30c-"),
        ] {
            assert_eq!((encode(name).as_str(), decode(key).as_deref()), (key, Some(name)));
        }
    }

    #[test]
    fn every_character_has_a_key_of_its_own_whatever_the_case() {
        let mut seen = HashMap::new();
        // Beyond the first two planes, no character has a case or a second form but those of CJK.
        for char in (0..0x2_0000).filter_map(char::from_u32) {
            if let Ok(name) = char.to_string().parse::<ObjectName>() {
                let folded = fold(name.key());
                let before = seen.insert(folded, name.clone());
                assert!(before.as_ref().is_none_or(|before| *before == name), "{before:?} {name:?}");
                assert_eq!(ObjectName::from_key(name.key()), Some(name));
            }
        }
    }

    /// As a file system may look at a name that ignores case and normal forms.
    fn fold(key: &str) -> String {
        key.to_uppercase().to_lowercase().nfd().collect::<String>().to_uppercase().nfd().collect()
    }

    /// Texts out of what attackers try, letters with difficult cases, and anything else.
    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => prop::sample::select(vec![
                "a", "A", "b", ".", "..", "/", "//", "\\", ":", " ", "nul", "CON", "é", "e\u{301}", "É", "ſ", "s", "ß", "SS",
                "ς", "σ", "Σ", "İ", "ı", "i", "\u{307}", "\u{30c}", "j", "J", "\u{2215}", "\u{ff0e}", "=", "!", ",", "#1", "-",
                "%2e", "%2F", "~", "\u{212a}", "k", "ﬁ", "fi", "41-", "\0", "\u{202e}", "-a", "가", "\u{1100}\u{1161}",
            ]).prop_map(str::to_owned),
            1 => any::<char>().prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn a_name_stays_below_its_folder(text in texts()) {
            if let Ok(name) = text.parse::<ObjectName>() {
                let root = Path::new("/srv/uploads/1");
                let joined = root.join(name.key());
                prop_assert!(joined.starts_with(root) && joined != root);
                prop_assert!(joined.components().all(|part| !matches!(part.as_os_str().to_str(), Some("." | ".."))));
                prop_assert_eq!(joined.components().count(), root.components().count() + name.as_str().split('/').count());
                let path = object_store::path::Path::parse(name.key()).unwrap();
                prop_assert_eq!(path.as_ref(), name.key());
                prop_assert_eq!(ObjectName::from_key(name.key()), Some(name));
            }
        }

        #[test]
        fn two_names_are_two_files(one in texts(), other in texts()) {
            if let (Ok(one), Ok(other)) = (one.parse::<ObjectName>(), other.parse::<ObjectName>()) {
                prop_assert_eq!(one == other, fold(one.key()) == fold(other.key()), "{:?} {:?}", one, other);
                // Nor is the one a folder on the way to the other.
                prop_assert!(!Path::new(other.key()).ancestors().skip(1).any(|above| above == Path::new(one.key())));
            }
        }
    }
}
