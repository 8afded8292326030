//! Which names there can be.

use std::{fmt, str::FromStr, sync::Arc};

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use super::key;

/// The name of an upload, such as `invoices/May 2026.pdf`: segments with `/` between them.
///
/// It stays where it belongs, on whichever file system: there is no `.` or `..`, nothing absolute or empty, no backslash,
/// no colon, no control character, no device of Windows (`NUL`, `com1.txt`), no dot or space at a segment's end, and no
/// character that looks like a separator or a dot, or that is not seen at all (bidirectional controls, zero-width
/// characters other than the joiners that some scripts need).
///
/// A name is kept in Unicode's normal form C, so `é` is one name whether a Mac or another system has typed it. Capital and
/// small letters differ, also where the file system takes them for the same. Letters of two scripts that look alike
/// (Latin `a`, Cyrillic `а`) are two names: that is for the application to care for, if it shows names of strangers.
///
/// ```
/// use tenantry_resource::uploads::ObjectName;
///
/// assert_eq!("invoices/May.pdf".parse::<ObjectName>()?.file_name(), "May.pdf");
/// assert!("../acme/May.pdf".parse::<ObjectName>().is_err());
/// # Ok::<(), tenantry_resource::uploads::ObjectNameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    name: Arc<str>,
    /// The name as files and objects have it.
    key: Arc<str>,
}

impl ObjectName {
    /// The name as text, in normal form C.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The last segment.
    pub fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The key of everything that lies below this name.
    pub(super) fn folder_key(&self) -> String {
        format!("{}{}", self.key, key::FOLDER)
    }

    /// The name that has this key, if it is one that a name is written as.
    pub(super) fn from_key(written: &str) -> Option<Self> {
        let name: Self = key::decode(written)?.parse().ok()?;
        (name.key() == written).then_some(name)
    }
}

impl FromStr for ObjectName {
    type Err = ObjectNameError;

    fn from_str(text: &str) -> Result<Self, ObjectNameError> {
        // Normalizing can make a name longer, by a bounded factor: this bounds the work.
        if text.len() > KEY_BYTES_MAX {
            return Err(ObjectNameError::TooLong);
        }
        let name: String = text.nfc().collect();
        if let Some(char) = name.chars().find(|char| is_forbidden(*char)) {
            return Err(ObjectNameError::Character(char));
        }
        name.split('/').try_for_each(check_segment)?;
        let key = key::encode(&name);
        let long = key.len() > KEY_BYTES_MAX || key.split('/').any(|segment| segment.len() > SEGMENT_BYTES_MAX);
        if long { Err(ObjectNameError::TooLong) } else { Ok(Self { name: name.into(), key: key.into() }) }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectName({self})")
    }
}

/// A text that is no [`ObjectName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ObjectNameError {
    /// It has a character that no name has.
    #[error("a name cannot have the character {0:?}")]
    Character(char),
    /// It starts or ends with a slash, has two in a row, or is empty.
    #[error("a name has something before, between and after its slashes")]
    Empty,
    /// A segment is a device on Windows, whatever comes after its dot.
    #[error("a name, or a part of it, cannot be called as a device of Windows is")]
    Device,
    /// A segment starts with a space, or ends with a dot or a space, as `.` and `..` do.
    #[error("a name, or a part of it, cannot start with a space, or end with a dot or a space")]
    Edge,
    /// It is longer than stores allow.
    #[error(
        "a name is too long: written down, it has at most {KEY_BYTES_MAX} bytes, and {SEGMENT_BYTES_MAX} between slashes"
    )]
    TooLong,
}

fn is_forbidden(char: char) -> bool {
    let invisible = matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}');
    // What looks like a slash or a backslash; what Unicode itself says about dots comes next.
    let alike = matches!(
        char,
        '\u{338}'
            | '\u{2044}'
            | '\u{2215}'
            | '\u{2216}'
            | '\u{2571}'
            | '\u{2572}'
            | '\u{27cb}'
            | '\u{27cd}'
            | '\u{29f5}'
            | '\u{29f8}'
            | '\u{29f9}'
            | '\u{1d23a}'
            | '\u{1d20f}'
            | '\u{a4f8}'
            | '\u{a60e}'
            | '\u{2cc6}'
    );
    let means = |plain: char| matches!(plain, '\\' | ':') || !char.is_ascii() && matches!(plain, '/' | '.');
    char.is_control() || invisible || alike || std::iter::once(char).nfkc().any(means)
}

