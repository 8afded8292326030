//! What members are called, and which comes after which.

use std::fmt;

/// A member. Whatever else a tar file could have is refused: names are not read as paths, but compared with these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Member {
    Header,
    Settings,
    Rows { table: usize, part: usize },
    UploadHead(u64),
    UploadBody(u64),
    Checks(u64),
    Manifest,
}

impl Member {
    /// The member that is called so.
    pub(super) fn named(name: &str) -> Option<Self> {
        let (folder, rest) = name.split_once('/').unwrap_or(("", name));
        let member = match (folder, rest) {
            ("", "header.json") => Self::Header,
            ("", "settings.json") => Self::Settings,
            ("", "manifest.json") => Self::Manifest,
            ("rows", rest) => {
                let (table, part) = rest.strip_suffix(".jsonl")?.split_once('/')?;
                Self::Rows { table: table.parse().ok()?, part: part.parse().ok()? }
            }
            ("uploads", rest) => match rest.strip_suffix(".json") {
                Some(number) => Self::UploadHead(number.parse().ok()?),
                None => Self::UploadBody(rest.parse().ok()?),
            },
            ("checks", rest) => Self::Checks(rest.strip_suffix(".jsonl")?.parse().ok()?),
            _ => return None,
        };
        // There is one way to write it.
        (member.to_string() == name).then_some(member)
    }

    /// Whether it may come after another one; checks left out, which may come anywhere.
    pub(super) fn may_follow(self, last: Option<Self>) -> bool {
        match (last, self) {
            (None, member) => member == Self::Header,
            (Some(Self::Header), member) => member == Self::Settings,
            (Some(Self::UploadHead(number)), member) => member == Self::UploadBody(number),
            (Some(Self::Rows { table, part }), Self::Rows { table: next_table, part: next }) => {
                (next_table == table && Some(next) == part.checked_add(1)) || (next_table > table && next == 0)
            }
            (Some(Self::Settings), Self::Rows { part, .. }) => part == 0,
            (Some(Self::Settings | Self::Rows { .. }), Self::UploadHead(number)) => number == 0,
            (Some(Self::UploadBody(last)), Self::UploadHead(number)) => Some(number) == last.checked_add(1),
            (Some(Self::Settings | Self::Rows { .. } | Self::UploadBody(_)), Self::Manifest) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("header.json"),
            Self::Settings => f.write_str("settings.json"),
            Self::Rows { table, part } => write!(f, "rows/{table:04}/{part:06}.jsonl"),
            Self::UploadHead(number) => write!(f, "uploads/{number:09}.json"),
            Self::UploadBody(number) => write!(f, "uploads/{number:09}"),
            Self::Checks(number) => write!(f, "checks/{number:06}.jsonl"),
            Self::Manifest => f.write_str("manifest.json"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_one_member() {
        for name in [
            "header.json",
            "settings.json",
            "manifest.json",
            "rows/0012/000345.jsonl",
            "uploads/000000007",
            "checks/000001.jsonl",
        ] {
            assert_eq!(Member::named(name).unwrap().to_string(), name);
        }
        for name in [
            "",
            "/header.json",
            "./header.json",
            "../header.json",
            "rows/../header.json",
            "rows/1/1.jsonl",
            "rows/0001/+00001.jsonl",
            "rows/0001/000001.jsonl/",
            "uploads/../000000001",
            "/uploads/000000001",
            "uploads/000000001.json.json",
            "HEADER.JSON",
            "checks/1",
            "rows/0000/99999999999999999999999.jsonl",
        ] {
            assert_eq!(Member::named(name), None, "{name}");
        }
    }

    #[test]
    fn they_come_in_one_order() {
        use Member::*;
        let rows = |table, part| Rows { table, part };
        let order = [
            Header,
            Settings,
            rows(0, 0),
            rows(0, 1),
            rows(2, 0),
            UploadHead(0),
            UploadBody(0),
            UploadHead(1),
            UploadBody(1),
        ];
        for (last, next) in order.iter().zip(&order[1..]) {
            assert!(next.may_follow(Some(*last)), "{last} {next}");
        }
        for (at, member) in order.iter().enumerate() {
            for earlier in &order[..=at] {
                assert!(!earlier.may_follow(Some(*member)), "{member} {earlier}");
            }
            assert_eq!(member.may_follow(None), at == 0);
        }
        assert!(!rows(0, 1).may_follow(Some(Settings)) && !rows(1, 1).may_follow(Some(rows(0, 0))));
        assert!(!UploadHead(2).may_follow(Some(UploadBody(0))) && !Manifest.may_follow(Some(UploadHead(0))));
        assert!(!Header.may_follow(Some(Manifest)));
    }
}