fn check_segment(segment: &str) -> Result<(), ObjectNameError> {
    let (Some(first), Some(last)) = (segment.chars().next(), segment.chars().next_back()) else {
        return Err(ObjectNameError::Empty);
    };
    if first.is_whitespace() || last.is_whitespace() || last == '.' {
        return Err(ObjectNameError::Edge);
    }
    // Windows looks at what comes before the first dot, without spaces at its end.
    let stem = segment.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let numbered = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let port = numbered.is_some_and(|rest| rest.chars().count() == 1 && rest.chars().all(is_digit));
    let device = matches!(&*stem, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$") || port;
    if device { Err(ObjectNameError::Device) } else { Ok(()) }
}

/// Windows takes superscript digits for digits here.
fn is_digit(char: char) -> bool {
    char.is_ascii_digit() || matches!(char, '¹' | '²' | '³')
}

/// S3 has keys of 1024 bytes, of which a bucket's prefix and the tenant's id need some.
const KEY_BYTES_MAX: usize = 800;
/// File systems have names of 255 bytes, and a file that is being written has some more.
const SEGMENT_BYTES_MAX: usize = 220;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, ObjectNameError>) {
        let name = text.parse::<ObjectName>();
        assert_eq!(name.as_ref().map(ObjectName::as_str).map_err(|error| *error), expected, "{text:?}");
    }

    #[test]
    fn ordinary_names_are_names() {
        for name in [
            "a",
            "README.md",
            "invoices/May 2026.pdf",
            ".htaccess",
            "...a",
            "a..b",
            "Квартальный отчёт.docx",
            "写真/夏.jpg",
            "50% off?.txt",
            "what\"ever<>|*.txt",
            "नमस्ते.txt",
            "❤\u{fe0f}.png",
            "Screenshot at 10.00\u{202f}AM.png",
            "می\u{200c}خواهم.txt",
            "console.txt",
            "com10",
            "nul-and-void",
            "a#1",
            "~a",
        ] {
            check(name, Ok(name));
        }
        check("e\u{301}", Ok("é"));
    }

    #[test]
    fn names_that_could_lead_elsewhere_are_refused() {
        use ObjectNameError::{Character, Device, Edge, Empty, TooLong};
        for empty in ["", "/", "/etc/passwd", "a//b", "a/", "//server/share"] {
            check(empty, Err(Empty));
        }
        for edge in [".", "..", "../b", "a/../b", "a/./b", "a/..", "a.", "a ", " a", "a /b", "a./b", "...", "\u{3000}a"]
        {
            check(edge, Err(Edge));
        }
        for (text, char) in [
            ("a\0", '\0'),
            ("a\nb", '\n'),
            ("a\\b", '\\'),
            ("C:", ':'),
            ("c:/a", ':'),
            ("a.txt:b", ':'),
            ("a\u{7f}", '\u{7f}'),
            ("a\u{85}", '\u{85}'),
            ("..\u{2215}a", '\u{2215}'),
            ("a\u{2044}b", '\u{2044}'),
            ("a\u{29f8}b", '\u{29f8}'),
            ("a\u{ff0f}b", '\u{ff0f}'),
            ("a\u{ff3c}b", '\u{ff3c}'),
            ("\u{2024}\u{2024}", '\u{2024}'),
            ("\u{2025}", '\u{2025}'),
            ("\u{fe52}\u{fe52}/a", '\u{fe52}'),
            ("\u{ff0e}\u{ff0e}", '\u{ff0e}'),
            ("a\u{2026}", '\u{2026}'),
            ("\u{2105}", '\u{2105}'),
            ("a\u{202e}fdp.exe", '\u{202e}'),
            ("a\u{2066}", '\u{2066}'),
            ("a\u{200f}", '\u{200f}'),
            ("a\u{200b}", '\u{200b}'),
            ("a\u{feff}", '\u{feff}'),
            ("a\u{ad}", '\u{ad}'),
            ("a\u{e0041}", '\u{e0041}'),
            ("a\u{ff1a}b", '\u{ff1a}'),
        ] {
            check(text, Err(Character(char)));
        }
        for device in ["CON", "nul", "Aux.txt", "a/prn.tar.gz/b", "com1", "LPT9.x", "com\u{b9}", "nul .txt", "CONIN$"] {
            check(device, Err(Device));
        }
        check(&"a".repeat(SEGMENT_BYTES_MAX), Ok(&"a".repeat(SEGMENT_BYTES_MAX)));
        check(&"a".repeat(SEGMENT_BYTES_MAX + 1), Err(TooLong));
        check(&"A".repeat(SEGMENT_BYTES_MAX), Err(TooLong));
        check(&"a/".repeat(KEY_BYTES_MAX), Err(TooLong));
    }
}
